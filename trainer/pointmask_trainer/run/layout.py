"""What lies where in a run folder."""

from dataclasses import dataclass
from pathlib import Path

from pointmask.io.files import former
from pointmask.io.layout import RUN_CONFIG

WEIGHTS, OPTIMISER, STATE = "model.safetensors", "optimiser.pt", "state.json"
"""Files of a checkpoint: weights with their card, tensors and plain values with which a training goes on."""

STRATEGY, TRAIN_IDS = "strategy.jsonl", "train.txt"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The files of a run, by what they are.

    Attributes
    ----------
    root : Path
        What ``pointmask train --out`` names.
    """

    root: Path

    @property
    def config(self) -> Path:
        """All settings, as TOML."""
        return self.root / RUN_CONFIG

    @property
    def source(self) -> Path:
        """Where the data lay; see `pointmask_trainer.run.source`."""
        return self.root / "source.json"

    @property
    def metrics(self) -> Path:
        """Figures of every epoch, a line each."""
        return self.root / "metrics.jsonl"

    @property
    def strategy(self) -> Path:
        """What a strategy learned in every epoch, a line each; missing if it learns nothing."""
        return self.root / STRATEGY

    @property
    def report(self) -> Path:
        """The page to follow the run by."""
        return self.root / "report.html"

    @property
    def analysis(self) -> Path:
        """Folder of pictures of what was learned."""
        return self.root / "analysis"

    @property
    def events(self) -> Path:
        """Folder of TensorBoard's files."""
        return self.root / "events"

    @property
    def last(self) -> Path:
        """Checkpoint folder with which the run goes on."""
        return self.root / "last"

    @property
    def former_last(self) -> Path:
        """What `last` is called while a new one takes its place."""
        return former(self.last)

    @property
    def last_state(self) -> Path:
        """Plain values of the last checkpoint, such as its epoch."""
        return self.last / STATE

    @property
    def best(self) -> Path:
        """Checkpoint folder with the weights of the best epoch."""
        return self.root / "best"

    @property
    def best_weights(self) -> Path:
        """Weights of the best epoch."""
        return self.best / WEIGHTS

    @property
    def labels(self) -> Path:
        """Folder of the versions of the labels; missing if they are given."""
        return self.root / "labels"

    def labels_of(self, version: int) -> Path:
        """Labels of one version."""
        return self.labels / f"{version:04d}.npz"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Folders in which the run writes files one by one."""
        return self.best, self.labels, self.analysis

    def label_versions(self) -> list[int]:
        """Versions of the labels that are there, ascending."""
        stems = (path.stem for path in self.labels.glob("*.npz")) if self.labels.is_dir() else ()
        return sorted(int(stem) for stem in stems if stem.isdigit())

    def ids(self, split: str) -> Path:
        """List of the images of a split, ``train`` or ``val``."""
        return self.root / f"{split}.txt"
