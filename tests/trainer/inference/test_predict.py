"""New images through a detector: what is found, from any source, after an interruption; what is refused."""

import csv
import io
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import tifffile
from click.testing import CliRunner
from PIL import Image

from pointmask.cli import main
from pointmask.errors import LockedError
from pointmask.folder.job import annotate_folder
from pointmask.io.formats import read_points
from pointmask.io.images.array import encode_png, read_mask
from pointmask.io.images.folder import FolderSource
from pointmask.io.images.open import open_source
from pointmask.io.points.points import Point, Points
from pointmask_trainer.config import ModelConfig
from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.detectors.registry import build
from pointmask_trainer.inference import predict as job
from pointmask_trainer.inference import predictions
from pointmask_trainer.inference.predictions import DetectedTarget, PredictionSettings, find_targets
from pointmask_trainer.inference.tiles import predict
from pointmask_trainer.run.checkpoint import ModelCard, load_model, save_model

SHAPES = [(40, 48), (40, 48), (33, 70)]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A network that has learnt nothing: it finds much, but always the same."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    card = ModelCard(ModelConfig(name="mlclnet_small"), Normalisation(120.0, 60.0), {})
    save_model(path, build("mlclnet_small"), card)
    return path


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    (folder / "sub").mkdir(parents=True)
    rng = np.random.default_rng(1)
    for name, shape in zip(("a.png", "b.png", "sub/c.png"), SHAPES, strict=True):
        (folder / name).write_bytes(encode_png(rng.integers(0, 256, shape, np.uint8)))
    return folder


def run(*arguments, code=0):
    done = CliRunner().invoke(main, ["predict", *map(str, arguments), "--device", "cpu"])
    assert done.exit_code == code, done.output
    return done.output


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_targets_worked_by_hand():
    probabilities = np.zeros((8, 9), np.float32)
    probabilities[1, 2:5] = (0.6, 0.9, 0.75)
    probabilities[2, 5] = 0.55  # a corner joins
    probabilities[6, 0] = 1.0
    found = find_targets(probabilities, probabilities > 0.5)
    assert found == [DetectedTarget(3.5, 1.25, 0.9, 0.7, 4), DetectedTarget(0.0, 6.0, 1.0, 1.0, 1)]
    assert find_targets(probabilities, probabilities > 1) == []


def test_masks_and_points_are_those_of_the_network(weights, images, tmp_path):
    out = tmp_path / "out"
    told = run(weights, images, "--out", out, "--soft")
    assert "images   3" in told
    assert set(files_of(out)) == {
        "points.csv",
        "predictions.jsonl",
        *(f"{kind}/{name}.png" for kind in ("masks", "soft") for name in ("a", "b", "sub/c")),
    }
    model, card = load_model(weights)
    rows = list(csv.DictReader(io.StringIO((out / "points.csv").read_text())))
    for name in ("a", "b", "sub/c"):
        image = np.array(Image.open(images / f"{name}.png"))
        expected = predict(model, torch.from_numpy(image)[None, None].float(), card.normalisation)[0].numpy()
        mask = read_mask(out / "masks" / f"{name}.png")
        assert np.array_equal(mask, expected > 0.5)
        soft = np.asarray(Image.open(out / "soft" / f"{name}.png"))
        assert np.abs(soft / 65535 - expected).max() <= 0.5 / 65535 + 1e-7
        own = [row for row in rows if row["image"] == f"{name}.png"]
        assert len(own) == len(find_targets(expected, mask)) > 0
        assert sum(int(row["area"]) for row in own) == mask.sum()
        assert all(0.5 < float(row["mean"]) <= float(row["score"]) <= 1 for row in own)
    assert len(read_points(out / "points.csv")) == len(rows)


def test_an_image_without_targets_is_named_without_a_point(weights, images, tmp_path):
    run(weights, images, "--out", tmp_path / "out", "--threshold", 1)
    points = read_points(tmp_path / "out" / "points.csv")
    assert len(points) == 0
    assert set(points.by_image) == {"a.png", "b.png", "sub/c.png"}


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_an_archive_gives_what_its_folder_gives(weights, images, tmp_path, kind):
    archive = tmp_path / f"images.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as file:
            for path in images.rglob("*.png"):
                file.write(path, path.relative_to(images))
    else:
        with tarfile.open(archive, "w:gz") as file:
            for path in sorted(images.rglob("*.png")):
                file.add(path, str(path.relative_to(images)))
    run(weights, images, "--out", tmp_path / "one")
    run(weights, archive, "--out", tmp_path / "two")
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")


def test_a_second_run_does_what_is_missing_or_has_changed(weights, images, tmp_path):
    out = tmp_path / "out"
    run(weights, images, "--out", out)
    before = files_of(out)
    (out / "masks" / "b.png").unlink()
    assert "3 (2 done before)" in run(weights, images, "--out", out)
    assert files_of(out) == before
    journal = out / "predictions.jsonl"
    journal.write_bytes(journal.read_bytes()[:-30])  # killed while a line was written
    (out / "points.csv").unlink()
    assert "3 (2 done before)" in run(weights, images, "--out", out)
    assert files_of(out) == before
    (images / "a.png").write_bytes(encode_png(np.full(SHAPES[0], 9, np.uint8)))
    assert "3 (2 done before)" in run(weights, images, "--out", out)
    after = files_of(out)
    assert after["masks/a.png"] != before["masks/a.png"]
    assert after["masks/b.png"] == before["masks/b.png"]
    assert "3 (3 done before)" in run(weights, images, "--out", out)


def test_equal_frames_together_give_the_same_targets(weights, images, tmp_path, monkeypatch):
    run(weights, images, "--out", tmp_path / "alone", "--soft")
    seen = []

    def batched(model, values, *arguments, **options):
        seen.append(len(values))
        return predict(model, values, *arguments, **options)

    monkeypatch.setattr(job, "_BATCH_PIXELS", {"cpu": 2 * 40 * 48})
    monkeypatch.setattr("pointmask_trainer.inference.tasks.masks.predict", batched)
    run(weights, images, "--out", tmp_path / "together", "--soft")
    assert seen == [2, 1]
    for name in ("a", "b", "sub/c"):
        one, two = (
            np.asarray(Image.open(tmp_path / out / "soft" / f"{name}.png")) for out in ("alone", "together")
        )
        assert np.abs(one.astype(int) - two).max() <= 2


def test_a_source_that_is_gone_ends_the_job(weights, images, tmp_path, monkeypatch):
    reading = FolderSource._read

    def gone(source, name):
        if name == "b.png":
            images.rename(tmp_path / "moved")
        return reading(source, name)

    monkeypatch.setattr(FolderSource, "_read", gone)
    assert "can no longer be reached" in run(weights, images, "--out", tmp_path / "out", code=1)
    monkeypatch.undo()
    (tmp_path / "moved").rename(images)
    assert "3 (1 done before)" in run(weights, images, "--out", tmp_path / "out")


def test_other_settings_and_other_peoples_files_are_left_alone(weights, images, tmp_path):
    out = tmp_path / "out"
    (out / "masks").mkdir(parents=True)
    (out / "masks" / "a.png").write_bytes(b"mine")
    told = run(weights, images, "--out", out, code=3)
    assert "masks/a.png exists" in told
    assert (out / "masks" / "a.png").read_bytes() == b"mine"
    assert "threshold 0.5, now 0.6" in run(weights, images, "--out", out, "--threshold", 0.6, code=2)
    assert "flips False, now True" in run(weights, images, "--out", out, "--flips", code=2)
    run(weights, images, "--out", out, "--threshold", 0.6, "--overwrite", code=3)
    assert (out / "masks" / "a.png").read_bytes() == b"mine"
    lines = [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]
    assert {line["made_with"]["threshold"] for line in lines} == {0.6}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "points.csv").write_text("image,x,y\n")
    for overwrite in ((), ("--overwrite",)):
        assert "is not of" in run(weights, images, "--out", tmp_path / "mine", *overwrite, code=2)
        assert (tmp_path / "mine" / "points.csv").read_text() == "image,x,y\n"
    (tmp_path / "mine" / "points.csv").unlink()
    (tmp_path / "mine" / "predictions.jsonl").write_text("no line of ours\n")
    assert "not written by pointmask" in run(weights, images, "--out", tmp_path / "mine", code=2)


def test_bad_images_are_skipped_and_listed(weights, images, tmp_path):
    (images / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    (images / "twice.bmp").write_bytes(b"BM")
    (images / "twice.png").write_bytes(b"BM")
    told = run(weights, images, "--out", tmp_path / "out", code=3)
    assert "Skipped (3)" in told
    assert "broken.png" in told
    assert "suffix" in told
    assert "images   3" in told


def test_stacks_lists_and_what_is_no_number(weights, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(2)
    stack = rng.normal(120, 60, (3, 20, 24)).astype(np.float32)
    stack[1, 4:9, 5] = np.nan
    tifffile.imwrite(folder / "run.tif", stack, photometric="minisblack")
    (folder / "other.png").write_bytes(encode_png(np.zeros((8, 8), np.uint8)))
    (tmp_path / "list.txt").write_text("run\n")
    run(weights, folder, "--out", tmp_path / "out", "--list", tmp_path / "list.txt")
    masks = sorted((tmp_path / "out" / "masks").iterdir())
    assert [path.name for path in masks] == [f"run_{k:04d}.png" for k in range(3)]
    assert read_mask(masks[1]).shape == (20, 24)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / "points.csv").read_text())))
    assert {row["frame"] for row in rows} == {"0", "1", "2"}
    assert all(np.isfinite(float(row["score"] or 0)) for row in rows)


def test_bad_arguments_are_explained(weights, images, tmp_path):
    out = ("--out", tmp_path / "out")
    assert "does not exist" in run(weights, tmp_path / "none", *out, code=2)
    assert "holds no image" in run(weights, weights.parent, *out, code=2)
    assert "is the input" in run(weights, images, "--out", images, code=2)
    assert "smaller" in run(weights, images, *out, "--tile", 32, "--overlap", 32, code=2)
    assert "holds no" in run(images, images, *out, code=2)
    assert not (tmp_path / "out").exists()


# Holds an output folder at its first image, until it is told to go on.
_JOB = """
import sys
from pointmask.io.images.folder import FolderSource
from pointmask.io.images.open import open_source
from pointmask.io.points.points import Point, Points
from pointmask.cli import main
from pointmask.errors import LockedError
from pointmask.folder.job import annotate_folder
reading = FolderSource._read
def wait(source, name):
    if name == "b.png":
        print("held", flush=True)
        sys.stdin.readline()
    return reading(source, name)
FolderSource._read = wait
main()
"""


def _started(*arguments):
    command = [sys.executable, "-c", _JOB, "predict", *map(str, arguments), "--device", "cpu"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_job_on_one_folder_is_refused_and_a_killed_one_stops_nobody(weights, images, tmp_path):
    run(weights, images, "--out", tmp_path / "alone")
    for killed in (False, True):
        out = tmp_path / f"out-{killed}"
        first = _started(weights, images, "--out", out)
        again = run(weights, images, "--out", out, "--overwrite", code=2)
        assert "another pointmask job is writing to" in again
        assert "wait for it to end, or choose another --out" in again
        if killed:
            first.kill()
        first.communicate("go\n")
        if killed:
            run(weights, images, "--out", out)
        else:
            assert first.returncode == 0
        assert files_of(out) == files_of(tmp_path / "alone")


def test_annotate_does_not_write_where_predict_does(weights, images, tmp_path):
    first = _started(weights, images, "--out", tmp_path / "out")
    with pytest.raises(LockedError):
        annotate_folder(images, Points({"a": (Point(5, 5),)}), tmp_path / "out")
    first.communicate("go\n")
    assert first.returncode == 0


def _lines(out):
    return (out / "predictions.jsonl").read_bytes().splitlines(keepends=True)


def test_a_job_begun_by_an_earlier_version_goes_on(weights, images, tmp_path):
    """It had no journal but the file itself, unsorted, perhaps with half a line at its end."""
    run(weights, images, "--out", tmp_path / "whole")
    whole = files_of(tmp_path / "whole")
    lines = _lines(tmp_path / "whole")
    for kept, rest in (([2], lines[0][:-1]), ([2, 0], b""), ([1, 1], lines[2][:9])):
        out = tmp_path / "out"
        shutil.copytree(tmp_path / "whole", out)
        (out / "points.csv").unlink()
        (out / "predictions.jsonl").write_bytes(b"".join(lines[k] for k in kept) + rest)
        for k in {0, 1, 2}.difference(kept):
            (out / "masks" / f"{('a', 'b', 'sub/c')[k]}.png").unlink()
        assert f"3 ({len(set(kept))} done before)" in run(weights, images, "--out", out)
        assert files_of(out) == whole
        shutil.rmtree(out)


def test_a_journal_cut_at_any_byte_goes_on(weights, images, tmp_path):
    run(weights, images, "--out", tmp_path / "whole")
    whole = files_of(tmp_path / "whole")
    journal = b"".join(_lines(tmp_path / "whole")[:2])
    braces = [k for k in range(len(journal)) if journal[k - 1 : k] in (b"}", b"\n")]
    model, card = load_model(weights)
    settings = PredictionSettings(**json.loads(journal.splitlines()[0])["made_with"])
    for cut in (0, *braces[-3:], len(journal) - 1):
        out = tmp_path / "out"
        shutil.copytree(tmp_path / "whole", out)
        (out / "points.csv").unlink()
        (out / "predictions.jsonl").unlink()
        (out / ".journal.jsonl").write_bytes(journal[:cut])
        (out / "masks" / ".pointmask-predict-0.tmp").write_bytes(b"half")  # as a kill leaves it
        summary = job.predict_source(model, card.normalisation, open_source(images), out, settings)
        assert summary.resumed == journal[:cut].count(b"\n")
        assert files_of(out) == whole
        shutil.rmtree(out)


@pytest.mark.parametrize("where", ["mask", "journal", "publish"])
def test_a_full_disk_breaks_off_and_the_job_goes_on(weights, images, tmp_path, monkeypatch, where):
    run(weights, images, "--out", tmp_path / "whole")

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        owner, name = {
            "mask": (job, "write_whole"),
            "journal": (predictions.FrameJournal, "add"),
            "publish": (predictions, "write_lines"),
        }[where]
        patch.setattr(owner, name, full)
        told = run(weights, images, "--out", tmp_path / "out", code=1)
    assert "No space left" in told
    assert "run the same command again (without --overwrite)" in told
    run(weights, images, "--out", tmp_path / "out")
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")
