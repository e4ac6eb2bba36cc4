"""Seeded infrared scenes and sequences with exact masks, for the demo, the tests and `bench` without data.

`scenes` and `sequence` are the front doors; `backgrounds`, `targets`, `placing` and `sensor` are the parts.
May import: components, errors. Open first: ``scenes.py``.
"""
