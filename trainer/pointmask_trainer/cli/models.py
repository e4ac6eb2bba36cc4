"""``pointmask models``: the computational cost of the detectors, measured on this machine."""

import json
import sys
from dataclasses import asdict

import click

from pointmask.cli import is_quiet, say
from pointmask.cli.plugins import warn_of_broken


@click.command(short_help="The detectors, and what they cost.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--size", type=click.IntRange(16), default=256, show_default=True, help="Side of the image, in pixels."
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON: exact operations, seconds.")
def models(names: tuple[str, ...], size: int, as_json: bool) -> None:
    """List all networks, or the NAMEs given: parameters, multiply-accumulates and time for one image.

    The time is the shortest of three forward passes on the CPU, with the threads that torch takes
    (OMP_NUM_THREADS=1 for one). Any NAME goes with: pointmask train --model NAME. Detectors of other packages
    that cannot be used are named at the end, on stderr.
    """
    from pointmask_trainer.detectors.profile import models_table, profile_detector
    from pointmask_trainer.detectors.registry import DETECTORS, LOCATORS

    for name in names:
        (LOCATORS if name in LOCATORS else DETECTORS).load(
            name
        )  # raises an error before anything is measured
    with click.progressbar(
        names or [*DETECTORS.usable(), *LOCATORS.usable()],
        label="Measuring",
        item_show_func=str,
        file=sys.stderr,
        hidden=is_quiet(),
    ) as bar:
        profiles = [profile_detector(name, size=size) for name in bar]
    if as_json:
        text = json.dumps([{**asdict(profile), "size": size} for profile in profiles], indent=2)
    else:
        text = models_table(profiles)
    say(*text.split("\n"))
    if not names:
        warn_of_broken(DETECTORS, LOCATORS)
