"""``pointmask analyse``: a run in; charts of what it learned, their data and an HTML page out."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pointmask.advice import install
from pointmask.cli import say
from pointmask.errors import OutputError
from pointmask_trainer.cli.options import existing_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pointmask_trainer.analysis.study import Study

_LAST_EPOCHS = 50


@click.command(short_help="What a run learned: sample weights, theta and labels, in pictures.")
@click.argument("run", type=existing_folder)
@click.option("--data", type=existing_folder, help="Training folder, if it moved since.")
@click.option(
    "--last",
    type=click.IntRange(1),
    default=_LAST_EPOCHS,
    show_default=True,
    help="Number of final epochs over which weights are averaged.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the results.  [default: RUN/analysis]",
)
@click.option("--overwrite", is_flag=True, help="Replace the files of an earlier analysis in --out.")
def analyse(run: Path, data: Path | None, last: int, out: Path | None, overwrite: bool) -> None:
    """Draw what RUN learned beside its detector: a run of d2d, joint, lesps, pal or gsacp.

    Written are weights.png (weights against size and shape), extremes.png (images of the highest and the
    lowest weight), history.png (losses and weights of all images by epoch), theta.png (the annotator's
    parameters), pool.png (images trained on, of pal), drift.png (targets, of gsacp), labels.png and
    changed.png (how labels evolved), analysis.json with all numbers, and index.html, which shows everything.
    A training does the same at its end and adds it to report.html.
    """
    from pointmask.io.images.array import read
    from pointmask.io.own import check_folder, check_set
    from pointmask_trainer.analysis.page import NAMES, is_analysis, write_analysis
    from pointmask_trainer.analysis.pictures import pictures_of
    from pointmask_trainer.analysis.study import study_run
    from pointmask_trainer.run.layout import RunFolder

    own = RunFolder(run).analysis
    folder = own if out is None else out
    check_folder(folder)
    # RUN/analysis belongs to the run and is replaced without asking, like its report.
    if folder.absolute() != own.absolute() or own.is_symlink():
        check_set(folder, NAMES, [data], is_analysis, overwrite=overwrite)
    study = study_run(run, last=last)
    files = _image_files(run, data, study)

    def image(name: str) -> "NDArray[np.generic]":
        return read(files[name])

    try:
        pictures = pictures_of(study, image)
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise OutputError(
            f"this command draws with matplotlib, which is missing; install it with: {install('train')}"
        ) from None
    for path in write_analysis(study, pictures, folder):
        say(str(path))
    for picture in pictures:
        if not picture.png:
            say(f"No {picture.file}: {picture.text}", err=True)


def _image_files(run: Path, data: Path | None, study: "Study") -> Mapping[str, Path]:
    """Return the paths of the training images by id."""
    from pointmask_trainer.data.folder import find_images
    from pointmask_trainer.errors import DataError
    from pointmask_trainer.run.source import read_source

    root = read_source(run).root if data is None else data
    if not root.is_dir():
        raise DataError(f"{root}, on which {run} was trained, is gone; say where it is now with --data DIR")
    files = find_images(root)
    if missing := [name for name in study.history.ids if name not in files]:
        raise DataError(
            f"{root} holds no image {missing[0]} (nor {len(missing) - 1:,} more) on which {run} was trained; "
            "say where they are with --data DIR"
        )
    return files
