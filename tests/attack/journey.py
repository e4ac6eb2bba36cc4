"""A new user's way from the demo to the paper, run inside an installation from the wheel; see its test.

``python journey.py`` in an empty folder does every step in one process, and executes the advice that is
printed.
"""

import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from click.testing import CliRunner

SIDE, FRAMES = 64, 60
TINY = "--preset none --set augment.crop=32 batch=10 run.threads=1 --model acm_unet --device cpu --epochs 1"
STEPS = (
    "demo demo",
    "check demo/images --points demo/points.csv",
    "annotate data/images --points data/points.csv --out labels --report",
    "score labels --truth data/masks --images data/images --out score-labels",
    "train data --strategy masks --masks labels --dry-run " + TINY,
    "train data --strategy masks --masks labels --out run --trust-labels " + TINY,
    "evaluate run data --out evaluation",
    "predict run data/images --out detections",
    "score labels detections --truth data/masks --out score-both",
    "export run --onnx detector.onnx",
    "convert labels SIRST-mine --to basicirstd --images data/images --test 0.2",
)
ADVICE = re.compile(r"pointmask ((?:annotate|click|predict|evaluate|train|check|score) [^;\n]+)")
PLACES = {"IMAGES": "data/images", "points.csv": "data/points.csv", "DATA": "data", "MASKS": "data/masks"}


def main():
    """Do all steps; whatever ends otherwise than it should stops with its output."""
    import pointmask

    assert Path(pointmask.__file__).is_relative_to(sys.prefix), pointmask.__file__
    write_data(Path("data"))
    advised = []
    for step in STEPS:
        shown = call(step)
        if not step.startswith("score") and "--dry-run" not in step:
            advised += [line.strip() for line in ADVICE.findall(shown)]
    open_page()
    done = set()
    for number, line in enumerate(advised):
        line = " ".join(PLACES.get(word, word) for word in shlex.split(line))
        if line in done:
            continue
        done.add(line)
        line = re.sub(r"--out (\S+)", f"--out advised{number}", line)
        if line.startswith("click"):
            line += " --publish"  # a page would wait for its reader
        elif line.startswith("train"):
            line += f" --dry-run {TINY}"  # as it stands it takes minutes
        call(line, ok=(0, 3))
    print(f"{len(STEPS)} steps and {len(done)} pieces of advice")


def write_data(root):
    """Built-in scenes as a training folder."""
    import pointmask
    from pointmask.io.images.array import encode_png

    rows = ["image,x,y"]
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    for k, scene in enumerate(pointmask.make_scenes(FRAMES, seed=1, shape=(SIDE, SIDE))):
        (root / f"images/{k:03d}.png").write_bytes(encode_png(scene.image))
        (root / f"masks/{k:03d}.png").write_bytes(encode_png(scene.mask))
        rows += [f"{k:03d}.png,{col},{row}" for row, col in scene.points]
    (root / "points.csv").write_text("\n".join(rows) + "\n")


def call(line, ok=(0,)):
    """Run a command in this process."""
    from pointmask.cli import main as command

    if line.startswith(("predict", "export", "evaluate")):
        ok = (0, 3)  # a detector of one epoch may find nothing, which is said with exit status 3
    done = CliRunner().invoke(command, shlex.split(line), prog_name="pointmask")
    assert done.exit_code in ok, f"{line}: {done.exit_code}\n{done.output}\n{done.exception!r}"
    return done.output


def open_page():
    """Start the click page, load it, and stop it."""
    words = [sys.executable, "-m", "pointmask", "click", "data/images", "--no-browser", "--out", "clicks"]
    page = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said = ""
        while not (address := re.search(r"http://\S+", said)):
            line = page.stdout.readline()
            assert line, said
            said += line
        with urllib.request.urlopen(address[0], timeout=60) as answer:
            assert answer.status == 200
    finally:
        page.send_signal(signal.SIGINT)
        page.communicate(timeout=60)


if __name__ == "__main__":
    main()
