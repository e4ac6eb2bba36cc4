"""Clicking in a notebook: the viewer of the click page around one array, without a server.

`clicker` keeps points and masks, `bundle` joins the modules of the viewer and ``clicker.js`` into the one
file that a notebook loads. Needs the extra ``notebook`` (anywidget), which is imported when a widget is made.
May import: click (frames, and the pages' files), annotator and all below. Open first: ``clicker.py``.
"""
