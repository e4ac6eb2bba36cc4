"""The page of an evaluation, ``report.html``: misses, false alarms and the targets that fit least."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.drawing.cases import STYLE, Case, CaseKind, sections, tile
from pointmask.drawing.page import FIGURE_STYLE, figure, origin, page
from pointmask.metrics.counters import Score
from pointmask.printable import escape
from pointmask.scoring.run import Target, targets_of
from pointmask.scoring.worst import WorstCases
from pointmask_trainer.data.split import Mask, Split
from pointmask_trainer.inference.evaluate import Evaluation

MOST = 60
"""Cases of each kind on the page."""


class WorstPredictions:
    """Keeps the worst predictions of an evaluation, and draws them when it is over.

    Parameters
    ----------
    split : Split
        The images.
    truths : sequence of (H, W) bool arrays
        In the order of the split.
    """

    def __init__(self, split: Split, truths: Sequence[Mask]) -> None:
        self._split, self._truths = split, truths
        self._cases: WorstCases[tuple[int, NDArray[np.uint8]]] = WorstCases(MOST)

    def see(self, index: int, mask: Mask) -> None:
        """Take in the (H, W) predicted mask of an image; it is kept, packed, while a case of it is."""
        packed = np.packbits(mask)
        for target in targets_of(mask, self._truths[index]):
            self._cases.see((index, packed), target)

    def page(
        self, evaluation: Evaluation, facts: Mapping[str, Any], command: str, charts: Mapping[str, bytes]
    ) -> str:
        """Return the page.

        Parameters
        ----------
        evaluation : Evaluation
        facts : Mapping
            Those of ``metrics.json``.
        command : str
            Named on the page.
        charts : Mapping of str to bytes
            PNG files by title.
        """
        drawn: dict[CaseKind, list[str]] = {
            kind: [self._tile(index, packed, target) for (index, packed), target in worst.ordered()]
            for kind, worst in self._cases.kinds.items()
        }
        words = (
            f"{facts['model']}, {facts['weights']}",
            f"{evaluation.whole.images:,} images of {facts['data']}, list {facts['list']}",
            f"masks by the {facts['masks_by']}, threshold 0.5",
        )
        return page(
            f"pointmask evaluation: {escape(str(facts['model']))}",
            f"{' &middot; '.join(map(escape, words))}<br>{origin(command)}",
            sections(drawn, self._cases.totals)
            + "".join(figure(png, title) for title, png in charts.items())
            + "\n",
            summary=f'<div class="summary"><dl class="numbers">{_numbers(evaluation)}</dl></div>\n',
            style=STYLE + FIGURE_STYLE,
        )

    def _tile(self, index: int, packed: NDArray[np.uint8], target: Target) -> str:
        truth = self._truths[index]
        mask = np.unpackbits(packed, count=truth.size).reshape(truth.shape).astype(np.bool_)
        area = f" \N{MIDDLE DOT} true {target.truth_area:,} px" if target.truth_area else ""
        area += f" \N{MIDDLE DOT} predicted {target.area:,} px" if target.area else ""
        case = Case.of(target.kind, self._split.ids[index], target.box, target.iou, area)
        return tile(case, self._split.images.stored(index), truth, mask)


def _numbers(evaluation: Evaluation) -> str:
    """Return the figures of the images that the run never saw first, and of all."""
    parts = [("", evaluation.whole.score)]
    if evaluation.unseen is not None:
        parts = [("never seen: ", evaluation.unseen.score), ("all: ", evaluation.whole.score)]
    return "".join(
        f"<div><dt>{who}{name}</dt><dd>{value}</dd></div>"
        for who, score in parts
        for name, value in _figures(score)
    )


def _figures(score: Score) -> tuple[tuple[str, str], ...]:
    return (
        ("IoU", f"{score.iou:.3f}"),
        ("nIoU", f"{score.niou:.3f}"),
        ("Pd", f"{score.pd:.3f}"),
        ("Fa per million", f"{1e6 * score.fa:,.1f}"),
    )
