"""A process that is told to stop tidies up, says how to go on, and ends with the status of convention."""

import os
import signal
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner
from tools.folders import scenes, tree

from pointmask.cli import main
from pointmask.io.formats.tables.csv import Csv
from pointmask.stopping import StoppedError, signals_stop, status_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")

PROGRAM = """
import atexit, gc, os, signal, sys
from pointmask.cli import main
atexit.register(lambda: print("frozen at exit:", gc.get_freeze_count() > 10_000))  # the first is the last
from pointmask.folder import worker
write, images = worker.write_whole, []
def stop(path, *arguments, **options):
    images.append(path)
    if len(images) == 5:
        os.kill(os.getpid(), getattr(signal, "SIG" + os.environ["STOP_BY"]))
    write(path, *arguments, **options)
worker.write_whole = stop
main(prog_name="pointmask")
"""


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP"])
def test_a_job_that_is_told_to_stop_goes_on_afterwards(tmp_path, name):
    images, points = scenes(tmp_path)
    Csv().write(points, tmp_path / "points.csv")
    command = ["annotate", str(images), "--points", str(tmp_path / "points.csv"), "--out"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *command, str(tmp_path / "out")],
        env={**os.environ, "STOP_BY": name}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 128 + getattr(signal, f"SIG{name}"), done.stderr
    assert "run the same command again" in done.stderr
    assert "Traceback" not in done.stderr
    assert "frozen at exit: True" in done.stdout
    assert not list((tmp_path / "out").rglob("*.tmp"))
    for out in ("out", "alone"):
        assert CliRunner().invoke(main, [*command, str(tmp_path / out)]).exit_code == 0
    assert tree(tmp_path / "out") == tree(tmp_path / "alone")


def test_a_reader_that_goes_away_is_no_error():
    code = "from pointmask.cli import main; main(['convert', '--help'], prog_name='pointmask')"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    told = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() in (1, 128 + signal.SIGPIPE)  # 1: click itself saw it first
    assert "Traceback" not in told


def test_signals_that_are_ignored_stay_so():
    """As nohup asks for."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals_stop():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_handlers_are_put_back_and_the_status_tells_the_signal():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(StoppedError) as caught, signals_stop():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before
    assert status_of(caught.value) == 143
    assert status_of(KeyboardInterrupt()) == 130
    assert status_of(BrokenPipeError()) == 141


@pytest.mark.parametrize(
    ("name", "said"), [("annotate", "again"), ("train", "--resume"), ("bench", "Nothing")]
)
def test_each_command_says_what_it_kept(monkeypatch, name, said):
    command = main.get_command(None, name)

    def stop(context):
        raise KeyboardInterrupt

    def context(name, arguments, parent):
        return click.Context(command, info_name=name, parent=parent)

    monkeypatch.setattr(command, "invoke", stop)
    monkeypatch.setattr(command, "make_context", context)
    done = CliRunner().invoke(main, [name])
    assert done.exit_code == 130
    assert said in done.stderr


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "PIPE"])
@pytest.mark.parametrize("command", sorted(main.list_commands(None)))
def test_every_command_ends_with_the_status_of_convention(monkeypatch, command, name):
    asked = main.get_command(None, command)

    def stop(context):
        if name == "PIPE":
            raise BrokenPipeError
        signal.raise_signal(getattr(signal, f"SIG{name}"))
        raise AssertionError("went on")

    def context(name, arguments, parent):
        return click.Context(asked, info_name=name, parent=parent)

    monkeypatch.setattr(asked, "invoke", stop)
    monkeypatch.setattr(asked, "make_context", context)
    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
    try:
        done = CliRunner().invoke(main, [command])
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.exit_code == 128 + getattr(signal, f"SIG{name}"), done.output
    assert "Traceback" not in done.output
    assert handlers == [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]


BUSY = """
import atexit, sys, threading, time
from pointmask.cli import main
from pointmask.stopping import leave_daemons
atexit.register(print, "taken down")
leave_daemons()
threading.Thread(target=time.sleep, args=[60 if sys.argv[1] == "busy" else 0], daemon=True).start()
time.sleep(0.2)
sys.argv[:2] = ["pointmask"]
main()
"""

SCRIPT = """
import sys, threading, time
from contextlib import suppress
from pointmask.cli import main
from pointmask.stopping import leave_daemons
leave_daemons()
threading.Thread(target=time.sleep, args=[60], daemon=True).start()
with suppress(SystemExit):
    main(["--version"])
sys.exit(5)
"""


def test_a_script_that_serves_a_page_ends_with_its_own_status():
    assert subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True).returncode == 5


@pytest.mark.parametrize(("call", "code"), [(["--version"], 0), (["nonsense"], 2)])
def test_nothing_is_taken_down_while_a_thread_is_at_work(call, code):
    said = {}
    for thread in ("busy", "idle"):
        done = subprocess.run([sys.executable, "-c", BUSY, thread, *call], capture_output=True, text=True)
        assert done.returncode == code
        said[thread] = (done.stdout, done.stderr)
    assert said["idle"] == (said["busy"][0] + "taken down\n", said["busy"][1])
    assert any(said["busy"])


HANGING = """
import sys, time
import click
from pointmask import cli
from pointmask.io.notes import note

def wait(context):
    note("something was assumed", "a.png")
    print("ready", flush=True)
    time.sleep(60)

asked = cli.main.get_command(None, "check")
asked.invoke = wait
asked.make_context = lambda name, arguments, parent: click.Context(asked, info_name=name, parent=parent)
cli.main.main(["check"])
"""


def test_a_closed_terminal_is_a_hangup_although_nothing_can_be_said():
    import pty

    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", HANGING])
    said = b""
    while b"ready" not in said:  # an error ends the reading: the terminal is closed then
        said += os.read(terminal, 1000)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 129
