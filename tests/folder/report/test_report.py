"""The report page: parsed, counted and redrawn from its own bytes."""

import json
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from tools.masks import filled
from tools.pages import THETA, Job, Reader, embedded, parse, place_of, scene, tiles

import pointmask
from pointmask.annotator.image import annotate
from pointmask.annotator.target import Annotation, Target
from pointmask.drawing.overlay import heat_palette, stretch
from pointmask.drawing.tiles import panels
from pointmask.errors import OutputError
from pointmask.folder.frame import annotate_one
from pointmask.folder.options import Recipe
from pointmask.folder.report.page import write_report
from pointmask.io.images.array import encode_png
from pointmask.io.images.file import ImageFile
from pointmask.io.layout import MANIFEST
from pointmask.io.points.points import Point


@pytest.fixture
def job(tmp_path):
    return Job(tmp_path)


def numbers(page):
    listed = page.one("dl", cls="numbers")
    return {n.text: v.text for n, v in zip(listed.all("dt"), listed.all("dd"), strict=True)}


def test_counts_cover_everything(job):
    job.add("a.png", [(20, 20), (40, 50)], confidence=0.5)
    job.add("b.png", [(30, 30)], seed=1, confidence=0.8)
    job.add("c.png", [], seed=2)
    job.skip("d.png", "file is empty; copy it again")
    page = parse(job.report())
    assert numbers(page) == {
        "images annotated": "3",
        "targets": "3",
        "mean confidence": "0.600",
        "without target": "1",
        "skipped": "1",
    }
    heading = page.one("p", cls="heading").text
    assert pointmask.__version__ in heading
    assert THETA.digest in heading
    assert "no size prior" in heading
    assert page.one("details", cls="theta").one("pre").text == THETA.to_toml()
    skipped = page.one("details", cls="skipped")
    assert skipped.one("th").text == "d.png"
    assert skipped.one("td").text == "file is empty; copy it again"
    assert "All 3 targets." in page.one("div", cls="legend").text


def test_histograms_count_every_target(job):
    confidences, areas = [0.0, 0.049, 0.05, 0.95, 1.0], [1, 2, 3, 300, 300]
    for k, (confidence, area) in enumerate(zip(confidences, areas, strict=True)):
        job.add(f"{k}.png", [(30, 30)], seed=k, confidence=confidence, area=area)
    confidence, area = parse(job.report(limit=1)).all("figure", cls="chart")
    bars = dict(bar.attributes["title"].split(": ") for bar in confidence.all("button"))
    assert len(bars) == 20
    assert {name: int(n) for name, n in bars.items() if n != "0"} == {
        "0.00 to 0.05": 2,
        "0.05 to 0.10": 1,
        "0.95 to 1.00": 2,
    }
    bars = dict(bar.attributes["title"].split(": ") for bar in area.all("button"))
    assert {name: int(n) for name, n in bars.items() if n != "0"} == {
        "1 px": 1,
        "2 px": 1,
        "3 px": 1,
        "256 to 361 px": 2,
    }


def test_least_sure_come_first_and_the_rest_is_counted(job):
    for k, confidence in enumerate([0.9, 0.2, 0.5, 0.2, 0.7]):
        job.add(f"{k}.png", [(30, 30)], seed=k, confidence=confidence)
    page = parse(job.report(limit=3))
    shown = [(t.attributes["data-name"], t.attributes["data-confidence"]) for t in tiles(page)]
    assert shown == [("1.png", "0.2"), ("3.png", "0.2"), ("2.png", "0.5")]
    assert [t.attributes["data-rank"] for t in tiles(page)] == ["0", "1", "2"]
    assert "The 3 least sure of 5 targets; the other 2 are not shown." in page.one("div", cls="legend").text
    assert numbers(page)["targets"] == "5"


@pytest.mark.parametrize("points", [[(30, 30), (33, 38)], [(0, 0), (59, 69)], [(5, 64), (55, 2)]])
def test_tile_shows_window_soft_label_and_mask(job, points):
    job.add("a.png", points)
    image = scene(0, points)
    truth = annotate(image, points, theta=THETA)
    shown = {place_of(tile): tile for tile in tiles(parse(job.report()))}
    for point, target in zip(points, truth.targets, strict=True):
        tile = shown[point]
        first, last, soft, _ = tile.all("svg")
        side = int(first.attributes["viewbox"].split()[2])
        assert side >= 33
        assert first.attributes["viewbox"] == soft.attributes["viewbox"] == last.attributes["viewbox"]
        placed = first.one("image")
        x, y, width, height = (int(placed.attributes[key]) for key in ("x", "y", "width", "height"))
        grey = embedded(placed)
        assert grey.shape[:2] == (height, width)
        # The dot lies on the point, which tells where the view lies in the frame.
        dot = last.one("circle")
        left = target.point[1] - int(float(dot.attributes["cx"]))
        top = target.point[0] - int(float(dot.attributes["cy"]))
        rows, cols = slice(top + y, top + y + height), slice(left + x, left + x + width)
        assert rows.start >= 0
        assert cols.start >= 0
        mask = np.zeros(image.shape, bool)
        mask[target.window[0] : target.window[2], target.window[1] : target.window[3]] = target.mask
        np.testing.assert_array_equal(grey[..., 0], stretch(image[rows, cols], focus=mask[rows, cols]))
        drawn = filled(last.one("defs").one("path").attributes["d"], (side, side))
        np.testing.assert_array_equal(drawn[y : y + height, x : x + width], mask[rows, cols])
        assert drawn.sum() == target.area
        label = np.zeros(image.shape, np.float32)
        label[target.window[0] : target.window[2], target.window[1] : target.window[3]] = target.soft
        np.testing.assert_array_equal(
            embedded(soft.one("image")), heat_palette(64)[np.rint(label[rows, cols] * 63).astype(int)]
        )
        # The outline and the frame are shown twice but stored once.
        uses = [use.attributes["href"] for use in last.all("use")]
        assert uses == [
            "#" + placed.attributes["id"],
            *["#" + last.one("defs").one("path").attributes["id"]] * 2,
        ]


def test_neighbours_are_dashed_where_they_are_in_view(job):
    job.add("near.png", [(30, 30), (33, 38)])
    job.add("far.png", [(5, 5), (55, 60)], seed=1)
    page = parse(job.report())
    drawn = {tile.attributes["data-name"]: len(list(tile.all("path", cls="others"))) for tile in tiles(page)}
    assert drawn == {"near.png": 1, "far.png": 0}


def test_caption_tells_name_place_area_confidence_label_and_flags(job):
    job.add("seq/a.png", [(20, 41)], confidence=0.1234, area=1234, flags=["border", "shared"], label="ship")
    page = parse(job.report())
    (tile,) = tiles(page)
    assert tile.one("bdi").text == "seq/a.png"
    assert tile.one("span", cls="facts").text == "x 41, y 20 · 1,234 px"
    assert tile.one("span", cls="confidence").text == "0.12"
    assert [flag.text for flag in tile.all("span", cls="flag")] == ["border", "shared"]
    assert tile.one("span", cls="label").text == "ship"
    assert tile.attributes["data-flags"] == "border shared"
    spoken = tile.one("button").attributes["aria-label"]
    assert spoken == "Enlarge seq/a.png, x 41, y 20, confidence 0.12, 1,234 pixels, flags border, shared"
    offered = [o.attributes["value"] for o in page.one("select", name="flag").all("option")]
    assert offered == ["", "border", "shared"]


def test_frames_are_named(job):
    stack = BytesIO()
    pages = [Image.fromarray(scene(k, [(30, 30)])) for k in range(2)]
    pages[0].save(stack, "TIFF", save_all=True, append_images=pages[1:])
    (job.images / "s.tif").write_bytes(stack.getvalue())
    for frame in range(2):
        result = annotate_one(
            ImageFile(stack, "s.tif"), [Point(30, 30)], Recipe(THETA), frame=frame, frames=2
        )
        job.entries.append(result.entry)
    page = parse(job.report())
    assert sorted(tile.attributes["data-name"] for tile in tiles(page)) == ["s.tif", "s.tif#1"]
    first, second = (embedded(next(tile.all("image"))) for tile in tiles(page))
    assert (first != second).any()


NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a' onfocus='alert(1)",
    "&lt;b&gt;",
    "${x} $y",
]


@pytest.mark.parametrize("text", NASTY)
def test_text_of_the_user_is_never_markup(job, text):
    job.add("a.png", [(30, 30)], flags=[text], label=text)
    job.entries[0]["image"] = f"{text}.png"
    job.skip(text, text)
    page = parse(job.report())
    (tile,) = tiles(page)
    assert tile.attributes["data-name"] == f"{text}.png"
    assert tile.one("bdi").text == f"{text}.png"
    assert tile.one("span", cls="label").text == tile.one("span", cls="flag").text == text
    assert page.one("details", cls="skipped").one("td").text == text
    assert len(list(page.all("script"))) == 1
    assert not list(page.all("img"))
    assert not any(name.startswith("on") for node in page.all("button") for name in node.attributes)


def test_names_that_are_no_text_are_shown_as_escapes(job):
    job.skip("bad\udcff.png", "name is not valid text")
    assert parse(job.report()).one("details", cls="skipped").one("th").text == "bad\\udcff.png"


def test_page_asks_nothing_of_the_network(job):
    job.add("a.png", [(30, 30)])
    text = job.report().read_text()
    page = parse(job.out / "report.html")
    assert "default-src 'none'" in text
    links = [
        n.attributes.get(key, "#")
        for tag in ("image", "use", "script", "a", "link")
        for n in page.all(tag)
        for key in ("href", "src")
    ]
    assert all(link.startswith(("#", "data:image/png;base64,", "data:image/jpeg;base64,")) for link in links)
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text


def test_same_job_same_bytes(job, tmp_path):
    for k in range(3):
        job.add(f"{k}.png", [(30, 30)], seed=k)
    first = job.report().read_bytes()
    assert job.report().read_bytes() == first
    assert str(tmp_path).encode() not in first
    assert sorted(p.name for p in job.out.iterdir()) == [MANIFEST, "report.html"]


def test_empty_manifest(job):
    page = parse(job.report())
    assert numbers(page)["targets"] == "0"
    assert numbers(page)["mean confidence"] == "–"
    assert tiles(page) == []
    assert not list(page.all("figure"))
    assert "There are no targets to show." in page.one("div", cls="legend").text


def test_everything_skipped(job):
    for k in range(600):
        job.skip(f"{k:04d}.png", "file is empty; copy it again")
    page = parse(job.report())
    assert numbers(page)["skipped"] == "600"
    skipped = page.one("details", cls="skipped")
    assert "open" not in skipped.attributes
    assert len(list(skipped.all("tr"))) == 500
    assert "100 more" in skipped.text


def test_few_skipped_are_unfolded(job):
    job.skip("a.png", "file is empty; copy it again")
    assert "open" in parse(job.report()).one("details", cls="skipped").attributes


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: path.write_bytes(b""), "changed"),
        (lambda path: path.write_bytes(encode_png(scene(9, []))), "changed"),
    ],
)
def test_an_image_that_is_gone_or_changed_is_said_to_be_so(job, spoil, word):
    job.add("a.png", [(30, 30)])
    job.add("b.png", [(30, 30)], seed=1)
    spoil(job.images / "a.png")
    broken, sound = sorted(tiles(parse(job.report())), key=lambda tile: tile.attributes["data-name"])
    assert word in broken.one("span", cls="missing").text
    assert not list(broken.all("svg"))
    assert len(list(sound.all("svg"))) == 4


def test_a_large_target_is_shown_whole_and_small():
    rows, cols = np.mgrid[:600, :600]
    disc = np.hypot(rows - 300, cols - 300) < 140
    window = (150, 150, 450, 450)
    mask = disc[150:450, 150:450]
    box, area = (161, 161, 440, 440), int(mask.sum())
    large = Target((300, 300), window, mask.astype(np.float32), mask, area, box, 0.5, (), (300, 300), 0)
    reader = Reader()
    reader.feed(panels(0, disc.astype(np.uint16), Annotation((600, 600), (large,)), 0))
    svgs = list(reader.stack[0].all("svg"))
    (view,) = {svg.attributes["viewbox"] for svg in svgs[:3]}
    side = int(view.split()[2])
    for svg in svgs[:3]:
        shown = int(svg.attributes["style"].removeprefix("--shown:"))
        assert shown <= 132
        assert side % shown == 0
    assert filled(reader.stack[0].one("defs").one("path").attributes["d"], (side, side)).sum() == large.area
    *enlarged, frame = reader.stack[0].all("image")
    for picture in enlarged:
        assert max(embedded(picture).shape) <= 132
        assert side <= int(picture.attributes["width"]) < side + 4
    assert max(embedded(frame).shape) <= 132


def test_four_hundred_tiles_stay_small(job):
    for k in range(20):
        points = [(10 + 10 * (n // 5), 10 + 12 * (n % 5)) for n in range(20)]
        job.add(f"{k:02d}.png", points, seed=k)
    report = job.report()
    assert len(tiles(parse(report))) == 400
    assert report.stat().st_size < 3_000_000


def test_a_folder_without_manifest_is_an_error(job):
    with pytest.raises(OutputError, match=r"manifest\.jsonl"):
        write_report(job.out, job.images, theta=THETA, polarity="bright")
    (job.out / MANIFEST).write_text(json.dumps({"other": 1}) + "\n")
    with pytest.raises(OutputError):
        write_report(job.out, job.images, theta=THETA, polarity="bright")
