"""Pictures that the site shows of the annotator, drawn when the site is built: they cannot go out of date.

``pictures/operator-*.png`` follow one target through the operator, ``pictures/masks.png`` shows targets of
many kinds with their masks and confidences. Each is a few kilobytes, and the same bytes on every build.
"""

import io
from typing import Any

import numpy as np
from mkdocs.structure.files import File, Files
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import pointmask
from pointmask.annotator.fuse import binarise, fuse
from pointmask.annotator.operator import Operator, assemble, solve
from pointmask.annotator.superpixel import superpixel_of
from pointmask.annotator.window import Window, geometry, read_window
from pointmask.kernels.resemblance import measure, resemblance_network
from pointmask.kernels.scale_space import fill_scales

Array = NDArray[Any]

ZOOM = 5  # screen pixels per sample
STEPS = (0, 2, 8, 11, 14, 20)  # the default preset has 8 coarse and 12 fine steps
CLICK, OUTLINE = (255, 64, 64), (64, 220, 255)
HEAT = ((12, 7, 40), (84, 15, 109), (187, 55, 84), (249, 142, 9), (252, 255, 164))
TWO_SIDED = ((38, 110, 176), (247, 247, 247), (217, 95, 2))


def on_files(files: Files, *, config: Any, **_: object) -> Files:
    """Draw the pictures and add them to the site."""
    for name, picture in {**operator_pictures(), "masks": gallery()}.items():
        files.append(File.generated(config, f"pictures/{name}.png", content=encoded(picture)))
    return files


def encoded(picture: Image.Image) -> bytes:
    """Encode a picture as PNG."""
    data = io.BytesIO()
    picture.save(data, "PNG", optimize=True)
    return data.getvalue()


def operator_pictures() -> dict[str, Image.Image]:
    """Follow one target from its click to its mask."""
    spec = pointmask.TargetSpec(area=90, shape="aeroplane", contrast=8, center=(64.2, 63.7))
    scene = pointmask.make_scene("clouds", shape=(128, 128), seed=15, bits=14, targets=[spec], bad_pixels=0)
    theta = pointmask.Theta.load("default")
    operator = assemble(theta)
    row, col = scene.points[0]
    window = read_window(scene.image, row, col, 0, theta, "bright")
    superpixel = superpixel_of(window, theta)
    soft = fuse(solve(window, operator), superpixel, theta.rho)
    mask, _ = binarise(soft, theta.level, theta.half_size, theta.half_size, theta.reach)
    near = np.s_[
        row - theta.half_size : row + theta.half_size + 1, col - theta.half_size : col + theta.half_size + 1
    ]
    grey = coloured(window.values, (-0.4, 1.2))
    pictures = {
        "window": clicked(coloured(scene.image[near])),
        "values": grey,
        "conductance": coloured(conductance(window, theta), (0, None), HEAT),
        "resemblance": coloured(resemblance(window, operator), (-1, 1), TWO_SIDED),
        "superpixel": coloured(superpixel, (0, 1)),
        "soft": coloured(soft, (0, 1), HEAT),
        "mask": outlined(grey, mask),
        "truth": outlined(grey, scene.mask[near] > 0),
    }
    for count in STEPS:
        first = min(count, theta.steps[0])
        part = assemble(theta.with_(steps=(first, count - first)))
        pictures[f"step-{count}"] = coloured(solve(window, part), (0, 1), HEAT)
    return {f"operator-{name}": picture for name, picture in pictures.items()}


def conductance(window: Window, theta: pointmask.Theta) -> Array:
    """Compute the conductance of the last stage, averaged over the faces of each sample."""
    total, faces = np.zeros_like(window.values), np.zeros_like(window.values)
    for axis in (0, 1):
        difference = np.abs(np.diff(window.values, axis=axis))
        passage = theta.D0[-1] / (1 + (theta.beta[-1] * difference) ** 2)
        for side in ((0, 1), (1, 0)):
            pads = [(0, 0), (0, 0)]
            pads[axis] = side
            total += np.pad(passage, pads)
            faces += np.pad(np.ones_like(passage), pads)
    return np.asarray(total / faces)


def resemblance(window: Window, operator: Operator) -> Array:
    """Evaluate the resemblance network on a window, as the kernel of the potential does."""
    values = window.values
    places = geometry(values.shape[0] // 2)
    scales, maps = np.empty((6, *values.shape)), np.empty((10, *values.shape))
    out, target = np.empty_like(values), np.empty(5)
    fill_scales(values, scales)
    measure(
        scales,
        places.distance,
        places.log_distance,
        window.noise,
        window.step_inner,
        window.step_outer,
        maps,
        out,
        target,
    )
    local_weights, target_weights, bias, gain = operator.network
    bias = bias + target_weights @ target
    resemblance_network(maps, local_weights, bias, gain, operator.theta.law_offset, out)
    return out


def gallery() -> Image.Image:
    """Show crops of built-in scenes with the outlines of their masks and the confidences."""
    side, zoom, columns, head = 32, 5, 4, 22
    kinds = ("sky", "clouds", "sea", "vegetation", "clouds", "sea", "vegetation", "sky")
    rows = -(-len(kinds) // columns)
    cell = side * zoom
    sheet = Image.new("RGB", (columns * (cell + 8) - 8, rows * (cell + head)), (24, 24, 24))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=14)
    for k, kind in enumerate(kinds):
        area, shape = ((6, "point"), (25, "ellipse"), (90, "aeroplane"), (60, "ship"))[k % 4]
        spec = pointmask.TargetSpec(area=area, shape=shape, contrast=4 + 2 * (k % 3), center=(64.0, 64.0))
        scene = pointmask.make_scene(kind, shape=(128, 128), seed=40 + k, targets=[spec], bad_pixels=0)
        target = pointmask.annotate(scene.image, scene.points[:1]).targets[0]
        whole = pointmask.annotate(scene.image, scene.points[:1]).mask
        row, col = (place - side // 2 for place in target.point)
        near = np.s_[row : row + side, col : col + side]
        picture = outlined(coloured(scene.image[near], zoom=zoom), whole[near], zoom)
        x, y = (k % columns) * (cell + 8), (k // columns) * (cell + head)
        sheet.paste(picture, (x, y + head))
        draw.text(
            (x + cell / 2, y + head / 2), f"{target.confidence:.2f}", (235, 235, 235), font, anchor="mm"
        )
    return sheet


def coloured(
    field: Array,
    span: tuple[float | None, float | None] = (None, None),
    colours: tuple[tuple[int, int, int], ...] = ((0, 0, 0), (255, 255, 255)),
    zoom: int = ZOOM,
) -> Image.Image:
    """Show a field in colours, interpolated between equally spaced ones, each sample a crisp square."""
    field = np.asarray(field, np.float64)
    low = float(field.min()) if span[0] is None else span[0]
    high = float(field.max()) if span[1] is None else span[1]
    share = np.clip((field - low) / max(high - low, 1e-12), 0, 1)
    at = np.linspace(0, 1, len(colours))
    bands = [np.interp(share, at, [colour[band] for colour in colours]) for band in range(3)]
    pixels = Image.fromarray(np.stack(bands, axis=-1).round().astype(np.uint8))
    return pixels.resize((pixels.width * zoom, pixels.height * zoom), Image.Resampling.NEAREST)


def clicked(picture: Image.Image) -> Image.Image:
    """Draw the click in the middle, its pixel left free."""
    draw, middle = ImageDraw.Draw(picture), picture.width / 2
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        ends = (middle + dx * 4, middle + dy * 4, middle + dx * 15, middle + dy * 15)
        draw.line(ends, (0, 0, 0), 5)
        draw.line(ends, CLICK, 3)
    return picture


def outlined(picture: Image.Image, mask: Array, zoom: int = ZOOM) -> Image.Image:
    """Draw the outline of a mask along the edges of its pixels."""
    picture = picture.copy()
    draw, padded = ImageDraw.Draw(picture), np.pad(np.asarray(mask, np.bool_), 1)
    for row, col in np.argwhere(padded[1:] != padded[:-1]):
        draw.line(((col - 1) * zoom, row * zoom, col * zoom, row * zoom), OUTLINE, 2)
    for row, col in np.argwhere(padded[:, 1:] != padded[:, :-1]):
        draw.line((col * zoom, (row - 1) * zoom, col * zoom, row * zoom), OUTLINE, 2)
    return picture
