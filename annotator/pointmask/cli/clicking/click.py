"""``pointmask click``: parse options, open the session, say where the page is, and serve it until Ctrl+C."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from pointmask.cli import EXIT_SOME_SKIPPED, complain, say
from pointmask.cli.annotating.annotate import shard_of
from pointmask.cli.options import point_format_option, polarity_option, refuse_idle, source_options

if TYPE_CHECKING:
    from socket import socket

    from pointmask.click.publish.folder import Published
    from pointmask.click.server.desk import Desk
    from pointmask.click.server.start import Wish
    from pointmask.click.server.wire.address import Redirect
    from pointmask.theta import Theta

_LONGEST_NAME = 64
_PATIENCE = 0.7  # seconds that the address waits for the number of images


def _labels(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    labels = tuple(word.strip() for word in (value or "").split(",") if word.strip())
    if len(labels) > 9 or len(set(labels)) < len(labels):
        raise click.BadParameter(f"{value!r}: give at most nine different labels, for the keys 1 to 9")
    return labels


def _user() -> str:
    from pointmask.click.server.wire.address import login_name

    return login_name() or "annotator"


@click.command("click", short_help="Click on targets in the browser.")
@click.argument("images", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Output folder; one that is there is gone on with.  [default: IMAGES-clicks beside the images]",
)
@click.option(
    "--points",
    type=click.Path(path_type=Path, exists=True),
    help="Points to start from, in any format that annotate reads.",
)
@point_format_option
@click.option(
    "--fill", is_flag=True, help="Make the masks of all --points now, not when they are first shown."
)
@click.option(
    "--review",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Output folder of annotate or click to review: in place if it is --out, else in a copy.",
)
@click.option(
    "--proposals",
    type=click.Path(path_type=Path, exists=True),
    help="Output of predict or propose: shown until each is accepted or refused.",
)
@click.option("--labels", callback=_labels, metavar="A,B,...", help="Classes on the keys 1 to 9.")
@click.option(
    "--theta",
    metavar="default|synthetic|paper|FILE",
    help="Parameters of the annotator.  [default: those of the last session in --out, else default]",
)
@polarity_option
@source_options
@click.option("--shard", metavar="I/N", callback=shard_of, help="Show only part I of N, as annotate divides.")
@click.option(
    "--overlap",
    type=click.FloatRange(0, 100),
    default=0,
    show_default=True,
    metavar="PERCENT",
    help="Images that every shard shows, to measure how well annotators agree.",
)
@click.option("--annotator", default=_user, show_default="login name", metavar="NAME", help="Who clicks.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port of the page; 0 is any free one.  [default: 8765, else the next free one up to 8784]",
)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen.")
@click.option(
    "--allow-host",
    "allowed",
    multiple=True,
    metavar="NAME",
    help="Name under which the page may be called besides localhost: that of a hub, for example.",
)
@click.option(
    "--socket",
    "at",
    metavar="PATH",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Listen at a Unix socket that only you can open, not at a port that all users of a machine reach.",
)
@click.option("--no-browser", is_flag=True, help="Open no browser.")
@click.option("--read-only", is_flag=True, help="Look, and write nothing.")
@click.option("--publish", is_flag=True, help="Show no page: bring the output folder up to date, and end.")
def click_command(
    images: Path,
    out: Path | None,
    points: Path | None,
    point_format: str | None,
    fill: bool,
    review: Path | None,
    proposals: Path | None,
    labels: tuple[str, ...],
    theta: str | None,
    polarity: Literal["bright", "dark", "auto"],
    raw: str | None,
    radiometric: bool,
    id_list: Path | None,
    shard: tuple[int, int] | None,
    overlap: float,
    annotator: str,
    port: int | None,
    host: str,
    allowed: tuple[str, ...],
    at: Path | None,
    no_browser: bool,
    read_only: bool,
    publish: bool,
) -> None:
    """Open IMAGES, a folder, archive or file of frames, on a page, to click on targets and see their masks.

    Everything is saved at once; the same command goes on where work stopped.
    """
    from pointmask.click.contract.errors import JournalError
    from pointmask.click.server.start import Wish, default_out, opened, wait_for_images
    from pointmask.click.server.wire import address
    from pointmask.folder.records.shards import Shard
    from pointmask.places import check_images
    from pointmask.theta import Theta

    if read_only and (publish or fill):
        one = "--publish" if publish else "--fill"
        raise click.UsageError(f"{one} writes, --read-only does not; give one of the two")
    if fill and points is None:
        raise click.UsageError("--fill makes the masks of given points; give them with --points FILE")
    refuse_idle("point_format", "says how --points is read", idle=points is None)
    refuse_idle("overlap", "is for the parts of --shard", idle=shard is None)
    if at is not None and (port is not None or not address.is_loopback(host)):
        raise click.UsageError("--socket takes the place of --port and --host; give one of the two")
    if not address.is_loopback(host):
        if not allowed:
            raise click.UsageError(
                f"--host {host} lets other machines in; say what they will call it: --allow-host NAME"
            )
        complain(f"WARNING: the page can be reached from other machines, through {host}.")
        complain("What is sent is not encrypted; on a network that others use, take ssh instead.")
    check_images(images)
    out = out or default_out(images)
    wish = Wish(
        images=images,
        out=out,
        annotator=annotator,
        theta=_theta_of_last_session(out) if theta is None else Theta.load(theta),
        polarity=polarity,
        labels=labels,
        raw=raw,
        radiometric=radiometric,
        id_list=id_list,
        review=review,
        points=points,
        proposals=proposals,
        point_format=point_format,
        shard=Shard(*shard) if shard else Shard(),
        overlap=overlap,
        read_only=read_only,
    )
    is_new = not out.exists()
    try:
        with opened(wish, _warn) as desk:
            is_whole = _fill(desk) if fill else True
            if publish:
                if not _publish(desk) or not is_whole:
                    raise SystemExit(EXIT_SOME_SKIPPED)
                return
            wait_for_images(desk.listing, _PATIENCE, say)
            say(_what_is_there(desk, is_new=is_new))
            view = "/review" if review else ""
            if at is not None:
                with address.listening_at(at) as bound:
                    say(f"Socket: {at}, which only you can open")
                    _serve(desk, bound, address.PORTS[0], "127.0.0.1", allowed, view, at=at)
                return
            bound = address.listen(host, port)
            is_shown = not no_browser and address.has_browser(os.environ)
            _serve(desk, bound, bound.getsockname()[1], host, allowed, view, is_shown=is_shown)
    except JournalError as error:
        if not publish:
            raise
        _warn(str(error))
        _publish_up_to_damage(wish)
        raise SystemExit(EXIT_SOME_SKIPPED) from None


def _theta_of_last_session(out: Path) -> "Theta":
    """Load the theta that was calibrated or chosen in an earlier session, else the default."""
    from pointmask.io.clicks import last_theta
    from pointmask.theta import Theta

    usual, last = Theta.load("default"), last_theta(out)
    if last is None:
        return usual
    theta = Theta.from_toml(last, f"theta of the last session in {out}")
    if theta != usual:
        say(f"Theta:  {theta.digest}, that of the last session, since --theta is not given")
    return theta


def _serve(
    desk: "Desk",
    bound: "socket",
    port: int,
    host: str,
    allowed: tuple[str, ...],
    view: str,
    *,
    at: Path | None = None,
    is_shown: bool = False,
) -> None:
    from pointmask.click.server.serve import Server
    from pointmask.click.server.wire import address, guard

    token = guard.new_token()
    place = address.page_address(port, host, token, view)
    redirect = _redirect_to(place) if is_shown else None
    server = Server(desk, token, allowed=allowed, on_first=redirect.remove if redirect else None)
    say(f"Page:   {place}")
    ssh = address.ssh_line(port, os.environ, at)
    if ssh is not None:
        say(f"From your own machine, first:  {ssh}")
    say("Ctrl+C ends; nothing is unsaved.")
    before = desk.session.seq
    try:
        if redirect is not None:
            redirect.open()
        server.run_on(bound)
    finally:
        if redirect is not None:
            redirect.remove()
    if desk.session.seq == before:
        setup = desk.session.setup
        noted = "" if setup.read_only else f"; that there was a session is noted in {setup.out}"
        say(f"Ended. No mask was changed{noted}.")
    else:
        say("Ended. The output folder is brought up to date; Ctrl+C leaves that to the next time.")
        _publish(desk)


def _redirect_to(place: str) -> "Redirect | None":
    """Make the page that a browser opens, unless there is no folder for it: the address is shown anyway."""
    from pointmask.click.server.wire.address import Redirect

    try:
        return Redirect(place)
    except OSError as error:
        _warn(f"no browser is opened ({error.strerror or error}); open the address above")
        return None


def _fill(desk: "Desk") -> bool:
    """Make the masks of all points, say which could not be made, and return whether all could."""
    from pointmask.cli.progress import progress_display
    from pointmask.cli.summary import announce_compilation, list_some
    from pointmask.click.jobs.fill import fill
    from pointmask.executors import Progress

    announce_compilation()
    with progress_display() as show:
        problems = fill(desk.session, report=lambda done, total: show(Progress(done, total, done, 0)))
    if problems:
        list_some(
            "Not made", [f"{name}, frame {frame}: {why}" for (name, frame), why in problems.items()], ""
        )
    return not problems


def _publish_up_to_damage(wish: "Wish") -> None:
    from pointmask.click.server.start import setup_of, source_of
    from pointmask.click.session.salvage import publish_up_to_damage

    published, line = publish_up_to_damage(setup_of(wish, source_of(wish)[0]))
    say(f"{_frames_with_targets(published)} in {wish.out}, as of line {line:,} of the journal.")


def _publish(desk: "Desk") -> bool:
    """Bring the output folder up to date, unless the user has no time for it; return whether all is there."""
    from pointmask.click.publish.folder import Cancelled

    stopped = threading.Event()
    before = signal.signal(signal.SIGINT, lambda number, frame: stopped.set())
    try:
        published = desk.session.publish(cancel=stopped)
    except Cancelled:
        say("Left for the next time; every edit is in the journal.")
        return False
    else:
        skipped = f", {published.skipped:,} left out" if published.skipped else ""
        say(f"{_frames_with_targets(published)} in {desk.session.setup.out}{skipped}.")
        return not published.skipped
    finally:
        signal.signal(signal.SIGINT, before)


def _frames_with_targets(published: "Published") -> str:
    frames, targets = published.done, published.targets
    one = f"{frames:,} frame{'s' * (frames != 1)} with {targets:,} target{'s' * (targets != 1)}"
    return f"{one} {'is' if frames == 1 else 'are'}"


def _warn(sentence: str) -> None:
    complain(f"WARNING: {sentence}")


def _what_is_there(desk: "Desk", *, is_new: bool) -> str:
    """Say what the output folder holds."""
    session = desk.session
    out = f"Output: {session.setup.out}"
    if session.last_edit is None:
        return f"{out}, {'new' if is_new else 'in which nobody has clicked yet'}"
    milliseconds, who = session.last_edit
    at = time.strftime("%Y-%m-%d %H:%M", time.localtime(milliseconds / 1000))
    images = len({image for image, _ in session.marked()})
    return f"{out}, goes on: {images:,} image{'s' * (images != 1)}, last edit {at} by {who}"
