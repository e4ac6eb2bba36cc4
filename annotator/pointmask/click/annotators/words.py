"""An agreement in words."""

from collections.abc import Callable, Iterator
from math import isnan

from pointmask.click.annotators.agree import SIZES, Agreement, Agreements, Figure
from pointmask.click.annotators.compare import Match


def lines_of(found: Agreements) -> Iterator[str]:
    """Yield what ``pointmask agree`` prints."""
    if not found.pairs:
        yield "No frame is finished in two of the folders, so there is nothing to compare."
        return
    for (first, second), agreement in found.pairs.items():
        names = f"{found.folders[first]} and {found.folders[second]}"
        yield from _agreement(names, agreement, str(found.folders[first]), str(found.folders[second]))
    if len(found.pairs) > 1:
        yield from _agreement("all pairs together", found.pooled, "the first", "the second")
    if found.worst:
        yield "Where they differ most:"
    for worst in found.worst:
        name = f"{worst.key[0]}#{worst.key[1]}" if worst.key[1] else worst.key[0]
        pair = f"{found.folders[worst.first]}, {found.folders[worst.second]}"
        what = worst.what or f"IoU {worst.iou:.2f} ({pair})"
        yield f"  {name} x {worst.place[1]} y {worst.place[0]}: {what}"


def _agreement(names: str, found: Agreement, first: str, second: str) -> Iterator[str]:
    yield f"{names}: {len(found.comparisons):,} common frames"
    yield (
        f"  targets: {found.both:,} in both, {found.only_first:,} only in {first}, {found.only_second:,} "
        f"only in {second}; Dice {_figure(found.found())}"
    )
    if found.empty_for_one:
        yield f"  frames that only one of them calls empty: {found.empty_for_one:,}"
    if found.both:
        yield f"  clicks: {_figure(found.median(lambda m: m.apart, lambda m: True))} px apart (median)"
    # Two people who click the same blob get the same mask: that is no agreement of drawing.
    yield from _masks("masks made from clicks alone", found, lambda m: not m.by_hand)
    yield from _masks("masks with a part by hand", found, lambda m: m.by_hand)


def _masks(name: str, found: Agreement, kind: Callable[[Match], bool]) -> Iterator[str]:
    count, low, high = found.quartiles(kind)
    if not count:
        return
    yield (
        f"  {name}: {count:,}; IoU median {_figure(found.median(lambda m: m.iou, kind))}, "
        f"quartiles {low:.2f} and {high:.2f}"
    )
    smallest = 0.0
    for largest, size in SIZES:
        inside = _between(smallest, largest, kind)
        number, low, high = found.quartiles(inside)
        if number:
            median = found.median(lambda m: m.iou, inside).value
            yield f"    {size}: {number:,}; IoU median {median:.2f}, quartiles {low:.2f} and {high:.2f}"
        smallest = largest


def _between(low: float, high: float, kind: Callable[[Match], bool]) -> Callable[[Match], bool]:
    return lambda m: kind(m) and low < m.area <= high


def _figure(figure: Figure) -> str:
    if isnan(figure.low):
        return f"{figure.value:.2f}"
    return f"{figure.value:.2f} (95 % {figure.low:.2f} to {figure.high:.2f})"
