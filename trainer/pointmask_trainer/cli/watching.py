"""What a training shows: messages and epochs as lines, steps as a status line or occasional log lines."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.console import Console

from pointmask.cli import is_quiet, say
from pointmask.printable import printable

if TYPE_CHECKING:
    from pointmask_trainer.training.train import Watcher

_LOG_EVERY = 30.0  # seconds between log lines without a terminal
_SURE_AFTER = 10.0  # seconds of steps from which the end is estimated, and as many steps as below
_FEWEST_STEPS = 5
_DAY = 86_400.0


class Outlook:
    """
    Estimates when a training ends, by the steps so far.

    Parameters
    ----------
    clock : callable
        Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: tuple[float, float] | None = None  # time and place in epochs after the first step
        self._steps = 0
        self.is_said = False

    def left(self, epoch: int, epochs: int, done: int, steps: int) -> float | None:
        """Return the seconds that are left after a step, validations included; None if it is too early."""
        now, place = self._clock(), epoch - 1 + done / steps
        if self._first is None:  # the first step compiles and warms up
            self._first = now, place
            return None
        self._steps += 1
        spent, covered = now - self._first[0], place - self._first[1]
        if self._steps < _FEWEST_STEPS or spent < _SURE_AFTER or covered <= 0:
            return None
        return (epochs - place) * spent / covered


def end_line(seconds: float, now: datetime) -> str:
    """Say how long a training still takes, and when it ends."""
    end = now + timedelta(seconds=seconds)
    when = f"{end:%H:%M}" if seconds < _DAY / 2 else f"{end:%a %d %b, %H:%M}"
    return f"about {duration(seconds)} left, until {when}; Ctrl-C keeps all finished epochs"


def duration(seconds: float) -> str:
    """Return a length of time in the two largest units that matter."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 10 else f"{hours} h"


@contextmanager
def watching() -> Iterator["Watcher"]:
    """Yield a watcher that prints; see the module."""
    from pointmask_trainer.training.train import Watcher

    if is_quiet():
        yield Watcher()
        return
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    outlook = Outlook()
    if not console.is_terminal:
        steps = _LoggedSteps(outlook)
        yield Watcher(message=_say, step=steps.show, epoch=lambda metrics: _say(epoch_line(metrics)))
        return
    with console.status("") as status:

        def show(text: str) -> None:
            console.print(printable(text), markup=False)

        def step(epoch: int, epochs: int, done: int, steps: int, loss: float) -> None:
            left = outlook.left(epoch, epochs, done, steps)
            _say_once(outlook, left, show)
            rest = "" if left is None else f", {duration(left)} left"
            status.update(f"epoch {epoch} of {epochs}, step {done} of {steps}, loss {loss:.4f}{rest}")

        yield Watcher(message=show, step=step, epoch=lambda metrics: show(epoch_line(metrics)))


class _LoggedSteps:
    """Occasional log lines within long epochs."""

    def __init__(self, outlook: Outlook) -> None:
        self._outlook, self._last = outlook, time.monotonic()

    def show(self, epoch: int, epochs: int, done: int, steps: int, loss: float) -> None:
        """Log the progress if `_LOG_EVERY` seconds have passed, and the end once it can be told."""
        left = self._outlook.left(epoch, epochs, done, steps)
        _say_once(self._outlook, left, _say)
        now = time.monotonic()
        if now - self._last >= _LOG_EVERY and done < steps:
            self._last = now
            rest = "" if left is None else f", {duration(left)} left"
            _say(f"epoch {epoch} of {epochs}, step {done} of {steps}, loss {loss:.4f}{rest}")


def _say_once(outlook: Outlook, left: float | None, show: Callable[[str], None]) -> None:
    if left is not None and not outlook.is_said:
        outlook.is_said = True
        show(end_line(left, datetime.now()))


def _say(text: str) -> None:
    say(text, err=True)


def epoch_line(metrics: dict[str, Any]) -> str:
    """Return an epoch's figures in one line."""
    rate = f"{metrics['images_per_second']:.1f} images/s"
    figures = scores(metrics) if "val_labels" in metrics else ""
    return f"epoch {metrics['epoch']:>4}  loss {metrics['loss']:.4f}  {rate}  {figures}".rstrip()


_REFERENCES = (
    ("val_unseen", "never seen"),
    ("val_labels", "val"),
    ("val_truth", "val against true masks"),
)


def scores(metrics: dict[str, Any]) -> str:
    """Return the figures of the validation list."""
    parts = []
    if "val_points" in metrics:
        f1, recall = metrics["val_points"]["f1"], metrics["val_points"]["recall"]
        parts.append("val no target" if f1 is None else f"val F1 {f1:.3f} recall {recall or 0:.3f}")
    for key, name in _REFERENCES:
        if key in metrics:
            iou, pd = metrics[key]["iou"], metrics[key]["pd"]
            figures = "no target" if iou is None else f"IoU {iou:.3f}"
            parts.append(f"{name} {figures}" + ("" if pd is None else f" Pd {pd:.3f}"))
    return "  ".join(parts)
