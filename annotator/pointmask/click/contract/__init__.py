"""What the server says to a session and gets back: edits in, targets and frames out, and typed refusals.

Plain dataclasses that know neither HTTP nor files.
May import: folder.records, io.formats.encodings and all below. Open first: ``targets.py``.
"""
