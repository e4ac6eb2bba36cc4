"""Compiled kernels are kept under a key of all sources, in a folder of the user's alone, or not at all."""

import ast
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numba
import pytest
from tools.folders import scenes

from pointmask import compiled
from pointmask.cli import summary
from pointmask.folder.job import annotate_folder

PACKAGE = Path(compiled.__file__).parent
posix = pytest.mark.skipif(os.name != "posix", reason="rights are POSIX")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder for caches, of which nothing is remembered."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    compiled.cache_folder.cache_clear()
    yield tmp_path / "cache" / "pointmask"
    compiled.cache_folder.cache_clear()


def doubled():
    """A small kernel, made anew."""

    @compiled.kernel()
    def double(number: float) -> float:
        return 2 * number

    return double


def test_kernels_call_no_function_of_another_place():
    """What they call is in their machine code, so its source must be in the key."""
    for path in PACKAGE.glob(compiled._SOURCES):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pointmask"):
                assert ".kernels." in f"{node.module}." or node.module == "pointmask.compiled", path
            assert not (isinstance(node, ast.ImportFrom) and node.module == "numba"), path


def test_the_key_follows_every_source_and_version(tmp_path, monkeypatch):
    keys = []

    def look():
        compiled.sources_key.cache_clear()
        keys.append(compiled.sources_key())

    for path in ("kernels/a.py", "deep/kernels/b.py", "other/c.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("1")
    monkeypatch.setattr(compiled, "__file__", str(tmp_path / "compiled.py"))
    look()
    (tmp_path / "other/c.py").write_text("2")
    look()
    assert keys[0] == keys[1]
    (tmp_path / "deep/kernels/b.py").write_text("2")
    look()
    (tmp_path / "deep/kernels/b.py").rename(tmp_path / "deep/kernels/d.py")
    look()
    monkeypatch.setattr(compiled, "version", lambda name: "99")
    look()
    assert len(set(keys)) == 4
    monkeypatch.undo()
    compiled.sources_key.cache_clear()


@posix
def test_the_folder_is_the_users_alone(place, tmp_path):
    folder = compiled.cache_folder()
    assert folder == place / f"kernels-{compiled.sources_key()}"
    assert [path.stat().st_mode & 0o777 for path in (place, folder)] == [0o700, 0o700]
    assert not (tmp_path / "cache").stat().st_mode & 0o002


@posix
@pytest.mark.parametrize("damage", ["others may write", "link", "file", "no home"])
def test_without_a_safe_folder_nothing_is_kept_and_kernels_work(place, monkeypatch, damage):
    if damage == "others may write":
        place.mkdir(parents=True)
        place.chmod(0o777)
    elif damage == "link":
        place.parent.mkdir()
        (place.parent / "elsewhere").mkdir()
        place.symlink_to("elsewhere")
    elif damage == "file":
        place.parent.write_text("")
    else:
        monkeypatch.delenv("NUMBA_CACHE_DIR")
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        monkeypatch.setattr(Path, "home", classmethod(_no_home))
    assert compiled.cache_folder() is None
    double = doubled()
    assert double(4.0) == 8.0
    assert not compiled.is_compiled(double)
    assert summary.cannot_keep()
    assert not list(place.parent.rglob("*.nb?")) if place.parent.is_dir() else True


def _no_home(cls):
    raise RuntimeError("Could not determine home directory.")


@posix
def test_a_folder_of_somebody_else_is_not_trusted(place, monkeypatch):
    place.mkdir(parents=True, mode=0o700)
    owner = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    assert compiled.cache_folder() is None


@posix
def test_a_new_folder_removes_those_that_nobody_has_used_for_a_month(place, tmp_path):
    import time

    def make(name, *, days=40, files=("k_1/potential-1.py311.nbi", "k_1/potential-1.py311.1.nbc", ".used")):
        for file in files:
            path = place / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        (place / name).chmod(0o700)
        os.utime(place / name, (time.time() - days * 86400,) * 2)
        return place / name

    place.mkdir(parents=True, mode=0o700)
    gone = [make("kernels-" + 16 * "0"), make("kernels-" + 16 * "1", files=("k_1/a.nbi.tmp",))]
    make("kernels-" + 16 * "2", days=29)
    make("kernels-" + 16 * "3", files=("k_1/a.nbi", "k_1/thesis.txt"))
    make("kernels-mine")
    make("kernels-" + 16 * "4").chmod(0o777)
    (place / ("kernels-" + 16 * "5")).symlink_to(make("else"))
    used = make("kernels-" + 16 * "6")
    code = (
        "import sys; from pathlib import Path; from pointmask.compiled import _use; _use(Path(sys.argv[1]))"
    )
    user = subprocess.Popen(
        [sys.executable, "-c", f"{code}; print(flush=True); sys.stdin.read()", str(used)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    user.stdout.readline()
    os.utime(used, (time.time() - 40 * 86400,) * 2)
    before = {path.name for path in place.iterdir()}
    assert compiled.cache_folder() is not None
    new = {compiled.cache_folder().name}
    assert {path.name for path in place.iterdir()} == before - {path.name for path in gone} | new
    assert (used / "k_1/potential-1.py311.nbi").exists()
    user.communicate()
    compiled.remove_unused(place)
    assert not used.exists()
    assert compiled.cache_folder().exists()


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("data", [b"", b"\0" * 300, b"no pickle"])
def test_damaged_files_cost_time_alone(place, suffix, data):
    assert doubled()(4.0) == 8.0
    files = list(place.rglob(f"*.{suffix}"))
    assert files
    for path in files:
        path.write_bytes(data)
    again = doubled()
    assert again(4.0) == 8.0
    assert sum(again.stats.cache_misses.values()) == 1
    third = doubled()
    assert third(4.0) == 8.0
    assert sum(third.stats.cache_hits.values()) == 1  # what was damaged was written anew


def test_a_full_disk_costs_time_alone(place, monkeypatch):
    double = doubled()

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(double._cache._cache_file, "save", full)
    assert double(4.0) == 8.0


def test_the_message_follows_the_key(place, monkeypatch, capsys):
    double = doubled()
    assert not compiled.is_compiled(double)
    double(4.0)
    assert compiled.is_compiled(double)
    index = next(place.rglob("*.nbi"))
    os.utime(index, (0, 0))  # an installer may set any time: no sign of anything
    assert compiled.is_compiled(double)
    index.write_bytes(b"")
    assert not compiled.is_compiled(double)
    monkeypatch.setattr(summary, "is_compiled", lambda: False)
    monkeypatch.setattr(summary, "cannot_keep", lambda: True)
    summary.announce_compilation()
    assert "at each run" in capsys.readouterr().err


def test_other_functions_of_a_process_keep_their_own_cache(place):
    import numba

    before = numba.config.CACHE_DIR
    doubled()
    assert before == numba.config.CACHE_DIR


def test_a_change_of_one_kernel_changes_those_that_call_it(tmp_path):
    """Two kernels in two files, as in the package; the inner one changes between two processes."""
    package = tmp_path / "package" / "kernels"
    package.mkdir(parents=True)
    (package / "inner.py").write_text(
        "from pointmask.compiled import kernel\n@kernel()\ndef f(x): return x + 1\n"
    )
    (package / "outer.py").write_text(
        "from inner import f\nfrom pointmask.compiled import kernel\n@kernel()\ndef g(x): return 2 * f(x)\n"
    )
    code = (
        "import sys\nfrom pointmask import compiled\n"
        f"compiled.__file__ = {str(tmp_path / 'package/compiled.py')!r}\n"
        f"sys.path.insert(0, {str(package)!r})\nfrom outer import g\n"
        "print(g(1.0), sum(g.stats.cache_hits.values()))"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def run():
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
        )
        return done.stdout.split()

    assert run() == ["4.0", "0"]
    assert run() == ["4.0", "1"]
    (package / "inner.py").write_text(
        "from pointmask.compiled import kernel\n@kernel()\ndef f(x): return x + 2\n"
    )
    assert run() == ["6.0", "0"]


def test_the_time_of_compiling_is_told_apart(tmp_path):
    def double(x):
        return 2 * x

    compiled_here = numba.njit(double)
    thread, wall = compiled.seconds_of_thread(), compiled.seconds_on_the_wall()
    assert compiled_here(1) == 2
    spent = compiled.seconds_of_thread() - thread
    assert spent > 0
    assert compiled.seconds_on_the_wall() > wall
    thread = compiled.seconds_of_thread()
    assert compiled_here(2) == 4
    assert compiled.seconds_of_thread() == thread
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(compiled.seconds_of_thread).result() == 0


def test_the_speed_of_a_job_is_that_without_compiling(tmp_path, monkeypatch):
    """A kernel that takes a second to compile before each image, for one that is compiled on the way."""
    images, points = scenes(tmp_path)
    monkeypatch.setattr("pointmask.folder.frame.seconds_of_thread", iter(range(0, 10**6, 1000)).__next__)
    summary = annotate_folder(images, points, tmp_path / "out")
    assert summary.ms_per_target < 0
