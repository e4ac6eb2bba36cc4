"""What is released: the same version everywhere, and every Python that the classifiers name."""

import re
import sys

import pytest
from tools.docs.blocks import ROOT

import pointmask

tomllib = pytest.importorskip("tomllib")  # from Python 3.11 on
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_citation_names_this_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {pointmask.__version__}\n" in citation
    released = re.search(r"^date-released: (\S+)$", citation, re.MULTILINE)[1]
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## {pointmask.__version__} - {released}\n" in changes, "CITATION.cff and CHANGELOG.md differ"


def test_the_classifiers_name_the_pythons():
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert f">={named[0]}" == PROJECT["requires-python"]
    assert [f"3.{minor}" for minor in range(10, 10 + len(named))] == named
    assert sys.version_info[:2] in {tuple(map(int, name.split("."))) for name in named}


def test_the_source_archive_has_what_the_site_and_the_tests_need():
    listed = set((ROOT / "MANIFEST.in").read_text(encoding="utf-8").split())
    for name in ("docs", "examples", "benchmarks", "tests", "mkdocs.yml", "Makefile", "CITATION.cff"):
        assert name in listed, name
