"""The bridge: a folder of images and points in, a folder of masks out, resumable at any moment.

`job` is the whole; `planning` pairs images with points, `tasks` says what is left to do, `worker` does a task
in any thread, shard or Dask worker, and `records` keeps what is done. `output` is the folder; `documents` and
`report` come last.
May import: annotator, io, drawing, executors and all below.
Open first: ``job.py``.
"""
