r"""Compare every byte that two installs of pointmask write, for changes that must not change results.

Runs the commands of one install on real data and writes a digest of every output file. A
second run with another install is compared with the first, file by file::

    python benchmarks/same_bytes.py --pointmask old/.venv/bin/pointmask --work w1 --out old.json
    python benchmarks/same_bytes.py --pointmask new/.venv/bin/pointmask --work w2 --out new.json \
        --against old.json --begun w1/begun

``w1/begun`` holds jobs of the first install that were killed half way. The second copies and resumes
them, and they must end with the bytes of uninterrupted jobs. POINTMASK_SIRST3 names
the data. Exit status 1 if any file differs.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SAVED = "soft,instance,overlay,rle,coco,cvat,labelstudio,labelme,voc,yolo,yolo-seg,basicirstd,pal"
FILES = {"csv": "points.csv", "jsonl": "points.jsonl", "coco": "coco.json", "cvat": "cvat.xml"}
FILES |= {"labelstudio": "labelstudio.json"}
FOLDERS = ("labelme", "voc", "yolo", "yolo-seg", "masks", "point_images", "basicirstd", "pal")
STRATEGIES = ("full", "masks", "d2d", "joint")
TRAINED = 64  # images
TIMES = {"seconds", "images_per_second", "loading", "elapsed", "weights"}  # weights: a hash of times as well
TIMED = {"metrics.jsonl", "state.json", "predictions.jsonl"}
UNEQUAL = {"timings.jsonl", "source.json"}  # contain times or paths of this run
DRAWN = {".png", ".html"}  # of a run: curves that contain the times of its epochs
RUNS = ("runs/", "resumed/full/", "resumed/d2d/")


class Commands:
    """One installed pointmask."""

    def __init__(self, program: Path, data: Path) -> None:
        self.program, self.data = program.absolute(), data.absolute()
        self.environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a command."""
        command = [str(part) for part in (self.program, *arguments)]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment
        )

    def run(self, *arguments: str | Path, allowed: tuple[int, ...] = (0,)) -> str:
        """Run a command and return its output."""
        started = time.perf_counter()
        process = self.start(*arguments)
        out, err = process.communicate()
        if process.returncode not in allowed:
            sys.exit(f"{' '.join(map(str, arguments))} ended with {process.returncode}:\n{out}\n{err}")
        print(f"{time.perf_counter() - started:6.1f} s  {' '.join(map(str, arguments[:2]))}", file=sys.stderr)
        return out

    def kill_when(self, ready: Path, lines: int, *arguments: str | Path) -> None:
        """Start a command and kill it once a file has a number of lines."""
        process = self.start(*arguments)
        while process.poll() is None and (not ready.exists() or ready.read_bytes().count(b"\n") < lines):
            time.sleep(0.005)
        if process.poll() is not None:
            sys.exit(
                f"{' '.join(map(str, arguments))} ended before it could be killed: {process.communicate()}"
            )
        process.send_signal(signal.SIGKILL)
        process.communicate()


def annotate(commands: Commands, work: Path, kind: str) -> None:
    """Annotate all images, with every kind of output."""
    data = commands.data
    out = ("--out", work / kind, "--save", SAVED, "--report", "--threads", "2")
    commands.run("annotate", data / "images", "--points", data / f"points_{kind}.csv", *out)


def convert(commands: Commands, work: Path) -> None:
    """Convert the output to every format, and back to points."""
    images = ("--images", commands.data / "images")
    for name, place in [*FILES.items(), *((name, name) for name in FOLDERS)]:
        target = work / "converted" / place
        commands.run("convert", work / "centroid", target, "--to", name, *images)
        back = work / "back" / f"{name}.csv"
        back.parent.mkdir(exist_ok=True)
        read = ("--from", name) if name != "masks" else ()
        if name not in ("csv", "masks"):
            commands.run("convert", target, back, "--to", "csv", *read, *images, allowed=(0, 3))


def small(commands: Commands, work: Path) -> None:
    """Run the demo, a sequence, simulated points and check."""
    commands.run("demo", work / "demo")
    demo = (work / "demo" / "images", "--points", work / "demo" / "points.csv")
    commands.run("annotate", *demo, "--out", work / "tracked", "--track", "--theta", "paper")
    data = commands.data
    simulated = ("--points", data / "masks", "--simulate", "coarse", "--seed", "3", "--no-png")
    commands.run("annotate", data / "images", *simulated, "--out", work / "simulated", allowed=(0, 3))
    rest = ("--masks", data / "masks", "--points", data / "points_centroid.csv", "--lists", data / "splits")
    commands.run("check", data / "images", *rest, "--json", work / "check.json", allowed=(0, 1, 3))


def training_folder(commands: Commands, work: Path) -> Path:
    """Make a training folder from images of SIRST-v1."""
    folder = work / "training"
    names = [*sorted((commands.data / "images").glob("Misc_*"))[:TRAINED]]
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
        for name in names:
            shutil.copy(commands.data / kind / name.with_suffix(".png").name, folder / kind)
    lines = (commands.data / "points_centroid.csv").read_text().splitlines()
    stems = {name.stem for name in names}
    rows = [line for line in lines[1:] if line.split(",")[0].split(".")[0] in stems]
    (folder / "points.csv").write_text("\n".join([lines[0], *rows]) + "\n")
    return folder


def train_arguments(folder: Path, strategy: str, out: Path, labels: Path) -> tuple[str | Path, ...]:
    """Return the arguments for two epochs with the CPU preset, with every branch enabled."""
    chosen: tuple[str | Path, ...] = ("train", folder, "--strategy", strategy, "--preset", "cpu")
    chosen += ("--epochs", "2", "--out", out, "--set", "run.threads=1", "--set", "run.validate_every=1")
    if strategy == "masks":
        chosen += ("--masks", labels)
    return chosen


def train(commands: Commands, work: Path) -> None:
    """Train with each strategy, and predict."""
    folder = training_folder(commands, work)
    labels = work / "labels"
    points = ("--points", folder / "points.csv")
    commands.run("annotate", folder / "images", *points, "--out", labels)
    options = ("--soft", "--threshold", "0.02")  # two epochs give weak detections
    for strategy in STRATEGIES:
        run = work / "runs" / strategy
        commands.run(*train_arguments(folder, strategy, run, labels))
        commands.run("predict", run, folder / "images", "--out", work / "predicted" / strategy, *options)


def begin(commands: Commands, work: Path) -> None:
    """Start a job and runs, and kill them half way."""
    data, begun = commands.data, work / "begun"
    begun.mkdir()
    points = ("--points", data / "points_centroid.csv")
    out = begun / "annotated"
    options = ("--out", out, "--save", "soft,rle,coco", "--report")
    commands.kill_when(out / ".journal.jsonl", 300, "annotate", data / "images", *points, *options)
    for strategy in ("full", "d2d"):
        run = begun / strategy
        arguments = train_arguments(work / "training", strategy, run, work / "labels")
        commands.kill_when(run / "metrics.jsonl", 1, *arguments)


def resume(commands: Commands, begun: Path, work: Path) -> None:
    """Resume what `begin` of another install left, with the training data of that install."""
    shutil.copytree(begun, work / "resumed")
    data = commands.data
    points = ("--points", data / "points_centroid.csv", "--save", "soft,rle,coco", "--report")
    out = work / "resumed" / "annotated"
    commands.run("annotate", data / "images", *points, "--out", out)
    commands.run("annotate", data / "images", *points, "--out", work / "whole")
    for strategy in ("full", "d2d"):
        run = work / "resumed" / strategy
        arguments = train_arguments(begun.parent / "training", strategy, run, work / "labels")
        commands.run(*arguments, "--resume")


def files_of(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield name and digest of every file; for a link, of its name."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            yield name, f"link to {path.readlink().name}"
        elif path.is_file() and path.name not in UNEQUAL:
            if path.suffix in DRAWN and name.startswith(RUNS):
                continue
            yield name, hashlib.blake2b(_content(path), digest_size=16).hexdigest()


def _content(path: Path) -> bytes:
    """Return the content without times and paths of the run."""
    if path.name in TIMED:
        parts = path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]
        return json.dumps([_timeless(json.loads(part)) for part in parts], sort_keys=True).encode()
    if path.suffix == ".npz":
        import numpy as np

        with np.load(path) as arrays:
            return b"".join(key.encode() + arrays[key].tobytes() for key in sorted(arrays))
    if path.suffix == ".safetensors":
        return _tensors(path)
    if path.name == "report.html":
        return re.sub(rb'<code id="command">.*?</code>', b"", path.read_bytes())
    return path.read_bytes()


def _tensors(path: Path) -> bytes:
    """Return the content of safetensors without metadata, which hold times."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = {k: v for k, v in json.loads(data[8 : 8 + size]).items() if k != "__metadata__"}
    return json.dumps(header, sort_keys=True).encode() + data[8 + size :]


def _timeless(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in TIMES}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def differences(ours: dict[str, str], theirs: dict[str, str]) -> list[str]:
    """List the differences, one line each."""
    lines = [f"missing: {name}" for name in theirs if name not in ours and not name.startswith("resumed/")]
    lines += [f"differs: {name}" for name in theirs if name in ours and ours[name] != theirs[name]]
    return lines


def unlike_whole(ours: dict[str, str], whole: dict[str, str]) -> list[str]:
    """Compare resumed jobs with uninterrupted ones."""
    lines = []
    for begun, reference in (("annotated", "whole"), ("full", "runs/full"), ("d2d", "runs/d2d")):
        for name, digest in whole.items():
            if name.startswith(f"{reference}/"):
                resumed = f"resumed/{begun}/{name.removeprefix(reference + '/')}"
                if ours.get(resumed) != digest:
                    lines.append(f"resumed otherwise: {resumed}")
    return lines


def main() -> None:
    """Run everything, write the digests and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pointmask", type=Path, required=True, help="the program of the install")
    parser.add_argument("--work", type=Path, required=True, help="new folder")
    parser.add_argument("--out", type=Path, required=True, help="JSON of digests")
    parser.add_argument("--against", type=Path, help="JSON of another install")
    parser.add_argument("--begun", type=Path, help="folder begun/ of another install")
    parser.add_argument("--quick", action="store_true", help="the small parts alone")
    options = parser.parse_args()
    commands = Commands(options.pointmask, Path(os.environ["POINTMASK_SIRST3"]))
    options.work.mkdir(parents=True)
    small(commands, options.work)
    train(commands, options.work)
    if not options.quick:
        annotate(commands, options.work, "centroid")
        annotate(commands, options.work, "coarse")
        convert(commands, options.work)
    if options.begun:
        resume(commands, options.begun, options.work)
    digests = dict(files_of(options.work))
    begin(commands, options.work)
    options.out.write_text(json.dumps(digests, indent=0))
    whole = hashlib.blake2b(
        "\n".join(f"{k} {v}" for k, v in sorted(digests.items())).encode(), digest_size=16
    )
    print(f"{len(digests)} files, digest of all {whole.hexdigest()}")
    if options.against:
        earlier = json.loads(options.against.read_text())
        lines = differences(digests, earlier)
        if options.begun:
            lines += unlike_whole(digests, digests)
        print("\n".join(lines) or f"all {len(earlier)} files as before", flush=True)
        sys.exit(bool(lines))


if __name__ == "__main__":
    main()
