"""The commands that a command advises after its results."""

import shlex

from click.testing import CliRunner

from pointmask.cli import main


def advised(output: str) -> list[list[str]]:
    """Words of each command below ``Next:``, without the program."""
    lines = output.splitlines()
    start = next((k for k, line in enumerate(lines) if line.startswith("Next:  ")), len(lines))
    found = []
    for line in lines[start:]:
        if line[:7] not in ("Next:  ", " " * 7):
            break
        program, *words = shlex.split(line[7:])
        assert program.endswith("pointmask"), line
        found.append(words)
    return found


def execute(words: list[str], *more: str, codes: tuple[int, ...] = (0,)) -> str:
    """Run a command in this process, and return what it printed as its result."""
    done = CliRunner().invoke(main, [*map(str, words), *more], prog_name="pointmask")
    assert done.exit_code in codes, f"{words}: {done.output}\n{done.exception!r}"
    return done.stdout
