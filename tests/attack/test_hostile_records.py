"""Weights and records of earlier jobs that were written to do harm: refused with a sentence, never obeyed."""

import json
import struct
from contextlib import closing
from dataclasses import asdict

import pytest
from tools.click.opening import open_session
from tools.click.session import THETA, Arrays, crowd
from tools.folders import save as save_image

from pointmask.click.session.setup import Setup
from pointmask.errors import OutputError, PointmaskError
from pointmask.folder.job import annotate_folder
from pointmask.folder.records.manifest import dump, parse
from pointmask.io.clicks import is_ahead, last_theta
from pointmask.io.listed import OwnFiles
from pointmask.io.points.points import Point, Points
from pointmask.settings import parse_json

torch = pytest.importorskip("torch")

from safetensors.torch import load, save

from pointmask_trainer.errors import CheckpointError, DataError
from pointmask_trainer.inference.predictions import Predictions, PredictionSettings
from pointmask_trainer.published.files import read_weights as read_published
from pointmask_trainer.run.checkpoint import BUILTIN_WEIGHTS, load_model
from pointmask_trainer.run.source import read_source
from pointmask_trainer.run.state_file import read_tree

DEEP = "[" * 100_000
SETTINGS = PredictionSettings("w", 0.5, 64, 8, "")


@pytest.fixture(scope="module")
def builtin():
    """The header of the weights that come with the package, and the bytes of their tensors."""
    data = BUILTIN_WEIGHTS.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def packed(header, tensors, length=None):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + tensors


def with_tensor(**fields):
    """Change what the header says of the first tensor."""

    def change(header):
        name = next(name for name in header if name != "__metadata__")
        return {**header, name: {**header[name], **fields}}

    return change


def with_card(*path, value):
    """Change a value of the card."""

    def change(header):
        table = card = json.loads(header["__metadata__"]["pointmask"])
        for key in path[:-1]:
            table = table[key]
        if path:
            table[path[-1]] = value
        text = json.dumps(card) if path else value
        return {**header, "__metadata__": {"pointmask": text}}

    return change


@pytest.mark.parametrize("length", [0, 2**40, 2**63, 2**64 - 1])
def test_a_header_of_another_length(tmp_path, builtin, length):
    path = tmp_path / "w.safetensors"
    path.write_bytes(packed(*builtin, length=length))
    for read in (load_model, read_published):
        with pytest.raises(CheckpointError):
            read(path)


@pytest.mark.parametrize(
    "change",
    [
        with_tensor(data_offsets=[0, 2**63]),
        with_tensor(data_offsets=[-4, 0]),
        with_tensor(data_offsets=[8, 4]),
        with_tensor(shape=[2**62, 8]),
        with_tensor(dtype="X9"),
        with_card(value=DEEP),
        with_card(value="[]"),
        with_card("model", value=[]),
        with_card("model", "name", value="../../x"),
        with_card("model", "in_channels", value=10**9),
        with_card("model", "options", value={"width": 10**9}),
        with_card("normalisation", "mean", value="x"),
        with_card("normalisation", "std", value=0),
        with_card("normalisation", "std", value=float("nan")),
        with_card("normalisation", "per_image", value="no"),
        with_card("facts", value=3),
        with_card("masks", value="x"),
        with_card("masks", "theta", value=None),
        with_card("masks", "theta", "steps", value=[10**9]),
    ],
)
def test_weights_whose_header_lies(tmp_path, builtin, change):
    path = tmp_path / "w.safetensors"
    header, tensors = builtin
    path.write_bytes(packed(change(header), tensors))
    with pytest.raises(CheckpointError, match=r"w\.safetensors"):
        load_model(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_no_detector(tmp_path, builtin, value):
    weights = load(BUILTIN_WEIGHTS.read_bytes())
    next(iter(weights.values())).view(-1)[0] = value
    path = tmp_path / "w.safetensors"
    path.write_bytes(save(weights, builtin[0]["__metadata__"]))
    with pytest.raises(CheckpointError, match="not finite"):
        load_model(path)


def entry(**fields):
    made_with = asdict(SETTINGS)
    target = {"x": 1, "y": 2, "score": 0.5, "mean": 0.5, "area": 3}
    known = {"image": "a.png", "frame": 0, "frames": 1, "content": "c", "targets": [target]}
    return {**known, "made_with": made_with, **fields}


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    "fields",
    [
        {"image": "../../victim.png"},
        {"image": "/victim.png"},
        {"image": 5},
        {"image": ["a"]},
        {"frame": "a"},
        {"frame": -1},
        {"frame": None},
        {"frames": {}},
        {"targets": None},
        {"targets": [{"x": 1}]},
        {"made_with": []},
        {"files": "a"},
    ],
    ids=str,
)
def test_predictions_that_name_files_elsewhere_or_are_none(tmp_path, fields, overwrite):
    out, victim = tmp_path / "out", tmp_path / "victim.png"
    (out / "masks").mkdir(parents=True)
    victim.write_text("precious")
    path = out / "predictions.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in (entry(), entry(**fields))))
    if overwrite:  # a line that is not ours proves no file to be ours
        with closing(Predictions(out, SETTINGS, overwrite=True)) as predictions:
            predictions.publish()
    else:
        with pytest.raises(OutputError, match="not written by pointmask predict"):
            Predictions(out, SETTINGS, overwrite=False)
    assert victim.read_text() == "precious"


@pytest.fixture(scope="module")
def annotated(tmp_path_factory):
    """A finished job's manifest line."""
    images = tmp_path_factory.mktemp("data") / "images"
    save_image(images / "a.png", crowd())
    points = Points({"a.png": (Point(31, 30),)})
    annotate_folder(images, points, images.parent / "out")
    (line,) = (images.parent / "out/manifest.jsonl").read_bytes().splitlines()
    return images, points, json.loads(line)


@pytest.mark.parametrize(
    "fields",
    [
        {"image": "../a.png"},
        {"mask": "notes.txt"},
        {"mask": "masks/../notes.txt"},
        {"shape": None},
        {"shape": [64, "a"]},
        {"size_prior": []},
        {"files": "a"},
        {"files": 3},
        *({"targets": [{"confidence": wrong}]} for wrong in (float("nan"), 10**400, -1, "a")),
        {"targets": [{"flags": [{}]}]},
        {"targets": [{"flags": [7]}]},
        {"targets": [{"point": [1, "a"]}]},
    ],
    ids=lambda fields: str(fields)[:40],
)
def test_manifests_that_name_other_files_or_are_none(tmp_path, annotated, fields):
    images, points, whole = annotated
    assert parse(dump(whole)) == whole
    out, notes = tmp_path / "out", tmp_path / "out/notes.txt"
    out.mkdir()
    notes.write_text("precious")
    line = {**whole, **fields}
    if "targets" in fields:
        line["targets"] = [{**whole["targets"][0], **fields["targets"][0]}]
    assert parse(dump(line)) is None
    (out / "manifest.jsonl").write_bytes(dump(line))
    with pytest.raises(OutputError, match="was not written by pointmask"):
        annotate_folder(images, points, out)
    annotate_folder(images, points, out, overwrite=True)
    assert notes.read_text() == "precious"


def test_nesting_without_end_is_only_damage(tmp_path):
    with pytest.raises(ValueError, match="without end"):
        parse_json(DEEP)
    (tmp_path / ".pointmask-files.jsonl").write_text(f'{DEEP}\n"a.png"\n')
    assert OwnFiles(tmp_path).names() == {"a.png"}
    (tmp_path / "predictions.jsonl").write_text(f'{{"image": {DEEP}\n')
    with pytest.raises(OutputError, match="not written by pointmask predict"):
        Predictions(tmp_path, SETTINGS, overwrite=False)
    (tmp_path / "source.json").write_text(DEEP)
    with pytest.raises(DataError, match=r"source\.json"):
        read_source(tmp_path)
    (tmp_path / "tree.safetensors").write_bytes(save({}, {"tree": DEEP}))
    with pytest.raises(CheckpointError, match="damaged"):
        read_tree(tmp_path / "tree.safetensors")
    (tmp_path / "model.safetensors.index.json").write_text(DEEP)
    with pytest.raises(CheckpointError, match="damaged"):
        read_published(tmp_path)
    (tmp_path / "clicks.jsonl").write_text(f'{{"op": "open", "x": {DEEP}\n[]\n')
    assert not is_ahead(tmp_path)
    assert last_theta(tmp_path) is None


def test_a_click_journal_and_its_holder_written_to_do_harm(tmp_path):
    setup, source = Setup(out=tmp_path, annotator="mei", theta=THETA), Arrays({"a.png": crowd()})
    with open_session(setup, source):
        pass
    (whole,) = (tmp_path / "clicks.jsonl").read_text().splitlines()
    (tmp_path / ".clicks-holder.json").write_text(DEEP)
    for line in (
        f'{{"op": {DEEP}',
        "[]",
        "3",
        json.dumps({**json.loads(whole), "seq": 2, "op": 5}),
        json.dumps({**json.loads(whole), "seq": 2, "op": "add", "image": "../../x.png", "frame": 0}),
        json.dumps({**json.loads(whole), "seq": 2, "op": "add", "image": 5, "frame": "a"}),
    ):
        (tmp_path / "clicks.jsonl").write_text(f"{whole}\n{line}\n{whole}\n")
        with pytest.raises(PointmaskError, match=r"clicks\.jsonl"), open_session(setup, source):
            pass
