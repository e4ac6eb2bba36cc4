"""Read what a module inside a network gets as input, without a change of the network."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn


@contextmanager
def reading(model: nn.Module, name: str) -> Iterator[list[Tensor]]:
    """Collect the inputs of a module, with their gradients, as long as the context lasts.

    Parameters
    ----------
    model : nn.Module
        Not compiled: `torch.compile` may leave out hooks.
    name : str
        Of a module with one tensor as input, such as `Detector.embedding`.

    Yields
    ------
    list of Tensor
        One for each call of the module, in their order.
    """
    seen: list[Tensor] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.append(inputs[0])

    handle = model.get_submodule(name).register_forward_pre_hook(note)
    try:
        yield seen
    finally:
        handle.remove()
