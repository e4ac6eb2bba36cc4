"""``pointmask merge``: the folders of several annotators become one."""

from pathlib import Path

import click

from pointmask.advice import command, unused
from pointmask.cli import advise, say

_SHOWN = 20  # images


@click.command(short_help="Put the folders of several annotators together.")
@click.argument(
    "folders", nargs=-1, required=True, metavar="DIR...", type=click.Path(path_type=Path, file_okay=False)
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="New output folder."
)
def merge(folders: tuple[Path, ...], out: Path) -> None:
    """Merge output folders into OUT; an image that several finished is taken from the first named.

    Folders are only read; their journals stay with them.
    """
    from pointmask.click.annotators.merge import merge as merged
    from pointmask.io.clicks import last_images
    from pointmask.places import data_of

    done = merged(folders, out)
    say(f"{out}: {done.done:,} frames with masks, {done.skipped:,} skipped")
    if done.double:
        say("An image that several folders finished is taken from the first one named:", err=True)
    for name in done.double[:_SHOWN]:
        say(f"in several folders: {name}", err=True)
    if len(done.double) > _SHOWN:
        say(f"in several folders: {len(done.double) - _SHOWN:,} more", err=True)
    images = next(filter(None, map(last_images, folders)), Path("IMAGES"))
    advise(
        command("click", images, "--review", out, "--out", out),
        command("train", data_of(images) or images, "--masks", out, "--out", unused("run")),
    )
