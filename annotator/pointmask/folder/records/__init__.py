"""Records of a job: a kill at any moment loses nothing, and the resumed job writes the same bytes.

`journal` is written while a job runs (also by predict), `ledger` decides which entries are still valid,
`shards` merges the parts, `manifest` is the final record.
May import: io, errors. Open first: ``journal.py``.
"""
