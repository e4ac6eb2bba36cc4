"""A strategy sees the protocol `Training` and nothing else of a training."""

import ast
import inspect
from pathlib import Path

import pytest

pytest.importorskip("torch")

from tools.trainer.d2d import make_loop

import pointmask_trainer
from pointmask_trainer.strategies.training import Training
from pointmask_trainer.training.loop import Loop

ROOT = Path(pointmask_trainer.__file__).parent
STRATEGIES = sorted((ROOT / "strategies").rglob("*.py"))
MEMBERS = {name for name in vars(Training) if not name.startswith("_")}


def imports_of(path):
    """Every module that a file names in an import, wherever it stands, `if TYPE_CHECKING` included."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield node.module or ""


def test_the_loop_has_all_members_with_the_same_signatures():
    loop = make_loop()
    for name in MEMBERS:
        assert hasattr(loop, name), name
        declared = inspect.getattr_static(Training, name)
        if not isinstance(declared, property):
            assert inspect.signature(getattr(Loop, name)) == inspect.signature(declared), name


def test_strategies_use_every_member_and_no_other():
    used = set()
    for path in STRATEGIES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "training"
            ):
                used.add(node.attr)
    assert used == MEMBERS


@pytest.mark.parametrize("path", STRATEGIES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_strategy_imports_the_training(path):
    above = ("pointmask_trainer.training", "pointmask_trainer.selection", "pointmask_trainer.analysis")
    assert not [name for name in imports_of(path) if name.startswith(above)]
