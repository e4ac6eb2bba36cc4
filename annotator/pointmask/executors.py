"""Executors: in this thread, in a thread pool, or on a Dask cluster. All yield the results in order.

Each has the signature ``(function, items, ...) -> iterator of results`` and keeps only a few chunks of items
in flight, so that memory does not grow with the number of items. If the consumer stops early, or the function
raises, pending chunks are cancelled and running ones are awaited; a thread only ends the item at hand.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from importlib import import_module
from itertools import islice
from threading import Event
from typing import Any, NamedTuple, Protocol, TypeVar

from pointmask.advice import install
from pointmask.errors import BrokenOffError, PointmaskError

T = TypeVar("T")
R = TypeVar("R")

# Submitting costs about 30 microseconds; a chunk of sixteen makes that negligible against 1 ms of work.
_CHUNK = 16
_CHUNK_DASK = 256
_ANSWER = 10  # seconds until a scheduler must answer
_PATIENCE = 20  # seconds until a first worker of a cluster must be there


def _one(item: object) -> int:
    return 1


class _Future(Protocol):
    def result(self) -> Any: ...  # noqa: ANN401 - of two libraries, one untyped


def serial(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Process one item after another in this thread."""
    return map(function, items)


def threads(
    function: Callable[[T], R], items: Iterable[T], count: int, weight: Callable[[T], int] = _one
) -> Iterator[R]:
    """
    Process items in a thread pool.

    Parameters
    ----------
    function : callable
        Safe to call from several threads.
    items : iterable
        Read lazily.
    count : int
        Number of threads.
    weight : callable
        How many items an item counts for.
    """
    pool, is_over = ThreadPoolExecutor(count, thread_name_prefix="pointmask"), Event()
    try:
        yield from _windowed(
            # In the context of this thread, which collects notes; each call needs its own copy.
            lambda chunk: pool.submit(copy_context().run, _each_until, is_over, function, chunk),
            _chunks(items, _CHUNK, weight),
            3 * count,
        )
    finally:
        is_over.set()
        pool.shutdown(cancel_futures=True)


def dask(
    function: Callable[[T], R], items: Iterable[T], address: str, weight: Callable[[T], int] = _one
) -> Iterator[R]:
    """
    Process items on a Dask cluster, whose workers must see the same folders under the same paths.

    The chunks of a lost worker are recomputed by another.

    Parameters
    ----------
    function : callable
        Must be picklable, like the items and the results.
    items : iterable
        Read lazily.
    address : str
        Address of the scheduler, such as ``tcp://host:8786``.
    weight : callable
        As for `threads`.

    Raises
    ------
    PointmaskError
        If Dask is not installed, the scheduler does not answer or no worker comes.
    BrokenOffError
        If the scheduler is lost, or the same items repeatedly kill workers.
    """
    try:
        distributed = import_module("distributed")  # untyped if not installed
    except ImportError:
        raise PointmaskError(f"--scheduler needs Dask; install it with: {install('dask')}") from None
    try:
        _call(distributed, address)
        client = distributed.Client(address, timeout=_ANSWER)
    except Exception as error:  # OSError, ValueError and ImportError of addresses, AssertionError of answers
        raise PointmaskError(
            f"no Dask scheduler answers at {address} ({str(error) or type(error).__name__}); start one with: "
            "dask scheduler"
        ) from error
    with client:
        try:
            _wait_for_worker(client, address)
            window = 2 * max(1, sum(client.nthreads().values()))
            yield from _windowed(
                lambda chunk: client.submit(_each, function, chunk, pure=False),
                _chunks(items, _CHUNK_DASK, weight),
                window,
            )
        except PointmaskError:
            raise  # raised by the function
        except distributed.KilledWorker as error:
            raise BrokenOffError(
                f"several Dask workers died on the same images ({error}); give them more memory"
            ) from error
        except (OSError, distributed.CancelledError) as error:
            raise BrokenOffError(f"the Dask scheduler at {address} is gone ({error})") from error


def _call(distributed: Any, address: str) -> None:  # noqa: ANN401 - untyped if not installed
    """
    Connect to a scheduler once, and hang up.

    A client of Dask waits for ever where something else listens and says nothing. One that found nobody is
    taken down whenever Python looks for garbage, which stopped this process for good when it fell into the
    making of the next client.
    """
    # The certificates of Dask's configuration, as the client takes them.
    secured = distributed.Security().get_connection_args("client")

    async def call() -> None:
        connecting = distributed.comm.connect(address, timeout=_ANSWER, **secured)
        comm = await asyncio.wait_for(connecting, _ANSWER + 1)
        await comm.close()

    with ThreadPoolExecutor(1) as pool:  # in a notebook this thread runs a loop of its own already
        pool.submit(lambda: asyncio.run(call())).result()


def _wait_for_worker(client: Any, address: str) -> None:  # noqa: ANN401 - untyped if not installed
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError:
        raise PointmaskError(
            f"the Dask scheduler at {address} has no worker after {_PATIENCE} s; start one where "
            f"pointmask is installed with: dask worker {address}"
        ) from None


def _chunks(items: Iterable[T], size: int, weight: Callable[[T], int]) -> Iterator[list[T]]:
    """Yield lists of items that together weigh ``size``, or the first of which weighs more."""
    chunk: list[T] = []
    total = 0
    for item in items:
        more = weight(item)
        if chunk and total + more > size:
            yield chunk
            chunk, total = [], 0
        chunk.append(item)
        total += more
    if chunk:
        yield chunk


def _windowed(submit: Callable[[list[T]], _Future], chunks: Iterator[list[T]], window: int) -> Iterator[Any]:
    """Keep ``window`` chunks in flight, and yield the results of their items in order."""
    waiting: deque[_Future] = deque()
    while True:
        for chunk in islice(chunks, window - len(waiting)):
            waiting.append(submit(chunk))
        if not waiting:
            return
        yield from waiting.popleft().result()


def _each(function: Callable[[T], R], chunk: list[T]) -> list[R]:
    return [function(item) for item in chunk]


def _each_until(is_over: Event, function: Callable[[T], R], chunk: list[T]) -> list[R]:
    """Process items until nobody waits for them any more."""
    return [function(item) for item in chunk if not is_over.is_set()]


class Progress(NamedTuple):
    """Progress of a job, in frames or files: the job says which."""

    seen: int
    total: int
    targets: int
    skipped: int
