"""A package that adds one of everything to pointmask, and one of everything that is broken."""

from dataclasses import dataclass

import numpy as np
from torch import nn

from pointmask import (
    Annotation,
    Baseline,
    Format,
    Point,
    Points,
    PointsError,
    Target,
    WriteOptions,
)
from pointmask_trainer import Detector, Strategy

DEFAULTS = WriteOptions()


class ToyNet(Detector):
    """Two convolutions."""

    stride = 1

    def __init__(self, in_channels=1, width=4):
        super().__init__(in_channels)
        self.first = nn.Conv2d(in_channels, width, 3, padding=1)
        self.head = nn.Conv2d(width, 1, 3, padding=1)

    def forward_maps(self, x):
        return self.head(self.first(x).relu()), []


@dataclass(frozen=True)
class ToyOptions:
    """`side` of the squares, in px."""

    side: int = 3


class ToyStrategy(Strategy):
    """A square round each point; what is learned is how often it was asked."""

    Options = ToyOptions
    needs_points = True
    learns_supervision = True
    learns_weights = True
    reads_masks = False

    def prepare(self, folder):
        return {
            name: [self._label(split, k) for k in range(len(split))] for name, split in folder.splits.items()
        }

    def end_epoch(self, training):
        images = len(training.splits["train"])
        ones = [1.0] * images
        self._news = {"alpha": ones, "loss": ones, "difficulty": [float(k) for k in range(images)]}

    def record(self):
        return self._news

    def _label(self, split, index):
        label = np.zeros(split.images.shapes[index], bool)
        for row, col in split.points[index]:
            half = self.options.side // 2
            label[max(row - half, 0) : row + half + 1, max(col - half, 0) : col + half + 1] = True
        return label


class ToyBaseline(Baseline):
    """One pixel for each click."""

    label = "Toy method"
    reads_size = False
    note = "knows nothing but the click."

    def annotate(self, image, points, *, size_prior=None, seed=0):
        one = np.ones((1, 1), bool)
        targets = []
        for row, col in points:
            box = (row, col, row + 1, col + 1)
            soft = one.astype(np.float32)
            targets.append(Target((row, col), box, soft, one, 1, box, 1.0, (), (row, col), 0))
        return Annotation(np.shape(image)[:2], tuple(targets))


class ToyFormat(Format):
    """Lines of name, row and column after a first line that says "toy points"."""

    name = "toy"
    description = "toy points"
    abilities = frozenset({"read points", "write points", "write masks"})
    holds = frozenset({"points", "instances"})
    suffixes = (".toy",)
    origin = "index"
    layout = "file"
    saved_as = "points.toy"

    def sniff(self, path):
        return path.is_file() and path.read_bytes().startswith(b"toy points\n")

    def read(self, path, *, images=None):
        if not self.sniff(path):
            raise PointsError(f"{path} does not begin with the line 'toy points'; write it there")
        points = {}
        for line in path.read_text().splitlines()[1:]:
            name, row, col = line.split()
            points.setdefault(name, []).append(Point(int(row), int(col)))
        return Points({name: tuple(of_image) for name, of_image in points.items()}, self.source_of(path))

    def write(self, points, path):
        self._write(((name, point) for name, of_image in points for point in of_image), path)

    def write_masks(self, images, path, *, source=None, options=DEFAULTS):
        self._write(((image.key, target.point) for image in images for target in image.targets), path)

    def _write(self, pairs, path):
        lines = [f"{name} {point.row} {point.col}" for name, point in pairs if point is not None]
        path.write_text("\n".join(["toy points", *lines]) + "\n")


class NotADetector(nn.Module):
    """Derives from the wrong class."""


class BaselineWithoutMethod(Baseline):
    """Says how it is called, and does nothing."""

    label = "Nothing"
