"""The folder job: what it writes."""

import json

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from PIL import Image
from tools.folders import SIZE, one, save, scenes, spot, tree

import pointmask
from pointmask import annotate
from pointmask.cli import main
from pointmask.folder.job import annotate_folder
from pointmask.folder.records.manifest import read_manifest
from pointmask.io.images import array as images
from pointmask.io.images.open import open_source
from pointmask.io.points.points import Point, Points

folder = pytest.fixture(scenes)


def test_masks_are_those_of_annotate(folder, tmp_path):
    source, points = folder
    summary = annotate_folder(source, points, tmp_path / "out", polarity="bright")
    assert summary.done == summary.images == 12
    assert summary.targets == len(points)
    for name, listed in points:
        expected = annotate(images.read(source / name), [(p.row, p.col) for p in listed]).mask
        written = np.asarray(Image.open(tmp_path / "out/masks" / name))
        assert written.dtype == np.uint8
        assert np.array_equal(written, expected * np.uint8(255))


def test_manifest_tells_all_and_is_sorted(folder, tmp_path):
    source, points = folder
    annotate_folder(source, points, tmp_path / "out")
    entries = list(read_manifest(tmp_path / "out"))
    assert [entry["image"] for entry in entries] == sorted(points.by_image)
    entry = entries[0]
    image = images.read(source / "00.png")
    target = annotate(image, [(p.row, p.col) for p in points.by_image["00.png"]]).targets[0]
    first = points.by_image["00.png"][0]
    assert entry["targets"][0] == {
        "point": [first.row, first.col],
        "label": None,
        "area": target.area,
        "box": list(target.box),
        "confidence": round(target.confidence, 4),
        "flags": list(target.flags),
    }
    del entry["targets"]
    assert entry == {
        "image": "00.png",
        "frame": 0,
        "status": "done",
        "shape": [64, 64],
        "content": open_source(source).open("00.png").content,
        "theta": pointmask.Theta.load("default").digest,
        "version": pointmask.__version__,
        "polarity": "bright",
        "size_prior": "none",
        "mask": "masks/00.png",
    }


def test_theta_file_gives_back_the_theta(folder, tmp_path):
    source, points = folder
    annotate_folder(source, points, tmp_path / "out")
    assert (
        pointmask.Theta.load(str(tmp_path / "out/theta.toml")).digest
        == pointmask.Theta.load("default").digest
    )


def test_soft_instance_and_overlay(tmp_path):
    save(tmp_path / "images/a.png", np.maximum(spot(12, 12), spot(34, 36)))
    points = Points({"a.png": (Point(12, 12), Point(34, 36))})
    annotate_folder(tmp_path / "images", points, tmp_path / "out", save=("soft", "instance", "overlay"))
    expected = annotate(images.read(tmp_path / "images/a.png"), [(12, 12), (34, 36)])
    soft = images.read(tmp_path / "out/soft/a.png")
    assert soft.dtype == np.uint16
    assert np.array_equal(soft, np.rint(expected.soft * 65535).astype(np.uint16))
    assert np.array_equal(images.read(tmp_path / "out/instances/a.png"), expected.instances)
    assert expected.instances.max() == 2
    with Image.open(tmp_path / "out/overlays/a.png") as overlay:
        assert overlay.mode == "RGB"
        assert overlay.width % SIZE == 0
    assert (tmp_path / "out/masks/a.png").exists()  # the mask is always written


def test_frames_of_a_multi_page_file_are_numbered(tmp_path):
    (tmp_path / "images").mkdir()
    stack = np.stack([spot(20, 10 + 5 * k) for k in range(5)])
    tifffile.imwrite(tmp_path / "images/seq.tif", stack, photometric="minisblack")
    points = Points({"seq.tif#1": one(20, 15), "seq.tif#4": one(20, 30)})
    summary = annotate_folder(tmp_path / "images", points, tmp_path / "out")
    assert list(tree(tmp_path / "out/masks")) == ["seq_0001.png", "seq_0004.png"]
    assert summary.without_points == ["seq.tif#0", "seq.tif#2", "seq.tif#3"]
    assert [entry["frame"] for entry in read_manifest(tmp_path / "out")] == [1, 4]
    assert images.read_mask(tmp_path / "out/masks/seq_0004.png")[20, 30]


def test_a_frame_never_takes_the_mask_of_an_image_named_like_it(tmp_path):
    save(tmp_path / "images/seq_0001.png", spot())
    tifffile.imwrite(tmp_path / "images/seq.tif", np.stack([spot(), spot()]), photometric="minisblack")
    points = Points({"seq.tif#0": one(), "seq.tif#1": one(), "seq_0001.png": one()})
    summary = annotate_folder(tmp_path / "images", points, tmp_path / "out")
    assert summary.done == 2
    assert [name for name, _ in summary.skipped] == ["seq.tif#1"]


def test_empty_list_and_empty_masks_option(tmp_path):
    for name in ("a.png", "b.png", "c.png"):
        save(tmp_path / "images" / name, spot())
    points = Points({"a.png": one(), "b.png": ()})
    summary = annotate_folder(tmp_path / "images", points, tmp_path / "out")
    assert (summary.done, summary.without_points) == (2, ["c.png"])
    assert not images.read_mask(tmp_path / "out/masks/b.png").any()
    assert not (tmp_path / "out/masks/c.png").exists()
    summary = annotate_folder(tmp_path / "images", points, tmp_path / "out", empty_masks=True)
    assert (summary.done, summary.resumed, summary.without_points) == (1, 2, [])
    assert not images.read_mask(tmp_path / "out/masks/c.png").any()


def test_empty_masks_cover_all_frames(tmp_path):
    (tmp_path / "images").mkdir()
    np.save(tmp_path / "images/seq.npy", np.stack([spot(), spot()]))
    annotate_folder(tmp_path / "images", Points({"seq.npy#1": one()}), tmp_path / "out", empty_masks=True)
    masks = [images.read_mask(tmp_path / f"out/masks/seq_000{k}.png") for k in range(2)]
    assert [mask.any() for mask in masks] == [False, True]


def test_timings_and_report_on_request(folder, tmp_path):
    source, points = folder
    summary = annotate_folder(source, points, tmp_path / "out", timings=True, report=True)
    lines = [json.loads(line) for line in (tmp_path / "out/timings.jsonl").read_text().splitlines()]
    assert {line["image"] for line in lines} == {name for name, listed in points if listed}
    assert all(line["ms_per_target"] > 0 for line in lines)
    assert summary.report == tmp_path / "out/report.html"
    assert "<html" in summary.report.read_text()


def noisy_frame(seed):
    rows, cols = np.indices((64, 72))
    spot = 90 * np.exp(-((rows - 30) ** 2 + (cols - 40) ** 2) / 4)
    return np.rint(np.random.default_rng(seed).normal(80, 3, (64, 72)) + spot).astype(np.uint8)


def run_annotate(folder, frames, *options):
    (folder / "images").mkdir(parents=True)
    for name, pixels in frames.items():
        (folder / "images" / name).write_bytes(images.encode_png(pixels))
    (folder / "points.csv").write_text("image,x,y\n" + "".join(f"{name},40,30\n" for name in frames))
    command = ["annotate", folder / "images", "--points", folder / "points.csv", "--out", folder / "out"]
    result = CliRunner().invoke(main, [str(part) for part in (*command, *options)])
    assert result.exit_code == 0, result.output
    lines = (folder / "out" / "manifest.jsonl").read_text().splitlines()
    return result, {entry["image"]: entry for entry in map(json.loads, lines)}


def test_margins_are_told_in_the_manifest_and_in_one_line(tmp_path):
    frames = {f"{k}.png": noisy_frame(k) for k in range(3)}
    height, width = frames["1.png"].shape
    frames["1.png"] = np.pad(frames["1.png"], ((9, 0), (7, 3)))
    told, entries = run_annotate(tmp_path, frames)
    assert {name: entry.get("live") for name, entry in entries.items()} == {
        "0.png": None,
        "1.png": [9, 7, 9 + height, 7 + width],
        "2.png": None,
    }
    said = "Note: margins of one value, such as letterbox bars, were treated as outside of the image (1.png)"
    assert said in told.stderr.splitlines()


def test_replaced_pixels_are_counted_in_the_manifest_and_in_one_line(tmp_path):
    clean = {f"{k}.png": noisy_frame(k) for k in range(3)}
    bad = {name: pixels.copy() for name, pixels in clean.items()}
    bad["0.png"][30, 40] = bad["0.png"][10, 10] = 0
    bad["2.png"][31, 41] = 0
    plain, entries = run_annotate(tmp_path / "clean", clean)
    assert not any("replaced_pixels" in entry for entry in entries.values())
    assert "hot or stuck" not in plain.stderr
    for threads in (1, 2):
        told, entries = run_annotate(tmp_path / f"bad{threads}", bad, "--threads", threads)
        counts = {name: entry.get("replaced_pixels") for name, entry in entries.items()}
        assert counts == {"0.png": 2, "1.png": None, "2.png": 1}
        lines = [line for line in told.stderr.splitlines() if "hot or stuck" in line]
        assert len(lines) == 1
        assert "3 dead, hot or stuck pixels in 2 frames" in lines[0]
        assert any(
            example in lines[0] for example in ("0.png: row 10, column 10", "2.png: row 31, column 41")
        )
        for name in clean:
            masks = [
                images.read_mask(tmp_path / kind / "out" / "masks" / name)
                for kind in ("clean", f"bad{threads}")
            ]
            assert (masks[0] & masks[1]).sum() > 0.8 * (masks[0] | masks[1]).sum()
