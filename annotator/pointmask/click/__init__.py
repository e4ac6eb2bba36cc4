"""The page on which people click, see the mask at once, correct it, and are done.

`frames` lists images and turns them into numbers that a browser can show. `session` does the edits: `masks`
makes the masks, `journal` keeps every edit, `contract` is what a session takes and gives. `server` answers
the page over HTTP, and ``static/`` is the page: plain ES modules that the browser loads as they are. Masks
are made in the session only; the page shows them.
May import: tracking, calibrate, folder and all below. Open first: ``server/__init__.py``.
"""
