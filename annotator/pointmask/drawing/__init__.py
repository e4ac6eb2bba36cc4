"""Pictures of results: overlays, enlarged targets for reports, and the style of charts.

May import: annotator (for its result types) and all below; never io or folder.
Open first: ``overlay.py``.
"""
