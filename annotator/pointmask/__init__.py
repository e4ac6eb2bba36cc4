"""One click per infrared small target in, a pixel mask out."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pointmask.annotator.image import annotate as annotate
    from pointmask.annotator.target import Annotation as Annotation
    from pointmask.annotator.target import Target as Target
    from pointmask.theta import Theta as Theta

__version__ = "0.1.0"
__all__ = ["Annotation", "Target", "Theta", "annotate"]

# Resolved on first use, so that `pointmask --help` never imports numba. The module is called
# `annotator` because a submodule named like the function would shadow it once imported.
_HOMES = {
    "Annotation": "annotator.target",
    "Target": "annotator.target",
    "annotate": "annotator.image",
    "Theta": "theta",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the type depends on the name
    if name not in _HOMES:
        raise AttributeError(f"module 'pointmask' has no attribute {name!r}")
    value = getattr(import_module(f"pointmask.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
