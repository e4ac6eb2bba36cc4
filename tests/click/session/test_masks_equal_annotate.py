"""Whatever the order of clicks, the masks are those of `pointmask annotate` on the points that remain."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tools.click.session import THETA, Arrays, clicking, crowd, masks_of

from pointmask import annotate
from pointmask.click.contract.errors import InvalidError

IMAGE = crowd()
PLACES = st.tuples(st.integers(26, 40), st.integers(26, 40))
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), PLACES),
        st.tuples(st.just("move"), st.integers(0, 9), PLACES),
        st.tuples(st.just("drop"), st.integers(0, 9)),
        st.tuples(st.just("undo"), st.integers(1, 3)),
        st.tuples(st.just("redo"), st.integers(1, 3)),
        st.tuples(st.just("level"), st.integers(0, 9)),
        st.tuples(st.just("paint"), st.integers(0, 9)),
        st.tuples(st.just("restore"), st.integers(0, 9)),
    ),
    max_size=14,
)


def check(frame):
    """The session's targets against the command's."""
    wanted = annotate(IMAGE, [target.point for target in frame.targets], theta=THETA)
    for target, mask, theirs in zip(frame.targets, masks_of(frame), wanted.targets, strict=True):
        full = np.zeros(IMAGE.shape, np.bool_)
        top, left, bottom, right = theirs.window
        full[top:bottom, left:right] = theirs.mask
        assert np.array_equal(mask, full), target
        assert (target.box, target.area, target.flags) == (theirs.box, theirs.area, theirs.flags)
        assert target.confidence == round(theirs.confidence, 4)
        assert target.centre == theirs.centre


def act(clicker, action):
    """Do one action; what is refused is refused."""
    targets = clicker.frame().targets
    kind, *rest = action
    try:
        if kind == "add":
            clicker.add(*rest[0])
        elif kind in ("undo", "redo"):
            getattr(clicker.session, kind)(rest[0])
        elif targets:
            number = targets[rest[0] % len(targets)].target
            point = targets[rest[0] % len(targets)].point
            if kind == "move":
                clicker.set(number, row=rest[1][0], col=rest[1][1])
            elif kind == "drop":
                clicker.drop(number)
            elif kind == "level":
                clicker.set(number, level=0.3)
            elif kind == "paint":
                clicker.paint(number, put=[(point[0], point[1] - 2, point[1] + 3)])
            else:
                clicker.set(number, level=None)
    except InvalidError:
        pass


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ACTIONS)
def test_any_order_of_edits_gives_the_masks_of_the_final_points(tmp_path_factory, actions):
    out = tmp_path_factory.mktemp("out")
    with clicking(out, {"a.png": IMAGE}) as clicker:
        for action in actions:
            act(clicker, action)
        for target in clicker.frame().targets:
            if not target.is_point_only:
                clicker.set(target.target, level=None)
        check(clicker.frame())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ACTIONS)
def test_a_session_that_is_opened_again_is_the_one_that_was_closed_and_undo_goes_on(
    tmp_path_factory, actions
):
    out = tmp_path_factory.mktemp("out")
    source = Arrays({"a.png": IMAGE})
    states = []
    for action in actions:
        with clicking(out, source) as clicker:
            if states:
                assert clicker.frame() == states[-1]
            act(clicker, action)
            states.append(clicker.frame())
    with clicking(out, source) as clicker:
        clicker.session.undo(100)
        assert clicker.frame().targets == ()
