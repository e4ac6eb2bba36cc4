"""What befell output folders in an attack, a test each: no result is stale, lost, or of somebody else."""

import pytest
from click.testing import CliRunner
from tools.folders import one, save, scenes, spot, tree

from pointmask.cli import main
from pointmask.errors import BrokenOffError, OutputError
from pointmask.folder import job, worker
from pointmask.folder.job import annotate_folder
from pointmask.folder.records.manifest import read_manifest
from pointmask.io.formats.tables.csv import Csv
from pointmask.io.notes import gathering
from pointmask.io.points.points import Points

EVERYTHING = ("mask", "soft", "instance", "overlay", "labelme")


@pytest.fixture
def folder(tmp_path):
    return scenes(tmp_path)


def stop_after(monkeypatch, count):
    """Break a job off when it is about to write the results of one more image."""
    write, seen = worker.write_whole, []

    def stop(path, *arguments, **options):
        seen.append(path)
        if len(seen) > count:
            raise KeyboardInterrupt
        write(path, *arguments, **options)

    monkeypatch.setattr(worker, "write_whole", stop)


def images_in(out):
    return {path.stem for path in (out / "masks").rglob("*.png")}


def test_an_overwrite_that_was_broken_off_goes_on(folder, tmp_path, monkeypatch):
    source, points = folder
    out = tmp_path / "out"
    annotate_folder(source, points, out)
    with monkeypatch.context() as patch:
        stop_after(patch, 5)
        with pytest.raises(KeyboardInterrupt):
            annotate_folder(source, points, out, theta="paper", overwrite=True)
    assert not (out / "manifest.jsonl").exists()  # it would vouch for masks that are replaced
    summary = annotate_folder(source, points, out, theta="paper")
    assert (summary.done, summary.resumed) == (12 - 5, 5)
    annotate_folder(source, points, tmp_path / "alone", theta="paper")
    assert tree(out) == tree(tmp_path / "alone")


def test_an_overwrite_that_was_broken_off_may_be_overwritten_again(folder, tmp_path, monkeypatch):
    """Also what was under way and in no journal is known for pointmask's."""
    source, points = folder
    out = tmp_path / "out"
    annotate_folder(source, points, out)
    for theta in ("paper", "default"):
        with monkeypatch.context() as patch:
            stop_after(patch, 5)
            with pytest.raises(KeyboardInterrupt):
                annotate_folder(source, points, out, theta=theta, overwrite=True)
    assert annotate_folder(source, points, out, theta="paper", overwrite=True).done == 12
    annotate_folder(source, points, tmp_path / "alone", theta="paper")
    assert tree(out) == tree(tmp_path / "alone")


def test_a_mask_that_no_journal_tells_of_is_still_known(folder, tmp_path, monkeypatch):
    source, points = folder
    out = tmp_path / "out"

    def kill(self, entry):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(job.Ledger, "add", kill)
        with pytest.raises(KeyboardInterrupt):
            annotate_folder(source, Points({"00": points.by_image["00.png"]}), out)
    assert images_in(out) == {"00"}
    summary = annotate_folder(source, points, out, theta="paper", overwrite=True)
    assert (summary.done, summary.skipped) == (12, [])
    annotate_folder(source, points, tmp_path / "alone", theta="paper")
    assert tree(out) == tree(tmp_path / "alone")


def test_results_that_the_manifest_no_longer_names_go(folder, tmp_path):
    source, points = folder
    out = tmp_path / "out"
    annotate_folder(source, points, out, save=EVERYTHING, report=True)
    (out / "masks" / "mine.png").write_text("mine")
    few = Points({name: points.by_image[name] for name in ("00.png", "01.png")})
    annotate_folder(source, few, out, theta="paper", overwrite=True)
    assert [entry["image"] for entry in read_manifest(out)] == ["00.png", "01.png"]
    assert images_in(out) == {"00", "01", "mine"}
    assert not list((out / "soft").rglob("*.png"))
    assert not list((out / "instances").rglob("*.png"))


@pytest.mark.parametrize("again", [(), ("coco",), ("voc", "labelme")])
def test_documents_and_reports_that_are_no_longer_true_go(folder, tmp_path, again):
    source, points = folder
    out = tmp_path / "out"
    annotate_folder(source, points, out, save=("mask", "coco", "labelme", "yolo"), report=True)
    (out / "labelme" / "notes.txt").write_text("mine")
    with (out / "yolo" / "classes.txt").open("a") as file:
        file.write("changed")
    before = tree(out)
    annotate_folder(source, points, out)
    assert tree(out) == before  # as the manifest is
    few = Points({name: points.by_image[name] for name in ("00.png", "01.png")})
    with gathering() as notes:
        annotate_folder(source, few, out, save=("mask", *again), overwrite=True)
    kept = {"notes.txt"} | ({"00.json", "01.json"} if "labelme" in again else set())
    assert {path.name for path in (out / "labelme").rglob("*") if path.is_file()} == kept
    assert not (out / "report.html").exists()
    assert (out / "coco.json").exists() == ("coco" in again)
    assert tree(out / "yolo") == {
        name.removeprefix("yolo/"): data for name, data in before.items() if name.startswith("yolo/")
    }
    assert "changed by hand" in "".join(line for line in notes.lines() if "yolo" in line)
    for name, data in tree(out).items():
        if not name.startswith("yolo/"):
            assert b"02.png" not in data, name


def test_other_kinds_of_an_image_that_changed_go(tmp_path):
    save(tmp_path / "images/a.png", spot())
    points = Points({"a": one()})
    annotate_folder(tmp_path / "images", points, tmp_path / "out", save=("mask", "soft", "instance"))
    save(tmp_path / "images/a.png", spot(peak=90.0))
    assert annotate_folder(tmp_path / "images", points, tmp_path / "out").done == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "manifest.jsonl",
        "masks",
        "theta.toml",
    ]


def test_a_mask_that_is_damaged_is_made_again(folder, tmp_path):
    source, points = folder
    annotate_folder(source, points, tmp_path / "out")
    whole = tree(tmp_path / "out")
    data = (tmp_path / "out/masks/03.png").read_bytes()
    for damaged in (b"", b"\0" * len(data), data[:-5], data[:60] + b"\0" + data[61:]):
        (tmp_path / "out/masks/03.png").write_bytes(damaged)
        assert annotate_folder(source, points, tmp_path / "out").done == 1
        assert tree(tmp_path / "out") == whole


@pytest.mark.parametrize("text", ["my only copy, no newline", '{"mine": 1}\n', '{"mine": 1'])
@pytest.mark.parametrize("name", [".journal.jsonl", "manifest.jsonl", "masks.jsonl", ".replaced.jsonl"])
@pytest.mark.parametrize("linked", [False, True])
def test_records_of_others_are_never_cut(folder, tmp_path, name, text, linked):
    source, points = folder
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "precious").write_text(text)
    if linked:
        (out / name).symlink_to("../precious")
    else:
        (out / name).write_text(text)
    for overwrite in (False, True):
        with pytest.raises(OutputError):
            annotate_folder(source, points, out, overwrite=overwrite, save=("rle",))
        assert (out / name).read_text() == text


def test_a_disk_that_is_full_when_the_report_is_written_says_what_is_kept(folder, tmp_path, monkeypatch):
    source, points = folder

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(job, "write_report", full)
        with pytest.raises(BrokenOffError, match=r"No space left.*kept in"):
            annotate_folder(source, points, tmp_path / "out", report=True)
    assert len(list(read_manifest(tmp_path / "out"))) == 12
    summary = annotate_folder(source, points, tmp_path / "out", report=True)
    assert (summary.done, summary.resumed) == (0, 12)
    assert summary.report.exists()


def test_a_place_that_cannot_be_written_to_is_a_message(folder, tmp_path, monkeypatch):
    source, points = folder
    Csv().write(points, tmp_path / "points.csv")
    real = job.Path.open

    def read_only(path, mode="r", *arguments, **options):
        if set(mode) & set("wax+"):
            raise OSError(30, "Read-only file system")
        return real(path, mode, *arguments, **options)

    monkeypatch.setattr(job.Path, "open", read_only)
    for words in (
        ("convert", tmp_path / "points.csv", tmp_path / "x.json", "--to", "jsonl"),
        ("check", source, "--json", tmp_path / "f.json"),
        ("check", source, "--fix", tmp_path / "fixed"),
        ("annotate", source, "--points", tmp_path / "points.csv", "--out", tmp_path / "out"),
    ):
        done = CliRunner().invoke(main, [str(word) for word in words])
        assert isinstance(done.exception, SystemExit), (words, done.exception)
        assert done.exit_code in (1, 2)
        assert "Read-only file system" in done.stderr
