"""HTTP for the page: one process, one socket, one session.

`start` opens what a user asks for, from `bases` that were there before; `serve` runs until Ctrl+C. `app` is
the table of addresses, with functions in `routes`; `wire` is what they have in common. The page speaks in
numbers and JSON, the session in names and dataclasses: `desk`, `edits` and `shapes` translate. `jobs` run the
long `works`, `queues` keep a review's order, `summary` counts.
May import: session and frames of click, and all below. Open first: ``app.py``.
"""
