"""Who draws a detector's masks, and with which parameters; stored with the weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from pointmask.errors import ThetaError
from pointmask.settings import read_table, to_table
from pointmask.theta import Polarity, Theta

MaskSource = Literal["network", "operator"]


@dataclass(frozen=True, slots=True)
class MaskSettings:
    """How masks are made of a detector's probabilities.

    Attributes
    ----------
    by : {"network", "operator"}
        See `pointmask_trainer.config.MasksConfig`.
    polarity : {"bright", "dark", "auto"}
    theta : Theta
        Used if `by` is "operator".
    """

    by: MaskSource = "network"
    polarity: Polarity = "bright"
    theta: Theta = field(default_factory=lambda: Theta.load("default"))

    def to_table(self) -> dict[str, Any]:
        """Return plain values from which `from_table` restores equal settings."""
        return {"by": self.by, "polarity": self.polarity, "theta": to_table(self.theta)}

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "MaskSettings":
        """Restore the output of `to_table`.

        Raises
        ------
        ValueError
            If a value is missing or invalid.
        """
        by, polarity = table["by"], table["polarity"]
        if by not in get_args(MaskSource) or polarity not in get_args(Polarity):
            raise ValueError(f"masks by {by!r} of polarity {polarity!r} are unknown")
        return cls(by, polarity, read_table(Theta, table["theta"], ThetaError, "theta"))
