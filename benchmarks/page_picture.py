"""Take the picture of the click page that the site shows: built-in scenes, with clicks and their masks.

    python benchmarks/page_picture.py [OUT]

writes docs/click-page.png (or OUT). It needs Chromium. Run it again whenever the page looks different.
"""

import io
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from support.page import browser, painted, served

WIDTH, HEIGHT = 1200, 750


def main() -> None:
    """Open the page on a frame with several targets and write its picture."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "click-page.png")
    with tempfile.TemporaryDirectory() as scratch:
        demo = Path(scratch) / "scenes"
        subprocess.run(
            [sys.executable, "-m", "pointmask", "demo", str(demo)], check=True, capture_output=True
        )
        points = ("--points", str(demo / "points.csv"), "--polarity", "auto", "--fill", "--annotator", "mei")
        with (
            served(demo / "images", demo / "clicks", *points) as running,
            browser(WIDTH, HEIGHT) as page,
        ):
            page.goto(running.address)
            painted(page, "pictures")
            page.wait_for_timeout(1500)  # the strip of frames fills by and by
            seen = Image.open(io.BytesIO(page.screenshot()))
    seen.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(out, optimize=True)
    print(f"wrote {out}: {seen.width} x {seen.height}, {out.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
