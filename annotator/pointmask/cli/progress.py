"""Progress of a long job: a bar on a terminal, elsewhere a line every ten seconds."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from pointmask.cli import is_quiet, say
from pointmask.executors import Progress

_LOG_EVERY = 10.0  # seconds

Report = Callable[[Progress], None]


@contextmanager
def progress_display() -> Iterator[Report]:
    """Yield a function that shows a `Progress` on standard error."""
    if is_quiet():
        yield lambda progress: None
        return
    console = Console(stderr=True)
    if not console.is_terminal:
        yield logged_progress()
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("images"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, rate="")
        start = time.monotonic()

        def show(progress: Progress) -> None:
            rate = progress.seen / max(time.monotonic() - start, 1e-9)
            bar.update(task, total=progress.total, completed=progress.seen, rate=f"{rate:,.0f}/s")

        yield show


def logged_progress(every: float = _LOG_EVERY) -> Report:
    """
    Return a function that writes a log line at intervals.

    Parameters
    ----------
    every : float
        Seconds between lines; a shorter job writes none.
    """
    start = time.monotonic()
    last = start

    def show(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < every:
            return
        last = now
        rate = progress.seen / (now - start)
        left = (progress.total - progress.seen) / rate
        say(
            f"{progress.seen:,} of {progress.total:,} images, {rate:,.0f} images/s, {_duration(left)} left, "
            f"{progress.skipped:,} skipped",
            err=True,
        )

    return show


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
