"""``clicks.jsonl``: every edit as a line, written before it is answered; the truth of a click folder.

`file` appends and syncs, `lines` are the forms of a line, `fold` makes a frame from its lines, `index` knows
where the lines of each frame are, and who can undo what.
May import: contract, folder.records, io and all below. Open first: ``lines.py``.
"""
