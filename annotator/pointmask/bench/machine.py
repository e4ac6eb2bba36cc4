"""Provenance of measured figures: processor, versions, commit and date."""

import os
import platform
import subprocess
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("pointmask", "numpy", "scipy", "scikit-image", "numba", "pillow", "matplotlib")


def record() -> dict[str, object]:
    """Describe this machine and the current time as plain values for a JSON file.

    Returns
    -------
    dict
        ``date`` (ISO 8601, UTC, to the minute), ``cpu``, ``cores`` (usable by this process), ``system``,
        ``versions`` (Python and the installed libraries) and ``commit`` (None outside a git checkout;
        ends in ``+`` if tracked files have changed).
    """
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="minutes"),
        "cpu": cpu_name(),
        "cores": usable_cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version(), **_versions()},
        "commit": commit(),
    }


def cpu_name() -> str:
    """Return the processor's marketing name, or the architecture if the system does not report it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), "") or platform.processor() or platform.machine()


def usable_cores() -> int:
    """Return the number of cores on which this process may run."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def commit() -> str | None:
    """Return the short commit of the checkout that holds this file, or None."""
    here = Path(__file__).resolve()
    # An installed copy may lie in a virtual environment inside an unrelated checkout.
    if not _git(here.parent, "ls-files", "--", here.name):
        return None
    head = _git(here.parent, "rev-parse", "--short=10", "HEAD")
    changed = _git(here.parent, "status", "--porcelain", "--untracked-files=no")
    return f"{head}+" if changed else head


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        result = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip() or None


def _versions() -> dict[str, str]:
    return {package: number for package in _PACKAGES if (number := _version(package))}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
