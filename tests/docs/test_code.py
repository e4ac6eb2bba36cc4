"""Code of the pages: Python is executed, and command lines are understood by the commands that they name."""

import re
import shlex

import click
import pytest
from tools.docs.blocks import DOCS, PAGES, ROOT, blocks, spans

from pointmask.cli import COMMANDS, main
from pointmask_trainer.config import load_config
from pointmask_trainer.strategies.registry import STRATEGIES

OTHER_PROGRAMS = {"env/bin/python", "export", "python", "jupyter", "make", "pip", "sbatch"}
LANGUAGES = {"bash", "math", "python", "text", "toml"}


def named(page):
    return str(page.relative_to(ROOT))


def lines_of(page):
    """Command lines of a page."""
    for block in blocks(page):
        if block.language == "bash":
            yield from filter(None, (shlex.split(line, comments=True) for line in block.text.splitlines()))


def mentions_of(page):
    """Command lines within sentences, which may lack what the sentence is not about."""
    for span in spans(page):
        if re.match(r"(pointmask [a-z]+|python benchmarks/\S+) \S", span) and "..." not in span:
            yield shlex.split(span)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_block_says_its_language_and_why_it_is_not_run(page):
    for block in blocks(page):
        if page.is_relative_to(DOCS):
            assert block.language in LANGUAGES, f"{block.text[:60]!r} is none of {LANGUAGES}"
        if not block.is_run:
            assert re.fullmatch(r"not run: .{10,}", block.said), "say why, after the colon"


@pytest.mark.parametrize("page", [page for page in PAGES if "```python" in page.read_text()], ids=named)
def test_python_runs(page, capsys, tmp_path, monkeypatch):
    run = [block.text for block in blocks(page) if block.language == "python" and block.is_run]
    if any("torch" in text for text in run):
        pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    for text in run:
        exec(compile(text, str(page), "exec"), {"__name__": "page"})
    assert bool(capsys.readouterr().out) == any("print(" in text for text in run)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_command_lines_are_understood(page):
    for words in lines_of(page):
        understand(words)
    for words in mentions_of(page):
        understand(words, whole=False)


def test_a_wrong_line_is_found():
    for wrong in ("annotate x --out y --sve soft", "train D --strategy lepss", "train D --set optim.learn=1"):
        with pytest.raises((AssertionError, click.ClickException, ValueError)):
            understand(["pointmask", *wrong.split()])


def understand(words, *, whole=True):
    """Fail if the program of a command line would not take its words; NAME in capitals is a placeholder."""
    program, *rest = words
    if program == "torchrun":
        rest = rest[rest.index("pointmask") + 1 :]
    elif program.startswith("benchmarks/") or (program == "python" and rest[0].startswith("benchmarks/")):
        script = ROOT / (rest[0] if program == "python" else program)
        text = script.read_text(encoding="utf-8")
        assert all(word in text for word in rest if word.startswith("--")), f"{script.name}: {rest}"
        return
    elif program != "pointmask":
        assert program in OTHER_PROGRAMS, f"{program} is not known; add it, or correct the line"
        return
    assert rest[0] in COMMANDS, f"pointmask has no command {rest[0]}"
    command = main.get_command(click.Context(main), rest[0])
    context = click.Context(command, info_name=rest[0])
    options, arguments, _ = command.make_parser(context).parse_args(rest[1:])
    assert not arguments, f"{words}: {arguments} are too many"
    for parameter in command.params:
        value = options.get(parameter.name)
        if value is None:
            assert not (whole and parameter.required), f"{words} lacks {parameter.name}"
        elif isinstance(parameter.type, (click.Choice, click.IntRange, click.FloatRange)):
            parameter.type_cast_value(context, value)
    if rest[0] == "train":
        config = options.get("config")
        load_config(
            preset=options.get("preset"),
            file=None if config is None or "/" in config else config,
            settings=options.get("settings") or (),
        )
        assert options.get("strategy", "masks") in {*STRATEGIES, "NAME"}
