"""Names that went through tools: what is paired, with which note, and what is refused with which hint."""

import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tools.folders import one, reasons, save, spot

from pointmask.bench.cases import folder_sources
from pointmask.calibrate.pairs import read_pairs
from pointmask.folder.job import annotate_folder
from pointmask.io.images.open import open_source
from pointmask.io.points.list_names import list_name
from pointmask.io.points.match import match
from pointmask.io.points.points import Points


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("images/cb0618f6-scene_000.png", "scene_000.png"),  # Label Studio's COCO
        ("label-studio/media/upload/4/cb0618f6-scene_000.png", "scene_000.png"),
        ("1-ab12cd34-scene_000.png", "scene_000.png"),  # project and hash
        ("ab12cd34__scene_000.png", "scene_000.png"),
        ("0b7a4c1e-13d2-4f5a-9c7b-2f0d8e6a1b3c-scene_000.png", "scene_000.png"),
        ("scene_000_ZoqW18z.png", "scene_000.png"),  # Django's
        ("scene_000", "cb0618f6-scene_000.png"),  # images that a tool renamed
        ("f0_png.rf.00000000000000000000000000000001.jpg", "f0.png"),  # Roboflow
        ("IR_frame_0.png", "IR frame (0).png"),
        ("IR%20frame%20(0).png", "IR frame (0).png"),
        ("ab12cd34-IR_frame_0.png", "IR frame (0).png"),
        ("\u00e9t\u00e9_1.png", "e\u0301te\u0301_1.png"),  # NFC and NFD
        ("e\u0301te\u0301_1", "seq/\u00e9t\u00e9_1.png"),
        ("\u7ea2\u5916_1.png", "\u7ea2\u5916_1.png".encode("gbk").decode("cp437")),
        ("\u8d64\u5916_1.png", "\u8d64\u5916_1.png".encode("cp932").decode("cp437")),
        ("\u043a\u0430\u0434\u0440_1", "\u043a\u0430\u0434\u0440_1.png".encode("cp866").decode("cp437")),
        ("a_pixels0.png", "a.png"),
        ("a-mask.bmp", "a.png"),
        ("a_gt", "a.png"),
        ("gt_001.png", "001.png"),
        ("mask_001.png", "img_001.png"),
        ("a_label.png", "a_image.png"),
        ("train/labels/a.png", "train/images/a.jpg"),
        ("seq1/mask/0001.png", "seq1/img/0001.png"),
        ("IRSTD1k_Label/XDU1.png", "IRSTD1k_Img/XDU1.png"),
        ("masks/seq1/0001_mask.png", "images/seq1/0001.png"),
        ("a.gif", "a.png"),
    ],
)
def test_what_tools_do_to_names_is_undone_and_said(key, name):
    matches = match([key], sorted(["other.png", name, "seq9/b.png"]))
    assert matches.by_key == {key: (name, 0)}
    (note,) = matches.notes
    assert note.endswith(f": 1, such as {key} as {name}")
    assert not match([key], [name], exactly=True).by_key


@pytest.mark.parametrize(
    ("key", "name", "hint"),
    [
        ("SCENE_000.PNG", "scene_000.png", "did you mean scene_000.png? only upper and lower case differ"),
        ("1", "000001.png", "did you mean 000001.png? only zeros before numbers differ"),
        ("scene_01.png", "scene_001.png", "did you mean scene_001.png? only zeros before numbers differ"),
        ("scene_001x.png", "scene_001.png", "did you mean scene_001.png?"),
        ("scene_002.png", "scene_001.png", None),  # another number is another image
        ("seq2/a.png", "seq1/a.png", None),
        ("t_-5.png", "t_5.png", "did you mean t_5.png?"),
        ("frame_1234567", "frame.png", None),  # a number is no hash
        ("deadbeef", "beef.png", None),
    ],
)
def test_what_is_not_paired_gets_a_hint_if_one_is_near(key, name, hint):
    matches = match([key], [name])
    assert matches.unmatched == (key,)
    assert matches.hints.get(key) == hint
    assert not matches.notes


def test_two_keys_are_never_paired_loosely_with_one_image():
    for keys in (["aaaaaaaa-x.png", "bbbbbbbb-x.png"], ["x.png", "cccccccc-x.png"], ["x_mask", "x_gt"]):
        matches = match(keys, ["x.png", "y.png"])
        assert set(matches.by_key) == set(keys) & {"x.png"}
        assert set(matches.unmatched) == set(keys) - {"x.png"}
        assert all("x.png" in matches.hints[key] for key in matches.unmatched)


def test_an_image_that_two_names_fit_is_for_neither():
    assert not match(["ab12cd34-a"], ["s/a.png", "t/a.png"]).by_key
    assert match(["a b"], ["a_b.png", "a(b).png"]).unmatched == ("a b",)


@pytest.mark.parametrize("make", ["{}_v2", "{} copy", "IRSTD1k_{}", "{}_raw14", "shot-{}"])
def test_a_common_beginning_or_ending_is_taken_off_if_it_makes_them_fit(make):
    stems = ["7", "19", "XDU3"]
    matches = match([make.format(stem) for stem in stems], [f"{stem}.png" for stem in stems])
    assert [name for name, _ in matches.by_key.values()] == [f"{stem}.png" for stem in stems]
    (note,) = matches.notes
    assert ": 3, such as " in note
    turned = match(stems, [f"{make.format(stem)}.png" for stem in stems])
    assert len(turned.by_key) == 3
    few = match([make.format(stem) for stem in stems], ["7.png", "a.png", "b.png"])
    assert not few.by_key or len(few.by_key) == 1  # a word that is known is taken off one by one


def test_lists_that_differ_in_a_folder_of_sequences_stay_apart():
    assert not match(["seqB_001", "seqB_002"], ["seqA_001.png", "seqA_002.png"]).by_key
    assert not match(["seqB/001", "seqB/002"], ["seqA/001.png", "seqA/002.png"]).by_key


_STEM = st.from_regex(r"[A-Z][0-9]{1,3}", fullmatch=True)
_CHANGES = st.sampled_from(["{}_mask", "{}_pixels0", "0123abcd-{}", "gt_{}", "{}", "x/images/{}", "{}.gif"])


@settings(deadline=None)
@given(st.lists(st.tuples(_STEM, _CHANGES), max_size=8), st.lists(_STEM, unique=True, max_size=8))
def test_loose_pairs_are_right_unique_and_never_against_an_exact_one(changed, stems):
    keys = list(dict.fromkeys(make.format(stem) for stem, make in changed))
    names = [f"{stem}.png" for stem in stems]
    stem_of = {make.format(stem): stem for stem, make in changed}
    exact, loose = match(keys, names, exactly=True), match(keys, names)
    assert loose.by_key.items() >= exact.by_key.items()
    added = {key: image for key, image in loose.by_key.items() if key not in exact.by_key}
    assert all(image == (f"{stem_of[key]}.png", 0) for key, image in added.items())
    assert len(set(added.values())) == len(added)
    assert not set(added.values()) & set(exact.by_key.values())
    assert sum(int(note.rpartition(": ")[2].partition(",")[0]) for note in loose.notes) == len(added)


def test_frames_are_kept():
    assert match(["seq_mask#3"], ["seq.tif"]).by_key == {"seq_mask#3": ("seq.tif", 3)}
    assert match(["ab12cd34-seq#3.png", "seq#2"], ["seq.tif"]).by_key["ab12cd34-seq#3.png"] == ("seq.tif", 3)


def test_zip_names_without_a_flag_are_read_in_the_encoding_that_fits(tmp_path):
    for names, encoding in (
        (["\u7ea2\u5916_0.png", "\u7ea2\u5916_1.png"], "gbk"),
        (["\u7ea2\u5916_0.png", "plain.png"], "utf-8"),
        (["\u00e9t\u00e9_0.png", "\u00fc.png"], "cp437"),
        (["plain.png"], "cp437"),
    ):
        path = tmp_path / f"{encoding}{len(names)}.zip"
        # The module writes no such encoding: the bytes take the place of as many others.
        stand_ins = [str(k).rjust(len(name.encode(encoding)), "?") for k, name in enumerate(names)]
        with zipfile.ZipFile(path, "w") as archive:
            for text in stand_ins:
                archive.writestr(text, b"x")
        data = path.read_bytes()
        for text, name in zip(stand_ins, names, strict=True):
            data = data.replace(text.encode(), name.encode(encoding))
        path.write_bytes(data)
        assert open_source(path).names() == sorted(names)


def test_a_job_says_once_what_it_assumed_and_names_files_that_are_not_read(tmp_path):
    for name in ("a", "b"):
        save(tmp_path / f"images/{name}.png", spot())
    (tmp_path / "images/c.heic").write_bytes(b"")
    points = Points({"0123abcd-a.png": one(), "4567abcd-b.png": one(), "c.png": one()})
    summary = annotate_folder(tmp_path / "images", points, tmp_path / "out")
    assert summary.done == 2
    (note,) = summary.notes
    assert note.endswith("but for what a label tool added: 2, such as 0123abcd-a.png as a.png")
    assert "c.heic is there, but this looks like a HEIC" in reasons(tmp_path / "out")["c.png"]


@pytest.mark.parametrize("make", ["{}_pixels0", "gt_{}", "{}-mask"])
def test_bench_and_calibrate_pair_masks_as_check_does_and_say_so(tmp_path, make):
    for name in ("a", "b"):
        save(tmp_path / f"images/{name}.png", spot())
        save(tmp_path / f"masks/{make.format(name)}.png", spot() > 120)
    said: list[str] = []
    sources = folder_sources(tmp_path / "images", tmp_path / "masks", say=said.append)
    assert [source.load().truth.any() for source in sources] == [True, True]
    points = Points({"a": one(), "b": one()})
    pairs = read_pairs(tmp_path / "images", tmp_path / "masks", points, [], said.append)
    assert len(list(pairs)) == 2
    assert len(said) == 2
    assert all(": 2, such as " in note for note in said)


@pytest.mark.parametrize(
    ("name", "roles", "family"),
    [
        ("train.txt", {"train"}, ""),
        ("train_NUAA-SIRST.txt", {"train"}, "nuaa_sirst"),
        ("trainval_full.txt", {"train", "val"}, "full"),
        ("trainvaltest_v1fullv2target.txt", {"train", "val", "test"}, "v1fullv2target"),
        ("mini_test.txt", {"test"}, "mini"),
        ("mini-v2background.txt", set(), "mini_v2background"),
        ("TrainList.txt", {"train"}, ""),
        ("val_ids_v2.txt", {"val"}, "v2"),
        ("train_val.txt", {"train", "val"}, ""),
        ("training_images.txt", {"train"}, ""),
        ("validation.txt", {"val"}, ""),
        ("latest.txt", set(), "latest"),
        ("contest_values.txt", set(), "contest_values"),
    ],
)
def test_the_name_of_a_list_says_what_it_is_for(name, roles, family):
    called = list_name(f"splits/{name}")
    assert (called.roles, called.family, called.folder) == (roles, family, "splits")
