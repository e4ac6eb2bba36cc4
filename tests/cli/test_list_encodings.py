"""Lists of ids reach `annotate` and `check` whatever their encoding, through the one reader."""

import json

import pytest
from click.testing import CliRunner
from tools.folders import reasons, save, spot
from tools.lists import ENCODINGS, write_list

from pointmask.cli import main


@pytest.fixture
def folder(tmp_path):
    for name in ("größe", "seq/b", "c", "d"):
        save(tmp_path / f"images/{name}.png", spot())
    (tmp_path / "points.csv").write_text("image,x,y\ngröße,24,20\nseq/b,24,20\nc,24,20\n", encoding="utf-8")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_annotate_takes_the_images_of_a_list(folder, encoding):
    listed = write_list(folder / "list.txt", ["größe.png", "/seq\\b", "seq/b", "gone"], encoding)
    out = folder / "out"
    done = run(
        "annotate", folder / "images", "--points", folder / "points.csv", "--list", listed, "--out", out
    )
    assert done.exit_code == 3, done.output
    masks = {path.relative_to(out / "masks").as_posix() for path in (out / "masks").rglob("*.png")}
    assert masks == {"größe.png", "seq/b.png"}
    assert list(reasons(out)) == ["gone"]


@pytest.mark.parametrize("option", ["--list", "--lists"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_check_looks_at_the_images_of_a_list(folder, option, encoding):
    listed = write_list(
        folder / "img_idx" / "train_mine.txt", ["größe.png", "seq/b", "seq/b", "gone"], encoding
    )
    given = listed if option == "--list" else listed.parent
    done = run("check", folder / "images", option, given, "--json", folder / "report.json")
    assert done.exit_code == 3, done.output
    report = (folder / "report.json").read_text(encoding="utf-8")
    items = {finding["kind"]: finding["items"] for finding in json.loads(report)["findings"]}
    assert [item.partition(":")[0] for item in items["unlisted"]] == ["gone"]
    assert sorted(items["in no list"]) == ["c.png", "d.png"]
    (style,) = items["list style"]
    assert "ids twice (" in style
    assert "line ends of Windows" in style
    assert ("byte order mark" in style) == (encoding != "utf-8")


@pytest.mark.parametrize("data", [b"a\xff\n", b"\xff\xfea"])
@pytest.mark.parametrize("command", ["annotate", "check"])
def test_what_is_no_text_is_named(folder, command, data):
    (folder / "list.txt").write_bytes(data)
    rest = ("--out", folder / "out") if command == "annotate" else ()
    points = ("--points", folder / "points.csv")
    done = run(command, folder / "images", *points, "--list", folder / "list.txt", *rest)
    assert done.exit_code == 2, done.output
    assert "list.txt is no text in UTF-8 or UTF-16 (byte " in done.output
    assert "one image id per line" in " ".join(done.output.split())
