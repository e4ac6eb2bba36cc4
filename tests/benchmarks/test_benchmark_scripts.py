"""The scripts in benchmarks/: they run at small sizes, and the tables tell where we lose."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
MACHINE = {"date": "2026-01-02T03:04+00:00", "cpu": "a processor", "commit": "0123456789", "versions": {}}


def script(name, *words, **environment):
    command = [sys.executable, str(FOLDER / f"{name}.py"), *words]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )


@pytest.fixture
def load(monkeypatch):
    """Import a script as a module."""
    monkeypatch.syspath_prepend(str(FOLDER))

    def by_name(name):
        spec = importlib.util.spec_from_file_location(f"benchmark_{name}", FOLDER / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return by_name


def test_scaling_measures_every_sweep(tmp_path):
    done = script("scaling", "--quick", "--rounds", "1", "--results", str(tmp_path))
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "scaling.json").read_text())
    assert result["command"].startswith("python benchmarks/scaling.py --quick")
    assert set(result["sweeps"]) == {"targets", "targets in one frame", "window side", "image side"}
    assert result["sweeps"]["targets"]["targets"] == [10, 100]
    assert result["sweeps"]["targets in one frame"]["targets"] == [10, 100]
    assert result["sweeps"]["image side"]["targets"] == [20, 20]
    assert set(result["threads"]["targets_per_s"]) == {"1", "2"}


def test_extremes_are_measured_case_by_case(tmp_path, load):
    done = script("extremes", "--only", "rows", "--share", "0.0002", "--results", str(tmp_path))
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "extremes.json").read_text())["cases"]["rows"]["rows"]
    assert [row["size"] for row in rows] == [10, 100, 1000]
    assert all(row["cpu_s"] > 0 and row["peak_mib"] > 10 for row in rows)
    assert "a table of points; rows | 1,000 |" in (tmp_path / "extremes.md").read_text()
    grown = [{"size": n, "cpu_s": 1 + n**2 / 1e4, "peak_mib": 100 + n} for n in (0, 100, 1000)]
    assert load("extremes").growth(grown) == {"cpu_exponent": 2.0, "memory_exponent": 1.0}


def test_detectors_are_measured_one_by_one(tmp_path):
    pytest.importorskip("torch")
    words = ["--detectors", "acm_unet", "acm_fpn", "--size", "32", "--batch", "2", "--rounds", "1"]
    words += ["--threads", "1"]  # two would wait for one another on a busy machine
    done = script("detectors", *words, "--results", str(tmp_path))
    assert done.returncode == 0, done.stderr
    first, second = json.loads((tmp_path / "detectors.json").read_text())["detectors"]
    assert (first["name"], first["parameters"]) == ("acm_unet", 397_823)
    assert second["name"] == "acm_fpn"
    for row in (first, second):
        assert row["inference_s"]["1"] > 0
        assert row["step_s"]["1"] > 0
        assert 0 < row["inference_mib"] <= row["step_mib"]
    table = (tmp_path / "detectors.md").read_text().splitlines()
    assert [line.split()[1:4:2] for line in table if "acm" in line and line[0] == "|"] == [
        ["acm_unet", "397823"],
        ["acm_fpn", "387039"],
    ]


@pytest.mark.slow
def test_d2d_is_measured_against_static_masks(tmp_path):
    pytest.importorskip("torch")
    words = ["--images", "12", "--rounds", "1", "--set", "batch=4", "augment.crop=32"]
    done = script("d2d_cost", *words, "--results", str(tmp_path))
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "d2d_cost.json").read_text())
    assert result["images"] == 12
    assert result["seconds_masks"] > 0
    assert result["epochs_between_updates"] == 3  # of the preset's 20
    assert result["cycle"] == pytest.approx(result["steps"] + result["update"] / 3)


@pytest.mark.slow
def test_strategies_are_measured_against_static_masks(tmp_path):
    pytest.importorskip("torch")
    words = ["--images", "4", "--rows", "lesps", "--set", "epochs=3", "batch=2", "augment.crop=32"]
    done = script("strategy_cost", *words, "--results", str(tmp_path))
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "strategy_cost.json").read_text())
    assert result["epochs"] == 3
    seconds = result["seconds"]
    assert result["ratios"] == {"masks": 1, "lesps": seconds["lesps"] / seconds["masks"]}


def test_scale_compares_and_divides(tmp_path):
    done = script("scale", "--frames", "40", "--rounds", "1", "--results", str(tmp_path))
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "scale.json").read_text())
    assert result["frames"] == {"small": 40, "large": 40, "divided": 40}
    assert set(result["ratio"]) == {"wall", "cpu"}
    assert 0 < result["workers"]["shares"][0] < 1
    assert sum(result["workers"]["shares"]) == pytest.approx(1)
    assert result["bytes_per_frame"]["names"] > 0
    assert result["curves"]["large"]["done"][-1] == 40
    assert (tmp_path / "scale.png").stat().st_size > 1000


def test_exponent_is_the_power(load):
    scaling = load("scaling")
    assert scaling.exponent([10, 100, 1000], [0.3, 30.0, 3000.0]) == pytest.approx(2)
    assert scaling.exponent([128, 512], [0.5, 0.5]) == pytest.approx(0)


def test_jobs_hold_exactly_as_many_targets_as_asked_for(load):
    scaling = load("scaling")
    image = np.zeros((8, 8), np.uint8)
    pool = [(image, [(1, 1)] * 3), (image, [(2, 2)])]
    for targets in (1, 3, 4, 5, 11):
        assert sum(len(points) for _, points in scaling.jobs_of(pool, targets)) == targets
    ((frame, points),) = scaling.crowded(100, quick=True)
    assert len(set(points)) == 100
    assert all(frame[point] > 150 for point in points)


def test_startup_times_each_command(tmp_path):
    done = script("startup", "--rounds", "1", "--results", str(tmp_path))
    assert done.returncode == 0, done.stderr
    seconds = json.loads((tmp_path / "startup.json").read_text())["seconds"]
    assert {"pointmask --help", "import pointmask", "first annotate"} < set(seconds)


def test_quality_names_what_it_needs():
    done = script("quality", POINTMASK_SIRST3="")
    assert done.returncode == 1
    assert "POINTMASK_SIRST3 must name the folder" in done.stderr


@pytest.mark.data
def test_quality_on_real_images(tmp_path):
    if not os.environ.get("POINTMASK_SIRST3"):
        pytest.skip("set POINTMASK_SIRST3 to the folder of the SIRST3 images")
    done = script("quality", "--limit", "5", "--methods", "ours,threshold", "--results", str(tmp_path))
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "quality-val-centroid-none.json").read_text())
    assert result["data"] == "SIRST3 val"
    assert result["images"] >= 5


def row(label, size_prior="none", iou=0.5, ms=10.0, small=0.5, collapsed=0.1):
    return {
        "label": label, "size_prior": size_prior, "iou": iou, "niou": 0.5, "target_iou": 0.5,
        "collapsed": collapsed, "overgrown": 0.1, "ms_median": ms, "ms_p95": ms, "elapsed_ms_median": ms,
        "by_size": {"<=9": {"count": 3, "iou": small}}, "by_group": {"g": {"count": 3, "iou": 0.5}},
        "over_ours": {"value": ms / 0.3, "low": ms / 0.4, "high": ms / 0.2},
    }  # fmt: skip


@pytest.fixture
def results(tmp_path, load):
    """Made-up results in which D2D, told the true sizes, leads in two figures."""
    ours = row("pointmask", iou=0.7, ms=0.3)
    quality = {"data": "SIRST3 val", "protocol": "centroid", "images": 550, "targets": 785}
    sweep = {"sizes": [100, 1000], "exponent": 1.0, "ms_per_target": [0.3, 0.31]}
    contents = {
        "quality-annotation": {
            "quality": {
                "default": {
                    clicks: {name: {"groups": {"all": {"iou": 0.71}}} for name in ("val", "both")}
                    for clicks in ("centroid", "coarse")
                }
            }
        },
        "quality-val-centroid-none": {**quality, "methods": {"ours": ours, "d2d": row("D2D")}},
        "quality-val-centroid-truth": {
            **quality, "methods": {"ours": ours, "d2d": row("D2D", "truth", 0.71, small=0.9)}
        },
        "scaling": {
            "sweeps": {"targets": sweep, "targets in one frame": sweep, "window side": sweep,
                       "image side": {**sweep, "exponent": 0.4}},
            "threads": {"speed_up": 1.9},
        },
        "startup": {"seconds": {"pointmask --help": 0.1, "import pointmask": 0.1, "first annotate": 0.5}},
        "folder_job": {"ratio": 1.3},
        "memory": {"peak_mib": 300.0, "images": 20000},
        "other_sources": {"rows": [
            {"source": name, "label": label, "fitted_on": fit, "iou": iou, "niou": 0.6, "targets": 9}
            for name, higher in (("SIRST3 val", 0.0), ("far", 0.2))
            for label, fit, iou in (("pointmask, default", "masks", 0.7), ("D2D", "nothing", 0.6 + higher))
        ]},
    }  # fmt: skip
    for name, content in contents.items():
        text = json.dumps({"command": f"python benchmarks/{name}.py", "machine": MACHINE, **content})
        (tmp_path / f"{name}.json").write_text(text)
    assert set(contents) == set(load("table").SOURCES)
    return tmp_path


def test_table_is_written_between_the_markers_with_a_footnote_wherever_we_lose(results, load):
    page, readme = results / "quality.md", results / "README.md"
    for path in (page, readme):
        path.write_text("# before\n<!-- bench:begin -->\nstale figures\n<!-- bench:end -->\nafter\n")
    for _ in range(2):  # the second time over its own output
        done = script("table", "--results", str(results), "--page", str(page), "--readme", str(readme))
        assert done.returncode == 0, done.stderr
    text, first = page.read_text(), readme.read_text()
    assert text.startswith(first.partition("\n<sup>")[0])
    assert "<sup>1</sup> 2026-01-02: D2D is ahead of ours in IoU on far (0.800 against 0.700)." in first
    assert "| pooled IoU |" not in first
    assert first.endswith("<!-- bench:end -->\nafter\n")
    assert text.startswith("# before\n<!-- bench:begin -->\nIoU / nIoU from one centroid click per target")
    assert "| pointmask, default | masks | 0.700 / 0.600 | 0.700 / 0.600 |" in text
    assert "| D2D <sup>1</sup> | nothing | 0.600 / 0.600 | 0.800 / 0.600 |" in text
    assert "<sup>1</sup> 2026-01-02: D2D is ahead of ours in IoU on far (0.800 against 0.700)." in text
    assert text.index("| annotator | fitted on |") < text.index("| pooled IoU | val, centroid |")
    assert "\n550 real images, 785 targets" in text
    assert text.endswith("<!-- bench:end -->\nafter\n")
    assert "stale" not in text
    assert "| D2D | point | 0.500 |" in text
    assert "| D2D <sup>2</sup> | point, true size | 0.710 |" in text
    assert (
        "<sup>2</sup> 2026-01-02: D2D, told the true sizes, is ahead of ours in IoU (0.710 against 0.700); "
        "target IoU at <=9 px (0.900 against 0.500)."
    ) in text
    assert "<sup>3</sup> 2026-01-02: the exponent 0.40 lies outside of -0.1 to 0.1." in text
    assert "<sup>4</sup>" not in text
    assert "| peak memory over a folder of 20,000 images | 315 MB |" in text
    assert (
        "a processor, 2026-01-02, commit 0123456789: `python benchmarks/quality-val-centroid-none.py`" in text
    )


def test_table_refuses_missing_and_unknown_results_and_pages_without_markers(results):
    page, readme = results / "quality.md", results / "README.md"
    page.write_text("<!-- bench:begin -->\n<!-- bench:end -->")
    readme.write_text("no markers")
    words = ("--results", str(results), "--page", str(page), "--readme", str(readme))
    done = script("table", *words)
    assert done.returncode == 1
    assert f"{readme} has no markers" in done.stderr
    (results / "surprise.json").write_text("{}")
    assert "surprise" in script("table", *words).stderr
    (results / "startup.json").unlink()
    assert "python benchmarks/startup.py" in script("table", *words).stderr
    assert readme.read_text() == "no markers"
    assert page.read_text() == "<!-- bench:begin -->\n<!-- bench:end -->"


def test_every_result_that_is_kept_has_a_place(load):
    table = load("table")
    table.load(table.FOLDER)  # exits if one is missing or unknown


def test_tracking_judges_by_the_truth(load):
    tracking = load("tracking")
    path = np.array([[10.0, k] for k in range(6)] + [[np.nan, np.nan]] * 4)
    step = tracking.Step
    track = [step(0, 10, 0, "given", 1.0), *(step(k, 10.5, k, "tracked", 0.9) for k in (1, 2))]
    lost, wrong = step(3, 10, 3, "lost", 0.0), step(4, 12, 4, "tracked", 0.5)
    late = [step(5, 10, 5, "tracked", 0.5), step(6, 10, 6, "tracked", 0.5), step(7, 10, 6, "lost", 0.0)]
    score = tracking.judge(path, [*track, lost, wrong, *late])
    assert (score.visible, score.placed, score.near) == (5, 4, 3)
    assert (score.false_loss, score.reported, score.invented) == (True, True, 1)
    assert tracking.judge(path, track).reported is False
    assert tracking.judge(path[:6], track).reported is None


@pytest.mark.parametrize("case", ["camera", "crossing", "vanishing", "leaving"])
def test_tracking_makes_what_a_case_is_called_after(load, case):
    tracking = load("tracking")
    scene = tracking.make_case(case, "sky", 2.0, 6.0, 1)
    gone = np.isnan(scene.paths[:, :, 0])
    assert not gone[:, 0].any()
    assert gone[:, -1].any() == (case in ("vanishing", "leaving"))
    assert (np.abs(scene.camera).max() > 0.5) == (case == "camera")
    if case == "crossing":
        assert np.hypot(*(scene.paths[0] - scene.paths[1]).T).min() < 4
