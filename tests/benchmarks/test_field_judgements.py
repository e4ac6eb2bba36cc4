"""What the judgements of field cases take for the right words and files, and what they do not."""

import json

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def outcome(part, tmp_path):
    """An outcome of a command in an empty folder."""

    def of(raw="", status=0, line="annotate images --points points.csv --out o"):
        return part("field.run").Outcome(tmp_path, tuple(line.split()), status, raw)

    return of


def test_there_is_one_judgement_for_each_case(part):
    kinds = part("field.kinds").KINDS
    assert list(kinds) == list("ABCDEFGHIJ")
    cases = [case for group in kinds.values() for case in group]
    assert len({case.name for case in cases}) == len(cases) == 43
    assert all(case.commands for case in cases)


# Messages of the same meaning in other words, which must be accepted; then what must not be: mostly what was
# printed while the cases were wrong.
WORDS = {
    "words.says_no_targets": (
        [
            "warning: 0 of 24 clicks lie on a target (chance gives 1.2)",
            "Hardly a point shows a target; with x and y swapped, 24 of 24 would",
            "PROBLEM: none of the points lies on a bright spot",
            "most clicks show no target: are x and y swapped?",
            "Only 1 of 8 points shows a target",
            "The clicks do not lie on targets.",
        ],
        [
            "Points: 24 in 12 images, from s.csv (table with the columns image,x,y)\ntargets  24",
            "note: 8 points lie on flat or dark pixels\n  What to do: look at them; very faint targets do so",
            "mean confidence  0.08",
            "No problems, 1 note.",
            "has box but neither points nor masks; mark its targets with these",
        ],
    ),
    "kinds.i_whole.PROBLEM": (
        ["PROBLEM: nearly no click shows a target", "PROBLEM: 24 of 24 points fit if x and y are swapped"],
        [
            "note: nearly no click shows a target",
            "PROBLEM: 2 masks are not binary",
            "8 of 24 points lie on ...",
        ],
    ),
    "words.says_box": (
        [
            "note: x, y, w, h is a box; its middle is clicked on",
            "width and height: are x, y the corner or ...",
        ],
        ["Points: 8 in 4 images, from head.csv (table with the columns image,x,y)"],
    ),
    "kinds.b_documents.FROM_ONE": (
        ["the files seem to count from one", "frame numbers start at 1", "shifted by one frame", "1-based"],
        ["frame_000000: a.xml names this image, but images holds no file of that name; correct the name"],
    ),
    "kinds.b_documents.SIZE": (
        ["the document is for 80 x 60", "is 80x60, the image 160x120", "60 rows and 80 columns"],
        ["images  png L, read as uint8  4  160 x 120 (4)", "80 targets\n60 images"],
    ),
    "kinds.d_numbers.says_empty": (
        [
            "annotation 999 has an empty box: no target",
            "bbox [0, 0, 0, 0]",
            "the box of annotation 9 is 0 x 0",
        ],
        ["targets  9", "Without points, nothing written (--empty-masks writes empty masks) (1):"],
    ),
    "kinds.j_fields.SUPERFLUOUS": (
        ["the column frame is superfluous: each name is a file of its own", "frame is ignored"],
        ["scene_001.png has no frame 1: it holds 1, counted from 0; correct the points"],
    ),
    "kinds.e_recognition.DIVIDER": (
        ["cells are divided by comma, semicolon or tab", "use a tab, a semicolon or a comma"],
        ["needed are image, x and y (label and frame are optional): add a header line image,x,y"],
    ),
    "kinds.e_recognition.ENCODING": (["read as GBK", "gb18030"], ["save the file with the encoding UTF-8"]),
    "kinds.h_names.ENDING": (
        ["all masks end in _pixels0, which is taken off", "the common ending '_pixels0'"],
        ["note: 4 masks have no image\n  scene_000_pixels0.png"],
    ),
    "kinds.h_names.UNPAIRED": (["4 masks paired"], ["note: 4 masks have no image", "4 images have no mask"]),
    "kinds.h_names.says_paired": (
        [
            "4 names paired without the prefix that Label Studio puts in front",
            "Label Studio changed the names",
        ],
        ["Points: 8 in 4 images, from proj.json (Label Studio JSON)"],
    ),
    "kinds.f_masks.says_no_masks": (
        ["scene_000.png is not binary: 62 levels", "grey pictures are no masks"],
        ["not recognised as points; give a folder of point images, or one of masks with --simulate centroid"],
    ),
    "kinds.f_masks.says_largest": (
        [
            "masks/scene_000.png: the largest value is 1; multiply by 255",
            "scene_001.png: values 0 and 1, not 255",
        ],
        ["masks/scene_000.png: every mask is empty", "the largest value is 1, not 255"],
    ),
    "kinds.f_masks.says_array": (
        ["a list of points x, y, one array an image", "arrays of points", "shape (2, 2) is no mask: (n, 2)?"],
        ["scene_000.npy: a mask of int64 with values 15 to 75 has no stated range; save it as 8-bit"],
    ),
    "kinds.g_lists.SEEN": (
        ["warning: the run was trained on Misc_8", "Misc_9: validated on"],
        ["| all | 3 | 3 | 0.000 |", "the run was trained on Misc_1"],
    ),
    "kinds.g_lists.UNUSED": (
        ["lists in idx_427/ are not used; give them with --train-list"],
        ["8 images to train and 2 to validate on"],
    ),
    "kinds.g_lists.says_missing": (
        ["data/images is not there", "data holds no images/, but IRSTD1k_Img", "images/ is missing"],
        ["test.txt says Misc_8, which fits IRSTD1k_Img/Misc_8; write the whole path in the image folder"],
    ),
}


@pytest.mark.parametrize("name", WORDS)
def test_words_that_say_it_and_words_that_do_not(part, outcome, name):
    module, _, attribute = name.rpartition(".")
    check = getattr(part(f"field.{module}"), attribute)
    status = 3 if attribute == "PROBLEM" else 0
    good, bad = WORDS[name]
    for text in good:
        assert check(outcome(text, status)) is None, text
    for text in bad:
        assert check(outcome(text, status)) is not None, text


def test_formats_are_named_with_a_way_out(part, outcome):
    formats = part("field.kinds.e_formats")
    phrases = {
        "antiuav_IR_label.json": "Anti-UAV labels",
        "boxes.jsonl": "boxes x1, y1, x2, y2",
        "coco_results.json": "COCO results",
        "ds9.reg": "DS9 regions",
        "imagej.csv": "a results table of ImageJ",
        "ls_json_min.json": "Label Studio's JSON-MIN",
        "mats": "MATLAB files",
        "points.mat": "a MATLAB file",
        "mot_gt.txt": "MOT",
        "napari_Points.csv": "napari points",
        "otb_groundtruth.txt": "OTB or LaSOT boxes",
        "supervisely": "Supervisely",
        "tf_boxes.csv": "TensorFlow's table of boxes",
        "via.csv": "VIA's CSV",
        "visdrone": "VisDrone",
        "xyxy.csv": "boxes by two corners",
    }
    patterns = formats.OF_THE_SEQUENCE | formats.OF_THE_SCENES | formats.OF_NO_IMAGE
    for name, pattern in patterns.items():
        line = f"annotate images --points {name} --out o"
        message = f"Error: {name}: this looks like {phrases.get(name, 'a table of stars')}, which is not read"
        named = formats.named(pattern)
        assert named(outcome(f"{message}; convert it with another tool", 2, line)) is None, name
        assert named(outcome(f"{message}; convert it", 0, line)) is not None, "exit status 0"
        assert named(outcome(message, 2, line)) is not None, "no way out"
        for old in (
            f"Error: {name}: not recognised as points; give a CSV with the columns image,x,y, a file of an "
            "annotation tool (COCO, LabelMe, CVAT, YOLO ...), a folder of point images, or one of masks with "
            "--simulate centroid or coarse; --points-format names what is not recognised",
            f"Error: {name}:1: point a list of 4 is neither [x, y] nor an object; correct it",
            f"Error: {name}:1: found the columns '27', '37'; needed are image, x and y: add a header line",
        ):
            assert named(outcome(old, 2, line)) is not None, (name, old)


def test_other_small_judgements_of_words(part, outcome):
    recognition, names, documents = (
        part(f"field.kinds.{name}") for name in ("e_recognition", "h_names", "b_documents")
    )
    assert recognition.not_as_bytes(outcome("found the columns 'i\\x00m\\x00'")) is not None
    assert recognition.not_as_bytes(outcome("utf-16")) is None
    headless = recognition.HEADLESS
    assert headless(outcome("found 'scene_000.png', '33', '15'; add a header line", 2)) is None
    assert headless(outcome("found 'scene_000.png 33 15'; add a header line", 2)) is not None
    meant = names.both_names(r"SCENE_000\.PNG", r"\bscene_000\.png")
    assert meant(outcome("SCENE_000.PNG: did you mean scene_000.png?")) is None
    assert meant(outcome("SCENE_000.PNG: no such file\n  scene_000.png has no points")) is not None
    differ = documents.says_names_differ(r"scene_00\d\.xml")
    assert differ(outcome("voc/scene_000.xml: its filename scene_001.png is another image's")) is None
    assert differ(outcome("scene_000.png: x 100, y 22, +0.4 deviations")) is not None


def test_labels_are_read_in_the_manifest(part, outcome, tmp_path):
    labelled = part("field.kinds.e_recognition").labelled("drone")
    assert labelled(outcome()) is not None
    (tmp_path / "o").mkdir()
    for text, right in (
        ('"label": "drone"', True),
        ('"label": "0"', False),
        ('"label": "drone", "label": 1', False),
    ):
        (tmp_path / "o" / "manifest.jsonl").write_text(f"{{{text}}}\n")
        assert (labelled(outcome()) is None) == right, text


def test_lists_that_lose_an_id_are_seen(part, outcome, tmp_path):
    lists = part("field.kinds.g_lists")
    (tmp_path / "splits").mkdir()
    for name in ("train", "test"):
        (tmp_path / "splits" / f"{name}.txt").write_text("a\nb\n")
    lists.planted_leak(tmp_path, tmp_path)
    assert lists.same_lists(outcome()) is None, "no copy was written"
    copy = tmp_path / "fixed" / "img_idx"
    copy.mkdir(parents=True)
    (copy / "train.txt").write_text("a\nb\n")
    assert "1 of 2 lists" in lists.same_lists(outcome()).why
    (copy / "test.txt").write_text("b\n")
    assert lists.same_lists(outcome()).damage
    (copy / "test.txt").write_text("a\nb\n")
    assert lists.same_lists(outcome()) is None
    (tmp_path / "splits" / "train.txt").write_text("a\n")
    assert "train.txt has 1 of its 2 ids" in lists.same_lists(outcome()).why


def test_a_run_that_has_seen_the_test_list_is_not_clean(part, outcome, tmp_path):
    lists = part("field.kinds.g_lists")
    train, evaluate = "train . --out run", "evaluate run . --out e"
    assert lists.clean(outcome(line=train)) is not None, "there is no run"
    assert lists.no_run(outcome(status=2, line=evaluate)) is None
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "train.txt").write_text("Misc_1\n")
    (tmp_path / "run" / "val.txt").write_text("Misc_2\n")
    assert lists.clean(outcome(line=train)) is None
    assert lists.no_run(outcome(status=2, line=evaluate)) is not None
    (tmp_path / "run" / "val.txt").write_text("Misc_9\n")
    assert "Misc_9" in lists.clean(outcome(line=evaluate)).why


def test_masks_left_out_and_runs_without_weights_are_seen(part, outcome, tmp_path):
    names = part("field.kinds.h_names")
    assert names.masks_kept(outcome()) is None, "no copy was written"
    (tmp_path / "f" / "masks").mkdir(parents=True)
    assert "leaves 4 masks out" in names.masks_kept(outcome()).why
    for number in range(4):
        (tmp_path / "f" / "masks" / f"{number}.png").touch()
    assert names.masks_kept(outcome()) is None
    assert names.trained(outcome()) is not None
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "model.safetensors").touch()
    assert names.trained(outcome()) is None


def test_a_conversion_has_a_box_round_each_target(part, outcome, tmp_path):
    masks, scenes = part("field.kinds.f_masks"), part("field.scenes")
    assert masks.converted(outcome()).why == "writes no c.json"
    rows = []
    for number, name in enumerate(scenes.FIRST):
        for x, y in (scenes.FIRST[name], scenes.SECOND[name]):
            rows.append({"image_id": number, "bbox": [x - 1, y - 1, 3, 3]})
    images = [{"id": number, "file_name": f"{name}.png"} for number, name in enumerate(scenes.FIRST)]
    moved = [*rows[:-1], rows[-1] | {"bbox": [0, 0, 3, 3]}]
    for annotations, right in ((rows, True), ([], False), (rows[:-1], False), (moved, False)):
        (tmp_path / "c.json").write_text(json.dumps({"images": images, "annotations": annotations}))
        assert (masks.converted(outcome()) is None) == right, annotations


def test_scores_are_read_in_the_tables(part, outcome):
    masks = part("field.kinds.f_masks")
    assert masks.scored(outcome("│ pointmask       │       none │ 0.612 │ 0.600 │")) is None
    assert masks.scored(outcome("│ pointmask       │       none │ 0.000 │ 0.000 │")).damage
    assert masks.scored(outcome("")) is not None
    row = "│ all      │     20 │      {} │ {} │ 0.353 │ 1.000 │      {} │ 1.000 │"
    assert masks.FIGURES(outcome(row.format(40, "0.351", "0.00"))) is None
    for wrong in ((20, "0.175", "860.60"), (40, "0.351", "860.60"), (20, "0.351", "0.00")):
        assert masks.FIGURES(outcome(row.format(*wrong))) is not None, wrong


def test_masks_of_the_value_1_are_the_ones_to_name(part, outcome, tmp_path):
    masks = part("field.kinds.f_masks")
    (tmp_path / "masks_mixed").mkdir()
    for name, value in (("scene_000", 255), ("scene_001", 1)):
        Image.fromarray(np.full((4, 4), value, np.uint8)).save(tmp_path / "masks_mixed" / f"{name}.png")
    assert masks.ones_named(outcome("scene_001.png: largest value 1", 2)) is None
    assert masks.ones_named(outcome("scene_000.png: largest value 1", 2)) is not None
    assert masks.ones_named(outcome("a mask: largest value 1", 2)) is not None
