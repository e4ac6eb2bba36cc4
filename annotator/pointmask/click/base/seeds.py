"""Points that a session starts from."""

from collections.abc import Iterator, Mapping, Sequence

from pointmask.click.base.targets import seed
from pointmask.click.contract.base import Base
from pointmask.click.contract.targets import Brief, ClickFrame
from pointmask.click.journal.index import FrameKey
from pointmask.folder.records.manifest import Settings
from pointmask.io.points.fit import fitted
from pointmask.io.points.points import Point


class SeedBase:
    """
    Points by frame; an empty tuple is a frame that is known to hold no target.

    Parameters
    ----------
    points : Mapping
        As `pointmask.io.points.by_frame.points_by_frame` pairs them.
    settings : Settings
        Of the session, which makes the masks when a frame is first shown.
    """

    def __init__(self, points: Mapping[FrameKey, tuple[Point, ...]], settings: Settings) -> None:
        self._points, self._settings = points, settings

    def briefs(self) -> Iterator[tuple[FrameKey, list[Brief]]]:
        """Yield all frames with points; see `pointmask.click.contract.base.Base`."""
        for key, points in self._points.items():
            yield key, [Brief(target=number, label=point.label) for number, point in enumerate(points, 1)]

    def frame(self, key: FrameKey, shape: tuple[int, int] | None = None) -> ClickFrame | None:
        """
        Return a frame of points alone; see `pointmask.click.contract.base.Base`.

        Raises
        ------
        PointsError
            If they were marked in an image of another aspect.
        """
        points = self._points.get(key)
        if points is None:
            return None
        if shape is not None:
            points = tuple(fitted(points, shape))
        targets = tuple(seed(number, point, self._settings) for number, point in enumerate(points, 1))
        return ClickFrame(
            image=key[0],
            frame=key[1],
            state="open" if targets else "empty",
            targets=targets,
            last=len(targets),
        )


class Bases:
    """Several bases; the first that knows a frame tells of it."""

    def __init__(self, bases: Sequence[Base]) -> None:
        self._bases = bases

    def briefs(self) -> Iterator[tuple[FrameKey, list[Brief]]]:
        """Yield all frames that one of them knows."""
        seen: set[FrameKey] = set()
        for base in self._bases:
            for key, briefs in base.briefs():
                if len(self._bases) == 1:
                    yield key, briefs
                elif key not in seen:
                    seen.add(key)
                    yield key, briefs

    def frame(self, key: FrameKey, shape: tuple[int, int] | None = None) -> ClickFrame | None:
        """Return what the first of them says; see `pointmask.click.contract.base.Base`."""
        return next((frame for base in self._bases if (frame := base.frame(key, shape)) is not None), None)
