"""Helpers of the tests of the trainer."""
