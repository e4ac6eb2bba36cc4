"""The command line: exit statuses, messages, and what it does not load."""

import errno
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from tools.folders import SIZE, one, save, scenes, spot, tree, without_command

import pointmask
from pointmask import cli
from pointmask.cli import summary
from pointmask.cli.progress import logged_progress
from pointmask.executors import Progress
from pointmask.folder import worker
from pointmask.folder.job import annotate_folder
from pointmask.io.formats.tables.csv import Csv
from pointmask.io.points.points import Points
from pointmask.theta import Theta

folder = pytest.fixture(scenes)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def paths(base: Path) -> tuple[object, ...]:
    return base / "images", "--points", base / "points.csv", "--out", base / "out"


@pytest.fixture
def job(folder, tmp_path):
    """Arguments of a job that works."""
    Csv().write(folder[1], tmp_path / "points.csv")
    return paths(tmp_path)


_HEAVY = ("numba", "torch", "numpy", "PIL", "scipy", "skimage", "rich", "tifffile")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["annotate", "--help"],
        ["demo", "--help"],
        ["check", "--help"],
        ["propose", "--help"],
        ["annotate"],
        ["annotate", "images"],
        ["annotate", "images", "--points", "p.csv", "--out", "o", "--threads", "none"],
        ["annotate", "images", "--points", "p.csv", "--out", "o", "--save", "contour"],
        ["annotate", "images", "--points", "p.csv", "--out", "o", "--shard", "4/3"],
        ["nonsense"],
    ],
)
def test_help_and_argument_errors_load_nothing_heavy(arguments):
    code = (
        "import sys\n"
        "from pointmask.cli import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "except SystemExit as stop:\n"
        f"    loaded = [name for name in {_HEAVY!r} if name in sys.modules]\n"
        "    assert not loaded, loaded\n"
        "    sys.exit(stop.code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    expected = 0 if arguments[-1] in ("--help", "--version") else 2
    assert done.returncode == expected, done.stderr
    assert "Traceback" not in done.stderr


def test_help_lists_the_commands_and_what_they_do():
    shown = run("--help").output
    for name, (_, text) in cli.COMMANDS.items():
        assert re.search(rf"{name} +{re.escape(text[:30])}", shown)
        assert run(name, "--help").exit_code == 0


def test_version():
    assert pointmask.__version__ in run("--version").output


def test_a_style_is_recorded_and_makes_larger_masks(job, tmp_path):
    run("annotate", *job)
    core = sum(target["area"] for line in manifest_lines(tmp_path) for target in line["targets"])
    result = run("annotate", *job, "--style", "halo", "--overwrite")
    assert result.exit_code == 0, result.output
    assert Theta.load(tmp_path / "out" / "theta.toml").style == 0.8
    assert sum(target["area"] for line in manifest_lines(tmp_path) for target in line["targets"]) > core
    refused = run("annotate", *job, "--style", "loose")
    assert refused.exit_code == 2
    assert "choose tight, core, halo" in refused.output


def manifest_lines(folder):
    return [json.loads(line) for line in (folder / "out" / "manifest.jsonl").read_text().splitlines()]


def test_annotate_writes_masks_and_a_table(job, tmp_path):
    result = run("annotate", *job)
    assert result.exit_code == 0, result.output
    for word in ("images", "targets", "skipped", "ms per target", "images/s", "mean confidence"):
        assert re.search(rf"^{word} +\S+", result.stdout, re.MULTILINE)
    assert re.search(r"^images +12$", result.stdout, re.MULTILINE)
    assert str(tmp_path / "out/manifest.jsonl") in result.stdout
    again = run("annotate", *job)
    assert re.search(r"^images +12 \(12 done before\)$", again.stdout, re.MULTILINE)


def test_all_options_reach_the_job(job, folder, tmp_path):
    source, points = folder
    save(source / "none.png", spot())
    result = run(
        *("annotate", *job, "--theta", "paper", "--polarity", "auto", "--threads", 2, "--report"),
        *("--save", "soft, instance,overlay", "--empty-masks", "--shard", "1/1", "--format", "csv"),
    )
    assert result.exit_code == 0, result.output
    annotate_folder(
        source,
        points,
        tmp_path / "expected",
        theta="paper",
        polarity="auto",
        save=("soft", "instance", "overlay"),
        report=True,
        empty_masks=True,
    )
    assert without_command(tree(tmp_path / "out")) == without_command(tree(tmp_path / "expected"))
    assert "report.html" in result.stdout
    assert (
        run(
            "annotate", *job, "--theta", "paper", "--polarity", "auto", "--empty-masks", "--timings"
        ).exit_code
        == 0
    )


def test_simulated_points(tmp_path):
    save(tmp_path / "images/a.png", spot())
    mask = np.zeros((SIZE, SIZE), np.bool_)
    mask[18:23, 22:27] = True
    save(tmp_path / "truth/a.png", mask)
    arguments = ("annotate", tmp_path / "images", "--points", tmp_path / "truth", "--out", tmp_path / "out")
    assert run(*arguments).exit_code == 2
    result = run(*arguments, "--simulate", "centroid")
    assert result.exit_code == 0, result.output
    assert re.search(r"^targets +1$", result.stdout, re.MULTILINE)


def test_skipped_images_are_listed_and_the_status_is_3(tmp_path):
    save(tmp_path / "images/a.png", spot())
    by_image = {"a": one(), **{f"[red]missing{k:02d}": one() for k in range(30)}}
    Csv().write(Points(by_image), tmp_path / "points.csv")
    result = run(
        "annotate", tmp_path / "images", "--points", tmp_path / "points.csv", "--out", tmp_path / "out"
    )
    assert result.exit_code == 3
    assert "[red]missing19: " in result.stdout
    assert "[red]missing20: " not in result.stdout
    assert f"... and 10 more, see {tmp_path / 'out/manifest.jsonl'}" in result.stdout


def test_images_without_points_are_named_and_the_status_is_0(tmp_path):
    save(tmp_path / "images/a.png", spot())
    save(tmp_path / "images/b.png", spot())
    Csv().write(Points({"a": one()}), tmp_path / "points.csv")
    result = run(
        "annotate", tmp_path / "images", "--points", tmp_path / "points.csv", "--out", tmp_path / "out"
    )
    assert result.exit_code == 0
    assert re.search(r"Without points.*\(1\):\n  b.png", result.stdout)


def test_shards_that_are_missing_are_named(job):
    result = run("annotate", *job, "--shard", "2/3")
    assert result.exit_code == 0
    assert "Still to run before the manifest is merged: shard 1, 3" in result.stdout


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("name;p;q\na;1;2\n", "image"),
        ("", "empty"),
    ],
)
def test_tables_that_are_no_point_list(tmp_path, table, told):
    save(tmp_path / "images/a.png", spot())
    (tmp_path / "points.csv").write_text(table)
    result = run("annotate", *paths(tmp_path))
    assert result.exit_code == 2
    assert told in result.stderr
    assert "Traceback" not in result.output


def test_point_with_text_for_a_number(tmp_path):
    save(tmp_path / "images/a.png", spot())
    (tmp_path / "points.csv").write_text("image,x,y\na.png,left,2\n")
    result = run("annotate", *paths(tmp_path))
    assert result.exit_code == 3
    assert "left" in result.stdout


@pytest.mark.parametrize(
    ("images", "points", "out"),
    [
        ("nothing", "points.csv", "out"),
        ("points.csv", "points.csv", "out"),
        ("images", "nothing.csv", "out"),
        ("images", "points.csv", "images"),
        ("images", "points.csv", "points.csv"),
    ],
)
def test_unusable_arguments_end_with_2_and_a_message(tmp_path, images, points, out):
    save(tmp_path / "images/a.png", spot())
    Csv().write(Points({"a": one()}), tmp_path / "points.csv")
    before = tree(tmp_path)
    result = run("annotate", tmp_path / images, "--points", tmp_path / points, "--out", tmp_path / out)
    assert result.exit_code == 2
    assert "Error: " in result.stderr
    assert tree(tmp_path) == before


def test_full_disk_ends_with_1_and_says_how_to_go_on(job, monkeypatch):
    def full(path: Path, data: bytes, tag: str, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(worker, "write_whole", full)
        result = run("annotate", *job)
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert "run the same command again" in result.stderr
    assert run("annotate", *job).exit_code == 0


def test_control_c_ends_with_130_and_says_how_to_go_on(job, monkeypatch):
    def stop(path: Path, data: bytes, tag: str, **options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(worker, "write_whole", stop)
        result = run("annotate", *job)
    assert result.exit_code == 130
    assert "run the same command again" in result.stderr
    assert run("annotate", *job).exit_code == 0


def test_compiling_is_told_once(job, monkeypatch):
    monkeypatch.setattr(summary, "is_compiled", lambda: False)
    assert "Compiling kernels once" in run("annotate", *job).stderr
    monkeypatch.setattr(summary, "is_compiled", lambda: True)
    assert "Compiling" not in run("annotate", *job).stderr


def test_log_lines_off_a_terminal(capsys):
    show = logged_progress(every=0.0)
    show(Progress(50, 200, 70, 3))
    assert re.fullmatch(
        r"50 of 200 images, [\d,]+ images/s, [\d:]+ left, 3 skipped\n", capsys.readouterr().err
    )
    logged_progress(every=60.0)(Progress(50, 200, 70, 3))
    assert capsys.readouterr().err == ""


def test_demo_makes_everything_it_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("demo", "here")
    assert result.exit_code == 0, result.output
    for path in re.findall(r"here/\S+", result.stdout):
        assert Path(path).exists(), path
    assert len(list(Path("here/images").iterdir())) == 5
    assert len(list(Path("here/result/masks").iterdir())) == 5
    assert "report.html" in result.stdout
    before = tree(tmp_path)
    again = run("demo", "here")
    assert again.exit_code == 2
    assert "pointmask demo here --overwrite" in again.stderr
    assert run("demo", "here", "--overwrite").exit_code == 0
    assert tree(tmp_path) == before


def test_demo_makes_scenes_to_train_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("demo", "here", "--scenes", "3", "--seed", "5")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in Path("here").glob("[!.]*")) == ["images", "masks", "points.csv"]
    assert len(list(Path("here/images").iterdir())) == len(list(Path("here/masks").iterdir())) == 3
    before = tree(tmp_path)
    again = run("demo", "here", "--scenes", "3", "--seed", "5")
    assert "pointmask demo here --scenes 3 --seed 5 --overwrite" in again.stderr
    assert run("demo", "here", "--scenes", "3", "--seed", "5", "--overwrite").exit_code == 0
    assert tree(tmp_path) == before
    assert run("check", "here/images", "--masks", "here/masks", "--points", "here/points.csv").exit_code == 0


def test_demo_in_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    assert run("demo", tmp_path / "file").exit_code == 2
