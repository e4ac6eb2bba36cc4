"""Proposals of a folder: the table, what reads it, and what is left out of it."""

import json
import zipfile
from io import BytesIO

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from pointmask import cli, propose
from pointmask.errors import ImageError, OutputError
from pointmask.io.formats import read_points
from pointmask.io.images.open import open_source
from pointmask.io.points.lists import id_list
from pointmask.proposals.ranking import least_score
from pointmask.proposals.table import COLUMNS, Search, write_proposals


def image_of(seed, row, col):
    image = np.random.default_rng(seed).normal(500, 3, (64, 80))
    image[row : row + 2, col : col + 3] += 60
    return np.rint(image).astype(np.uint16)


def rows_of(path):
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    assert header == ",".join(COLUMNS)
    return [dict(zip(COLUMNS, line.rsplit(",", 5), strict=True)) for line in lines]


@pytest.fixture
def folder(tmp_path):
    images = tmp_path / "images"
    (images / "seq").mkdir(parents=True)
    Image.fromarray(image_of(0, 20, 30)).save(images / "a.png")
    Image.fromarray(image_of(1, 40, 50)).save(images / "seq" / "#b, c.png")
    Image.fromarray(np.full((30, 30), 9, np.uint16)).save(images / "flat.png")
    stack = [Image.fromarray(image_of(2 + k, 10 + k, 60)) for k in range(2)]
    stack[0].save(images / "s.tif", save_all=True, append_images=stack[1:])
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def test_a_name_that_is_not_utf_8_is_skipped_and_the_table_can_be_read(folder):
    Image.fromarray(image_of(9, 20, 30)).save(folder / "images/bad\udcff.png")
    summary = write_proposals(open_source(folder / "images"), folder / "points.csv", Search(count=1))
    assert [name for name, why in summary.skipped if "UTF-8" in why] == ["bad\udcff.png"]
    assert "a.png" in dict(read_points(folder / "points.csv"))


def test_the_table_holds_what_propose_finds(folder):
    path = folder / "points.csv"
    summary = write_proposals(open_source(folder / "images"), path, Search(count=3))
    assert (summary.frames, summary.proposals, summary.bare, summary.skipped) == (5, 12, 1, [])
    rows = rows_of(path)
    assert [row["image"] for row in rows if row["frame"] == ""][:3] == ["a.png"] * 3
    for row, found in zip(rows[:3], propose(image_of(0, 20, 30), count=3), strict=True):
        assert float(row["x"]) == round(found.col, 2)
        assert float(row["y"]) == round(found.row, 2)
        assert float(row["score"]) == round(found.score, 4)
        assert int(row["area"]) == found.target.area
    assert {row["image"] for row in rows} == {"a.png", "s.tif", '"seq/#b, c.png"'}
    assert [row["frame"] for row in rows if row["image"] == "s.tif"] == ["0"] * 3 + ["1"] * 3


def test_nothing_is_proposed_at_the_ends_of_margins(tmp_path):
    margins = ((11, 5), (0, 9))
    tables = []
    for name, sides in (("crop", ((0, 0), (0, 0))), ("wide", margins)):
        (tmp_path / name).mkdir()
        Image.fromarray(np.pad(image_of(0, 0, 30), sides)).save(tmp_path / name / "a.png")
        write_proposals(open_source(tmp_path / name), tmp_path / f"{name}.csv", Search(count=3))
        tables.append(rows_of(tmp_path / f"{name}.csv"))
    moved = [{**row, "y": f"{float(row['y']) + 11:g}", "x": f"{float(row['x']):g}"} for row in tables[0]]
    assert [{**row, "y": f"{float(row['y']):g}", "x": f"{float(row['x']):g}"} for row in tables[1]] == moved


def test_every_command_reads_it_as_points_and_a_bare_frame_is_not_called_empty(folder):
    path = folder / "points.csv"
    images = open_source(folder / "images")
    write_proposals(images, path, Search(count=1))
    points = read_points(path, images=images)
    best = {key: (p.row, p.col) for key, (p,) in points}
    assert set(best) == {"a.png", "seq/#b, c.png", "s.tif#0", "s.tif#1"}
    assert abs(best["a.png"][0] - 20.5) <= 0.5
    assert abs(best["a.png"][1] - 31) <= 0.5
    assert not points.notes
    assert run("check", folder / "images", "--points", path).exit_code in (0, 1)


def test_threads_do_not_matter(folder):
    images = open_source(folder / "images")
    for count in (1, 3):
        write_proposals(images, folder / f"{count}.csv", Search(), count=count)
    assert (folder / "1.csv").read_bytes() == (folder / "3.csv").read_bytes()


def test_unreadable_images_are_skipped_and_listed(folder):
    (folder / "images" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    path = folder / "points.csv"
    only = id_list(["bad", "a", "gone"])
    summary = write_proposals(open_source(folder / "images"), path, Search(), only=only)
    assert summary.frames == 1
    assert [name for name, _ in summary.skipped] == ["gone", "bad.png"]
    assert {row["image"] for row in rows_of(path)} == {"a.png"}
    done = run("propose", folder / "images", "--out", folder / "again.csv")
    assert done.exit_code == 3
    assert "bad.png" in done.output


def test_nothing_is_overwritten_unasked(folder):
    path = folder / "points.csv"
    path.write_text("mine")
    images = open_source(folder / "images")
    for overwrite in (False, True):
        with pytest.raises(OutputError, match="not what this command writes"):
            write_proposals(images, path, Search(), overwrite=overwrite)
        assert path.read_text() == "mine"
    path.unlink()
    write_proposals(images, path, Search())
    with pytest.raises(OutputError, match="--overwrite"):
        write_proposals(images, path, Search())
    write_proposals(images, path, Search(), overwrite=True)
    with pytest.raises(OutputError, match="is a folder"):
        write_proposals(images, folder, Search())


def test_an_interrupted_search_leaves_nothing(folder):
    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_proposals(open_source(folder / "images"), folder / "points.csv", Search(), progress=stop)
    assert [p.name for p in folder.iterdir()] == ["images"]


def test_a_folder_without_images_is_an_error(tmp_path):
    with pytest.raises(ImageError, match="no image"):
        write_proposals(open_source(tmp_path), tmp_path / "points.csv", Search())


def test_places_that_recur_are_told(tmp_path):
    for k in range(6):
        image = image_of(k, 10 + 7 * k, 60)
        image[50:52, 20:22] += 90  # a symbol, in the same place of all but one frame
        Image.fromarray(image if k else image_of(0, 10, 60)).save(tmp_path / f"{k}.png")
    summary = write_proposals(open_source(tmp_path), tmp_path / "p.csv", Search(count=3))
    ((place, often),) = summary.recurring
    assert (max(abs(place[0] - 50.5), abs(place[1] - 20.5)) < 1, often) == (True, 5)
    said = run("propose", tmp_path, "--out", tmp_path / "q.csv").stderr
    assert "1 place of proposals recur" not in said
    assert "recurs in many frames" in said
    assert "in 5 of 6" in said


def test_the_command_and_its_masks(folder):
    out, masks = folder / "points.csv", folder / "masks"
    done = run(
        *("propose", folder / "images", "--out", out, "--per-frame", 1, "--masks", masks, "--threads", 2)
    )
    assert done.exit_code == 0, done.output
    assert "without    1 frames" in done.output
    entries = [json.loads(line) for line in (masks / "manifest.jsonl").read_text().splitlines()]
    assert sorted((e["image"], e["frame"]) for e in entries if e["status"] == "done") == [
        ("a.png", 0),
        ("s.tif", 0),
        ("s.tif", 1),
        ("seq/#b, c.png", 0),
    ]
    assert np.asarray(Image.open(masks / "masks" / "a.png"))[20, 31] == 255


def test_where_little_is_found_the_polarity_that_was_looked_for_is_said(tmp_path):
    for number in range(3):
        dark = 4095 - image_of(number, 20, 30)
        Image.fromarray(dark).save(tmp_path / f"{number}.png")
    said = {}
    for polarity in ("bright", "dark", "auto"):
        done = run("propose", tmp_path, "--polarity", polarity, "--out", tmp_path / f"{polarity}.csv")
        assert done.exit_code == 0, done.output
        said[polarity] = done.output
    assert "(bright targets, score" in said["bright"]
    assert "only bright targets are looked for" in said["bright"]
    assert "--polarity auto" in said["bright"]
    assert all("looked for" not in said[polarity] for polarity in ("dark", "auto"))
    assert len(rows_of(tmp_path / "dark.csv")) >= 3


def test_masks_among_the_images_are_not_searched(folder):
    images = folder / "images"
    options = ("propose", images, "--out", folder / "points.csv", "--masks", images / "masks", "--overwrite")
    first, second = run(*options), run(*options)
    assert first.exit_code == second.exit_code == 0, second.output
    assert "frames     5" in second.output


def test_scores_and_false_alarms_limit_the_table(folder):
    out = folder / "points.csv"
    for options, least in (
        (("--min-score", 0.4), 0.4),
        (("--false-alarms", 0.1), least_score(0.1)),
        ((), least_score(1)),
    ):
        done = run("propose", folder / "images", "--out", out, *options, "--overwrite")
        assert done.exit_code == 0, done.output
        scores = [float(row["score"]) for row in rows_of(out)]
        assert len(scores) >= 4
        assert min(scores) >= round(least, 4)


def test_without_a_budget_every_frame_has_its_first_places(folder):
    out = folder / "points.csv"
    done = run("propose", folder / "images", "--out", out, "--per-frame", 5, "--min-score", 0)
    assert done.exit_code == 0, done.output
    frames = [(row["image"], row["frame"]) for row in rows_of(out)]
    assert {frames.count(frame) for frame in frames} == {5}


def test_the_list_of_points_of_a_click_folder_is_left_to_it(folder):
    (folder / "clicks.jsonl").touch()
    done = run("propose", folder / "images", "--out", folder / "points.csv")
    assert done.exit_code == 2
    assert "people click in" in done.output
    assert not (folder / "points.csv").exists()
    done = run("propose", folder / "images", "--out", folder / "proposals.csv")
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--min-score", 0.4, "--false-alarms", 1), "drop one of the two"),
        (("--min-score", 2), "--min-score"),
        (("--false-alarms", 0), "--false-alarms"),
        (("--false-alarms", 0.001), "smallest rate that was measured"),
        (("--per-frame", 0), "--per-frame"),
    ],
)
def test_wrong_options_end_with_status_2_and_write_nothing(folder, options, message):
    out = folder / "points.csv"
    done = run("propose", folder / "images", "--out", out, *options)
    assert done.exit_code == 2
    assert message in done.output
    assert not out.exists()


def test_archives_are_searched_like_folders(folder, tmp_path):
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted((folder / "images").rglob("*.*")):
            archive.write(path, path.relative_to(folder / "images").as_posix())
    (tmp_path / "images.zip").write_bytes(packed.getvalue())
    for source, name in ((folder / "images", "folder.csv"), (tmp_path / "images.zip", "zip.csv")):
        write_proposals(open_source(source), folder / name, Search())
    assert (folder / "folder.csv").read_bytes() == (folder / "zip.csv").read_bytes()


def test_a_target_of_one_pixel_is_proposed_if_such_pixels_are_kept(tmp_path):
    image = np.random.default_rng(0).normal(500, 3, (64, 80))
    image[20, 30] = 700
    (tmp_path / "images").mkdir()
    Image.fromarray(np.rint(image).astype(np.uint16)).save(tmp_path / "images/a.png")
    rows = {}
    for kind in ("replace", "keep"):
        out = tmp_path / f"{kind}.csv"
        assert run("propose", tmp_path / "images", "--out", out, "--dead-pixels", kind).exit_code == 0
        rows[kind] = [(float(row["x"]), float(row["y"])) for row in rows_of(out)]
    assert rows["keep"][0] == (30, 20)
    assert (30, 20) not in rows["replace"]
