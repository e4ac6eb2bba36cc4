"""``pointmask click`` as a process: what it says, how it ends, and who may be in a folder at once."""

import os
import re
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection

import pytest
from click.testing import CliRunner
from tools.click.opening import open_session
from tools.click.process import ended, started
from tools.click.serving import scenes
from tools.click.session import Clicker, FolderFrames

from pointmask import Theta, annotate_folder, cli, open_source
from pointmask.click.session.setup import Setup

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are sent as on POSIX")


def test_it_says_where_the_page_is_and_goes_on_where_work_stopped(tmp_path):
    images = scenes(tmp_path / "images")
    ssh = {"SSH_CONNECTION": "10.0.0.9 50000 10.0.0.5 22"}
    with started(images, "--annotator", "mei", **ssh) as (process, client, said):
        assert "Images: 3" in said
        assert f"{tmp_path / 'images-clicks'}, new" in said
        assert f"ssh -L {client.port}:127.0.0.1:{client.port} " in said
        while client.edit("add", row=20, col=30).status == 503:
            pass
        status, said = ended(process)
        assert status == 0
        assert "1 frame with 1 target is in" in said
        assert client.token not in said
    assert (tmp_path / "images-clicks/masks/f0.png").is_file()
    with started(images) as (process, client, said):
        assert re.search(r"goes on: 1 image, last edit .* by mei", said)
        assert client.get("/api/frame/0/0").json["targets"][0]["who"] == "mei"
        status, said = ended(process)
        assert (status, said.partition(";")[0]) == (0, "Ended. No mask was changed")
        assert f"is noted in {tmp_path / 'images-clicks'}." in said


def test_a_second_annotator_of_a_folder_is_refused_and_told_who_the_first_is(tmp_path):
    images, out = scenes(tmp_path / "images"), tmp_path / "images-clicks"
    with started(images, "--annotator", "mei", "--out", str(out)) as (process, client, _):
        words = ["click", str(images), "--no-browser", "--annotator", "jo"]
        second = CliRunner().invoke(cli.main, words)
        assert second.exit_code == 2
        assert "'mei'" in second.output
        assert str(process.pid) in second.output
        with started(images, "--read-only") as (_, looker, said):
            assert "images-clicks, in which nobody has clicked yet" in said
            assert looker.get("/api/session").json["read_only"]
        assert client.get("/api/session").status == 200
        while client.edit("add", row=20, col=30).status == 503:
            pass
        out.rename(tmp_path / "images-click")
        status, said = ended(process)
        assert (status, "is not the folder any more" in said, "Did you mean" in said) == (2, True, False)


def test_the_page_is_behind_a_socket_when_asked(tmp_path):
    at, lines = tmp_path / "s", []
    words = [sys.executable, "-m", "pointmask", "click", scenes(tmp_path / "images"), "--socket", at]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        while not lines or not lines[-1].startswith("Ctrl+C"):
            lines.append(process.stdout.readline())
            assert process.poll() is None, lines
        said = "".join(lines)
        assert re.search(rf"ssh .*-L 8765:{at} ", said)
        token = re.search(r"Page:   http://127\.0\.0\.1:8765/#token=(\S+)", said)[1]
        with socket.socket(socket.AF_UNIX) as way:
            way.connect(os.fspath(at))
            head = f"GET /api/session HTTP/1.1\r\nHost: localhost:8765\r\nX-Pointmask-Token: {token}\r\n\r\n"
            way.sendall(head.encode())
            assert way.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert ended(process)[0] == 0
        assert not at.exists()
    finally:
        process.kill()
        process.communicate()


def test_publish_shows_no_page(tmp_path):
    images = scenes(tmp_path / "images")
    with started(images) as (process, client, _):
        while client.edit("add", row=20, col=30).status == 503:
            pass
        process.kill()
        process.wait()
    done = CliRunner().invoke(cli.main, ["click", str(images), "--publish"])
    assert done.exit_code == 0, done.output
    assert "1 frame with 1 target" in done.output
    assert (tmp_path / "images-clicks/manifest.jsonl").is_file()


def test_a_damaged_journal_is_published_up_to_the_damage_and_left_alone(tmp_path):
    images = scenes(tmp_path / "images")
    out = tmp_path / "images-clicks"
    setup = Setup(out=out, annotator="mei", theta=Theta.load("default"))
    with open_session(setup, FolderFrames(open_source(images))) as session:
        for row in (20, 40):
            Clicker(session, next(path.name for path in images.iterdir()), f"c{row}").add(row, 30)
    damaged = (out / "clicks.jsonl").read_bytes().replace(b'"seq": 3', b'"seq": 7')
    (out / "clicks.jsonl").write_bytes(damaged)
    shown = CliRunner().invoke(cli.main, ["click", str(images), "--no-browser"])
    assert shown.exit_code == 2
    assert "clicks.jsonl, line 3, is not as pointmask wrote it: its seq is 7" in shown.output
    done = CliRunner().invoke(cli.main, ["click", str(images), "--publish"])
    assert done.exit_code == cli.EXIT_SOME_SKIPPED, done.output
    assert "1 frame with 1 target" in done.output
    assert "as of line 2 of the journal" in done.output
    assert (out / "clicks.jsonl").read_bytes() == damaged


def test_the_token_is_on_no_command_line(tmp_path):
    """A browser is opened by a file that leads to the address."""
    opener = tmp_path / "opener"
    opener.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {tmp_path}/opened\n')
    opener.chmod(0o755)
    images = scenes(tmp_path / "images")
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    code = f"import sys; sys.argv = ['pointmask', 'click', {str(images)!r}, '--port', '0']\n"
    code += "from pointmask.cli import main; main()"
    display = {"DISPLAY": ":9", "BROWSER": str(opener), "XDG_RUNTIME_DIR": str(runtime), "SSH_CONNECTION": ""}
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **display},
    )
    try:
        said = ""
        while "Ctrl+C" not in said:
            said += process.stdout.readline()
            assert process.poll() is None, said
        found = re.search(r"127\.0\.0\.1:(\d+)/#token=(\S+)", said)
        while not (tmp_path / "opened").exists():
            assert process.poll() is None
            time.sleep(0.05)
        (page,) = runtime.iterdir()
        assert found[2] in page.read_text()
        assert page.stat().st_mode & 0o777 == 0o600
        connection = HTTPConnection("127.0.0.1", int(found[1]))
        connection.request("GET", "/api/session", headers={"X-Pointmask-Token": found[2]})
        assert connection.getresponse().status == 200
        connection.close()
        assert not list(runtime.iterdir())
        assert found[2] not in (tmp_path / "opened").read_text()
    finally:
        process.kill()
        process.communicate()


def test_all_given_points_become_the_masks_of_annotate(tmp_path):
    images, out = scenes(tmp_path / "images"), tmp_path / "out"
    points = tmp_path / "points.csv"
    points.write_text("image,x,y\nf0.png,30,20\nf0.png,50,40\nf1.png,,\nf2.png,30,20\nf9.png,1,1\n")
    words = ["click", str(images), "--out", str(out), "--points", str(points), "--fill", "--publish"]
    done = CliRunner().invoke(cli.main, words)
    assert done.exit_code == 0, done.output
    assert "f9.png" in done.output
    annotate_folder(images, points, tmp_path / "wanted")
    wanted = sorted((tmp_path / "wanted/masks").iterdir())
    assert [mask.name for mask in wanted] == ["f0.png", "f1.png", "f2.png"]
    for mask in wanted:
        assert (out / "masks" / mask.name).read_bytes() == mask.read_bytes()

    (images / "f2.png").write_bytes(b"damaged")
    words[3] = str(tmp_path / "again")
    done = CliRunner().invoke(cli.main, words)
    assert done.exit_code == cli.EXIT_SOME_SKIPPED, done.output
    assert "f2.png, frame 0" in done.output


WRONG = (
    (["--fill"], "--points"),
    (["--shard", "4/3"], "4/3"),
    (["--labels", "a,a"], "different labels"),
    (["--publish", "--read-only"], "give one of the two"),
    (["--host", "0.0.0.0"], "--allow-host"),
    (["--annotator", ""], "annotator"),
    (["--theta", "nothing.toml"], "nothing.toml"),
    (["--read-only"], "makes no folder"),
    (["--socket", "s", "--port", "0"], "takes the place"),
)


@pytest.mark.parametrize(("words", "told"), WRONG, ids=[words[0] for words, _ in WRONG])
def test_what_cannot_be_is_refused_with_status_2(tmp_path, words, told):
    done = CliRunner().invoke(cli.main, ["click", str(scenes(tmp_path / "images")), "--no-browser", *words])
    assert done.exit_code == 2
    assert told in done.output


def test_a_folder_without_images_says_what_is_there(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.gif").touch()
    with started(tmp_path / "images") as (_, client, said):
        assert "1 .gif" in said
        assert client.get("/api/session").json["images"]["count"] == 0
        assert client.get("/api/images?folder=0").json["rows"] == []
