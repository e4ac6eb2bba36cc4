"""What evaluations and predictions look like: tables, charts, and pages of single targets.

May import: all of `pointmask_trainer.inference` but `predict` and `evaluate_folder`, which draw with it.
Open first: ``worst.py``.
"""
