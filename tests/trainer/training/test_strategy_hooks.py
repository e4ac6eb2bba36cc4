"""What the loop lets a strategy do, each hook with a strategy that uses it and nothing else."""

import ctypes
import signal
from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tools.trainer.d2d import make_loop
from tools.trainer.training import TINY, make_folder

from pointmask_trainer.config import load_config
from pointmask_trainer.errors import TrainingError
from pointmask_trainer.run.source import Source
from pointmask_trainer.strategies.base import NoOptions, Strategy
from pointmask_trainer.strategies.static.full import Full
from pointmask_trainer.training.train import Watcher, train


class Plain(Strategy):
    """Labels are those that the loop has already."""

    def __init__(self):
        super().__init__(NoOptions())

    def prepare(self, folder):
        return {}


def weights_after(strategy, *, epochs=1, **changes):
    loop = make_loop(strategy=strategy, **changes)
    for _ in range(epochs):
        loop.train_epoch()
    return {name: value.clone() for name, value in loop.model.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


class Chooses(Plain):
    """Draws from some images, and notes which were seen in which epoch."""

    def __init__(self, chosen):
        super().__init__()
        self.chosen, self.seen, self.steps = chosen, [], []

    def active(self, training):
        return self.chosen

    def after_step(self, training, batch, maps, losses):
        self.seen += batch.indices.tolist()
        self.steps.append((training.step, training.steps_per_epoch))


def test_an_epoch_draws_from_the_active_images_alone():
    strategy = Chooses([1, 4, 5, 9, 11, 12, 13, 14, 15])
    loop = make_loop(strategy=strategy, settings=["batch=4"])
    loop.train_epoch()
    assert len(strategy.seen) == len(set(strategy.seen)) == 8
    assert set(strategy.seen) < set(strategy.chosen)
    assert strategy.steps == [(0, 2), (1, 2)]


def test_fewer_active_images_than_a_batch_are_one_batch():
    strategy = Chooses([2, 7])
    make_loop(strategy=strategy).train_epoch()
    assert sorted(strategy.seen) == [2, 7]
    assert strategy.steps == [(0, 1)]


def test_all_images_named_one_by_one_are_all_images():
    assert same(weights_after(Plain(), epochs=2), weights_after(Chooses(list(range(16))), epochs=2))


def test_no_active_image_is_an_error_before_the_first_step():
    loop = make_loop(strategy=Chooses([]))
    before = [value.clone() for value in loop.model.parameters()]
    with pytest.raises(TrainingError, match="no image of the train list for epoch 1"):
        loop.train_epoch()
    assert all(map(torch.equal, before, loop.model.parameters()))


def test_the_order_depends_on_the_epoch_and_the_seed_alone():
    one, other = Chooses(np.arange(16)[::2].tolist()), Chooses(np.arange(16)[::2].tolist())
    for strategy in (one, other):
        loop = make_loop(strategy=strategy)
        loop.train_epoch()
        loop.train_epoch()
    assert one.seen == other.seen
    assert one.seen[:8] != one.seen[8:]


class Scales(Plain):
    """Learns one factor of the loss beside the detector."""

    def start(self, training):
        self.factor = torch.nn.Parameter(torch.tensor(2.0))

    def parameters(self):
        return (self.factor,)

    def weights(self, training, batch, maps, losses):
        return self.factor.expand(len(losses))


def test_parameters_of_a_strategy_are_learned_without_decay():
    strategy = Scales()
    loop = make_loop(strategy=strategy, settings=["optim.weight_decay=0.5"])
    assert [group["weight_decay"] for group in loop.optimiser.param_groups] == [0.5, 0.0]
    loop.train_epoch()
    assert 1.9 < float(strategy.factor.detach()) < 2.0  # Adam steps towards a smaller loss
    states = loop.optimiser.state_dict()["state"]
    assert len(states) == len(list(loop.model.parameters())) + 1


def test_parameters_of_a_strategy_are_clipped_with_the_detectors():
    strategy = Scales()
    loop = make_loop(strategy=strategy, settings=["optim.clip=1e-3"])
    loop.train_epoch()
    gradients = [strategy.factor.grad, *(parameter.grad for parameter in loop.model.parameters())]
    norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
    assert float(norm) == pytest.approx(1e-3, rel=1e-2)


def test_without_parameters_there_is_one_group():
    assert len(make_loop(strategy=Plain()).optimiser.param_groups) == 1


class Doubles(Plain):
    """Trains on doubled images, and on doubled logits."""

    def forward(self, training, batch):
        maps = training.forward(2 * batch.images)
        return {"logits": 2 * maps["logits"], "aux": maps["aux"]}


def test_a_strategy_can_run_the_detector_in_its_own_way():
    strategy = Doubles()
    loop = make_loop(strategy=strategy)
    loop.model.eval()  # without dropout
    batch = loop.batch("train", torch.arange(4), (0, 0))
    _, maps = loop.losses(batch)
    assert torch.equal(maps["logits"], 2 * loop.model(2 * batch.images)["logits"])
    assert not same(weights_after(Plain()), weights_after(Doubles()))


def test_a_strategy_is_told_that_a_training_was_broken_off(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(Full, "close", lambda self: told.append(self))

    def stop(metrics):
        raise KeyboardInterrupt

    config = load_config(settings=[*TINY, "strategy.name=full"])
    folder = Source(root=make_folder(tmp_path / "data", 8, side=32))
    with pytest.raises(KeyboardInterrupt):
        train(config, folder, tmp_path / "run", watcher=Watcher(epoch=stop))
    assert len(told) == 1


def test_a_signal_ends_the_backward_pass_before_its_end(monkeypatch):
    """It comes as the pass begins, from C, where Python cannot see it before it runs again."""
    loop = make_loop()
    send = ctypes.CDLL(None)["raise"]
    send.restype = None

    def losses(batch, losses=loop.losses):
        of_images, maps = losses(batch)
        of_images.register_hook(partial(next, map(send, [signal.SIGINT])))
        return of_images, maps

    monkeypatch.setattr(loop, "losses", losses)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            loop.train_epoch()
    finally:
        signal.signal(signal.SIGINT, before)
    assert any(parameter.grad is None for parameter in loop.model.parameters())
