"""Masks and true masks that were exchanged or inverted, and images that were given as true masks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pointmask.advice import command
from pointmask.errors import ImageError
from pointmask.io.layout import TRUE_MASKS
from pointmask.io.notes import note
from pointmask.metrics.counters import Score
from pointmask.places import is_made_here, kind_of, training_folder_of, true_masks_of

EXCHANGED = (
    "the masks given as true ones were made by pointmask, and those to score were not; if that is the wrong "
    "way round, exchange the two"
)
"""For `pointmask.io.notes.note`."""


def check_truth(masks: Sequence[Path], truth: Path) -> None:
    """
    Refuse a truth that is none, as far as that can be told from the folders.

    Masks that pointmask made may serve as truth: those of click, for example. Where the masks to score are
    the true masks of a training folder, the two were exchanged for certain; else it is noted as possible.

    Parameters
    ----------
    masks : sequence of Path
        To score.
    truth : Path

    Raises
    ------
    ImageError
        If masks and truth were exchanged, or the truth is a folder of images; names the right call.
    """
    if (true := true_masks_of(truth)) is not None:
        line = command("score", *masks, "--truth", true)
        raise ImageError(f"{truth} holds the images, not their true masks; these are in {true}: {line}")
    if not is_made_here(truth) or any(is_made_here(path) for path in masks):
        return
    true = next((path for path in masks if _is_true(path)), None)
    if true is None:
        note(EXCHANGED, str(truth))
        return
    others = [path for path in masks if path != true]
    raise ImageError(
        f"{truth} holds masks that pointmask made, and {true} the true ones: exchange the two: "
        f"{command('score', truth, *others, '--truth', true)}"
    )


def check_inverted(truth: Path, counters: Sequence[tuple[str, NDArray[np.float64]]]) -> None:
    """
    Refuse a truth of which most masks are target in more than half of their pixels; note such masks to score.

    Background that is taken for target gives an IoU near 1 where both are inverted, and near 0 where one is.

    Parameters
    ----------
    truth : Path
    counters : sequence of (str, (n, 10) float64)
        Name of each set of masks, and the counters of each frame, see `Score.vector`.

    Raises
    ------
    ImageError
        With the number of such masks.
    """
    for name, rows in counters:
        scores = [Score.from_vector(row) for row in rows]
        count = sum(2 * one.truth_pixels > one.pixels for one in scores)
        if 2 * count > len(scores):
            raise ImageError(
                f"{truth}: target is more than half of {count:,} of {len(scores):,} true masks; target is "
                "what is above 127, so these seem to be inverted: save 255 minus each"
            )
        count = sum(2 * (one.union - one.truth_pixels + one.intersection) > one.pixels for one in scores)
        if 2 * count > len(scores):
            note(
                f"{name}: target is more than half of {count:,} of {len(scores):,} masks; if these are "
                "inverted, save 255 minus each and score again"
            )


def _is_true(path: Path) -> bool:
    """Whether a path is the true masks of a training folder, or such a folder."""
    in_folder = path.name == TRUE_MASKS and training_folder_of(path) is not None
    return in_folder or (kind_of(path) == "training folder" and (path / TRUE_MASKS).is_dir())
