"""``pointmask click`` as a process."""

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

from tools.click.serving import Client


@contextmanager
def started(*words, **environment):
    """A running command, a client of its page, and the lines that it printed before."""
    command = [sys.executable, "-m", "pointmask", "click", *map(str, words), "--no-browser", "--port", "0"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
    )
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Ctrl+C"):
                break
        found = re.search(r"http://127\.0\.0\.1:(\d+)/#token=([\w-]+)", "".join(lines))
        assert found, lines
        client = Client(None, int(found[1]), found[2])
        yield process, client, "".join(lines)
        client.close()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process):
    """Press Ctrl+C; return the exit status and what was said."""
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    return process.returncode, said


class Process:
    """The command on a folder, killed and started again at the same port; `start` returns its address."""

    def __init__(self, images, out, *options):
        self.command = [sys.executable, "-m", "pointmask", "click", str(images), "--out", str(out)]
        self.command += ["--no-browser", "--annotator", "mei", *options]
        self.port, self.running = 0, None

    def start(self):
        command = [*self.command, "--port", str(self.port)]
        self.running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        told = ""
        for line in self.running.stdout:
            told += line
            found = re.search(r"(http://127\.0\.0\.1:(\d+)/)#token=(\S+)", line)
            if found:
                self.port = int(found[2])
                return found[0]
        raise AssertionError(f"no address was printed:\n{told}")

    def kill(self):
        self.running.kill()
        self.running.wait()
        self.running.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.running and self.running.poll() is None:
            self.kill()
