"""benchmarks/strategy_table.py: cells are trained once, in slices, by several processes; tables stay true."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from pointmask.cli import main
from pointmask.io.images.array import encode_png, read, read_mask
from pointmask.metrics.counters import Score, score
from pointmask.synth.scenes import make_scenes

torch = pytest.importorskip("torch")

from pointmask_trainer.inference.tiles import predict  # noqa: E402
from pointmask_trainer.run.checkpoint import load_model  # noqa: E402

FOLDER = Path(__file__).parents[2] / "benchmarks"
TINY = ("epochs=2", "batch=4", "augment.crop=32", "strategy.options.warmup=0", "run.device=cpu")
NAMES = [pattern.format(k) for pattern in ("Misc_{}", "{:06d}", "XDU{}") for k in range(6)]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Scenes laid out like SIRST3: four images of each data set to train on, two to validate on."""
    root = tmp_path_factory.mktemp("sirst3")
    for name in ("images", "masks", "splits"):
        (root / name).mkdir()
    rows = ["image,x,y"]
    for name, scene in zip(NAMES, make_scenes(len(NAMES), seed=3, shape=(48, 48)), strict=True):
        (root / "images" / f"{name}.png").write_bytes(encode_png(np.ascontiguousarray(scene.image)))
        (root / "masks" / f"{name}.png").write_bytes(encode_png(scene.mask))
        rows += [f"{name},{col},{row}" for row, col in scene.points]
    (root / "points_centroid.csv").write_text("\n".join(rows) + "\n")
    for split, kept in (("train", range(4)), ("val", range(4, 6))):
        listed = [name for k, name in enumerate(NAMES) if k % 6 in kept]
        (root / "splits" / f"{split}.txt").write_text("\n".join(listed) + "\n")
    return root


@pytest.fixture
def table(part, data, tmp_path, monkeypatch):
    """Run the script in this process; returns its exit status."""
    monkeypatch.setenv("POINTMASK_SIRST3", str(data))
    script = part("strategy_table")

    def run(*words, settings=TINY):
        monkeypatch.setattr(sys, "argv", ["strategy_table.py", *line(tmp_path, *words, settings=settings)])
        return script.main()

    return run


def line(folder, *words, settings=TINY):
    places = ["--runs", str(folder / "runs"), "--results", str(folder / "results")]
    return ["--name", "t", "--data-sets", "SIRST-v1", *places, *words, "--set", *settings]


def results(folder):
    return json.loads((folder / "results" / "strategy_table-t.json").read_text())


def epochs(folder, cell):
    lines = (folder / "runs" / "t" / cell / "metrics.jsonl").read_text().splitlines()
    return [json.loads(text)["epoch"] for text in lines]


def seconds(folder, row):
    lines = (
        (folder / "runs" / "t" / f"contrast_unet-{row}-SIRST-v1-0" / "metrics.jsonl").read_text().splitlines()
    )
    return sum(json.loads(text)["seconds"] for text in lines)


def test_rows_that_are_the_same_training_are_one_cell_and_seeds_come_first(part, monkeypatch):
    script = part("strategy_table")
    words = ["--rows", "a4", "masks", "a1", "point", "--seeds", "3", "1"]
    monkeypatch.setattr(sys, "argv", ["strategy_table.py", *words])
    cells = script.requested_cells(script.read_options(), ["alclnet"])
    assert [cell.name for cell in cells] == [
        "alclnet-masks-SIRST3-3",
        "alclnet-point-SIRST3-3",
        "alclnet-masks-SIRST3-1",
        "alclnet-point-SIRST3-1",
    ]


def test_the_strategies_are_named_at_once(part, monkeypatch):
    script = part("strategy_table")
    monkeypatch.setattr(sys, "argv", ["strategy_table.py", "--rows", "strategies", "a4", "--seeds", "0"])
    rows = [cell.row for cell in script.requested_cells(script.read_options(), ["alcnet"])]
    assert rows == list(part("cells.rows").COMPARED)


def test_other_annotators_masks_are_made_once_and_trained_on(table, data, tmp_path):
    settings = tuple(setting for setting in TINY if "warmup" not in setting)
    assert table("--rows", "pgc2f", "--seeds", "0", settings=settings) == 0
    masks = sorted((tmp_path / "runs" / "t" / "masks" / "pgc2f").glob("*.png"))
    assert [path.stem for path in masks] == [f"Misc_{k}" for k in range(6)]
    times = [path.stat().st_mtime_ns for path in masks]
    masks[2].unlink()
    assert table("--rows", "pgc2f", "--seeds", "1", settings=settings) == 0
    assert [path.stat().st_mtime_ns for path in masks[:2]] == times[:2]
    assert masks[2].exists()
    (one, other) = results(tmp_path)["cells"]
    assert (one["row"], one["labels"]) == (other["row"], other["labels"]) == ("pgc2f", None)


def test_a_row_may_bring_its_loss_into_a_table_of_others(table, tmp_path):
    settings = tuple(setting for setting in TINY if "warmup" not in setting)
    assert table("--rows", "full", "lesps", "pal", "--seeds", "0", settings=settings) == 0
    content = results(tmp_path)
    assert [entry["row"] for entry in content["cells"]] == ["full", "lesps", "pal"]
    assert content["settings"]["loss.name"] == "softiou+focal"
    assert {row: content["rows"][row].get("loss.name") for row in content["rows"]} == {
        "full": None,
        "lesps": "focal",
        "pal": "eedm",
    }
    assert table("--rows", "pal", "--seeds", "0", settings=(*settings, "loss.edge=2.0")) == 1


def test_a_setting_reaches_the_rows_it_concerns(part, tmp_path):
    rows, cells = part("cells.rows"), part("cells.cells")
    settings = ("strategy.options.beta=0.5", "strategy.options.theta_lr=0.1", "optim.lr=0.5")

    def options(row):
        config = rows.config_of(rows.Cell("acm_unet", row, "SIRST3", 4), "paper", settings, 1)
        assert (config.optim.lr, config.model.name, config.seed) == (0.5, "acm_unet", 4)
        return config.strategy.name, dict(config.strategy.options)

    assert options("d2d") == ("d2d", {"beta": 0.5, "theta_lr": 0.1, "unseen": 0.0})
    assert options("b4") == ("d2d", {"beta": 0.0, "theta_lr": 0.1, "response": 0.0, "unseen": 0.0})
    assert options("b1") == ("joint", {"beta": 0.5, "unseen": 0.0})
    assert options("masks") == (
        "d2d",
        {"beta": 0.0, "alpha": "off", "theta": "frozen", "response": 0.0, "unseen": 0.0},
    )
    assert options("full") == ("full", {})
    with pytest.raises(cells.CellError, match=r"no row has such an option; known: .*beta"):
        cells.Grid(root=tmp_path, runs=tmp_path, preset="cpu", settings=("strategy.options.bet=1",))
    with pytest.raises(cells.CellError, match="use --rows"):
        cells.Grid(root=tmp_path, runs=tmp_path, preset="cpu", settings=("seed=1",))


def test_every_row_is_a_config_whose_defaults_are_compared(part):
    rows = part("cells.rows")
    cells = [rows.Cell("acm_unet", row, "SIRST3", 0) for row in rows.ROWS]
    all_ = {cell.row: rows.all_settings(rows.config_of(cell, "cpu", (), 1)) for cell in cells}
    same = {"alpha30", "random30", "difficulty30"}
    static = {"mclc", "montecarlo", "pgc2f"}  # differ in the masks that they read
    assert len({json.dumps(all_.pop(row)) for row in sorted(static)}) == 1
    assert len({json.dumps(all_[row]) for row in all_ if row not in same}) == len(all_) - len(same)
    assert all(rows.differences(all_[row], all_["masks"]) == "" for row in same)
    # The row trains as it is whatever the defaults of branches that are off.
    assert not any("theta_" in key or "alpha_" in key or "options.warmup" in key for key in all_["masks"])
    assert all_["d2d"]["strategy.options.theta_steps"] == 1
    other = all_["d2d"] | {"strategy.options.theta_steps": 2, "gone": 3}
    assert rows.differences(other, all_["d2d"]) == (
        "gone: 3, now None, strategy.options.theta_steps: 2, now 1"
    )
    assert rows.differences(all_["full"], all_["full"] | {"new": 1}) == ""


def test_a_folder_is_held_by_one_process_until_it_dies(part, tmp_path):
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
        "from cells.held import held\n"
        "with held(Path(sys.argv[2])) as mine:\n"
        "    print(mine, flush=True); time.sleep(600)\n"
    )
    held = part("cells.held").held
    command = [sys.executable, "-c", code, str(FOLDER), str(tmp_path / "cell")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "True\n"
        with held(tmp_path / "cell") as mine:
            assert not mine
        other.send_signal(signal.SIGKILL)
        other.wait()
        with held(tmp_path / "cell") as mine:
            assert mine
        with held(tmp_path / "cell") as mine:
            assert mine


def test_a_slice_ends_after_an_epoch_and_the_next_one_goes_on(table, tmp_path, capsys):
    words = ("--rows", "full", "d2d", "--seeds", "0")
    names = ("contrast_unet-full-SIRST-v1-0", "contrast_unet-d2d-SIRST-v1-0")
    assert table(*words, "--minutes", "0.0001") == 0
    assert epochs(tmp_path, names[0]) == [1]
    assert not (tmp_path / "results").exists()
    assert capsys.readouterr().out.splitlines()[-2:] == [
        f"open: {names[0]}: begun",
        f"open: {names[1]}: not begun",
    ]
    assert table(*words) == 0
    assert [epochs(tmp_path, name) for name in names] == [[1, 2], [1, 2]]
    full, d2d = results(tmp_path)["cells"]
    assert (full["row"], d2d["row"], full["images"]) == ("full", "d2d", {"train": 4, "val": 2})
    assert (full["labels"], d2d["labels"]["first"]["version"]) == (None, 0)
    for entry in (full, d2d):
        assert entry["epochs"] == entry["last"]["epoch"] == 2
        assert set(entry["chosen"]["val_truth"]) == {"iou", "niou", "pd", "fa"}
        best = max(entry[which]["val_truth"]["iou"] for which in ("chosen", "last"))
        assert entry["best_on_true_masks"]["val_truth"]["iou"] >= best
        assert entry["commits"]
        assert entry["minutes"] == pytest.approx(seconds(tmp_path, entry["row"]) / 60, abs=1e-4)

    # What is there is not trained again, even where its run is not.
    before = (tmp_path / "results" / "strategy_table-t.json").read_text()
    (tmp_path / "runs").rename(tmp_path / "elsewhere")
    assert table(*words) == 0
    assert not (tmp_path / "runs").exists()
    assert (tmp_path / "results" / "strategy_table-t.json").read_text() == before

    # Other settings are refused by the results, and, without them, by the runs.
    changed = [*TINY, "optim.lr=0.25"]
    assert table(*words, settings=changed) == 1
    assert "strategy_table-t.json holds results of other settings (optim.lr: 0.002, now 0.25)" in (
        capsys.readouterr().err
    )
    (tmp_path / "elsewhere").rename(tmp_path / "runs")
    (tmp_path / "results" / "strategy_table-t.json").unlink()
    assert table(*words, settings=changed) == 1
    assert "was trained with other settings (optim.lr: 0.002, now 0.25)" in capsys.readouterr().err
    assert not (tmp_path / "results" / "strategy_table-t.json").exists()


def test_unseen_images_take_no_part_and_are_scored_at_the_end(table, tmp_path, data, capsys):
    words = ("--rows", "masks", "d2d", "--seeds", "0")
    assert table(*words, "--unseen") == 0
    val = set((data / "splits" / "val.txt").read_text().split())
    for entry in results(tmp_path)["cells"]:
        run = tmp_path / "runs" / "t" / f"contrast_unet-{entry['row']}-SIRST-v1-0"
        lists = [(run / f"{name}.txt").read_text().split() for name in ("train", "val")]
        assert [len(ids) for ids in lists] == [3, 1]
        assert not val & set(lists[0] + lists[1])
        lines = [json.loads(text) for text in (run / "metrics.jsonl").read_text().splitlines()]
        own = next(line for line in lines if line["epoch"] == entry["last"]["epoch"])
        assert entry["last"]["val_labels"] == own["val_network_labels"]  # the preset draws by the operator
        model, card = load_model(run / "last")
        counted = Score()
        for name in ("Misc_4", "Misc_5"):
            image = torch.from_numpy(read(data / "images" / f"{name}.png").astype(np.float32))
            found = predict(model, image[None, None], card.normalisation)[0].numpy() > 0.5
            counted += score(found, read_mask(data / "masks" / f"{name}.png"))
        assert entry["last"]["val_truth"]["iou"] == pytest.approx(counted.iou, abs=1e-4)
        assert set(entry["chosen"]["operator"]) == {"iou", "niou", "pd", "fa"}
    assert "**Unseen**" in (tmp_path / "results" / "strategy_table-t.md").read_text()
    assert table(*words) == 1
    assert "lists: 'unseen', now 'val'" in capsys.readouterr().err


def test_a_cell_that_fails_is_told_and_the_others_go_on(table, tmp_path, capsys):
    words = ("--rows", "full", "alpha30", "--seeds", "0", "--detectors", "nonsense", "acm_unet")
    assert table(*words) == 1
    told = capsys.readouterr()
    assert "failed: nonsense-full-SIRST-v1-0: DetectorError: no detector is called 'nonsense'" in told.err
    assert "open: acm_unet-alpha30-SIRST-v1-0: waits for acm_unet-d2d-SIRST-v1-0, whose" in told.out
    assert [entry["detector"] for entry in results(tmp_path)["cells"]] == ["acm_unet"]


@pytest.mark.slow
def test_two_processes_fill_a_table_together(data, tmp_path):
    words = line(tmp_path, "--rows", "full", "point", "--seeds", "0", "1")
    command = [sys.executable, str(FOLDER / "strategy_table.py"), *words]
    environment = {**os.environ, "POINTMASK_SIRST3": str(data)}
    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    cells = [(entry["row"], entry["seed"]) for entry in results(tmp_path)["cells"]]
    assert cells == [(row, seed) for row in ("full", "point") for seed in (0, 1)]
    done = [out.count(": done") for out, _ in told]
    assert sum(done) >= 4
    for row, seed in cells:
        assert epochs(tmp_path, f"contrast_unet-{row}-SIRST-v1-{seed}") == [1, 2]


def test_a_cell_of_all_data_sets_is_scored_on_each(table, tmp_path):
    assert table("--rows", "full", "--seeds", "0", "--data-sets", "SIRST3") == 0
    (cell,) = results(tmp_path)["cells"]
    assert list(cell["val_by_data_set"]) == ["IRSTD-1k", "NUDT-SIRST", "SIRST-v1"]
    # Of as many images each, so that the mean over images is the mean over data sets.
    niou = [figures["niou"] for figures in cell["val_by_data_set"].values()]
    assert cell["chosen"]["val_truth"]["niou"] == pytest.approx(sum(niou) / 3)


def test_results_of_several_machines_add_up(part, table, tmp_path):
    assert table("--rows", "full", "--seeds", "0") == 0
    first = results(tmp_path)
    first["cells"][0]["device"] = "another machine"
    (tmp_path / "results" / "strategy_table-t.json").write_text(json.dumps(first))
    (tmp_path / "runs").rename(tmp_path / "gone")
    assert table("--rows", "full", "--seeds", "1", "0") == 0
    cells = results(tmp_path)["cells"]
    assert [entry["val_by_data_set"] for entry in cells] == [None, None]
    assert [(entry["seed"], entry["device"] == "another machine") for entry in cells] == [
        (0, True),
        (1, False),
    ]
    assert "| full supervision | 2 |" in (tmp_path / "results" / "strategy_table-t.md").read_text()


def test_kept_weights_are_small_and_predict_like_the_run(table, tmp_path, data):
    weights, name = tmp_path / "weights", "contrast_unet-full-SIRST-v1-0"
    words = ("--rows", "full", "--seeds", "0", "--weights", str(weights))
    assert table(*words) == 0
    assert not weights.exists()
    assert table(*words, "--keep-weights") == 0  # the cell was done before
    kept, run = weights / f"{name}.safetensors", tmp_path / "runs" / "t" / name
    assert kept.stat().st_size < 0.6 * (run / "best" / "model.safetensors").stat().st_size
    card = json.loads(kept.with_suffix(".json").read_text())
    assert card["bytes"] == kept.stat().st_size
    assert card["licence_of_training_data"] == {"SIRST-v1": "github.com/YimianDai/sirst: no licence stated"}
    assert card["chosen"] == results(tmp_path)["cells"][0]["chosen"]

    soft = {}
    for source in (kept, run):
        out = tmp_path / f"found-{source.name}"
        words = ["predict", str(source), str(data / "images"), "--out", str(out), "--soft", "--device", "cpu"]
        done = CliRunner().invoke(main, words)
        assert done.exit_code in (0, 3), done.output  # 3: so short a training finds nothing anywhere
        soft[source] = np.stack([read(out / "soft" / f"{key}.png") for key in NAMES]) / 65535
    np.testing.assert_allclose(soft[kept], soft[run], atol=0.02)
    (rounded, _), (whole, _) = (load_model(source) for source in (kept, run))
    others = dict(whole.named_parameters())
    for key, value in rounded.named_parameters():
        bound = 2**-8 * others[key].abs() if value.ndim > 1 else 0.0
        assert value.dtype == torch.float32
        assert bool(((value - others[key]).abs() <= bound).all()), key


def test_weights_that_are_too_large_are_refused(table, tmp_path, capsys, part, monkeypatch):
    monkeypatch.setattr(part("cells.weights"), "LARGEST", 1000)
    words = ("--rows", "full", "--seeds", "0", "--weights", str(tmp_path / "weights"), "--keep-weights")
    assert table(*words) == 1
    assert "the weights would take 0.7 MB, and 0.001 MB is the most" in capsys.readouterr().err
    assert not (tmp_path / "weights").exists()
    assert len(results(tmp_path)["cells"]) == 1


def test_rows_on_a_part_of_the_images_wait_for_the_run_that_ranks_them(table, tmp_path, capsys):
    parts = ["alpha30", "random30", "difficulty30"]
    settings = [*TINY, "epochs=3"]
    words = ("--seeds", "1", "--data-sets", "SIRST3")
    assert table("--rows", *parts, *words, settings=settings) == 0
    assert capsys.readouterr().out.count("waits for contrast_unet-d2d-SIRST3-1") == 3
    assert (
        table("--rows", *parts, "d2d", *words, settings=settings) == 0
    )  # in one call, though asked for last
    runs = tmp_path / "runs" / "t"
    whole = (runs / "contrast_unet-d2d-SIRST3-1" / "train.txt").read_text().split()
    lists = {row: (runs / f"contrast_unet-{row}-SIRST3-1" / "train.txt").read_text().split() for row in parts}
    for kept in lists.values():
        assert len(kept) == 4
        assert set(kept) < set(whole)
    assert len({tuple(kept) for kept in lists.values()}) == 3
    lines = (runs / "contrast_unet-d2d-SIRST3-1" / "strategy.jsonl").read_text().splitlines()
    difficulty = dict(zip(whole, json.loads(lines[0])["difficulty"], strict=True))
    assert lists["difficulty30"] == sorted(whole, key=difficulty.get, reverse=True)[:4]
    assert {e["row"]: e["images"] for e in results(tmp_path)["cells"]} == {
        "d2d": {"train": 12, "val": 6},
        **{row: {"train": 4, "val": 6} for row in parts},
    }
