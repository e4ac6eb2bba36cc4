"""A format of another package is taken up wherever ours are; a broken one is named, and the rest works."""

import os
import re
import subprocess
import sys
from functools import cached_property
from textwrap import dedent

import numpy as np
import pytest
from click.testing import CliRunner
from tools.folders import one, save, spot, tree
from tools.formats.vendor import document, install
from tools.masks import patch

from pointmask.cli import main
from pointmask.errors import OutputError, PluginError, PluginWarning, PointsError
from pointmask.folder.job import annotate_folder
from pointmask.io.formats import read_points, recognise
from pointmask.io.formats.base import Format, checked
from pointmask.io.formats.convert import convert
from pointmask.io.formats.find import find_points
from pointmask.io.formats.labelled import LabelledImage, LabelledTarget, Patch
from pointmask.io.formats.registry import FORMATS, layouts, saved_as
from pointmask.io.formats.tools.coco import Coco
from pointmask.io.points.points import Point, Points

GOOD = {"vendor": "vendor_formats:Vendor"}
BROKEN = {"off": "vendor_broken:Camera", **GOOD}
POINTS = document(
    {
        "key": "a.png",
        "shape": [9, 9],
        "targets": [{"point": [1, 2, "ship"], "mask": None, "confidence": None, "label": "ship"}],
    }
)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Installs entry points of another package, for this test alone."""
    folder = tmp_path / "site"

    def put(formats):
        install(folder, formats)
        monkeypatch.syspath_prepend(str(folder))
        cached = {key for key, value in vars(type(FORMATS)).items() if isinstance(value, cached_property)}
        fresh = {key: value for key, value in vars(FORMATS).items() if key not in cached}
        monkeypatch.setattr(FORMATS, "__dict__", fresh | {"_loaded": {}, "_warned_of": set()})
        return folder

    yield put
    for name in ("vendor_formats", "vendor_broken"):
        sys.modules.pop(name, None)


def test_the_example_for_authors_of_formats_works(tmp_path):
    example = dedent(Format.__doc__.partition("points.py\n")[2].partition("    Formats are asked")[0])
    names = {}
    exec(example, names)
    form = checked("vendor", names["VendorFormat"])
    mask = np.zeros((9, 9), np.bool_)
    mask[3, 4:6] = True
    image = LabelledImage("a.png", 0, (9, 9), (LabelledTarget(Point(3, 4), Patch.crop(mask)),))
    form.write_masks([image], tmp_path / form.saved_as)
    assert (tmp_path / "vendor.vnd").read_text() == "a.png 3 4\na.png 3 5\n"
    assert form.sniff(tmp_path / "vendor.vnd")
    assert dict(form.read(tmp_path / "vendor.vnd")) == {"a.png": (Point(12, 7),)}


def help_of(command):
    wide = {"terminal_width": 10_000, "max_content_width": 10_000}
    return CliRunner().invoke(main, [command, "--help"], **wide).output


def option(text, name):
    """Help of one option."""
    return re.search(rf"^ +{name}.*", text, re.MULTILINE)[0]


def test_it_is_named_wherever_formats_are(installed):
    installed(GOOD)
    annotate, convert_ = help_of("annotate"), help_of("convert")
    assert " vendor." in option(annotate, "--points-format")
    assert " vendor (vendor.vnd);" in option(annotate, "--save")
    assert re.search(r"one file: [^;]* vendor[,;]", option(convert_, "--to"))
    assert " vendor." in option(convert_, "--from")
    assert " vendor." in option(help_of("check"), "--points-format")
    assert saved_as()["vendor"] == "vendor.vnd"
    assert [*saved_as()].index("vendor") < [*saved_as()].index("labelme")
    assert layouts()["vendor"] == "file"
    with pytest.raises(PointsError, match=r"cannot be written; choose one of .*vendor"):
        convert(__file__, "out", "via", format="vendor")


def test_it_is_recognised_read_and_searched_for(installed, tmp_path):
    installed(GOOD)
    data = tmp_path / "data"
    save(data / "images" / "a.png", spot(9, 9))
    (data / "clicks.vnd").write_text(POINTS)
    assert recognise(data / "clicks.vnd") == "vendor"
    found = read_points(data / "clicks.vnd")
    assert dict(found) == {"a.png": (Point(1, 2, "ship"),)}
    assert found.source.endswith("clicks.vnd (targets of Vendor's camera)")
    assert find_points(data, data / "images", "a test") == found
    (data / "empty.vnd").write_text("")  # recognised by its suffix alone
    assert recognise(data / "empty.vnd") == "vendor"


def test_it_makes_the_round_trip(installed, tmp_path):
    installed(GOOD)
    target = LabelledTarget(Point(1, 2, "ship"), patch(["###", "#.#", "###"], 0, 1), 0.75)
    lone = LabelledTarget(None, patch(["#.", "##"], 4, 4), 0.5, "bird")
    images = [LabelledImage("a.png", 0, (6, 7), (target, lone)), LabelledImage("s.tif", 3, (6, 7), ())]
    Coco().write_masks(images, tmp_path / "a.json")
    there = convert(tmp_path / "a.json", tmp_path / "a.vnd", "vendor")
    back = convert(tmp_path / "a.vnd", tmp_path / "b.json", "coco")
    assert (there.written, back.recognised) == ("targets of Vendor's camera",) * 2
    assert (there.lost, back.lost) == ((), ())
    assert (tmp_path / "b.json").read_bytes() == (tmp_path / "a.json").read_bytes()


def test_a_job_saves_it(installed, tmp_path):
    installed(GOOD)
    save(tmp_path / "images" / "a.png", spot())
    points, out = Points({"a.png": one()}), tmp_path / "out"
    summary = annotate_folder(tmp_path / "images", points, out, save=("vendor", "coco"))
    assert summary.documents == {"coco": out / "coco.json", "vendor": out / "vendor.vnd"}
    (ours,) = Coco().read_masks(out / "coco.json", {})
    (theirs,) = FORMATS.load("vendor").read_masks(out / "vendor.vnd", {})
    np.testing.assert_array_equal(theirs.mask, ours.mask)
    assert theirs.mask.any()
    before = tree(out)
    annotate_folder(tmp_path / "images", points, out, save=("vendor", "coco"))
    assert tree(out) == before
    (out / "vendor.vnd").write_text("mine")
    with pytest.raises(OutputError, match="was changed since"):
        annotate_folder(tmp_path / "images", points, out, save=("vendor",))


def test_a_broken_one_is_passed_over_with_one_warning(installed, tmp_path):
    installed(BROKEN)
    (tmp_path / "a.vnd").write_text(POINTS)
    (tmp_path / "a.csv").write_text("image,x,y\na.png,1,2\n")
    assert recognise(tmp_path / "a.csv") == "csv"  # ours are asked first, so nothing was lost
    with pytest.warns(PluginWarning) as caught:
        assert recognise(tmp_path / "a.vnd") == "vendor"
    (warning,) = caught
    assert dict(read_points(tmp_path / "a.vnd")) == {"a.png": (Point(1, 2, "ship"),)}  # warns no more
    for word in ("'off'", "vendor-camera", "RuntimeError: the camera is off", "everything else works"):
        assert word in str(warning.message)


def test_one_that_fails_to_recognise_is_passed_over(installed, tmp_path):
    installed({"clumsy": "vendor_formats:Clumsy", **GOOD})
    (tmp_path / "a.vnd").write_text(POINTS)
    with pytest.warns(
        PluginWarning, match=r"a\.vnd: format 'clumsy' of the package vendor-camera .*IndexError"
    ):
        assert recognise(tmp_path / "a.vnd") == "vendor"


def test_a_broken_one_that_is_named_is_an_error(installed, tmp_path):
    installed(BROKEN)
    (tmp_path / "a.csv").write_text("image,x,y\na.png,1,2\n")
    save(tmp_path / "images" / "a.png", spot())
    for use in (
        lambda: read_points(tmp_path / "a.csv", format="off"),
        lambda: convert(tmp_path / "a.csv", tmp_path / "out", "off"),
        lambda: convert(tmp_path / "a.csv", tmp_path / "out", "csv", format="off"),
        lambda: annotate_folder(tmp_path / "images", Points({}), tmp_path / "out", save=("mask", "off")),
    ):
        with pytest.raises(PluginError, match=r"'off' of the package vendor-camera .*the camera is off"):
            use()
    arguments = ["annotate", str(tmp_path / "images"), "--points", str(tmp_path / "a.csv")]
    result = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "out"), "--save", "off"])
    assert result.exit_code == 2
    assert "the camera is off" in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("no_class", "is no subclass of pointmask.io.formats.base.Format"),
        ("Nameless", "the name of Nameless is 'another'; let it agree with the name of the entry"),
        ("Mute", "has no description"),
        ("Boastful", "but it defines methods to read masks and read points and write masks"),
        ("Shapeless", "its layout is ''; name what it writes"),
        ("Saving", "but cannot write masks"),
    ],
)
def test_what_does_not_keep_its_promise_is_refused(installed, entry, said):
    installed({entry.lower(): f"vendor_formats:{entry}"})
    with pytest.raises(PluginError, match=re.escape(said)):
        FORMATS.load(entry.lower())


def test_in_a_process_of_its_own(installed, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(installed(BROKEN))}
    (tmp_path / "a.vnd").write_text(POINTS)

    def run(*arguments):
        command = [sys.executable, "-c", "from pointmask.cli import main; main()", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    done = run("convert", tmp_path / "a.vnd", tmp_path / "a.csv", "--to", "csv")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.csv").read_text() == "image,x,y,label\na.png,2,1,ship\n"
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(
        "Warning: annotation format 'off' of the package vendor-camera cannot be used"
    )
    assert "vendor" in run("annotate", "--help").stdout


def test_nobody_is_warned_who_does_not_need_it(installed, tmp_path):
    installed(BROKEN)
    save(tmp_path / "images" / "a.png", spot())
    (tmp_path / "a.csv").write_text("image,x,y\na.png,20,20\n")
    annotate_folder(tmp_path / "images", tmp_path / "a.csv", tmp_path / "out", save=("mask", "coco"))
    convert(tmp_path / "a.csv", tmp_path / "a.jsonl", "jsonl")
    assert FORMATS.package_of("off") == "vendor-camera"
