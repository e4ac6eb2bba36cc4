import numpy as np
import pytest

from pointmask.click.contract.errors import NotFoundError
from pointmask.click.frames.reader import read_frame
from pointmask.io.images.open import open_source


def test_a_frame_is_what_the_file_holds(tmp_path):
    stack = np.arange(2 * 5 * 6, dtype=np.uint16).reshape(2, 5, 6)
    np.save(tmp_path / "a.npy", stack)
    frame = read_frame(open_source(tmp_path), "a.npy", 1)
    np.testing.assert_array_equal(frame.pixels, stack[1])
    assert (frame.image, frame.frame, frame.frames, frame.pixels.dtype) == ("a.npy", 1, 2, np.uint16)
    with pytest.raises(ValueError, match="read-only"):
        frame.pixels[0, 0] = 1


def test_a_frame_that_is_not_there(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 5, 6)))
    with pytest.raises(NotFoundError, match="frames 0 to 1, and no frame 2"):
        read_frame(open_source(tmp_path), "a.npy", 2)
