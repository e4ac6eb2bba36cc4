"""The addresses of the page, a function each: a request in, an answer out.

`looking` reads, `marking` changes, `about` says what this session is, `statics` is the page itself.
May import: wire, and desk, edits and shapes of server. Open first: ``looking.py``.
"""
