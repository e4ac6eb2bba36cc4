"""Attacks on every command: what files, names, figures and systems can do that no job should suffer from.

One file per kind of attack, each of which walks the commands that it concerns:

test_special_files.py   pipes, sockets, devices, links to themselves, files that are far too large
test_hostile_names.py   control characters in names and texts, on every output and page
test_hostile_values.py  figures, parameters and documents at and beyond their bounds
test_hostile_records.py weights, records and journals that were written to do harm
test_own_files*.py      what pointmask may replace or remove, and what never
losses/                 power that fails, on a disk that forgets (power.py) and on a real ext4; kills
test_surroundings.py    closed streams, plain locales, strict interpreters, forks, threads
test_folder_recipes.py  stale, lost and foreign results in output folders; full and read-only disks
test_training_recipes.py data that change, and places that are no run
"""

import signal
from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from tools.trainer.training import make_folder

from pointmask.cli import main

LONGEST = 240  # seconds that a command of these tests may take: it may have to compile first


@contextmanager
def at_most(seconds):
    """Interrupt what waits for ever, such as the opening of a pipe."""

    def stop(number, frame):
        raise AssertionError(f"still waiting after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def run():
    """Run a command in this process: exit status and output; a traceback fails the test."""

    def command(*arguments):
        with at_most(LONGEST):
            done = CliRunner().invoke(main, [str(argument) for argument in arguments])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.output

    return command


@pytest.fixture
def folder(tmp_path):
    """Six scenes with images/, masks/, points.csv and lists."""
    return make_folder(tmp_path / "data", 6)
