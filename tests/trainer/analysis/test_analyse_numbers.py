"""The numbers of an analysis: shapes by hand, journals with gaps, versions of labels, theta's path."""

import math

import numpy as np
import pytest
from tools.trainer.analysis import FIRST, LAST, LINES, make_run, save_labels

torch = pytest.importorskip("torch")

from pointmask.theta import Theta
from pointmask_trainer.analysis.charts.crops import view
from pointmask_trainer.analysis.charts.parts import pixel_edges
from pointmask_trainer.analysis.charts.theta import paths
from pointmask_trainer.analysis.history import read_history
from pointmask_trainer.analysis.label_files import LabelFiles
from pointmask_trainer.analysis.relations import bins, relation
from pointmask_trainer.analysis.shapes import MEASURES, mean_shapes, shapes_of
from pointmask_trainer.analysis.study import study_run
from pointmask_trainer.errors import DataError


def mask_of(*rows):
    return np.array([[sign == "#" for sign in row] for row in rows])


def only_shape(mask):
    (shape,) = shapes_of(np.pad(mask, 2))
    return shape


def test_one_pixel_is_a_small_round_target():
    shape = only_shape(mask_of("#"))
    assert shape.diameter == pytest.approx(math.sqrt(4 / math.pi))
    assert (shape.circularity, shape.eccentricity, shape.solidity) == (1, 0, pytest.approx(1))


def test_a_bar_of_five_pixels_by_hand():
    shape = only_shape(mask_of("#####"))
    # Crofton: lines that meet the bar along rows 1, columns 5, and either diagonal 5.
    perimeter = math.pi / 4 * (1 + 5 + 2 * 5 / math.sqrt(2))
    assert shape.circularity == pytest.approx(4 * math.pi * 5 / perimeter**2)
    # Second moments: (4 + 1 + 0 + 1 + 4) / 5 + 1/12 along, 1/12 across.
    assert shape.eccentricity == pytest.approx(math.sqrt(1 - (1 / 12) / (2 + 1 / 12)))
    assert shape.solidity == pytest.approx(1)


def test_a_cross_has_four_notches():
    # The hull of the five squares: a square of 3 x 3 less four corner triangles of 1/2.
    assert only_shape(mask_of(".#.", "###", ".#.")).solidity == pytest.approx(5 / 7)


@pytest.mark.parametrize("radius", [2.5, 4, 6, 10, 30])
def test_discs_of_any_size_are_round(radius):
    side = math.ceil(radius) + 1
    rows, cols = np.mgrid[-side : side + 1, -side : side + 1]
    shape = only_shape(rows**2 + cols**2 <= radius**2)
    assert 0.88 <= shape.circularity <= 1
    assert shape.eccentricity < 0.01
    assert shape.solidity > 0.8
    assert shape.diameter == pytest.approx(2 * radius, rel=0.06)


def test_an_image_is_the_mean_of_its_targets_and_diagonal_neighbours_are_one():
    two = mask_of("##....", "......", "....#.", ".....#")
    means = mean_shapes([two, np.zeros((4, 4), bool)])
    assert len(shapes_of(two)) == 2
    diameter = MEASURES.index("diameter")
    assert means[0, diameter] == pytest.approx(math.sqrt(8 / math.pi))
    assert np.isnan(means[1]).all()


def test_relations_leave_out_gaps_and_say_when_there_is_none():
    x = np.array([1.0, 2, 3, 4, np.nan, 6])
    found = relation(x, np.array([1.0, 4, 9, 16, 3, np.nan]))
    assert (found.rho, found.n) == (pytest.approx(1), 4)
    assert relation(-x, x).rho == pytest.approx(-1)
    for a, b in ((x, np.ones(6)), (x[:2], x[:2]), (np.full(6, np.nan), x)):
        assert math.isnan(relation(a, b).rho)


def test_bins_hold_alike_many_and_keep_equal_values_together():
    x = np.array([1.0, 2, 3, 4, 5, 6])
    found = bins(x, 10 * x, 3)
    assert found.count.tolist() == [2, 2, 2]
    assert found.centre == pytest.approx([1.5, 3.5, 5.5])
    assert found.mean == pytest.approx([15, 35, 55])
    assert found.std == pytest.approx([5, 5, 5])
    tied = bins(np.array([1.0, 1, 1, 1, 1, 2]), np.arange(6.0), 3)
    assert tied.count.tolist() == [5, 1]
    assert len(bins(np.full(3, np.nan), np.ones(3)).count) == 0


def test_edges_go_round_every_pixel():
    ring = mask_of("###", "#.#", "###")
    edges = pixel_edges(ring)
    assert np.abs(np.diff(edges, axis=1)).sum() == 12 + 4
    assert sorted(map(tuple, edges.reshape(len(edges), 4).tolist()))[0] == (-0.5, -0.5, -0.5, 2.5)
    assert len(pixel_edges(np.zeros((3, 3), bool))) == 0


def test_a_view_stays_in_the_image():
    assert view((0, 0, 2, 2), (100, 100)) == (slice(0, 33), slice(0, 33))
    assert view((98, 50, 100, 90), (100, 100)) == (slice(46, 100), slice(43, 97))
    assert view((1, 1, 3, 3), (20, 10)) == (slice(0, 20), slice(0, 10))


# ------------------------------------------------------------------ runs made by hand


def test_a_history_keeps_gaps_and_averages_the_weighted_epochs_only(tmp_path):
    history = read_history(make_run(tmp_path / "run", LINES))
    assert history.alpha.shape == history.loss.shape == (3, 3)
    assert np.isnan(history.alpha[0]).all()
    assert history.mean_alpha(50) == pytest.approx([1.0, 1.2, np.nan], nan_ok=True)
    assert history.mean_alpha(1) == pytest.approx([0.5, 1.2, np.nan], nan_ok=True)
    assert history.mean_loss(50) == pytest.approx([0.6, 0.4, np.nan], nan_ok=True)
    assert history.weighted_epochs(50).tolist() == [False, True, True]
    (score,) = history.scores
    assert (score.epoch, score.version, score.train) == (1, 0, 0.5)
    assert math.isnan(score.val)


def test_without_weights_the_last_losses_are_averaged(tmp_path):
    lines = [{"epoch": k, "loss": [k / 10, None, 0.5]} for k in (1, 2, 3)]
    history = read_history(make_run(tmp_path / "run", lines, "alpha=off"))
    assert history.alpha is None
    assert np.isnan(history.mean_alpha(2)).all()
    assert history.mean_loss(2) == pytest.approx([0.25, np.nan, 0.5], nan_ok=True)


def test_runs_that_cannot_be_analysed_say_why(tmp_path):
    with pytest.raises(
        DataError, match=r"learns nothing beside the detector; strategies that do: d2d, joint"
    ):
        read_history(make_run(tmp_path / "full", LINES, strategy="full"))
    with pytest.raises(DataError, match="has no epoch in its journal"):
        read_history(make_run(tmp_path / "new", []))
    with pytest.raises(DataError, match=r"epoch 1 .* 3 values for the 2 images of train\.txt"):
        read_history(make_run(tmp_path / "damaged", LINES, ids=("a", "b")))
    with pytest.raises(DataError, match=r"config\.toml; give the folder"):
        read_history(tmp_path)


def theta_line(epoch, windows=4, **entries):
    start = {name: getattr(Theta.load("default"), name) for name in ("rho", "D0", "law_bias")}
    return {
        "epoch": epoch,
        "theta": {"windows": windows, "offline": 0.1, "detector": 0.4, **start, **entries},
    }


def test_theta_s_path_is_in_per_cent_of_its_start(tmp_path):
    bias = np.array(Theta.load("default").law_bias)
    lines = [
        theta_line(3, rho=0.88),
        theta_line(6, windows=0),  # of no windows nothing is learned
        theta_line(9, rho=0.84, law_bias=(bias + 0.01).tolist()),
    ]
    study = study_run(make_run(tmp_path / "run", lines))
    numbers, tables = paths(study)
    assert numbers.keys() == {"rho"}  # D0 did not move
    assert numbers["rho"] == pytest.approx([0, 10, 5])
    assert tables["law_bias"] == pytest.approx([0, 0, 100 * 0.01 / np.sqrt(np.mean(bias**2))])
    assert [update.epoch for update in study.history.updates] == [3, 9]
    given = study_run(make_run(tmp_path / "rho", lines, "rho=0.4"))
    assert paths(given)[0]["rho"] == pytest.approx([0, 120, 110])


def test_theta_whose_start_is_gone_is_followed_from_its_first_update(tmp_path):
    lines = [theta_line(3, rho=0.8), theta_line(6, rho=0.84)]
    study = study_run(make_run(tmp_path / "run", lines, 'annotator="gone.toml"'))
    assert study.history.start is None
    assert paths(study)[0]["rho"] == pytest.approx([0, 5])


@pytest.mark.parametrize("soft", [False, True])
def test_changes_are_told_by_image_and_by_target(tmp_path, soft):
    run = make_run(tmp_path / "run", LINES)
    save_labels(run, [FIRST, FIRST, LAST], soft=soft)
    study = study_run(run)
    same, changed = study.changes
    assert (same.version, changed.version) == (1, 2)
    assert same.iou == pytest.approx([1, 1, np.nan], nan_ok=True)
    assert same.area == 1
    assert changed.iou == pytest.approx([(4 + 16) / (8 + 20), 1, 0])
    assert changed.area == (4 + 20 + 4 + 1) / (8 + 16 + 4)
    assert [(one.index, one.first_area, one.last_area) for one in study.moved] == [
        (2, 0, 1),
        (0, 8, 4),
        (0, 16, 20),
    ]
    assert study.moved[1].box == (2, 2, 4, 6)
    assert [one.iou for one in study.moved] == [0, 0.5, 0.8]
    assert study.version == 2
    assert study.shapes["diameter"][1] == pytest.approx(math.sqrt(16 / math.pi))
    np.testing.assert_array_equal(study.labels[0][0], FIRST[0])
    np.testing.assert_array_equal(study.labels[0][1], LAST[0])


def test_versions_measured_before_are_not_read_again(tmp_path):
    run = make_run(tmp_path / "run", LINES)
    save_labels(run, [FIRST, FIRST, LAST])
    known = {}
    before = study_run(run, known=known)
    assert known.keys() == {1, 2}
    (run / "labels" / "0001.npz").write_bytes(b"unread")
    after = study_run(run, known=known)
    assert after.changes == before.changes
    with pytest.raises(DataError, match=r"0001\.npz holds no labels of this run"):
        study_run(run)


def test_labels_of_another_list_are_refused(tmp_path):
    run = make_run(tmp_path / "run", LINES, ids=("a", "b", "c"))
    save_labels(run, [FIRST[:2]])
    with pytest.raises(DataError, match="holds no labels of this run"):
        list(LabelFiles(run, 3).masks(0))


def test_extremes_are_disjoint_and_weighted(tmp_path):
    lines = [{"epoch": 1, "loss": [0.5] * 6, "alpha": [1.0, 3.0, None, 0.5, 2.0, 0.1]}]
    study = study_run(make_run(tmp_path / "run", lines, ids=tuple("abcdef")))
    assert study.extremes(2) == ([1, 4], [5, 3])
    assert study.extremes(9) == ([1, 4], [5, 3])
    assert study.relations["loss"].n == 5
    assert study.shapes == {}
    assert study.version is None
