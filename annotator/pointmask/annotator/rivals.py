"""The other clicks near each click of an image: whose targets a click must leave alone."""

from collections.abc import Sequence

from pointmask.theta import Theta

Click = tuple[int, int]


def rivals(clicks: Sequence[Click], theta: Theta) -> list[tuple[Click, ...]]:
    """Find the other clicks that could own what a click leads to.

    Parameters
    ----------
    clicks : sequence of (row, col)
        Of one image.
    theta : Theta
        `settle_moves` says how far a click may be moved.

    Returns
    -------
    list of tuple of (row, col)
        Per click, sorted, those within three times the moves; the same pixel is no rival.
    """
    reach = 3 * theta.settle_moves
    if not reach or len(clicks) < 2:
        return [()] * len(clicks)
    # Cells as wide as the reach: the cost stays linear in crowds of bounded density.
    cells: dict[Click, list[Click]] = {}
    for click in clicks:
        cells.setdefault((click[0] // reach, click[1] // reach), []).append(click)

    def around(click: Click) -> tuple[Click, ...]:
        row, col = click[0] // reach, click[1] // reach
        near = (other for i in (-1, 0, 1) for j in (-1, 0, 1) for other in cells.get((row + i, col + j), ()))
        return tuple(
            sorted({o for o in near if 0 < max(abs(o[0] - click[0]), abs(o[1] - click[1])) <= reach})
        )

    return [around(click) for click in clicks]


def is_owned(place: Click, click: Click, others: Sequence[Click]) -> bool:
    """Whether a pixel is nearer to its click than to any other."""
    own = _squared(place, click)
    return all(_squared(place, other) >= own for other in others)


def _squared(a: Click, b: Click) -> int:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2
