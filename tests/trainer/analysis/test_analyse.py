"""Whole runs and what their analysis shows: in the report after training, and by ``pointmask analyse``."""

import json
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

from click.testing import CliRunner
from tools.pages import Page
from tools.trainer.analysis import FIRST, LAST, LINES, make_run, save_labels
from tools.trainer.d2d import BUSY, config_of, journal_of
from tools.trainer.training import make_folder

from pointmask.advice import install
from pointmask.cli import main
from pointmask_trainer.analysis import follow
from pointmask_trainer.analysis.follow import Follower
from pointmask_trainer.analysis.pictures import FILES, pictures_of
from pointmask_trainer.analysis.study import study_run
from pointmask_trainer.errors import DataError
from pointmask_trainer.run.source import Source, write_source
from pointmask_trainer.training.train import train


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"), 10)


@pytest.fixture(scope="module")
def bare(folder, tmp_path_factory):
    """Only images and points: what a user has who outlined nothing."""
    root = tmp_path_factory.mktemp("bare")
    (root / "images").symlink_to(folder / "images")
    return root


@pytest.fixture(scope="module")
def run(bare, folder, tmp_path_factory):
    """A finished run whose labels moved."""
    out = tmp_path_factory.mktemp("runs") / "run"
    config = config_of(*BUSY, "theta_lr=1.0", settings=["epochs=6"])
    train(config, Source(root=bare, points=folder / "points.csv"), out)
    return out


def analyse(*arguments):
    return CliRunner().invoke(main, ["analyse", *map(str, arguments)])


def test_the_report_of_a_training_shows_what_was_learned(run):
    text = (run / "report.html").read_text()
    words = " ".join(Page(text).text)
    assert "What was learned" in words
    assert text.count('<figure class="figure">') == len(FILES)
    assert "Not shown" not in words
    assert "true masks went from" not in words  # there are none
    for name in FILES:
        data = (run / "analysis" / name).read_bytes()
        assert data.startswith(b"\x89PNG")
    Page((run / "analysis" / "index.html").read_text())


def test_the_numbers_are_those_of_the_journal(run):
    found = json.loads((run / "analysis" / "analysis.json").read_text())
    lines = journal_of(run)
    table = np.array([line["alpha"] for line in lines[1:]], float)  # the first epoch is the warm-up
    assert found["averaged_epochs"] == len(table) == 5
    assert [image["alpha"] for image in found["images"]] == pytest.approx(np.nanmean(table, axis=0), rel=1e-5)
    assert [image["id"] for image in found["images"]] == (run / "train.txt").read_text().split()
    assert found["labels_version"] == 2
    assert [one["version"] for one in found["labels"]] == [1, 2]
    assert [one["epoch"] for one in found["theta"]] == [2, 4]
    assert found["theta"][0]["rho"] == pytest.approx(lines[1]["theta"]["rho"])
    assert found["spearman_with_alpha"]["diameter"]["n"] == 8


def test_the_command_averages_as_it_is_told_and_keeps_what_is_not_its_own(run, tmp_path):
    out = tmp_path / "out"
    done = analyse(run, "--last", 2, "--out", out)
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in out.iterdir()) == sorted([*FILES, "analysis.json", "index.html"])
    found = json.loads((out / "analysis.json").read_text())
    table = np.array([line["alpha"] for line in journal_of(run)[-2:]], float)
    assert [image["alpha"] for image in found["images"]] == pytest.approx(np.nanmean(table, axis=0), rel=1e-5)
    refused = analyse(run, "--out", out)
    assert refused.exit_code != 0
    assert "--overwrite" in refused.output
    assert json.loads((out / "analysis.json").read_text()) == found
    assert analyse(run, "--out", out, "--overwrite").exit_code == 0
    assert json.loads((out / "analysis.json").read_text())["averaged_epochs"] == 5
    assert analyse(run).exit_code == 0  # the run's own folder is renewed


def test_data_that_moved_is_named(run, bare, folder, tmp_path):
    source = (run / "source.json").read_text()
    write_source(run, Source(root=tmp_path / "gone"))
    lost = analyse(run, "--out", tmp_path / "out")
    assert lost.exit_code != 0
    assert "is gone; say where it is now with --data" in lost.output
    assert not (tmp_path / "out").exists()
    assert analyse(run, "--data", folder, "--out", tmp_path / "out").exit_code == 0
    (run / "source.json").unlink()
    unknown = analyse(run, "--out", tmp_path / "other")
    assert unknown.exit_code != 0
    assert "--data" in unknown.output
    (run / "source.json").write_text(source)
    other = make_folder(tmp_path / "data", 3)
    assert "holds no image" in analyse(run, "--data", other, "--out", tmp_path / "other").output


def test_without_weights_or_theta_the_page_says_why(bare, folder, tmp_path):
    source = Source(root=bare, points=folder / "points.csv")
    config = config_of(*BUSY, "alpha=off", "theta=frozen", settings=["epochs=2"])
    train(config, source, tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run" / "analysis").iterdir()) == [
        "analysis.json",
        "history.png",
        "index.html",
    ]
    text = (tmp_path / "run" / "report.html").read_text()
    assert text.count('<figure class="figure">') == 1
    words = " ".join(Page(text).text)
    assert 'strategy.options.alpha = "off"' in words
    assert 'strategy.options.theta = "frozen"' in words


def test_joint_shows_weights_and_theta_but_no_versions(bare, folder, tmp_path):
    config = config_of(settings=["epochs=2"], strategy="joint")
    train(config, Source(root=bare, points=folder / "points.csv"), tmp_path / "run")
    done = analyse(tmp_path / "run")
    assert done.exit_code == 0, done.output
    assert "weights.png" in done.output
    assert "theta.png" in done.output
    assert (
        "No labels.png: There are no versions of the labels in this run: strategy joint makes its"
        in done.output
    )


def test_a_strategy_that_learns_nothing_more_is_refused_and_has_no_such_part(folder, tmp_path):
    train(config_of(strategy="full", settings=["epochs=1"]), Source(root=folder), tmp_path / "run")
    assert "What was learned" not in (tmp_path / "run" / "report.html").read_text()
    refused = analyse(tmp_path / "run")
    assert refused.exit_code != 0
    assert "strategies that do: d2d, joint" in refused.output


def test_a_training_survives_without_matplotlib(bare, folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    config = config_of(*BUSY, settings=["epochs=2"])
    assert train(config, Source(root=bare, points=folder / "points.csv"), tmp_path / "run")["epoch"] >= 1
    words = " ".join(Page((tmp_path / "run" / "report.html").read_text()).text)
    assert "matplotlib is missing" in words
    assert install("train") in words
    refused = analyse(tmp_path / "run")
    assert refused.exit_code != 0
    assert install("train") in refused.output


def test_a_training_survives_a_picture_that_fails(bare, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(follow, "pictures_of", lambda *_: 1 / 0)
    config = config_of(*BUSY, settings=["epochs=2"])
    train(config, Source(root=bare, points=folder / "points.csv"), tmp_path / "run")
    assert "could not be drawn (ZeroDivisionError" in (tmp_path / "run" / "report.html").read_text()


def follower_that_counts(monkeypatch, seconds):
    """A follower under a clock that moves by 100 seconds an epoch, and by `seconds` with each drawing."""
    drawn, clock = [], [0.0]

    def draw(self):
        drawn.append(clock[0])
        clock[0] += seconds

    monkeypatch.setattr(Follower, "_draw", draw)
    monkeypatch.setattr(follow.time, "perf_counter", lambda: clock[0])

    class Empty:
        ids = ()

    def follow_epochs(epochs, version_of):
        follower = Follower(None, Empty, learns=True)
        for epoch in range(1, epochs + 1):
            clock[0] += 100
            follower.section(version_of(epoch), epoch, epochs)
        return len(drawn)

    return follow_epochs


def test_pictures_are_renewed_when_labels_change_by_tenths_and_at_the_end(monkeypatch):
    follow_epochs = follower_that_counts(monkeypatch, 0.0)
    assert follow_epochs(100, lambda epoch: 0) == 10
    assert follow_epochs(100, lambda epoch: (epoch + 5) // 20) == 10 + 10 + 5


def test_pictures_that_cost_too_much_wait_for_the_end(monkeypatch):
    assert follower_that_counts(monkeypatch, 1000.0)(100, lambda epoch: 0) == 2


def test_until_the_pictures_are_drawn_the_page_says_when(tmp_path):
    class Empty:
        ids = ()

    assert "drawn when the run ends" in Follower(tmp_path, Empty, learns=True).section(0, 1, 100)
    assert Follower(tmp_path, Empty, learns=False).section(0, 100, 100) == ""


def test_an_image_of_another_size_is_refused(tmp_path):
    run = make_run(tmp_path / "run", LINES)
    save_labels(run, [FIRST, LAST])
    with pytest.raises(DataError, match=r"image . is 7 x 6 px, but was .* --data"):
        pictures_of(study_run(run), lambda name: np.zeros((6, 7), np.uint8))


def test_a_run_of_three_images_is_drawn_too(tmp_path):
    run = make_run(tmp_path / "run", LINES)
    save_labels(run, [FIRST, LAST])
    shapes = dict(zip("abc", (mask.shape for mask in FIRST), strict=True))
    pictures = pictures_of(study_run(run), lambda name: np.zeros(shapes[name], np.uint8))
    assert [picture.file for picture in pictures if not picture.png] == ["theta.png"]
    assert pictures == pictures_of(study_run(run), lambda name: np.zeros(shapes[name], np.uint8))
