"""The training state on disk: it comes back as it was, and nothing else is taken for it."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from safetensors.torch import save_file

from pointmask_trainer.config import ModelConfig
from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.detectors.registry import build
from pointmask_trainer.errors import CheckpointError
from pointmask_trainer.run.checkpoint import ModelCard, TrainingState, load_last, save_last
from pointmask_trainer.run.progress import Progress, read_progress
from pointmask_trainer.run.state_file import check_stamp, read_tree, restore, stamp_of, write_tree

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
TREES = st.recursive(
    PLAIN,
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.lists(parts, max_size=3).map(tuple)
        | st.dictionaries(st.integers() | st.text(max_size=5), parts, max_size=3)
    ),
    max_leaves=8,
)


@given(TREES)
@settings(max_examples=50, deadline=None)
def test_plain_trees_come_back(tmp_path_factory, tree):
    path = tmp_path_factory.mktemp("state") / "tree.safetensors"
    write_tree(path, tree)
    found = read_tree(path)
    assert found == tree
    assert repr(found) == repr(tree)  # 1 and True, lists and tuples


def test_a_state_of_an_optimiser_comes_back(tmp_path):
    model = torch.nn.Linear(3, 2)
    optimiser = torch.optim.AdamW(model.parameters(), betas=(0.8, 0.9))
    model(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    shared = torch.arange(6.0)
    tree = {"optimiser": optimiser.state_dict(), "views": [shared[:3], shared, shared[::2]], "none": None}
    write_tree(tmp_path / "x.safetensors", tree)
    found = read_tree(tmp_path / "x.safetensors")
    assert found["optimiser"]["param_groups"] == tree["optimiser"]["param_groups"]
    for key, state in tree["optimiser"]["state"].items():
        for name, value in state.items():
            again = found["optimiser"]["state"][key][name]
            assert again.dtype == value.dtype
            assert torch.equal(again, value)
    assert all(map(torch.equal, found["views"], tree["views"]))
    optimiser.load_state_dict(found["optimiser"])


def test_other_values_are_not_written(tmp_path):
    with pytest.raises(TypeError, match="not set"):
        write_tree(tmp_path / "x.safetensors", {"a": {1, 2}})


def test_other_files_are_no_training_state(tmp_path):
    path = tmp_path / "x.safetensors"
    with pytest.raises(CheckpointError, match=r"x\.safetensors is damaged.*--out"):
        read_tree(path)
    save_file({"weight": torch.ones(2)}, path)
    with pytest.raises(CheckpointError, match="no training state"):
        read_tree(path)


@pytest.fixture
def saved(tmp_path):
    model = build("mlclnet_small")
    card = ModelCard(ModelConfig(name="mlclnet_small"), Normalisation(1.0, 1.0), {})
    save_last(tmp_path, model, card, TrainingState({"x": torch.arange(50.0)}, Progress(epoch=3)))
    return tmp_path, model


def test_a_checkpoint_comes_back_without_its_stamps(saved):
    run, model = saved
    found = load_last(run, model)
    assert found.progress == Progress(epoch=3)
    assert torch.equal(found.optimiser["x"], torch.arange(50.0))


@pytest.mark.parametrize("name", ["model.safetensors", "optimiser.safetensors"])
def test_one_changed_bit_is_found(saved, name):
    run, model = saved
    path = run / "last" / name
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"{name} is damaged: its SHA-256.*--out"):
        load_last(run, model)
    path.write_bytes(content[:-3])
    with pytest.raises(CheckpointError, match=rf"{name} is damaged: it has .* bytes"):
        load_last(run, model)
    path.unlink()
    with pytest.raises(CheckpointError, match=rf"{name} cannot be read"):
        load_last(run, model)


def test_a_state_that_names_other_files_is_refused(saved):
    run, model = saved
    path = run / "last" / "state.json"
    state = json.loads(path.read_text())
    state["files"]["../../secret"] = {"bytes": 1, "sha256": ""}
    path.write_text(json.dumps(state))
    with pytest.raises(CheckpointError, match=r"state\.json is damaged"):
        load_last(run, model)


@pytest.mark.parametrize(
    "values",
    [{"epoch": wrong} for wrong in (-1, 10**30, "a", 1.5, True, None)]
    + [
        {"labels": "../../x"},
        {"labels": -1},
        {"best": []},
        {"best": {"epoch": "1"}},
        {"best": {"epoch": 1, "val_labels": {"iou": "\x1b[31m"}}},
        {"top": "x"},
        {"top": float("nan")},
        {"stale": -5},
        {"files": []},
        {"files": {"model.safetensors": 5}},
        {"of another version": 1},
    ],
    ids=str,
)
def test_values_that_no_training_writes_are_damage(saved, values):
    run, model = saved
    path = run / "last" / "state.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    with pytest.raises(CheckpointError, match=r"state\.json is damaged.*--out"):
        load_last(run, model)


@pytest.mark.parametrize("text", ["", "[1]", '[["epoch", 2]]', "null", "{}", "[" * 100_000, '{"epoch": 1'])
def test_a_state_that_is_none_is_damage(tmp_path, text):
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"state\.json is damaged"):
        read_progress(tmp_path / "state.json")


def test_a_run_of_an_earlier_version_goes_on_where_torch_is_safe(saved, monkeypatch):
    run, model = saved
    last = run / "last"
    torch.save({"x": torch.arange(4.0)}, last / "optimiser.pt")
    (last / "optimiser.safetensors").unlink()
    (last / "state.json").write_text('{"epoch": 7}')
    found = load_last(run, model)
    assert found.progress == Progress(epoch=7)
    assert torch.equal(found.optimiser["x"], torch.arange(4.0))
    monkeypatch.setattr(torch, "__version__", "2.9.1")
    with pytest.raises(CheckpointError, match=r"optimiser\.pt.*torch 2\.9\.1 does not read safely.*2\.10"):
        load_last(run, model)


def test_a_stamp_knows_its_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    stamp = stamp_of(path)
    assert stamp["sha256"].startswith("ba7816bf8f01cfea")
    check_stamp(path, stamp)


def adam():
    """An optimiser of two weights that has done a step."""
    weights = torch.nn.Parameter(torch.ones(2, 3)), torch.nn.Parameter(torch.ones(5))
    made = torch.optim.Adam(weights)
    sum(weight.sum() for weight in weights).backward()
    made.step()
    return made


def changed(change):
    """What its state would be, made when it is needed; `change` takes the states of the two weights."""

    def tree():
        state = adam().state_dict()
        change(state["state"])
        return {"optimiser": state}

    return tree


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({}, "KeyError"),
        ([1], "TypeError"),
        (5, "TypeError"),
        ({"optimiser": None}, "AttributeError"),
        ({"optimiser": {"state": {}, "param_groups": []}}, "different number of parameter groups"),
        (changed(lambda state: state[0].update(exp_avg=torch.ones(3, 2))), r"exp_avg of shape \(3, 2\)"),
        (changed(lambda state: state[1].update(exp_avg_sq=torch.full((5,), torch.nan))), "not finite"),
    ],
)
def test_a_state_of_another_training_is_refused(tree, said):
    tree = tree() if callable(tree) else tree
    with pytest.raises(CheckpointError, match=rf"last holds no state of such a training.*{said}.*--out"):
        restore(tree, {"optimiser": adam()}, Path("last"))


def test_a_state_comes_back():
    ours, theirs = adam(), adam()
    theirs.step()
    restore({"optimiser": theirs.state_dict()}, {"optimiser": ours}, Path("last"))
    assert [state["step"].item() for state in ours.state.values()] == [2, 2]
