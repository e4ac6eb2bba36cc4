"""Pipes, sockets, devices, links to themselves and giants: each is named, none is waited for or read."""

import os
import shutil
import socket
from pathlib import Path

import pytest


def pipe(path):
    os.mkfifo(path)


def device(path):
    path.symlink_to("/dev/zero")


def bound_socket(path):
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket has 108 bytes at most
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def loop(path):
    path.symlink_to(path.name)


def giant(path):
    path.touch()
    os.truncate(path, 30 * 2**30)  # sparse


SPECIAL = {"a pipe": pipe, "a device": device, "a socket": bound_socket}
IN_FOLDERS = {**SPECIAL, "symbolic links": loop, "limit": giant}


@pytest.fixture(params=list(SPECIAL))
def special(request, tmp_path):
    """A path that is none of a file and a folder, and what it is."""
    path = tmp_path / "special"
    SPECIAL[request.param](path)
    return path, request.param


@pytest.mark.parametrize("what", list(IN_FOLDERS))
def test_among_images(folder, tmp_path, run, what):
    IN_FOLDERS[what](folder / "images" / "odd.png")
    with (folder / "points.csv").open("a") as file:
        file.write("odd.png,5,5\n")
    code, said = run(
        "annotate", folder / "images", "--points", folder / "points.csv", "--out", tmp_path / "o"
    )
    assert code == 3
    assert "Skipped (1)" in said
    assert what in next(line for line in said.splitlines() if line.startswith("  odd.png"))
    assert len(list((tmp_path / "o" / "masks").iterdir())) == 6
    code, said = run("check", folder / "images")
    assert code == 3
    assert "1 file cannot be read" in said
    assert what in said


@pytest.mark.parametrize("what", list(IN_FOLDERS))
def test_among_masks(folder, tmp_path, run, what):
    (folder / "masks" / "scene_000.png").unlink()
    IN_FOLDERS[what](folder / "masks" / "scene_000.png")
    for command in (
        ("check", folder / "images", "--masks", folder / "masks"),
        ("annotate", folder / "images", "--points", folder / "masks", "--simulate", "centroid", "--out"),
        ("bench", folder / "images", "--masks", folder / "masks", "--methods", "threshold", "--out"),
        ("convert", folder / "masks", tmp_path / "c.json", "--from", "masks", "--to", "coco"),
    ):
        out = [tmp_path / command[0]] if command[-1] == "--out" else []
        code, said = run(*command, *out)
        assert code in (2, 3), command
        assert what in said, command


def test_given_as_a_path(folder, tmp_path, run, special):
    path, what = special
    images, points = folder / "images", folder / "points.csv"
    out = ("--out", tmp_path / "out")
    for command in (
        ("annotate", path, "--points", points, *out),
        ("annotate", images, "--points", path, *out),
        ("annotate", images, "--points", points, "--theta", path, *out),
        ("annotate", images, "--points", points, "--list", path, *out),
        ("annotate", images, "--points", path, "--simulate", "centroid", *out),
        ("check", path),
        ("check", images, "--points", path),
        ("check", images, "--masks", path),
        ("check", images, "--list", path),
        ("convert", path, tmp_path / "c.json", "--to", "coco"),
        ("convert", points, tmp_path / "c.json", "--to", "coco", "--images", path),
        ("calibrate", images, "--masks", path, "--points", points, "--out", tmp_path / "theta.toml"),
        ("bench", images, "--masks", path, *out),
    ):
        code, said = run(*command)
        assert code == 2, command
        assert what in said, (command, said)
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


@pytest.mark.parametrize("name", ["a.json", "a.xml", "a.txt", "a.csv", "a.npy", "a.mat", "labels"])
def test_in_a_folder_of_documents(tmp_path, run, name):
    documents = tmp_path / "documents"
    documents.mkdir()
    pipe(documents / name)
    for other in (None, "b.json", "b.xml", "b.txt"):
        if other:
            (documents / other).write_text('{"shapes": []}' if other == "b.json" else "0 0.5 0.5 0.1 0.1")
        code, _ = run("convert", documents, tmp_path / "c.json", "--to", "coco")
        assert code in (2, 3)


def test_in_the_output(folder, tmp_path, run):
    command = ("annotate", folder / "images", "--points", folder / "points.csv", "--out", tmp_path / "o")
    assert run(*command)[0] == 0
    for name in ("manifest.jsonl", ".journal.jsonl", "theta.toml"):
        shutil.copytree(tmp_path / "o", tmp_path / "w", dirs_exist_ok=True)
        (tmp_path / "w" / name).unlink(missing_ok=True)
        pipe(tmp_path / "w" / name)
        code, said = run(*command[:-1], tmp_path / "w")
        assert code in (1, 2), (name, said)
        shutil.rmtree(tmp_path / "w")


def test_given_to_the_trainer(folder, tmp_path, run, special):
    pytest.importorskip("torch")
    path, _ = special
    out = ("--device", "cpu", "--epochs", "1", "--out", tmp_path / "run")
    for command in (
        ("train", path, "--strategy", "full", *out),
        ("train", folder, "--strategy", "full", "--config", path, *out),
        ("train", folder, "--strategy", "point", "--points", path, *out),
        ("train", folder, "--strategy", "masks", "--masks", path, *out),
        ("train", folder, "--strategy", "full", "--train-list", path, *out),
        ("evaluate", path, folder),
        ("predict", path, folder / "images", "--out", tmp_path / "p"),
    ):
        code, said = run(*command)
        assert code == 2, command
        assert path.name in said, (command, said)
