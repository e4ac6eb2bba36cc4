"""Boxes of sequences: frames by number or place, absent targets, and the middles of boxes."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.folders import save

from pointmask.errors import PointsError
from pointmask.io.formats import read_points, recognise
from pointmask.io.points.match import match

SIX = [(40, 30), (46, 44), None, None, (64, 86), (70, 100)]
BOX = st.tuples(*[st.integers(0, 500)] * 2, *[st.integers(1, 60)] * 2)


def frames(folder, count=6, name="{:06d}.png"):
    for k in range(1, count + 1):
        save(folder / name.format(k), np.zeros((8, 9), np.uint8))
    return folder


def places(points):
    assert not points.rejected
    return {key: [(p.row, p.col) for p in listed] for key, listed in points}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def boxes(divider=",", nothing="0,0,0,0"):
    """A line per frame, 7 x 7 pixels round each place."""
    lines = [nothing if p is None else f"{p[1] - 3},{p[0] - 3},7,7" for p in SIX]
    return "".join(line.replace(",", divider) + "\n" for line in lines)


@pytest.mark.parametrize("divider", [",", "\t", " ", ", "])
@pytest.mark.parametrize("nothing", ["0,0,0,0", "NaN,NaN,NaN,NaN", "nan,nan,nan,nan"])
@pytest.mark.parametrize("name", ["groundtruth_rect.txt", "groundtruth.txt", "seq1.txt", "car_gt.txt"])
def test_a_box_per_frame(tmp_path, divider, nothing, name):
    path = write(tmp_path / name, boxes(divider, nothing))
    images = frames(tmp_path / "img")
    assert recognise(path) == "sequence-boxes"
    for given_images in (images, None):
        points = read_points(path, images=given_images)
        assert places(points) == {f"{k:06d}.png": [p] if p else [] for k, p in enumerate(SIX, 1)}
        assert any("clicked on in the middle" in line for line in points.notes)


def test_anti_uav_with_its_flags(tmp_path):
    exist = [1, 1, 0, 0, 1, 0]
    rectangles = [[27, 37, 7, 7], [41, 43, 7, 7], [], [0, 0, 0, 0], [83, 61, 7, 7], [97, 67, 7, 7]]
    path = tmp_path / "IR_label.json"
    path.write_text(json.dumps({"exist": exist, "gt_rect": rectangles}))
    assert recognise(path) == "sequence-boxes"
    found = places(read_points(path, images=frames(tmp_path / "infrared")))
    assert [listed[:1] for listed in found.values()] == [[(40, 30)], [(46, 44)], [], [], [(64, 86)], []]


def test_flags_of_occlusion_beside_the_boxes(tmp_path):
    path = write(tmp_path / "groundtruth.txt", boxes())
    write(tmp_path / "full_occlusion.txt", "0,1,0,0,0,0")
    write(tmp_path / "out_of_view.txt", "0,0,0,0,1,0")
    found = places(read_points(path, images=frames(tmp_path / "img")))
    assert [bool(listed) for listed in found.values()] == [True, False, False, False, False, True]


def test_one_sequence_of_several_is_chosen_by_its_name(tmp_path):
    for name in ("car", "uav"):
        frames(tmp_path / "images" / name / "img")
        write(tmp_path / "labels" / name / "groundtruth.txt", boxes())
    write(tmp_path / "labels" / "car.txt", boxes())
    for file, name in (("uav/groundtruth.txt", "uav"), ("car.txt", "car")):
        found = places(read_points(tmp_path / "labels" / file, images=tmp_path / "images"))
        assert set(found) == {f"{name}/img/{k:06d}.png" for k in range(1, 7)}
    lone = write(tmp_path / "other" / "groundtruth.txt", boxes())
    with pytest.raises(
        PointsError, match=r"one sequence, but the images lie in 2 folders \(car/img, uav/img"
    ):
        read_points(lone, images=tmp_path / "images")


def test_another_count_of_images_is_refused(tmp_path):
    path = write(tmp_path / "groundtruth.txt", boxes())
    with pytest.raises(PointsError, match="boxes for 6 frames, a line each, but there are 5 images"):
        read_points(path, images=frames(tmp_path / "img", 5))
    with pytest.raises(PointsError, match="--images"):
        read_points(write(tmp_path / "x" / "y" / "alone" / "groundtruth.txt", boxes()))


def test_what_may_be_corners_is_refused_by_name(tmp_path):
    path = write(tmp_path / "boxes_of_me" / "p.txt", "27,37,34,44\n41,43,48,50\n")
    images = frames(tmp_path / "img", 2)
    with pytest.raises(
        PointsError, match=r"two corners or a corner and a size .*--points-format sequence-boxes"
    ):
        read_points(path, images=images)
    assert places(read_points(path, format="sequence-boxes", images=images))["000001.png"] == [(59, 44)]


@pytest.mark.parametrize(
    "tail",
    ["1,1,1", "1,-1,-1,-1", "1,4,0,0", "-1,-1,-1,-1", "0.83"],
    ids=["gt", "det", "VisDrone", "result", "conf"],
)
def test_mot(tmp_path, tail):
    lines = [f"{k},{7},{p[1] - 3},{p[0] - 3},7,7,{tail}\n" for k, p in enumerate(SIX, 1) if p]
    path = write(tmp_path / "seq" / "gt" / "gt.txt", "".join(lines))
    frames(tmp_path / "seq" / "img1")
    assert recognise(path) == "mot"
    for given_images in (None, tmp_path / "seq" / "img1", tmp_path):
        names = [f"{k:06d}.png" for k in (1, 2, 5, 6)]
        found = places(read_points(path, images=given_images))
        assert [key.rpartition("/")[2] for key in found] == names
        assert [*found.values()] == [[p] for p in SIX if p]


def test_mot_counts_frames_by_place_where_names_have_other_numbers(tmp_path):
    path = write(tmp_path / "gt.txt", "1,1,2,2,3,3,1,1,1\n3,1,4,4,3,3,1,1,1\n3,2,9,9,3,3,0,1,1\n")
    points = read_points(path, images=frames(tmp_path / "img", 3, "frame_1{:02d}.png"))
    assert places(points) == {"frame_101.png": [(3, 3)], "frame_103.png": [(5, 5)]}
    assert any("counted from 1 in the natural order" in line for line in points.notes)
    path.write_text("1,1,2,2,3,3,1,1,1\n9,1,4,4,3,3,1,1,1\n")
    with pytest.raises(PointsError, match="frames go from 1 to 9, but there are 3 images"):
        read_points(path, images=tmp_path / "img")


def test_a_stack_of_frames_is_a_sequence(tmp_path):
    import tifffile

    (tmp_path / "stack").mkdir()
    tifffile.imwrite(tmp_path / "stack" / "s.tif", np.zeros((6, 8, 9), np.uint16), photometric="minisblack")
    path = write(tmp_path / "groundtruth.txt", boxes())
    found = places(read_points(path, images=tmp_path / "stack"))
    assert match(found, ["s.tif"]).by_key == {key: ("s.tif", k) for k, key in enumerate(found)}
    assert len(found) == 6


def test_visdrone(tmp_path):
    write(tmp_path / "a.txt", "27,37,7,7,1,4,0,0\n0,0,50,50,0,0,0,0\n5,5,3,3,1,0,0,0\n")
    write(tmp_path / "b.txt", "")
    assert recognise(tmp_path) == "visdrone"
    points = read_points(tmp_path)
    assert places(points) == {"a": [(40, 30)], "b": []}
    assert dict(points)["a"][0].label == "car"


def test_dota(tmp_path):
    write(tmp_path / "labelTxt" / "a.txt", "imagesource:None\ngsd:null\n27 37 34 37 34 44 27 44 uav 0\n")
    write(tmp_path / "labelTxt" / "b.txt", "imagesource:None\ngsd:null\n")
    assert recognise(tmp_path / "labelTxt") == "dota"
    points = read_points(tmp_path / "labelTxt")
    assert places(points) == {"a": [(40, 30)], "b": []}
    assert dict(points)["a"][0].label == "uav"
    write(tmp_path / "labelTxt" / "a.txt", "27 37 34 37 34 44 27 uav 0\n")
    assert "x1 y1 ... x4 y4" in read_points(tmp_path / "labelTxt", format="dota").rejected["a"]


@given(drawn=st.lists(BOX, min_size=1, max_size=9))
def test_middles_lie_in_their_boxes(tmp_path_factory, drawn):
    folder = tmp_path_factory.mktemp("mot")
    images = frames(folder / "img1", len(drawn))
    gt = "".join(f"{k},1,{x},{y},{w},{h},1,1,1\n" for k, (x, y, w, h) in enumerate(drawn, 1))
    otb = "".join(f"{x},{y},{w},{h}\n" for x, y, w, h in drawn)
    by_number = places(read_points(write(folder / "gt.txt", gt), images=images))
    by_place = places(read_points(write(folder / "groundtruth.txt", otb), images=images))
    assert by_number == by_place
    for (x, y, w, h), ((row, col),) in zip(drawn, by_place.values(), strict=True):
        assert y <= row < y + h
        assert x <= col < x + w
        assert abs(2 * row + 1 - (2 * y + h)) <= 1
