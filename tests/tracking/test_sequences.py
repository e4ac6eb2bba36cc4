"""From one click per sequence to points on its frames: which frames, which points, which flags."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from tools.folders import save, tree

from pointmask.cli import main
from pointmask.folder.records.manifest import read_manifest
from pointmask.io.formats import read_points
from pointmask.io.images.open import open_source
from pointmask.io.points.names import natural_key
from pointmask.io.points.points import Point, Points
from pointmask.synth.sequence import Mover, make_sequence
from pointmask.tracking.sequences import carry
from pointmask.tracking.sightings import sightings_text

GONE = 7  # frame from which the second target of `moving` is not to be seen


def moving(seed=0, count=12):
    movers = [
        Mover(start=(20, 20), velocity=(0.4, 1.8), size=3, snr=10),
        Mover(start=(70, 24), velocity=(-0.8, 1.0), size=4, shape="ellipse", snr=10, hidden=((GONE, 99),)),
    ]
    return make_sequence("sky", movers, count=count, shape=(96, 96), seed=seed)


def first_points(scene, label=None, frame=0):
    return tuple(Point(round(row), round(col), label) for row, col in scene.paths[:, frame].tolist())


def write(folder, scene, start=0):
    for k, frame in enumerate(scene.frames, start):
        save(folder / f"f{k}.png", frame)


def run(images, points):
    source = open_source(images)
    return carry(points, source, source.names())


def test_points_follow_their_targets_until_these_are_lost(tmp_path):
    scene = moving()
    write(tmp_path / "seq", scene)
    carried = run(tmp_path, Points({"seq/f0.png": first_points(scene, "boat")}))
    assert list(carried.points.by_image) == [f"seq/f{k}.png" for k in range(12)]
    for k in range(12):
        points = carried.points.by_image[f"seq/f{k}.png"]
        assert len(points) == (2 if k < GONE else 1)
        for point, place in zip(points, scene.paths[:, k], strict=False):
            assert np.hypot(point.row - place[0], point.col - place[1]) < 1.5
            assert point.label == "boat"
            assert ("carried" in point.flags) == (k > 0)
    assert [at for at, _ in carried.lost] == [(f"seq/f{GONE}.png", 0)]
    assert carried.lost[0][1] == carried.points.by_image[f"seq/f{GONE - 1}.png"][1]
    assert carried.lost[0][1].flags == ("carried", "last")


def test_a_frame_with_points_ends_what_came_before(tmp_path):
    scene = moving()
    write(tmp_path, scene)
    click = Point(*(round(x) for x in scene.paths[0, 5].tolist()), label="again")
    given = Points({"f0": first_points(scene), "f5": (click,), "f9": ()})
    carried = run(tmp_path, given)
    labels = {key: [point.label for point in points] for key, points in carried.points}
    assert labels["f4.png"] == [None, None]
    assert labels["f5"] == labels["f8.png"] == ["again"]
    assert carried.points.by_image["f9"] == ()
    assert "f10.png" not in labels
    assert all(carried.points.by_image[key] == points for key, points in given)


def test_folders_and_files_are_sequences_of_their_own(tmp_path):
    scene = moving()
    write(tmp_path / "a", scene)
    write(tmp_path / "b", scene)
    np.save(tmp_path / "stack.npy", scene.frames)
    points = first_points(scene)
    carried = run(tmp_path, Points({"a/f0.png": points, "stack.npy#2": first_points(scene, frame=2)}))
    keys = list(carried.points.by_image)
    assert not any(key.startswith("b/") for key in keys)
    assert "stack.npy" not in keys
    assert {f"stack.npy#{k}" for k in range(2, 12)} <= set(keys)
    from_zero = run(tmp_path, Points({"stack.npy": points})).points.by_image
    assert [from_zero[f"stack.npy#{k}"] for k in range(1, 12)] == [
        carried.points.by_image[f"a/f{k}.png"] for k in range(1, 12)
    ]


def test_other_shapes_and_damaged_frames_end_a_sequence(tmp_path):
    scene = moving(count=6)
    write(tmp_path / "shape", scene)
    save(tmp_path / "shape" / "f3.png", np.zeros((96, 97), np.uint8))
    write(tmp_path / "damage", scene)
    (tmp_path / "damage" / "f4.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "damage" / "f5.png").write_bytes(b"")
    points = first_points(scene)
    carried = run(
        tmp_path, Points({"shape/f0.png": points, "damage/f0.png": points, "damage/f5.png": points})
    )
    assert {key for key in carried.points.by_image if "shape" in key} == {f"shape/f{k}.png" for k in range(3)}
    assert {at for at, _ in carried.lost} == {("shape/f3.png", 0), ("damage/f4.png", 0)}
    assert carried.points.by_image["damage/f5.png"] == points


def test_points_outside_and_unknown_images_are_left_to_the_folder_job(tmp_path):
    scene = moving(count=3)
    write(tmp_path, scene)
    given = Points({"f0": (Point(500, 3),), "nowhere": first_points(scene)}, rejected={"f1": "bad row"})
    assert run(tmp_path, given).points == given


def test_natural_order():
    names = ["f10", "f9", "f1a", "a/2", "f01", "f1", "10", "9"]
    assert sorted(names, key=natural_key) == ["9", "10", "a/2", "f01", "f1", "f1a", "f9", "f10"]


def test_the_list_of_sightings_is_read_as_the_same_points(tmp_path):
    scene = moving()
    write(tmp_path, scene)
    carried = run(tmp_path, Points({"f0.png": first_points(scene, "a")}))
    path = tmp_path / "points.jsonl"
    path.write_text(sightings_text(carried.sightings))
    again = read_points(path)
    assert {key: [(p.row, p.col, p.label) for p in points] for key, points in again} == {
        key: [(p.row, p.col, p.label) for p in points] for key, points in carried.points
    }
    first = json.loads(path.read_text().splitlines()[3])["points"][0]
    assert set(first) == {"x", "y", "label", "state", "score", "flags"}
    assert (first["x"], first["y"]) == pytest.approx((scene.paths[0, 3, 1], scene.paths[0, 3, 0]), abs=1)


def test_command_line(tmp_path):
    scene = moving()
    write(tmp_path / "images", scene)
    rows = "".join(f"f0.png,{p.col},{p.row}\n" for p in first_points(scene))
    (tmp_path / "points.csv").write_text("image,x,y\n" + rows)
    out = tmp_path / "out"

    def annotate(*extra, points=tmp_path / "points.csv", out=out):
        arguments = ["annotate", str(tmp_path / "images"), "--points", str(points), "--out", str(out), *extra]
        return CliRunner().invoke(main, arguments)

    done = annotate("--track")
    assert done.exit_code == 0, done.output
    assert "Lost (1):" in done.output
    assert f"f{GONE}.png" in done.output
    entries = {entry["image"]: entry for entry in read_manifest(out)}
    assert len(entries) == 12
    assert entries["f5.png"]["targets"][0]["flags"][-1] == "carried"
    assert entries[f"f{GONE - 1}.png"]["targets"][1]["flags"][-2:] == ["carried", "last"]
    before = tree(out)
    again = annotate("--track")
    assert again.exit_code == 0, again.output
    assert tree(out) == before

    edited = out / "points.jsonl"
    edited.write_text("".join(edited.read_text().splitlines(keepends=True)[:-1]))
    assert annotate("--track").exit_code == 0  # a shorter list loses nothing
    edited.write_text(edited.read_text().replace('"x": 2', '"x": 3', 1))
    refused = annotate("--track")
    assert refused.exit_code == 2
    assert "run without --track" in refused.output
    corrected = annotate(points=edited, out=tmp_path / "corrected")
    assert corrected.exit_code == 0, corrected.output
    assert annotate("--track", "--overwrite").exit_code == 0
    assert tree(out) == before


def test_shards_together_give_the_whole(tmp_path):
    scene = moving()
    write(tmp_path / "images", scene)
    rows = "".join(f"f0.png,{p.col},{p.row}\n" for p in first_points(scene))
    (tmp_path / "points.csv").write_text("image,x,y\n" + rows)
    for out, shards in (("whole", [()]), ("parts", [("--shard", "1/2"), ("--shard", "2/2")])):
        for shard in shards:
            arguments = ["annotate", str(tmp_path / "images"), "--points", str(tmp_path / "points.csv"),
                         "--out", str(tmp_path / out), "--track", *shard]  # fmt: skip
            assert CliRunner().invoke(main, arguments).exit_code == 0
    assert tree(tmp_path / "parts") == tree(tmp_path / "whole")


def test_frames_after_a_loss_are_not_called_empty(tmp_path):
    result = CliRunner().invoke(
        main,
        [
            "annotate",
            str(tmp_path),
            "--points",
            str(tmp_path),
            "--out",
            str(tmp_path / "o"),
            "--track",
            "--empty-masks",
        ],
    )
    assert result.exit_code == 2
    assert "in which --track lost a target" in result.output
