"""Compare the torch operator with the annotator's kernels: time per window, forward and backward.

    python benchmarks/torch_operator.py                     one CPU thread, both presets
    python benchmarks/torch_operator.py --device cuda       windows per second, share of memory bandwidth

The kernels are `pointmask.annotator.operator.solve` and `fuse.fuse`, called window by
window in one thread, always on the CPU.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from support.results import FOLDER, save

from pointmask.annotator.fuse import fuse
from pointmask.annotator.operator import assemble, solve
from pointmask.annotator.superpixel import superpixel_of
from pointmask.annotator.window import Window, read_window
from pointmask.synth.scenes import make_scenes
from pointmask.theta import PRESETS, Theta
from pointmask_trainer.operator.forward import WindowBatch, soft_labels
from pointmask_trainer.operator.theta import LearnableTheta, ThetaTensors

FUSED_STEP_PLANES = 5  # least traffic of a step: field and three coefficients in, field out


def main() -> None:
    """Measure both presets, print and write ``torch_operator[-cuda].json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, help="windows; 256 on a CPU, 16384 elsewhere")
    parser.add_argument("--half-size", type=int, help="16 gives windows of 33 x 33; default: the preset's")
    parser.add_argument("--compile", action="store_true", help="through torch.compile")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    torch.set_num_threads(1)
    device = torch.device(options.device)
    batch = options.batch or (256 if device.type == "cpu" else 16384)
    figures: dict[str, Any] = {"device": str(device), "compiled": options.compile}
    for preset in PRESETS:
        theta = Theta.load(preset)
        if options.half_size:
            theta = theta.with_(half_size=options.half_size)
        figures[preset] = measure(theta, batch, device, options.rounds, compiled=options.compile)
        show(preset, figures[preset])
    save(
        "torch_operator" if device.type == "cpu" else f"torch_operator-{device.type}",
        figures,
        options.results,
    )


def measure(
    theta: Theta, batch: int, device: torch.device, rounds: int, *, compiled: bool
) -> dict[str, float]:
    """Return medians over rounds in which all parts alternate, in seconds per window."""
    windows = windows_of(theta, batch)
    tensors = ThetaTensors.of(theta, device=device)
    learnable = LearnableTheta(theta).to(device)
    loaded = WindowBatch.of(windows, theta, device=device)
    labels = torch.compile(soft_labels) if compiled else soft_labels
    times: dict[str, list[float]] = {"kernels": [], "forward": [], "forward_graph": [], "backward": []}
    few = windows[:256]
    for round_ in range(rounds + 1):  # the first round warms up
        kernels = timed(device, lambda: by_kernels(few, theta))[0] / len(few)
        with torch.no_grad():
            forward = timed(device, lambda: labels(loaded, tensors))[0]
        with_graph, out = timed(device, lambda: labels(loaded, learnable()))
        loss = (out * torch.rand_like(out)).sum()
        backward = timed(device, loss.backward)[0]
        if round_:
            for name, seconds in zip(
                times, (kernels, forward / batch, with_graph / batch, backward / batch), strict=True
            ):
                times[name].append(seconds)
    result = {name: median(values) for name, values in times.items()}
    side = 2 * theta.half_size + 1
    result |= {"windows": batch, "side": side, "steps": sum(theta.steps)}
    if device.type != "cpu":
        moved = sum(theta.steps) * FUSED_STEP_PLANES * side * side * 4
        result["bandwidth"] = copy_bandwidth(device)
        result["bandwidth_share"] = moved / result["forward"] / result["bandwidth"]
    return result


def windows_of(theta: Theta, count: int) -> list[Window]:
    """Return windows around the targets of built-in scenes, repeated as needed."""
    windows = []
    for scene in make_scenes(min(count, 256), seed=0):
        for row, col in scene.points:
            window = read_window(scene.image, row, col, 0, theta, "bright")
            if window.contrast > 0:
                windows.append(window)
    return [windows[k % len(windows)] for k in range(count)]


def by_kernels(windows: list[Window], theta: Theta) -> None:
    """Solve window by window as the annotator does, without the superpixel."""
    operator = assemble(theta)
    superpixel = superpixel_of(windows[0], theta)
    for window in windows:
        fuse(solve(window, operator), superpixel, theta.rho)


def timed(device: torch.device, run: Callable[[], Any]) -> tuple[float, Any]:
    """Time a call, including its kernels on the device; return the seconds and its result."""
    wait(device)
    start = time.perf_counter()
    result = run()
    wait(device)
    return time.perf_counter() - start, result


def wait(device: torch.device) -> None:
    """Wait for the device to finish."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def copy_bandwidth(device: torch.device) -> float:
    """Measure the bytes per second that a large copy reads and writes."""
    source = torch.zeros(2**28, device=device)
    target = torch.empty_like(source)
    seconds = [timed(device, lambda: target.copy_(source))[0] for _ in range(9)]
    return 2 * source.numel() * 4 / median(seconds)


def show(preset: str, figures: dict[str, float]) -> None:
    """Print one preset's figures."""
    kernels, forward, backward = (1e6 * figures[name] for name in ("kernels", "forward", "backward"))
    print(
        f"{preset}: {figures['windows']} windows of {figures['side']} x {figures['side']}, "
        f"{figures['steps']} steps; kernels {kernels:.1f} us per window, torch forward {forward:.1f} "
        f"({forward / kernels:.2f} x), backward {backward:.1f} "
        f"({figures['backward'] / figures['forward_graph']:.2f} x forward); {1e6 / forward:,.0f} windows/s"
    )
    if "bandwidth" in figures:
        print(f"  {figures['bandwidth_share']:.1%} of {figures['bandwidth'] / 1e12:.2f} TB/s")


if __name__ == "__main__":
    main()
