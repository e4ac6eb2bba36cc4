"""The judge of field cases: a right behaviour is judged right, and every check can fail."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

FOLDER = Path(__file__).parents[2] / "benchmarks"
SPOTS = {"a": [(20, 12), (50, 40)], "b": [(11, 33), (45, 9)]}

# A pointmask that does what behaviour.json in the current folder says, whatever the command is.
PROGRAM = """#!{python}
import json, sys
from pathlib import Path
import numpy as np
from PIL import Image
plan = json.loads(Path("behaviour.json").read_text())
for name, (rows, columns, discs) in plan.get("masks", {{}}).items():
    y, x = np.mgrid[:rows, :columns]
    mask = np.zeros((rows, columns), dtype=np.uint8)
    for middle_x, middle_y, radius in discs:
        mask[np.hypot(x - middle_x, y - middle_y) <= radius] = 255
    path = Path("o", "masks", name + ".png")
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(path)
for name, text in plan.get("files", {{}}).items():
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text)
for name in plan.get("removed", []):
    Path(name).unlink()
print(plan.get("says", ""))
print(plan.get("warns", ""), file=sys.stderr)
sys.exit(plan["status"])
"""


def discs(places, radius=1.5):
    return [48, 64, [(x, y, radius) for x, y in places]]


RIGHT = {"status": 0, "masks": {name: discs(places) for name, places in SPOTS.items()}}


def without(name):
    return {key: value for key, value in RIGHT["masks"].items() if key != name}


def picture(path, places, exif=None):
    """An image of 64 x 48 with bright spots of about nine pixels on ground with noise."""
    y, x = np.mgrid[:48, :64]
    ground = 80 + np.random.default_rng(1).normal(0, 1, (48, 64))
    for middle_x, middle_y in places:
        ground += 90 * np.exp(-((x - middle_x) ** 2 + (y - middle_y) ** 2) / 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {} if exif is None else {"exif": exif}
    Image.fromarray(ground.astype(np.uint8)).save(path, **options)


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "bin" / "pointmask"
    path.parent.mkdir()
    path.write_text(PROGRAM.format(python=sys.executable))
    path.chmod(0o755)
    return path


@pytest.fixture
def mini(tmp_path):
    """A miniature case, and the folder that holds it."""
    for name, places in SPOTS.items():
        picture(tmp_path / "cases" / "mini" / "images" / f"{name}.png", places)
    (tmp_path / "cases" / "mini" / "boxes.csv").write_text("image,x,y\n")
    return tmp_path / "cases"


@pytest.fixture
def judged(part, mini, program):
    """Judge one command of the miniature case for a behaviour."""

    def by(check, behaviour, line="annotate images --points boxes.csv --out o", prepare=None):
        (mini / "mini" / "behaviour.json").write_text(json.dumps(behaviour))
        judge = part("field.judge")
        done = judge.judge(judge.Case("mini", (judge.command(line, check),), prepare), mini, program)
        return done.verdict, done.why

    return by


@pytest.mark.parametrize(
    ("behaviour", "verdict", "why"),
    [
        (RIGHT, "right", ""),
        (RIGHT | {"says": "targets   4"}, "right", ""),
        (RIGHT | {"says": "targets   5"}, "wrong in silence", "5 targets, not 4"),
        (RIGHT | {"status": 3}, "refused", "exit status 3"),
        (RIGHT | {"warns": "Traceback (most recent call last):"}, "wrong in silence", "crashed"),
        (RIGHT | {"warns": "Traceback (most recent call last):", "status": 1}, "wrong", "crashed"),
        (RIGHT | {"masks": without("a"), "status": 3}, "refused", "a: no mask"),
        (RIGHT | {"masks": without("a")}, "wrong in silence", "a: no mask"),
        (RIGHT | {"masks": without("a") | {"a": discs([])}}, "wrong in silence", "a: an empty mask"),
        (RIGHT | {"masks": without("a") | {"a": discs(SPOTS["a"][:1])}}, "wrong in silence", "x 50, y 40"),
        (RIGHT | {"masks": without("a") | {"a": discs(SPOTS["b"])}}, "wrong in silence", "IoU 0.00"),
        (
            RIGHT | {"masks": without("a") | {"a": discs([*SPOTS["a"], (5, 5)])}, "status": 3},
            "wrong",
            "a: a mask at x 5, y 5, where no target is marked",
        ),
        (RIGHT | {"masks": without("a") | {"a": discs(SPOTS["a"], 7)}}, "wrong in silence", "IoU 0.0"),
        (
            RIGHT | {"masks": without("a") | {"a": [64, 48, discs(SPOTS["a"])[2]]}},
            "wrong in silence",
            "a mask of 48 x 64 for an image of 64 x 48",
        ),
        (RIGHT | {"masks": RIGHT["masks"] | {"c": discs([])}}, "wrong in silence", "c: a mask of no image"),
        (
            RIGHT | {"files": {"o/manifest.jsonl": '{"image": "a.png", "targets": [{"point": [14, 20]}]}\n'}},
            "wrong in silence",
            "a: a click at x 20, y 14, beside the targets",
        ),
        (
            RIGHT | {"files": {"o/manifest.jsonl": '{"image": "a.png", "targets": [{"point": [12, 20]}]}\n'}},
            "right",
            "",
        ),
    ],
)
def test_masks_are_judged_by_what_the_images_show(judged, part, behaviour, verdict, why):
    judgement = judged(part("field.checks").read(part("field.scenes").Scenes("images")), behaviour)
    assert judgement[0] == verdict, judgement
    assert why in judgement[1]


@pytest.mark.parametrize(
    ("behaviour", "verdict", "why"),
    [
        (RIGHT, "right", ""),
        ({"status": 2, "warns": "Error: boxes.csv looks like CreateML, which is not read"}, "right", ""),
        ({"status": 2, "warns": "Error: boxes.csv: data is None"}, "refused", "does not say its name"),
        ({"status": 0, "warns": "boxes.csv looks like CreateML"}, "wrong in silence", "does not fail"),
        ({"status": 2, "says": "CreateML", "masks": without("a")}, "refused", "writes 1 masks"),
        ({"status": 2, "says": "CreateML", "masks": {"a": discs([(5, 5)])}}, "wrong", "writes 1 masks"),
        ({"status": 2, "warns": "CreateML\nTraceback (most recent call last):"}, "wrong", "crashed"),
    ],
)
def test_a_refusal_is_right_where_it_says_what_it_must(judged, part, behaviour, verdict, why):
    checks, scenes = part("field.checks"), part("field.scenes").Scenes("images")
    check = checks.either(checks.read(scenes), checks.refused("its name", "createml"))
    judgement = judged(check, behaviour)
    assert judgement[0] == verdict, judgement
    assert why in judgement[1]


def test_a_skipped_image_has_no_mask_and_the_exit_status_says_so(judged, part):
    check = part("field.checks").read(part("field.scenes").Scenes("images"), skipped=["a"])
    assert judged(check, {"status": 3, "masks": without("a")}) == ("right", "")
    assert judged(check, {"status": 0, "masks": without("a")})[0] == "wrong in silence"
    assert judged(check, RIGHT | {"status": 3})[0] == "wrong"


def test_an_image_that_the_document_calls_empty_may_need_an_empty_mask(judged, part):
    scenes = part("field.scenes").Scenes("images", given={"a": SPOTS["a"][1:], "b": []})
    read = part("field.checks").read
    one = {"a": discs(SPOTS["a"][1:])}
    assert judged(read(scenes), {"status": 0, "masks": one}) == ("right", "")
    assert judged(read(scenes, written=True), {"status": 0, "masks": one})[0] == "wrong in silence"
    assert judged(read(scenes, written=True), {"status": 0, "masks": one | {"b": discs([])}})[0] == "right"
    assert judged(read(scenes), RIGHT)[0] == "wrong in silence", (
        "one target of a and both of b are not marked"
    )


def test_the_name_of_the_points_is_no_part_of_what_is_said(judged, part):
    words = part("field.words")
    assert judged(words.says_box, {"status": 0, "says": "8 points from boxes.csv"})[0] == "wrong in silence"
    assert judged(words.says_box, {"status": 0, "says": "8 boxes from boxes.csv"})[0] == "right"


def test_a_click_one_pixel_off_is_seen_where_it_matters(judged, part):
    scenes = part("field.scenes").Scenes("images")
    for point, verdict in (([12, 20], "right"), ([13, 21], "wrong in silence")):
        row = json.dumps({"image": "a.png", "targets": [{"point": point}]})
        behaviour = {"status": 0, "files": {"o/manifest.jsonl": row}}
        assert judged(part("field.checks").clicks_on_the_pixel(scenes), behaviour)[0] == verdict


def test_both_and_never_can_fail(judged, part):
    checks = part("field.checks")
    check = checks.both(checks.done, checks.says("yes", "^yes$"), checks.never("no", r"\bno\b"))
    assert judged(check, {"status": 0, "says": "yes"}) == ("right", "")
    assert "does not say yes" in judged(check, {"status": 0, "says": "yes and"})[1]
    assert "says no" in judged(check, {"status": 0, "says": "yes\nno"})[1]
    assert judged(check, {"status": 3, "says": "yes"})[0] == "refused"


def test_an_image_is_looked_at_upright(part, tmp_path):
    exif = Image.Exif()
    exif[274] = 6  # the picture is to be turned by a quarter, clockwise
    picture(tmp_path / "a.png", [(20, 12)], exif)
    shape, targets = part("field.scenes").targets(tmp_path / "a.png")
    assert shape == (64, 48)
    assert [target.place for target in targets] == [(48 - 1 - 12, 20)]
    assert 5 <= targets[0].pixels.sum() <= 13


def test_a_case_of_other_images_is_not_judged(judged, part, mini):
    scenes = part("field.scenes")
    check = part("field.checks").read(scenes.Scenes("images"))
    picture(mini / "mini" / "images" / "c.png", [])
    with pytest.raises(scenes.BrokenCaseError, match="shows 0 targets, not 2"):
        judged(check, RIGHT)
    with pytest.raises(scenes.BrokenCaseError, match=r"shows targets at .* not at"):
        judged(part("field.checks").read(scenes.Scenes("images", given={**SPOTS, "c": [(3, 3)]})), RIGHT)
    with pytest.raises(scenes.BrokenCaseError, match="holds no image"):
        judged(part("field.checks").read(scenes.Scenes("elsewhere")), RIGHT)


def test_the_original_stays_as_it_is(judged, part, mini):
    images = mini / "mini" / "images"
    images.chmod(0o555)
    (images / "a.png").chmod(0o444)
    try:
        assert judged(part("field.checks").done, {"status": 0, "removed": ["images/a.png"]})[0] == "right"
        assert (images / "a.png").is_file()
    finally:
        images.chmod(0o755)


def test_what_an_earlier_command_wrote_is_not_taken_for_a_later_one_s(part, mini, program):
    judge, checks = part("field.judge"), part("field.checks")
    read = judge.annotate("images", "boxes.csv", checks.read(part("field.scenes").Scenes("images")))

    def fewer(folder, _):
        (folder / "behaviour.json").write_text(
            json.dumps(RIGHT | {"files": {"behaviour.json": '{"status": 0}'}})
        )

    done = judge.judge(judge.Case("mini", (read, read), fewer), mini, program)
    assert [row["verdict"] for row in done.commands] == ["right", "wrong in silence"]


@pytest.fixture
def standard(tmp_path):
    """A folder of one case that the script knows, with images made here."""
    shared = {"scene_000": [(33, 15), (49, 35)], "scene_001": [(10, 10), (54, 33)]}
    for name, places in shared.items():
        picture(tmp_path / "cases" / "voc-size-zero" / "images" / f"{name}.png", places)
    (tmp_path / "cases" / "voc-size-zero" / "xml").mkdir()

    def behave(status):
        right = {"status": status, "masks": {name: discs(places) for name, places in shared.items()}}
        (tmp_path / "cases" / "voc-size-zero" / "behaviour.json").write_text(json.dumps(right))

    behave(0)
    return tmp_path / "cases", behave


def run(*words):
    command = [sys.executable, str(FOLDER / "field_cases.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def test_the_script_prints_a_line_for_each_case_and_fails_unless_all_are_right(standard, program, tmp_path):
    cases, behave = standard
    only = (cases, "--pointmask", program, "--only", "voc-size-zero")
    done = run(*only, "--json", tmp_path / "out.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "J  voc-size-zero  right",
        "1 right, 0 refused, 0 wrong, 0 wrong in silence of 1 cases",
    ]
    (row,) = json.loads((tmp_path / "out.json").read_text())
    assert (row["kind"], row["verdict"]) == ("J", "right")
    assert row["commands"][0]["command"] == "annotate images --points xml --out o"
    behave(3)
    done = run(*only)
    assert done.returncode == 1
    assert "refused           annotate images --points xml --out o: exit status 3" in done.stdout


def test_the_script_names_cases_that_are_missing_or_unknown(standard, program):
    cases, _ = standard
    (cases / "another").mkdir()
    done = run(cases, "--pointmask", program)
    assert done.returncode == 1
    assert "another: no judgement is written for it" in done.stdout
    assert f"boxes-only: not in {cases}" in done.stdout
    assert "1 right, 0 refused, 0 wrong, 0 wrong in silence of 1 cases" in done.stdout
    assert "no case is called nonsense" in run(cases, "--pointmask", program, "--only", "nonsense").stderr
    assert "give the program with --pointmask" in run(cases, "--pointmask", cases / "none").stderr
    picture(cases / "voc-size-zero" / "images" / "scene_000.png", [])
    assert "not the one that its judgement was written for" in run(cases, "--pointmask", program).stderr
