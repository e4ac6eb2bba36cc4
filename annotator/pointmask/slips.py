"""What a wrong call of the command line meant: the right command, with the user's own words."""

import difflib
from collections.abc import Callable, Collection, Mapping, Sequence

import click

from pointmask.advice import command

Options = Callable[[str, str], str | None]

SYNONYMS: Mapping[str, str] = {
    "segment": "annotate",
    "mask": "annotate",
    "pseudo": "annotate",
    "label": "click",
    "gui": "click",
    "review": "click",
    "web": "click",
    "infer": "predict",
    "inference": "predict",
    "detect": "predict",
    "test": "evaluate",
    "eval": "evaluate",
    "val": "evaluate",
    "metrics": "score",
    "compare": "bench",
    "benchmark": "bench",
    "fit": "calibrate",
    "tune": "calibrate",
    "validate": "check",
    "doctor": "check",
    "verify": "check",
    "plot": "analyse",
    "analyze": "analyse",
    "onnx": "export",
    "list": "models",
    "detectors": "models",
}
"""What people call our commands."""

_EXAMPLES: Mapping[str, str] = {
    "--points": "FILE",
    "--out": "OUT",
    "--onnx": "detector.onnx",
    "--masks": "MASKS",
    "--truth": "TRUE_MASKS",
    "--to": "coco",
    "--keep": "0.3",
}
"""A value for each option that a command demands."""

_INSTEAD: Mapping[tuple[str, str], str] = {
    ("annotate", "--points"): (
        "no points yet? click on the targets with pointmask click, or find places with pointmask propose"
    ),
}


def near_command(name: str, known: Collection[str]) -> str:
    """Return the command that an unknown name meant, or an empty string."""
    if (meant := SYNONYMS.get(name.lower(), "")) in known:
        return meant
    return next(iter(difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6)), "")


def explain(error: click.UsageError, words: Sequence[str], known: Collection[str], options: Options) -> str:
    """
    Return what a wrong call meant, as a line below the error; empty if nothing sensible can be said.

    Parameters
    ----------
    error : click.UsageError
    words : sequence of str
        Of the command line, without the program.
    known : collection of str
        Names of all commands.
    options : callable
        Says of an option that a command does not have what it is there, such as ``--set optim.lr=V``.
    """
    name = words[0] if words else ""
    if name not in known:
        meant = near_command(name, known)
        return f"Did you mean: {command(meant, *words[1:])}" if meant else "All commands: pointmask --help"
    if isinstance(error, click.NoSuchOption) and error.ctx is not None:
        return _option(error.option_name, error.ctx, words, options)
    if isinstance(error, click.MissingParameter) and error.param is not None:
        option = next((word for word in error.param.opts if word.startswith("--")), "")
        if option:
            if option == "--points" and len(words) > 2 and not words[2].startswith("-"):
                return f"Did you mean: {command(*words[:2], option, *words[2:])}"
            instead = _INSTEAD.get((name, option), "")
            line = f"Add it: {command(*words, option, _EXAMPLES.get(option, 'VALUE'))}"
            return f"{line}  ({instead})" if instead else line
        return f"It needs: {_usage(error.ctx)}"
    if "unexpected extra argument" in error.format_message() and error.ctx is not None:
        return f"It takes: {_usage(error.ctx)}"
    return ""


def _option(given: str, ctx: click.Context, words: Sequence[str], options: Options) -> str:
    """Answer an option that there is not."""
    bare = given.lstrip("-").replace("-", "_").lower()
    if (elsewhere := options(words[0], bare)) is not None:
        return f"Here it is: {elsewhere}"
    arguments = [one for one in ctx.command.params if isinstance(one, click.Argument)]
    named = {(one.name or "").lower() for one in arguments}
    if bare in named or f"{bare}s" in named or bare in ("input", "data", "images", "image_dir", "source"):
        without = [word for word in words if word.split("=")[0] != given]
        if without != list(words):
            return f"It is given without an option: {command(*without)}"
    return ""


def _usage(ctx: click.Context | None) -> str:
    if ctx is None:
        return ""
    pieces = " ".join(ctx.command.collect_usage_pieces(ctx))
    return f"pointmask {ctx.info_name} {pieces}"
