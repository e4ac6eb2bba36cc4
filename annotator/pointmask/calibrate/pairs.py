"""Reading of folders as the pairs that `pointmask.calibrate` is fitted to."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from pointmask.advice import command
from pointmask.calibrate.samples import Pair, check_pair
from pointmask.errors import ImageError, PointmaskError
from pointmask.io.clicks import ahead, is_ahead, output_of
from pointmask.io.images.array import read, read_mask
from pointmask.io.images.folder import list_images
from pointmask.io.notes import gathering
from pointmask.io.points.by_frame import points_by_frame
from pointmask.io.points.fit import fitted
from pointmask.io.points.match import match
from pointmask.io.points.points import Points
from pointmask.judgement.evidence import Clicked
from pointmask.judgement.verdict import Verdict, judge
from pointmask.theta import Polarity

MOST_JUDGED = 64
"""Pairs that tell whether the clicks lie on targets."""


def read_pairs(
    images: Path,
    masks: Path,
    points: Points,
    skipped: list[tuple[str, str]],
    say: Callable[[str], None] = lambda text: None,
    *,
    most: int | None = None,
) -> Iterator[Pair]:
    """Pair images with points and masks by name, one in memory at a time.

    Parameters
    ----------
    images, masks : Path
        Folders. Images without a mask or without points are skipped, since users outline only a few.
    points : Points
    skipped : list
        Extended by (image, reason) for images that have all three but cannot be used.
    say : callable
        Takes a line about each assumption on names.
    most : int, optional
        Read so many pairs at most, spread over all names: first frames are often of one sequence.

    Yields
    ------
    Pair
        In the order of the image names.

    Raises
    ------
    ImageError
        If a folder is unreadable, or no image has a mask and points.
    """
    names = list_images(images)
    if is_ahead(out := output_of(masks)):
        say(ahead(out))
    matches = match(list_images(masks), names)
    mask_of = {image: files[0] for image, files in matches.by_image().items()}
    paired = points_by_frame(points, names)
    for note in dict.fromkeys((*matches.notes, *paired.notes)):
        say(note)
    skipped += [(image[0], reason) for image, reason in paired.rejected.items() if image in mask_of]
    usable = sorted(image for image in paired.points if image in mask_of)
    if not usable:
        raise ImageError(
            f"no image in {images} has both a mask in {masks} and points in {points.source}; their names "
            f"must agree, check them with: {command('check', images, '--masks', masks)}"
        )
    for key in usable if most is None else usable[:: -(-len(usable) // most)]:
        name, frame = key
        try:
            image = read(images / name, frame)
            truth = read_mask(masks / mask_of[key], shape=(image.shape[0], image.shape[1]))
            clicks = [(point.row, point.col) for point in fitted(paired.points[key], image.shape)]
            check_pair(image, clicks, truth)
        except PointmaskError as error:
            skipped.append((name, str(error)))
        else:
            yield image, clicks, truth


def judge_pairs(pairs: Iterable[Pair], polarity: Polarity) -> Verdict:
    """
    Judge whether the points lie on targets, and on such as are looked for.

    Parameters
    ----------
    pairs : iterable of Pair
        `MOST_JUDGED` of them are plenty.
    polarity : {"bright", "dark", "auto"}
        Of the targets that are looked for.
    """
    clicked = (Clicked(np.asarray(image), np.array(points).reshape(-1, 2)) for image, points, _ in pairs)
    with gathering():  # the images are read again, and what is assumed is said then
        return judge(clicked, polarity=polarity)
