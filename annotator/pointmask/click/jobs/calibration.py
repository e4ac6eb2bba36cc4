"""Teach theta the drawing style of the masks that a person has judged, in a process of its own."""

import multiprocessing
import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pointmask.calibrate.fit import BUDGET, KNOB_IMAGES, MIN_IMAGES, MIN_TARGETS, Calibration, calibrate
from pointmask.calibrate.samples import Pair
from pointmask.click.contract.errors import InvalidError
from pointmask.click.contract.source import FrameSource
from pointmask.click.contract.targets import Brief, ClickTarget
from pointmask.click.jobs.frames import each_frame
from pointmask.click.journal.index import FrameKey
from pointmask.click.masks.divided import Masks
from pointmask.click.masks.undivided import Undivided
from pointmask.click.publish.folder import Cancelled
from pointmask.click.session.session import Session
from pointmask.errors import PointmaskError
from pointmask.io.formats.encodings import rle
from pointmask.io.images.source import ImageSource
from pointmask.theta import Polarity, Theta

Report = Callable[[int, int], None]

_NICE = 10  # the page stays quick
_POLL = 0.2  # seconds between two looks at whether to stop
_LOOKED_AT = 300  # frames in which the new masks are compared with the old ones
_SHOWN = 10


class Example(NamedTuple):
    """A frame in which every target was judged."""

    key: FrameKey
    shape: tuple[int, int]
    points: tuple[tuple[int, int], ...]
    masks: tuple[str, ...]


class Sample(NamedTuple):
    """A mask that would change: its frame, and the target before and after."""

    key: FrameKey
    before: ClickTarget
    after: ClickTarget


class Calibrated(NamedTuple):
    """
    What a calibration found.

    Attributes
    ----------
    calibration : Calibration
        Its `lines` say what was gained on held-out images.
    looked_at, changing : int
        Masks that nobody has judged in up to 300 frames drawn at random, and how many would change.
    unjudged : int
        Such masks in all frames.
    samples : tuple of Sample
        Up to ten that would change.
    """

    calibration: Calibration
    looked_at: int
    changing: int
    unjudged: int
    samples: tuple[Sample, ...]


def examples_of(session: Session) -> list[Example]:
    """
    Return the frames in which every target was accepted or corrected.

    Raises
    ------
    InvalidError
        If they are too few, or all of their masks are what theta makes of the points anyway.
    """
    found = []
    differ = 0
    present = session.setup.theta.digest
    for key, briefs in session.briefs():
        if briefs and all(_is_judged(brief) for brief in briefs):
            frame = session.peek(*key)
            points = tuple(target.point for target in frame.targets)
            found.append(Example(key, frame.shape, points, tuple(target.rle for target in frame.targets)))
            differ += sum(not t.is_point_only or t.basis.theta != present for t in frame.targets)
    targets = sum(len(example.points) for example in found)
    if len(found) < MIN_IMAGES or targets < MIN_TARGETS:
        raise InvalidError(
            f"{targets} targets in {len(found)} frames of which every mask was accepted or corrected; at "
            f"least {MIN_TARGETS} in {MIN_IMAGES} are needed, and {KNOB_IMAGES} frames to fit more than the "
            "style; accept or correct the others in the review"
        )
    if not differ:
        raise InvalidError(
            f"none of the {targets} accepted masks was corrected, so all are what theta makes already, and "
            "teach nothing; correct some by level, ring or paint"
        )
    return sorted(found)


def calibrate_session(
    session: Session,
    source: FrameSource,
    images: ImageSource,
    *,
    budget: int = BUDGET,
    report: Report | None = None,
    cancel: threading.Event | None = None,
) -> Calibrated:
    """
    Fit theta to what was judged; nothing is changed by it. Accepted masks favour the present theta.

    Parameters
    ----------
    session : Session
    source : FrameSource
        The session's.
    images : ImageSource
        The same images, as the other process reads them.
    budget : int
        Most thetas to try.
    report : callable, optional
        Called with the thetas tried and the budget.
    cancel : Event, optional
        Set to stop.

    Raises
    ------
    InvalidError
        If too little was judged, or the fit fails, with the reason.
    Cancelled
        If it was stopped.
    """
    examples = examples_of(session)
    setup = session.setup
    told = _in_a_process(
        (images, examples, setup.theta, setup.polarity, budget),
        lambda tried: None if report is None else report(min(tried, budget), budget),
        cancel,
    )
    looked_at, changing, samples = _effect(session, source, told.theta, cancel)
    unjudged = sum(_is_open(brief) for _, briefs in session.briefs() for brief in briefs)
    return Calibrated(told, looked_at, changing, unjudged, tuple(samples))


def remake(
    session: Session, *, report: Report | None = None, cancel: threading.Event | None = None
) -> dict[FrameKey, str]:
    """
    Make all masks that nobody has judged with the session's theta; see `Session.use_theta`.

    Returns
    -------
    dict
        Reasons by frame, of those that cannot be done.

    Raises
    ------
    Cancelled
        If it was stopped; what is done stays.
    """
    keys = [key for key, briefs in session.briefs() if any(_is_open(brief) for brief in briefs)]
    return each_frame(keys, lambda key: session.remake(*key), report=report, cancel=cancel)


def _is_judged(brief: Brief) -> bool:
    """Say whether a person stands for a mask: by a verdict, or by having corrected it without one."""
    return brief.verdict in ("accepted", "changed") or (brief.verdict is None and not brief.is_point_only)


def _is_open(brief: Brief) -> bool:
    """Say whether another theta makes the mask anew; see `pointmask.click.masks.divided.Masks.may_renew`."""
    return brief.verdict is None and brief.is_point_only


def _effect(
    session: Session, source: FrameSource, theta: Theta, cancel: threading.Event | None
) -> tuple[int, int, list[Sample]]:
    """Compare masks of frames drawn at random; return how many, those that change, and some of them."""
    setup = replace(session.setup, theta=theta)
    masks = Masks(Undivided(theta), setup.settings, setup.polarity)
    keys = [key for key, briefs in session.briefs() if any(_is_open(brief) for brief in briefs)]
    random.Random(0).shuffle(keys)
    looked_at = changing = 0
    samples: list[Sample] = []
    for key in keys[:_LOOKED_AT]:
        if cancel is not None and cancel.is_set():
            raise Cancelled
        with suppress(PointmaskError):  # of an image that cannot be read: it is told when it is shown
            frame = session.frame(*key)
            decoded = source.load(*key)
            new = masks.divided(decoded, key[1], masks.renewed(frame.targets))
            for before, after in zip(frame.targets, new, strict=True):
                if masks.may_renew(before):
                    looked_at += 1
                    if before.rle != after.rle:
                        changing += 1
                        samples.append(Sample(key, before, after))
    return looked_at, changing, samples[:_SHOWN]


def _in_a_process(
    arguments: tuple[Any, ...], told: Callable[[int], None], cancel: threading.Event | None
) -> Calibration:
    """Fit in another process, which is ended if that is asked for."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    worker = context.Process(target=_work, args=(theirs, *arguments), daemon=True)
    worker.start()
    theirs.close()
    try:
        while True:
            if cancel is not None and cancel.is_set():
                raise Cancelled
            if not ours.poll(_POLL):
                continue
            try:
                what, value = ours.recv()
            except EOFError:
                raise InvalidError(
                    "the calibration ended without a result; memory may have run out"
                ) from None
            if what == "done":
                return value  # type: ignore[no-any-return]
            if what == "failed":
                raise InvalidError(value)
            told(value)
    finally:
        worker.terminate()
        worker.join()
        ours.close()


def _work(
    pipe: Connection,
    images: ImageSource,
    examples: list[Example],
    theta: Theta,
    polarity: Polarity,
    budget: int,
) -> None:
    with suppress(OSError, AttributeError):
        os.nice(_NICE)
    try:
        found = calibrate(
            _pairs(images, examples),
            theta=theta,
            polarity=polarity,
            budget=budget,
            tick=lambda tried: pipe.send(("tick", tried)),
        )
    except PointmaskError as error:
        pipe.send(("failed", str(error)))
    else:
        pipe.send(("done", found))


def _pairs(images: ImageSource, examples: list[Example]) -> Iterator[Pair]:
    for example in examples:
        name, frame = example.key
        with images.open(name) as file:
            pixels = file.decode(frame)
        truth: NDArray[np.bool_] = np.zeros(example.shape, np.bool_)
        for text in example.masks:
            crop = rle.decode(rle.unpack(text), example.shape)
            if crop is not None:
                top, left, part = crop
                truth[top : top + part.shape[0], left : left + part.shape[1]] |= part
        yield pixels, list(example.points), truth
