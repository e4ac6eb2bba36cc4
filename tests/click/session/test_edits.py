"""What each edit does, and what is refused."""

from itertools import pairwise

import numpy as np
import pytest
from tools.click.session import THETA, Arrays, clicking, crowd, masks_of

from pointmask import annotate
from pointmask.annotator.single import solve_one
from pointmask.annotator.target import slices_of
from pointmask.click.contract import edits
from pointmask.click.contract.errors import ConflictError, GoneError, InvalidError, NotFoundError
from pointmask.click.session import editor

IMAGE = crowd()


@pytest.fixture
def clicker(tmp_path):
    with clicking(tmp_path, {"a.png": IMAGE, "b.png": crowd(seed=5)}) as opened:
        yield opened


def test_a_click_is_a_pixel_and_keeps_it_though_the_annotator_starts_elsewhere(clicker):
    target = clicker.add(68, 59).frames[0].changed[0]
    assert target.point == (68, 59)
    assert (target.made, target.level, target.ring, target.verdict) == ("click", None, 0, None)


def test_a_frame_whose_mask_could_not_be_read_back_is_refused_before_anything_is_written(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(editor, "MOST_PIXELS", 95 * 96)
    with clicking(tmp_path, {"a.png": crowd()}) as clicker:
        for do in (lambda: clicker.add(30, 30), lambda: clicker.mark("empty"), lambda: clicker.refuse(1, 1)):
            with pytest.raises(InvalidError, match="divide the image"):
                do()
        assert clicker.session.seq == 1


def test_two_clicks_on_one_pixel_the_second_is_refused(clicker):
    clicker.add(31, 30)
    with pytest.raises(InvalidError, match=r"target 1 was clicked on this very pixel \(row 31, col 30\)"):
        clicker.add(31, 30)
    clicker.add(34, 34)
    with pytest.raises(InvalidError, match="target 1 was clicked"):
        clicker.set(2, row=31, col=30)
    assert len(clicker.frame().targets) == 2


@pytest.mark.parametrize("place", [(-1, 3), (96, 3), (3, 96), (3, -1), (1.5, 2), (True, 2)])
def test_places_outside_the_frame_are_refused(clicker, place):
    with pytest.raises(InvalidError):
        clicker.add(*place)
    assert clicker.session.frame("a.png", 0).targets == ()


def test_the_answer_lists_all_targets_whose_pixels_changed(clicker):
    clicker.add(30, 30)
    change = clicker.add(33, 34).frames[0]
    assert {target.target for target in change.changed} == {1, 2}
    change = clicker.drop(2).frames[0]
    assert change.removed == (2,)
    assert {target.target for target in change.changed} == {1}


def test_levels_are_nested_and_leave_the_place_and_none_is_the_annotator_s_mask(clicker):
    first = clicker.add(70, 60).frames[0].changed[0]
    masks = []
    for level in (0.1, 0.3, 0.5, 0.7, 0.9):
        target = clicker.set(1, level=level).frames[0].changed[0]
        assert (target.level, target.centre) == (level, first.centre)
        masks.append(masks_of(clicker.frame())[0])
    for wide, narrow in pairwise(masks):
        assert not (narrow & ~wide).any()
    assert masks[0].sum() > masks[-1].sum()
    back = clicker.set(1, level=None).frames[0].changed[0]
    assert (back.rle, back.confidence) == (first.rle, first.confidence)


@pytest.mark.parametrize("level", [0.01, 0.99, float("nan"), "0.5", True])
def test_levels_out_of_range_are_refused(clicker, level):
    clicker.add(70, 60)
    with pytest.raises(InvalidError, match="level"):
        clicker.set(1, level=level)


def test_rings_are_dilation_and_erosion_over_eight_neighbours(clicker):
    clicker.add(70, 60)
    plain = masks_of(clicker.frame())[0]
    for ring in (1, 2, 3):
        clicker.set(1, ring=ring)
        grown = np.zeros_like(plain)
        for row, col in np.argwhere(plain):
            grown[row - ring : row + ring + 1, col - ring : col + ring + 1] = True
        assert np.array_equal(masks_of(clicker.frame())[0], grown)
    clicker.set(1, ring=-1)
    eroded = np.zeros_like(plain)
    for row, col in np.argwhere(plain):
        eroded[row, col] = plain[row - 1 : row + 2, col - 1 : col + 2].all()
    assert np.array_equal(masks_of(clicker.frame())[0], eroded)
    clicker.set(1, ring=-3)
    assert clicker.frame().targets[0].area >= 1
    for ring in (-4, 4, 1.0):
        with pytest.raises(InvalidError, match="ring"):
            clicker.set(1, ring=ring)


def test_a_ring_stays_in_the_frame_and_the_border_does_not_erode(tmp_path):
    image = np.full((40, 40), 100.0)
    image[0:4, 0:5] = 200
    with clicking(tmp_path, {"a.png": image}) as clicker:
        clicker.add(1, 1)
        plain = masks_of(clicker.frame())[0]
        assert plain[0, 0]
        clicker.set(1, ring=2)
        assert clicker.frame().targets[0].box[:2] == (0, 0)
        clicker.set(1, ring=-1)
        assert masks_of(clicker.frame())[0][0, 0]


def test_a_target_s_own_polarity(tmp_path):
    image = IMAGE.astype(np.int32)
    image[60:80, 50:70] = 2000 - image[60:80, 50:70]
    with clicking(tmp_path, {"a.png": image}) as clicker:
        clicker.add(70, 60, polarity="dark")
        wanted = annotate(image, [(70, 60)], theta=THETA, polarity="dark")
        assert np.array_equal(masks_of(clicker.frame())[0], wanted.mask)
        clicker.set(1, polarity=None)
        bright = annotate(image, [(70, 60)], theta=THETA)
        assert np.array_equal(masks_of(clicker.frame())[0], bright.mask)


def test_painted_pixels_are_stored_as_they_are_and_win_against_neighbours(clicker):
    clicker.add(30, 30)
    clicker.add(33, 34)
    before = masks_of(clicker.frame())
    clicker.paint(1, put=[(33, 33, 35), (34, 30, 33)], clear=[(30, 30, 30)])
    target = clicker.frame().targets[0]
    assert (target.made, target.confidence, target.level) == ("hand", None, None)
    wanted = before[0].copy()
    wanted[33, 33:36] = wanted[34, 30:34] = True
    wanted[30, 30] = False
    first, second = masks_of(clicker.frame())
    assert np.array_equal(first, wanted)
    alone = solve_one(IMAGE, (33, 34), theta=THETA).target
    rest = np.zeros_like(wanted)
    rest[slices_of(alone.window)] = alone.mask
    assert np.array_equal(second, rest & ~wanted)
    assert clicker.frame().targets[1].flags == (*alone.flags, "shared")
    with pytest.raises(InvalidError, match="painted by hand"):
        clicker.set(1, level=0.3)
    clicker.set(1, level=None)
    assert all(np.array_equal(a, b) for a, b in zip(masks_of(clicker.frame()), before, strict=True))


def test_painting_over_a_painted_neighbour_takes_its_pixels_but_never_the_last(clicker):
    clicker.add(30, 30)
    clicker.add(70, 60)
    clicker.paint(1, put=[(50, 50, 55)])
    clicker.paint(2, put=[(50, 52, 53)])
    first, second = masks_of(clicker.frame())
    assert not first[50, 52:54].any()
    assert second[50, 52:54].all()
    with pytest.raises(InvalidError, match="leave target 1 without a pixel"):
        clicker.paint(2, put=[(row, 0, 95) for row in range(96)])
    with pytest.raises(InvalidError, match="left without a pixel"):
        clicker.paint(2, clear=[(row, 0, 95) for row in range(96)])
    for run in [(96, 0, 1), (0, 5, 4), (0, 0, 96), (-1, 0, 0)]:
        with pytest.raises(InvalidError, match="lies outside the frame"):
            clicker.paint(2, put=[run])


def test_a_superpixel_is_added_and_removed(clicker):
    clicker.add(70, 60)
    plain = masks_of(clicker.frame())[0]
    clicker.superpixel(1, 70, 60)
    wide = masks_of(clicker.frame())[0]
    assert not (plain & ~wide).any()
    assert clicker.frame().targets[0].made == "hand"
    clicker.superpixel(1, 50, 50)
    far = masks_of(clicker.frame())[0]
    assert far[50, 50]
    assert far.sum() > wide.sum()
    clicker.superpixel(1, 50, 50, add=False)
    assert np.array_equal(masks_of(clicker.frame())[0], wide)


def test_an_empty_frame_is_a_fact_that_a_click_takes_back(clicker):
    clicker.mark("empty")
    assert clicker.frame().state == "empty"
    clicker.add(70, 60)
    assert clicker.frame().state == "open"
    with pytest.raises(InvalidError, match="holds 1 targets"):
        clicker.mark("empty")
    clicker.session.undo()
    assert (clicker.frame().state, clicker.frame().targets) == ("empty", ())


def test_verdicts_and_what_withdraws_them(clicker):
    clicker.add(30, 30)
    clicker.set(1, verdict="accepted")
    clicker.add(33, 34)
    assert clicker.frame().targets[0].verdict is None
    clicker.set(1, verdict="accepted")
    clicker.set(1, label="boat")
    assert clicker.frame().targets[0].verdict == "accepted"
    clicker.set(1, level=0.3)
    assert clicker.frame().targets[0].verdict == "changed"
    clicker.set(1, verdict="accepted")
    assert clicker.frame().targets[0].verdict == "changed"
    clicker.set(1, verdict=None)
    assert clicker.frame().targets[0].verdict is None


@pytest.mark.parametrize("label", ["", "x" * 201, "a\nb", "\u202egnp.exe", 3])
def test_labels_that_cannot_be_stored(clicker, label):
    with pytest.raises(InvalidError, match="label"):
        clicker.add(30, 30, label=label)


def test_proposals_are_accepted_with_our_mask_or_theirs_or_refused(clicker):
    clicker.add(30, 30)
    theirs = clicker.frame().targets[0].rle
    clicker.drop(1)
    clicker.accept(70, 60)
    clicker.accept(30, 31, rle=theirs)
    ours, predicted = clicker.frame().targets
    assert (ours.made, predicted.made, predicted.rle) == ("click", "predicted", theirs)
    clicker.refuse(5, 5)
    clicker.refuse(5, 5)
    assert clicker.frame().refused == ((5, 5),)
    clicker.session.undo()
    assert clicker.frame().refused == ()
    clicker.set(3, level=None)
    assert clicker.frame().targets[1].made == "click"
    for rle in ("", "\x7f", "0"):
        with pytest.raises(InvalidError, match="the proposal's mask"):
            clicker.accept(50, 50, rle=rle)


def test_a_conflict_carries_the_present_state_and_nothing_is_written(clicker):
    seen = clicker.add(30, 30).frames[0].frame.revision
    clicker.add(70, 60, base=seen)
    seq = clicker.session.seq
    with pytest.raises(ConflictError) as caught:
        clicker.drop(1, base=seen)
    assert caught.value.frame == clicker.frame()
    assert clicker.session.seq == seq


def test_what_is_not_there_is_not_found(clicker):
    for do in (
        lambda: clicker.drop(1),
        lambda: clicker.set(7, label="a"),
        lambda: clicker.add(1, 1, image="z.png"),
        lambda: clicker.add(1, 1, frame=1),
    ):
        with pytest.raises(NotFoundError):
            do()


def test_the_same_identifier_is_answered_again_and_done_once(clicker):
    add = edits.Add(image="a.png", frame=0, edit="x-1", row=30, col=30)
    first = clicker.session.edit([add])
    again = clicker.session.edit([add, add])
    assert again.frames[0].frame == first.frames[0].frame
    assert again.seq == first.seq
    twice = edits.Add(image="b.png", frame=0, edit="x-2", row=30, col=30)
    clicker.session.edit([twice, twice])
    assert len(clicker.frame("b.png").targets) == 1


def test_all_edits_of_a_request_or_none(clicker):
    good = edits.Add(image="a.png", frame=0, edit="x-1", row=30, col=30)
    bad = edits.Drop(image="b.png", frame=0, edit="x-2", target=4)
    with pytest.raises(NotFoundError):
        clicker.session.edit([good, bad])
    assert clicker.frame().targets == ()
    answer = clicker.session.edit([good, edits.Add(image="b.png", frame=0, edit="x-3", row=70, col=60)])
    assert [change.frame.image for change in answer.frames] == ["a.png", "b.png"]


def test_edits_of_one_gesture_are_one_step(clicker):
    clicker.add(30, 30)
    for row in (31, 32, 33):
        clicker.set(1, row=row, gesture="drag-1")
    clicker.set(1, row=34, gesture="drag-2")
    clicker.session.undo()
    assert clicker.frame().targets[0].point == (33, 30)
    assert clicker.session.undo().words == ("changed target 1",)
    assert clicker.frame().targets[0].point == (30, 30)
    clicker.session.redo()
    assert clicker.frame().targets[0].point == (33, 30)


def test_a_changed_file_is_refused_until_the_new_one_is_taken(tmp_path):
    source = Arrays({"a.png": IMAGE})
    with clicking(tmp_path, source) as clicker:
        clicker.add(30, 30)
        clicker.add(33, 34)
        before = clicker.frame()
        new = crowd(seed=8)
        source.images["a.png"] = [new]
        with pytest.raises(GoneError, match="is not the file that was marked"):
            clicker.add(70, 60)
        clicker.set(1, label="boat")  # needs no pixels
        clicker._do(edits.UseNewFile)
        wanted = annotate(new, [(30, 30), (33, 34)], theta=THETA)
        assert np.array_equal(masks_of(clicker.frame())[0] | masks_of(clicker.frame())[1], wanted.mask)
        clicker.session.undo(2)
        assert clicker.frame().targets == before.targets
        assert clicker.frame().content == before.content
        source.gone.add("a.png")
        with pytest.raises(GoneError):
            clicker.add(1, 1)


def test_a_preview_is_the_target_that_a_click_makes_and_is_not_written(clicker):
    seq = clicker.session.seq
    preview = clicker.session.preview("a.png", 0, 70, 60)
    assert clicker.session.seq == seq
    target = clicker.add(70, 60).frames[0].changed[0]
    assert (preview.rle, preview.confidence, preview.flags) == (target.rle, target.confidence, target.flags)


def test_changes_since_a_line(clicker):
    start = clicker.session.seq
    clicker.add(30, 30)
    middle = clicker.session.seq
    clicker.add(30, 30, image="b.png")
    assert [frame.image for frame in clicker.session.changes(start)] == ["a.png", "b.png"]
    assert [frame.image for frame in clicker.session.changes(middle)] == ["b.png"]
    assert clicker.session.changes(start, most=1) is None


def test_identifiers_and_names_are_checked(clicker, tmp_path):
    for edit in ("", "x" * 65, "a\0b"):
        with pytest.raises(InvalidError, match="edit identifier"):
            clicker.session.edit([edits.Drop(image="a.png", frame=0, edit=edit, target=1)])
    with pytest.raises(InvalidError, match="annotator"), clicking(tmp_path, {"a.png": IMAGE}, annotator=""):
        pass
    with pytest.raises(InvalidError, match="steps"):
        clicker.session.undo(0)
