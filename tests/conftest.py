"""Settings shared by all tests."""

import os
from collections import Counter

import pytest
from hypothesis import settings

# The maps are small: a second thread gains nothing on idle cores, and on shared ones threads wait for one
# another (a minute's training took six). Set before torch is imported; subprocesses inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Shared machines stall now and then; a deadline per example would make good tests fail by chance.
settings.register_profile("pointmask", deadline=None, derandomize=True)
settings.load_profile("pointmask")


# A power failure is simulated where it is tested (attack/losses, click/session/test_lost.py), and nothing
# else can see whether a file has reached the disk. Programs that tests start wait for the disk as ever.
os.fsync = os.fstat


def pytest_collection_modifyitems(config, items):
    """Let several processes begin with the files that have slow tests, and end with those of few tests.

    One that starts its longest file last would leave the others idle.
    """
    if not hasattr(config, "workerinput"):
        return
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path not in slow, -tests[item.path], item.path))


UMASK = 0o027


@pytest.fixture(scope="module")
def fewer_rights():
    """The umask, another than the usual one, under which a module's files are made."""
    from tools.folders import umask

    with umask(UMASK):
        yield UMASK


@pytest.fixture(scope="module")
def browser():
    """Chromium, one at a time: while Playwright runs, no other event loop can run in its thread."""
    from tools.click.browser import launched

    with launched() as running:
        yield running
