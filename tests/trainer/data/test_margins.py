"""Constant margins are outside of the image in trainings and evaluations, as they are in predictions."""

import numpy as np
import pytest

pytest.importorskip("torch")

from tools.trainer.training import make_folder

from pointmask.io.images.array import encode_png, open_image
from pointmask.io.points.points import Point, Points
from pointmask_trainer.data.folder import find_images
from pointmask_trainer.data.points import pair_points
from pointmask_trainer.data.split import load_masks, load_split
from pointmask_trainer.inference.evaluate_folder import evaluate_folder

BARS = ((6, 9), (0, 4))


@pytest.fixture
def frame():
    return np.random.default_rng(0).normal(100, 4, (48, 52)).astype(np.uint8)


def written(folder, frame):
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "a.png").write_bytes(encode_png(frame))
    return {"a": folder / "images" / "a.png"}


def test_images_points_and_masks_are_those_of_the_frame_without_bars(tmp_path, frame):
    said = []
    barred = np.pad(frame, BARS)
    files = written(tmp_path, barred)
    paired = pair_points(Points({"a": (Point(6 + 20, 30),)}), files, tmp_path)
    split = load_split("train", ["a"], files, paired, say=said.append)
    np.testing.assert_array_equal(split.images.stored(0), frame)
    assert split.points[0].tolist() == [[20, 30]]
    assert (split.margins_of(0), split.file_shape(0)) == (BARS, barred.shape)
    assert said == ["margins of one value, such as letterbox bars, were treated as outside of the image (a)"]
    mask = np.zeros(barred.shape, np.uint8)
    mask[25:28, 29:32] = 255
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "a.png").write_bytes(encode_png(mask))
    told = []
    (read,) = load_masks(split, tmp_path / "masks", told.append)
    np.testing.assert_array_equal(read, mask[6:-9, :-4] > 0)
    assert told == []
    mask[0, 0] = 255
    (tmp_path / "masks" / "a.png").write_bytes(encode_png(mask))
    load_masks(split, tmp_path / "masks", told.append)
    assert len(told) == 1
    assert "target pixels in margins" in told[0]


def test_bars_stay_where_that_is_asked_for_or_somebody_clicked_into_them(tmp_path, frame):
    barred = np.pad(frame, BARS)
    files = written(tmp_path, barred)
    paired = pair_points(Points({"a": (Point(2, 30),)}), files, tmp_path)
    clicked = load_split("train", ["a"], files, paired)
    kept = load_split("train", ["a"], files, None, dead_pixels="keep")
    for split in (clicked, kept):
        np.testing.assert_array_equal(split.images.stored(0), barred)
        assert split.file_shape(0) == barred.shape
    assert clicked.points[0].tolist() == [[2, 30]]


def test_margins_without_numbers(tmp_path, frame):
    np.save(tmp_path / "a.npy", np.pad(frame.astype(np.float32), BARS, constant_values=np.nan))
    split = load_split("train", ["a"], {"a": tmp_path / "a.npy"}, None)
    np.testing.assert_array_equal(split.images.stored(0), frame.astype(np.float32))


def test_an_evaluation_sees_what_a_prediction_sees(tmp_path):
    plain = make_folder(tmp_path / "plain", 3)
    barred, seen = tmp_path / "barred", {}
    for kind in ("images", "masks"):
        (barred / kind).mkdir(parents=True)
        for path in sorted((plain / kind).glob("*.png")):
            with open_image(path) as file:
                pixels = file.decode(0)
            (barred / kind / path.name).write_bytes(encode_png(np.pad(pixels, BARS)))
    assert set(find_images(barred)) == set(find_images(plain))

    def scores(data):
        seen.clear()
        done = evaluate_folder(
            "builtin", data, "all", masks_by="network", on_prediction=lambda key, _, p: seen.update({key: p})
        )
        return done.evaluation.whole.curve, dict(seen)

    (before, alone), (after, within) = scores(plain), scores(barred)
    assert after == before
    for key, probabilities in alone.items():
        np.testing.assert_array_equal(within[key], np.pad(probabilities, BARS))
