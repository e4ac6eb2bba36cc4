"""What befell trainings in an attack, a test each: nothing of others is replaced, no data change unseen."""

import shutil

import numpy as np
import pytest
from tools.folders import tree

torch = pytest.importorskip("torch")

from PIL import Image
from tools.trainer.runs import StopError, stop_after
from tools.trainer.training import TINY, make_folder

from pointmask.errors import OutputError, ThetaError
from pointmask_trainer.config import load_config
from pointmask_trainer.data.split import Split, digest_of, load_split
from pointmask_trainer.errors import CheckpointError
from pointmask_trainer.strategies.registry import STRATEGIES
from pointmask_trainer.training.train import Source, train


@pytest.fixture(autouse=True)
def without_pictures(monkeypatch):
    from pointmask_trainer.analysis.follow import Follower

    monkeypatch.setattr(Follower, "_draw", lambda self: None)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"), 10)


@pytest.fixture
def folder(made, tmp_path):
    shutil.copytree(made, tmp_path / "data")
    return tmp_path / "data"


def config(*settings):
    return load_config(settings=[*TINY, "strategy.name=full", *settings])


def begun(folder, out):
    """A run that was broken off after its first epoch."""
    with pytest.raises(StopError):
        train(config(), Source(root=folder), out, watcher=stop_after(1))
    return tree(out)


def test_a_resume_with_other_images_is_refused_and_changes_nothing(folder, tmp_path):
    before = begun(folder, tmp_path / "run")
    for path in (folder / "images").iterdir():
        Image.fromarray(255 - np.asarray(Image.open(path))).save(path)
    with pytest.raises(CheckpointError, match="other labels, lists or images"):
        train(config(), Source(root=folder), tmp_path / "run", resume=True)
    assert tree(tmp_path / "run") == before


def test_a_resume_with_another_list_leaves_the_lists_of_the_run(folder, tmp_path):
    before = begun(folder, tmp_path / "run")
    with pytest.raises(CheckpointError):
        train(config(), Source(root=folder, include="scene_00[1-9]"), tmp_path / "run", resume=True)
    assert tree(tmp_path / "run") == before


def test_a_run_of_a_version_that_knew_no_images_goes_on(folder, tmp_path):
    import json

    begun(folder, tmp_path / "run")
    path = tmp_path / "run/last/state.json"
    state = json.loads(path.read_text())
    del state["image_digest"]
    path.write_text(json.dumps(state))
    assert train(config(), Source(root=folder), tmp_path / "run", resume=True)


@pytest.mark.parametrize("place", [".", "images", "masks"])
def test_data_are_no_place_for_a_run(folder, place):
    (folder / "train.txt").write_text("mine")
    before = tree(folder)
    with pytest.raises(OutputError, match="the input"):
        train(config(), Source(root=folder), folder / place)
    assert tree(folder) == before


@pytest.mark.parametrize("name", ["train.txt", "metrics.jsonl", "best/model.safetensors", ".last.old/x"])
def test_files_of_others_are_no_run(folder, tmp_path, name):
    path = tmp_path / "run" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    for resume in (False, True):
        with pytest.raises(CheckpointError, match="shows that a training wrote it"):
            train(config(), Source(root=folder), tmp_path / "run", resume=resume)
        assert tree(tmp_path / "run") == {name: b"mine"}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_pixel_that_is_no_number_stops_no_training(tmp_path, value):
    pixels = np.arange(12, dtype=np.float32).reshape(3, 4)
    pixels[1, 1] = value
    np.save(tmp_path / "a.npy", pixels)
    said = []
    split = load_split("train", ["a"], {"a": tmp_path / "a.npy"}, None, say=said.append)
    expected = np.arange(12, dtype=np.float32).reshape(3, 4)
    expected[1, 1] = np.median([0, 1, 2, 4, 6, 8, 9, 10])
    assert np.array_equal(split.images.stored(0), expected)
    assert len(said) == 1
    assert "no finite numbers" in said[0]


@pytest.mark.parametrize("name", ["d2d", "gsacp", "joint", "lesps", "pal", "spire", "masks"])
def test_a_theta_that_cannot_run_is_refused_before_the_first_image(folder, tmp_path, monkeypatch, name):
    uses = {other for other in STRATEGIES if hasattr(STRATEGIES.load(other).Options, "annotator")}
    assert uses == {
        "d2d",
        "gsacp",
        "joint",
        "lesps",
        "pal",
        "priors",
        "spire",
    }  # priors is pal with weights from elsewhere

    def broken(*arguments, **options):
        raise RuntimeError("no matching function")

    monkeypatch.setattr("pointmask.annotator.proof.annotate", broken)
    network = "contrast_points" if name == "spire" else "acm_unet"
    settings = load_config(
        settings=[*TINY, f"model.name={network}", f"strategy.name={name}", "masks.theta=paper"]
    )
    with pytest.raises(ThetaError, match="theta cannot run"):
        train(settings, Source(root=folder, masks=folder / "masks"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_digest_follows_every_pixel_and_name(tmp_path):
    images = np.zeros((2, 4, 5), np.uint8)

    def digest(ids=("a", "b")):
        for name, image in zip(ids, images, strict=True):
            np.save(tmp_path / f"{name}.npy", image)
        files = {name: tmp_path / f"{name}.npy" for name in ids}
        split: Split = load_split("train", list(ids), files, None)
        return digest_of([split])

    seen = {digest(), digest(("a", "c")), digest(("b", "a"))}
    images[1, 3, 4] = 1
    seen.add(digest())
    assert len(seen) == 4
    assert digest() in seen


def test_a_file_of_the_users_stays_in_last(folder, tmp_path):
    begun(folder, tmp_path / "run")
    run = tmp_path / "run"
    (run / "last/notes.txt").write_text("mine")
    (run / ".last.old").mkdir()  # as a kill leaves it, with another file of the user's
    (run / ".last.old/model.safetensors").write_text("old")
    (run / ".last.old/thesis.txt").write_text("mine, too")
    train(config(), Source(root=folder), run, resume=True)
    assert (run / "last/notes.txt").read_text() == "mine"
    assert (run / "last/thesis.txt").read_text() == "mine, too"
    assert not (run / ".last.old").exists()


def test_a_kill_after_the_last_checkpoint_leaves_nothing(folder, tmp_path):
    run = tmp_path / "run"
    train(config("epochs=1"), Source(root=folder), run)
    whole = tree(run)
    shutil.copytree(run / "last", run / ".last.old")
    train(config("epochs=1"), Source(root=folder), run, resume=True)
    assert tree(run) == whole


def test_best_weights_that_are_gone(folder, tmp_path):
    run = tmp_path / "run"
    begun(folder, run)
    shutil.rmtree(run / "best")
    best = train(config(), Source(root=folder), run, resume=True)
    assert (best["epoch"], (run / "best/model.safetensors").exists()) == (2, True)
    shutil.rmtree(run / "best")
    with pytest.raises(CheckpointError, match=r"best.model\.safetensors is gone.*at its end"):
        train(config(), Source(root=folder), run, resume=True)


@pytest.mark.parametrize("name", ["last", "report.html", "metrics.jsonl", "best"])
def test_what_no_epoch_could_replace_is_refused_before_the_first(folder, tmp_path, name):
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    begun(folder, run)
    if name == "best":  # a link to a folder on another disk is well
        shutil.rmtree(run / name)
        (run / name).write_text("mine")
    else:
        (run / name).rename(elsewhere)
        (run / name).symlink_to(elsewhere)
    before = tree(tmp_path)
    with pytest.raises(OutputError, match=r"is a (link|file)"):
        train(config(), Source(root=folder), run, resume=True)
    assert tree(tmp_path) == before
