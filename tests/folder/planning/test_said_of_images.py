"""What documents say of their images, against the images: in jobs, checks and conversions."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from pointmask.calibrate.pairs import read_pairs
from pointmask.cli import main
from pointmask.io.formats import read_points
from pointmask.io.images.array import encode_png, read_mask


def scene(folder, name, at, shape=(120, 160)):
    rows, cols = np.indices(shape)
    spot = 120 * np.exp(-((rows - at[0]) ** 2 + (cols - at[1]) ** 2) / 4)
    noise = np.random.default_rng(1).normal(60, 3, shape)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(encode_png(np.clip(noise + spot, 0, 255).astype(np.uint8)))


def labelme(at, size, path="a.png"):
    shape = {"label": "ship", "shape_type": "point", "points": [[at[1] + 0.5, at[0] + 0.5]]}
    return {"imagePath": path, "imageHeight": size[0], "imageWidth": size[1], "shapes": [shape]}


def coco(at, size):
    image = {"id": 1, "file_name": "a.png", "height": size[0], "width": size[1]}
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [at[1] - 2, at[0] - 2, 5, 5]}
    return {"images": [image], "annotations": [box], "categories": []}


def voc(at, size, name="a.png"):
    row, col = at
    box = f"<xmin>{col - 1}</xmin><ymin>{row - 1}</ymin><xmax>{col + 3}</xmax><ymax>{row + 3}</ymax>"
    return (
        f"<annotation><filename>{name}</filename><size><width>{size[1]}</width><height>{size[0]}</height>"
        f"</size><object><name>ship</name><bndbox>{box}</bndbox></object></annotation>"
    )


def cvat(at, size):
    return (
        f'<annotations><image id="0" name="a.png" width="{size[1]}" height="{size[0]}">'
        f'<points label="ship" points="{at[1] + 0.5},{at[0] + 0.5}"/></image></annotations>'
    )


DOCUMENTS = {"a.json": labelme, "c.json": coco, "a.xml": voc, "v.xml": cvat}


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def document(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize("name", DOCUMENTS)
def test_points_of_a_copy_of_half_the_size_are_scaled_and_said(tmp_path, name):
    scene(tmp_path / "images", "a.png", (60, 90))
    points = document(tmp_path / name, DOCUMENTS[name]((30, 45), (60, 80)))
    command = ("annotate", tmp_path / "images", "--points", points, "--out", tmp_path / "o")
    done = run(*command)
    assert done.exit_code == 0, done.output
    assert "points of 1 images were marked in a copy of another size" in done.output
    assert "80 x 60, the image has 160 x 120" in done.output
    assert read_mask(tmp_path / "o" / "masks" / "a.png")[60, 90]
    again = run(*command)
    assert again.exit_code == 0, again.output
    assert "(1 done before)" in again.output
    checked = run("check", tmp_path / "images", "--points", points)
    assert checked.exit_code == 3
    assert "PROBLEM: 1 image has another size" in checked.output


@pytest.mark.parametrize("name", DOCUMENTS)
def test_points_of_another_aspect_are_skipped_with_both_sizes(tmp_path, name):
    scene(tmp_path / "images", "a.png", (60, 90))
    points = document(tmp_path / name, DOCUMENTS[name]((30, 45), (100, 100)))
    done = run("annotate", tmp_path / "images", "--points", points, "--out", tmp_path / "o")
    assert done.exit_code == 3
    assert "100 x 100 pixels, but the image has 160 x 120" in done.output
    assert not (tmp_path / "o" / "masks" / "a.png").exists()
    checked = run("check", tmp_path / "images", "--points", points)
    assert "another aspect, skipped" in checked.output


@pytest.mark.parametrize("name", ["c.json", "a.xml"])
def test_boxes_are_scaled_by_convert(tmp_path, name):
    scene(tmp_path / "images", "a.png", (60, 90))
    points = document(tmp_path / name, DOCUMENTS[name]((30, 45), (60, 80)))
    done = run("convert", points, tmp_path / "p.json", "--to", "coco", "--images", tmp_path / "images")
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "p.json").read_text())
    assert found["images"][0]["width"] == 160
    assert found["annotations"][0]["bbox"] == [86, 56, 10, 10]


def test_masks_of_another_size_are_not_converted(tmp_path):
    scene(tmp_path / "images", "a.png", (60, 90))
    content = labelme((30, 45), (60, 80))
    content["shapes"][0] |= {"shape_type": "polygon", "points": [[1, 1], [9, 1], [9, 9]]}
    points = document(tmp_path / "a.json", content)
    done = run("convert", points, tmp_path / "p.json", "--to", "coco", "--images", tmp_path / "images")
    assert done.exit_code != 0
    assert "80 x 60 pixels, but the image has 160 x 120" in done.output


def test_a_corrected_copy_holds_scaled_points(tmp_path):
    scene(tmp_path / "images", "a.png", (60, 90))
    points = document(tmp_path / "a.json", labelme((30, 45), (60, 80)))
    run("check", tmp_path / "images", "--points", points, "--fix", tmp_path / "fixed")
    assert "a.png,91,61" in (tmp_path / "fixed" / "points.csv").read_text()


def video(frames):
    points = "".join(f'<points frame="{k}" outside="0" points="{20 + 9 * k}.5,60.5"/>' for k in range(frames))
    size = "<original_size><width>160</width><height>120</height></original_size>"
    meta = f"<meta><task>{size}</task><source>sea.mp4</source></meta>"
    return (
        f'<annotations><version>1.1</version>{meta}<track id="0" label="uav">{points}</track></annotations>'
    )


@pytest.mark.parametrize("first", [0, 1])
def test_frames_of_a_video_are_not_those_of_files_counted_from_one(tmp_path, first):
    for k in range(4):
        scene(tmp_path / "images", f"frame_{k + first:06d}.png", (60, 20 + 9 * k))
    points = document(tmp_path / "v.xml", video(4))
    done = run("annotate", tmp_path / "images", "--points", points, "--out", tmp_path / "o")
    made = run("convert", points, tmp_path / "p.json", "--to", "coco", "--images", tmp_path / "images")
    checked = run("check", tmp_path / "images", "--points", points)
    if first:
        assert "the files count from 1" in done.output
        assert not list((tmp_path / "o").glob("masks/*.png"))
        assert "the files count from 1" in made.output
        assert "the files count from 1" in checked.output
    else:
        assert (done.exit_code, made.exit_code) == (0, 0), done.output + made.output
        for k in range(4):
            assert read_mask(tmp_path / "o" / "masks" / f"frame_{k:06d}.png")[60, 20 + 9 * k]


@pytest.mark.parametrize(("suffix", "make"), [(".json", labelme), (".xml", voc)])
def test_documents_are_converted_by_their_own_names(tmp_path, suffix, make):
    for k, at in enumerate([(30, 40), (60, 90)]):
        scene(tmp_path / "images", f"s{k}.png", at)
        document(tmp_path / "docs" / f"s{k}{suffix}", make(at, (120, 160), f"s{1 - k}.png"))
    out = tmp_path / "p.csv"
    done = run("convert", tmp_path / "docs", out, "--to", "csv", "--images", tmp_path / "images")
    assert done.exit_code == 0, done.output
    lines = {line.rsplit(",", 2)[0].rpartition(",")[0]: line for line in out.read_text().splitlines()}
    text = out.read_text()
    assert "s0.png,40,30" in text, lines
    assert "s1.png,90,60" in text, lines


def test_points_of_a_copy_are_carried_through_a_sequence(tmp_path):
    for k in range(3):
        scene(tmp_path / "images", f"s{k}.png", (60, 90 + k))
    points = document(tmp_path / "s0.json", labelme((30, 45), (60, 80), "s0.png"))
    done = run("annotate", tmp_path / "images", "--points", points, "--out", tmp_path / "o", "--track")
    assert done.exit_code == 0, done.output
    for k in range(3):
        assert read_mask(tmp_path / "o" / "masks" / f"s{k}.png")[60, 90 + k]


def test_points_of_a_copy_are_fitted_to_the_pairs_of_a_calibration(tmp_path):
    scene(tmp_path / "images", "a.png", (60, 90))
    mask = np.zeros((120, 160), np.uint8)
    mask[58:63, 88:93] = 255
    document(tmp_path / "masks" / "a.png", "")
    (tmp_path / "masks" / "a.png").write_bytes(encode_png(mask))
    points = read_points(document(tmp_path / "a.json", labelme((30, 45), (60, 80))))
    pairs = list(read_pairs(tmp_path / "images", tmp_path / "masks", points, []))
    assert [clicks for _, clicks, _ in pairs] == [[(61, 91)]]


@pytest.mark.parametrize(("suffix", "make"), [(".json", labelme), (".xml", voc)])
def test_documents_that_name_their_neighbours_count_by_their_own_names(tmp_path, suffix, make):
    places = [(30, 40), (60, 90), (90, 120)]
    for k, at in enumerate(places):
        scene(tmp_path / "images", f"s{k}.png", at)
        document(tmp_path / "docs" / f"s{k}{suffix}", make(at, (120, 160), f"s{(k + 1) % 3}.png"))
    done = run("annotate", tmp_path / "images", "--points", tmp_path / "docs", "--out", tmp_path / "o")
    assert done.exit_code == 0, done.output
    assert "3 documents and their content (filename, imagePath) name different images" in done.output
    for k, at in enumerate(places):
        assert read_mask(tmp_path / "o" / "masks" / f"s{k}.png")[at]
    checked = run("check", tmp_path / "images", "--points", tmp_path / "docs")
    assert "3 documents and their content (filename, imagePath) name different images" in checked.output
