"""The corrected copy that `check --fix` writes."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from tools.folders import save, tree

from pointmask import cli
from pointmask.doctor import examine
from pointmask.doctor.fix import RECORD, check_out
from pointmask.errors import OutputError
from pointmask.io.formats.tables.csv import Csv
from pointmask.io.points.lists import read_ids
from pointmask.io.points.points import Point, Points
from pointmask.synth.scenes import make_scenes


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    points = {}
    for k, scene in enumerate(make_scenes(8, 1, shape=(80, 96))):
        save(root / f"images/{k}.png", scene.image)
        save(root / f"masks/{k}.png", scene.mask)
        points[f"{k}.png"] = tuple(Point(int(row), int(col)) for row, col in scene.points)
    mask = np.zeros((80, 96), np.uint8)
    mask[30:34, 40:46] = 1
    save(root / "masks/0.png", mask)
    save(root / "masks/1.png", np.where(mask, 200, 0).astype(np.uint8))
    save(root / "masks/2.png", np.repeat(np.repeat(mask * 255, 2, 0), 2, 1))
    save(root / "masks/3.png", mask[:60] * 255)
    save(root / "masks/4.png", mask * np.arange(96, dtype=np.uint8))
    Image.fromarray(mask * 255).save(root / "masks/stranger.bmp")
    (root / "images/bad.png").write_bytes(b"no image")
    save(root / "images/copy.png", np.asarray(Image.open(root / "images/5.png")))
    first = Point(10, 12)
    points["7.png"] = (first, Point(11, 12, "again"), Point(60, 70))
    points["nowhere.png"] = (first,)
    Csv().write(Points(points), root / "points.csv")
    (root / "img_idx").mkdir()
    (root / "img_idx/train_data.txt").write_bytes(b"5.png\r\n0\r\n0\r\n1\r\n2\r\n3\r\nbad\r\ngone\r\n")
    (root / "img_idx/test_data.txt").write_bytes(b"copy\n7\n4\n6\n")
    return root


def run(data: Path, *arguments: object) -> tuple[int, str]:
    parts = ("--points", data / "points.csv", "--masks", data / "masks", "--lists", data / "img_idx")
    words = ["check", str(data / "images"), *map(str, parts), *map(str, arguments)]
    result = CliRunner().invoke(cli.main, words)
    return result.exit_code, result.output


def mask_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_copy_is_corrected_and_original_untouched(data, tmp_path):
    before = tree(data)
    out = tmp_path / "fixed"
    status, told = run(data, "--fix", out, "--json", tmp_path / "found.json")
    assert status == 3, told
    assert tree(data) == before
    done = [json.loads(line) for line in (out / RECORD).read_text().splitlines()]
    by_action: dict[str, set[str]] = {}
    for line in done:
        by_action.setdefault(line["action"], set()).add(line["file"])
        assert line["why"]
    assert by_action["images left out"] == {"images/bad.png"}
    assert by_action["masks binarised"] == {"masks/0.png", "masks/1.png"}
    assert by_action["masks resized"] == {"masks/2.png"}
    assert by_action["masks left out"] == {"masks/3.png", "masks/4.png", "masks/stranger.bmp"}
    assert by_action["lists rewritten"] == {"img_idx/train_data.txt"}
    assert by_action["points left out"] == by_action["points merged"] == {"points.csv"}
    assert (out / "img_idx/train_data.txt").read_bytes() == b"0\n1\n2\n3\n"
    assert (out / "img_idx/test_data.txt").read_bytes() == (data / "img_idx/test_data.txt").read_bytes()
    assert {path.name for path in (out / "masks").iterdir()} == {
        "0.png",
        "1.png",
        "2.png",
        *(f"{k}.png" for k in (5, 6, 7)),
    }
    for k in range(3):
        mask = mask_of(out / f"masks/{k}.png")
        assert mask.shape == (80, 96)
        assert set(np.unique(mask)) == {0, 255}
        assert mask[30:34, 40:46].all()
        assert (mask > 0).sum() == 24
    image = out / "images/0.png"
    assert image.is_symlink()
    assert image.read_bytes() == (data / "images/0.png").read_bytes()
    kept = Csv().read(out / "points.csv").by_image
    assert kept["7.png"] == (Point(10, 12), Point(60, 70))
    assert "nowhere.png" not in kept
    found = json.loads((tmp_path / "found.json").read_text())
    kinds = {entry["kind"]: entry for entry in found["findings"]}
    assert not found["is_healthy"]
    assert kinds["unreadable"]["count"] == 1
    assert kinds["leak"]["items"][0].startswith("5.png of ")
    assert f"Wrote {out}: 1 image left out" in told
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_corrected_copy_has_none_of_what_was_corrected(data, tmp_path):
    out = tmp_path / "fixed"
    run(data, "--fix", out, "--copy")
    assert not (out / "images/0.png").is_symlink()
    lists = [read_ids(path) for path in sorted((out / "img_idx").iterdir())]
    again = examine(out / "images", Csv().read(out / "points.csv"), out / "masks", lists=lists)
    cured = {
        "unreadable",
        "unlisted",
        "unpaired",
        "mask size",
        "mask dim",
        "mask grey",
        "point twice",
        "leak",
    }
    assert cured.isdisjoint(finding.kind for finding in again.findings)
    assert "list style" not in {finding.kind for finding in again.findings}


def test_places_that_are_refused(data, tmp_path):
    out = tmp_path / "fixed"
    assert run(data, "--fix", out)[0] == 3
    earlier = tree(out)
    status, told = run(data, "--fix", out)
    assert status == 2
    assert "not empty" in told
    assert run(data, "--fix", out, "--overwrite")[0] == 3
    assert tree(out) == earlier
    mine = tmp_path / "mine"
    save(mine / "precious.png", np.zeros((4, 4), np.uint8))
    status, told = run(data, "--fix", mine, "--overwrite")
    assert status == 2
    assert "no corrected copy" in told
    for place in (data / "images", data / "images/fixed", data, data / "masks"):
        with pytest.raises(OutputError, match="would mix"):
            check_out(place, [data / "images", data / "masks"], overwrite=True)
    with pytest.raises(OutputError, match="is a file"):
        check_out(data / "points.csv", [], overwrite=True)
    assert run(data, "--overwrite")[0] == 2


def test_archives_are_copied_out(data, tmp_path):
    import zipfile

    (data / "images/bad.png").unlink()
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for path in sorted((data / "images").iterdir()):
            archive.write(path, f"deep/{path.name}")
    out = tmp_path / "fixed"
    result = CliRunner().invoke(cli.main, ["check", str(tmp_path / "images.zip"), "--fix", str(out)])
    assert result.exit_code == 0, result.output
    assert (out / "images/deep/0.png").read_bytes() == (data / "images/0.png").read_bytes()
