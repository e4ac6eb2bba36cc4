"""In which precision a detector is computed."""

import pytest

torch = pytest.importorskip("torch")

from pointmask_trainer.config import load_config
from pointmask_trainer.detectors import precision

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def machine(monkeypatch, **capabilities):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)


@pytest.mark.parametrize(
    ("capabilities", "device", "expected"),
    [
        ({"amx_bf16": True, "avx512_bf16": True}, CPU, torch.bfloat16),
        ({"amx_bf16": False, "avx512_bf16": True}, CPU, None),
        ({"architecture": "aarch64", "bf16": True}, CPU, None),
        ({"amx_bf16": True}, GPU, None),
    ],
)
def test_auto_asks_the_device(monkeypatch, capabilities, device, expected):
    machine(monkeypatch, **capabilities)
    assert precision.autocast_dtype("auto", device) is expected


def test_what_is_told_holds_on_any_machine(monkeypatch):
    machine(monkeypatch, amx_bf16=True)
    assert precision.autocast_dtype("float32", CPU) is None
    machine(monkeypatch)
    assert precision.autocast_dtype("bf16", CPU) is torch.bfloat16


def test_a_torch_that_does_not_tell_computes_in_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert precision.autocast_dtype("auto", CPU) is None


def test_the_presets_for_processors_leave_it_to_the_machine():
    assert {load_config(preset=name).run.precision for name in ("cpu", "cpu-long")} == {"auto"}
    assert load_config(preset="paper").run.precision == "float32"
