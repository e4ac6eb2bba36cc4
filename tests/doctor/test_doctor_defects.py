"""What `check` says of dead, hot and stuck pixels and lines."""

import numpy as np
import pytest

from pointmask.doctor.examine import examine
from pointmask.io.images.array import encode_png


def found(folder):
    return {
        item.kind: item.items
        for item in examine(folder).findings
        if item.kind in ("defects", "lines", "margins", "stuck")
    }


def write(folder, frames):
    folder.mkdir(exist_ok=True)
    for k, pixels in enumerate(frames):
        (folder / f"{k:02d}.png").write_bytes(encode_png(pixels))


@pytest.fixture
def frames():
    return [np.random.default_rng(k).normal(100, 4, (48, 52)).astype(np.uint8) for k in range(12)]


def test_defects_are_listed_by_frame(tmp_path, frames):
    frames[3][5, 6] = frames[3][40, 20] = 0
    frames[4][7, 8] = 255
    write(tmp_path / "images", frames)
    assert found(tmp_path / "images") == {
        "defects": (
            "03.png: 2 of 2,496 pixels, such as row 5 column 6, row 40 column 20",
            "04.png: 1 of 2,496 pixels, such as row 7 column 8",
        )
    }


def test_bad_lines_are_listed_by_frame(tmp_path, frames):
    frames[3][5] = 0
    frames[3][:24, 9] = 255
    frames[4][7:9] = 140
    write(tmp_path / "images", frames)
    assert found(tmp_path / "images") == {
        "lines": ("03.png: row 5, column 9 (rows 0 to 23)", "04.png: rows 7 to 8"),
    }


def test_margins_are_listed_by_frame(tmp_path, frames):
    frames[2] = np.pad(frames[2], ((8, 0), (3, 5)))
    write(tmp_path / "images", frames)
    said = "02.png: the image lies in rows 8 to 55 and columns 3 to 54"
    assert found(tmp_path / "images") == {"margins": (said,)}


def test_pixels_that_never_change_are_stuck_however_little_they_stand_out(tmp_path, frames):
    for pixels in frames:
        pixels[9, 11] = pixels[20, 30] = 103
    write(tmp_path / "images", frames)
    said = "2 pixels of 12 frames 52 x 48: row 9 column 11, row 20 column 30"
    assert found(tmp_path / "images") == {"stuck": (said,)}


def test_few_frames_and_still_scenes_tell_nothing(tmp_path, frames):
    for pixels in frames:
        pixels[9, 11] = 103
    write(tmp_path / "few", frames[:9])
    still = [np.where(np.arange(48)[:, None] // 6 == 3, 255, pixels).astype(np.uint8) for pixels in frames]
    write(tmp_path / "still", still)
    assert found(tmp_path / "few") == found(tmp_path / "still") == {}
