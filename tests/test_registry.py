"""Names of ours and of other packages: found lazily, told apart, and harmless when broken."""

import sys
from abc import ABC, abstractmethod
from importlib.metadata import Distribution, EntryPoint

import pytest

from pointmask import registry as module
from pointmask.errors import PluginError, ThetaError
from pointmask.registry import Registry, contract_class


class OtherPackage(Distribution):
    """An installed package, as far as its entry points can tell."""

    def __init__(self, name):
        self._name = name

    @property
    def metadata(self):
        return {"Name": self._name}

    def read_text(self, filename):
        return None

    def locate_file(self, path):
        raise NotImplementedError


def entry(name, value, package="other"):
    return EntryPoint(name, value, "pointmask.things")._for(OtherPackage(package))


def check(name, found):
    if not isinstance(found, int):
        raise PluginError(f"{name} must be a number, not {type(found).__name__}")
    return found


@pytest.fixture
def make(monkeypatch, tmp_path):
    (tmp_path / "plugin_things.py").write_text("three = 3\ntext = 'no number'\nclass Box:\n    four = 4\n")
    (tmp_path / "plugin_leaves.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "plugin_broken.py").write_text("raise RuntimeError('no camera')\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(*entries):
        monkeypatch.setattr(
            module, "entry_points", lambda group: entries if group == "pointmask.things" else ()
        )
        table = {"float_digits": "sys:float_info.dig", "maxsize": "sys:maxsize"}
        return Registry("thing", "pointmask.things", table, check, ThetaError)

    yield make
    for name in ("plugin_things", "plugin_broken"):
        sys.modules.pop(name, None)


def test_ours_come_first_and_in_their_order(make):
    things = make(entry("b", "plugin_things:three"), entry("a", "plugin_things:Box.four"))
    assert list(things) == ["float_digits", "maxsize", "a", "b"]
    assert things.ours == ("float_digits", "maxsize")
    assert [things.load(name) for name in things] == [sys.float_info.dig, sys.maxsize, 4, 3]
    assert things.package_of("a") == "other"
    assert things.package_of("maxsize") == ""
    assert not things.broken


def test_nothing_is_imported_before_it_is_asked_for(make):
    things = make(entry("a", "plugin_things:three"))
    assert "a" in things
    assert len(things) == 3
    assert "plugin_things" not in sys.modules
    things.load("a")
    assert "plugin_things" in sys.modules


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("plugin_gone:x", "ModuleNotFoundError"),
        ("plugin_broken:x", "RuntimeError: no camera"),
        ("plugin_things:missing", "AttributeError"),
        ("plugin_things:text", "must be a number, not str"),
        ("plugin_things", "must read module:attribute"),
        ("plugin-things:three", "must read module:attribute"),
        ("plugin things:three", "must read module:attribute"),
        ("plugin_leaves:x", "SystemExit: 3"),
    ],
)
def test_a_broken_entry_is_named_with_its_error_and_the_rest_works(make, value, said):
    things = make(entry("bad", value, "vendor-x"), entry("good", "plugin_things:three"))
    assert list(things.broken) == ["bad"]
    assert said in things.broken["bad"]
    assert "vendor-x" in things.broken["bad"]
    assert things.usable() == {"float_digits": sys.float_info.dig, "maxsize": sys.maxsize, "good": 3}
    with pytest.raises((PluginError, ThetaError), match="vendor-x"):
        things.load("bad")


def test_a_name_of_ours_cannot_be_taken(make):
    things = make(entry("maxsize", "plugin_things:three"))
    assert things.load("maxsize") == sys.maxsize
    assert "has the name of one of ours" in things.broken["maxsize of other"]


def test_two_packages_with_one_name_are_both_told(make):
    things = make(entry("a", "plugin_things:three", "one"), entry("a", "plugin_things:Box.four", "two"))
    assert things.load("a") == 3
    assert "package two has the name of one of one" in things.broken["a of two"]


def test_an_unknown_name_is_told_with_its_neighbour(make):
    with pytest.raises(ThetaError, match="no thing is called 'maxsiz'; did you mean 'maxsize'"):
        make().load("maxsiz")


def test_an_entry_says_where_it_lives_without_being_loaded(make):
    things = make(entry("a", "plugin_things:Box.four"), entry("bad", "plugin_gone:x"))
    assert [things.where(name) for name in things][1:] == [
        "sys:maxsize",
        "plugin_things:Box.four",
        "plugin_gone:x",
    ]
    assert "plugin_things" not in sys.modules


class Contract(ABC):
    @abstractmethod
    def work(self): ...

    @abstractmethod
    def rest(self): ...


class Whole(Contract):
    def work(self):
        return 1

    def rest(self):
        return 2


class Half(Contract):
    def work(self):
        return 1


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Half, "Half does not define rest; .*Contract says"),
        (Contract, "does not define rest, work"),
        (int, "'int'> is no subclass of .*Contract"),
        (Whole(), "is no subclass of .*Contract; derive it"),
        (None, "None is no subclass"),
    ],
)
def test_a_class_must_implement_its_contract(found, said):
    with pytest.raises(PluginError, match=said):
        contract_class(found, Contract)
    assert contract_class(Whole, Contract) is Whole
