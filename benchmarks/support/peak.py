"""The highest memory of a piece of work: of the GPU, or of this process."""

from contextlib import suppress
from pathlib import Path


def forget_peak(*, cuda: bool) -> None:
    """Start to watch the highest memory anew, where the system can."""
    if cuda:
        import torch

        torch.cuda.reset_peak_memory_stats()
    elif Path("/proc/self/clear_refs").exists():
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_mib(*, cuda: bool) -> float | None:
    """Highest memory since: of the GPU, or resident of this process; None where the system does not tell."""
    if cuda:
        import torch

        return torch.cuda.max_memory_allocated() / (1 << 20)
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), None)
