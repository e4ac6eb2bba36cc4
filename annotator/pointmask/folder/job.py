"""The folder job: images and points in, masks and a manifest out, resumable and divisible.

The bytes of all results depend on images, points and theta alone: not on the number of threads, the
shards, the executor, or on how often the job was interrupted. That is why the manifest holds no times;
they go to ``timings.jsonl`` on request.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from pointmask import executors
from pointmask.annotator.proof import prove
from pointmask.errors import ImageError
from pointmask.executors import Progress
from pointmask.folder.documents import check_documents, check_heeded, settle_documents, write_documents
from pointmask.folder.frame import skipped_entry
from pointmask.folder.judging import judge_plan
from pointmask.folder.opened import OpenFiles
from pointmask.folder.options import Recipe, make_recipe
from pointmask.folder.output import (
    Clock,
    check_page,
    check_places,
    clock,
    make_folder,
    stops_cleanly,
    write_theta,
)
from pointmask.folder.planning.plan import Plan, make_plan
from pointmask.folder.records.ledger import Ledger
from pointmask.folder.records.mask_lines import check_ours
from pointmask.folder.records.shards import Shard
from pointmask.folder.report.options import ReportOptions
from pointmask.folder.report.page import write_report
from pointmask.folder.summary import RunningSummary, Summary
from pointmask.folder.tasks import STRETCH, STRETCH_OF_CLUSTER, Task, tasks_of, weight_of
from pointmask.folder.worker import JobFolders, Outcome, work
from pointmask.io.clicks import check_not_judged
from pointmask.io.files import clean_temporaries
from pointmask.io.formats import read_points
from pointmask.io.formats.base import DEFAULTS, WriteOptions
from pointmask.io.formats.registry import saved_as
from pointmask.io.images.open import open_source
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import MANIFEST, MASKS, RESULTS
from pointmask.io.lock import only_job
from pointmask.io.notes import Notes
from pointmask.io.points.lists import IdList, read_ids
from pointmask.io.points.packed import PackedTexts
from pointmask.io.points.points import Points
from pointmask.theta import Polarity, Theta

Work = Callable[[Task], Outcome]

_PROGRESS_EVERY = 0.1  # seconds


def annotate_folder(
    images: ImageSource | Path | str,
    points: Points | Path | str,
    out: Path | str,
    *,
    theta: Theta | str | Path = "default",
    polarity: Polarity = "bright",
    threads: int = 1,
    save: Sequence[str] = ("mask",),
    png: bool = True,
    written: WriteOptions = DEFAULTS,
    report: bool | ReportOptions = False,
    overwrite: bool = False,
    shard: tuple[int, int] | None = None,
    empty_masks: bool = False,
    only: IdList | Path | str | None = None,
    timings: bool = False,
    scheduler: str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Summary:
    """
    Annotate a folder of images.

    Run again after an interruption, it does only what is missing. An image that cannot be done is
    skipped, with its reason in the summary and the manifest; it is tried again next time.

    Parameters
    ----------
    images : ImageSource, Path or str
        Folder of images, whose subfolders are searched too, or a zip or tar archive, which is not
        unpacked; see `pointmask.io.images.open.open_source`.
    points : Points, Path or str
        Points, or a file or folder that `pointmask.io.formats.read_points` recognises.
    out : Path or str
        Output folder: ``masks/<image without suffix>.png`` (8 bit, 0 and 255; frames of a file of
        several are numbered, ``_0003``), ``manifest.jsonl``, ``theta.toml``.
    theta : Theta, str or Path
        Parameters: a preset (``default``, ``paper``) or a TOML file.
    polarity : {"bright", "dark", "auto"}
        Of the targets against their background.
    threads : int
        Number of threads, at least 1; not used with `scheduler`.
    save : sequence of str
        What to write besides the mask: ``soft`` (16-bit soft labels, 65535 is 1), ``instance``
        (16 bit, k for the k-th point), ``overlay`` (a picture with outlines), ``rle`` (``masks.jsonl``:
        all masks as run lengths; see `pointmask.folder.records.mask_lines`), and the keys of
        `pointmask.io.formats.registry.saved_as`, written for other programs when all is done; they need run
        lengths, so ``masks.jsonl`` comes with them. A folder that has ``masks.jsonl`` keeps it.
    png : bool
        False: write ``masks.jsonl`` instead of a mask image per frame, and no other image.
    written : WriteOptions
        Share of test images, its seed, and name of the data set, of training folders among `save`.
    report : bool or ReportOptions
        Write ``report.html``, to judge the least sure masks by eye, or what the options say.
    overwrite : bool
        Redo all images, also with other settings or points, and replace the results of earlier jobs; those
        that this job does not make again are removed. Without it they are refused. Files that pointmask did
        not write are never replaced.
    shard : (int, int), optional
        (i, n): do only the i-th (from 1) of n parts. The last part to finish merges the manifests.
    empty_masks : bool
        Write an empty mask for each frame that the points do not name.
    only : IdList, Path or str, optional
        Ids, or a list of them (one per line), of the images to work on; all others are left alone.
    timings : bool
        Append ``timings.jsonl``: milliseconds per target of each frame.
    scheduler : str, optional
        Address of a Dask scheduler, such as ``tcp://host:8786``.
    progress : callable, optional
        Called with a `Progress` at most ten times a second, and once at the end.

    Returns
    -------
    Summary
        Counts, the skipped images with their reasons, and speed.

    Raises
    ------
    ImageError
        If the image folder is missing or unreadable, or holds no images.
    PointsError, ThetaError
        If points, the list of ids or theta cannot be read.
    OutputError
        If the output folder is unusable: the image folder itself, in use by another job, or holding
        results of other settings.
    BrokenOffError
        If a result cannot be written (disk full) or memory runs out. What is finished is kept: run
        again to go on.
    ValueError
        If `threads`, `save`, `written`, `polarity` or `shard` is out of range.

    Examples
    --------
    >>> summary = annotate_folder("images", "points.csv", "out", threads=2)  # doctest: +SKIP
    >>> summary.done, summary.skipped  # doctest: +SKIP
    (2, [])
    """
    source, target = open_source(images), Path(out)
    part = Shard(*shard) if shard else Shard()
    documents = list(saved_as(save))
    recipe = make_recipe(
        theta,
        polarity,
        [kind for kind in save if kind not in documents],
        png=png,
        keeps_run_lengths=bool(documents) or (target / MASKS).exists(),
        reading=str(source.reading),
    )
    check_heeded(written, documents)
    chosen = read_ids(Path(only)) if isinstance(only, Path | str) else only
    if threads < 1:
        raise ValueError(f"threads is {threads}; at least 1 is needed")
    truth = report.truth if isinstance(report, ReportOptions) else None
    check_places(target, documents, [source.root, points, only, theta, truth])
    names = PackedTexts(source.names(exclude=target))
    if not names:
        raise ImageError(source.why_no_image())
    listed = points if isinstance(points, Points) else read_points(Path(points), images=source)
    plan = make_plan(source, names, listed, empty_masks=empty_masks, only=chosen)
    execute = _executor(threads, scheduler)
    prove(recipe.theta, polarity)  # also loads the kernels, before the clock runs
    if scheduler is not None:  # workers run in folders of their own
        source, target = replace(source, root=source.root.absolute()), target.absolute()
    make_folder(target)
    with only_job(target, part.tag):
        check_not_judged(target)
        check_ours(target)
        if report:
            check_page(target)
        check_documents(target, documents, overwrite=overwrite)
        with stops_cleanly(target):
            summary = _annotate(
                plan,
                part,
                recipe,
                JobFolders(OpenFiles(source), target, part.tag),
                execute,
                stretch=STRETCH if scheduler is None else STRETCH_OF_CLUSTER,
                overwrite=overwrite,
                timings=timings,
                progress=progress or _silent,
            )
            if scheduler is not None:
                clean_temporaries(target, part.tag, RESULTS.values())  # of workers that were lost
        summary.judgement = judge_plan(source, plan, threads, polarity)
        summary.masks = target / (RESULTS["mask"] if png else MASKS)
        summary.manifest = target / (part.manifest if summary.missing_shards else MANIFEST)
        if summary.missing_shards:
            return summary
        if documents:
            with stops_cleanly(target):
                summary.documents, summary.warnings = write_documents(
                    target, documents, source, options=written, overwrite=overwrite
                )
        if report:
            with stops_cleanly(target):
                options = report if isinstance(report, ReportOptions) else ReportOptions()
                summary.report = write_report(
                    target, source, theta=recipe.theta, polarity=polarity, options=options
                )
        with stops_cleanly(target):
            settle_documents(target, list(summary.documents), report=summary.report is not None)
    return summary


def _annotate(
    plan: Plan,
    part: Shard,
    recipe: Recipe,
    folders: JobFolders,
    execute: Callable[[Work, Iterable[Task]], Iterator[Outcome]],
    *,
    stretch: int,
    overwrite: bool,
    timings: bool,
    progress: Callable[[Progress], None],
) -> Summary:
    """Do what is missing, and publish the manifest."""
    out = folders.out
    ledger = Ledger(out, part, recipe.settings, plan.frames, masks=recipe.run_lengths, overwrite=overwrite)
    with closing(ledger), closing(folders.files):
        folders = replace(folders, claimed=ledger.recall())
        tag = None if part.count == 1 else part.tag
        clean_temporaries(out, tag, RESULTS.values() if ledger.was_broken_off else ())
        write_theta(out, recipe.theta, part.tag, overwrite=overwrite)
        todo = partial(work, recipe, folders)
        with clock(out, keep=timings) as note:
            tasks = tasks_of(plan, part, ledger.finished(), stretch)
            summary = _run(plan, part, ledger, partial(execute, todo, tasks), note, progress)
        summary.missing_shards = ledger.publish()
    return summary


def _executor(threads: int, scheduler: str | None) -> Callable[[Work, Iterable[Task]], Iterator[Outcome]]:
    if threads < 1:
        raise ValueError(f"threads is {threads}; at least 1 is needed")
    if scheduler is not None:
        return partial(executors.dask, address=scheduler, weight=weight_of)
    return executors.serial if threads == 1 else partial(executors.threads, count=threads, weight=weight_of)


def _silent(progress: Progress) -> None:
    pass


def _run(
    plan: Plan,
    part: Shard,
    ledger: Ledger,
    execute: Callable[[], Iterator[Outcome]],
    note: Clock,
    progress: Callable[[Progress], None],
) -> Summary:
    """Do all images of this shard and journal them as they are finished."""
    total = sum(count for image, count in plan.frames.counts() if part.owns(image))
    running = RunningSummary()
    summary = running.summary
    for (image, frame), reason in sorted(plan.skipped.items()):
        if part.owns(image):
            entry = skipped_entry(image, frame, reason)
            ledger.add(entry)
            running.skip(entry)
    summary.without_points.extend(image for image in plan.without_points if part.owns(image))
    seen, handled, shown, notes = 0, 0, 0.0, Notes()
    for outcome in execute():
        seen += weight_of(outcome.task)
        running.outcome(outcome)
        notes.merge(outcome.notes)
        for entry, seconds in outcome.entries:
            ledger.add(entry)
            note(entry, seconds)
        handled += len(outcome.entries)
        now = time.monotonic()
        if now - shown >= _PROGRESS_EVERY or seen == total:
            shown = now
            progress(Progress(seen, total, summary.targets, len(summary.skipped)))
    summary.notes = (*plan.notes, *notes.lines())
    return running.close(handled)
