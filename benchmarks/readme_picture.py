"""Draw the picture that opens the README and the site: built-in scenes as image, click and mask.

    python benchmarks/readme_picture.py [OUT]

writes docs/example.png (or OUT) with the default theta. Run it again whenever the annotator changes.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import pointmask
from pointmask.synth.scenes import Scene, TargetSpec, make_scene

ZOOM = 7  # screen pixels per image pixel
CROP = 40  # image pixels per side
GAP, ROW_GAP, HEAD, MARGIN = 8, 20, 30, 16
PAPER, INK = (255, 255, 255), (40, 40, 40)
CLICK, OUTLINES = (255, 64, 64), ((64, 220, 255), (255, 190, 40))


def scenes() -> tuple[Scene, ...]:
    """Return four scenes, each with an interesting target close to its middle."""
    middle = (64.2, 63.7)
    return tuple(
        make_scene(kind, shape=(128, 128), seed=seed, bits=bits, targets=targets, bad_pixels=0)
        for kind, seed, bits, targets in (
            ("clouds", 15, 8, [TargetSpec(area=150, shape="aeroplane", contrast=9, center=middle)]),
            ("sky", 4, 14, [
                TargetSpec(area=32, shape="ellipse", contrast=14, center=middle),
                TargetSpec(area=18, shape="blob", contrast=10, touches=True),
            ]),
            ("sea", 7, 8, [TargetSpec(area=90, shape="ship", contrast=7, center=middle)]),
            ("vegetation", 5, 8, [TargetSpec(area=6, shape="point", contrast=9, center=middle)]),
        )
    )  # fmt: skip


def main() -> None:
    """Write the picture."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "example.png")
    side = CROP * ZOOM
    triples = [panels(scene) for scene in scenes()]
    width = 2 * MARGIN + 2 * (3 * side + 2 * GAP) + ROW_GAP * 2
    height = 2 * MARGIN + HEAD + 2 * side + ROW_GAP
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=19)
    for k, triple in enumerate(triples):
        left = MARGIN + (k % 2) * (3 * side + 2 * GAP + 2 * ROW_GAP)
        top = MARGIN + HEAD + (k // 2) * (side + ROW_GAP)
        for j, (title, panel) in enumerate(zip(("image", "click", "mask"), triple, strict=True)):
            x = left + j * (side + GAP)
            sheet.paste(panel, (x, top))
            if k < 2:
                draw.text((x + side / 2, MARGIN + HEAD / 2 - 4), title, INK, font, anchor="mm")
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(out, optimize=True)
    print(f"wrote {out}: {width} x {height}, {out.stat().st_size // 1024} KiB")


def panels(scene: Scene) -> tuple[Image.Image, Image.Image, Image.Image]:
    """Image, image with clicks and image with mask of the scene's middle, enlarged with crisp pixels."""
    annotation = pointmask.annotate(scene.image, scene.points)
    centre = np.rint(np.mean(scene.points, axis=0)).astype(int)
    top, left = np.clip(centre - CROP // 2, 0, np.array(scene.image.shape) - CROP)
    window = np.s_[top : top + CROP, left : left + CROP]
    grey = Image.fromarray(stretched(scene.image[window])).convert("RGB")
    plain, clicked, masked = (grey.resize((CROP * ZOOM,) * 2, Image.Resampling.NEAREST) for _ in range(3))
    for row, col in scene.points:
        cross(clicked, (col - left + 0.5) * ZOOM, (row - top + 0.5) * ZOOM)
    for k in range(1, len(scene.points) + 1):
        fill(masked, annotation.instances[window] == k, OUTLINES[(k - 1) % len(OUTLINES)])
    return plain, clicked, masked


def stretched(image: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Stretch a crop of any depth to 8 bits for display."""
    low, high = np.percentile(image, 0.5), image.max()
    return np.asarray(np.clip((image - low) / max(high - low, 1), 0, 1) * 235 + 10, np.uint8)


def cross(picture: Image.Image, x: float, y: float) -> None:
    """Draw a click: a small cross that leaves its pixel free."""
    draw = ImageDraw.Draw(picture)
    for colour, width in (((0, 0, 0), 5), (CLICK, 3)):
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            draw.line((x + dx * 5, y + dy * 5, x + dx * 18, y + dy * 18), colour, width)


def fill(picture: Image.Image, mask: NDArray[np.bool_], colour: tuple[int, int, int]) -> None:
    """Tint a mask and draw its outline along the pixels' edges."""
    large = Image.fromarray(mask).resize(picture.size, Image.Resampling.NEAREST)
    tint = Image.blend(picture, Image.new("RGB", picture.size, colour), 0.25)
    picture.paste(tint, mask=large)
    draw = ImageDraw.Draw(picture)
    padded = np.pad(mask, 1)
    for row, col in np.argwhere(padded[1:] != padded[:-1]):
        draw.line(((col - 1) * ZOOM, row * ZOOM, col * ZOOM, row * ZOOM), colour, 3)
    for row, col in np.argwhere(padded[:, 1:] != padded[:, :-1]):
        draw.line((col * ZOOM, (row - 1) * ZOOM, col * ZOOM, row * ZOOM), colour, 3)


if __name__ == "__main__":
    main()
