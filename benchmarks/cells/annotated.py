"""Pseudo-masks of the literature's annotators for the rows that train on them, made once for all cells."""

from fnmatch import fnmatch
from pathlib import Path
from zlib import crc32

import numpy as np

from cells.held import held
from pointmask.bench.baselines.registry import BASELINES
from pointmask.bench.cases import folder_sources
from pointmask.io.files import write_whole
from pointmask.io.images.array import encode_png, read
from pointmask.io.points.lists import read_ids


def annotated_masks(root: Path, folder: Path, method: str, include: str) -> Path:
    """Annotate the images of both lists from centroids, without size priors; masks that are there stay.

    Parameters
    ----------
    root : Path
        Training folder, laid out like SIRST3.
    folder : Path
        Of the masks of this method; another process that makes them is waited for.
    method : str
        Of `pointmask bench`.
    include : str
        Pattern of the images' names.

    Returns
    -------
    Path
        The folder.
    """
    listed = {
        Path(key).stem
        for split in ("train", "val")
        for key in read_ids(root / "splits" / f"{split}.txt").ids
        if fnmatch(Path(key).stem, include)
    }
    with held(folder, wait=True):
        missing = {stem for stem in listed if not (folder / f"{stem}.png").exists()}
        if not missing:
            return folder
        baseline = BASELINES.load(method)()
        sources = folder_sources(root / "images", root / "masks", root / "points_centroid.csv")
        for source in sources:
            stem = Path(source.name).stem
            if stem not in missing:
                continue
            case = source.load()
            image = case.colour if baseline.sees == "colour" else case.image
            seed = crc32(f"0/{case.name}".encode())  # as in the bench
            mask = baseline.annotate(image, case.points[0], seed=seed).mask
            write_whole(folder / f"{stem}.png", encode_png(mask))
            missing.remove(stem)
        for stem in missing:  # images without a point
            file = next((root / "images").glob(f"{stem}.*"))
            write_whole(folder / f"{stem}.png", encode_png(np.zeros(read(file).shape, np.bool_)))
    return folder
