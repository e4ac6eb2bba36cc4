"""Targets that no journal line tells of yet."""

from typing import Any, get_args

from pointmask.click.contract.targets import ClickTarget, Made
from pointmask.folder.records.manifest import Settings
from pointmask.io.points.points import Point

CARRIED = "carried"


def seed(number: int, point: Point, basis: Settings) -> ClickTarget:
    """Return a target of which the point alone is known."""
    place = point.row, point.col
    return ClickTarget(
        target=number,
        point=place,
        centre=place,
        label=point.label,
        made="carried" if CARRIED in point.flags else "seeded",
        level=None,
        ring=0,
        polarity=None,
        box=(point.row, point.col, point.row + 1, point.col + 1),
        area=0,
        confidence=None,
        flags=point.flags,
        rle="",
        verdict=None,
        who="",
        changed=0,
        basis=basis,
    )


def made_of(fields: dict[str, Any]) -> Made:
    """Return how a target of a manifest entry was made."""
    known: dict[object, Made] = {made: made for made in get_args(Made)}
    return known.get(fields.get("made")) or ("carried" if CARRIED in fields.get("flags", ()) else "seeded")
