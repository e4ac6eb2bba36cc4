"""A person at work on a click folder: edits in, masks and journal lines out.

`session` is the whole; `store` keeps frames and journal in step, `handle` does one edit, `compose` puts what
it changed into lines, `history` undoes.
May import: masks, journal, contract and all below. Open first: ``session.py``.
"""

from pointmask.click.session.session import Session as Session
