"""What several formats share: JSON and XML documents, origins of coordinates, shapes, sizes of images.

May import: points, images, files, encodings; never a format.
Open first: ``documents.py``.
"""
