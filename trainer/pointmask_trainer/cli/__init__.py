"""The trainer's commands, one module each; `pointmask.cli` refers to them by import strings.

Each command imports its dependencies when it runs, so that help loads no torch. May import: everything.
Open first: ``train.py``.
"""
