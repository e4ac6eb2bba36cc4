"""Advice that is printed: every command exists with its options, and installing works where pointmask is."""

import ast
import json
import re
from pathlib import Path

import pytest

import pointmask
from pointmask import advice
from pointmask.cli import COMMANDS, main
from pointmask.settings import parse_toml

ROOT = Path(__file__).parents[1]
SOURCES = [*(ROOT / "annotator/pointmask").rglob("*.py"), *(ROOT / "trainer/pointmask_trainer").rglob("*.py")]


def text_of(node):
    """What a string literal shows, with a word for each value."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else _word(part) if _is_call(part) else "VALUE"
        for part in parts
    )


def _is_call(part):
    return isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Call)


def _word(part):
    """A call of `command` shows its words; any other value is one."""
    call = part.value
    if getattr(call.func, "id", "") != "command":
        return "VALUE"
    return " ".join(["pointmask", *(str(getattr(one, "value", "VALUE")) for one in call.args)])


def advised():
    """(file, command) of all commands that messages and help texts name."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr) or (
                isinstance(node, ast.Constant) and isinstance(node.value, str)
            ):
                for found in re.finditer(
                    r"pointmask ([a-z-]+)((?: (?!pointmask)[^\s;,)`\"]+)*)", text_of(node)
                ):
                    if found[1] in COMMANDS:
                        yield path.relative_to(ROOT), found[1], found[2].split()


def test_every_option_of_an_advised_command_is_one_of_it():
    seen = 0
    for path, command, words in advised():
        if command == "train" and "--nproc" in " ".join(words):
            continue
        known = {
            word
            for one in main.get_command(None, command).params
            for word in (*one.opts, *one.secondary_opts)
        }
        for word in words:
            if word.startswith("--") and word != "--help":
                assert word.rstrip(".:'").partition("=")[0] in known, f"{path}: pointmask {command} {word}"
                seen += 1
    assert seen > 20


def test_no_message_installs_by_a_name_that_no_index_knows():
    bad = [
        str(path)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and "pip install 'pointmask[" in str(node.value)
        if path.name not in ("advice.py", "clicker.py")  # a docstring
    ]
    assert not bad


def test_the_extras_of_messages_are_those_of_the_project():
    extras = parse_toml((ROOT / "pyproject.toml").read_text(), "pyproject", ValueError)["project"][
        "optional-dependencies"
    ]
    named = {
        extra for path in SOURCES for extra in re.findall(r"\binstall\([\"'](\w+)[\"']\)", path.read_text())
    }
    assert named
    assert named <= set(extras)


@pytest.mark.parametrize(
    ("origin", "line"),
    [
        (None, "pip install 'pointmask[tiff]'"),
        ({"url": "file://{place}", "dir_info": {}}, "pip install '{place}[tiff]'"),
        ({"url": "file://{place}", "dir_info": {"editable": True}}, "pip install -e '{place}[tiff]'"),
        ({"url": "file:///gone", "dir_info": {}}, "pip install '.[tiff]', where pointmask's sources are"),
        ({"url": "https://host/p.whl"}, "pip install 'pointmask[tiff] @ https://host/p.whl'"),
    ],
)
def test_an_extra_is_installed_from_where_pointmask_came(monkeypatch, tmp_path, origin, line):
    class Record:
        def read_text(self, name):
            assert name == "direct_url.json"
            return None if origin is None else json.dumps(origin).replace("{place}", str(tmp_path))

    monkeypatch.setattr(advice, "distributions", lambda name: [Record()])
    assert advice.install("tiff").startswith(line.format(place=tmp_path))


def test_without_a_gpu_the_small_build_of_torch_is_named():
    assert "download.pytorch.org/whl/cpu" in advice.install("train")
    assert "download.pytorch.org" not in advice.install("export")


def test_commands_are_quoted():
    assert advice.command("check", Path("my images")) == "pointmask check 'my images'"
    assert pointmask.__version__
