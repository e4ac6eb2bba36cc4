"""Settings shared by all tests."""

import os

import pytest
from hypothesis import settings

# The maps are small: a second thread gains nothing on idle cores, and on shared ones threads wait for one
# another (a minute's training took six). Set before torch is imported; subprocesses inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Shared machines stall now and then; a deadline per example would make good tests fail by chance.
settings.register_profile("pointmask", deadline=None, derandomize=True)
settings.load_profile("pointmask")


@pytest.fixture(scope="module")
def browser():
    """Chromium, one at a time: while Playwright runs, no other event loop can run in its thread."""
    from tools.click.browser import launched

    with launched() as running:
        yield running
