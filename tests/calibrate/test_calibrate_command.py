"""The command that fits theta to a user's masks: what it reads, writes, refuses and says."""

import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from scipy import ndimage as ndi

from pointmask import cli
from pointmask.annotator.image import annotate
from pointmask.calibrate.fit import BUDGET
from pointmask.cli import calibrate as command
from pointmask.io.formats.folders.masks import centroid_points
from pointmask.synth.scenes import make_scenes
from pointmask.theta import Theta

FIXED = Theta.load("paper").with_(level=0.5, half_size=10, steps=(40,))


@pytest.fixture(scope="module")
def dilated():
    """Scenes, points, and masks one pixel wider than those of the theta to start from."""
    made = [scene for scene in make_scenes(14, seed=5, shape=(96, 96), kinds=("sky", "sea")) if scene.points]
    masks = [annotate(scene.image, scene.points, theta=FIXED).mask for scene in made]
    return [(s.image, s.points, ndi.binary_dilation(mask)) for s, mask in zip(made, masks, strict=True)]


def run(*arguments):
    return CliRunner().invoke(cli.main, ["calibrate", *map(str, arguments)])


@pytest.fixture
def folders(dilated, tmp_path):
    """Images, masks and a point list on disk; one image has no mask."""
    rows = ["image,x,y"]
    for k, (image, _, truth) in enumerate(dilated):
        for name, array in (("images", image), ("masks", truth.astype(np.uint8) * 255)):
            (tmp_path / name).mkdir(exist_ok=True)
            Image.fromarray(array).save(tmp_path / name / f"{k:02d}.png")
        rows += [f"{k:02d},{point.col},{point.row}" for point in centroid_points(truth)]
    Image.fromarray(dilated[0][0]).save(tmp_path / "images" / "unmasked.png")
    (tmp_path / "points.csv").write_text("\n".join([*rows, "unmasked,3,3"]))
    (tmp_path / "start.toml").write_text(FIXED.to_toml())
    return tmp_path


def words(base, *more):
    return (
        base / "images", "--masks", base / "masks", "--theta", base / "start.toml",
        "--out", base / "new" / "theta.toml", "--budget", 100, *more,
    )  # fmt: skip


def test_command_writes_what_it_found(folders):
    done = run(*words(folders, "--points", folders / "points.csv"))
    assert done.exit_code == 0, done.output
    assert "px of margin, kept" in done.stdout
    path = folders / "new" / "theta.toml"
    assert Theta.load(path).style > 0
    assert "px of margin, kept" in path.read_text()
    picture = path.with_name("theta.toml.svg")
    assert sorted(path.parent.iterdir()) == [path, picture]
    root = ElementTree.fromstring(picture.read_text())
    drawings = root.findall("{*}g")
    assert len(drawings) == 10
    assert all(len(drawing.findall(".//{*}path")) == 3 for drawing in drawings)


def test_dark_targets_where_bright_ones_are_looked_for(folders):
    for path in (folders / "images").iterdir():
        Image.fromarray(255 - np.asarray(Image.open(path))).save(path)
    for path in sorted((folders / "masks").iterdir())[8:]:
        path.unlink()
    call = words(folders, "--simulate", "centroid", "--overwrite")
    done = run(*call)
    assert done.exit_code == 2, done.output
    assert "on dark targets" in done.stderr
    assert done.stderr.endswith("; give --polarity dark\n")
    assert not (folders / "new").exists()
    done = run(*call, "--polarity", "dark")
    assert done.exit_code == 0, done.output
    assert "Next:" in done.stdout


def test_simulated_clicks_equal_the_list_of_the_same_clicks(folders):
    listed = run(*words(folders, "--points", folders / "points.csv"))
    clicked = run(*words(folders, "--simulate", "centroid", "--overwrite"))
    of_points = run(*words(folders, "--simulate", "centroid", "--points", folders / "masks", "--overwrite"))
    figures = [done.stdout.partition("Next:")[0] for done in (listed, clicked, of_points)]
    assert figures[0] == figures[1] == figures[2]
    assert "--simulate centroid" in clicked.stdout  # in the command that comes next


def test_out_is_not_overwritten(folders):
    out = folders / "new" / "theta.toml"
    out.parent.mkdir()
    out.write_text("precious")
    for overwrite in ((), ("--overwrite",)):
        done = run(*words(folders, "--simulate", "centroid", *overwrite))
        assert done.exit_code == 2
        assert "not what this command writes" in done.stderr
        assert out.read_text() == "precious"
    out.write_text("# pointmask calibrate\n")
    picture = out.with_name("theta.toml.svg")
    picture.write_text("precious")
    done = run(*words(folders, "--simulate", "centroid", "--overwrite"))
    assert done.exit_code == 2
    assert picture.read_text() == "precious"
    picture.unlink()
    done = run(*words(folders, "--simulate", "centroid"))
    assert done.exit_code == 2
    assert "--overwrite" in done.stderr


def test_no_mask_belongs_to_an_image(folders):
    for k, path in enumerate(sorted((folders / "masks").iterdir())):
        path.rename(path.with_name(f"{chr(ord('a') + k) * 5}.png"))
    done = run(*words(folders, "--points", folders / "points.csv"))
    assert done.exit_code == 2
    assert "names must agree" in done.stderr


def test_too_few_targets_on_the_command_line(folders):
    for path in sorted((folders / "masks").iterdir())[2:]:
        path.unlink()
    done = run(*words(folders, "--simulate", "centroid"))
    assert done.exit_code == 2
    assert "needs at least" in done.stderr
    assert not (folders / "new").exists()


def test_bad_files_are_left_out_and_named(folders):
    (folders / "images" / "00.png").write_bytes(b"no image")
    with (folders / "points.csv").open("a") as file:
        file.write("\n01,500,3")
    done = run(*words(folders, "--points", folders / "points.csv"))
    assert done.exit_code == 3, done.output
    assert "left out: 00.png" in done.stderr
    assert "left out: 01.png" in done.stderr
    assert (folders / "new" / "theta.toml").exists()


def test_points_are_needed(folders):
    done = run(*words(folders))
    assert done.exit_code == 2
    assert "--simulate" in done.stderr


def test_help_knows_the_budget_and_loads_nothing_heavy():
    assert command.BUDGET == BUDGET
    code = (
        "import sys; from click.testing import CliRunner; from pointmask.cli import main;"
        "done = CliRunner().invoke(main, ['calibrate', '--help']); assert not done.exit_code;"
        "print(sorted({'numpy', 'numba', 'rich', 'scipy', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
