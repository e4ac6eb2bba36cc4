"""Summary of a folder job: a table, a list of skipped images and the paths to open."""

import dataclasses
import json
from heapq import nsmallest

from rich.console import Console
from rich.table import Table

from pointmask.cli import say, show_notes
from pointmask.folder.summary import Summary
from pointmask.io.points.names import natural_key

_MOST_LINES = 20


def announce_compilation() -> None:
    """Explain the delay of the first run on a machine, or of each where kernels cannot be kept."""
    if is_compiled():
        return
    if cannot_keep():
        say(
            "Compiling kernels (about 20 s), at each run, as there is no folder to keep them that is yours "
            "alone; set NUMBA_CACHE_DIR to one",
            err=True,
        )
    else:
        say("Compiling kernels once for this machine (about 20 s) ...", err=True)


def show_summary(summary: Summary) -> None:
    """Print the summary of `pointmask.folder.job.annotate_folder`."""
    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print(_table(summary))
    if summary.skipped:
        list_some(
            "Skipped", [f"{name}: {reason}" for name, reason in summary.skipped], f"see {summary.manifest}"
        )
    if summary.without_points:
        list_some(
            "Without points, nothing written (--empty-masks writes empty masks)", summary.without_points, ""
        )
    if summary.thermal:
        say(
            f"FLIR radiometric JPEG: {summary.thermal:,} images were read as thermal raster, in kelvin "
            "(--no-radiometric takes the coloured picture)"
        )
    if summary.scaled:
        say(
            f"Note: points of {summary.scaled:,} images were marked in a copy of another size and have been "
            f"scaled, such as {summary.scaled_example}",
            err=True,
        )
    show_notes(summary.notes)
    if summary.judgement is not None and summary.judgement.is_unclear:
        show_notes([str(summary.judgement)])
    if summary.missing_shards:
        shards = ", ".join(str(index) for index in summary.missing_shards)
        say(f"Still to run before the manifest is merged: shard {shards}")
    say(f"Masks:    {summary.masks}")
    say(f"Manifest: {summary.manifest}")
    for kind, path in summary.documents.items():
        say(f"{kind + ':':9} {path}")
    for warning in summary.warnings:
        say(f"Note: {warning}")
    if summary.report is not None:
        say(f"Report:   {summary.report}  (open it in a browser)")


def summary_json(summary: Summary) -> str:
    """Return the summary of a folder job as JSON, indented."""
    fields = {item.name: getattr(summary, item.name) for item in dataclasses.fields(summary)}
    fields["judgement"] = None if summary.judgement is None else str(summary.judgement)
    return json.dumps({"images": summary.images, **fields}, indent=1, default=str)


def what_is_wrong(summary: Summary, *, is_shard: bool = False) -> tuple[str, str] | None:
    """
    Say why the results of a whole job are not worth having, or that its points should be corrected.

    Parameters
    ----------
    summary : Summary
    is_shard : bool
        The job was a part, which may well have no image. Its points are those of the whole.

    Returns
    -------
    (str, str) or None
        Reason and cure; None if all is well.
    """
    verdict = summary.judgement
    if not (summary.images or is_shard):
        return "0 targets: no image has points, so nothing was annotated", "name the images in the point list"
    if summary.images and len(summary.skipped) == summary.images:
        skipped = f"all {summary.images:,} images with points were skipped"
        if verdict is not None and verdict.kind == "elsewhere":  # which explains points outside of them
            return f"0 targets: {skipped}; {verdict}", verdict.fix
        return f"0 targets: {skipped}", f"correct what is listed above; all of it: {summary.manifest}"
    if verdict is not None and verdict.is_wrong:
        return str(verdict), verdict.fix
    return None


def _table(summary: Summary) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    again = f" ({summary.resumed:,} done before)" if summary.resumed else ""
    table.add_row("images", f"{summary.images:,}{again}")
    table.add_row("targets", f"{summary.targets:,}")
    table.add_row("skipped", f"{len(summary.skipped):,}")
    table.add_row("ms per target", _number(summary.ms_per_target, 2))
    table.add_row("images/s", _number(summary.images_per_s, 0))
    table.add_row("mean confidence", _number(summary.mean_confidence, 2))
    return table


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def list_some(title: str, lines: list[str], rest: str) -> None:
    """
    Print the first lines of a list under a title.

    Parameters
    ----------
    title : str
        Title, which is followed by the number of lines.
    lines : list of str
        All lines.
    rest : str
        Where to find the remaining lines, or "".
    """
    say(f"{title} ({len(lines):,}):")
    for line in nsmallest(_MOST_LINES, lines, key=natural_key):
        say(f"  {line}")
    if len(lines) > _MOST_LINES:
        say(f"  ... and {len(lines) - _MOST_LINES:,} more" + (f", {rest}" if rest else ""))


def is_compiled() -> bool:
    """Whether compiled kernels of the annotator are kept on this machine."""
    # Imported here, because other commands print lists too and need no kernel.
    from pointmask import compiled
    from pointmask.kernels import potential

    return compiled.is_compiled(potential.evolve)


def cannot_keep() -> bool:
    """Whether there is no folder in which compiled kernels may be kept."""
    from pointmask.compiled import cache_folder

    return cache_folder() is None
