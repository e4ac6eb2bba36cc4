"""What a session is started with."""

from dataclasses import dataclass
from pathlib import Path

from pointmask.folder.records.manifest import Settings
from pointmask.theta import Polarity, Theta
from pointmask.version import __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """
    What a session is started with.

    Attributes
    ----------
    out : Path
        Existing output folder, held by the caller (see `pointmask.click.session.hold.hold_folder`).
    annotator : str
        Name, 1 to 64 printable characters.
    theta : Theta
    polarity : {"bright", "dark", "auto"}
    reading : str
        What the user said about the files; see `pointmask.io.images.kinds.Reading`.
    images : str
        Where the images are, as the user said it.
    labels : tuple of str
    shard : str
        Such as ``3/10``.
    read_only : bool
        Look, and write nothing.
    """

    out: Path
    annotator: str
    theta: Theta
    polarity: Polarity = "bright"
    reading: str = ""
    images: str = ""
    labels: tuple[str, ...] = ()
    shard: str = "1/1"
    read_only: bool = False

    @property
    def settings(self) -> Settings:
        """What masks are made with."""
        return Settings(self.theta.digest, __version__, self.polarity, self.reading)
