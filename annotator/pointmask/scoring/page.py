"""The page of worst cases, ``worst.html``."""

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from pointmask.drawing.cases import STYLE, Case, CaseKind, sections, tile
from pointmask.drawing.page import origin, page
from pointmask.errors import ImageError
from pointmask.io.images.masks import fitted
from pointmask.io.images.source import ImageSource
from pointmask.io.points.match import match
from pointmask.io.points.names import ImageFrame
from pointmask.printable import escape
from pointmask.scoring.intervals import Interval
from pointmask.scoring.pairs import Pair
from pointmask.scoring.run import Scorer, Target
from pointmask.scoring.tally import Tally


def worst_page(
    scorer: Scorer,
    names: Sequence[str],
    tallies: Sequence[Tally],
    sure: Sequence[Mapping[str, Interval]],
    images: ImageSource | None,
    command: str,
) -> str:
    """
    Draw the worst cases of each set of masks, reading what is shown once more.

    Parameters
    ----------
    scorer : Scorer
    names, tallies, sure : sequence
        Names, sums and intervals of the sets.
    images : ImageSource or None
        Without it the true masks are drawn in the place of the images.
    command : str
        Named on the page.
    """
    of_truth = {} if images is None else _images_of(images, tallies)
    parts = []
    for index, (name, tally) in enumerate(zip(names, tallies, strict=True)):
        drawn: dict[CaseKind, list[str]] = {}
        for kind, worst in tally.worst.kinds.items():
            drawn[kind] = [
                _tile(scorer, index, images, of_truth, pair, target) for pair, target in worst.ordered()
            ]
        heading = f"<h2>{escape(name)}</h2>" if len(names) > 1 else ""
        parts.append(heading + sections(drawn, tally.worst.totals))
    title = f"Worst cases: {', '.join(names)}"
    heading = f"{len(tallies[0].counters):,} images against {escape(str(scorer.truth.path))}"
    if images is None:
        heading += "; the true masks are drawn, as no images were given (--images)"
    return page(
        escape(title),
        f"{heading}<br>{origin(command)}",
        "".join(parts),
        summary=_summary(names, tallies, sure),
        style=STYLE,
    )


def _summary(names: Sequence[str], tallies: Sequence[Tally], sure: Sequence[Mapping[str, Interval]]) -> str:
    head = "<tr><th>masks</th><th>IoU</th><th>nIoU</th><th>Pd</th><th>Fa, 10<sup>-6</sup></th></tr>"
    rows = []
    for name, tally, of_set in zip(names, tallies, sure, strict=True):
        total = tally.total
        cells = "".join(f"<td>{value:.3f}</td>" for value in (total.iou, total.niou, total.pd))
        low, high = of_set["IoU"].low, of_set["IoU"].high
        cells = cells.replace("</td>", f" [{low:.3f}, {high:.3f}]</td>", 1)
        rows.append(f"<tr><th>{escape(name)}</th>{cells}<td>{1e6 * total.fa:,.1f}</td></tr>")
    return f"<table>{head}{''.join(rows)}</table>\n"


def _images_of(images: ImageSource, tallies: Sequence[Tally]) -> dict[ImageFrame, ImageFrame]:
    """Return the image and frame of each true mask that is shown."""
    shown = {
        pair.truth for tally in tallies for worst in tally.worst.kinds.values() for pair, _ in worst.ordered()
    }
    found = match({name for name, _ in shown}, images.names()).by_key
    return {(name, frame): (found[name][0], found[name][1] + frame) for name, frame in shown if name in found}


def _tile(
    scorer: Scorer,
    index: int,
    images: ImageSource | None,
    of_truth: Mapping[ImageFrame, ImageFrame],
    pair: Pair,
    target: Target,
) -> str:
    truth = scorer.truth.read(*pair.truth)
    shape = truth.shape[0], truth.shape[1]
    place = pair.masks[index]
    mask = truth & False if place is None else fitted(scorer.sets[index].read(*place), shape, pair.name)
    image = _image(images, of_truth.get(pair.truth), shape)
    area = f" · {target.area:,} px" if target.kind == "false alarm" else f" · true {target.truth_area:,} px"
    if target.kind == "found":
        area += f", mask {target.area:,} px"
    return tile(Case.of(target.kind, pair.name, target.box, target.iou, area), image, truth, mask)


def _image(
    images: ImageSource | None, place: ImageFrame | None, shape: tuple[int, int]
) -> NDArray[Any] | None:
    if images is None or place is None:
        return None
    try:
        with images.open(place[0]) as file:
            image = file.decode(place[1])
    except ImageError:
        return None
    return image if image.shape == shape else None
