import hashlib
import json
import os
import pickle

import pytest

torch = pytest.importorskip("torch")
from safetensors.torch import save_file

from pointmask_trainer.errors import CheckpointError
from pointmask_trainer.published import files
from pointmask_trainer.published.files import read_weights

WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.steps": torch.tensor(7)}


def save_archive(folder, content, name="w.pth", **options):
    torch.save(content, folder / name, **options)
    return folder / name


def same(read, wanted=WEIGHTS):
    return read.keys() == wanted.keys() and all(torch.equal(read[k], wanted[k]) for k in wanted)


@pytest.mark.parametrize("name", ["w.pth", "w.pt", "w.bin", "w.ckpt", "w.pth.tar"])
@pytest.mark.parametrize("zipped", [True, False])
def test_archives_of_both_formats_are_read(tmp_path, name, zipped):
    path = save_archive(tmp_path, WEIGHTS, name, _use_new_zipfile_serialization=zipped)
    weights = read_weights(path)
    assert same(weights.tensors)
    assert weights.digest == hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    assert weights.name == str(path)


@pytest.mark.parametrize("wrapper", files.WRAPPERS)
def test_one_wrapper_is_opened(tmp_path, wrapper):
    path = save_archive(tmp_path, {"epoch": 3, "losses": [1.0, 2.0], wrapper: WEIGHTS})
    assert same(read_weights(path).tensors)


def test_safetensors_are_read_from_file_folder_and_shards(tmp_path):
    save_file(WEIGHTS, tmp_path / "model.safetensors")
    assert same(read_weights(tmp_path / "model.safetensors").tensors)
    assert same(read_weights(tmp_path).tensors)
    sharded = tmp_path / "sharded"
    sharded.mkdir()
    places = {}
    for k, (name, value) in enumerate(WEIGHTS.items()):
        places[name] = f"part-{k}.safetensors"
        save_file({name: value}, sharded / places[name])
    (sharded / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    assert same(read_weights(sharded).tensors)


class Touch:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_an_archive_does_not_run(tmp_path, zipped):
    path = save_archive(
        tmp_path,
        {"w": WEIGHTS["a.weight"], "x": Touch(tmp_path / "ran")},
        _use_new_zipfile_serialization=zipped,
    )
    with pytest.raises(CheckpointError, match=rf"{os.mkdir.__module__}\.mkdir.*save_file"):
        read_weights(path)
    path.write_bytes(pickle.dumps(Touch(tmp_path / "ran")))
    with pytest.raises(CheckpointError, match=r"w\.pth"):
        read_weights(path)
    assert not (tmp_path / "ran").exists()


def test_a_whole_network_is_refused_by_the_name_of_its_class(tmp_path):
    with pytest.raises(CheckpointError, match=r"torch\.nn\.modules\.linear\.Linear"):
        read_weights(save_archive(tmp_path, torch.nn.Linear(2, 2)))


@pytest.mark.parametrize("share", [0, 0.02, 0.5, 0.99])
@pytest.mark.parametrize("kind", ["safetensors", "pth"])
def test_truncated_files_are_named(tmp_path, share, kind):
    path = tmp_path / f"w.{kind}"
    save_file(WEIGHTS, path) if kind == "safetensors" else torch.save(WEIGHTS, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(CheckpointError, match=rf"w\.{kind} is no whole .*fetch it anew"):
        read_weights(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([WEIGHTS["a.weight"]], "holds .*list.*save the state dict alone"),
        ({"epoch": 3}, "'epoch'.*state_dict"),
        ({"outer": {"model": WEIGHTS}}, "'outer'"),
        ({}, "no tensors"),
    ],
)
def test_content_without_named_tensors_is_refused(tmp_path, content, says):
    with pytest.raises(CheckpointError, match=says):
        read_weights(save_archive(tmp_path, content))


@pytest.mark.parametrize("name", ["net.onnx", "net.pkl", "net.npz", "net.txt", "net"])
def test_other_formats_are_refused_unread(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(CheckpointError, match=rf"{name} .*\.safetensors file"):
        read_weights(tmp_path / name)


def test_addresses_folders_and_missing_files_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match="nothing is fetched"):
        read_weights("https://example.org/w.pth")
    with pytest.raises(CheckpointError, match=r"without model\.safetensors"):
        read_weights(tmp_path)
    with pytest.raises(CheckpointError, match=r"No such file.*give a"):
        read_weights(tmp_path / "w.pth")
    (tmp_path / "w.pth").mkdir()
    with pytest.raises(CheckpointError, match=r"w\.pth is a folder"):
        read_weights(tmp_path / "w.pth")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match="it is a pipe"):
        read_weights(tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("index", "says"),
    [
        ('{"weight_map": {"a": "../w.safetensors"}}', "same folder"),
        ('{"weight_map": {"a": "/etc/passwd"}}', "same folder"),
        ('{"weight_map": {"a": 3}}', "damaged"),
        ('{"weight_map": ', "damaged"),
        ("[]", "damaged"),
        ('{"weight_map": {"a": "absent.safetensors"}}', "absent"),
    ],
)
def test_an_index_leads_nowhere_else(tmp_path, index, says):
    folder = tmp_path / "hub"
    folder.mkdir()
    save_file(WEIGHTS, tmp_path / "w.safetensors")
    (folder / "model.safetensors.index.json").write_text(index)
    with pytest.raises(CheckpointError, match=says):
        read_weights(folder)


@pytest.mark.parametrize(
    ("version", "is_safe"), [("2.9.1+cu128", False), ("2.10.0", True), ("3.0.0a1", True)]
)
def test_archives_need_a_torch_that_reads_them_safely(tmp_path, monkeypatch, version, is_safe):
    path = save_archive(tmp_path, WEIGHTS)
    monkeypatch.setattr(files.torch, "__version__", version)
    if is_safe:
        assert same(read_weights(path).tensors)
    else:
        with pytest.raises(CheckpointError, match=r"convert it to safetensors, or use torch 2\.10"):
            read_weights(path)
    save_file(WEIGHTS, tmp_path / "w.safetensors")
    assert same(read_weights(tmp_path / "w.safetensors").tensors)
