"""What a folder job is asked to do with each image, checked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from pointmask.folder.records.manifest import Settings
from pointmask.io.layout import RESULTS
from pointmask.theta import Polarity, Theta
from pointmask.version import __version__


@dataclass(frozen=True, slots=True)
class Recipe:
    """
    How to annotate, the same for every image of a job.

    Attributes
    ----------
    theta : Theta
        Parameters of the annotator.
    polarity : {"bright", "dark", "auto"}
        Of the targets.
    save : tuple of str
        Keys of `pointmask.io.layout.RESULTS`: the files to make of each frame.
    reading : str
        What the user said about the files; see `pointmask.io.images.kinds.Reading`.
    run_lengths : bool
        Put each target's mask into the entry as run lengths.
    settings : Settings
        What each entry tells about the recipe.
    """

    theta: Theta
    polarity: Polarity = "bright"
    save: tuple[str, ...] = ("mask",)
    reading: str = ""
    run_lengths: bool = False

    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        # Once per job: the digest writes the whole theta as text, which takes as long as a small target.
        settings = Settings(self.theta.digest, __version__, self.polarity, self.reading)
        object.__setattr__(self, "settings", settings)


def make_recipe(
    theta: Theta | str | Path,
    polarity: Polarity,
    save: Sequence[str],
    *,
    png: bool = True,
    keeps_run_lengths: bool = False,
    reading: str = "",
) -> Recipe:
    """
    Check what a user asks for.

    Parameters
    ----------
    theta : Theta, str or Path
        Preset, or TOML file.
    polarity : {"bright", "dark", "auto"}
        Of the targets.
    save : sequence of str
        Keys of `pointmask.io.layout.RESULTS`, and ``rle`` for run lengths.
    png : bool
        False: run lengths instead of any file per frame.
    keeps_run_lengths : bool
        Make run lengths in any case.
    reading : str
        As in `Recipe`.

    Raises
    ------
    ThetaError
        If theta cannot be read.
    ValueError
        If `save` or `polarity` is out of range.
    """
    known = (*RESULTS, "rle") if png else ("mask", "rle")
    unknown = [kind for kind in save if kind not in known]
    if unknown:
        without = "" if png else " without PNG"
        raise ValueError(f"save holds {unknown[0]!r}; choose among {', '.join(known)}{without}")
    if polarity not in get_args(Polarity):
        raise ValueError(f"polarity is {polarity!r}; choose among {', '.join(get_args(Polarity))}")
    files = tuple(kind for kind in RESULTS if kind == "mask" or kind in save) if png else ()
    run_lengths = keeps_run_lengths or "rle" in save or not png
    return Recipe(Theta.load(theta), polarity, files, reading, run_lengths)
