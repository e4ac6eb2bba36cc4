"""A click session on arrays in memory, for tests."""

from contextlib import contextmanager
from hashlib import blake2b
from itertools import count

import numpy as np

from pointmask import Theta
from pointmask.click.contract import edits
from pointmask.click.contract.errors import GoneError, NotFoundError
from pointmask.click.contract.source import DecodedFrame
from pointmask.click.frames.reader import read_frame
from pointmask.click.session.session import Session
from pointmask.click.session.setup import Setup

THETA = Theta.load("default")


class Arrays:
    """A frame source of arrays by name; several of one name are its frames."""

    def __init__(self, images):
        self.images = {name: value if isinstance(value, list) else [value] for name, value in images.items()}
        self.gone = set()

    def load(self, image, frame):
        if image in self.gone:
            raise GoneError(f"{image} is gone; put it back")
        pages = self.images.get(image)
        if pages is None or not 0 <= frame < len(pages):
            raise NotFoundError(f"there is no {image}, frame {frame}; reload the page")
        content = blake2b(b"".join(page.tobytes() for page in pages), digest_size=16).hexdigest()
        return DecodedFrame(pages[frame], content, len(pages))


class FolderFrames:
    """A frame source of the images of a folder."""

    def __init__(self, images):
        self.images = images

    def load(self, image, frame):
        return read_frame(self.images, image, frame)


class Clicker:
    """A session with short calls and edit identifiers of their own."""

    def __init__(self, session, image="a.png", name="e"):
        self.session, self.image, self._name, self._count = session, image, name, count(1)

    def _do(self, form, image=None, frame=0, **fields):
        edit = f"{self._name}-{next(self._count)}"
        return self.session.edit([form(image=image or self.image, frame=frame, edit=edit, **fields)])

    def add(self, row, col, **fields):
        return self._do(edits.Add, row=row, col=col, **fields)

    def set(self, target, **fields):
        return self._do(edits.Set, target=target, **fields)

    def drop(self, target, **fields):
        return self._do(edits.Drop, target=target, **fields)

    def mark(self, state, **fields):
        return self._do(edits.MarkFrame, state=state, **fields)

    def paint(self, target, put=(), clear=(), **fields):
        return self._do(edits.Paint, target=target, put=tuple(put), clear=tuple(clear), **fields)

    def superpixel(self, target, row, col, add=True, **fields):
        return self._do(edits.Superpixel, target=target, row=row, col=col, add=add, **fields)

    def accept(self, row, col, **fields):
        return self._do(edits.Accept, row=row, col=col, **fields)

    def refuse(self, row, col, **fields):
        return self._do(edits.Refuse, row=row, col=col, **fields)

    def frame(self, image=None, frame=0):
        return self.session.frame(image or self.image, frame)


@contextmanager
def clicking(out, images, *, annotator="mei", base=None, **setup):
    """Open a session; give its short form."""
    source = images if isinstance(images, Arrays) else Arrays(images)
    made = Setup(out=out, annotator=annotator, **{"theta": THETA, **setup})
    session = Session(made, source, base)
    try:
        yield Clicker(session, next(iter(source.images)), f"{annotator}{session.seq}")
    finally:
        session.close()


def crowd(shape=(96, 96), seed=3):
    """A noisy frame with targets that touch."""
    rng = np.random.default_rng(seed)
    image = rng.normal(1000, 6, shape)
    rows, cols = np.ogrid[: shape[0], : shape[1]]
    for row, col, height, width in [
        (30, 30, 160, 2.0),
        (33, 34, 140, 2.2),
        (36, 30, 90, 1.6),
        (70, 60, 120, 3),
    ]:
        image += height * np.exp(-((rows - row) ** 2 + (cols - col) ** 2) / (2 * width**2))
    return np.rint(image).astype(np.uint16)


def masks_of(frame):
    """Masks of a frame's targets over the whole frame, in order."""
    out = []
    for target in frame.targets:
        mask = np.zeros(frame.shape, np.bool_)
        top, left, pixels = target.crop(frame.shape)
        mask[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
        out.append(mask)
    return out
