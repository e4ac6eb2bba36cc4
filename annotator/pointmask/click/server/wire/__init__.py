"""What is on the wire, whatever the page does with it: connections, who may ask, bodies, fields, answers.

`guard` stands before everything and lets in only what the page itself sends; `address` is where it listens.
May import: errors, and Starlette and uvicorn. Open first: ``guard.py``.
"""
