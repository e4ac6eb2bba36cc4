"""What a folder held before the first line about a frame: a protocol."""

from collections.abc import Iterator
from typing import Protocol

from pointmask.click.contract.targets import Brief, ClickFrame


class Base(Protocol):
    """Reviewed masks, or points to start from."""

    def frame(self, key: tuple[str, int], shape: tuple[int, int] | None = None) -> ClickFrame | None:
        """
        Return a frame at revision 0.

        Parameters
        ----------
        key : (str, int)
            Image and frame.
        shape : (H, W), optional
            Of the frame, if it is known: points that were marked in an image of another size are moved.

        Returns
        -------
        ClickFrame or None
            None if nothing is known of it. Targets without run lengths have a point alone.

        Raises
        ------
        PointsError
            If points lie outside, or masks cannot be read.
        """

    def briefs(self) -> Iterator[tuple[tuple[str, int], list[Brief]]]:
        """Yield all frames that are known, in any order, with what is known of their targets at once."""
