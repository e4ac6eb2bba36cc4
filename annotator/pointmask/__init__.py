"""One click per infrared small target in, a pixel mask out.

The names below are the public face: they stay where they are when inner modules move. Each is imported on
first use, so that ``pointmask --help`` loads neither numpy nor numba. Inside, numbers (`kernels`, `theta`,
`annotator`) and files (`io`) do not know each other; `folder` joins them.
Open first: ``annotator/image.py``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pointmask.version import __version__ as __version__

if TYPE_CHECKING:
    from pointmask.annotator.target import Annotation as Annotation
    from pointmask.annotator.target import Target as Target
    from pointmask.any_image import annotate as annotate
    from pointmask.bench.baselines.base import Baseline as Baseline
    from pointmask.errors import PointmaskError as PointmaskError
    from pointmask.errors import PointsError as PointsError
    from pointmask.folder.job import annotate_folder as annotate_folder
    from pointmask.io.formats import read_points as read_points
    from pointmask.io.formats.base import Format as Format
    from pointmask.io.formats.base import WriteOptions as WriteOptions
    from pointmask.io.formats.labelled import LabelledImage as LabelledImage
    from pointmask.io.formats.labelled import LabelledTarget as LabelledTarget
    from pointmask.io.formats.labelled import Patch as Patch
    from pointmask.io.images.open import open_source as open_source
    from pointmask.io.points.points import Point as Point
    from pointmask.io.points.points import Points as Points
    from pointmask.metrics.counters import pooled_iou as pooled_iou
    from pointmask.metrics.counters import score as score
    from pointmask.notebook.clicker import Clicker as Clicker
    from pointmask.proposals.propose import Proposal as Proposal
    from pointmask.proposals.propose import propose as propose
    from pointmask.synth.scenes import TargetSpec as TargetSpec
    from pointmask.synth.scenes import make_scene as make_scene
    from pointmask.synth.scenes import make_scenes as make_scenes
    from pointmask.synth.sequence import Mover as Mover
    from pointmask.synth.sequence import make_sequence as make_sequence
    from pointmask.theta import Theta as Theta
    from pointmask.tracking.sequences import carry as carry

_HOMES = {
    "Annotation": "annotator.target",
    "Baseline": "bench.baselines.base",
    "Clicker": "notebook.clicker",
    "Format": "io.formats.base",
    "LabelledImage": "io.formats.labelled",
    "LabelledTarget": "io.formats.labelled",
    "Mover": "synth.sequence",
    "Patch": "io.formats.labelled",
    "Point": "io.points.points",
    "Points": "io.points.points",
    "PointmaskError": "errors",
    "PointsError": "errors",
    "Proposal": "proposals.propose",
    "Target": "annotator.target",
    "TargetSpec": "synth.scenes",
    "Theta": "theta",
    "WriteOptions": "io.formats.base",
    "annotate": "any_image",
    "annotate_folder": "folder.job",
    "carry": "tracking.sequences",
    "make_scene": "synth.scenes",
    "make_scenes": "synth.scenes",
    "make_sequence": "synth.sequence",
    "open_source": "io.images.open",
    "pooled_iou": "metrics.counters",
    "propose": "proposals.propose",
    "read_points": "io.formats",
    "score": "metrics.counters",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the type depends on the name
    if name not in _HOMES:
        raise AttributeError(f"module 'pointmask' has no attribute {name!r}")
    value = getattr(import_module(f"pointmask.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
