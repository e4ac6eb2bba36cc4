"""Lists of ids reach `train`, `evaluate`, `predict` and `select` whatever their encoding."""

import json
import shutil

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from tools.lists import ENCODINGS, write_list
from tools.trainer.training import TINY, make_folder

from pointmask.cli import main

SETTINGS = ["--preset", "none", *(word for s in (*TINY, "epochs=1") for word in ("--set", s))]


def run(*arguments, code=0):
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("lists") / "data", 8)


@pytest.fixture(scope="module")
def trained(folder):
    """A run over six images, validated on two."""
    out = folder.parent / "run"
    run("train", folder, "--strategy", "point", *SETTINGS, "--out", out)
    return out


def ids_in(path):
    return path.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("way", ["--train-list", "img_idx"])
def test_train(folder, tmp_path, way, encoding):
    ids = [["/scene_003.png", "scene_001", "scene_006", "scene_000.bmp"], ["scene_005", "images\\scene_002"]]
    data, options = folder, ()
    if way == "img_idx":
        data = tmp_path / "data"
        shutil.copytree(folder, data)
        shutil.rmtree(data / "img_idx")
        for name, listed in zip(("train", "val"), ids, strict=True):
            write_list(data / "img_idx" / f"{name}_data.txt", listed, encoding)
    else:
        for name, listed in zip(("train", "val"), ids, strict=True):
            options += (f"--{name}-list", write_list(tmp_path / f"{name}.txt", listed, encoding))
    run("train", data, "--strategy", "point", *SETTINGS, *options, "--out", tmp_path / "run")
    assert ids_in(tmp_path / "run" / "train.txt") == ["scene_003", "scene_001", "scene_006", "scene_000"]
    assert ids_in(tmp_path / "run" / "val.txt") == ["scene_005", "scene_002"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_evaluate(folder, trained, tmp_path, encoding):
    listed = write_list(tmp_path / "mine.txt", ["scene_004.png", "/scene_001"], encoding)
    run("evaluate", trained, folder, "--list", listed, "--out", tmp_path / "out", "--device", "cpu")
    found = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert found["all"]["images"] == 2


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_predict(folder, trained, tmp_path, encoding):
    listed = write_list(tmp_path / "mine.txt", ["scene_004.png", "/scene_001", "scene_001"], encoding)
    images, out = folder / "images", tmp_path / "out"
    run("predict", trained, images, "--list", listed, "--out", out, "--device", "cpu", "--threshold", 1)
    assert sorted(path.name for path in (out / "masks").iterdir()) == ["scene_001.png", "scene_004.png"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_select(trained, tmp_path, encoding):
    ids = ids_in(trained / "train.txt")
    run("select", trained, "--keep", 3, "--by", "random", "--out", tmp_path / "as written")
    copied = shutil.copytree(trained, tmp_path / "run")
    write_list(copied / "train.txt", ids, encoding)
    run("select", copied, "--keep", 3, "--by", "random", "--out", tmp_path / "as saved again")
    for path in (tmp_path / "as written").glob("*.txt"):
        assert (tmp_path / "as saved again" / path.name).read_bytes() == path.read_bytes()
        assert set(ids_in(path)) < set(ids)


@pytest.mark.parametrize("data", [b"scene_000\xff\n", b"\xff\xfea"])
def test_what_is_no_text_is_named(folder, trained, tmp_path, data):
    listed = tmp_path / "list.txt"
    listed.write_bytes(data)
    out = ("--out", tmp_path / "out")
    copied = shutil.copytree(trained, tmp_path / "run")
    shutil.copy(listed, copied / "train.txt")
    for arguments, name in [
        (("train", folder, "--strategy", "point", "--train-list", listed, *out), "list.txt"),
        (("evaluate", trained, folder, "--list", listed, *out), "list.txt"),
        (("predict", trained, folder / "images", "--list", listed, *out), "list.txt"),
        (("select", copied, "--keep", 3, "--by", "random"), "train.txt"),
    ]:
        told = " ".join(run(*arguments, code=2).split())
        assert f"{name} is no text in UTF-8 or UTF-16 (byte " in told
        assert "one image id per line" in told
