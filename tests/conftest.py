"""Settings shared by all tests."""

from hypothesis import settings

# Shared machines stall now and then; a deadline per example would make good tests fail by chance.
settings.register_profile("pointmask", deadline=None, derandomize=True)
settings.load_profile("pointmask")
