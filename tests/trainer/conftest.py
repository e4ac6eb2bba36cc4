"""Shared by the trainer's tests."""

import pytest


@pytest.fixture(autouse=True)
def without_pictures(request, monkeypatch):
    """Leave out the pictures of a run, a second or two each, where they are not what is tested."""
    if request.path.name != "test_analyse.py":
        from pointmask_trainer.analysis.follow import Follower  # not above: without torch, tests are skipped

        monkeypatch.setattr(Follower, "_draw", lambda self: None)
