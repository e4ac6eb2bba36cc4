"""Natural order: what people expect of numbered files and folders."""

import random

from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from tools.folders import save, spot

from pointmask.cli import main
from pointmask.doctor import examine
from pointmask.folder.records.manifest import read_manifest
from pointmask.io.points.names import in_natural_order, natural_key
from pointmask.io.points.points import Points

ORDERED = [
    "1.png",
    "2.png",
    "10.png",
    "a/2.png",
    "a/10.png",
    "a2/1.png",
    "a10/1.png",
    "b01.png",
    "b1.png",
    "B02.png",
    "b3",
    "b3c1",
    "b3c" + "9" * 5000,
    "b3c1" + "0" * 5000,
]


def test_numbers_count_and_folders_stay_together():
    shuffled = random.Random(0).sample(ORDERED, len(ORDERED))
    assert sorted(shuffled, key=natural_key) == ORDERED


@given(st.lists(st.text(st.sampled_from("aB01/.²٤é"), max_size=6), unique=True))
def test_the_order_is_total(names):
    keys = sorted(map(natural_key, names))
    assert len(set(keys)) == len(names)


@given(
    st.lists(st.text(st.sampled_from("aB01/.²٤é"), max_size=6))
    | st.lists(st.from_regex(r"[ab]/f[0-9]{3}x[0-9]\.png", fullmatch=True))
)
def test_padded_names_are_in_natural_order_at_once(names):
    assert in_natural_order(names) == sorted(names, key=natural_key)


def test_people_see_natural_order_and_the_manifest_is_sorted_by_code_points(tmp_path):
    names = [f"f{k}.png" for k in range(1, 31)]
    for name in names:
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "images" / name).write_bytes(b"no image")
    save(tmp_path / "images/good.png", spot())
    (tmp_path / "points.csv").write_text("image,x,y\n" + "".join(f"{name},1,1\n" for name in names))
    out = tmp_path / "out"
    arguments = [
        str(tmp_path / "images"),
        "--points",
        str(tmp_path / "points.csv"),
        "--out",
        str(out),
        "--report",
    ]
    told = CliRunner().invoke(main, ["annotate", *arguments]).output
    assert [line.split(":")[0].strip() for line in told.splitlines() if line.startswith("  f")] == names[:20]
    assert [entry["image"] for entry in read_manifest(out)] == sorted(names)
    page = (out / "report.html").read_text()
    places = [page.index(f"<bdi>{name}</bdi>") for name in names]
    assert places == sorted(places)
    (problem,) = (
        finding for finding in examine(tmp_path / "images", Points({})).findings if finding.is_problem
    )
    assert [item.split(":")[0] for item in problem.items] == names
