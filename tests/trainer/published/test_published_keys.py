import pytest

torch = pytest.importorskip("torch")

from pointmask_trainer.errors import CheckpointError
from pointmask_trainer.published.files import PublishedWeights
from pointmask_trainer.published.keys import fitted, renamed, shapes_of, stripped


def weights(**tensors):
    return PublishedWeights("w.pth", {name.replace("__", "."): value for name, value in tensors.items()}, "0")


def test_prefixes_that_all_share_are_removed():
    assert stripped({"module.model.a": 1, "module.model.b": 2}) == {"a": 1, "b": 2}
    assert stripped({"module.a": 1, "b": 2}) == {"module.a": 1, "b": 2}
    assert stripped({}) == {}


def test_rules_apply_in_order_and_ignored_names_go():
    found = renamed(
        weights(module__a__x=torch.ones(1), module__drop__y=torch.ones(1)),
        [(r"^a\.", "b."), (r"^b\.(\w)$", r"c.\1\1")],
        [r"drop\."],
    )
    assert list(found) == ["c.xx"]


def test_two_tensors_of_one_name_are_an_error():
    with pytest.raises(CheckpointError, match=r"'a1' and 'a2', which differ and are both 'a'"):
        renamed(weights(a1=torch.ones(1), a2=torch.zeros(1)), [(r"\d", "")])
    assert list(renamed(weights(a1=torch.ones(1), a2=torch.ones(1)), [(r"\d", "")])) == ["a"]


def test_a_network_takes_what_fits_it():
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    own = {f"model.{name}": value.to(torch.float64) for name, value in net.state_dict().items()}
    own["model.1.num_batches_tracked"] = torch.tensor(5)
    found = fitted(PublishedWeights("w", own, ""), shapes_of(net))
    net.load_state_dict(found)
    assert found["0.weight"].dtype == torch.float32
    assert net[1].num_batches_tracked == 5


@pytest.mark.parametrize(
    ("tensors", "says"),
    [
        ({"a": torch.ones(2)}, "b is missing; "),
        ({"a": torch.ones(2), "b": torch.ones(2, 1)}, r"b is \[2, 1\], not \[2\]"),
        ({"a": torch.ones(2), "b": torch.ones(2), "c": torch.ones(2)}, "c is unknown"),
        ({name: torch.ones(1) for name in "vwxyz"}, r"a is missing; b is missing; v is unknown and 4 more"),
        ({"a": torch.ones(2), "b": torch.tensor([1, torch.inf])}, "infinite values in b"),
        ({"a": torch.ones(2), "b": torch.tensor([torch.nan, 1])}, "NaN or infinite values in b"),
    ],
)
def test_what_does_not_fit_is_named(tensors, says):
    with pytest.raises(CheckpointError, match=rf"w\.pth holds .*{says}"):
        fitted(weights(**tensors), {"a": (2,), "b": (2,)})
