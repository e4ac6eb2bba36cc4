"""The precision in which a detector is computed."""

import torch

from pointmask_trainer.config import Precision


def autocast_dtype(precision: Precision, device: torch.device) -> torch.dtype | None:
    """Return the type of `torch.autocast` for a precision; None for float32 throughout.

    Parameters
    ----------
    precision : {"auto", "float32", "bf16"}
        ``auto`` is bf16 on a processor that multiplies matrices in it (`multiplies_bf16`), else float32. A
        GPU is told what to do by whoever has one.
    device : torch.device
    """
    if precision == "auto":
        precision = "bf16" if device.type == "cpu" and multiplies_bf16() else "float32"
    return torch.bfloat16 if precision == "bf16" else None


def multiplies_bf16() -> bool:
    """Tell whether this processor has a unit for products of bf16 matrices (AMX).

    AVX-512's and Arm's bf16 instructions, without such a unit, were not measured, and do not count.
    """
    if not hasattr(torch.cpu, "get_capabilities"):  # an older torch does not tell
        return False
    return bool(torch.cpu.get_capabilities().get("amx_bf16", False))
