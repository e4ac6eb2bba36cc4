"""After each command the next one: named with the user's own places, and executed here."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from tools.docs.advised import advised, execute
from tools.folders import other_modes

from pointmask.advice import shortest, unused

NOT_KNOWN = {"IMAGES", "POINTS", "DATA", "MASKS", "OUT", "FILE"}


@pytest.fixture(scope="module")
def base(tmp_path_factory, fewer_rights):
    """Scenes, and two people's masks of them."""
    base = tmp_path_factory.mktemp("next")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(base)
        execute(["demo", "frames", "--scenes", "6"])
        for name in ("labels", "mine", "theirs"):
            shutil.copy("frames/points.csv", f"{name}.csv")
            execute(["annotate", "frames/images", "--points", f"{name}.csv", "--out", name])
            execute(["click", "frames/images", "--review", name, "--out", name, "--publish"])
    return base


CALLS = {
    "demo made --scenes 2": ["check", "annotate"],
    "check frames/images": ["propose", "click"],
    "check frames/images --masks frames/masks": ["annotate"],
    "check frames/images --points frames/points.csv": ["annotate"],
    "check frames/images --points frames/points.csv --fix corrected": ["annotate"],
    "annotate frames/images --points frames/points.csv --out labels": ["click", "train"],
    "annotate frames/images --points frames/points.csv --out all --report --timings "
    "--save mask,soft,instance,overlay,rle,coco,labelme,basicirstd": ["click", "train"],
    "propose frames/images --out found.csv": ["click"],
    "convert labels coco.json --to coco": ["check"],
    "convert labels other.json --to coco --images frames/images": ["check"],
    "convert labels training --to basicirstd --images frames/images": ["train"],
    "merge mine theirs --out merged": ["click", "train"],
    "agree mine theirs": ["merge"],
    "score labels --truth frames/masks": ["score"],
    "score labels --truth frames/masks --images frames/images": ["click"],
    "score frames/masks --truth frames/masks --images frames/images --missing-empty": ["check"],
    "bench frames/images --masks frames/masks --points frames/points.csv --methods ours": ["annotate"],
}


@pytest.mark.parametrize("call", CALLS)
def test_the_next_commands_name_the_places_of_the_call_and_work(
    base, tmp_path, monkeypatch, call, fewer_rights
):
    work = tmp_path / "work"
    shutil.copytree(base, work)
    monkeypatch.chdir(work)
    (work / "run").mkdir()  # advice of a place that is taken would be refused
    (work / "detections").mkdir()
    following = advised(execute(call.split(), codes=(0, 3)))
    assert [words[0] for words in following] == CALLS[call]
    for words in following:
        assert not NOT_KNOWN.intersection(words)
        if words[0] == "train":
            pytest.importorskip("torch")
            words += ["--dry-run", "--preset", "none", "--model", "acm_unet"]  # a training takes minutes
        if words[0] == "click":
            words += [] if "--read-only" in words else ["--publish"]  # a page would wait for its reader
        execute(words, codes=(0, 3) if words[0] in ("check", "score") else (0,))
    assert not other_modes(work, fewer_rights)


def test_problems_are_first_mended(base, tmp_path, monkeypatch):
    shutil.copytree(base / "frames", tmp_path / "frames")
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "frames/points.csv").open("a") as file:
        file.write("gone.png,3,3\n")
    call = ["check", "frames/images", "--points", "frames/points.csv", "--masks", "frames/masks"]
    (fix,) = advised(execute(call, codes=(3,)))
    assert fix == [*call, "--fix", "corrected"]
    (after,) = advised(execute(fix, codes=(3,)))
    assert after[:2] == ["annotate", "corrected/images"]
    execute(after)


def test_images_of_an_archive_are_unpacked_for_a_training(base, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.make_archive("frames", "zip", base / "frames/images")
    call = ["annotate", "frames.zip", "--points", str(base / "frames/points.csv"), "--out", "labels"]
    _, convert = advised(execute(call))
    assert convert[0] == "convert"
    (train,) = advised(execute(convert))
    assert train == ["train", "training", "--strategy", "full", "--out", "run"]


@pytest.mark.parametrize(("last", "follows"), [(0, "train"), (1, "convert")])
def test_frames_of_a_stack_are_unpacked_for_a_training(tmp_path, monkeypatch, last, follows):
    monkeypatch.chdir(tmp_path)
    frames = np.random.default_rng(0).normal(100, 2, (2, 32, 32)).astype(np.float32)
    frames[:, 10:13, 20:23] += 90
    Path("stack").mkdir()
    np.save("stack/flight.npy", frames)
    rows = "".join(f"flight.npy,21,11,{frame}\n" for frame in range(last + 1))
    Path("points.csv").write_text("image,x,y,frame\n" + rows)
    (_, line) = advised(execute(["annotate", "stack", "--points", "points.csv", "--out", "labels"]))
    assert line[0] == follows


def test_the_demo_names_the_click_page_and_scenes_to_work_with(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pointmask.cli.demo._program", lambda: "pointmask")
    click, demo = advised(execute(["demo"]))
    execute([*click, "--publish"])
    execute(demo)
    assert demo == ["demo", "frames", "--scenes", "60"]


def test_an_advised_place_is_new(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(unused("run.toml")) == "run.toml"
    for name in ("run.toml", "run-2.toml"):
        (tmp_path / name).touch()
    assert str(unused("run.toml")) == "run-3.toml"
    assert str(shortest(tmp_path / "a/b")) == "a/b"
    assert shortest(tmp_path.parent) == tmp_path.parent
