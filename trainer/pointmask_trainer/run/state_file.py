"""Trees of tensors and plain values in one safetensors file: nothing in it can run when it is read.

The optimiser's and the strategy's state are nested dictionaries and lists. Their tensors are stored under
numbers, and the tree, with the numbers in place of the tensors, as JSON in the file's header. torch's own
archives are pickles, which no torch before 2.10 reads safely.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import Optimizer

from pointmask.hashing import feed
from pointmask.regular import open_regular
from pointmask.settings import parse_json
from pointmask_trainer.errors import CheckpointError

_HEADER = "tree"
_ANEW = "start anew with another --out, or copy the run from where it is whole"


class Stateful(Protocol):
    """Something with a state, as torch's modules and optimisers."""

    def load_state_dict(self, state_dict: Any, /) -> Any:  # noqa: ANN401 - as torch's
        """Take a state."""


def write_tree(path: Path, tree: Any) -> None:  # noqa: ANN401 - any nesting
    """Write a tree of dictionaries, lists, tuples, tensors, numbers, text and None.

    Raises
    ------
    TypeError
        If the tree holds anything else.
    """
    tensors: dict[str, Tensor] = {}
    header = json.dumps(_packed(tree, tensors))
    path.touch()
    mode = path.stat().st_mode
    save_file(tensors, path, {_HEADER: header})
    path.chmod(mode)  # some versions of safetensors leave the file to its owner alone


def read_tree(path: Path) -> Any:  # noqa: ANN401 - as written
    """Read what `write_tree` wrote.

    Raises
    ------
    CheckpointError
        If the file is missing, truncated, damaged or was written by something else.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = parse_json((file.metadata() or {})[_HEADER])
            return _unpacked(header, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError, TypeError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is damaged, or no training state ({type(error).__name__}: {error}); {_ANEW}"
        ) from None


def restore(tree: Mapping[str, Any], parts: Mapping[str, Stateful], path: Path) -> None:
    """Load states into the parts of a training.

    Parameters
    ----------
    tree : Mapping
        States by part.
    parts : Mapping
        What takes them.
    path : Path
        File that they are from, for messages.

    Raises
    ------
    CheckpointError
        If a state is missing, or is that of another training.
    """
    for name, part in parts.items():
        try:
            part.load_state_dict(tree[name])
            wrong = _unlike(part) if isinstance(part, Optimizer) else ""
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            wrong = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        if wrong:
            raise CheckpointError(f"{path} holds no state of such a training ({name}: {wrong}); {_ANEW}")


def _unlike(optimiser: Optimizer) -> str:
    """Say what does not fit its parameter, which torch finds in the next step, or never; else nothing."""
    for parameter, state in optimiser.state.items():
        for key, value in state.items():
            if isinstance(value, Tensor) and value.ndim and value.shape != parameter.shape:
                return f"{key} of shape {tuple(value.shape)} for {tuple(parameter.shape)}"
            if isinstance(value, Tensor) and not value.isfinite().all():
                return f"{key} is not finite"
    return ""


def stamp_of(path: Path) -> dict[str, Any]:
    """Return size in bytes and SHA-256 of a file, by which `check_stamp` knows it again."""
    digest = hashlib.sha256()
    with open_regular(path) as file:
        size = feed(digest, file)
    return {"bytes": size, "sha256": digest.hexdigest()}


def check_stamp(path: Path, stamp: Mapping[str, Any]) -> None:
    """Check that a file is the one of a stamp.

    Raises
    ------
    CheckpointError
        If it is missing, or its size or content differs.
    """
    try:
        found = stamp_of(path)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror or error}); {_ANEW}") from None
    if found["bytes"] != stamp.get("bytes"):
        raise CheckpointError(
            f"{path} is damaged: it has {found['bytes']:,} bytes, and {stamp.get('bytes'):,} were written; "
            f"{_ANEW}"
        )
    if found["sha256"] != stamp.get("sha256"):
        raise CheckpointError(
            f"{path} is damaged: its SHA-256 begins with {found['sha256'][:8]}, and what was written with "
            f"{str(stamp.get('sha256'))[:8]}; {_ANEW}"
        )


def _packed(value: Any, tensors: dict[str, Tensor]) -> Any:  # noqa: ANN401
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().cpu().contiguous().clone()  # tensors of one storage are refused
        return {"tensor": name}
    if isinstance(value, Mapping):
        return {"dict": [[_packed(key, tensors), _packed(part, tensors)] for key, part in value.items()]}
    if isinstance(value, (list, tuple)):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_packed(part, tensors) for part in value]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a training state holds tensors and plain values, not {type(value).__name__}")


def _unpacked(value: Any, tensors: Mapping[str, Tensor]) -> Any:  # noqa: ANN401
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {_unpacked(key, tensors): _unpacked(part, tensors) for key, part in content}
    parts = [_unpacked(part, tensors) for part in content]
    return tuple(parts) if kind == "tuple" else parts
