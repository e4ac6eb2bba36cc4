"""The torch operator against the annotator's, and its gradients against differences."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pointmask.annotator.fuse import fuse
from pointmask.annotator.operator import assemble, solve
from pointmask.annotator.superpixel import point_superpixel
from pointmask.annotator.window import read_window
from pointmask.io.images.array import read
from pointmask.kernels.diffuse import local_entropy as kernel_entropy
from pointmask.theta import PRESETS, Theta
from pointmask_trainer.operator import diffuse as diffusion
from pointmask_trainer.operator.forward import WindowBatch, local_entropy, soft_labels
from pointmask_trainer.operator.theta import ENTRIES, LearnableTheta, Span, ThetaTensors

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


def windows_of(theta, count, seed=0):
    """Blobs of many sizes on noise, some beside the point and some with nothing at all."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:64, :64]
    windows = []
    for k in range(count):
        radius, height = rng.uniform(0.5, 6), 0.0 if k % 7 == 6 else rng.uniform(5, 60)
        row, col = rng.uniform(30, 34, 2)
        image = rng.normal(100, 3, (64, 64))
        image += height * np.exp(-((rows - row) ** 2 + (cols - col) ** 2) / (2 * radius**2))
        # Some at the border, where the window repeats the edge.
        point = (32, 32) if k % 5 else (0, 63)
        windows.append(read_window(image.astype(np.uint16), *point, 0, theta, "bright"))
    return windows


def annotators_labels(windows, theta):
    operator = assemble(theta)
    return np.stack(
        [fuse(solve(window, operator), superpixel_of(window, theta), theta.rho) for window in windows]
    )


def superpixel_of(window, theta):
    return point_superpixel(
        window.values,
        kind=theta.superpixel,
        step=theta.superpixel_step,
        compactness=theta.compactness,
        iterations=theta.superpixel_iterations,
    )


def assert_agree(windows, theta, dtype):
    labels = soft_labels(WindowBatch.of(windows, theta, dtype=dtype), ThetaTensors.of(theta, dtype=dtype))
    assert labels.shape == (len(windows), 1, 2 * theta.half_size + 1, 2 * theta.half_size + 1)
    assert labels.dtype == dtype
    np.testing.assert_allclose(
        labels[:, 0].numpy(), annotators_labels(windows, theta), rtol=0, atol=TOLERANCE[dtype]
    )


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("preset", PRESETS)
def test_agrees_with_the_annotator(preset, dtype):
    theta = Theta.load(preset)
    # More windows than one chunk holds, and not a multiple of it.
    assert_agree(windows_of(theta, 37), theta, dtype)


@pytest.mark.parametrize(
    "changes",
    [
        {"conductance": "exponential", "alpha": 0.4, "steps": (1, 0)},
        {"spacings": (4,), "steps": (5,), "D0": (0.2,), "beta": (3.0,), "growth": (1.0,), "decay": (0.2,)},
        {"source_sigma": 0.0, "rho": 0.0},
        {"rho": 1.0, "half_size": 3},
    ],
)
def test_agrees_for_other_structures(changes):
    theta = Theta.load("default").with_(**changes)
    assert_agree(windows_of(theta, 9), theta, torch.float64)


@pytest.mark.data
def test_agrees_on_real_windows():
    root = os.environ.get("POINTMASK_SIRST3")
    if not root:
        pytest.skip("set POINTMASK_SIRST3 to the folder of SIRST3")
    from pointmask.io.formats import read_points

    points = read_points(next(Path(root).glob("*centroid*.csv")))
    files = {file.stem: file for file in Path(root, "images").iterdir()}
    for preset in PRESETS:
        theta = Theta.load(preset)
        windows = [
            window
            for key, listed in list(points)[::40]
            for point in listed
            if (
                window := read_window(read(files[Path(key).stem]), point.row, point.col, 0, theta, "bright")
            ).contrast
        ]
        assert len(windows) > 50
        for dtype in TOLERANCE:
            assert_agree(windows, theta, dtype)


def test_entropy_equals_the_kernels():
    values = np.random.default_rng(0).random((3, 9, 12)).round(1)
    expected = np.empty_like(values)
    for window, out in zip(values, expected, strict=True):
        kernel_entropy(window, 2, out)
    np.testing.assert_allclose(local_entropy(torch.from_numpy(values), 2).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("preset", ["paper", "default"])
def test_gradient_of_every_entry_equals_differences(preset):
    steps = {"default": (3, 4), "paper": (7,)}[preset]
    theta = Theta.load(preset).with_(half_size=5, steps=steps, alpha=0.6, style=0.3)
    batch = WindowBatch.of(windows_of(theta, 3), theta, dtype=torch.float64)
    fixed = ThetaTensors.of(theta, dtype=torch.float64)
    # The paper starts from a single pixel, which has no spread, and has no network.
    unused = {"source_sigma", "law_offset", "growth", "decay"} if preset == "paper" else set()
    moving = [name for name in ENTRIES if getattr(fixed, name).numel() and name not in unused]

    def labels(*entries):
        return soft_labels(batch, replace(fixed, **dict(zip(moving, entries, strict=True))))

    entries = [getattr(fixed, name).clone().requires_grad_() for name in moving]
    assert torch.autograd.gradcheck(labels, entries, eps=1e-7, atol=1e-5)
    grads = torch.autograd.grad((labels(*entries) ** 2).sum(), entries)
    for name, grad in zip(moving, grads, strict=True):
        assert grad.abs().max() > 0, name


def diffusion_inputs(steps_of_growth=0.3):
    generator = torch.Generator().manual_seed(0)
    field, down, right = (torch.rand(3, 7, 6, generator=generator, dtype=torch.float64) for _ in range(3))
    down, right = 0.2 * down, 0.2 * right
    down[:, -2:] = 0
    right[:, :, -2:] = 0
    rate = steps_of_growth * (torch.rand(3, 7, 6, generator=generator, dtype=torch.float64) - 0.3)
    return [field, down, right, rate, torch.tensor(0.9, dtype=torch.float64)]


def plain_steps(field, down, right, rate, tau, spacing, steps):
    """Every pixel and face by name; torch's own autograd differentiates it."""
    n, m = field.shape[1:]
    for _ in range(steps):
        change = rate * field
        for i in range(n):
            for j in range(m):
                for face, a, b in ((down, i + spacing, j), (right, i, j + spacing)):
                    if a < n and b < m:
                        flux = face[:, i, j] * (field[:, a, b] - field[:, i, j])
                        change = change.index_put((slice_all(field), ix(field, i), ix(field, j)), flux, True)
                        change = change.index_put((slice_all(field), ix(field, a), ix(field, b)), -flux, True)
        field = (field + tau * change).clamp(max=1)
    return field


def slice_all(field):
    return torch.arange(field.shape[0])


def ix(field, k):
    return torch.full((field.shape[0],), k)


@pytest.mark.parametrize("steps", [1, 5, 9])
def test_adjoint_equals_autograd_through_plain_steps(steps):
    inputs = diffusion_inputs()
    weights = torch.rand(3, 7, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    results = []
    for function in (diffusion.diffuse, plain_steps):
        leaves = [value.clone().requires_grad_() for value in inputs]
        out = function(*leaves, 2, steps)
        grads = list(torch.autograd.grad((out * weights).sum(), leaves))
        grads[1][:, -2:] = 0  # faces that lead out are constants
        grads[2][:, :, -2:] = 0
        results.append([out, *grads])
    assert bool((results[1][0] == 1).any()), "the clamp must act somewhere in this test"
    for ours, plain in zip(*results, strict=True):
        torch.testing.assert_close(ours, plain, rtol=1e-11, atol=1e-13)


def test_chunks_do_not_change_anything(monkeypatch):
    theta = Theta.load("default").with_(half_size=6)
    batch = WindowBatch.of(windows_of(theta, 11), theta)
    labels = []
    for size in (1, 4, 100):
        monkeypatch.setattr(diffusion, "_CHUNK_ON_CPU", size)
        labels.append(soft_labels(batch, ThetaTensors.of(theta)))
    assert torch.equal(labels[0], labels[1])
    assert torch.equal(labels[0], labels[2])


def test_kept_fields_grow_with_the_root_of_the_steps():
    sizes = []
    for steps in (16, 64, 256):
        kept = []
        inputs = [value.clone().requires_grad_() for value in diffusion_inputs()]
        with torch.autograd.graph.saved_tensors_hooks(
            lambda t, kept=kept: kept.append(t.numel()), lambda t: t
        ):
            diffusion.diffuse(*inputs, 2, steps)
        sizes.append(sum(kept))
    assert sizes[2] - sizes[1] == 2 * (sizes[1] - sizes[0])  # 16 - 8 fields against 8 - 4


def test_learnable_theta_starts_exactly_and_comes_back_as_a_theta():
    for preset in PRESETS:
        assert LearnableTheta(Theta.load(preset)).theta() == Theta.load(preset)


@pytest.mark.parametrize("extreme", [-50.0, 50.0])
@pytest.mark.parametrize("preset", PRESETS)
def test_learnable_theta_stays_in_bounds_and_stable(preset, extreme):
    start = Theta.load(preset)
    learnable = LearnableTheta(start, {"D0": Span("relative", 0.9), "decay": Span("relative", 0.9)})
    with torch.no_grad():
        for parameter in learnable.parameters():
            parameter.fill_(extreme)
    moved = learnable.theta()  # raises if it were unstable
    assert moved != start
    assert abs(moved.rho - start.rho) <= 0.05 + 1e-12
    assert moved.D0[0] == pytest.approx(start.D0[0] * (1.9 if extreme > 0 else 0.1))


def test_a_span_of_zero_freezes_an_entry():
    frozen = LearnableTheta(Theta.load("default"), {"law_weights": Span("table", 0.0)})
    names = dict(frozen.named_parameters())
    assert "law_weights" not in names
    assert "law_bias" in names


def test_learning_moves_the_labels_towards_their_goal():
    theta = Theta.load("default").with_(half_size=8)
    batch = WindowBatch.of(windows_of(theta, 6), theta)
    goal = soft_labels(
        batch, ThetaTensors.of(theta.with_(growth=tuple(0.8 * g for g in theta.growth), rho=0.77))
    )
    still = {name: Span("table", 0.0) for name in ENTRIES if name.startswith("law")}
    learnable = LearnableTheta(theta, still)
    optimiser = torch.optim.Adam(learnable.parameters(), lr=0.05)
    losses = []
    for _ in range(40):
        loss = ((soft_labels(batch, learnable()) - goal) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.1 * losses[0]


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")  # the compiler's own
@pytest.mark.slow
def test_compiles_without_a_graph_break():
    theta = Theta.load("default").with_(half_size=5, steps=(2, 2))
    batch = WindowBatch.of(windows_of(theta, 4), theta)
    compiled = torch.compile(soft_labels, fullgraph=True, backend="aot_eager")
    results = []
    for function in (soft_labels, compiled):
        learnable = LearnableTheta(theta)
        labels = function(batch, learnable())
        labels.square().sum().backward()
        results.append([labels.detach(), *(p.grad for p in learnable.parameters())])
    for eager, other in zip(*results, strict=True):
        torch.testing.assert_close(eager, other, rtol=1e-4, atol=1e-6)
