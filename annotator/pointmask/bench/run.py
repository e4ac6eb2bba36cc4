"""Compare annotators: quality and time on the same targets, in one run.

What is timed and what is scored
--------------------------------
Every method is timed target by target, in one thread: one call with one point on a decoded image. All methods
run on one target before the next, in rotating order. Reading files, simulating points and scoring are not
timed, nor is the first call of each method on a new type of image, which may compile. Work that a method does
once per image (D2D equalises the whole frame) is therefore counted for each target. Times are processor times
of the process, summed over its threads: on an idle machine they equal the elapsed time, which is recorded as
well; on a busy machine they exclude the work of other processes.

Quality is measured on one call with *all* points of the image, as a user would make it: neighbours may touch,
and MCLC and D2D share state between the targets of an image. With a single point this is the timed call.
"""

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from zlib import crc32

import numpy as np

from pointmask.annotator.target import Annotation
from pointmask.bench.baselines.base import Baseline
from pointmask.bench.baselines.registry import READY, make_baseline
from pointmask.bench.baselines.sizes import SizeKnowledge, SizePrior, from_masks
from pointmask.bench.cases import Case, LazyCase, PointList
from pointmask.metrics.counters import Score, score
from pointmask.metrics.targets import TargetScore, score_targets, true_targets

# Windows counts processor time in steps of 16 ms.
CLOCK = time.perf_counter if sys.platform == "win32" else time.process_time

_Call = Callable[[Case, PointList, Sequence[SizePrior], int], Annotation]

REPEATS = 3
"""Number of calls of each method on each target; the median time counts."""

_SLOW = 1.0  # seconds from which on a call is not repeated: cold caches are nothing to it


@dataclass(slots=True)
class MethodTally:
    """Results of one method.

    Attributes
    ----------
    scores : list of dict
        Per seed, `Score` by group of images.
    targets : list of list of TargetScore
        Per seed, the targets that match a true target.
    ms, elapsed_ms : list of float
        Per timed call over all seeds: processor time of the process, and elapsed time.
    """

    scores: list[dict[str, Score]]
    targets: list[list[TargetScore]]
    ms: list[float] = field(default_factory=list)
    elapsed_ms: list[float] = field(default_factory=list)


@dataclass(slots=True)
class BenchRun:
    """Outcome of `run_bench`.

    Attributes
    ----------
    tallies : dict of str to MethodTally
        By method, in the requested order. Entry k of every ``ms`` is the same target.
    size_prior : {"none", "box", "class", "truth"}
        Size prior given to the methods that can use one.
    seeds : int
        Number of repetitions.
    images, targets : int
        Number measured per repetition.
    without_truth : int
        Number of points at which the true mask has no target; excluded from the per-target figures.
    skipped : list of (str, str)
        Image and reason; excluded for all methods.
    details : dict of str to str
        By method, `Baseline.detail` of those that have one.
    """

    tallies: dict[str, MethodTally]
    size_prior: SizeKnowledge
    seeds: int
    images: int = 0
    targets: int = 0
    without_truth: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Result:
    """One method on one image with one seed."""

    score: Score
    targets: list[TargetScore | None]
    ms: list[float]
    elapsed_ms: list[float]


def run_bench(
    sources: Iterable[LazyCase],
    methods: Sequence[str] = READY,
    *,
    weights: Mapping[str, Path] | None = None,
    size_prior: SizeKnowledge = "none",
    seeds: int = 1,
    tick: Callable[[BenchRun], None] = lambda _: None,
) -> BenchRun:
    """Measure quality and time of several methods.

    Parameters
    ----------
    sources : iterable of LazyCase
        Images with true masks and one list of points per seed, loaded one at a time. An image that cannot
        be loaded, or on which any method fails, is skipped for all methods.
    methods : sequence of str
        Names in `BASELINES`.
    weights : Mapping of str to Path, optional
        Files of the methods that need one; see `pointmask.bench.baselines.registry.WEIGHTS`.
    size_prior : {"none", "box", "class", "truth"}
        Size information from the *true* masks, passed to the methods that can use it. Ours never uses it.
    seeds : int
        Number of repetitions, with seeds 0, 1, ...
    tick : callable
        Called with the run so far after each source.

    Raises
    ------
    MethodError
        If a method is unknown or lacks its weights.
    PluginError
        If a method of another package cannot be used.
    ValueError
        If a case does not have one list of points per seed.
    """
    baselines = {name: make_baseline(name, weights) for name in methods}
    calls = {name: _call(baseline) for name, baseline in baselines.items()}
    run = BenchRun(
        {name: MethodTally([{} for _ in range(seeds)], [[] for _ in range(seeds)]) for name in methods},
        size_prior,
        seeds,
        details={name: baseline.detail for name, baseline in baselines.items() if baseline.detail},
    )
    clock = _Clock(calls)
    for source in sources:
        try:
            case = source.load()
        except Exception as error:  # one image must not end a run of hours; the report lists it
            run.skipped.append((source.name, _reason(error)))
        else:
            _run_case(run, clock, case)
        tick(run)
    return run


def _run_case(run: BenchRun, clock: "_Clock", case: Case) -> None:
    if len(case.points) != run.seeds:
        raise ValueError(f"{case.name} has {len(case.points)} lists of points for {run.seeds} seeds")
    try:
        results = [_measure(clock, case, seed, run.size_prior) for seed in range(run.seeds)]
    except Exception as error:  # as above
        run.skipped.append((case.name, _reason(error)))
    else:
        _add(run, case, results)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


class _Clock:
    """Times all methods on one target at a time, in rotating order and after compilation."""

    def __init__(self, calls: Mapping[str, _Call]) -> None:
        self.calls = calls
        self._warm: set[str] = set()
        self._first = 0

    def time(
        self, case: Case, point: tuple[int, int], prior: Sequence[SizePrior], seed: int
    ) -> dict[str, tuple[Annotation, float, float]]:
        """Annotate one target with each method; return results, processor and elapsed time in ms.

        Each method is called `REPEATS` times in a row and the median counts: after calls of other methods
        the processor's caches are cold, so a single call would measure the memory, not the method. A call
        that takes over a second is not repeated.
        """
        if case.image.dtype.str not in self._warm:
            self._warm.add(case.image.dtype.str)
            for call in self.calls.values():
                call(case, [point], prior, seed)
        names = list(self.calls)
        self._first = (self._first + 1) % len(names)
        timed = {}
        for name in names[self._first :] + names[: self._first]:
            call = self.calls[name]
            spent = []
            for _ in range(REPEATS):
                start, busy_start = time.perf_counter(), CLOCK()
                annotation = call(case, [point], prior, seed)
                spent.append((CLOCK() - busy_start, time.perf_counter() - start))
                if spent[-1][0] > _SLOW:
                    break
            busy, elapsed = (1e3 * median(column) for column in zip(*spent, strict=True))
            timed[name] = annotation, busy, elapsed
        return timed


def _measure(clock: _Clock, case: Case, seed: int, size_prior: SizeKnowledge) -> dict[str, _Result]:
    """Time every target of an image, then score the methods on the whole image."""
    points = case.points[seed]
    own_seed = crc32(
        f"{seed}/{case.name}".encode("utf-8", "surrogateescape")
    )  # independent of the order of the images
    priors = from_masks(case.truth, points, np.random.default_rng(own_seed), size_prior)
    timed = [clock.time(case, p, priors[k : k + 1], own_seed) for k, p in enumerate(points)]
    labels, ids = true_targets(case.truth, points)
    results = {}
    for name, call in clock.calls.items():
        whole = timed[0][name][0] if len(points) == 1 else call(case, points, priors, own_seed)
        results[name] = _Result(
            score(whole.mask, case.truth),
            score_targets(whole, labels, ids),
            [t[name][1] for t in timed],
            [t[name][2] for t in timed],
        )
    return results


def _add(run: BenchRun, case: Case, results: Sequence[dict[str, _Result]]) -> None:
    """Add the results of one image, for all seeds."""
    run.images += 1
    run.targets += len(case.points[0])
    run.without_truth += sum(target is None for target in next(iter(results[0].values())).targets)
    for seed, by_method in enumerate(results):
        for name, result in by_method.items():
            tally = run.tallies[name]
            groups = tally.scores[seed]
            groups[case.group] = groups.get(case.group, Score()) + result.score
            tally.targets[seed] += [target for target in result.targets if target is not None]
            tally.ms += result.ms
            tally.elapsed_ms += result.elapsed_ms


def _call(method: Baseline) -> _Call:
    """Wrap a method as a function of a case, points, size priors and a seed."""

    def call(case: Case, points: PointList, priors: Sequence[SizePrior], seed: int) -> Annotation:
        image = case.image if method.sees == "band" else case.colour
        return method.annotate(image, points, size_prior=priors, seed=seed)

    return call
