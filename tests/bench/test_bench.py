"""The bench: what is passed to whom, what is counted, and what its tables and files say."""

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from rich.console import Console

from pointmask.advice import install
from pointmask.annotator.target import Annotation, Target
from pointmask.bench.baselines.registry import BASELINES, READY
from pointmask.bench.baselines.threshold import Threshold
from pointmask.bench.cases import Case, LazyCase, folder_sources, scene_sources
from pointmask.bench.chart import chart_png
from pointmask.bench.report import (
    figure,
    heading,
    markdown,
    milliseconds,
    percent,
    tables,
    times_ours,
    to_json,
)
from pointmask.bench.run import REPEATS, BenchRun, MethodTally, run_bench
from pointmask.bench.summary import ratio_of_medians, summarise
from pointmask.cli import main
from pointmask.cli.measuring import bench as cli
from pointmask.errors import ImageError, MethodError, PointsError
from pointmask.metrics.counters import Score
from pointmask.metrics.targets import SIZE_CLASSES
from pointmask.theta import Theta

QUICK = ("ours", "threshold")


@pytest.fixture
def folder(tmp_path):
    """Three images with masks, named as in two data sets, one of them in colour."""
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for k, name in enumerate(("Misc_1", "Misc_2", "000001")):
        truth = np.zeros((40, 50), np.uint8)
        truth[10:13, 20 + k : 24 + k] = 255
        image = np.full((40, 50), 40, np.uint8) + truth // 2
        if k == 1:
            image = np.stack([image, image // 2, image], axis=2)
        Image.fromarray(image).save(tmp_path / "images" / f"{name}.png")
        Image.fromarray(truth).save(tmp_path / "masks" / f"{name}.png")
    return tmp_path


def square(point, shape, side):
    """A made-up annotation: a square of `side` pixels with the point in its corner."""
    row, col = point
    box = (row, col, min(row + side, shape[0]), min(col + side, shape[1]))
    mask = np.ones((box[2] - row, box[3] - col), bool)
    return Target(point, box, mask.astype(np.float32), mask, int(mask.sum()), box, 1.0, (), point, 0)


def case(points, truth, name="a", reps=1):
    image = np.zeros(truth.shape, np.uint8)
    return LazyCase(name, lambda: Case(name, "g", image, image, truth, [points] * reps))


@pytest.fixture
def fake_methods(monkeypatch):
    """Replace ours and threshold by functions that log how they were called."""
    log = []

    def ours(image, points, *, theta):
        assert isinstance(theta, Theta)
        log.append(("ours", tuple(points), {}))
        return Annotation(image.shape, tuple(square(p, image.shape, 2) for p in points))

    def threshold(self, image, points, **keywords):
        log.append(("threshold", tuple(points), keywords))
        return Annotation(image.shape, tuple(square(p, image.shape, 3) for p in points))

    monkeypatch.setattr("pointmask.bench.baselines.ours.annotate", ours)
    monkeypatch.setattr(Threshold, "annotate", threshold)
    return log


def test_the_command_line_compares_all_methods_of_this_package_and_names_every_one():
    option = next(p for p in main.get_command(None, "bench").params if p.name == "methods")
    assert tuple(option.default.split(",")) == READY
    shown = " ".join(CliRunner().invoke(main, ["bench", "--help"]).stdout.split())
    assert f"separated by commas: {', '.join(BASELINES)}." in shown


def test_methods_take_turns_target_by_target_and_are_scored_on_the_whole_image(fake_methods):
    truth = np.zeros((20, 20), bool)
    truth[2:4, 2:4] = truth[10:12, 10:12] = True
    run = run_bench([case([(2, 2), (10, 10)], truth)], QUICK, seeds=1)
    last = 2 + 4 * REPEATS
    warm, timed, whole = fake_methods[:2], fake_methods[2:last:REPEATS], fake_methods[last:]
    for k in range(2, last, REPEATS):  # the repeated calls of one turn are the same call
        assert all(call[:2] == fake_methods[k][:2] for call in fake_methods[k : k + REPEATS])
    assert [name for name, _, _ in warm] == ["ours", "threshold"]
    assert [(name, points) for name, points, _ in timed] == [
        ("threshold", ((2, 2),)),
        ("ours", ((2, 2),)),
        ("ours", ((10, 10),)),
        ("threshold", ((10, 10),)),
    ]
    assert {points for _, points, _ in whole} == {((2, 2), (10, 10))}
    assert (run.images, run.targets) == (1, 2)
    ours = run.tallies["ours"]
    assert ours.scores[0]["g"].iou == 1.0
    assert run.tallies["threshold"].scores[0]["g"].iou == 8 / 18
    assert [t.iou for t in run.tallies["threshold"].targets[0]] == [4 / 9, 4 / 9]
    assert len(ours.ms) == len(ours.elapsed_ms) == 2


def test_one_point_is_called_once_for_both_time_and_score(fake_methods):
    truth = np.zeros((20, 20), bool)
    truth[2:4, 2:4] = True
    run_bench([case([(2, 2)], truth, "a"), case([(2, 2)], truth, "b")], ["ours"])
    assert len(fake_methods) == 1 + 2 * REPEATS  # one to warm up, two measured


def test_seeds_repeat_everything_with_other_random_numbers(fake_methods):
    truth = np.zeros((20, 20), bool)
    truth[2:4, 2:4] = True
    run = run_bench([case([(2, 2)], truth, reps=3)], QUICK, seeds=3)
    seeds = {keywords["seed"] for name, _, keywords in fake_methods if name == "threshold"}
    assert len(seeds) == 3
    assert len(run.tallies["ours"].ms) == 3
    assert (run.images, run.targets) == (1, 1)


@pytest.mark.parametrize(("kind", "told"), [("none", "spot"), ("truth", "extended")])
def test_only_a_size_prior_tells_sizes_and_ours_never_hears_of_it(fake_methods, kind, told):
    truth = np.zeros((60, 60), bool)
    truth[20:32, 20:32] = True
    run_bench([case([(25, 25)], truth)], QUICK, size_prior=kind)
    priors = [keywords["size_prior"] for name, _, keywords in fake_methods if name == "threshold"]
    assert {prior.target_class for (prior,) in priors} == {told}
    assert all(keywords == {} for name, _, keywords in fake_methods if name == "ours")


def test_a_case_that_fails_is_left_out_for_all_methods_and_named(fake_methods):
    def broken():
        raise ImageError("cut short")

    truth = np.zeros((20, 20), bool)
    truth[2:4, 2:4] = True
    seen = []
    run = run_bench(
        [LazyCase("bad.png", broken), case([(2, 2)], truth)], QUICK, tick=lambda r: seen.append(r.images)
    )
    assert run.skipped == [("bad.png", "ImageError: cut short")]
    assert seen == [0, 1]
    assert len(run.tallies["ours"].ms) == 1


def test_a_point_without_truth_counts_in_iou_but_not_per_target(fake_methods):
    run = run_bench([case([(2, 2)], np.zeros((20, 20), bool))], ["ours"])
    assert run.without_truth == 1
    assert run.tallies["ours"].scores[0]["g"].iou == 0.0
    assert run.tallies["ours"].targets == [[]]
    assert summarise(run, data="d", protocol="p", command="c")["methods"]["ours"]["target_iou"] is None


def test_a_busy_machine_is_told_of():
    tally = MethodTally([{"g": Score(intersection=1, union=2)}], [[]], ms=[1.0, 1.0], elapsed_ms=[1.0, 2.0])
    busy = summarise(BenchRun({"ours": tally}, "none", 1), data="d", protocol="p", command="c")
    assert busy["notes"][0].startswith("Elapsed time was 1.50 x processor time")
    assert (busy["methods"]["ours"]["ms_median"], busy["methods"]["ours"]["elapsed_ms_median"]) == (1.0, 1.5)
    tally.elapsed_ms = [1.0, 1.1]
    assert not summarise(BenchRun({"ours": tally}, "none", 1), data="d", protocol="p", command="c")["notes"]


def test_unknown_method_is_refused():
    with pytest.raises(MethodError, match="no method is called 'x'; choose one of ours"):
        run_bench([], ["x"])


def test_points_must_have_been_drawn_for_every_seed():
    with pytest.raises(ValueError, match="1 lists of points for 2 seeds"):
        run_bench(scene_sources(1), ["ours"], seeds=2)


def test_folder_is_paired_grouped_and_read_as_the_originals_do(folder):
    cases = [source.load() for source in folder_sources(folder / "images", folder / "masks")]
    assert [(c.name, c.group) for c in cases] == [
        ("000001.png", "NUDT-SIRST"),
        ("Misc_1.png", "SIRST-v1"),
        ("Misc_2.png", "SIRST-v1"),
    ]
    assert [c.points[0] for c in cases] == [[(11, 23)], [(11, 21)], [(11, 22)]]
    assert all(c.colour.shape == (40, 50, 3) for c in cases)
    assert cases[1].image.dtype == np.uint8
    assert cases[2].image.ndim == 2


def test_sixteen_bits_are_not_cut_to_eight(folder):
    deep = np.zeros((40, 50), np.uint16)
    deep[11, 22] = 3000
    Image.fromarray(deep).save(folder / "images" / "Misc_1.png")
    (loaded,) = [
        s.load() for s in folder_sources(folder / "images", folder / "masks") if s.name == "Misc_1.png"
    ]
    assert loaded.colour is loaded.image
    assert loaded.image.max() == 3000


def test_listed_points_choose_the_images_and_what_does_not_fit_is_named(folder):
    points = folder / "points.csv"
    points.write_text("image,x,y\nMisc_1.png,21,11\nMisc_2.png,x,11\nelsewhere.png,1,1\n")
    (folder / "masks" / "000001.png").unlink()
    sources = folder_sources(folder / "images", folder / "masks", points, seeds=2)
    run = run_bench(sources, ["ours"], seeds=2)
    assert (run.images, run.targets) == (1, 1)
    reasons = dict(run.skipped)
    assert set(reasons) == {"Misc_2.png", "elsewhere.png"}
    assert "no image of this name" in reasons["elsewhere.png"]
    points.write_text("image,x,y\n000001.png,22,11\n")
    with pytest.raises(ImageError, match="no mask"):
        folder_sources(folder / "images", folder / "masks", points)[0].load()
    points.write_text("image,x,y\nelsewhere.png,22,11\n")
    with pytest.raises(PointsError, match="pointmask check"):
        folder_sources(folder / "images", folder / "masks", points)


def test_mask_of_another_size_is_refused(folder):
    Image.fromarray(np.zeros((4, 9), np.uint8)).save(folder / "masks" / "Misc_1.png")
    points = folder / "points.csv"
    points.write_text("image,x,y\nMisc_1,21,11\n")
    with pytest.raises(ImageError, match=r"9 x 4 pixels.*export it again"):
        folder_sources(folder / "images", folder / "masks", points)[0].load()


def test_scenes_give_each_seed_its_own_coarse_points():
    (source,) = scene_sources(1, protocol="coarse", seeds=4)
    scene = source.load()
    assert len(scene.points) == 4
    assert len({tuple(points) for points in scene.points}) > 1
    assert all(scene.truth[point] for points in scene.points for point in points)
    again = source.load()
    assert again.points == scene.points


def test_ratio_of_medians_and_its_interval():
    ratio = ratio_of_medians([10.0, 20.0, 30.0, 40.0, 50.0], [1.0, 2.0, 3.0, 4.0, 5.0])
    assert ratio == {"value": 10.0, "low": 10.0, "high": 10.0}
    rng = np.random.default_rng(3)
    noisy = ratio_of_medians(list(rng.uniform(5, 15, 300)), list(rng.uniform(0.5, 1.5, 300)))
    assert 8 < noisy["low"] < noisy["value"] < noisy["high"] < 12


@pytest.fixture(scope="module")
def summary():
    run = run_bench(scene_sources(2, seeds=2), READY, size_prior="truth", seeds=2)
    return summarise(run, data="built-in scenes", protocol="centroid", command="pointmask bench")


def test_summary_of_all_methods_is_plain_and_complete(summary):
    assert json.loads(to_json(summary)) == json.loads(json.dumps(summary))
    assert set(summary["methods"]) == set(READY)
    for row in summary["methods"].values():
        assert 0 <= row["iou"] <= 1
        assert 0 < row["ms_median"] <= row["ms_p95"]
        assert tuple(row["by_size"]) == SIZE_CLASSES
        assert sum(part["count"] for part in row["by_size"].values()) == summary["targets"]
    assert summary["methods"]["ours"]["over_ours"]["value"] == 1.0
    assert summary["methods"]["ours"]["iou_sd"] == 0.0
    assert {name for name, row in summary["methods"].items() if row["size_prior"] == "truth"} == {
        "mclc", "d2d", "threshold"
    }  # fmt: skip
    assert {"cpu", "versions", "date", "cores", "commit", "system"} == set(summary["machine"])


def test_every_heading_says_that_true_sizes_were_used(summary):
    assert "SIZE PRIOR 'truth' FROM THE TRUE MASKS" in heading(summary)
    assert all("size prior 'truth' from the true masks" in table.title for table in tables(summary))
    text = markdown(summary)
    assert text.startswith("# built-in scenes: 2 images")
    assert all("size prior 'truth'" in line for line in text.splitlines() if line.startswith("## "))
    assert (
        "given to MCLC, D2D Monte-Carlo and threshold; pointmask, COM and PG-C2F get the point only." in text
    )
    assert "point only" in heading({**summary, "size_prior": "none"})


def test_tables_show_the_figures(summary):
    console = Console(width=200, record=True, file=StringIO())
    for table in tables(summary):
        console.print(table)
    text = console.export_text()
    for row in summary["methods"].values():
        assert row["label"] in text
        assert f"{row['iou']:.3f}" in text
        assert figure(row["by_size"][">81"]["iou"]) in text


def test_chart_is_a_picture_that_follows_the_figures(summary):
    chart = chart_png(summary)
    assert chart.startswith(b"\x89PNG")
    assert chart == chart_png(summary)
    without_times = {**summary, "methods": {"ours": {**summary["methods"]["ours"], "ms_median": None}}}
    assert chart_png(without_times) != chart


def test_numbers_are_written_with_the_digits_they_deserve():
    assert [milliseconds(v) for v in (None, 0.0812, 1.0, 29.61, 546.2, 1230.4)] == [
        "-", "0.0812", "1.00", "29.6", "546", "1230"
    ]  # fmt: skip
    assert [percent(v) for v in (None, 0.0, 0.1234)] == ["-", "0.0 %", "12.3 %"]
    assert times_ours({"value": 4.2, "low": 4.0, "high": 4.456}) == "4.20 [4.00, 4.46]"
    assert times_ours({"value": 96.2, "low": 90.1, "high": 99.9}) == "96 [90, 100]"
    assert times_ours(None) == "-"


@pytest.fixture
def in_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    return lambda *words: CliRunner().invoke(main, ["bench", *words])


def test_command_measures_a_folder_and_writes_three_files(in_folder):
    done = in_folder("images", "--masks", "masks", "--methods", "ours,threshold", "--out", "result")
    assert done.exit_code == 0, done.output
    assert "images: 3 images, 3 targets, centroid points, point only" in done.stdout
    assert all(f"result/{name}" in done.stdout for name in cli.FILES)
    assert json.loads(Path("result/bench.json").read_text())["images"] == 3
    again = in_folder("images", "--masks", "masks", "--methods", "ours", "--out", "result")
    assert again.exit_code == 2
    assert "result/bench.json exists already" in again.stderr
    assert (
        in_folder(
            "images", "--masks", "masks", "--methods", "ours", "--out", "result", "--overwrite"
        ).exit_code
        == 0
    )


def test_command_without_data_runs_on_scenes_and_without_matplotlib_says_how_to_get_it(
    in_folder, monkeypatch
):
    monkeypatch.setattr(cli, "SCENES", 2)
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    done = in_folder("--methods", "ours", "--protocol", "coarse")
    assert done.exit_code == 0, done.output
    assert "built-in scenes: 2 images" in done.stdout
    assert "a threshold does, which therefore wins here" in " ".join(done.stdout.split())
    assert install("bench") in done.stderr
    assert "bench.png" not in done.stdout


def test_command_tells_what_was_left_out_with_status_3(in_folder, folder):
    (folder / "images" / "Misc_1.png").write_bytes(b"")
    done = in_folder("images", "--masks", "masks", "--methods", "ours")
    assert done.exit_code == 3
    assert "left out: Misc_1.png" in done.stdout
    for name in ("Misc_2", "000001"):
        (folder / "images" / f"{name}.png").write_bytes(b"")
    done = in_folder("images", "--masks", "masks", "--methods", "ours", "--overwrite")
    assert done.exit_code == 2
    assert "no image could be measured" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["images"], "--masks"),
        (["--masks", "masks"], "give IMAGES too"),
        (["images", "--masks", "masks", "--points", "masks", "--protocol", "coarse"], "one of the two"),
        (["--methods", "ours,nope"], "choose one or more of ours,mclc"),
        (["--methods", "ours,ours"], "each once"),
        (["--methods", ","], "choose one or more"),
        (["nowhere"], "does not exist"),
        (["--seeds", "0"], "--seeds"),
    ],
)
def test_options_that_do_not_go_together_are_refused(in_folder, words, message):
    done = in_folder(*words)
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())


def test_argument_errors_load_nothing_heavy():
    code = (
        "import sys\nfrom pointmask.cli import main\n"
        "try:\n    main(['bench', '--methods', 'nope'])\n"
        "except SystemExit as end:\n    assert end.code == 2\n"
        "print([m for m in ('numba', 'numpy', 'torch', 'matplotlib', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
