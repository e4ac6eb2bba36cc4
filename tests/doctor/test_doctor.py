"""What `check` recognises, what it finds wrong, and its exit status."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from PIL import Image
from tools.folders import SIZE, one, save, spot, tree

from pointmask import cli
from pointmask.doctor import Finding, examine
from pointmask.errors import ImageError
from pointmask.io.formats.tables.csv import Csv
from pointmask.io.points.points import Point, Points


@pytest.fixture
def images(tmp_path: Path) -> Path:
    save(tmp_path / "images/a.png", spot())
    save(tmp_path / "images/b.png", spot(shape=(40, 30)))
    return tmp_path / "images"


def finding(found: tuple[Finding, ...], word: str) -> Finding:
    return next(item for item in found if word in item.what)


def disc() -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[18:23, 22:27] = 255
    return mask


def test_sound_folder(images, tmp_path):
    save(tmp_path / "masks/a.png", disc())
    save(tmp_path / "masks/b.png", disc()[:40, :30])
    diagnosis = examine(images, Points({"a": one(), "b": one()}), tmp_path / "masks")
    assert diagnosis.findings == ()
    assert diagnosis.is_healthy
    assert [(group.role, group.kind, group.files) for group in diagnosis.groups] == [
        ("images", "png L, read as uint8", 2),
        ("masks", "png L, read as uint8", 2),
    ]
    assert diagnosis.groups[0].sizes == {(SIZE, SIZE): 1, (40, 30): 1}


def test_kinds_bit_depths_and_frames(tmp_path):
    folder = tmp_path / "images"
    save(folder / "deep.png", spot().astype(np.uint16) * 200)
    Image.fromarray(np.stack([spot(), spot(), 255 - spot()], 2)).save(folder / "colour.png")
    tifffile.imwrite(folder / "seq.tiff", np.stack([spot()] * 3).astype(np.float32), photometric="minisblack")
    np.save(folder / "plain.npy", spot().astype(np.float64))
    found = {group.kind: (group.files, group.frames) for group in examine(folder).groups}
    assert found == {
        "png RGB, read as float32": (1, 1),
        "npy, read as float64": (1, 1),
        "png I;16, read as uint16": (1, 1),
        "tiff F, read as float32": (1, 3),
    }


def test_every_kind_of_bad_image(images):
    good = (images / "a.png").read_bytes()
    (images / "cut.png").write_bytes(good[: len(good) // 2])
    (images / "zero.png").write_bytes(b"")
    tifffile.imwrite(images / "a.tif", spot())
    save(images / "flat.png", np.full((9, 9), 3, np.uint8))
    holes = spot().astype(np.float32)
    holes[0, :3] = np.nan
    tifffile.imwrite(images / "holes.tif", holes)
    diagnosis = examine(images)
    assert not diagnosis.is_healthy
    assert len(finding(diagnosis.findings, "cannot be read").items) == 2
    assert finding(diagnosis.findings, "suffix").items == ("a.png, a.tif",)
    assert finding(diagnosis.findings, "constant").items == ("flat.png: 3 everywhere",)
    assert finding(diagnosis.findings, "NaN").items == ("holes.tif: 3 of 2,304 pixels",)
    kinds = ["unreadable", "stems", "constant", "not finite", "copies", "near"]
    assert [item.kind for item in diagnosis.findings] == kinds
    assert [item.is_problem for item in diagnosis.findings] == [True, True, False, False, False, False]


def test_points_that_do_not_fit(images):
    points = Points(
        {"a": (Point(20, 24), Point(5, SIZE)), "c.png": one(), "b.png#2": one()},
        rejected={"b.png": "row 7 is bad"},
    )
    diagnosis = examine(images, points)
    assert finding(diagnosis.findings, "outside").items == ("a.png: x 48, y 5 in 48 x 48 pixels",)
    unpaired = finding(diagnosis.findings, "do not fit").items
    assert [item.partition(":")[0] for item in unpaired] == ["b.png", "c.png"]
    assert "row 7 is bad" in unpaired[0]


def test_frame_that_is_not_there(images):
    assert (
        "no frame 2" in finding(examine(images, Points({"b.png#2": one()})).findings, "do not fit").items[0]
    )


def test_images_without_points_are_a_note(images):
    diagnosis = examine(images, Points({"a": one()}))
    assert finding(diagnosis.findings, "no points").items == ("b.png",)
    assert diagnosis.is_healthy


def test_masks_that_do_not_fit(images, tmp_path):
    for name in ("c", "d", "e", "f"):
        save(images / f"{name}.png", spot())
    save(tmp_path / "masks/a.png", disc()[:-1])
    save(tmp_path / "masks/c.png", disc() // 255)
    save(tmp_path / "masks/d.png", np.zeros((SIZE, SIZE), np.uint8))
    grey = disc()
    grey[18, 22:27] = (1, 60, 127, 128, 254)
    save(tmp_path / "masks/e.png", grey)
    save(tmp_path / "masks/stranger.png", disc())
    save(tmp_path / "masks/f.png", disc())
    Image.fromarray(disc()).save(tmp_path / "masks/f.bmp")
    found = examine(images, masks=tmp_path / "masks").findings
    assert finding(found, "size").items == ("a.png: 48 x 47, image a.png: 48 x 48; cropped",)
    assert finding(found, "above half").items == ("c.png: largest value 1",)
    assert finding(found, "empty").items == ("d.png: largest value 0",)
    assert finding(found, "binary").items == (
        "e.png: 7 values from 0 to 255, 5 pixels between; 22 pixels above half, 25 above 0",
    )
    assert finding(found, "no image").items == ("stranger.png",)
    assert finding(found, "no mask").items == ("b.png",)
    assert finding(found, "several masks").items[0].startswith("f.png: f.bmp")
    assert [item.what for item in found if item.is_problem] == [
        finding(found, word).what for word in ("size", "above half", "several masks", "binary")
    ]


def test_masks_whose_background_is_white(images, tmp_path):
    for name in ("a", "b"):
        save(
            tmp_path / f"masks/{name}.png",
            255 - disc()[: 40 if name == "b" else None, : 30 if name == "b" else None],
        )
    found = finding(examine(images, None, tmp_path / "masks").findings, "more than half")
    assert found.is_problem
    assert "255 minus" in found.fix
    assert len(found.items) == 2


def test_masks_inside_the_image_folder_are_not_images(images):
    save(images / "masks/a.png", disc())
    assert examine(images, masks=images / "masks").groups[0].files == 2


def test_missing_folder(tmp_path):
    with pytest.raises(ImageError, match="does not exist"):
        examine(tmp_path / "nothing")


def test_command(images, tmp_path):
    def run(*arguments):
        return CliRunner().invoke(cli.main, ["check", str(images), *map(str, arguments)])

    Csv().write(Points({"a": one()}), tmp_path / "points.csv")
    before = tree(tmp_path)
    sound = run("--points", tmp_path / "points.csv")
    assert sound.exit_code == 0, sound.output
    assert "note: 1 image has no points\n  b.png\n  What to do: " in sound.stdout
    assert "No problems, 1 note." in sound.stdout
    assert tree(tmp_path) == before
    for k in range(7):
        (images / f"bad{k}.png").write_bytes(b"no image")
    bad = run()
    assert bad.exit_code == 3
    assert "PROBLEM: 7 files cannot be read" in bad.stdout
    assert "... and 2 more (--all lists them)" in bad.stdout
    assert "bad6.png" in run("--all").stdout
    assert re.search(r"images +png L, read as uint8 +2 +2", bad.stdout)
    assert CliRunner().invoke(cli.main, ["check", str(tmp_path / "nothing")]).exit_code == 2


def test_a_check_and_its_cure_load_no_kernel(images, tmp_path):
    """Nothing is compiled to look at files, so that a check starts at once on any machine."""
    save(tmp_path / "masks" / "a.png", spot())
    save(tmp_path / "masks" / "b.png", np.where(spot() > 0, 200, 0).astype(np.uint8))
    (tmp_path / "points.csv").write_text("image,x,y\na,5,5\nb,5,5\n")
    words = ["check", images, "--masks", tmp_path / "masks", "--points", tmp_path / "points.csv"]
    code = (
        "import sys\n"
        "from pointmask.cli import main\n"
        "try:\n"
        f"    main({[*map(str, words), '--fix', str(tmp_path / 'fixed')]!r})\n"
        "except SystemExit as stop:\n"
        "    loaded = [name for name in sys.modules if name.startswith(('numba', 'pointmask.kernels'))]\n"
        "    assert not loaded, loaded\n"
        "    assert 'pointmask.doctor.fix' in sys.modules\n"
        "    sys.exit(stop.code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    assert (tmp_path / "fixed").is_dir()
