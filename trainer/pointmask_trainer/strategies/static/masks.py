"""Static pseudo-masks: a folder of masks from any annotator."""

from collections.abc import Mapping, Sequence

from pointmask_trainer.data.labels import Label, SplitName
from pointmask_trainer.data.split import load_masks
from pointmask_trainer.errors import DataError
from pointmask_trainer.strategies.base import Folder, Strategy


class Masks(Strategy):
    """Train on a folder of pseudo-masks, such as the output of ``pointmask annotate``."""

    def prepare(self, folder: Folder) -> Mapping[SplitName, Sequence[Label]]:
        """Read the pseudo-masks of both splits."""
        if folder.masks is None:
            raise DataError(
                "strategy masks needs pseudo-masks: make them with pointmask annotate IMAGES --points FILE "
                "--out OUT, then name them with --masks OUT; true masks are --strategy full"
            )
        return {name: load_masks(split, folder.masks, folder.say) for name, split in folder.splits.items()}
