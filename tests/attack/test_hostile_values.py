"""Figures, parameters and documents at their bounds and beyond: refused in words, or done as they should."""

import json
import socket
import threading
from contextlib import ExitStack, contextmanager, suppress

import numpy as np
import pytest
from tools.folders import one, save, spot

from pointmask.annotator.image import annotate
from pointmask.annotator.proof import prove
from pointmask.errors import PointmaskError, ThetaError
from pointmask.folder.job import annotate_folder
from pointmask.folder.records.manifest import read_manifest
from pointmask.io.images.array import read_mask
from pointmask.io.points.points import Points
from pointmask.judgement.statistic import contrast
from pointmask.theta import Theta


def annotated(folder, tmp_path, run, *options):
    points = folder / "points.csv"
    return run("annotate", folder / "images", "--points", points, "--out", tmp_path / "out", *options)


@pytest.mark.parametrize("unit", [1.0, 2.0**1016, -(2.0**1016), 2.0**-1040])
def test_frames_near_the_largest_and_the_smallest_float(tmp_path, run, unit):
    plain = spot().astype(np.float64)
    for name, pixels in (("plain", plain), ("far", plain * unit)):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "a.npy", pixels)
        (tmp_path / f"{name}.csv").write_text("image,x,y\na.npy,24,20\n")
    dark = ("--polarity", "dark") if unit < 0 else ()
    for name, options in (("plain", ()), ("far", dark)):
        out = tmp_path / f"out-{name}"
        kinds = ("--save", "mask,soft,overlay", "--report")
        code, said = run(
            "annotate", tmp_path / name, "--points", f"{tmp_path / name}.csv", "--out", out, *kinds, *options
        )
        assert code == 0, said
        assert "nan" not in said
    (entry,) = read_manifest(tmp_path / "out-far")
    assert np.isfinite(entry["targets"][0]["confidence"])
    masks = [read_mask(tmp_path / f"out-{name}" / "masks" / "a.png") for name in ("plain", "far")]
    np.testing.assert_array_equal(*masks)
    np.testing.assert_allclose(contrast(plain * abs(unit)), contrast(plain), rtol=1e-9)
    assert run("check", tmp_path / "far", "--points", tmp_path / "far.csv")[0] == 0


@pytest.mark.parametrize("half_size", [3, 7, 24])
def test_a_grid_of_superpixels_has_a_centre_in_the_window(half_size):
    theta = Theta.load("paper").with_(half_size=half_size, superpixel="grid")
    most = min(4 * half_size + 1, 64)
    prove(theta.with_(superpixel_step=most))
    if most < 64:
        with pytest.raises(ThetaError, match=f"superpixel_step = {most + 1}.* give at most {most}"):
            theta.with_(superpixel_step=most + 1)


def test_a_theta_that_cannot_run_is_refused_before_the_job(folder, tmp_path, run, monkeypatch):
    def broken(*arguments, **options):
        raise RuntimeError("Failed in nopython mode pipeline\nno matching function")

    monkeypatch.setattr("pointmask.annotator.proof.annotate", broken)
    code, said = annotated(folder, tmp_path, run)
    assert code == 2
    assert "theta cannot run (RuntimeError: no matching function)" in said
    assert not (tmp_path / "out").exists()


def test_a_theta_that_gives_no_figures_is_refused(monkeypatch):
    found = annotate(spot(), [(20, 24)])
    found.targets[0].soft[:] = np.nan
    monkeypatch.setattr("pointmask.annotator.proof.annotate", lambda *arguments, **options: found)
    with pytest.raises(ThetaError, match="not finite"):
        prove(Theta.load("default"))


def test_a_folder_with_the_name_of_a_mask(tmp_path):
    save(tmp_path / "images/a.png/b.png", spot())
    save(tmp_path / "images/c.png", spot())
    np.save(tmp_path / "images/a.npy", spot())
    points = Points({"a.npy": one(), "a.png/b.png": one(), "c": one()})
    done = annotate_folder(tmp_path / "images", points, tmp_path / "out")
    ((name, reason),) = done.skipped
    assert name == "a.npy"
    assert "its mask a.png would take the place of the folder a.png/" in reason
    assert done.done == 2


@pytest.mark.parametrize(
    "arguments", [("annotate", "", "--points", "p", "--out", "o"), ("check", "--json", "", "i")]
)
def test_an_empty_argument_is_no_path(run, arguments):
    code, said = run(*arguments)
    assert code == 2
    assert "is empty; give a value" in said
    assert run(*("--json=" if word == "--json" else word for word in arguments if word))[0] == 2


@pytest.mark.parametrize("shard", ["1/99999999999", "0/3", "4/3", "1/100001"])
def test_shards_beyond_reason(folder, tmp_path, run, shard):
    code, said = annotated(folder, tmp_path, run, "--shard", shard)
    assert code == 2
    assert "n at most 100,000" in said


@pytest.mark.parametrize("text", ["x = " + "[" * 100_000, "half_size = " + "9" * 5000])
def test_toml_too_deep_or_too_long(folder, tmp_path, run, text):
    path = tmp_path / "t.toml"
    path.write_text(text)
    code, said = annotated(folder, tmp_path, run, "--theta", path)
    assert code == 2
    assert "t.toml is not valid TOML" in said
    assert len(said) < 2000


def test_a_line_break_in_a_label_is_no_new_class(folder, tmp_path, run):
    names = [f"scene_{k:03d}.png" for k in range(2)]
    (folder / "points.csv").write_text(f'image,x,y,label\n{names[0]},20,20,"a\nb"\n{names[1]},20,20,evil\n')
    annotated(folder, tmp_path, run, "--save", "yolo")
    assert (tmp_path / "out/yolo/classes.txt").read_text().splitlines() == ["a b", "evil"]
    run("convert", tmp_path / "out/yolo", tmp_path / "c.csv", "--to", "csv", "--images", folder / "images")
    assert (tmp_path / "c.csv").read_text().splitlines()[-1].endswith(",evil")


@pytest.mark.parametrize("key", ["x\0y.png", "\ud800.png"])
@pytest.mark.parametrize("form", ["voc", "labelme", "yolo", "csv", "cvat", "coco"])
def test_keys_that_no_file_can_have(tmp_path, run, key, form):
    document = {
        "images": [{"id": 1, "file_name": key, "width": 64, "height": 64}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [3, 3, 4, 4]}],
        "categories": [{"id": 1, "name": "t"}],
    }
    (tmp_path / "c.json").write_text(json.dumps(document))
    code, said = run("convert", tmp_path / "c.json", tmp_path / "out", "--to", form)
    assert code in (0, 2, 3), said
    assert "Error" in said or (tmp_path / "out").exists()


DAMAGES = {
    '"targets": [{': '"targets": "x", "y": [{',
    '"frame": 0': '"frame": "a"',
    '"image": "scene_003.png"': '"image": 5',
    '"confidence": ': '"c": ',
    '"point": [': '"point": ["a", ',
    '"box": [': '"bax": [',
    '"content": "': '"content": 7, "c": "',
    '"mask": "': '"mask": 5, "m": "',
    '"status": "done"': '"status": ["done"]',
}


@pytest.mark.parametrize("before", list(DAMAGES))
def test_a_manifest_that_is_damaged_in_one_field(folder, tmp_path, run, before):
    assert annotated(folder, tmp_path, run)[0] == 0
    path = tmp_path / "out" / "manifest.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    assert before in lines[3]
    lines[3] = lines[3].replace(before, DAMAGES[before])
    path.write_text("".join(lines))
    code, said = annotated(folder, tmp_path, run)
    assert code == 2
    assert "manifest.jsonl was not written by pointmask" in said
    assert run("convert", tmp_path / "out", tmp_path / "c.json", "--to", "coco")[0] in (0, 2, 3)


def test_names_that_are_no_text(folder, tmp_path, run):
    names = [path.name for path in sorted((folder / "images").iterdir())]
    for kind in ("images", "masks"):
        for k, name in enumerate(names):
            (folder / kind / name).rename(folder / kind / f"\udcff{k}.png")
    images, masks = folder / "images", folder / "masks"
    simulated = ("--points", masks, "--simulate", "coarse")
    for code, command in (
        (0, ("annotate", images, *simulated, "--out", tmp_path / "o")),
        (0, ("bench", images, "--masks", masks, "--methods", "threshold", "--out", tmp_path / "b")),
        (1, ("annotate", images, *simulated, "--out", tmp_path / "o", "--save", "basicirstd")),  # lists names
    ):
        found, said = run(*command)
        assert found == code, said
    assert "check the folder, the names" in said


@contextmanager
def listening(answer):
    """Listen at an address, say one thing to whoever speaks, and no more."""
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as kept:

        def talk():
            with suppress(OSError):
                while True:
                    way = kept.enter_context(server.accept()[0])
                    if answer and way.recv(8):
                        way.sendall(answer)

        threading.Thread(target=talk, daemon=True).start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def test_clusters_that_are_none(folder, tmp_path, run, monkeypatch):
    pytest.importorskip("distributed")
    for address in ("nonsense", "http://127.0.0.1:1", "tcp://127.0.0.1:1"):
        code, said = annotated(folder, tmp_path, run, "--scheduler", address)
        assert code in (1, 2)
        assert f"no Dask scheduler answers at {address}" in said

    monkeypatch.setattr("pointmask.executors._ANSWER", 1)
    for answer, why in ((b"", "TimeoutError"), (b"HTTP/1.0 400 Bad request\r\n\r\n", "Unable to allocate")):
        with listening(answer) as address:
            code, said = annotated(folder, tmp_path, run, "--scheduler", address)
        assert code in (1, 2)
        assert f"no Dask scheduler answers at {address} ({why}" in said


def test_errors_are_ours():
    assert issubclass(ThetaError, PointmaskError)
