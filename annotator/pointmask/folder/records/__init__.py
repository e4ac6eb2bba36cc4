"""What a job has done, kept so that a kill at any moment loses nothing and the bytes come out the same.

`journal` is written while a job runs (predict has one too), `ledger` decides what of it stands, `shards`
merges the parts, `manifest` is what remains.
May import: io, errors. Open first: ``journal.py``.
"""
