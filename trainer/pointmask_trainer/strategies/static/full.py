"""Full supervision: the true masks of the training folder."""

from collections.abc import Mapping, Sequence

from pointmask_trainer.data.labels import Label, SplitName
from pointmask_trainer.data.layout import true_masks
from pointmask_trainer.data.split import load_masks
from pointmask_trainer.strategies.base import Folder, Strategy


class Full(Strategy):
    """Train on ``masks/`` of the training folder, or on those of ``--masks``."""

    def prepare(self, folder: Folder) -> Mapping[SplitName, Sequence[Label]]:
        """Read the masks of both splits."""
        source = folder.masks or true_masks(folder.root)
        return {name: load_masks(split, source, folder.say) for name, split in folder.splits.items()}
