"""The data set that an image belongs to, by its name alone."""

import re
from pathlib import PurePosixPath

# Names of the field's data sets; joined collections such as SIRST3 keep them.
_KNOWN = (
    (re.compile(r"Misc_\d+"), "SIRST-v1"),
    (re.compile(r"\d{6}"), "NUDT-SIRST"),
    (re.compile(r"XDU\d+"), "IRSTD-1k"),
)
_WORD = re.compile(r"[^\W\d_]+")


def data_set_of(name: str) -> str:
    """Return the name of an image's data set.

    Parameters
    ----------
    name : str
        Path relative to the image folder, with or without suffix.

    Returns
    -------
    str
        ``SIRST-v1``, ``NUDT-SIRST`` or ``IRSTD-1k`` by the file's name; otherwise its folder, or the letters
        at the start of its name; ``other`` if there are none.

    Examples
    --------
    >>> [data_set_of(name) for name in ("Misc_7.png", "000123", "sea/0001.png", "scene_04.png", "17.png")]
    ['SIRST-v1', 'NUDT-SIRST', 'sea', 'scene', 'other']
    """
    path = PurePosixPath(name)
    stem = path.name.partition(".")[0]
    for pattern, data_set in _KNOWN:
        if pattern.fullmatch(stem):
            return data_set
    if str(path.parent) != ".":
        return str(path.parent)
    word = _WORD.match(stem)
    return word[0] if word else "other"
