"""Pages on a running server."""

import numpy as np
import pytest
from tools.click.serving import THETA, scene, scenes, serving
from tools.folders import save

from pointmask.click.server.serve import compile_kernels


@pytest.fixture(scope="session", autouse=True)
def kernels():
    """Compiled kernels: until they are, on a fresh machine, edits are answered 503."""
    compile_kernels(THETA)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Three frames in a folder, two in one below it, and a stack of three; nobody edits here."""
    folder = scenes(tmp_path_factory.mktemp("page") / "images")
    for k in range(2):
        save(folder / f"sub/g{k}.png", scene(10 + k))
    np.save(folder / "stack.npy", np.stack([scene(k) for k in range(3)]))
    with serving(folder, labels=("plane", "bird")) as client:
        client.server.warm.wait()
        yield client


@pytest.fixture
def client(tmp_path):
    """A page of its own, to edit."""
    with serving(scenes(tmp_path / "images")) as client:
        yield client
