"""Images for the page: which there are, and their numbers as a browser can show them.

A frame is addressed by the name of its image and its 0-based number. `reader` reads one, with its content
hash.
May import: io and all below. Never annotator: nothing here makes a mask. Open first: ``reader.py``.
"""
