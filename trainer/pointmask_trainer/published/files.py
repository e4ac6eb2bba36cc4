"""Reading of published weights: safetensors, and torch archives of plain tensors; nothing else."""

import hashlib
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from pointmask.hashing import feed
from pointmask.regular import open_regular, read_regular
from pointmask.settings import parse_json
from pointmask_trainer.errors import CheckpointError

WRAPPERS = ("state_dict", "model", "model_state_dict", "net", "teacher")
"""Entries under which training scripts keep the weights among epoch, optimiser and the like."""

_INDEX = "model.safetensors.index.json"
_ARCHIVES = (".pth", ".pt", ".bin", ".ckpt", ".tar")
_SAFE_TORCH = (2, 10)  # weights_only ran code before 2.6 (CVE-2025-32434), corrupted memory before 2.10
_TAKEN = "give a .safetensors file, a folder that holds model.safetensors, or a .pth, .pt, .bin or .ckpt file"


@dataclass(frozen=True, slots=True)
class PublishedWeights:
    """Tensors of a file, as stored.

    Attributes
    ----------
    name : str
        The file, for messages.
    tensors : Mapping of str to Tensor
        By the publisher's names, in the file's types.
    digest : str
        First 16 hexadecimal digits of the SHA-256 of the file, or of the shards in their order.
    """

    name: str
    tensors: Mapping[str, Tensor]
    digest: str


def read_weights(source: str | Path, wrappers: Sequence[str] = WRAPPERS) -> PublishedWeights:
    """Read the weights of a local file without running anything that is stored in it.

    Parameters
    ----------
    source : str or Path
        ``….safetensors``; a folder with ``model.safetensors`` or with the shards that its index names; or
        an archive of `torch.save` (``.pth``, ``.pt``, ``.bin``, ``.ckpt``, ``.pth.tar``), for which torch
        must be 2.10 or newer.
    wrappers : sequence of str
        Entries that may hold the weights, if the file's own entries are not tensors; one level.

    Raises
    ------
    CheckpointError
        If the file is missing, of another format, truncated or damaged, holds anything but tensors and
        plain values, or holds no tensors.
    """
    if "://" in str(source):
        raise CheckpointError(f"{source} is an address; nothing is fetched: download it, then {_TAKEN}")
    path = Path(source)
    files = _shards(path) if path.is_dir() else [path]
    tensors: dict[str, Tensor] = {}
    digest = hashlib.sha256()
    for file in files:
        part = _read(file, wrappers, digest)
        if twice := sorted(set(part) & set(tensors)):
            raise CheckpointError(f"{path} holds {twice[0]!r} in more than one shard; fetch the folder anew")
        tensors |= part
    if not tensors:
        raise CheckpointError(f"{path} holds no tensors; give the file of the weights")
    return PublishedWeights(str(path), tensors, digest.hexdigest()[:16])


def _read(path: Path, wrappers: Sequence[str], digest: "hashlib._Hash") -> dict[str, Tensor]:
    kind = path.suffix.lower()
    if kind != ".safetensors" and kind not in _ARCHIVES:
        raise CheckpointError(f"{path} is not a file of weights that is read; {_TAKEN}")
    try:
        with open_regular(path) as file:
            feed(digest, file)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}; {_TAKEN}") from None
    if kind == ".safetensors":
        return _read_safetensors(path)
    return _tensors(path, read_archive(path), wrappers)


def _shards(folder: Path) -> list[Path]:
    """List the files of a folder as model hubs lay it out; an index may name files of this folder only."""
    whole, index = folder / "model.safetensors", folder / _INDEX
    if whole.exists():
        return [whole]
    if not index.exists():
        raise CheckpointError(f"{folder} is a folder without model.safetensors; {_TAKEN}")
    try:
        names = sorted({Path(name) for name in parse_json(read_regular(index))["weight_map"].values()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{index} is damaged ({type(error).__name__}: {error}); fetch it anew"
        ) from None
    if outside := [name for name in names if name.name != str(name)]:
        raise CheckpointError(f"{index} names '{outside[0]}', which must be a file of the same folder")
    return [folder / name for name in names]


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError, ValueError) as error:
        raise CheckpointError(_damaged(path, "no whole safetensors file", error)) from None


def read_archive(path: Path) -> Any:  # noqa: ANN401 - whatever was saved
    """Read tensors and plain values from an archive of `torch.save`.

    Raises
    ------
    CheckpointError
        If torch is older than 2.10, or the file is damaged or holds anything else.
    """
    if tuple(int(number) for number in re.findall(r"\d+", torch.__version__)[:2]) < _SAFE_TORCH:
        raise CheckpointError(
            f"{path} is an archive of pickles, which torch {torch.__version__} does not read safely "
            "(CVE-2025-32434, CVE-2026-24747): convert it to safetensors, or use torch 2.10"
        )
    try:
        mapped = zipfile.is_zipfile(path)  # archives of torch before 1.6 are plain pickles
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as error:
        raise CheckpointError(_refusal(path, error)) from None


def _refusal(path: Path, error: Exception) -> str:
    if asks := re.search(r"GLOBAL ([\w.]+)", str(error)):
        return (
            f"{path} needs {asks[1]} to be read; only tensors and plain values are, since anything else can "
            "run code: if you trust its author, load it in the program that wrote it and save the state "
            "dict alone with safetensors.torch.save_file"
        )
    return _damaged(path, "no whole archive of torch.save", error)


def _damaged(path: Path, what: str, error: Exception) -> str:
    reason = str(error).strip().partition("\n")[0][:200]
    return (
        f"{path} is {what}: truncated, damaged or of another format ({type(error).__name__}: {reason}); "
        "fetch it anew and compare its size with the publisher's"
    )


def _tensors(path: Path, content: Any, wrappers: Sequence[str]) -> dict[str, Tensor]:  # noqa: ANN401
    """Return the named tensors of an archive's content, or of the first wrapper that holds some."""
    if isinstance(content, Mapping):
        for candidate in (content, *(content[name] for name in wrappers if name in content)):
            if isinstance(candidate, Mapping):
                named = {
                    name: value
                    for name, value in candidate.items()
                    if isinstance(name, str) and isinstance(value, Tensor)
                }
                if named:
                    return named
    first = ", ".join(map(repr, list(content)[:3])) if isinstance(content, Mapping) else ""
    found = f"entries {first}" if first else f"one {type(content).__name__}"
    raise CheckpointError(
        f"{path} holds {found}, no tensors by name; the weights must lie at the top or under "
        f"{', '.join(wrappers)}: save the state dict alone"
    )
