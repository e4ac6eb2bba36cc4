"""A part of the validation list is kept apart from trainings that see it, and its figure stands first."""

import json

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from tools.trainer.training import make_folder

from pointmask.cli import main
from pointmask_trainer.training.unseen import kept_apart


def call(*words, code=0):
    done = CliRunner().invoke(main, [*map(str, words)])
    assert done.exit_code == code, done.output
    return done


def test_the_part_hangs_on_names_and_seed_and_small_lists_keep_all():
    ids = [f"image-{k}" for k in range(50)]
    seen, apart = kept_apart(ids, 0.2, 0)
    assert len(apart) == 10
    assert sorted(seen + apart) == sorted(ids)
    assert seen == [key for key in ids if key in set(seen)]
    assert set(kept_apart(ids[::-1], 0.2, 0)[1]) == set(apart)
    assert set(kept_apart(ids, 0.2, 1)[1]) != set(apart)
    assert kept_apart(ids[:9], 0.2, 0) == (ids[:9], [])
    assert kept_apart(ids, 0.0, 0) == (ids, [])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    top = tmp_path_factory.mktemp("unseen")
    data, out = make_folder(top / "data", 20), top / "run"
    (data / "img_idx/train_scenes.txt").write_text("".join(f"scene_{k:03d}\n" for k in range(10)))
    (data / "img_idx/val_scenes.txt").write_text("".join(f"scene_{k:03d}\n" for k in range(10, 20)))
    words = ["train", data, "--strategy", "d2d", "--preset", "none", "--trust-labels", "--out", out, "--set"]
    settings = ["batch=4", "epochs=2", "model.name=acm_unet", "augment.crop=32", "run.device=cpu"]
    return data, out, call(*words, *settings, "strategy.options.alpha=off", "strategy.options.theta=frozen")


def test_the_kept_images_take_no_part_and_their_figure_comes_first(run):
    data, out, done = run
    seen, apart = ((out / f"{name}.txt").read_text().split() for name in ("val", "unseen"))
    assert (len(seen), len(apart)) == (8, 2)
    assert not set(seen) & set(apart)
    assert "2 others of the list are kept apart" in done.stderr
    metrics = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert all(line["val_unseen"]["pd"] is not None for line in metrics)
    best = next(line for line in done.stdout.splitlines() if line.startswith("Best:"))
    assert best.index("never seen") < best.index("val IoU")
    page = (out / "report.html").read_text()
    assert page.index("val IoU, never seen") < page.index("val IoU, labels")
    shown = call("evaluate", out, data, "--out", out.parent / "e")
    assert "validation images that the run never saw" in shown.stderr
    found = json.loads((out.parent / "e/metrics.json").read_text())
    assert (found["list"], found["all"]["images"]) == ("unseen", 2)
    assert "known" not in found


def test_a_run_without_a_kept_part_goes_on_without(run):
    data, out, _ = run
    other = out.parent / "other"
    words = [
        "train",
        data,
        "--strategy",
        "d2d",
        "--preset",
        "none",
        "--trust-labels",
        "--out",
        other,
        "--set",
    ]
    settings = ["batch=4", "model.name=acm_unet", "augment.crop=32", "run.device=cpu"]
    settings += ["strategy.options.alpha=off", "strategy.options.theta=frozen", "strategy.options.unseen=0.0"]
    call(*words, *settings, "epochs=1")
    assert not (other / "unseen.txt").exists()
    text = (other / "config.toml").read_text()
    # As an earlier version wrote it.
    (other / "config.toml").write_text(text.replace("unseen = 0.0\n", ""))
    call("train", data, "--resume", "--out", other, "--trust-labels")
    assert len((other / "val.txt").read_text().split()) == 10
