"""Where the work is done: here, in threads, or on a Dask cluster. All give the results in order.

Each adapter has the signature ``(function, items, ...) -> iterator of results`` and holds only a few
chunks of items at a time, so that memory does not grow with the number of items. If the consumer
stops early, or the function raises, what has not begun is dropped and what has begun is waited for.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import islice
from typing import Any, NamedTuple, Protocol, TypeVar

from pointmask.errors import BrokenOffError, PointmaskError

T = TypeVar("T")
R = TypeVar("R")

# Handing over one item costs about 30 microseconds; sixteen together make that vanish beside 1 ms of work.
_CHUNK = 16
_CHUNK_DASK = 256


class _Future(Protocol):
    def result(self) -> Any: ...  # noqa: ANN401 - of two libraries, one untyped


def serial(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Do one item after the other in this thread."""
    return map(function, items)


def threads(function: Callable[[T], R], items: Iterable[T], count: int) -> Iterator[R]:
    """
    Work in threads of this process.

    Parameters
    ----------
    function : callable
        Safe to call from several threads.
    items : iterable
        Read lazily.
    count : int
        Number of threads.
    """
    pool = ThreadPoolExecutor(count, thread_name_prefix="pointmask")
    try:
        yield from _windowed(lambda chunk: pool.submit(_each, function, chunk), items, _CHUNK, 3 * count)
    finally:
        pool.shutdown(cancel_futures=True)


def dask(function: Callable[[T], R], items: Iterable[T], address: str) -> Iterator[R]:
    """
    Work on a Dask cluster, whose workers must see the same folders under the same paths.

    What a lost worker had in hand is done again by another.

    Parameters
    ----------
    function : callable
        Can be pickled; so can the items and results.
    items : iterable
        Read lazily.
    address : str
        Of the scheduler, such as ``tcp://host:8786``.

    Raises
    ------
    PointmaskError
        If Dask is not installed or the scheduler does not answer.
    BrokenOffError
        If the scheduler is lost, or the same items cost several workers their lives.
    """
    try:
        distributed = import_module("distributed")  # has no types where it is not installed
    except ImportError:
        raise PointmaskError(
            "--scheduler needs Dask; install it with: pip install 'pointmask[dask]'"
        ) from None
    try:
        client = distributed.Client(address, timeout=10)
    except OSError as error:
        raise PointmaskError(
            f"no Dask scheduler answers at {address} ({error}); start one with: dask scheduler"
        ) from None
    with client:
        window = 2 * max(1, sum(client.nthreads().values()))
        try:
            yield from _windowed(
                lambda chunk: client.submit(_each, function, chunk, pure=False), items, _CHUNK_DASK, window
            )
        except PointmaskError:
            raise  # of the function
        except distributed.KilledWorker as error:
            raise BrokenOffError(
                f"several Dask workers died of the same images ({error}); give them more memory"
            ) from error
        except (OSError, distributed.CancelledError) as error:
            raise BrokenOffError(f"the Dask scheduler at {address} is gone ({error})") from error


def _windowed(
    submit: Callable[[list[T]], _Future], items: Iterable[T], size: int, window: int
) -> Iterator[Any]:
    """Keep ``window`` chunks of ``size`` items in flight, and give their results in order."""
    waiting: deque[_Future] = deque()
    source = iter(items)
    while True:
        while len(waiting) < window and (chunk := list(islice(source, size))):
            waiting.append(submit(chunk))
        if not waiting:
            return
        yield from waiting.popleft().result()


def _each(function: Callable[[T], R], chunk: list[T]) -> list[R]:
    return [function(item) for item in chunk]


class Progress(NamedTuple):
    """How far a job is, counted in image files."""

    seen: int
    total: int
    targets: int
    skipped: int
