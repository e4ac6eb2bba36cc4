"""Detectors trained on pointmask's pseudo-masks; imports pointmask, never the other way round."""
