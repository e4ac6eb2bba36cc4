"""Another package adds a detector, a strategy, a baseline and a format; what is broken in it is named."""

import ast
import inspect
import json
import os
import re
import subprocess
import sys
import sysconfig
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from pointmask.bench.baselines.base import Baseline
from pointmask.bench.baselines.registry import BASELINES, WEIGHTS
from pointmask.io.formats import FORMATS
from pointmask.io.formats.base import Format

ROOT = Path(__file__).parents[1]
SOURCES = (ROOT / "annotator", ROOT / "trainer")
TOY = Path(__file__).parent / "tools" / "toy_package"
BROKEN = {
    "broken_net": "is no subclass of pointmask_trainer.detectors.base.Detector",
    "broken_strategy": "AttributeError",
    "broken_baseline": "does not define annotate",
    "broken_format": "ModuleNotFoundError",
}


@pytest.fixture(scope="module")
def pointmask(tmp_path_factory):
    """A fresh environment in which the toy package is installed, as a function that runs a command in it."""
    pytest.importorskip("torch")
    top = tmp_path_factory.mktemp("fresh")
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(top / "env")], check=True, capture_output=True
    )
    python = top / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([python, "-c", asked], check=True, capture_output=True, text=True).stdout.strip()
    # torch, pip and the rest are those of the environment that runs the tests: nothing is fetched.
    shared = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    lines = [*map(str, SOURCES), *sorted(shared)]
    (Path(site) / "shared.pth").write_text("\n".join(lines) + "\n")
    package = top / "toy_package"
    package.mkdir()
    for path in TOY.glob("*.*"):  # pip builds where the sources lie
        (package / path.name).write_bytes(path.read_bytes())
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet")
    install = [python, "-m", "pip", "install", "--disable-pip-version-check", *offline, str(package)]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    def run(*words, cwd=top):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "300", "PYTHONWARNINGS": ""}
        return subprocess.run(
            [python, "-m", "pointmask", *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            cwd=cwd,
            env=environment,
        )

    return run


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    from tools.trainer.training import make_folder

    return make_folder(tmp_path_factory.mktemp("data") / "scenes")


def named(done, *names):
    """Check that a command warned of each broken entry once, with the reason and the package."""
    for name in names:
        (line,) = [line for line in done.stderr.splitlines() if name in line]
        assert "toy-pointmask" in line
        assert BROKEN[name] in line
    return True


@pytest.mark.slow
class TestToyPackage:
    def test_help_names_what_it_adds_and_loads_none_of_it(self, pointmask):
        shown = {
            command: pointmask(command, "--help") for command in ("train", "bench", "convert", "annotate")
        }
        assert all(done.returncode == 0 for done in shown.values())
        words = {command: " ".join(done.stdout.split()) for command, done in shown.items()}
        assert re.search(r"--strategy .*masks, .*joint, .*broken_strategy, toy\.", words["train"])
        assert re.search(r"--model .*sctransnet, broken_net, toy_net\.", words["train"])
        assert "sam2_negatives, broken_baseline, toy." in words["bench"]
        assert "toy" in words["convert"]
        assert "toy" in words["annotate"]
        assert "Warning" not in shown["train"].stderr + shown["bench"].stderr

    def test_models(self, pointmask):
        done = pointmask("models", "--size", 16, "toy_net", "acm_unet")
        assert done.returncode == 0, done.stderr
        assert [line.split()[0] for line in done.stdout.splitlines()] == ["detector", "toy_net", "acm_unet"]
        every = pointmask("models", "--size", 16, "--json")
        assert every.returncode == 0, every.stderr
        names = [row["name"] for row in json.loads(every.stdout)]
        assert names[-4:] == ["toy_net", "contrast_points", "hrpe", "sshd"]  # those of points last
        assert named(every, "broken_net")
        assert "broken_net" not in every.stdout
        refused = pointmask("models", "broken_net")
        assert refused.returncode == 2
        assert BROKEN["broken_net"] in refused.stderr

    def test_train_select_analyse_and_predict(self, pointmask, data, tmp_path):
        words = ("--strategy", "toy", "--model", "toy_net", "--epochs", 1, "--device", "cpu", "--out", "run")
        settings = ("batch=4", "augment.crop=32", "strategy.options.side=5", "model.options.width=3")
        flags = [word for setting in settings for word in ("--set", setting)]
        done = pointmask("train", data, *words, *flags, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert named(done, "broken_strategy", "broken_net")
        assert "epoch    1" in done.stderr
        selected = pointmask("select", "run", "--keep", 0.5, cwd=tmp_path)
        assert selected.returncode == 0, selected.stderr
        assert "pointmask train" in selected.stdout
        analysed = pointmask("analyse", "run", cwd=tmp_path)
        assert analysed.returncode == 0, analysed.stderr
        assert "history.png" in analysed.stdout
        predicted = pointmask("predict", "run", data / "images", "--out", "found", cwd=tmp_path)
        assert predicted.returncode == 0, predicted.stderr
        words = ("train", data, "--out", "other", "--strategy")
        wrong = pointmask(*words, "toy", "--set", "strategy.options.sides=5", cwd=tmp_path)
        assert wrong.returncode == 2
        assert "did you mean strategy.options.side?" in wrong.stderr
        refused = pointmask(*words, "broken_strategy", cwd=tmp_path)
        assert refused.returncode == 2
        assert BROKEN["broken_strategy"] in refused.stderr.splitlines()[-1]

    def test_bench(self, pointmask, data, tmp_path):
        words = ("bench", data / "images", "--masks", data / "masks", "--out", "result")
        done = pointmask(*words, "--methods", "ours,toy", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert named(done, "broken_baseline")
        assert "Toy method: knows nothing but the click." in done.stdout
        rows = json.loads((tmp_path / "result" / "bench.json").read_text())["methods"]
        assert {name: row["label"] for name, row in rows.items()} == {
            "ours": "pointmask",
            "toy": "Toy method",
        }
        refused = pointmask(*words, "--methods", "ours,broken_baseline", "--overwrite", cwd=tmp_path)
        assert refused.returncode == 2
        assert BROKEN["broken_baseline"] in refused.stderr.splitlines()[-1]

    def test_formats(self, pointmask, data, tmp_path):
        words = ("convert", data / "points.csv", "points.toy", "--to", "toy", "--images", data / "images")
        made = pointmask(*words, cwd=tmp_path)
        assert made.returncode == 0, made.stderr
        assert (tmp_path / "points.toy").read_text().startswith("toy points\nscene_000.png ")
        saved = pointmask(
            *("annotate", data / "images", "--points", "points.toy", "--out", "out", "--save", "toy"),
            cwd=tmp_path,
        )
        assert saved.returncode == 0, saved.stderr
        assert named(saved, "broken_format")
        back = (tmp_path / "out" / "points.toy").read_text().splitlines()
        given = (tmp_path / "points.toy").read_text().splitlines()
        assert sorted(back) == sorted(given)


@pytest.mark.parametrize(
    ("command", "forbidden", "named"),
    [("train", {"torch"}, ("d2d", "alclnet")), ("bench", {"numpy", "numba"}, ("ours", "threshold"))],
)
def test_help_names_entries_without_loading_them(command, forbidden, named):
    code = (
        "import sys\nfrom pointmask.cli import main\n"
        f"try: main(['{command}', '--help'])\n"
        f"finally: assert not {forbidden!r} & set(sys.modules), sys.modules.keys()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in named)


_FORMATS = "pointmask.io.formats"
KNOWN = {
    f"{_FORMATS}.tables.native": {
        "pointmask.click.annotators.compare",
        "pointmask.click.base.manifest",
        "pointmask.folder.documents",
        f"{_FORMATS}.convert",
    },
    f"{_FORMATS}.folders.basicirstd": {f"{_FORMATS}.find"},
    f"{_FORMATS}.tables.csv": {
        "pointmask.cli.demo",
        "pointmask.click.publish.folder",
        "pointmask.doctor.fix",
    },
    f"{_FORMATS}.folders.masks": {"pointmask.bench.cases", f"{_FORMATS}.find"},
}


def registries():
    """Every registry with its contract; those of the trainer where torch is installed."""
    yield BASELINES, Baseline
    yield FORMATS, Format
    try:
        from pointmask_trainer.detectors.base import Detector
        from pointmask_trainer.detectors.locators.base import Locator
        from pointmask_trainer.detectors.registry import DETECTORS, LOCATORS
        from pointmask_trainer.strategies.base import Strategy
        from pointmask_trainer.strategies.registry import STRATEGIES
    except ModuleNotFoundError:
        return
    yield DETECTORS, Detector
    yield LOCATORS, Locator
    yield STRATEGIES, Strategy


BUILT_ON = {"pointmask.detectors": "pointmask.locators"}
"""Groups whose entries those of another group may build on."""

LINES = [
    pytest.param(registry, name, contract, id=f"{registry.group}:{name}")
    for registry, contract in registries()
    for name in registry.ours
]


@pytest.mark.parametrize(("registry", "name", "contract"), LINES)
def test_an_entry_is_one_class_in_its_own_module_that_nothing_else_names(registry, name, contract):
    """One file and one line add an entry: no other module of the packages imports its module.

    An entry may build on another, as networks do, and locators on detectors. `KNOWN` are formats that are
    more than a format.
    """
    if name in WEIGHTS:
        pytest.importorskip("torch")
    module, _, attribute = registry.where(name).partition(":")
    kind = getattr(import_module(module), attribute)
    assert inspect.isclass(kind)
    assert issubclass(kind, contract)
    assert kind.__module__ == module
    groups = {registry.group, BUILT_ON.get(registry.group)}
    builders = [every for every, _ in registries() if every.group in groups]
    entries = {every.where(other).partition(":")[0] for every in builders for other in every.ours}
    named_by = {own for own, names in imports().items() if module in names and own not in entries}
    assert named_by == KNOWN.get(module, set())


@cache
def imports():
    """Modules that each module of the packages imports."""
    return {
        ".".join(path.relative_to(top).with_suffix("").parts): set(imported(path))
        for top in SOURCES
        for path in top.rglob("*.py")
    }


def imported(path):
    """Modules that a file imports, wherever the import stands."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
