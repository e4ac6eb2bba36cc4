"""Documents of a folder job: made from its own masks, made again, and never over what somebody changed."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from tools.folders import one, save, scenes, spot, tree
from tools.masks import files

from pointmask.cli import main
from pointmask.errors import BrokenOffError, OutputError, PointsError
from pointmask.folder.job import annotate_folder
from pointmask.folder.records.manifest import read_manifest
from pointmask.io import listed
from pointmask.io.formats import read_points, recognise
from pointmask.io.formats.registry import FORMATS, saved_as
from pointmask.io.formats.tables.csv import Csv
from pointmask.io.formats.tables.native import Native
from pointmask.io.formats.tools.coco import Coco
from pointmask.io.formats.tools.labelme import LabelMe
from pointmask.io.images.array import read, read_mask
from pointmask.io.layout import RESULTS
from pointmask.io.points.by_frame import points_by_frame
from pointmask.io.points.points import Points

DOCUMENTS = saved_as()
ALL = tuple(DOCUMENTS)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    folder = tmp_path_factory.mktemp("job")
    images, points = scenes(folder)
    points = Points({**points.by_image, "missing.png": one(), "00.png": ()})
    return images, points, annotate_folder(images, points, folder / "out", save=ALL), folder / "out"


def test_every_document_lies_where_help_says(job):
    _, _, summary, out = job
    assert recognise(out) == "native"
    assert [name for name in FORMATS if FORMATS.load(name).sniff(out)] == ["native"]
    assert summary.documents == {kind: out / name for kind, name in DOCUMENTS.items()}
    for kind in DOCUMENTS:
        assert recognise(out / DOCUMENTS[kind]) == kind
    help_text = " ".join(CliRunner().invoke(main, ["annotate", "--help"]).output.split())
    assert all(name in help_text for name in DOCUMENTS.values())
    known = f"choose among {','.join([*RESULTS, 'rle', *DOCUMENTS])}"
    refused = ["annotate", "images", "--points", "p", "--out", "o", "--save", "contour"]
    assert known in " ".join(CliRunner().invoke(main, refused).output.split())
    assert not [name for name in files(out) if ".tmp" in name]


@pytest.mark.parametrize("kind", ["coco", "cvat", "labelstudio", "labelme"])
def test_targets_are_those_of_the_job(job, kind):
    _, _, _, out = job

    def targets(images):
        return {i.key: [(t.point, t.patch) for t in i.targets] for i in images}

    found = targets(FORMATS.load(kind).read_masks(out / DOCUMENTS[kind], {}))
    assert found == targets(Native().read_masks(out, {}))
    assert len(found) == 12
    assert found["00.png"] == []


def test_training_folders_hold_images_and_masks(job):
    images, _, _, out = job
    done = [entry for entry in read_manifest(out) if entry["status"] == "done"]
    for entry in done:
        mask = read_mask(out / entry["mask"])
        np.testing.assert_array_equal(read_mask(out / "basicirstd" / "masks" / entry["image"]), mask)
        flat = entry["image"].replace("/", "_")
        np.testing.assert_array_equal(read_mask(out / "pal" / "origin" / "mask" / flat), mask)
        assert (out / "basicirstd" / "images" / entry["image"]).read_bytes() == (
            images / entry["image"]
        ).read_bytes()
        assert (out / "pal" / "origin" / "img" / flat).resolve() == (images / entry["image"]).resolve()
    listed = (out / "basicirstd" / "img_idx" / "train_basicirstd.txt").read_text().split()
    assert listed == [entry["image"].removesuffix(".png") for entry in done]


def test_labelme_leads_to_the_images(job):
    images, _, _, out = job
    for file in (out / "labelme").rglob("*.json"):
        path = json.loads(file.read_text())["imagePath"]
        assert (file.parent / path).resolve().is_relative_to(images.resolve())


def small(tmp_path, *names):
    for name in names:
        save(tmp_path / "images" / name, spot())
    return tmp_path / "images", Points({name: one() for name in names})


def test_running_again_gives_the_same_bytes_and_takes_new_images_up(tmp_path):
    images, points = small(tmp_path, "a.png")
    annotate_folder(images, points, tmp_path / "out", save=ALL)
    first = tree(tmp_path / "out")
    assert annotate_folder(images, points, tmp_path / "out", save=ALL).resumed == 1
    assert tree(tmp_path / "out") == first
    save(images / "b.png", spot(30, 10))
    both = Points({**points.by_image, "b.png": one(30, 10)})
    annotate_folder(images, both, tmp_path / "out", save=ALL)
    annotate_folder(images, both, tmp_path / "once", save=ALL)
    assert tree(tmp_path / "out") == tree(tmp_path / "once")


@pytest.mark.parametrize("kind", ["coco", "labelme", "basicirstd"])
def test_what_was_changed_is_not_replaced(tmp_path, kind):
    images, points = small(tmp_path, "a.png")
    out = tmp_path / "out"
    annotate_folder(images, points, out, save=(kind,))
    path = out / DOCUMENTS[kind]
    changed = (
        path
        if path.is_file()
        else next(file for file in path.rglob("*") if not file.is_dir() and not file.is_symlink())
    )
    changed.write_bytes(changed.read_bytes() + b" ")
    before = tree(out)
    with pytest.raises(OutputError, match="changed since"):
        annotate_folder(images, points, out, save=(kind,))
    assert tree(out) == before
    annotate_folder(images, points, out)  # other kinds are not asked
    annotate_folder(images, points, out, save=(kind,), overwrite=True)
    assert tree(out) != before
    annotate_folder(images, points, out, save=(kind,))


def test_what_others_put_there_is_not_replaced(tmp_path):
    images, points = small(tmp_path, "a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "coco.json").write_text("mine")
    with pytest.raises(OutputError, match="coco"):
        annotate_folder(images, points, tmp_path / "out", save=("coco",))
    assert files(tmp_path / "out") == ["coco.json"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_job_killed_while_putting_documents_goes_on(tmp_path, monkeypatch, moment):
    images, points = small(tmp_path, "a.png")
    annotate_folder(images, points, tmp_path / "out", save=("labelme",))
    save(images / "b.png", spot(30, 10))
    both = Points({**points.by_image, "b.png": one(30, 10)})
    real = listed.put_whole

    def killed(made, path):
        if moment == "after":
            real(made, path)
        raise KeyboardInterrupt

    monkeypatch.setattr(listed, "put_whole", killed)
    with pytest.raises(KeyboardInterrupt):
        annotate_folder(images, both, tmp_path / "out", save=("labelme",))
    monkeypatch.undo()
    (tmp_path / "out" / ".labelme.7.tmp").mkdir()  # as kill -9 leaves it
    annotate_folder(images, both, tmp_path / "out", save=("labelme",))
    annotate_folder(images, both, tmp_path / "once", save=("labelme",))
    assert tree(tmp_path / "out") == tree(tmp_path / "once")


def test_shards_write_documents_at_the_end(job, tmp_path):
    images, points, _, out = job
    parts = [
        annotate_folder(images, points, tmp_path / "out", save=("coco",), shard=(k, 3)) for k in (1, 2, 3)
    ]
    assert [part.documents for part in parts] == [{}, {}, {"coco": tmp_path / "out" / "coco.json"}]
    assert (tmp_path / "out" / "coco.json").read_bytes() == (out / "coco.json").read_bytes()


def test_without_png_too(job, tmp_path):
    images, points, _, out = job
    annotate_folder(images, points, tmp_path / "out", save=("coco", "labelme"), png=False)
    assert (tmp_path / "out" / "coco.json").read_bytes() == (out / "coco.json").read_bytes()
    assert list(Coco().read_masks(tmp_path / "out" / "coco.json", {}))
    assert list(LabelMe().read_masks(tmp_path / "out" / "labelme", {}))


def test_nothing_done_nothing_written(tmp_path):
    images, _ = small(tmp_path, "a.png")
    summary = annotate_folder(images, Points({"b.png": one()}), tmp_path / "out", save=("coco", "voc"))
    assert summary.documents == {}
    assert not (tmp_path / "out" / "coco.json").exists()


def test_a_full_disk_is_said_and_can_be_gone_on_from(tmp_path, monkeypatch):
    images, points = small(tmp_path, "a.png")

    def full(made, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(listed, "put_whole", full)
    with pytest.raises((BrokenOffError, OutputError), match="No space left"):
        annotate_folder(images, points, tmp_path / "out", save=("voc",))
    monkeypatch.undo()
    assert annotate_folder(images, points, tmp_path / "out", save=("voc",)).resumed == 1
    assert files(tmp_path / "out" / "voc") == ["a.xml"]


def test_the_command_says_where_they_lie(tmp_path):
    images, points = small(tmp_path, "a.png")
    Csv().write(points, tmp_path / "points.csv")
    out = tmp_path / "out"
    arguments = [
        "annotate",
        images,
        "--points",
        tmp_path / "points.csv",
        "--out",
        out,
        "--save",
        "coco,yolo-seg",
        "--no-png",
    ]
    result = CliRunner().invoke(main, [str(word) for word in arguments])
    assert result.exit_code == 0, result.output
    assert f"{out / 'coco.json'}" in result.output
    assert f"{out / 'yolo-seg'}" in result.output


@pytest.mark.parametrize("kind", [*DOCUMENTS, "native"])
def test_clicks_of_every_document_give_the_same_masks(job, tmp_path, kind):
    """What was written is what the next user may start from; boxes and polygons give their middle alone."""
    images, points, _, out = job
    path = out if kind == "native" else out / DOCUMENTS[kind]
    if kind == "basicirstd":  # holds no clicks
        with pytest.raises(PointsError, match="--simulate"):
            annotate_folder(images, path, tmp_path / "again")
        return
    flat = tmp_path / "flat"
    for name in points.by_image:
        if kind == "pal" and (images / name).exists():  # joins folders and names
            save(flat / name.replace("/", "_"), read(images / name))
    annotate_folder(flat if kind == "pal" else images, path, tmp_path / "again")
    again = {entry["image"]: entry for entry in read_manifest(tmp_path / "again")}
    for entry in read_manifest(out):
        if entry["status"] != "done":
            continue
        other = again[entry["image"].replace("/", "_") if kind == "pal" else entry["image"]]
        assert other["status"] == "done"
        assert len(other["targets"]) == len(entry["targets"])
        if kind not in ("yolo", "yolo-seg", "pal"):
            assert (tmp_path / "again" / other["mask"]).read_bytes() == (out / entry["mask"]).read_bytes()
            assert [target["point"] for target in other["targets"]] == [
                target["point"] for target in entry["targets"]
            ]


def test_frames_of_a_stack(tmp_path):
    (tmp_path / "images").mkdir()
    np.save(tmp_path / "images" / "s.npy", np.stack([spot(), spot(30, 10), spot(9, 9)]))
    points = Points({"s.npy": one(), "s.npy#2": one(9, 9)})
    out = tmp_path / "out"
    annotate_folder(tmp_path / "images", points, out, save=ALL)
    for kind in DOCUMENTS:
        if kind == "basicirstd":
            continue
        path = out / DOCUMENTS[kind]
        found = read_points(path, images=tmp_path / "images", format=kind)
        paired = points_by_frame(found, ["s.npy"]).points
        assert {key: len(listed) for key, listed in paired.items()} == {("s.npy", 0): 1, ("s.npy", 2): 1}, (
            kind
        )
    listed = (out / "basicirstd" / "img_idx" / "train_basicirstd.txt").read_text().split()
    assert listed == ["s", "s#2"]
    np.testing.assert_array_equal(read(out / "basicirstd" / "images" / "s#2.png"), spot(9, 9))


def test_a_training_folder_gets_a_share_of_test_images_and_a_name(job, tmp_path):
    images, points, _, _ = job
    Csv().write(points, tmp_path / "points.csv")
    words = ["annotate", images, "--points", tmp_path / "points.csv", "--out", tmp_path / "out"]

    def run(*options):
        return CliRunner().invoke(main, [str(word) for word in (*words, *options)])

    def listed(kind):
        return (tmp_path / f"out/basicirstd/img_idx/{kind}_mine.txt").read_text().split()

    done = run("--save", "basicirstd", "--test", "0.5", "--seed", "3", "--name", "mine")
    assert done.exit_code == 3, done.output  # one image is missing
    train, test = listed("train"), listed("test")
    assert train
    assert test
    assert not set(train) & set(test)
    read_points(tmp_path / "out/basicirstd/masks", simulate="centroid")
    for options in (("--test", "0.5"), ("--name", "mine"), ("--save", "pal", "--name", "mine")):
        refused = run(*options)
        assert refused.exit_code == 2
        assert "is for training folders; add --save basicirstd" in " ".join(refused.output.split())
    refused = run("--save", "basicirstd", "--name", "../mine")
    assert refused.exit_code == 2
    assert "is no name of a data set" in refused.output
