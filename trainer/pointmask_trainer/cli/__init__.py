"""The trainer's commands, one module each; `pointmask.cli` names them by import strings.

Each imports what it needs inside the command, so that help loads no torch. May import: everything.
Open first: ``train.py``.
"""
