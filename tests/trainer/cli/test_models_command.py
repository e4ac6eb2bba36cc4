"""``pointmask models`` as a user sees it."""

import json

import pytest

torch = pytest.importorskip("torch")

from click.testing import CliRunner

from pointmask.cli import main


def test_table_and_json_tell_the_same():
    table = CliRunner().invoke(main, ["models", "acm_unet", "mlclnet_small", "--size", "32"])
    assert table.exit_code == 0, table.output
    rows = [line.split() for line in table.stdout.splitlines() if "_" in line]
    found = CliRunner().invoke(main, ["models", "acm_unet", "mlclnet_small", "--size", "32", "--json"])
    listed = json.loads(found.stdout)
    assert [row[0] for row in rows] == [entry["name"] for entry in listed] == ["acm_unet", "mlclnet_small"]
    for row, entry in zip(rows, listed, strict=True):
        assert row[1:3] == [str(entry["parameters"]), str(entry["parameters_3_channels"])]
        assert entry["parameters_3_channels"] > entry["parameters"]
        assert row[3] == f"{entry['macs'] / 1e9:.3f}"
        assert entry["seconds"] > 0


def test_an_unknown_name_is_answered_with_the_nearest():
    done = CliRunner().invoke(main, ["models", "acm_unett"])
    assert done.exit_code == 2
    assert "did you mean 'acm_unet'" in done.output
