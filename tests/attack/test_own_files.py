"""Every command, with every path option, beside files of others: none is replaced, removed or changed."""

import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from tools.folders import save, spot

from pointmask.cli import main
from pointmask.io.formats.registry import saved_as
from pointmask.io.layout import RESULTS

IMAGES = 6
MODEL = "--preset none --set augment.crop=16 batch=2 run.threads=1 --model acm_unet --device cpu --epochs 1"

TAKEN = """
points.csv train.txt val.txt metrics.jsonl metrics.json curves.png sizes.png config.toml source.json
report.html manifest.jsonl masks.jsonl timings.jsonl theta.toml points.jsonl predictions.jsonl
.journal.jsonl .documents.json .replaced.jsonl strategy.jsonl bench.json bench.md bench.png
analysis.json index.html weights.png selection.json selection.csv random-0.txt fixes.jsonl thesis.txt
last/state.json last.old/x .last.old/state.json best/model.safetensors labels/0000.npz
analysis/index.html analysis/analysis.json events/mine result/manifest.jsonl result/masks/scene.png
im0.png im0.xml im0.json im0.txt Annotations/im0.xml labels/im0.txt images/im0.png
img_idx/train_taken.txt origin/img/im0.png .pointmask-files.txt
"""
"""Names that commands write, all held by a folder of somebody else's."""

PLACES = (
    "file",
    "images",
    "data",
    "foreign",
    "taken",
    "link-file",
    "link-images",
    "link-foreign",
    "dangling",
)
"""What an option may name: an input file, input folders, folders of others, and links to them."""

COMMANDS = {
    "annotate": "annotate {images} --points {points} --report --timings --out {place} "
    "--save mask,soft,instance,overlay,rle",
    "annotate documents": "annotate {images} --points {points} --save {saved} --out {place}",
    "annotate no png": "annotate {images} --points {points} --no-png --out {place}",
    "annotate track": "annotate {images} --points {points} --track --out {place}",
    "demo": "demo {place}",
    "propose": "propose {images} --out {place}",
    "propose masks": "propose {images} --out {other} --masks {place}",
    "merge": "merge {ours} --out {place}",
    "check json": "check {images} --points {points} --json {place}",
    "check fix": "check {images} --points {points} --masks {masks} --fix {place}",
    "calibrate": "calibrate {images} --masks {masks} --simulate centroid --out {place}",
    "score": "score {masks} --truth {truth} --out {place}",
    "bench": "bench {images} --masks {masks} --out {place}",
    **{
        f"convert {to}": f"convert {{points}} {{place}} --to {to} --images {{images}}"
        for to in ("csv", "point_images")
    },
    **{
        f"convert {to}": f"convert {{masks}} {{place}} --from masks --to {to} --images {{images}}"
        for to in ("coco", "labelme", "voc", "yolo", "masks", "basicirstd", "pal")
    },
    "train": "train {data} --strategy full --trust-labels --out {place} " + MODEL,
    "train resume": "train {data} --strategy full --trust-labels --resume --out {place} " + MODEL,
    "predict": "predict {run} {images} --out {place}",
    "evaluate": "evaluate {run} {data} --list all --out {place}",
    "evaluate maps": "evaluate {run} {data} --list all --out {other} --save-predictions {place}",
    "select": "select {run} --keep 2 --by random --out {place}",
    "analyse": "analyse {run} --out {place}",
    "export": "export {run} --onnx {place}",
}
OF_TRAINER = ("train", "predict", "evaluate", "select", "analyse", "export")
WITHOUT_OVERWRITE = ("merge", "check json", "train", "train resume")


def pointmask(words):
    result = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=True)
    assert result.exception is None or isinstance(result.exception, SystemExit), (words, result.output)
    return result


def words_of(command, base, place):
    names = {name: base / "data" / name for name in ("images", "masks")}
    saved = ",".join(saved_as())
    return [
        word.format(
            place=base / place, data=base / "data", points=base / "data/points.csv", run=base / "run",
            ours=base / "ours", truth=base / "data/truth", saved=saved, **names,
            other=base / f"other of {command}",
        )
        for word in COMMANDS[command].split()
    ]  # fmt: skip


def state(folder):
    """All that is there, links as links."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found[name] = path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes()
    return found


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A training folder that is not pointmask's, and folders and links beside it."""
    base = tmp_path_factory.mktemp("own")
    rows = ["image,x,y"]
    for k in range(IMAGES):
        image = spot(14 + k, 16, (32, 32))
        save(base / f"data/images/im{k}.png", image)
        for folder in ("masks", "truth"):
            save(base / f"data/{folder}/im{k}.png", np.where(image > 100, 255, 0).astype(np.uint8))
        rows.append(f"im{k}.png,16,{14 + k}")
    (base / "data/points.csv").write_text("\n".join(rows) + "\n")
    for folder in (*RESULTS.values(), ""):
        save(base / "foreign" / folder / "im0.png", spot(3, 3, (32, 32)))
    (base / "foreign/thesis.txt").write_text("precious")
    for name in TAKEN.split():
        path = base / "taken" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"mine, not yours: {name}, and no newline at the end")
    for name in saved_as().values():
        path = base / "taken" / name
        if path.suffix and not path.exists():
            path.write_text("mine")
        elif not path.suffix:
            (path / "images").mkdir(parents=True, exist_ok=True)
            (path / "images/im0.png").write_text("mine")
    for name, target in (
        ("link-file", "data/points.csv"), ("link-images", "data/images"), ("link-foreign", "foreign"),
        ("dangling", "nowhere"), ("file", "data/points.csv"), ("images", "data/images"),
    ):  # fmt: skip
        if name.startswith(("link", "dangling")):
            (base / name).symlink_to(target)
    assert pointmask(words_of("annotate", base, "ours")).exit_code == 0
    return base


@pytest.fixture(scope="module")
def run(data):
    """A training of one epoch, for the commands that read one."""
    pytest.importorskip("torch")
    done = pointmask(words_of("train", data, "run"))
    assert done.exit_code == 0, done.output
    return data / "run"


def place_of(name):
    return {"file": "data/points.csv", "images": "data/images"}.get(name, name)


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_of_others_is_changed(data, tmp_path, request, command):
    if command.partition(" ")[0] in OF_TRAINER:
        request.getfixturevalue("run")
    for place in PLACES:
        for overwrite in (False, True):
            if overwrite and command in WITHOUT_OVERWRITE:
                continue
            base = tmp_path / f"{place}-{overwrite}"
            shutil.copytree(data, base, symlinks=True)
            before = state(base)
            words = words_of(command, base, place_of(place))
            done = pointmask([*words, *(["--overwrite"] if overwrite else [])])
            after = state(base)
            changed = {name for name, was in before.items() if after.get(name, "gone") != was}
            assert not changed, (words, changed, done.output)
            if place in ("file", "link-file") or command == "check json":
                assert done.exit_code != 0, (words, done.output)
            shutil.rmtree(base)


@pytest.mark.parametrize("folder", [*RESULTS.values(), "labelme", "basicirstd"])
@pytest.mark.parametrize("target", ["images", "masks"])
def test_links_in_an_output_folder_lead_to_no_input(data, tmp_path, folder, target):
    base = tmp_path / "base"
    shutil.copytree(data, base, symlinks=True)
    (base / "out").mkdir()
    (base / "out" / folder).symlink_to(base / "data" / target)
    before = state(base)
    for overwrite in ([], ["--overwrite"]):
        for command in ("annotate", "annotate documents"):
            pointmask([*words_of(command, base, "out"), *overwrite])
            after = state(base)
            assert {name: after.get(name) for name in before} == before


def test_a_command_run_again_replaces_its_own(data, tmp_path, run):
    """Ours are known, also with a note of somebody's among them, which stays."""
    base = tmp_path / "base"
    shutil.copytree(data, base, symlinks=True)
    skipped = {
        "merge",
        "train",
        "train resume",
        "analyse",
        "calibrate",
        "export",
    }  # refused, or tested elsewhere
    for number, command in enumerate(name for name in COMMANDS if name not in skipped):
        place = f"out{number}"
        words = words_of(command, base, place)
        done = pointmask(words)
        assert done.exit_code in (0, 3), (words, done.output)
        if (base / place).is_dir():
            (base / place / "note.txt").write_text("mine")
        first = state(base / place) if (base / place).is_dir() else (base / place).read_bytes()
        overwrite = [] if command in WITHOUT_OVERWRITE else ["--overwrite"]
        again = pointmask([*words, *overwrite])
        assert again.exit_code in (0, 3), again.output
        second = state(base / place) if (base / place).is_dir() else (base / place).read_bytes()
        if command not in (
            "annotate",
            "bench",
            "score",
            "evaluate",
            "evaluate maps",
            "select",
            "propose",
        ):  # these hold times
            assert second == first, words
        if isinstance(second, dict):
            assert second["note.txt"] == b"mine"


def test_a_list_that_somebody_made_up_leads_nowhere(data, tmp_path):
    base = tmp_path / "base"
    shutil.copytree(data, base, symlinks=True)
    names = ["../data/points.csv", str(base / "data/points.csv"), "..", "masks/../../data/points.csv"]
    (base / "out").mkdir()
    (base / "out/.pointmask-files.jsonl").write_text("".join(json.dumps(name) + "\n" for name in names))
    before = state(base / "data")
    for command in ("annotate", "convert voc", "check fix"):
        pointmask([*words_of(command, base, "out"), "--overwrite"])
        assert state(base / "data") == before


def test_the_table_has_every_command_and_every_option_that_names_a_place_to_write():
    """A new command, or a new option that writes, must enter the table."""
    known = {word for command in COMMANDS.values() for word in command.split() if word.startswith("--")}
    writing = {"--out", "--json", "--fix", "--onnx", "--save-predictions"}
    assert writing <= known
    first = {command.split()[0] for command in COMMANDS.values()}
    # They write nothing, or through a session that has tests of its own.
    none = {"models", "agree", "click", "import-weights", "completion"}
    assert set(main.list_commands(None)) - first <= none
    for name in sorted(first):
        for parameter in main.get_command(None, name).params:
            said = (getattr(parameter, "help", None) or "").lower()
            if type(parameter.type).__name__ == "Path" and ("to write" in said or "write " in said):
                assert set(parameter.opts) & (writing | {"out"}), (name, parameter.opts)
