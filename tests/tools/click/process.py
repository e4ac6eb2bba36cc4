"""`pointmask click` as a user starts it: a process that can be killed, and started again at the same port."""

import re
import subprocess
import sys


class Process:
    """The command on a folder; `start` returns the address that it prints."""

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
