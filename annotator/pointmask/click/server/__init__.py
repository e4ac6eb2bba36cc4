"""HTTP for the page: one process, one socket, one session.

`app` is the table of addresses, whose functions are in `routes`; `wire` is what they have in common. The page
speaks in numbers and JSON, the session in names and dataclasses: `desk`, `edits` and `shapes` translate.
`serve` starts and ends it all.
May import: session and frames of click, and all below. Open first: ``app.py``.
"""
