"""How large an image may say it is: a few bytes of a header must not fill the memory."""

import os

from pointmask.errors import ImageError

VARIABLE = "POINTMASK_MAX_PIXELS"
"""Environment variable that sets another limit."""

_DEFAULT = 2**28  # 16,384 x 16,384


def most_samples() -> int:
    """Return how many samples (pixels times bands) one frame may have.

    Raises
    ------
    ImageError
        If the environment variable is set to something else than a whole number above 0.
    """
    text = os.environ.get(VARIABLE, "")
    if not text:
        return _DEFAULT
    if not text.isdecimal() or int(text) == 0:
        raise ImageError(f"{VARIABLE} is {text!r}; set it to a number of pixels, such as {_DEFAULT}")
    return int(text)


def check_size(name: str, size: int) -> None:
    """Refuse a file that is too large to be one frame, before it is read into memory.

    Parameters
    ----------
    name : str
    size : int
        Bytes.

    Raises
    ------
    ImageError
        If it has more than eight bytes for each of `most_samples`.
    """
    limit = 8 * most_samples()
    if size > limit:
        raise ImageError(
            f"{name} has {size:,} bytes, more than the limit of {limit:,} for one picture; if that is right, "
            f"raise it: export {VARIABLE}={-(-size // 8)}"
        )


def check_samples(shape: tuple[int, ...]) -> None:
    """Refuse a frame that is too large, before memory is taken for it.

    Parameters
    ----------
    shape : tuple of int
        Of the frame, bands included.

    Raises
    ------
    ImageError
        If it has more samples than `most_samples`.
    """
    samples = 1
    for length in shape:
        samples *= int(length)
    limit = most_samples()
    if samples > limit:
        raise ImageError(
            f"its header promises {' x '.join(str(length) for length in shape)} = {samples:,} samples, more "
            f"than the limit of {limit:,}; if that is right, raise it: export {VARIABLE}={samples}"
        )
