"""`pointmask train`: from a folder and settings to a run folder.

`prepare` reads and makes everything, `loop` is epochs and steps whatever the strategy, `train` writes,
resumes and keeps the best; `report`, `curves` and `gallery` show how it goes.
May import: everything of the trainer but cli and selection. Open first: ``train.py``, then ``loop.py``.
"""
