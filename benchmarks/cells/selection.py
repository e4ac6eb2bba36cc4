"""Which images the rows on a part of the data train on."""

from pathlib import Path

SHARE = 0.3
EPOCHS = 50
"""Over which weights are averaged at most: the last in which they were on."""


def select_ids(run: Path, by: str, seed: int) -> list[str]:
    """Return the ids that ``pointmask select`` keeps of a finished run: a share `SHARE` of its train list.

    Parameters
    ----------
    run : Path
        Run folder of strategy ``d2d``.
    by : str
        ``alpha`` (learned weights), ``random`` or ``difficulty`` (of the images, before any training).
    seed : int
        Of the random order.

    Raises
    ------
    DataError
        If the run tells nothing to rank by.
    """
    from pointmask_trainer.selection.run import check_has, read_run, select

    found = read_run(run, EPOCHS)
    check_has(found, by)
    kept = select(found, SHARE, [seed], stratify=False).kept
    return [found.ids[index] for index in kept[f"random-{seed}" if by == "random" else by]]
