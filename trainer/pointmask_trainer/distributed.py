"""Training in several processes, started by ``torchrun``; a single process is a group of one.

Gradients are summed explicitly after the backward pass, in one all-reduce. Strategies run additional forward
and backward passes, for each of which a wrapper such as ``DistributedDataParallel`` would have to be enabled
or disabled.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce

from pointmask_trainer.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """The group of processes that train together, from the point of view of one of them."""

    rank: int = 0
    size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this process is the one that writes files and messages."""
        return self.rank == 0

    def part(self, batch: int) -> slice:
        """Return this process's share of a batch; shares differ in size by at most one."""
        return slice(batch * self.rank // self.size, batch * (self.rank + 1) // self.size)

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by the sum over all processes."""
        if self.size == 1:
            return
        trainable = [p for p in parameters if p.requires_grad]
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in trainable]
        flat = torch.cat([grad.reshape(-1) for grad in grads])
        dist.all_reduce(flat)
        start = 0
        for parameter in trainable:
            parameter.grad = flat[start : start + parameter.numel()].view_as(parameter).clone()
            start += parameter.numel()

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum of a tensor over all processes."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def concatenated(self, values: Tensor) -> Tensor:
        """Concatenate the (B, ...) tensors of all processes along the first axis, in order of rank."""
        if self.size == 1:
            return values
        parts = self.gather(values.detach().cpu())
        return torch.cat(parts).to(values.device)

    def gather(self, value: Any) -> list[Any]:  # noqa: ANN401 - anything that can be pickled
        """Return the values of all processes, in order of rank."""
        if self.size == 1:
            return [value]
        values = [None] * self.size
        dist.all_gather_object(values, value)
        return values

    def wait(self) -> None:
        """Block until all processes call it."""
        if self.size > 1:
            dist.barrier()


@contextmanager
def process_group(device: torch.device) -> Iterator[ProcessGroup]:
    """Join the process group that ``torchrun`` started, or yield a group of one."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ProcessGroup()
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield ProcessGroup(dist.get_rank(), size)
    finally:
        dist.destroy_process_group()


def is_main() -> bool:
    """Whether this process will be the main one; usable before the process group is initialised."""
    return os.environ.get("RANK", "0") == "0" or int(os.environ.get("WORLD_SIZE", "1")) == 1


def choose_device(name: str) -> torch.device:
    """Return the device of this process; ``auto`` selects a GPU if available, one per process.

    Raises
    ------
    ConfigError
        If the device cannot be used.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # torch's messages span many lines
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"device {name!r} cannot be used ({reason}); choose cpu, or auto") from None
    if device.type == "cuda" and device.index is None:
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return device


def total_over_processes(values: Tensor) -> Tensor:
    """Return the sum of a tensor without gradient over all processes of a training, one or more.

    For code that is called by all processes alike and knows of no `ProcessGroup`, such as a loss.
    """
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(values)
    return values


def share_statistics(model: nn.Module) -> None:
    """Make every batch norm compute its statistics over all processes.

    `torch.nn.SyncBatchNorm` does so on GPUs only.
    """
    for module in list(model.modules()):
        if isinstance(module, nn.BatchNorm2d):
            module.forward = _shared_forward.__get__(module)  # type: ignore[method-assign]


def _shared_forward(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    if not norm.training:
        return nn.BatchNorm2d.forward(norm, x)
    axes = (0, 2, 3)
    number = _total(x.new_tensor(x.numel() / x.shape[1]))
    mean = _total(x.sum(axes)) / number
    centred = x - mean[:, None, None]
    # A second all-reduce: mean(x^2) - mean(x)^2 suffers from cancellation if the variance is small.
    variance = _total((centred * centred).sum(axes)) / number
    if norm.track_running_stats and norm.running_mean is not None and norm.running_var is not None:
        share = norm.momentum if norm.momentum is not None else 0.1
        with torch.no_grad():
            unbiased = variance * number / (number - 1)
            norm.running_mean.lerp_(mean.detach(), share)
            norm.running_var.lerp_(unbiased.detach(), share)
            if norm.num_batches_tracked is not None:
                norm.num_batches_tracked += 1
    y = centred * torch.rsqrt(variance + norm.eps)[:, None, None]
    if norm.affine:
        y = y * norm.weight[:, None, None] + norm.bias[:, None, None]
    return y


def _total(values: Tensor) -> Tensor:
    """Sum over all processes, differentiably."""
    total = all_reduce(values)  # type: ignore[no-untyped-call]
    assert isinstance(total, Tensor)
    return total
