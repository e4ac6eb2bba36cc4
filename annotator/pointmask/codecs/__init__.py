"""File formats of images, one module per family; and `rle`, how documents write masks.

An image module has a ``decode``, and a ``count`` if its files can hold several frames. ``file`` is an
open binary file positioned anywhere, ``size`` its length in bytes. ``decode`` returns the stored numbers,
``(H, W)`` or ``(H, W, bands)``, whatever their type; `pointmask.images` turns them into one band. Only
that module calls these, and it turns every exception into an `ImageError` that names the file.
"""
