"""Names and texts that steer a terminal, through every command: none of it reaches an output or a page."""

import json
import re
from pathlib import Path

import pytest

EVIL = "\x1b]0;owned\x07\x9b31m\u202e<script>\nWARNING: forged $^{x$"
FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
CODE = (Path(__file__).parents[2] / "annotator" / "pointmask", Path(__file__).parents[2] / "trainer")


def check_text(said):
    assert not FORBIDDEN.search(said), FORBIDDEN.search(said)
    assert not re.search(r"^WARNING: forged", said, re.MULTILINE), said


def check_pages(folder):
    pages = [path for path in folder.rglob("*.html") if path.is_file()]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        check_text(text)
        assert "<script>\\nWARNING" not in text
    return pages


@pytest.fixture
def evil(folder):
    """Images, masks and points of which all have a hostile name."""
    head, *rows = (folder / "points.csv").read_text().split()
    for kind in ("images", "masks"):
        for path in sorted((folder / kind).iterdir()):
            path.rename(path.with_name(f"{path.stem}{EVIL.replace('/', '')}.png"))
    named = [row.split(",") for row in rows]
    lines = [head, *(f'"{name}{EVIL}.png",{x},{y}' for name, x, y in named), f'"gone{EVIL}",3,4']
    (folder / "points.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder.rename(folder.with_name(f"data{EVIL}"))


def test_annotate_check_convert(evil, tmp_path, run):
    images, points, out = evil / "images", evil / "points.csv", tmp_path / f"out{EVIL}"
    commands = [
        ("annotate", images, "--points", points, "--out", out, "--report", "--save", "mask,coco,labelme"),
        ("annotate", images, "--points", points, "--out", out, "--report"),
        ("annotate", images, "--points", evil / "nothing", "--out", out),
        ("annotate", images, "--points", points, "--out", out, "--save", EVIL),
        ("annotate", images, "--points", points, "--out", out, "--theta", EVIL),
        ("annotate", images, "--points", points, "--out", tmp_path / "t", "--track"),
        ("check", images, "--points", points, "--masks", evil / "masks", "--json", tmp_path / "found.json"),
        ("check", images, "--masks", evil / "masks", "--fix", tmp_path / "fixed"),
        ("convert", points, tmp_path / "c.json", "--to", "coco", "--images", images),
        ("convert", out, tmp_path / "voc", "--to", "voc", "--images", images),
        ("convert", out, tmp_path / f"c{EVIL}.csv", "--to", "csv"),
        (
            "calibrate",
            images,
            "--masks",
            evil / "masks",
            "--simulate",
            "centroid",
            "--out",
            tmp_path / "t.toml",
        ),
    ]
    for command in commands:
        _, said = run(*command)
        check_text(said)
    assert check_pages(out)
    found = (tmp_path / "found.json").read_text(encoding="utf-8")
    check_text(found)
    items = [item for finding in json.loads(found)["findings"] for item in finding["items"]]
    assert any(EVIL in item for item in items)  # as it is, once it is read


def test_bench_and_its_chart(evil, tmp_path, run):
    pytest.importorskip("matplotlib")
    out = tmp_path / f"bench{EVIL}"
    command = (
        "bench",
        evil / "images",
        "--masks",
        evil / "masks",
        "--methods",
        "ours,threshold",
        "--out",
        out,
    )
    code, said = run(*command)
    assert code == 0, said
    check_text(said)
    assert (out / "bench.png").exists()


def test_a_training_with_its_pages_and_charts(evil, tmp_path, run):
    pytest.importorskip("torch")
    from tools.trainer.training import TINY

    out = tmp_path / f"run{EVIL}"
    for path in (evil / "img_idx").iterdir():
        path.unlink()
    settings = [word for setting in TINY for word in ("--set", setting)]
    said = run("train", evil, "--strategy", "d2d", *settings, "--out", out, "--trust-labels")[1]
    for command in (
        ("analyse", out),
        ("evaluate", out, evil, "--list", "val", "--out", tmp_path / "e"),
        ("predict", out, evil / "images", "--out", tmp_path / "p", "--device", "cpu"),
        ("select", out, "--keep", "0.5"),
        ("train", evil, "--strategy", EVIL, "--out", out),
    ):
        said += run(*command)[1]
    check_text(said)
    assert len(check_pages(tmp_path)) >= 1


def test_every_command_prints_through_one_place():
    for top in CODE:
        for path in top.rglob("cli/**/*.py"):
            if path.parts[-2:] != ("cli", "__init__.py"):
                text = re.sub(r"[cC]onsole[^\n]*\.print\(", "", path.read_text(encoding="utf-8"))
                assert not re.search(r"click\.(echo|secho)\(|\bprint\(", text), path


def test_proposals_and_click_folders(evil, tmp_path, run):
    pytest.importorskip("torch")  # of models and export
    images, points, out = evil / "images", evil / "points.csv", tmp_path / f"out{EVIL}"
    said = run("propose", images, "--out", tmp_path / f"found{EVIL}")[1]
    for name in ("a", "b"):
        folder = tmp_path / f"{name}{EVIL}"
        said += run("click", images, "--points", points, "--out", folder, "--publish")[1]
    folders = (tmp_path / f"a{EVIL}", tmp_path / f"b{EVIL}")
    for command in (
        ("agree", *folders),
        ("merge", *folders, "--out", out),
        ("agree", evil / "nothing", folders[0]),
        ("click", images, "--proposals", tmp_path / f"none{EVIL}", "--out", out, "--publish"),
        ("demo", tmp_path / f"demo{EVIL}"),
        ("models", EVIL),
        ("export", tmp_path / EVIL.replace("/", ""), "--out", out),
    ):
        said += run(*command)[1]
    check_text(said)
    assert "owned" in said
    check_pages(tmp_path)


LONG = "a" * 300  # bytes, of which file systems take 255


@pytest.mark.parametrize(
    "words",
    [
        ("annotate", LONG, "--points", "points.csv", "--out", "out"),
        ("annotate", "images", "--points", LONG, "--out", "out"),
        ("annotate", "images", "--points", "points.csv", "--out", LONG),
        ("annotate", "images", "--points", "points.csv", "--out", "out", "--theta", LONG),
        ("annotate", "images", "--points", "points.csv", "--out", "out", "--list", LONG),
        ("click", "images", "--out", LONG, "--publish"),
        ("check", LONG),
        ("check", "images", "--json", LONG),
        ("convert", LONG, "x.json", "--to", "coco"),
        ("convert", "points.csv", LONG, "--to", "coco"),
        ("bench", "images", "--masks", LONG, "--out", "out"),
        ("score", LONG, "masks"),
        ("propose", LONG, "--out", "out"),
        ("merge", LONG, "images", "--out", "out"),
        ("train", ".", "--out", LONG),
        ("train", ".", "--config", LONG, "--out", "out"),
        ("predict", "builtin", "images", "--out", LONG),
        ("evaluate", LONG, ".", "--out", "out"),
    ],
    ids=lambda words: " ".join("LONG" if word == LONG else word for word in words),
)
def test_a_path_that_is_longer_than_any_is_a_wrong_call(folder, monkeypatch, run, words):
    monkeypatch.chdir(folder)
    code, said = run(*words)
    assert code == 2
    assert LONG in said.replace("\n", "")
