"""What train, evaluate, predict and export advise, executed; places are those of the call."""

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from click.testing import CliRunner
from tools.docs.advised import advised, execute
from tools.folders import other_modes
from tools.trainer.training import TINY, make_folder

from pointmask.cli import main

SOME = (0, 3)  # a detector of one epoch may find nothing, which is said with exit status 3


@pytest.fixture(scope="module")
def place(tmp_path_factory, fewer_rights):
    """A training folder, places that are taken, and a run with what was printed after it."""
    place = tmp_path_factory.mktemp("next")
    make_folder(place / "data", 8)
    for taken in ("detections", "evaluation", "score"):
        (place / taken).mkdir()
    settings = ["--preset", "none", "--set", *TINY, "epochs=1", "--trust-labels"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        (place / "said").write_text(execute(["train", "data", "--strategy", "full", *settings]))
    return place


@pytest.fixture(autouse=True)
def _inside(place, monkeypatch):
    monkeypatch.chdir(place)


def test_each_next_command_of_a_training_works(place):
    evaluate, predict = advised((place / "said").read_text())
    assert evaluate == ["evaluate", "run", "data", "--out", "evaluation-2", "--report"]
    assert predict == ["predict", "run", "data/images", "--out", "detections-2", "--report"]
    (again,) = advised(execute(evaluate))
    assert again == ["predict", "run", "data/images", "--out", "detections-2"]
    (score,) = advised(execute(predict, codes=SOME))
    assert score == [
        "score",
        "detections-2",
        "--truth",
        "data/masks",
        "--images",
        "data/images",
        "--out",
        "score-2",
    ]
    (click,) = advised(execute(score))
    assert click[:3] == ["click", "data/images", "--proposals"]
    execute([*click, "--publish"])


def test_the_same_evaluation_with_pictures_is_advised(place):
    report, _ = advised(execute(["evaluate", "run", "data", "--list", "train", "--out", "again"]))
    assert report == [
        "evaluate",
        "run",
        "data",
        "--list",
        "train",
        "--out",
        "again",
        "--report",
        "--overwrite",
    ]
    execute(report)


def test_export_names_the_data_of_the_run(place):
    (evaluate,) = advised(execute(["export", "run", "--onnx", "run.onnx"]))
    assert evaluate[:4] == ["evaluate", "run", "data", "--out"]
    assert not (place / evaluate[4]).exists()


def test_a_test_list_is_advised_only_where_there_is_one(place):
    def said(out):
        words = ["evaluate", "run", "data", "--list", "train", "--out", out]
        return CliRunner().invoke(main, words).stderr

    assert "--list FILE" in said("first")
    (place / "data/img_idx/test_scenes.txt").write_text("scene_000\n")
    assert "--list test" in said("second")
    execute(["evaluate", "run", "data", "--list", "test", "--out", "third"])


def test_all_files_have_the_rights_that_the_umask_leaves(place, fewer_rights):
    words = ["predict", "run", "data/images", "--out", "all", "--soft", "--report"]
    execute(words, codes=SOME)
    execute(["evaluate", "run", "data", "--out", "saved", "--save-predictions", "saved/pictures"])
    assert {"run", "all", "saved"} <= {path.name for path in place.iterdir()}
    assert not other_modes(place, fewer_rights)


def test_the_summary_of_predictions_can_be_had_as_json(place):
    told = json.loads(execute(["predict", "run", "data/images", "--out", "told", "--json"], codes=SOME))
    assert (told["done"], told["skipped"]) == (8, [])
    assert told["points"] == "told/points.csv"
    rows = (place / "told/points.csv").read_text().splitlines()
    assert told["targets"] == len(rows) - 1
