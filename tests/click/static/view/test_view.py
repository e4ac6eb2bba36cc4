"""Pure functions of the viewer, run in Chromium against slow, obvious Python."""

import base64
import itertools

import numpy as np
import pytest

from pointmask.annotator.window import RINGS

pytestmark = pytest.mark.browser

RATIOS = (1, 1.25, 1.5, 2, 3)


def packed(mask, top=0, left=0):
    """A mask as the server sends it."""
    bits = base64.b64encode(np.packbits(mask).tobytes()).decode()
    return {"top": top, "left": left, "height": mask.shape[0], "width": mask.shape[1], "bits": bits}


def test_a_click_inside_a_drawn_pixel_is_that_pixel_at_any_scale_and_device_ratio(modules):
    wrong = modules(
        "view/geometry.js",
        """(m, ratios) => {
          const wrong = [];
          let count = 0;
          for (const ratio of ratios) for (const scale of m.SCALES.filter((s) => s >= 1)) {
            for (const [x, y] of [[0, 0], [-37, 11], [101, -260]]) {
              const view = { scale, x, y };
              for (const row of [0, 1, 255, 511]) for (const col of [0, 1, 319, 639]) {
                const square = m.squareOf(view, row, col);
                const last = square.side - 1e-3;
                const middle = square.side / 2;
                for (const [dx, dy] of [[middle, middle], [0, 0], [last, 0], [0, last], [last, last]]) {
                  // A mouse tells CSS pixels: to them and back again.
                  const css = [(square.x + dx) / ratio, (square.y + dy) / ratio];
                  const got = m.pixelAt(view, css[0] * ratio + 1e-9, css[1] * ratio + 1e-9);
                  count += 1;
                  if (got.row !== row || got.col !== col) wrong.push([ratio, scale, row, col, dx, dy, got]);
                }
              }
            }
          }
          return [count, wrong.slice(0, 5)];
        }""",
        RATIOS,
    )
    assert wrong == [5 * 12 * 3 * 16 * 5, []]


def test_zooming_leaves_the_point_under_the_pointer_there(modules):
    worst = modules(
        "view/geometry.js",
        """(m) => {
          let worst = 0;
          const places = [[0, 0], [333, 201], [1199, 899]];
          for (const from of m.SCALES) for (const to of m.SCALES) for (const [x, y] of places) {
            const view = { scale: from, x: 17, y: -45 };
            const next = m.zoomedAbout(view, to, x, y);
            const before = (x - view.x) / from, after = (x - next.x) / to;
            worst = Math.max(worst, Math.abs(before - after) * to);
            if (!Number.isInteger(next.x) || !Number.isInteger(next.y)) worst = 99;
          }
          return worst;
        }""",
    )
    assert worst <= 0.5 + 1e-9  # half a device pixel, of the rounding to a whole one


def test_steps_of_the_zoom_are_whole_device_pixels_and_end_at_both_ends(modules):
    scales, walk = modules(
        "view/geometry.js",
        """(m) => {
          const walk = [];
          for (let s = m.SCALES[0], i = 0; i < 30; i += 1) walk.push((s = m.stepped(s, 1)));
          return [m.SCALES, walk];
        }""",
    )
    assert all(scale == int(scale) for scale in scales if scale >= 1)
    assert all(1 / scale == pytest.approx(round(1 / scale)) for scale in scales if scale < 1)
    assert walk[:18] == scales[1:]
    assert set(walk[18:]) == {64}


def test_fit_is_the_largest_scale_at_which_the_image_is_in_sight(modules):
    for width, height, room in [
        (640, 512, (1200, 900)),
        (4096, 4096, (800, 600)),
        (3, 3, (900, 700)),
        (1, 4096, (500, 500)),
    ]:
        scales, view = modules(
            "view/geometry.js", "(m, a) => [m.SCALES, m.fitted(...a)]", [width, height, *room]
        )
        fitting = [s for s in scales if width * s <= room[0] and height * s <= room[1]]
        assert view["scale"] == (max(fitting) if fitting else scales[0])
        assert abs(view["x"] * 2 + width * view["scale"] - room[0]) <= 2


def test_masks_come_out_of_their_bits(modules):
    rng = np.random.default_rng(0)
    for _ in range(20):
        mask = rng.random(rng.integers(1, 12, 2)) < 0.5
        got = modules("view/bits.js", "(m, p) => [...m.unpacked(p).pixels]", packed(mask))
        assert got == mask.ravel().astype(int).tolist()


def test_runs_are_the_mask(modules):
    rng = np.random.default_rng(1)
    for _ in range(20):
        mask = rng.random(rng.integers(1, 9, 2)) < 0.6
        runs = modules("view/bits.js", "(m, p) => m.runsOf(m.unpacked(p))", packed(mask, 5, 7))
        drawn = np.zeros((20, 20), bool)
        for row, first, last in runs:
            assert not drawn[row, first : last + 1].any()
            drawn[row, first : last + 1] = True
        expected = np.zeros((20, 20), bool)
        expected[5 : 5 + mask.shape[0], 7 : 7 + mask.shape[1]] = mask
        assert np.array_equal(drawn, expected)


def test_painting_sets_and_clears_what_the_runs_say(modules):
    rng = np.random.default_rng(2)
    for _ in range(20):
        mask, put, clear = (rng.random((7, 6)) < 0.4 for _ in range(3))
        mask[0, 0] = True
        runs = [
            modules("view/bits.js", "(m, p) => m.runsOf(m.unpacked(p))", packed(each))
            for each in (put, clear)
        ]
        got = modules(
            "view/bits.js",
            "(m, [p, s, c]) => { const r = m.repainted(m.unpacked(p), s, c); return m.runsOf(r); }",
            [packed(mask), *runs],
        )
        drawn = np.zeros_like(mask)
        for row, first, last in got:
            drawn[row, first : last + 1] = True
        assert np.array_equal(drawn, (mask | put) & ~clear)


def test_an_outline_has_a_piece_for_every_edge_and_no_other(modules):
    rng = np.random.default_rng(3)
    for _ in range(20):
        mask = rng.random(rng.integers(1, 9, 2)) < 0.6
        edges = modules("view/bits.js", "(m, p) => m.edgesOf(m.unpacked(p))", packed(mask))
        padded = np.pad(mask, 1)
        for axis, pieces in enumerate((edges["horizontal"], edges["vertical"])):
            got = sorted((e, i, s) for e, first, end, s, *_ in pieces for i in range(first, end))
            grid = padded if axis == 0 else padded.T
            expected = []
            for row in range(grid.shape[0] - 1):
                for col in range(1, grid.shape[1] - 1):
                    above, below = grid[row, col], grid[row + 1, col]
                    if above != below:
                        expected.append((row, col - 1, -1 if below else 1))
            assert got == sorted(expected)


@pytest.mark.parametrize("polarity", ["bright", "dark"])
def test_pooling_keeps_the_extreme_of_every_block(modules, polarity):
    rng = np.random.default_rng(4)
    frame = rng.integers(0, 65536, (23, 31), np.uint16)
    for pool in (2, 3, 4, 8):
        got = modules(
            "view/pool.js",
            """(m, [data, width, height, pool, polarity]) =>
               [...m.pooled({ data: Uint16Array.from(data), width, height }, pool, polarity).data]""",
            [frame.ravel().tolist(), 31, 23, pool, polarity],
        )
        reduce = np.max if polarity == "bright" else np.min
        expected = [
            int(reduce(frame[r : r + pool, c : c + pool]))
            for r in range(0, 23, pool)
            for c in range(0, 31, pool)
        ]
        assert got == expected


def test_pooling_without_a_polarity_keeps_a_bright_and_a_dark_pixel(modules):
    frame = np.full((64, 64), 1000, np.uint16)
    frame[10, 10], frame[40, 50] = 1200, 800
    got = modules(
        "view/pool.js",
        "(m, d) => [...m.pooled({ data: Uint16Array.from(d), width: 64, height: 64 }, 4, 'auto').data]",
        frame.ravel().tolist(),
    )
    pooled = np.array(got).reshape(16, 16)
    assert pooled[2, 2] == 1200
    assert pooled[10, 12] == 800
    assert np.count_nonzero(pooled != 1000) == 2


def test_the_table_of_colours_has_one_step_per_window_and_a_colour_of_its_own_for_gaps(modules):
    table = modules(
        "view/levels.js",
        """(m) => {
          const code = { type: "u16", scale: 0.5, offset: -10, missing: 0 };
          return [...m.colourTable(code, { low: 90, high: 110 }, "grey")];
        }""",
    )
    assert len(table) == 65536
    red = np.array(table) & 255
    assert red[1:200].max() == 0
    assert red[241:].min() == 255
    assert (np.diff(red[200:241]) >= 0).all()
    assert len(set(red[200:241])) == 41  # every code within the window has a grey of its own
    missing = [(table[0] >> shift) & 255 for shift in (0, 8, 16)]
    assert len(set(missing)) == 3


def test_a_line_is_gapless_and_ends_where_it_should(modules):
    rng = np.random.default_rng(5)
    for _ in range(20):
        (a, b), (c, d) = rng.integers(-30, 30, (2, 2)).tolist()
        line = modules(
            "view/geometry.js", "(m, p) => m.lineOf(...p)", [{"row": a, "col": b}, {"row": c, "col": d}]
        )
        assert (line[0], line[-1]) == ({"row": a, "col": b}, {"row": c, "col": d})
        steps = [max(abs(p["row"] - q["row"]), abs(p["col"] - q["col"])) for p, q in itertools.pairwise(line)]
        assert all(step == 1 for step in steps)


def test_quantiles_of_what_is_in_sight(modules):
    rng = np.random.default_rng(6)
    frame = rng.integers(0, 4000, (40, 50), np.uint16)
    got = modules(
        "view/levels.js",
        """(m, d) => {
          const code = { type: "u16", scale: 1, offset: 0, missing: null };
          const part = { top: 5, left: 10, bottom: 25, right: 40 };
          return m.quantilesWithin(Uint16Array.from(d), 50, code, part, [0, 0.5, 1]);
        }""",
        frame.ravel().tolist(),
    )
    part = np.sort(frame[5:25, 10:40].ravel())
    assert got[0] == part[0]
    assert got[2] == part[-1]
    assert got[1] in part[len(part) // 2 - 2 : len(part) // 2 + 2]


def test_the_ground_around_a_pixel_is_the_annotator_s_ring(modules):
    random = np.random.default_rng(2)
    image = random.normal(100, 5, (24, 30))
    image[3, 4] = np.nan
    places = [(12, 15), (0, 0), (23, 29), (5, 20), (12, 0)]
    expected = []
    for row, col in places:
        rows, cols = np.ogrid[:24, :30]
        distance = np.hypot(rows - row, cols - col)
        inner, outer = RINGS[1]
        values = image[(distance >= inner) & (distance < outer) & np.isfinite(image)]
        middle = np.median(values)
        expected.append((middle, 1.4826 * np.median(np.abs(values - middle))))
    found = modules(
        "view/around.js",
        """(m, [image, places]) => {
          const value = (row, col) => image[row]?.[col] ?? null;
          return places.map(([row, col]) => Object.values(m.around({ value }, row, col)));
        }""",
        [[[float(v) if np.isfinite(v) else None for v in line] for line in image], places],
    )
    assert np.allclose(found, expected, rtol=1e-12)
    assert modules("view/around.js", "m => m.around({ value: () => null }, 3, 3)") is None
