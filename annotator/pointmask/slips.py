"""What a wrong call of the command line meant: the right command, with the user's own words."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import click

from pointmask.advice import command, nearest, shortest, unused

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
    "--onnx": "detector.onnx",
    "--masks": "MASKS",
    "--truth": "TRUE_MASKS",
    "--to": "coco",
    "--keep": "0.3",
}
"""A value for each option that a command demands."""

_OUTPUTS: Mapping[str, str] = {
    "annotate": "labels",
    "predict": "detections",
    "merge": "merged",
    "propose": "points.csv",
    "calibrate": "theta.toml",
    "import-weights": "detector.safetensors",
}
"""A name for what a command writes with ``--out``."""

_INSTEAD: Mapping[tuple[str, str], str] = {
    ("annotate", "--points"): (
        "no points yet? click on the targets with pointmask click, or find places with pointmask propose"
    ),
}


def near_command(name: str, known: Collection[str]) -> str:
    """Return the command that an unknown name meant, or an empty string."""
    if (meant := SYNONYMS.get(name.lower(), "")) in known:
        return meant
    return nearest(name, known)


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
            return _missing_option(option, words)
        return _missing_argument(error.ctx, words) or f"It needs: {_usage(error.ctx)}"
    if "unexpected extra argument" in error.format_message() and error.ctx is not None:
        return f"It takes: {_usage(error.ctx)}"
    return ""


def _missing_option(option: str, words: Sequence[str]) -> str:
    """Answer a call without an option that it needs."""
    name = words[0]
    if option == "--points" and len(words) > 2 and not words[2].startswith("-"):
        return f"Did you mean: {command(*words[:2], option, *words[2:])}"
    paths = [Path(word) for word in words[1:] if not word.startswith("-")]
    if name == "score" and (line := _with_truth(words, paths)) is not None:
        return f"Did you mean: {line}"
    value = str(unused(_OUTPUTS.get(name, "OUT"))) if option == "--out" else _EXAMPLES.get(option, "VALUE")
    if option == "--points" and paths and paths[0].is_dir():  # elsewhere there is no need to load arrays
        from pointmask.places import points_of

        value = str(points_of(paths[0]) or value)
    instead = _INSTEAD.get((name, option), "")
    line = f"Add it: {command(*words, option, value)}"
    return f"{line}  ({instead})" if instead else line


def _with_truth(words: Sequence[str], paths: Sequence[Path]) -> str | None:
    """Return the call of score in which one of the masks is the truth, if it can be told which."""
    from pointmask.places import training_folder_of

    true = [path for path in paths if path.is_dir() and training_folder_of(path) is not None]
    if len(true) != 1 or len({path for path in paths if path.exists()}) < 2:
        return None
    rest = [word for word in words if Path(word) != true[0]]
    return command(*rest, "--truth", true[0])


def _missing_argument(ctx: click.Context | None, words: Sequence[str]) -> str:
    """Answer a call of a command that takes weights and data, and was given one of the two."""
    given = next((k for k, word in enumerate(words) if k and not word.startswith("-")), None)
    if ctx is None or words[0] not in ("predict", "evaluate") or given is None:
        return ""
    from pointmask.places import data_of_run, images_of, kind_of

    path = Path(words[given])
    if path.is_dir() and kind_of(path) != "run":
        line = command(*words[:given], "builtin", *words[given:])
        return f"Name the weights first, such as those of the package: {line}"
    if (data := data_of_run(path)) is None:
        return ""
    place = shortest((images_of(data) or data) if words[0] == "predict" else data)
    end = ("--out", unused("detections")) if words[0] == "predict" and "--out" not in words else ()
    line = command(*words[: given + 1], place, *words[given + 1 :], *end)
    return f"Name the images too, such as those of its training: {line}"


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
