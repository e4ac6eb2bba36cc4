"""Reduce a run to the plain values of tables, charts and JSON files."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from pointmask.bench.baselines.registry import BASELINES, OURS
from pointmask.bench.machine import record
from pointmask.bench.run import BenchRun, MethodTally
from pointmask.metrics.counters import Score
from pointmask.metrics.targets import SIZE_CLASSES, TargetTally

_RESAMPLES = 1000
_BUSY = 1.15  # elapsed over processor time above which the machine counts as busy


class Ratio(TypedDict):
    """Median time over ours, with a 95 % bootstrap interval over targets."""

    value: float
    low: float
    high: float


class PartFigure(TypedDict):
    """A figure over a subset of the targets or images."""

    count: int
    iou: float | None


class Row(TypedDict):
    """Figures of one method. Shares and IoU are in [0, 1], averaged over seeds.

    Times are in ms per target, and processor times except `elapsed_ms_median`.
    """

    label: str
    size_prior: str
    iou: float | None
    iou_sd: float | None  # over seeds
    niou: float | None
    target_iou: float | None
    collapsed: float | None
    overgrown: float | None
    by_size: dict[str, PartFigure]  # mean target IoU
    by_group: dict[str, PartFigure]  # pooled IoU
    ms_median: float | None
    ms_p95: float | None
    elapsed_ms_median: float | None
    over_ours: Ratio | None


class BenchSummary(TypedDict):
    """One run, as written to ``bench.json``."""

    data: str
    protocol: str
    size_prior: str
    seeds: int
    images: int
    targets: int
    without_truth: int
    skipped: list[tuple[str, str]]
    command: str
    machine: dict[str, object]
    methods: dict[str, Row]
    notes: list[str]


def summarise(
    run: BenchRun, *, data: str, protocol: str, command: str, notes: Sequence[str] = ()
) -> BenchSummary:
    """Reduce a run to its figures.

    Parameters
    ----------
    run : BenchRun
        From `pointmask.bench.run.run_bench`.
    data, protocol, command : str
        Names of the data and of the point protocol, and the command line; quoted in every heading.
    notes : sequence of str
        What else to say of the data, first of all notes.

    Returns
    -------
    BenchSummary
        Plain values; an undefined figure (no targets of a class, ours not run) is None.
    """
    ours = run.tallies.get(OURS)
    return BenchSummary(
        data=data,
        protocol=protocol,
        size_prior=run.size_prior,
        seeds=run.seeds,
        images=run.images,
        targets=run.targets,
        without_truth=run.without_truth,
        skipped=run.skipped,
        command=command,
        machine=record(),
        methods={name: _row(name, tally, ours, run) for name, tally in run.tallies.items()},
        notes=[*notes, *_notes(run)],
    )


def ratio_of_medians(times: Sequence[float], ours: Sequence[float], seed: int = 0) -> Ratio:
    """Compare two methods timed on the same targets.

    Parameters
    ----------
    times, ours : sequence of float
        ``(n,)`` with n >= 1, paired by target, in any unit.
    seed : int
        Seed of the bootstrap, which resamples targets 1000 times.

    Returns
    -------
    Ratio
        Median of `times` over median of `ours`, and its 2.5 and 97.5 percentiles.
    """
    pairs = np.array([times, ours])
    rng = np.random.default_rng(seed)
    draws = np.array([_ratio(pairs[:, rng.integers(0, len(ours), len(ours))]) for _ in range(_RESAMPLES)])
    low, high = np.percentile(draws, [2.5, 97.5])
    return Ratio(value=_ratio(pairs), low=float(low), high=float(high))


def _ratio(pairs: NDArray[np.float64]) -> float:
    top, bottom = np.median(pairs, axis=1)
    return float(top / bottom)


def _row(name: str, tally: MethodTally, ours: MethodTally | None, run: BenchRun) -> Row:
    method = BASELINES.load(name)
    totals = [sum(groups.values(), Score()) for groups in tally.scores]
    targets = TargetTally.of([t for seed in tally.targets for t in seed])
    timed = bool(tally.ms)
    return Row(
        label=method.label,
        size_prior=run.size_prior if method.reads_size else "none",
        iou=_mean([t.iou for t in totals]),
        iou_sd=_number(float(np.std([t.iou for t in totals]))),
        niou=_mean([t.niou for t in totals]),
        target_iou=_number(targets.mean_iou),
        collapsed=_number(targets.collapsed_share),
        overgrown=_number(targets.overgrown_share),
        by_size={name: _size_part(tally, name) for name in SIZE_CLASSES},
        by_group={group: _group_part(tally, group) for group in tally.scores[0]},
        ms_median=float(np.median(tally.ms)) if timed else None,
        ms_p95=float(np.percentile(tally.ms, 95)) if timed else None,
        elapsed_ms_median=float(np.median(tally.elapsed_ms)) if timed else None,
        over_ours=ratio_of_medians(tally.ms, ours.ms) if ours and timed else None,
    )


def _size_part(tally: MethodTally, size: str) -> PartFigure:
    total = TargetTally.of([t for seed in tally.targets for t in seed if t.size_class == size])
    return PartFigure(count=total.count // len(tally.targets), iou=_number(total.mean_iou))


def _group_part(tally: MethodTally, group: str) -> PartFigure:
    scores = [groups[group] for groups in tally.scores]
    return PartFigure(count=scores[0].scored_images, iou=_mean([s.iou for s in scores]))


def _notes(run: BenchRun) -> list[str]:
    notes = []
    methods = [BASELINES.load(name) for name in run.tallies]
    informed = [method.label for method in methods if method.reads_size]
    if run.size_prior != "none" and informed:
        rest = [method.label for method in methods if not method.reads_size]
        notes.append(
            f"Size prior '{run.size_prior}' is drawn from the TRUE masks and given to {_joined(informed)}"
            + (f"; {_joined(rest)} get the point only." if rest else ".")
        )
    notes += [f"{method.label}: {method.note}" for method in methods if method.note]
    notes += [f"{BASELINES.load(name).label}: {detail}." for name, detail in run.details.items()]
    if run.without_truth:
        notes.append(
            f"Points at which the true mask shows no target: {run.without_truth}. They count in IoU and "
            "nIoU, not in the per-target figures."
        )
    if run.skipped:
        name, reason = run.skipped[0]
        notes.append(f"Images left out for all methods: {len(run.skipped)}; the first is {name}: {reason}.")
    elapsed = sum(sum(t.elapsed_ms) for t in run.tallies.values())
    busy = sum(sum(t.ms) for t in run.tallies.values())
    if elapsed > _BUSY * busy:
        notes.append(
            f"Elapsed time was {elapsed / busy:.2f} x processor time: the machine was busy with other work, "
            "which also slows the processor time a little; measure again on an idle one."
        )
    return notes


def _joined(labels: Sequence[str]) -> str:
    return ", ".join(labels[:-1]) + (" and " if len(labels) > 1 else "") + labels[-1]


def _mean(values: Sequence[float]) -> float | None:
    return _number(float(np.mean(values)))


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
