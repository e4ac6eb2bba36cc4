"""What may be replaced: pointmask's own files alone; never a folder, a link, or what is read."""

import pytest

from pointmask.errors import OutputError
from pointmask.io.own import check_apart, check_file, check_output, check_set, is_json_of


def is_ours(path):
    return path.read_bytes().startswith(b"ours")


def test_no_place_is_an_input_or_holds_one(tmp_path):
    images = tmp_path / "data/images"
    images.mkdir(parents=True)
    (tmp_path / "link").symlink_to("data")
    for place in ("data/images", "data", ".", "link", "link/images", "data/images/../images"):
        with pytest.raises(OutputError, match=r"(is|holds) the input .*images, which must stay"):
            check_apart([tmp_path / place], [None, images])
    check_apart([tmp_path / "out", images / "out", tmp_path / "data/images2"], [images])


def test_an_output_folder_may_hold_an_input_where_nothing_is_written(tmp_path):
    (tmp_path / "masks/deep").mkdir(parents=True)
    (tmp_path / "images").mkdir()
    (tmp_path / "points.csv").write_text("")
    check_output(tmp_path, ["masks"], [tmp_path / "images", tmp_path / "points.csv"])
    for inside, read in ((["masks"], "masks/deep"), (["points.csv"], "points.csv"), ([], ".")):
        with pytest.raises(OutputError, match="the input"):
            check_output(tmp_path, inside, [tmp_path / read])
    (tmp_path / "soft").symlink_to("images")
    with pytest.raises(OutputError, match="the input"):
        check_output(tmp_path, ["soft"], [tmp_path / "images"])
    with pytest.raises(OutputError, match="is a file, not a folder"):
        check_output(tmp_path / "points.csv", [], [])


def test_a_file_is_new_or_proven(tmp_path):
    (tmp_path / "ours").write_text("ours")
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("ours")
    (tmp_path / "dangling").symlink_to("missing")
    check_file(tmp_path / "new", [tmp_path / "mine"], is_ours, overwrite=False)
    check_file(tmp_path / "ours", [tmp_path / "mine"], is_ours, overwrite=True)
    refused = {"mine": "not what this command writes", "folder": "is a folder", "link": "is a link"}
    for name, said in (refused | {"dangling": "is a link"}).items():
        for overwrite in (False, True):
            with pytest.raises(OutputError, match=said):
                check_file(tmp_path / name, [], is_ours, overwrite=overwrite)
    with pytest.raises(OutputError, match="--overwrite"):
        check_file(tmp_path / "ours", [], is_ours, overwrite=False)
    with pytest.raises(OutputError, match="is the input"):
        check_file(tmp_path / "ours", [tmp_path / "ours"], is_ours, overwrite=True)


def test_a_proof_that_cannot_read_proves_nothing(tmp_path):
    for text in ("", "[" * 100_000, "[1]", '{"a": 1}', "\xff"):
        (tmp_path / "a").write_text(text)
        with pytest.raises(OutputError, match="not what this command writes"):
            check_file(tmp_path / "a", [], lambda path: is_json_of(path, ("a", "b")), overwrite=True)
    (tmp_path / "a").write_text('{"a": 1, "b": 2}')
    check_file(tmp_path / "a", [], lambda path: is_json_of(path, ("a", "b")), overwrite=True)


def test_a_set_is_known_by_its_first_file(tmp_path):
    def check(**options):
        check_set(tmp_path, ("first", "second"), [], is_ours, **options)

    check(overwrite=False)
    (tmp_path / "second").write_text("mine")
    with pytest.raises(OutputError, match="no first beside it"):
        check(overwrite=True)
    (tmp_path / "first").write_text("mine")
    with pytest.raises(OutputError, match="no first beside it"):
        check(overwrite=True)
    (tmp_path / "first").write_text("ours")
    check(overwrite=True)
    with pytest.raises(OutputError, match="--overwrite"):
        check(overwrite=False)
    (tmp_path / "second").unlink()
    (tmp_path / "second").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        check(overwrite=True)
