"""What the report page tells besides its pictures: frame, contrast, flags, ranges, and how to go on."""

import re

import numpy as np
import pytest
from tools.pages import Job, embedded, parse, place_of, tiles

from pointmask.annotator.target import Target
from pointmask.drawing.flags import DOUBTS, FLAG_TEXTS
from pointmask.drawing.tiles import contrast_of


@pytest.fixture
def job(tmp_path):
    return Job(tmp_path)


def test_each_tile_marks_its_place_in_the_frame_which_is_stored_once(job):
    job.add("a.png", [(20, 20), (40, 50)])
    job.add("b.png", [(30, 30)], seed=1)
    shown = tiles(parse(job.report()))
    frames = [tile.one("svg", cls="frame") for tile in shown]
    stored = {
        f.one("image").attributes["id"]: embedded(f.one("image")) for f in frames if any(f.all("image"))
    }
    assert len(stored) == 2
    assert {picture.shape[:2] for picture in stored.values()} == {(60, 70)}
    used = [use.attributes["href"] for f in frames for use in f.all("use")]
    assert len(used) == 1
    assert used[0].removeprefix("#") in stored
    for tile, frame in zip(shown, frames, strict=True):
        row, col = place_of(tile)
        left, top = map(float, frame.one("path", cls="part").attributes["d"][1:].partition("h")[0].split())
        assert left <= col < left + 33
        assert top <= row < top + 33


def test_contrast_tells_value_background_and_noise():
    image = np.full((60, 60), 100.0)
    image[::2, ::2], image[1::2, 1::2] = 110, 90
    mask = np.zeros((60, 60), bool)
    mask[30:32, 30:32] = True
    for value, flags in ((400.0, ()), (-200.0, ("dark",))):
        image[mask] = value
        box = (30, 30, 32, 32)
        target = Target((30, 30), (0, 0, 60, 60), mask.astype("f4"), mask, 4, box, 0.5, flags, (30, 30), 0)
        around = image[15:48, 15:48][~mask[15:48, 15:48]]
        noise = 1.4826 * np.median(abs(around - np.median(around)))
        said = contrast_of(image, target)
        assert said.startswith(f"{value:,.0f} on 100")
        assert said.endswith(f"{300 / noise:.1f}\N{NO-BREAK SPACE}σ" if noise else "± 0")


def test_flags_are_explained_and_only_doubts_alarm(job):
    job.add("a.png", [(30, 30)], flags=["clipped", "dark", "mine"])
    page = parse(job.report())
    (tile,) = tiles(page)
    by_name = {flag.text: flag.attributes for flag in tile.all("span", cls="flag")}
    assert {name: "doubt" in a["class"].split() for name, a in by_name.items()} == {
        "clipped": True,
        "dark": False,
        "mine": False,
    }
    meanings = page.one("details", cls="meanings")
    assert [term.text for term in meanings.all("dt")] == ["clipped", "dark"]
    assert [d.text for d in meanings.all("dd")] == [by_name[n]["title"] for n in ("clipped", "dark")]
    assert by_name["mine"]["title"] == ""


def test_every_flag_of_the_program_is_explained():
    said = (Target.__doc__ or "").partition("flags : tuple of str")[2].partition("centre :")[0]
    tracked = {"carried", "crossing", "last", "refound", "identity"}
    assert set(re.findall(r"``(\w+)``:", said)) | tracked == set(FLAG_TEXTS)
    assert set(FLAG_TEXTS) >= DOUBTS


def test_bars_choose_exactly_what_they_count(job):
    confidences, areas = [0.0, 0.05, 0.0999, 0.1, 1.0], [1, 2, 3, 300, 362]
    for k, (confidence, area) in enumerate(zip(confidences, areas, strict=True)):
        job.add(f"{k}.png", [(30, 30)], seed=k, confidence=confidence, area=area)
    for chart, values in zip(
        parse(job.report()).all("figure", cls="chart"), (confidences, areas), strict=True
    ):
        counted = 0
        for bar in chart.all("button"):
            low, high = float(bar.attributes["data-low"]), float(bar.attributes["data-high"])
            count = int(bar.attributes["title"].rpartition(": ")[2])
            assert sum(low <= value <= high for value in values) == count
            assert ("disabled" in bar.attributes) == (count == 0)
            counted += count
        assert counted == 5


def test_the_page_says_how_to_correct_its_masks(job):
    job.add("a.png", [(30, 30)])
    assert parse(job.report()).one("code").text == "pointmask click ../images --review . --out ."
