"""The folder job: the same bytes for any threads, shards and executor."""

import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tools.folders import one, scenes, tree

from pointmask import executors
from pointmask.advice import install
from pointmask.errors import BrokenOffError, PointmaskError
from pointmask.folder.job import annotate_folder
from pointmask.folder.records.shards import Shard
from pointmask.io.points.points import Point, Points

folder = pytest.fixture(scenes)


def test_one_or_two_threads(folder, tmp_path):
    source, points = folder
    annotate_folder(source, points, tmp_path / "one", save=("soft", "instance", "overlay"), report=True)
    annotate_folder(
        source, points, tmp_path / "two", save=("soft", "instance", "overlay"), report=True, threads=2
    )
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_shards_in_one_folder(folder, tmp_path):
    source, points = folder
    (source / "bad.png").write_bytes(b"")
    points = Points({**points.by_image, "bad.png": one(), "missing.png": one()})
    annotate_folder(source, points, tmp_path / "whole")
    missing = [
        annotate_folder(source, points, tmp_path / "parts", shard=(k, 3)).missing_shards for k in (2, 3, 1)
    ]
    assert missing == [(1, 3), (1,), ()]
    assert tree(tmp_path / "parts") == tree(tmp_path / "whole")


@pytest.mark.parametrize("last", [None, (2, 3)])
def test_shards_in_separate_folders_copied_together(folder, tmp_path, last):
    source, points = folder
    annotate_folder(source, points, tmp_path / "whole")
    for k in (1, 2, 3):
        part = tmp_path / f"part{k}"
        annotate_folder(source, points, part, shard=(k, 3))
        for name, data in tree(part).items():
            path = tmp_path / "together" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    summary = annotate_folder(source, points, tmp_path / "together", shard=last)
    assert summary.done == 0
    assert summary.missing_shards == ()
    assert tree(tmp_path / "together") == tree(tmp_path / "whole")


def test_shards_of_an_earlier_job_are_not_merged(folder, tmp_path):
    source, points = folder
    out = tmp_path / "out"
    for k in (2, 3):
        annotate_folder(source, points, out, shard=(k, 3))
    moved = Points({name: (*listed, Point(0, 0)) for name, listed in points})
    missing = [
        annotate_folder(source, moved, out, shard=(k, 3), overwrite=True).missing_shards for k in (1, 2, 3)
    ]
    assert missing == [(2, 3), (3,), ()]
    annotate_folder(source, moved, tmp_path / "whole")
    assert tree(out) == tree(tmp_path / "whole")


def test_another_division_of_a_half_done_folder(folder, tmp_path):
    source, points = folder
    out = tmp_path / "out"
    annotate_folder(source, points, out, shard=(1, 3))
    for k in (1, 2):
        annotate_folder(source, points, out, shard=(k, 2))
    annotate_folder(source, points, tmp_path / "whole")
    assert tree(out) == tree(tmp_path / "whole")


def test_every_image_belongs_to_exactly_one_shard():
    names = [f"seq/{k}.png" for k in range(300)]
    counts = [sum(Shard(i, 7).owns(name) for name in names) for i in range(1, 8)]
    assert sum(counts) == 300
    assert min(counts) > 20
    # Pinned: if it changed, shards on machines with different releases would overlap.
    assert [[k for k in (1, 2, 3) if Shard(k, 3).owns(name)] for name in ("a.png", "b.png")] == [[3], [1]]


def test_images_added_later_do_not_move_others_to_another_shard(folder, tmp_path):
    source, points = folder
    few = Points({name: listed for name, listed in points if name < "06"})
    done = [annotate_folder(source, few, tmp_path / "out", shard=(k, 3)).done for k in (1, 2, 3)]
    assert sum(done) == 6
    again = [annotate_folder(source, points, tmp_path / f"part{k}", shard=(k, 3)) for k in (1, 2, 3)]
    first = [annotate_folder(source, few, tmp_path / f"few{k}", shard=(k, 3)) for k in (1, 2, 3)]
    assert [summary.done for summary in first] == done
    for k in (1, 2, 3):
        assert tree(tmp_path / f"few{k}/masks").items() <= tree(tmp_path / f"part{k}/masks").items()
    assert sum(summary.done for summary in again) == 12


def test_progress_ends_at_the_total(folder, tmp_path):
    source, points = folder
    seen = []
    annotate_folder(source, points, tmp_path / "out", progress=seen.append)
    assert (seen[-1].seen, seen[-1].total, seen[-1].targets) == (12, 12, len(points))


def test_shards_that_finish_at_once_merge_to_the_same_bytes(folder, tmp_path):
    source, points = folder
    annotate_folder(source, points, tmp_path / "whole")
    for attempt in range(5):
        out = tmp_path / f"out{attempt}"
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda k, out=out: annotate_folder(source, points, out, shard=(k, 4)), range(1, 5)))
        assert tree(out) == tree(tmp_path / "whole")


def test_threads_keep_few_items_in_flight_and_their_order():
    taken = 0

    def items():
        nonlocal taken
        while taken < 10_000:
            yield taken
            taken += 1

    results = executors.threads(lambda item: item * 2, items(), 2)
    assert [next(results) for _ in range(20)] == list(range(0, 40, 2))
    assert taken < 200
    results.close()


def test_a_thread_ends_the_item_at_hand_alone(monkeypatch):
    started, shutdown = [], ThreadPoolExecutor.shutdown
    begun, stopped = threading.Event(), threading.Event()

    def second_chunk_waits(item):
        started.append(item)
        if item == executors._CHUNK:
            begun.set()
            stopped.wait(60)
        return item

    def stop(pool, **options):
        stopped.set()
        shutdown(pool, **options)

    monkeypatch.setattr(ThreadPoolExecutor, "shutdown", stop)
    results = executors.threads(second_chunk_waits, range(99), 1)
    assert next(results) == 0
    assert begun.wait(60)
    results.close()
    assert len(started) == executors._CHUNK + 1


def test_executors_stop_at_an_error():
    def fail(item):
        if item == 100:
            raise BrokenOffError("disk full")
        return item

    for results in (executors.serial(fail, range(10_000)), executors.threads(fail, range(10_000), 2)):
        with pytest.raises(BrokenOffError):
            list(results)


def test_without_dask_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(PointmaskError, match=re.escape(install("dask"))):
        list(executors.dask(str, range(3), "tcp://127.0.0.1:9"))


# On a busy disk Dask warns that its scratch folder took more than a second, which would be an error here.
@pytest.mark.filterwarnings("default")
def test_dask_gives_the_same_bytes(folder, tmp_path):
    distributed = pytest.importorskip("distributed", reason="pip install 'pointmask[dask]'")
    source, points = folder
    annotate_folder(source, points, tmp_path / "whole")
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=False,
        dashboard_address=None,
        local_directory=str(tmp_path / "scratch"),
    ) as cluster:
        annotate_folder(source, points, tmp_path / "out", scheduler=cluster.scheduler_address)
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")
