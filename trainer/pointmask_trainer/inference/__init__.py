"""A detector on whole images: tiles, predictions as files, evaluation, export.

`tiles` predicts one image of any size, `predict` is the resumable job over a folder, `evaluate` scores
probabilities against true masks (`evaluate_folder` whole folders), `export` writes ONNX.
May import: run, data, detectors, operator and all below; `pointmask.folder.records` for the job.
Open first: ``tiles.py``.
"""
