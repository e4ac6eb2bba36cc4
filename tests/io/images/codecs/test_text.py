"""Matrices of numbers in text files: every way in which programs write them, and what is refused."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import pointmask
from pointmask.cli import main
from pointmask.errors import ImageError
from pointmask.io.images.open import open_source
from pointmask.io.images.zip import ZipSource

SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=8, max_side=12)
STYLES = [(";", ","), (";", "."), ("\t", ","), ("\t", "."), (",", "."), (" ", "."), ("  ", ","), ("; ", ",")]
HEADER = ["Kamera: X1;Zoll 2,5", "Emissivität;0,95", "640;480", ""]


def read(folder, data, name="a.csv"):
    (folder / name).write_bytes(data)
    with open_source(folder, raw="text").open(name) as file:
        return file.decode()


def written(matrix, delimiter, decimal, digits=2):
    return [delimiter.join(f"{v:.{digits}f}".replace(".", decimal) for v in row) for row in matrix]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("text")


@settings(max_examples=80, deadline=None)
@given(
    matrix=arrays(np.int64, SHAPES, elements=st.integers(-5000, 90_000)),
    style=st.sampled_from(STYLES),
    header=st.sampled_from([[], HEADER]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
    end=st.sampled_from(["\n", "\r\n"]),
    trailing=st.booleans(),
    numbered=st.booleans(),
)
def test_a_matrix_is_read_as_it_was_written(folder, matrix, style, header, encoding, end, trailing, numbered):
    delimiter, decimal = style
    lines = written(matrix / 100, delimiter, decimal)
    last = delimiter.strip() if trailing else ""
    if numbered:
        lines = [f"{k}{delimiter}{line}" for k, line in enumerate(lines, 1)]
    text = end.join([*header, *(line + last for line in lines), ""])
    found = read(folder, text.encode(encoding))
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, np.array([[float(f"{v / 100:.2f}") for v in row] for row in matrix]))


@given(
    matrix=arrays(np.int64, SHAPES, elements=st.integers(0, 2**17)),
    delimiter=st.sampled_from([";", ",", "\t", " "]),
)
def test_whole_numbers_keep_their_type_and_value(folder, matrix, delimiter):
    found = read(folder, "\n".join(written(matrix, delimiter, ".", 0)).encode())
    np.testing.assert_array_equal(found, matrix)
    assert found.dtype == (np.uint16 if matrix.max() < 2**16 else np.float64)


def test_quoted_decimals_missing_numbers_and_numbers_of_columns(folder):
    rows = [[f'"{20 + i},{j}"' for j in range(9)] for i in range(8)]
    assert read(folder, "\n".join(map(";".join, rows)).encode())[2, 3] == 22.3
    rows = [[f"{20 + i}.{j}" for j in range(9)] for i in range(8)]
    rows[1][1], rows[2][2] = "", "NaN"
    table = [["", *map(str, range(9))], *([str(k), *row] for k, row in enumerate(rows))]
    found = read(folder, "\n".join(map(",".join, table)).encode())
    assert found.shape == (8, 9)
    assert np.argwhere(np.isnan(found)).tolist() == [[1, 1], [2, 2]]
    assert found[7, 8] == 27.8


LINES = written(np.arange(100).reshape(10, 10) / 7, ";", ",")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["image,x,y", *(f"{k},3" for k in range(20))], "20 rows and 2 columns"),
        (["nothing"], "0 rows and 0 columns"),
        ([*LINES, "", "Frame 2", *LINES], "10 more of 10 numbers"),
        ([*LINES, LINES[4][:17], *LINES], "more of"),
        ([*LINES, LINES[0][:12]], "1 more of"),
        ([*LINES[:9], LINES[9].replace(",", ".")], "some of its decimals have a point"),
    ],
)
def test_what_is_no_matrix_or_several_is_refused_by_name(folder, lines, message):
    with pytest.raises(ImageError, match=rf"^a\.csv: .*{message}"):
        read(folder, "\n".join(lines).encode())


def test_a_folder_of_matrices_is_annotated_when_the_user_says_so(tmp_path):
    frames = tmp_path / "frames"
    frames.mkdir()
    image = np.random.default_rng(0).normal(20, 0.2, (48, 60))
    image[20:23, 30:33] += 5
    (frames / "IR_1.csv").write_text("\n".join(["Temperatur", *written(image, ";", ",")]), encoding="utf-8")
    (frames / "IR_1.jpg").write_bytes(b"the camera's picture")
    points = tmp_path / "points.csv"
    points.write_text("image,x,y\nIR_1,31,21\n")
    command = ["annotate", frames, "--points", points, "--out", tmp_path / "out"]
    done = CliRunner().invoke(main, [*map(str, command), "--raw", "text"])
    assert done.exit_code == 0, done.output
    (entry,) = map(json.loads, (tmp_path / "out" / "manifest.jsonl").read_text().splitlines())
    assert (entry["image"], entry["mask"]) == ("IR_1.csv", "masks/IR_1.png")
    expected = pointmask.annotate(np.round(image, 2), [(21, 31)])
    assert entry["targets"][0]["area"] == expected.targets[0].area
    (frames / "IR_1.jpg").unlink()
    without = CliRunner().invoke(main, [*map(str, command[:-1]), str(tmp_path / "out2")])
    assert without.exit_code == 2
    assert "--raw text" in without.stderr
    assert ZipSource(frames, open_source(frames, raw="text").reading).reading.text
