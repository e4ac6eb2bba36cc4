"""Publish what a damaged journal says up to the damage; the file itself is left as it is."""

from contextlib import closing

from pointmask.click.publish.folder import Contents, Published, publish
from pointmask.click.publish.own import OwnMasks
from pointmask.click.session.hold import hold_folder
from pointmask.click.session.setup import Setup
from pointmask.click.session.store import Store
from pointmask.io.layout import CLICKS


def publish_up_to_damage(setup: Setup) -> tuple[Published, int]:
    """
    Bring a folder up to the last line of its journal before the first that is not pointmask's.

    Parameters
    ----------
    setup : Setup

    Returns
    -------
    published : Published
    line : int
        The last line that was read.

    Raises
    ------
    LockedError
        If another process writes to the folder.
    OutputError
        If a file cannot be written.
    """
    with hold_folder(setup.out, setup.annotator), closing(OwnMasks(setup.out)) as own:
        store = Store(setup.out / CLICKS, setup.annotator, setup.settings, read_only=True, up_to_damage=True)
        contents = Contents(
            own,
            sorted(store.index.frames),
            store.get,
            store.sync,
            setup.settings,
            setup.theta.to_toml(),
            0,
        )
        return publish(contents), store.index.seq
