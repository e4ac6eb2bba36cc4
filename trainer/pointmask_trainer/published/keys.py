"""The names of published weights turned into ours by a table, every tensor demanded with its shape."""

import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from pointmask_trainer.errors import CheckpointError
from pointmask_trainer.published.files import PublishedWeights

Rule = tuple[str, str]
"""A regular expression and its replacement, as of `re.sub`; rules apply to a name one after the other."""

PREFIXES = ("module.", "model.", "backbone.")
"""Put before every name by data parallelism, by Lightning, and by a detector round its encoder."""

_SHOWN = 3


def shapes_of(network: nn.Module) -> dict[str, tuple[int, ...]]:
    """Return the shape of every entry of a network's state dict, by name."""
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def stripped(tensors: Mapping[str, Tensor], prefixes: Sequence[str] = PREFIXES) -> dict[str, Tensor]:
    """Remove prefixes that all names share, nested ones too."""
    names = dict(tensors)
    while shared := next((p for p in prefixes if names and all(name.startswith(p) for name in names)), None):
        names = {name.removeprefix(shared): value for name, value in names.items()}
    return names


def renamed(
    weights: PublishedWeights, rules: Sequence[Rule], ignored: Sequence[str] = ()
) -> dict[str, Tensor]:
    """Give tensors other names.

    Parameters
    ----------
    weights : PublishedWeights
    rules : sequence of Rule
        Applied in order to every name, without prefixes.
    ignored : sequence of str
        Regular expressions of published names (without prefixes) that the network does not need.

    Raises
    ------
    CheckpointError
        If two different tensors get one name.
    """
    result: dict[str, Tensor] = {}
    origin: dict[str, str] = {}
    for published, value in stripped(weights.tensors).items():
        if any(re.match(pattern, published) for pattern in ignored):
            continue
        name = published
        for pattern, replacement in rules:
            name = re.sub(pattern, replacement, name)
        if name in result and not torch.equal(value, result[name]):  # hubs store shared ones twice
            raise CheckpointError(
                f"{weights.name} holds {origin[name]!r} and {published!r}, which differ and are both "
                f"{name!r} here; give a file of one network"
            )
        result[name], origin[name] = value, published
    return result


def fitted(
    weights: PublishedWeights,
    wanted: Mapping[str, tuple[int, ...]],
    rules: Sequence[Rule] = (),
    ignored: Sequence[str] = (),
) -> dict[str, Tensor]:
    """Return the tensors that a network wants, all of them and no others.

    Parameters
    ----------
    weights : PublishedWeights
    wanted : Mapping of str to tuple of int
        Shapes by our names, see `shapes_of`.
    rules, ignored
        See `renamed`.

    Returns
    -------
    dict of str to Tensor
        Floating point values as float32; integers as they are.

    Raises
    ------
    CheckpointError
        If a tensor is missing, unknown, of another shape or not finite; the first differences are named.
    """
    return checked(weights.name, renamed(weights, rules, ignored), wanted)


def checked(
    source: str, tensors: Mapping[str, Tensor], wanted: Mapping[str, tuple[int, ...]]
) -> dict[str, Tensor]:
    """Return renamed tensors as `fitted` does, or raise its errors; `source` is used in messages."""
    check_shapes(source, {name: tuple(value.shape) for name, value in tensors.items()}, wanted)
    return finite(source, tensors)


def check_shapes(
    source: str, found: Mapping[str, tuple[int, ...]], wanted: Mapping[str, tuple[int, ...]]
) -> None:
    """Raise an error unless names and shapes are the same.

    Raises
    ------
    CheckpointError
        With up to three differences.
    """
    differences = [
        f"{name} is missing" if name not in found else f"{name} is {list(found[name])}, not {list(shape)}"
        for name, shape in wanted.items()
        if found.get(name) != shape
    ]
    differences += [f"{name} is unknown" for name in found if name not in wanted]
    if differences:
        more = f" and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
        raise CheckpointError(
            f"{source} holds weights of another network: {'; '.join(differences[:_SHOWN])}{more}; "
            "give the file that belongs to this network"
        )


def finite(source: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors with floating point values as float32.

    Raises
    ------
    CheckpointError
        If a value is NaN or infinite.
    """
    result = {}
    for name, value in tensors.items():
        result[name] = value.to(torch.float32) if value.is_floating_point() else value
        if not torch.isfinite(result[name]).all():
            raise CheckpointError(
                f"{source} holds NaN or infinite values in {name}; fetch it anew, or train it again"
            )
    return result
