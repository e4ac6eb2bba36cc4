"""Charts of an analysis, one module each, drawn with matplotlib from the numbers of `study`.

May import: the numbers of analysis, `pointmask.drawing`. Open first: ``parts.py``.
"""
