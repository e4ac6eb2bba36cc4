"""Images for the page: which there are, and their numbers as a browser can show them.

`listing` finds the images behind the scenes and gives them numbers; their names are `packed`, and `order` is
that in which one goes through them. `cache` gives decoded frames, read by `reader`. `statistics` and
`samples` turn a frame into what a canvas can draw.
May import: io and all below. Never annotator: nothing here makes a mask. Open first: ``listing.py``.
"""
