"""The drawing style in torch: the kernel's numbers, and a gradient to the style."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pointmask.annotator.window import read_window
from pointmask.kernels.outline import move_outline
from pointmask.kernels.scale_space import smooth
from pointmask.synth.scenes import make_scenes
from pointmask.theta import Theta
from pointmask_trainer.operator.forward import WindowBatch, soft_labels
from pointmask_trainer.operator.theta import LearnableTheta, Span, ThetaTensors

THETA = Theta.load("default").with_(half_size=9)


@pytest.fixture(scope="module")
def windows():
    scenes = make_scenes(6, seed=5)
    return [
        read_window(scene.image, *scene.points[0], k % 2, THETA, "bright") for k, scene in enumerate(scenes)
    ]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
@pytest.mark.parametrize("style", [-1.3, -0.2, 0.25, 1.0, 2.2])
def test_agrees_with_the_kernel(windows, style, dtype, tolerance):
    batch = WindowBatch.of(windows, THETA, dtype=dtype)
    core = soft_labels(batch, ThetaTensors.of(THETA, dtype=dtype))[:, 0].double().numpy()
    ours = soft_labels(batch, ThetaTensors.of(THETA.with_(style=style), dtype=dtype))[:, 0].double().numpy()
    for window, soft, found in zip(windows, core, ours, strict=True):
        contrast, expected = np.empty_like(soft), np.empty_like(soft)
        smooth(window.values, 1, contrast)
        move_outline(np.ascontiguousarray(soft), contrast, style / 2**window.octave, expected)
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("style", [-0.6, 0.35])
def test_gradient_of_the_style_equals_differences(windows, style):
    theta = THETA.with_(style=style, half_size=9, steps=(2, 3))
    batch = WindowBatch.of(windows[:2], theta, dtype=torch.float64)
    fixed = ThetaTensors.of(theta, dtype=torch.float64)
    entry = fixed.style.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda value: soft_labels(batch, replace(fixed, style=value)), [entry])


def test_a_style_is_learned_if_a_span_allows_it_and_kept_otherwise(windows):
    batch = WindowBatch.of(windows, THETA)
    goal = soft_labels(batch, ThetaTensors.of(THETA.with_(style=0.6)))
    assert "style" not in dict(LearnableTheta(THETA).named_parameters())
    others = {name: Span("absolute", 0.0) for name in LearnableTheta(THETA).spans}
    learnable = LearnableTheta(THETA.with_(style=0.2), {**others, "style": Span("absolute", 1.0)})
    optimiser = torch.optim.Adam(learnable.parameters(), lr=0.05)
    for _ in range(60):
        loss = (soft_labels(batch, learnable()) - goal).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert learnable.theta().style == pytest.approx(0.6, abs=0.05)
