"""Any raster as one band of numbers: files, folders, archives, stacks.

`open` decides what a path is and gives an `ImageSource` (`source`); `file` reads one image file with the
right codec of `codecs`, `array` reads and writes arrays and masks.
May import: errors, and files and layout of io. Never points or formats.
Open first: ``open.py``, then ``source.py``.
"""
