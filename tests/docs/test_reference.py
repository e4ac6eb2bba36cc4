"""What the site describes is what there is: public names, strategies, commands, and docstrings' examples."""

import doctest
import importlib
import re

import pytest
from tools.docs.blocks import DOCS, ROOT

from pointmask_trainer.strategies.registry import STRATEGIES

PACKAGES = {"pointmask": ROOT / "annotator", "pointmask_trainer": ROOT / "trainer"}


def with_examples():
    """Modules whose docstrings have examples."""
    for top in PACKAGES.values():
        for path in sorted(top.rglob("*.py")):
            if re.search(r">>> (?!.*doctest: \+SKIP)", path.read_text(encoding="utf-8")):
                yield ".".join(path.relative_to(top).with_suffix("").parts)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_has_its_place_in_the_reference(package):
    pages = "\n".join(path.read_text(encoding="utf-8") for path in (DOCS / "reference").glob("*.md"))
    described = re.findall(rf"^::: {package}\.(\w+)$", pages, re.MULTILINE)
    assert sorted(described) == sorted(importlib.import_module(package).__all__), (
        f"write `::: {package}.NAME` on a page of docs/reference for each name of {package}.__all__, once"
    )


def test_every_strategy_has_its_page():
    pages = {path.stem for path in (DOCS / "strategies").glob("*.md")} - {"index"}
    assert pages == set(STRATEGIES.ours), "docs/strategies has one page for each strategy, NAME.md"
    table = (DOCS / "strategies" / "index.md").read_text(encoding="utf-8")
    for name in STRATEGIES.ours:
        assert f"| [`{name}`]({name}.md) |" in table, f"the table of docs/strategies/index.md lacks {name}"


def test_the_settings_have_their_places():
    text = (DOCS / "reference" / "settings.md").read_text(encoding="utf-8")
    config = (PACKAGES["pointmask_trainer"] / "pointmask_trainer" / "config.py").read_text(encoding="utf-8")
    sections = set(re.findall(r"^class (\w+Config):", config, re.MULTILINE))
    assert set(re.findall(r"^::: pointmask_trainer\.config\.(\w+)$", text, re.MULTILINE)) == sections


@pytest.mark.parametrize("module", list(with_examples()))
def test_examples_of_docstrings_are_true(module):
    if module.startswith("pointmask_trainer"):
        pytest.importorskip("torch")
    failed, tried = doctest.testmod(importlib.import_module(module))
    assert tried
    assert not failed
