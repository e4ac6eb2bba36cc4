"""Static pseudo-masks: a folder of masks from any annotator."""

from collections.abc import Mapping, Sequence

from pointmask.advice import command, unused
from pointmask.io.layout import POINT_LIST
from pointmask_trainer.data.labels import Label, SplitName
from pointmask_trainer.data.layout import image_folder
from pointmask_trainer.data.split import load_masks
from pointmask_trainer.errors import DataError
from pointmask_trainer.strategies.base import Folder, Strategy


class Masks(Strategy):
    """Train on a folder of pseudo-masks, such as the output of ``pointmask annotate``."""

    def prepare(self, folder: Folder) -> Mapping[SplitName, Sequence[Label]]:
        """Read the pseudo-masks of both splits."""
        if folder.masks is None:
            labels = unused("labels")
            points = folder.root / POINT_LIST if (folder.root / POINT_LIST).is_file() else "FILE"
            line = command("annotate", image_folder(folder.root), "--points", points, "--out", labels)
            raise DataError(
                f"strategy masks needs pseudo-masks: make them with {line}, then name them with --masks "
                f"{labels}; to train on true masks: --strategy full"
            )
        return {name: load_masks(split, folder.masks, folder.say) for name, split in folder.splits.items()}
