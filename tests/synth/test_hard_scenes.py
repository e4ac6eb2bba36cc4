"""Hard scenes: repeatable, with exact truth, and full of what looks like a target and is none."""

import numpy as np
import pytest
from scipy import ndimage as ndi

from pointmask.synth.clutter import clutter
from pointmask.synth.hard import make_hard_scene

SIDE = (96, 112)


def test_same_seed_same_scene():
    first, again, other = (make_hard_scene(seed, SIDE) for seed in ((3, 1), (3, 1), (3, 2)))
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.instances, again.instances)
    assert not np.array_equal(first.image, other.image)


def test_targets_are_brighter_than_the_ring_round_them():
    """Twenty scenes: each target, its own noise aside, stands out by what was asked for it."""
    above = []
    for seed in range(20):
        scene = make_hard_scene(seed, SIDE)
        assert (scene.image.dtype, scene.image.shape) == (np.uint8, SIDE)
        assert len(scene.points) == scene.instances.max() == len(scene.params["targets"])
        image = scene.image.astype(float)
        for k, point in enumerate(scene.points, 1):
            own = scene.instances == k
            assert own[point]
            near = ndi.binary_dilation(own, np.ones((3, 3)), 2)
            ring = ndi.binary_dilation(near, np.ones((3, 3)), 5) & ~near & ~scene.mask
            above.append(image[own].mean() > image[ring].mean())
    assert len(above) > 15
    assert np.mean(above) > 0.9  # the rest lies where the frame is saturated


@pytest.mark.parametrize("seed", range(12))
def test_clutter_is_finite_and_has_structure(seed):
    field = clutter(np.random.default_rng(seed), SIDE)
    assert field.shape == SIDE
    assert np.isfinite(field).all()
    assert field.std() > 0.05


def test_clutter_holds_edges_that_landscapes_lack():
    """The largest steps between neighbours, in units of the spread: plates and lamps against clouds."""
    from pointmask.synth.backgrounds import clouds

    def steps(make):
        fields = [make(np.random.default_rng(seed), (128, 128)) for seed in range(16)]
        return np.median([np.abs(np.diff(field, axis=1)).max() / field.std() for field in fields])

    assert steps(clutter) > 2 * steps(clouds)


def test_a_scene_too_small_is_refused():
    with pytest.raises(ValueError, match="64 is the least side"):
        make_hard_scene(0, (64, 63))
