"""Tab: commands, options, and names of detectors, strategies and formats, without loading what they name."""

import os
import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from pointmask.cli import COMMANDS, main


def completed(words, incomplete):
    found = ShellComplete(main, {}, "pointmask", "_POINTMASK_COMPLETE").get_completions(words, incomplete)
    return [item.value for item in found]


def test_commands_and_options():
    assert completed([], "") == list(COMMANDS)
    assert completed([], "an") == ["annotate", "analyse"]
    assert "--report-sample" in completed(["annotate", "images"], "--rep")
    assert completed(["annotate", "images", "--polarity"], "d") == ["dark"]


@pytest.mark.parametrize(
    ("words", "incomplete", "wanted"),
    [
        (["train", "data", "--model"], "acm_u", ["acm_unet", "acm_unet_fullres"]),
        (["train", "data", "--strategy"], "ma", ["masks"]),
        (["train", "data", "--preset"], "c", ["cpu", "cpu-long", "cpu-alcnet"]),
        (["bench", "--methods"], "ours,mc", ["ours,mclc"]),
        (["convert", "a", "b", "--to"], "labelm", ["labelme"]),
    ],
)
def test_names_of_tables_are_completed(words, incomplete, wanted):
    assert completed(words, incomplete) == wanted


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_printed(shell):
    done = CliRunner().invoke(main, ["completion", shell])
    if shell == "bash" and done.exit_code:  # click looks for a bash that is new enough
        pytest.skip(done.output)
    assert done.exit_code == 0, done.output
    assert f"_POINTMASK_COMPLETE={shell}_complete" in done.stdout


def test_tab_loads_neither_numpy_nor_torch():
    code = "import sys, atexit; from pointmask.cli import main\n"
    code += "atexit.register(lambda: print(sorted({'numpy', 'torch'} & set(sys.modules)), file=sys.stderr))\n"
    code += "main(prog_name='pointmask')"
    words = {"COMP_WORDS": "pointmask tr", "COMP_CWORD": "1", "_POINTMASK_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **words},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "plain,train" in done.stdout
    assert done.stderr.strip() == "[]"
