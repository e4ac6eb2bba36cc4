"""What `annotate` and `check` say of a list as a whole: last lines and exit status."""

import csv
import json

import numpy as np
import pytest
from click.testing import CliRunner
from tools.folders import save

from pointmask.cli import main
from pointmask.folder.records.shards import Shard
from pointmask.io.images.array import read
from pointmask.judgement.statistic import Standout
from pointmask.synth.scenes import KINDS, make_scene

SIDE = 96


def run(*arguments, code):
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done.output


def write(path, rows):
    path.write_text("image,x,y\n" + "".join(f"{name},{x},{y}\n" for name, x, y in rows))
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Twelve scenes of two targets each, and right clicks as (image, x, y)."""
    folder, rows = tmp_path_factory.mktemp("judged") / "images", []
    for k in range(12):
        scene = make_scene(KINDS[k % 6], shape=(SIDE, SIDE), seed=(2, k), targets=2, contrast=9)
        save(folder / f"scene_{k:03d}.png", scene.image)
        rows += [(f"scene_{k:03d}.png", col, row) for row, col in scene.points]
    return folder, rows


WRONG = {
    "x and y exchanged": lambda x, y: (y, x),
    "mirrored": lambda x, y: (SIDE - 1 - x, y),
    "upside down": lambda x, y: (x, SIDE - 1 - y),
    "turned by 180": lambda x, y: (SIDE - 1 - x, SIDE - 1 - y),
    "times as large": lambda x, y: (x // 2, y // 2),
    "px left of": lambda x, y: (x - 9, y - 8),
}


@pytest.mark.parametrize("what", list(WRONG))
def test_a_systematic_error_is_the_last_word_of_annotate_and_one_problem_of_check(data, tmp_path, what):
    images, rows = data
    points = write(tmp_path / "p.csv", [(n, *(max(v, 0) for v in WRONG[what](x, y))) for n, x, y in rows])
    said = run("annotate", images, "--points", points, "--out", tmp_path / "out", code=3).splitlines()
    assert said[-2].startswith("WARNING: ")
    assert what in said[-2]
    assert "clicks in 12 images show a target" in said[-2]
    assert said[-1].startswith("What to do: ")
    assert len(list((tmp_path / "out" / "masks").iterdir())) == 12  # the results are kept
    again = run("annotate", images, "--points", points, "--out", tmp_path / "out", code=3).splitlines()
    assert again[-2:] == said[-2:]
    found = run("check", images, "--points", points, "--json", tmp_path / "j", code=3)
    assert found.count("PROBLEM") == 1
    assert "PROBLEM: 1 list of points: hardly a click shows a target" in found
    assert what in found
    last, advice = found.splitlines()[-2:]
    assert last.startswith("1 kind of problem")
    assert advice.startswith("Next:")
    assert "--fix" in advice
    (problem,) = [f for f in json.loads((tmp_path / "j").read_text())["findings"] if f["is_problem"]]
    assert problem["kind"] == "point list"


def test_a_scale_that_leads_out_of_all_images_is_named(data, tmp_path):
    images, rows = data
    points = write(tmp_path / "p.csv", [(name, 20 * x + 1900, 20 * y + 1900) for name, x, y in rows])
    said = run("annotate", images, "--points", points, "--out", tmp_path / "far", code=3).splitlines()
    assert said[-1].startswith("What to do: correct what is listed above")
    points = write(tmp_path / "p.csv", [(name, 6 * x, 6 * y) for name, x, y in rows if min(x, y) > 16])
    said = run("annotate", images, "--points", points, "--out", tmp_path / "out", code=3).splitlines()
    assert said[-2].startswith("WARNING: 0 targets: all")
    assert "times as large" in said[-2]
    assert float(said[-1].removeprefix("What to do: multiply x and y by ")) == pytest.approx(1 / 6, rel=0.03)


def test_dark_targets_among_bright_ones_looked_for_are_the_last_word(data, tmp_path):
    images, rows = data
    for path in images.iterdir():
        pixels = read(path)
        save(tmp_path / "images" / path.name, np.iinfo(pixels.dtype).max - pixels)
    points = write(tmp_path / "p.csv", rows)
    command = ("annotate", tmp_path / "images", "--points", points)
    said = run(*command, "--out", tmp_path / "out", code=3).splitlines()
    assert "WARNING: " in said[-2]
    assert "on dark targets" in said[-2]
    assert said[-1] == "What to do: give --polarity dark"
    for polarity in ("dark", "auto"):
        assert "WARNING" not in run(*command, "--polarity", polarity, "--out", tmp_path / polarity, code=0)
    found = run("check", tmp_path / "images", "--points", points, code=0)
    assert "note: 1 list of points: other than bright targets" in found
    assert "--polarity auto" in found.splitlines()[-1]


@pytest.mark.parametrize("what", ["x and y exchanged", "mirrored", "turned by 180"])
def test_the_corrected_copy_holds_clicks_that_fit(data, tmp_path, what):
    images, rows = data
    points = write(tmp_path / "p.csv", [(name, *WRONG[what](x, y)) for name, x, y in rows])
    said = run("check", images, "--points", points, "--fix", tmp_path / "fixed", code=3)
    assert "or use --fix" in said
    assert "24 points moved" in said
    with (tmp_path / "fixed" / "points.csv").open() as file:
        assert [(r["image"], int(r["x"]), int(r["y"])) for r in csv.DictReader(file)] == rows
    assert "moved" in (tmp_path / "fixed" / "fixes.jsonl").read_text()
    run("check", tmp_path / "fixed" / "images", "--points", tmp_path / "fixed" / "points.csv", code=0)


def test_counting_from_1_is_said_and_does_no_harm(data, tmp_path):
    images, rows = data
    points = write(tmp_path / "p.csv", [(name, x + 1, y + 1) for name, x, y in rows])
    said = run("annotate", images, "--points", points, "--out", tmp_path / "out", code=0).splitlines()
    assert "counted from 1" in said[-2]
    assert said[-1] == "What to do: subtract 1 from x and y: the first pixel is 0"
    assert "all clicks lie beside their targets" in run("check", images, "--points", points, code=3)


def test_names_that_are_off_by_one(data, tmp_path):
    images, rows = data
    number = {name: k for k, (name, *_) in enumerate(rows)}
    rows = [(f"scene_{number[name] // 2 + 1:03d}.png", x, y) for name, x, y in rows if number[name] < 22]
    points = write(tmp_path / "p.csv", rows)
    said = run("annotate", images, "--points", points, "--out", tmp_path / "out", code=3)
    assert "fit the image before the one that they name" in said.splitlines()[-2]


def test_clicks_by_chance(data, tmp_path):
    images, _ = data
    rng = np.random.default_rng(4)
    rows = [(f"scene_{k % 12:03d}.png", *rng.integers(0, SIDE, 2)) for k in range(48)]
    points = write(tmp_path / "p.csv", rows)
    said = run("annotate", images, "--points", points, "--out", tmp_path / "out", code=3).splitlines()
    assert "no usual error explains it" in said[-2]


def test_right_clicks_and_empty_images_raise_no_alarm(data, tmp_path):
    images, rows = data
    points = write(tmp_path / "p.csv", [*rows[:-2], (rows[-1][0], "", "")])
    for command in (("annotate", images, "--out", tmp_path / "out"), ("check", images)):
        said = run(*command, "--points", points, code=0)
        assert "WARNING" not in said
        assert "PROBLEM" not in said
    empty = write(tmp_path / "none.csv", [(name, "", "") for name in {row[0] for row in rows}])
    assert "WARNING" not in run("annotate", images, "--points", empty, "--out", tmp_path / "none", code=0)


def test_all_images_skipped(data, tmp_path):
    images, rows = data
    points = write(tmp_path / "p.csv", [(name, x + 500, y) for name, x, y in rows])
    said = run("annotate", images, "--points", points, "--out", tmp_path / "out", code=3).splitlines()
    assert said[-2] == "WARNING: 0 targets: all 12 images with points were skipped"
    assert said[-1].startswith("What to do: correct what is listed above")


def test_a_job_is_judged_the_same_by_any_number_of_threads_and_by_every_shard(data, tmp_path):
    images, rows = data
    points = write(tmp_path / "p.csv", [(name, y, x) for name, x, y in rows])
    one = run("annotate", images, "--points", points, "--out", tmp_path / "one", code=3)
    two = run("annotate", images, "--points", points, "--out", tmp_path / "two", "--threads", 2, code=3)
    assert one.splitlines()[-2:] == two.splitlines()[-2:]
    for shard in ("1/2", "2/2"):
        part = run(
            "annotate", images, "--points", points, "--out", tmp_path / "out", "--shard", shard, code=3
        )
        assert part.splitlines()[-2:] == one.splitlines()[-2:]


def test_a_shard_without_images_of_right_points_is_no_failure(data, tmp_path):
    images, rows = data
    points = write(tmp_path / "p.csv", rows)
    number = next(k for k in range(1, 61) if not any(Shard(k, 60).owns(name) for name, *_ in rows))
    options = ("--out", tmp_path / "out", "--shard", f"{number}/60")
    assert "WARNING" not in run("annotate", images, "--points", points, *options, code=0)


def test_eight_clicks_beside_all_targets_are_named(data, tmp_path):
    images, rows = data
    rows = [(name, (x + SIDE // 2) % SIDE, (y + 3 * SIDE // 8) % SIDE) for name, x, y in rows[:8]]
    points = write(tmp_path / "p.csv", rows)
    said = run("annotate", images, "--points", points, "--out", tmp_path / "out", code=3).splitlines()
    assert said[-2].startswith("WARNING: ")
    assert "of 8 clicks in 4 images show a target, where chance gives 1" in said[-2]
    assert "list of points: hardly a click shows a target" in run("check", images, "--points", points, code=3)


def test_too_few_clicks_are_said_to_be_too_few(data, tmp_path):
    images, rows = data
    wrong = []
    for name in (rows[0][0], rows[2][0]):
        places = np.indices((SIDE, SIDE)).reshape(2, -1)
        row, col = places[:, np.argmin(Standout(read(images / name)).at(*places))].tolist()
        wrong.append((name, col, row))
    points = write(tmp_path / "p.csv", wrong)
    said = run("annotate", images, "--points", points, "--out", tmp_path / "out", code=0)
    assert "0 of 2 clicks in 2 images show a target, where chance gives 0; they are too few to tell" in said
    found = run("check", images, "--points", points, code=3)  # by then, it has other problems
    assert "note: 1 list of points: too few clicks to tell whether they fit" in found
    right = write(tmp_path / "right.csv", rows[:2])
    assert "too few" not in run("annotate", images, "--points", right, "--out", tmp_path / "right", code=0)


def test_points_of_a_smaller_copy_are_judged_where_the_job_puts_them(data, tmp_path):
    """They are scaled with a note, so that the list as it is written must raise no alarm."""
    images, rows = data
    shapes = {}
    for name, x, y in rows:
        shapes.setdefault(name, []).append({"label": "t", "shape_type": "point", "points": [[x / 2, y / 2]]})
    (tmp_path / "labels").mkdir()
    for name, listed in shapes.items():
        content = {"imagePath": name, "imageHeight": SIDE // 2, "imageWidth": SIDE // 2, "shapes": listed}
        (tmp_path / "labels" / name.replace(".png", ".json")).write_text(json.dumps(content))
    said = run("annotate", images, "--points", tmp_path / "labels", "--out", tmp_path / "out", code=0)
    assert "WARNING" not in said
    assert "have been scaled" in said
