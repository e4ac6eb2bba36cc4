"""Forward passes that use batch statistics without updating the running statistics."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd


@contextmanager
def unrecorded(model: nn.Module, *, dropout: bool = True) -> Iterator[None]:
    """Prevent batch norms in training mode from updating their running statistics.

    Parameters
    ----------
    model : nn.Module
        Its mode is unchanged: in training mode it still normalises with the batch's statistics, so that the
        loss is the training loss.
    dropout : bool
        If False, dropout is disabled as well, so that two passes differ only by the weights.
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    tracked = [norm.track_running_stats for norm in norms]
    drops = [] if dropout else [m for m in model.modules() if isinstance(m, _DropoutNd) and m.training]
    for norm in norms:
        # In eval mode, a norm without tracked statistics would use those of the batch.
        norm.track_running_stats = norm.track_running_stats and not norm.training
    for drop in drops:
        drop.training = False
    try:
        yield
    finally:
        for norm, was in zip(norms, tracked, strict=True):
            norm.track_running_stats = was
        for drop in drops:
            drop.training = True
