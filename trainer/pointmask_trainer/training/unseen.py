"""A part of the validation list that a training never looks at, where the rest of it trains too."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from pointmask.metrics.counters import Score, score
from pointmask.theta import Polarity, Theta
from pointmask_trainer.data.layout import true_masks
from pointmask_trainer.data.split import Mask, Split, for_every_image, known_masks
from pointmask_trainer.run.source import Source
from pointmask_trainer.strategies.labels.annotating import annotate_image
from pointmask_trainer.training.loop import Loop

_FEWEST = 10  # validation images below which none can be spared


@dataclass(frozen=True, slots=True, eq=False)
class Unseen:
    """
    The images kept apart.

    Attributes
    ----------
    split : Split
    references : sequence of (H, W) bool arrays
        What predictions are scored against.
    against : str
        What these are, in words.
    """

    split: Split
    references: Sequence[Mask]
    against: str

    def score(self, loop: Loop) -> Score:
        """Score the present detector, in all processes together."""
        mine = range(len(self.split))[loop.group.rank :: loop.group.size]
        counted = Score()
        readings = loop.task.read_pool(
            loop.evaluated_model, self.split.images, loop.normalisation, mine, loop.autocast
        )
        for index, reading in readings:
            drawn = loop.task.draw(self.split.images.stored(index), reading)
            counted += score(drawn.probabilities > 0.5, self.references[index])
        return sum(loop.group.gather(counted), Score())


def kept_apart(ids: Sequence[str], share: float, seed: int) -> tuple[list[str], list[str]]:
    """
    Divide a validation list into what trains and what is kept apart, each in the list's order.

    Which image is kept hangs on its name and the seed. Of fewer than ten images none is.
    """
    count = round(share * len(ids)) if len(ids) >= _FEWEST else 0

    def lot(key: str) -> bytes:
        return blake2b(f"{seed}:{key}".encode("utf-8", "surrogateescape"), digest_size=8).digest()

    apart = set(sorted(ids, key=lot)[: min(count, len(ids) - 1)])
    return [key for key in ids if key not in apart], [key for key in ids if key in apart]


def unseen_of(split: Split, source: Source, theta: Theta, polarity: Polarity) -> Unseen:
    """Return the images with their true masks, or else with the annotator's masks of their clicks."""
    truths = known_masks(split, true_masks(source.root))
    if truths is not None:
        return Unseen(split, truths, "true masks")

    def mask(index: int) -> Mask:
        return annotate_image(split, index, theta, polarity).mask

    return Unseen(split, for_every_image(split, mask), "masks of the clicks")
