"""Slow, obvious twins of what is fast in the packages: kernels, baselines, tracking, layers."""
