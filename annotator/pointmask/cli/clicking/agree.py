"""``pointmask agree``: how well annotators agree on the images that they have in common."""

from pathlib import Path

import click

from pointmask.advice import command, unused
from pointmask.cli import advise, complain, say

_SHOWN = 20  # reasons


@click.command(short_help="Compare the folders of several annotators.")
@click.argument(
    "folders", nargs=-1, required=True, metavar="DIR DIR...", type=click.Path(path_type=Path, file_okay=False)
)
def agree(folders: tuple[Path, ...]) -> None:
    """Compare output folders on the images that two or more of them finished.

    Targets are paired by optimal matching within 3 px of their centroids. Intervals are those of a bootstrap
    over images. Two people who click the same blob get the same mask, so masks made from clicks alone are
    told apart from masks in which a hand had a part.
    """
    from pointmask.click.annotators.agree import agree as compared
    from pointmask.click.annotators.words import lines_of
    from pointmask.io.clicks import last_images

    if len(folders) < 2:
        raise click.UsageError("give two folders or more")
    found = compared(folders)
    for line in lines_of(found):
        say(line)
    for reason in found.left_out[:_SHOWN]:
        complain(f"left out: {reason}")
    if len(found.left_out) > _SHOWN:
        complain(f"left out: {len(found.left_out) - _SHOWN:,} more")
    if found.worst:
        first = found.folders[found.worst[0].first]
        advise(command("click", last_images(first) or "IMAGES", "--out", first, "--read-only"))
    advise(command("merge", *folders, "--out", unused("merged")))
