"""Judge a case: run its commands in a copy and take the worst of what they did."""

import shlex
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .checks import Check, Fault
from .run import Outcome, copy, execute

VERDICTS = ("right", "refused", "wrong", "wrong in silence")  # from best to worst
Prepare = Callable[[Path, Path], None]


@dataclass(frozen=True)
class Command:
    """A command, without the program, and what must be true of what it does."""

    words: tuple[str, ...]
    check: Check


@dataclass(frozen=True)
class Case:
    """
    A folder of files that people have, what they do with it, and what must happen.

    Attributes
    ----------
    name : str
        Of the folder.
    commands : tuple of Command
        Run one after the other in one copy of the folder.
    prepare : callable, optional
        Gets the copy and the folder of all cases, and adds to the copy what a command needs besides.
    """

    name: str
    commands: tuple[Command, ...]
    prepare: Prepare | None = None


@dataclass
class Judgement:
    """Verdict on a case, and on each of its commands."""

    name: str
    verdict: str = VERDICTS[0]
    why: str = ""
    commands: list[dict[str, Any]] = field(default_factory=list)

    def add(self, command: Command, outcome: Outcome, fault: Fault | None) -> None:
        """Add what one command did; the verdict is that of the worst, the first of several."""
        verdict = verdict_of(outcome, fault)
        why = fault.why if fault else ""
        words = shlex.join(command.words)
        self.commands.append({"command": words, "status": outcome.status, "verdict": verdict, "why": why})
        if VERDICTS.index(verdict) > VERDICTS.index(self.verdict):
            self.verdict, self.why = verdict, f"{words}: {why}"

    def record(self) -> dict[str, Any]:
        """For a JSON file."""
        return asdict(self)


def verdict_of(outcome: Outcome, fault: Fault | None) -> str:
    """
    Name what a fault is.

    A user notices an exit status other than 0. With it, nothing false was written (refused), or something was
    (wrong). Without it, whatever is not right happened in silence.
    """
    if fault is None and not outcome.crashed:
        return "right"
    if outcome.status == 0:
        return "wrong in silence"
    return "wrong" if outcome.crashed or (fault is not None and fault.damage) else "refused"


def judge(case: Case, cases: Path, program: Path) -> Judgement:
    """
    Run a case.

    Parameters
    ----------
    case : Case
        Its commands and checks.
    cases : Path
        Folder of all cases; it is only read.
    program : Path
        The pointmask to be judged.

    Returns
    -------
    Judgement
        The worst verdict of its commands.

    Raises
    ------
    BrokenCaseError
        If the files of the case are not those that the judgement was written for.
    """
    judgement = Judgement(case.name)
    top = Path(tempfile.mkdtemp(prefix="field-"))
    try:
        folder = top / "case"  # under a name of its own, which no message can be mistaken for
        copy(cases / case.name, folder)
        if case.prepare is not None:
            case.prepare(folder, cases)
        for command in case.commands:
            _forget(folder, command.words)
            outcome = execute(program, command.words, folder)
            fault = command.check(outcome)
            if outcome.crashed:
                fault = Fault("crashed" if fault is None else f"crashed ({fault.why})", damage=True)
            judgement.add(command, outcome, fault)
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return judgement


def _forget(folder: Path, words: tuple[str, ...]) -> None:
    """Remove what an earlier command of the case has written where this one writes."""
    if "--out" in words:
        shutil.rmtree(folder / words[words.index("--out") + 1], ignore_errors=True)


def command(line: str, check: Check) -> Command:
    """Command from a line as in a shell."""
    return Command(tuple(shlex.split(line)), check)


def annotate(images: str, points: str, check: Check, *more: str) -> Command:
    """Command ``annotate``."""
    return Command(("annotate", images, "--points", points, *more, "--out", "o"), check)
