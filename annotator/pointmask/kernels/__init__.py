"""Numba loops only: no I/O, no validation, no allocation that the caller could do."""


def is_compiled() -> bool:
    """Whether the annotator's kernels lie compiled on this machine, so that the first call is quick."""
    from pathlib import Path

    from pointmask.kernels import operator

    source = Path(str(operator.__file__))
    folder = Path(str(operator.evolve.stats.cache_path))
    cached = folder.glob(f"{source.stem}.evolve-*.nbi")
    return any(index.stat().st_mtime >= source.stat().st_mtime for index in cached)
