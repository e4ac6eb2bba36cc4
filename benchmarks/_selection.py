"""Which images the rows on a part of the data train on."""

from pathlib import Path

SHARE = 0.3


def select_ids(run: Path, root: Path, by: str, seed: int) -> list[str]:
    """Return the ids that a finished run of strategy ``d2d`` puts first, a share `SHARE` of its train list.

    Parameters
    ----------
    run : Path
        Run folder.
    root : Path
        Training folder, with ``points_centroid.csv``.
    by : str
        ``alpha`` (learned weights), ``random`` or ``difficulty`` (of the images, before any training).
    seed : int
        Of the random order.
    """
    from pointmask_trainer.selection import select

    return list(select(run, root, by=by, share=SHARE, seed=seed, points=root / "points_centroid.csv"))
