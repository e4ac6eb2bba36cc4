"""Names of the files in a run folder."""

from dataclasses import dataclass
from pathlib import Path

from pointmask.io.files import former
from pointmask.io.layout import RUN_CONFIG, RUN_SOURCE

WEIGHTS, OPTIMISER, STATE = "model.safetensors", "optimiser.safetensors", "state.json"
"""Files of a checkpoint: weights with their card, and the tensors and plain values of the training state."""

BUILTIN = "builtin"
"""Name of the weights that come with the package, wherever weights can be given."""

FORMER_OPTIMISER = "optimiser.pt"
"""The same as an archive of pickles, in runs of versions up to 0.1."""

STRATEGY, TRAIN_IDS = "strategy.jsonl", "train.txt"

UNSEEN = "unseen"
"""Name of the list of validation images that neither trained nor chose; see `RunFolder.ids`."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of the files of a run.

    Attributes
    ----------
    root : Path
        The folder given by ``pointmask train --out``.
    """

    root: Path

    @property
    def config(self) -> Path:
        """All settings, as TOML."""
        return self.root / RUN_CONFIG

    @property
    def source(self) -> Path:
        """Location of the training data; see `pointmask_trainer.run.source`."""
        return self.root / RUN_SOURCE

    @property
    def metrics(self) -> Path:
        """Metrics of every epoch, one per line."""
        return self.root / "metrics.jsonl"

    @property
    def strategy(self) -> Path:
        """Record of the strategy's own learning, one line per epoch; missing if it learns nothing."""
        return self.root / STRATEGY

    @property
    def report(self) -> Path:
        """HTML page that shows the progress of the run."""
        return self.root / "report.html"

    @property
    def analysis(self) -> Path:
        """Folder of the charts drawn from a run."""
        return self.root / "analysis"

    @property
    def events(self) -> Path:
        """Folder of the TensorBoard files."""
        return self.root / "events"

    @property
    def mlflow(self) -> Path:
        """Id of the run of MLflow; see `pointmask_trainer.run.trackers`."""
        return self.root / "mlflow-run.txt"

    @property
    def last(self) -> Path:
        """Checkpoint folder from which the run is resumed."""
        return self.root / "last"

    @property
    def former_last(self) -> Path:
        """Temporary name of `last` while it is being replaced."""
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
        """Folder with one file per version of the labels; missing if labels are not learned."""
        return self.root / "labels"

    def labels_of(self, version: int) -> Path:
        """Labels of one version."""
        return self.labels / f"{version:04d}.npz"

    @property
    def all(self) -> tuple[Path, ...]:
        """Every file and folder that a training may write."""
        files = (self.config, self.source, self.metrics, self.strategy, self.report, self.mlflow)
        return (*files, self.ids("train"), self.ids("val"), self.ids(UNSEEN), *self.all_folders)

    @property
    def all_folders(self) -> tuple[Path, ...]:
        """Every folder that a training may write."""
        return self.events, self.last, self.former_last, self.best, self.labels, self.analysis

    @property
    def folders(self) -> tuple[Path, ...]:
        """Folders in which the run writes individual files."""
        return self.best, self.labels, self.analysis

    def label_versions(self) -> list[int]:
        """Return the existing versions of the labels, ascending."""
        stems = (path.stem for path in self.labels.glob("*.npz")) if self.labels.is_dir() else ()
        return sorted(int(stem) for stem in stems if stem.isdigit())

    def ids(self, split: str) -> Path:
        """Id list of the images of a split: ``train``, ``val``, or `UNSEEN`, where some are kept apart."""
        return self.root / f"{split}.txt"
