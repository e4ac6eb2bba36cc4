"""Commands around the page on which people click (`clicking`, since `pointmask.cli.click` is the library).

May import: everything of pointmask. Open first: ``click.py``.
"""
