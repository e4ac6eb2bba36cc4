"""The review queue: its order, its filters, that nothing jumps, and what it says of progress."""

import itertools

import pytest
from tools.click.session import clicking, crowd

from pointmask.click.contract.errors import InvalidError
from pointmask.click.contract.targets import Brief
from pointmask.click.review.progress import bands_of, progress_of, wilson
from pointmask.click.review.queue import Choice, ReviewQueue, _rank

IMAGES = {f"{name}.png": crowd(seed=k) for k, name in enumerate(["a", "b", "d/c", "d/e/f"])}


@pytest.fixture
def clicker(tmp_path):
    with clicking(tmp_path, IMAGES) as opened:
        for name in reversed(IMAGES):
            for row, col in [(30, 30), (70, 60), (33, 34)]:
                opened.add(row, col, image=name, label="boat" if row == 70 else None)
        yield opened


def rows(queue):
    return [row for start in range(0, len(queue), 7) for row in queue.rows(start, 7)]


def places(queue):
    return [(*row.key, row.brief.target) for row in rows(queue)]


def test_least_sure_first_ties_by_name(clicker):
    queue = ReviewQueue(clicker.session)
    assert len(queue) == 12
    keys = [(row.brief.confidence, *row.key, row.brief.target) for row in rows(queue)]
    assert keys == sorted(keys)


def test_other_orders(clicker):
    areas = [row.brief.area for row in rows(ReviewQueue(clicker.session, Choice(order="area")))]
    assert areas == sorted(areas)
    shuffled = [places(ReviewQueue(clicker.session, Choice(order="random", seed=s))) for s in (1, 1, 2)]
    assert shuffled[0] == shuffled[1] != shuffled[2]
    assert set(shuffled[0]) == set(shuffled[2])
    flagged = [bool(row.brief.flags) for row in rows(ReviewQueue(clicker.session, Choice(order="flags")))]
    assert flagged == sorted(flagged, reverse=True)
    assert set(flagged) == {True, False}


def test_filters(clicker):
    everything = rows(ReviewQueue(clicker.session))
    low, high = everything[3].brief.confidence, everything[8].brief.confidence
    for choice, wanted in [
        (Choice(label="boat"), lambda row: row.brief.label == "boat"),
        (Choice(folder="d"), lambda row: row.key[0].startswith("d/")),
        (Choice(folder="d/e/"), lambda row: row.key[0] == "d/e/f.png"),
        (Choice(low=low, high=high), lambda row: low <= row.brief.confidence <= high),
        (Choice(flag="shared"), lambda row: "shared" in row.brief.flags),
    ]:
        found = rows(ReviewQueue(clicker.session, choice))
        assert found == [row for row in everything if wanted(row)]
        assert found
    for bad in ({"order": "size"}, {"state": "new"}):
        with pytest.raises(InvalidError, match="is unknown; choose"):
            Choice(**bad)


def test_nothing_jumps_and_what_has_a_verdict_leaves_the_next_queue(clicker):
    queue = ReviewQueue(clicker.session)
    before, was = places(queue), rows(queue)
    first, second, third, fourth = before[:4]
    clicker.set(first[2], image=first[0], verdict="accepted")
    clicker.set(second[2], image=second[0], level=0.9)
    clicker.drop(third[2], image=third[0])
    clicker.set(fourth[2], image=fourth[0], verdict="unsure")
    assert places(queue) == before
    now = queue.rows(0, 4)
    assert [row.gone for row in now] == [False, False, True, False]
    assert (now[0].brief.verdict, now[3].brief.verdict) == ("accepted", "unsure")
    assert now[1].brief.area != was[1].brief.area
    assert queue.confidence(1) == pytest.approx(was[1].brief.confidence)
    again = places(ReviewQueue(clicker.session))
    assert not {first, third, fourth} & set(again)
    assert places(ReviewQueue(clicker.session, Choice(state="unsure"))) == [fourth]
    assert set(places(ReviewQueue(clicker.session, Choice(state="done")))) == {first, fourth}
    assert len(ReviewQueue(clicker.session, Choice(state="any"))) == 11


def test_masks_by_hand_come_last_and_marks_of_tracking_first(clicker):
    clicker.paint(1, put=[(5, 5, 9)], image="a.png")
    queue = ReviewQueue(clicker.session)
    assert places(queue)[-1] == ("a.png", 0, 1)
    assert queue.confidence(11) is None
    sure = Brief(target=1, confidence=0.9, flags=("carried", "crossing"))
    doubtful = Brief(target=2, confidence=0.1)
    assert _rank("confidence", sure) < _rank("confidence", doubtful)


def test_pages_are_checked(clicker):
    queue = ReviewQueue(clicker.session)
    for start, count in [(-1, 5), (0, 0), (0, 51)]:
        with pytest.raises(InvalidError, match="rows from"):
            queue.rows(start, count)
    assert queue.rows(12, 5) == []


def briefs(*items):
    return [
        (
            ("a.png", 0),
            [
                Brief(target=k, confidence=confidence, verdict=verdict, changed=changed)
                for k, (confidence, verdict, changed) in enumerate(items)
            ],
        )
    ]


def test_progress_is_the_median_pace_and_the_share_changed():
    found = progress_of(
        briefs(
            (0.4, "accepted", 1000),
            (0.41, "changed", 4000),
            (0.42, "accepted", 6000),
            (None, "unsure", 600_000),
            (0.5, None, 0),
            (0.6, None, 0),
        )
    )
    assert (found.done, found.total, found.recent, found.changed) == (4, 6, 4, 1)
    assert (found.seconds, found.left) == (2.5, 5.0)
    assert found.range == (0.4, 0.42)
    nothing = progress_of(briefs((0.5, None, 0)))
    assert (nothing.done, nothing.seconds, nothing.left, nothing.range) == (0, None, None, None)


def test_bands_hold_each_target_once():
    items = [
        (confidence / 100, verdict, 0)
        for confidence, verdict in itertools.product(
            range(0, 101, 5), [None, "accepted", "changed", "unsure"]
        )
    ]
    bands = bands_of(briefs(*items, (None, "accepted", 0)))
    assert sum(band.total for band in bands) == len(items)
    for band in bands:
        assert (band.reviewed, band.changed) == (band.total // 2, band.total // 4)
        assert band.interval[0] < 0.5 < band.interval[1]
    assert bands_of(briefs((0.9, None, 0)))[-1].interval is None


def test_wilson_s_interval_is_the_published_one():
    """Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    for hits, count, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        assert wilson(hits, count) == pytest.approx((low, high), abs=5e-5)
