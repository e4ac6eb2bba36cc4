"""A tiny random foundation model as teacher: hand-worked values, hooks, and runs from end to end."""

import json
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file
from tools.trainer.d2d import journal_of
from tools.trainer.runs import StopError, assert_same_run, stop_after
from tools.trainer.training import TINY, make_folder

from pointmask_trainer.config import load_config
from pointmask_trainer.detectors.registry import build
from pointmask_trainer.errors import CheckpointError, ConfigError
from pointmask_trainer.foundation.dino import Dino, DinoShape
from pointmask_trainer.run.checkpoint import load_model
from pointmask_trainer.strategies.priors.images import statistics_of
from pointmask_trainer.strategies.priors.modulation import Modulator, modulating, tap_channels
from pointmask_trainer.strategies.priors.priors import balanced, distance, without_shared
from pointmask_trainer.training.train import Source, train

OPTIONS = ("clusters=3", "outer_every=2", "outer_steps=2", "easy=annotator", "easy_confidence=0.0", "every=1")


def write_teacher(path, seed):
    torch.manual_seed(seed)
    network = Dino(DinoShape(14, 64, 2, 1, 128, 0, 5, is_gated=False))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    save_file(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return write_teacher(tmp_path_factory.mktemp("teacher") / "dino.safetensors", 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"), 10)


def config_of(teacher, *settings):
    options = [f"strategy.options.{option}" for option in (*OPTIONS, f'weights="{teacher}"')]
    names = ("strategy.name=priors", "model.name=mlclnet_small", "epochs=3")
    return load_config(settings=[*TINY, *names, *options, *settings])


def source_of(folder):
    return Source(root=folder, points=folder / "points.csv")


def test_values_worked_by_hand():
    modulator = Modulator(2, 3, [1], 4)
    with torch.no_grad():
        modulator.map[2].bias.copy_(torch.tensor([1.0, 0.5]))
    ((factor, shift),) = modulator(torch.zeros(1, 2, 3))
    assert factor.item() == pytest.approx(1.761594, abs=1e-6)
    assert (1 + 0.12 * (factor.item() - 1)) * 2 + 0.12 * shift.item() == pytest.approx(2.242783, abs=1e-6)
    one, other = torch.full((1, 1, 2, 2), 4.0), torch.full((1, 1, 2, 2), -4.0)
    assert distance(one, other, 4.0).item() == pytest.approx(0.213552, abs=1e-6)
    assert balanced(torch.tensor([1.0, -1.0])).tolist() == pytest.approx([1.5510, 0.4490], abs=1e-4)
    alone = balanced(torch.tensor([100.0, *[0.0] * 15]))
    assert alone[:2].tolist() == pytest.approx([3.3684, 0.8421], abs=1e-4)
    assert balanced(torch.zeros(4)).tolist() == [1, 1, 1, 1]
    (direction,) = without_shared([torch.tensor([3.0, 1.0])], [torch.tensor([1.0, 1.0])])
    assert direction.tolist() == pytest.approx([1, -1])


def test_the_teacher_is_the_student_at_first_and_where_strength_is_0():
    torch.manual_seed(0)
    model = build("mlclnet_small").eval()
    channels = tap_channels(model)
    assert len(channels) == len(model.taps)
    modulator = Modulator(3, 8, channels, 16)
    images, states = torch.randn(2, 1, 48, 48), torch.randn(2, 3, 8)
    with torch.no_grad():
        plain = model(images)["logits"]
        with modulating(model, modulator(states), 0.55):
            assert torch.equal(model(images)["logits"], plain)
        torch.nn.init.normal_(modulator.map[2].weight)
        with modulating(model, modulator(states), 0.0):
            assert torch.equal(model(images)["logits"], plain)
        with modulating(model, modulator(states), 0.55):
            assert not torch.allclose(model(images)["logits"], plain)
        assert torch.equal(model(images)["logits"], plain)


def test_hooks_go_after_an_error_and_networks_without_taps_are_refused():
    model = build("mlclnet_small").eval()
    stages = Modulator(3, 8, tap_channels(model), 16)(torch.randn(1, 3, 8))
    with pytest.raises(ZeroDivisionError), modulating(model, stages, 0.5):
        raise ZeroDivisionError
    assert not any(module._forward_pre_hooks for module in model.modules())
    with pytest.raises(ConfigError, match="ACMUNet names none; set --model to alclnet"):
        tap_channels(build("acm_unet"))


def test_the_gate_is_drawn_to_zero_where_nothing_depends_on_it():
    modulator = Modulator(2, 3, [2], 4)  # its last layer is 0: no factor
    ((factor, shift),) = modulator(torch.randn(1, 2, 3))
    (factor.sum() + shift.sum() + 0.005 * modulator.gate.abs().mean()).backward()
    assert modulator.gate.grad.tolist() == pytest.approx([0.0025, 0.0025])


def test_statistics_are_finite_and_tell_frames_apart():
    rng = np.random.default_rng(0)
    flat, noisy = np.full((40, 50), 7, np.uint16), rng.normal(1000, 50, (40, 50))
    assert np.isfinite(statistics_of(flat)).all()
    assert np.isfinite(statistics_of(noisy)).all()
    assert not np.allclose(statistics_of(flat), statistics_of(noisy))


def test_a_resumed_run_ends_like_an_uninterrupted_one(folder, teacher, tmp_path):
    config = config_of(teacher, "strategy.options.hypergradient=gn")
    train(config, source_of(folder), tmp_path / "whole")
    for epochs in (1, 2):
        with pytest.raises(StopError):
            train(config, source_of(folder), tmp_path / "parts", resume=True, watcher=stop_after(epochs))
    train(config, source_of(folder), tmp_path / "parts", resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "parts")
    lines = journal_of(tmp_path / "whole")
    assert lines == journal_of(tmp_path / "parts")
    assert sum(lines[-1]["priors"]["layers"]) == pytest.approx(1)
    assert len(lines[-1]["priors"]["groups"]) == 2  # at most an eighth as many as images, at least two
    assert lines[-1]["priors"]["groups"] != [1.0, 1.0]
    assert all(math.isfinite(line["pool"]["easy"]) for line in lines)


def test_the_run_holds_the_plain_detector_alone(folder, teacher, tmp_path):
    train(config_of(teacher, "epochs=1"), source_of(folder), tmp_path / "run")
    model, _ = load_model(tmp_path / "run")
    assert model.state_dict().keys() == build("mlclnet_small").state_dict().keys()
    assert not any(module._forward_pre_hooks for module in model.modules())


@pytest.mark.slow
def test_its_onnx_is_byte_for_byte_that_of_the_plain_detector(folder, teacher, tmp_path):
    pytest.importorskip("onnx")
    from pointmask_trainer.inference.export import export_onnx

    train(config_of(teacher, "epochs=1"), source_of(folder), tmp_path / "run")
    model, card = load_model(tmp_path / "run")
    plain = build("mlclnet_small")
    plain.load_state_dict(model.state_dict())
    for name, network in (("priors", model), ("plain", plain.eval())):
        export_onnx(network, card, tmp_path / f"{name}.onnx")
    assert (tmp_path / "priors.onnx").read_bytes() == (tmp_path / "plain.onnx").read_bytes()


def test_another_teacher_does_not_go_on_and_none_says_where_to_find_one(folder, teacher, tmp_path):
    mine = tmp_path / "mine.safetensors"
    mine.write_bytes(teacher.read_bytes())
    with pytest.raises(StopError):
        train(config_of(mine), source_of(folder), tmp_path / "run", watcher=stop_after(1))
    write_teacher(mine, 1)
    with pytest.raises(CheckpointError, match="is not the file that the run began with"):
        train(config_of(mine), source_of(folder), tmp_path / "run", resume=True)
    with pytest.raises(ConfigError, match=r"dinov2_vits14_pretrain\.pth .*Apache-2\.0"):
        train(config_of(""), source_of(folder), tmp_path / "other")
    assert json.loads((tmp_path / "run" / "last" / "state.json").read_text())["epoch"] == 1
