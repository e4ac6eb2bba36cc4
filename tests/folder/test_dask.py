"""The folder job on a real Dask cluster: a scheduler and two workers, each a process of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from PIL import Image
from tools.folders import scenes, tree

from pointmask import executors
from pointmask.errors import BrokenOffError, PointmaskError
from pointmask.folder.job import annotate_folder
from pointmask.io.formats import read_points
from pointmask.io.points.points import Points

pytest.importorskip("distributed", reason="pip install 'pointmask[dask]'")
# Dask warns of its own affairs (ports, clocks, lost connections); what matters here raises.
pytestmark = pytest.mark.filterwarnings("default")

folder = pytest.fixture(scenes)


class Cluster:
    """A scheduler and its workers; all are killed at the end, whatever happens."""

    def __init__(self, place: Path, stack: ExitStack) -> None:
        self._place, self._stack = place, stack
        self._file = place / "scheduler.json"
        self.scheduler = self._start("scheduler", "--port", "0", "--host", "127.0.0.1")
        self.address = self._read_address()
        self.workers = [self._start("worker", "--nthreads", "1", "--no-nanny") for _ in range(2)]
        self._wait_for_workers()

    def _start(self, kind: str, *options: str) -> subprocess.Popen:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--no-dashboard"]
        command += ["--scheduler-file", str(self._file), *options]
        with (self._place / "cluster.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._place)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process

    def _read_address(self) -> str:
        for _ in range(600):
            with suppress(OSError, ValueError):
                return json.loads(self._file.read_text())["address"]
            time.sleep(0.1)
        raise AssertionError((self._place / "cluster.log").read_text())

    def _wait_for_workers(self) -> None:
        from distributed import Client

        with Client(self.address, timeout=30) as client:
            client.wait_for_workers(2, timeout=60)


@contextmanager
def cluster(place: Path):
    place.mkdir()
    with ExitStack() as stack:
        yield Cluster(place, stack)


def _many(source: Path, points: Points, count: int) -> Points:
    """Copies of the first scene, so that a job lasts long enough to be disturbed."""
    data = (source / "01.png").read_bytes()
    for k in range(count):
        (source / f"many{k:04d}.png").write_bytes(data)
    return Points({**dict(points), **{f"many{k:04d}.png": points.by_image["01.png"] for k in range(count)}})


@pytest.mark.parametrize("png", [True, False])
def test_same_bytes_and_a_lost_worker(folder, tmp_path, monkeypatch, png):
    source, points = folder
    points = _many(source, points, 600)
    with Image.open(source / "01.png") as turned:
        exif = turned.getexif()
        exif[0x112] = 6
        turned.save(source / "many0599.png", exif=exif)
    monkeypatch.setattr(executors, "_CHUNK_DASK", 20)
    local = annotate_folder(source, points, tmp_path / "local", png=png)
    with cluster(tmp_path / "cluster") as its:
        whole = annotate_folder(source, points, tmp_path / "whole", png=png, scheduler=its.address)
        assert whole.notes == local.notes
        assert "turned upright" in whole.notes[0]
        assert tree(tmp_path / "whole") == tree(tmp_path / "local")
        lost = []

        def lose_one(progress):
            if progress.seen > 100 and not lost:
                lost.append(progress.seen)
                os.kill(its.workers[0].pid, signal.SIGKILL)
                # What a worker leaves that dies while it writes.
                (tmp_path / "lossy/.pointmask-whole-1-2.tmp").write_bytes(b"half")

        annotate_folder(source, points, tmp_path / "lossy", png=png, scheduler=its.address, progress=lose_one)
        assert lost
        assert lost[0] < 600
    assert tree(tmp_path / "lossy") == tree(tmp_path / "local")


def test_relative_paths_are_those_of_the_client_and_a_cluster_without_workers_is_said(
    folder, tmp_path, monkeypatch
):
    source, points = folder
    annotate_folder(source, points, tmp_path / "local")
    monkeypatch.chdir(tmp_path)
    with cluster(tmp_path / "cluster") as its:  # whose workers run in another folder
        annotate_folder(source.name, points, "out", scheduler=its.address)
        assert tree(tmp_path / "out") == tree(tmp_path / "local")
        for worker in its.workers:
            worker.kill()
            worker.wait()
        monkeypatch.setattr(executors, "_PATIENCE", 2)
        (tmp_path / "out" / "masks" / "01.png").unlink()
        with pytest.raises(PointmaskError, match="has no worker after 2 s; start one"):
            annotate_folder(source.name, points, "out", scheduler=its.address)


def test_a_dead_scheduler_breaks_off_and_the_job_goes_on_elsewhere(folder, tmp_path, monkeypatch):
    source, points = folder
    points = _many(source, points, 600)
    monkeypatch.setattr(executors, "_CHUNK_DASK", 20)
    with cluster(tmp_path / "cluster") as its:

        def lose_scheduler(progress):
            if progress.seen > 100:
                os.kill(its.scheduler.pid, signal.SIGKILL)

        with pytest.raises(BrokenOffError) as caught:
            annotate_folder(source, points, tmp_path / "out", scheduler=its.address, progress=lose_scheduler)
        assert f"the Dask scheduler at {its.address} is gone" in str(caught.value)
        assert "run the same command again" in str(caught.value)
        with pytest.raises(PointmaskError, match="no Dask scheduler answers"):
            annotate_folder(source, points, tmp_path / "out", scheduler=its.address)
    summary = annotate_folder(source, points, tmp_path / "out")
    assert summary.resumed >= 100
    annotate_folder(source, points, tmp_path / "local")
    assert tree(tmp_path / "out") == tree(tmp_path / "local")


@pytest.mark.data
@pytest.mark.slow
def test_real_images_with_a_lost_worker(tmp_path):
    real = os.environ.get("POINTMASK_SIRST3")
    if not real:
        pytest.skip("set POINTMASK_SIRST3 to the folder of the SIRST3 images")
    source, points = Path(real) / "images", read_points(Path(real) / "points_centroid.csv")
    local = annotate_folder(source, points, tmp_path / "local")
    assert local.images == 2202
    with cluster(tmp_path / "cluster") as its:

        def lose_one(progress):
            if progress.seen > 500:
                its.workers[0].kill()

        annotate_folder(source, points, tmp_path / "out", scheduler=its.address, progress=lose_one)
        assert its.workers[0].poll() is not None
    assert tree(tmp_path / "out") == tree(tmp_path / "local")


def test_a_cluster_that_talks_tls_alone(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("makes its certificate with openssl")
    import dask
    from distributed import LocalCluster, Security

    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    subprocess.run([*make.split(), "-out", cert, "-keyout", key], check=True, capture_output=True)
    own = {
        f"distributed.comm.tls.{role}.{what}": str(file)
        for role in ("client", "scheduler", "worker")
        for what, file in (("cert", cert), ("key", key))
    }
    with (
        dask.config.set({**own, "distributed.comm.tls.ca-file": str(cert)}),
        LocalCluster(
            n_workers=1,
            processes=False,
            dashboard_address=None,
            host="tls://127.0.0.1",
            protocol="tls",
            security=Security(require_encryption=True),
            local_directory=str(tmp_path / "scratch"),
        ) as cluster,
    ):
        assert cluster.scheduler_address.startswith("tls://")
        assert list(executors.dask(abs, [-1, -2], cluster.scheduler_address)) == [1, 2]
