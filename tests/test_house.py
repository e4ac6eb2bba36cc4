"""The house as its map and CONTRIBUTING describe it; who may import whom is checked by import-linter."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "pointmask": ROOT / "annotator" / "pointmask",
    "pointmask_trainer": ROOT / "trainer" / "pointmask_trainer",
}
CODE = [*PACKAGES.values(), ROOT / "tests", ROOT / "benchmarks"]
MOST_ENTRIES = 13
MOST_LINES = 400


def folders(top):
    """Folders of code below a folder, without what tools leave there."""
    for path in sorted(top.rglob("*")):
        hidden = any(part.startswith((".", "__")) or part.endswith(".egg-info") for part in path.parts)
        if path.is_dir() and not hidden and any(path.glob("*.py")):
            yield path


@pytest.mark.parametrize("top", CODE, ids=lambda p: p.name)
def test_no_folder_is_crowded(top):
    crowded = {}
    for folder in folders(top):
        entries = [path.name for path in folder.iterdir() if not path.name.startswith(("__", "."))]
        if len(entries) > MOST_ENTRIES:
            crowded[str(folder.relative_to(ROOT))] = len(entries)
    assert not crowded, f"more than {MOST_ENTRIES} entries; divide by purpose"


def test_every_module_is_read_in_one_sitting():
    long = {}
    for top in ("annotator", "trainer", "tests", "benchmarks", "examples", "docs"):
        for path in (ROOT / top).rglob("*.py"):
            count = path.read_bytes().count(b"\n")
            if count > MOST_LINES:
                long[str(path.relative_to(ROOT))] = count
    assert not long, f"over {MOST_LINES} lines; divide where the module does two things"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_what_it_is_what_it_may_import_and_where_to_begin(package):
    top = PACKAGES[package]
    for init in [top / "__init__.py", *(folder / "__init__.py" for folder in folders(top))]:
        text = ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) or ""
        opened = re.search(r"Open first:\s+``([\w/]+\.py)``", text)
        assert opened, f"{init} does not say which file to open first"
        assert (init.parent / opened[1]).is_file(), (
            f"{init} sends the reader to {opened[1]}, which is not there"
        )
        if init.parent != top:
            assert "May import:" in text, f"{init} does not say what the package may import"


@pytest.mark.parametrize("package", PACKAGES)
def test_the_map_s_tree_is_the_tree(package):
    tree = (ROOT / "docs" / "contributing" / "map.md").read_text(encoding="utf-8")
    block = re.search(rf"{package}/ .*?\n(?=\S)", tree, re.DOTALL)
    assert block is not None
    named = re.findall(r"^  ([\w/]+)/ ", block[0], re.MULTILINE)
    there = [path.name for path in PACKAGES[package].iterdir() if (path / "__init__.py").is_file()]
    assert sorted({name.partition("/")[0] for name in named}) == sorted(there)


def test_every_benchmark_has_its_line():
    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    there = {path.name for path in (ROOT / "benchmarks").iterdir() if path.suffix in (".py", ".sh")}
    assert set(re.findall(r"^\| `([\w.]+)`", text, re.MULTILINE)) == there


def test_every_test_folder_mirrors_a_package():
    for folder in folders(ROOT / "tests"):
        part = folder.relative_to(ROOT / "tests")
        if part.parts[0] in ("tools", "benchmarks", "attack", "docs"):
            continue
        top, rest = PACKAGES["pointmask"], part
        if part.parts[0] == "trainer":
            top, rest = PACKAGES["pointmask_trainer"], part.relative_to("trainer")
        assert (top / rest).is_dir(), f"tests/{part} mirrors nothing"


@pytest.mark.parametrize("package", PACKAGES)
def test_the_public_face_is_lazy_and_whole(package):
    if package == "pointmask_trainer":
        pytest.importorskip("torch")
    init = PACKAGES[package] / "__init__.py"
    typed = re.findall(r"    from .* import (\w+) as \1", init.read_text(encoding="utf-8"))
    code = (
        f"import sys, {package} as face\n"
        "assert not {'numpy', 'numba', 'torch'} & set(sys.modules)\n"
        f"assert sorted(face.__all__) == {sorted(typed)!r}, face.__all__\n"
        "assert set(dir(face)) - {'__version__'} == set(face.__all__)\n"
        "for name in face.__all__: assert getattr(face, name).__name__ == name\n"
        "try: face.nonsense\n"
        "except AttributeError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "nonsense" in done.stdout


def test_examples_and_other_packages_need_the_public_face_alone():
    for path in [
        *(ROOT / "examples").glob("*.py"),
        *(ROOT / "tests" / "tools" / "toy_package").rglob("*.py"),
    ]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                assert "pointmask" not in node.module or node.module in PACKAGES, (
                    f"{path.name}: {node.module}"
                )


def test_what_is_said_is_broken_into_lines_by_its_arguments():
    """`say` prints a break within a line as its escape: a line is an argument of its own."""
    broken = []
    for file in (file for top in PACKAGES.values() for file in top.rglob("*.py")):
        calls = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
        for call in (call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "say"):
            texts = [
                part.value
                for argument in call.args
                for part in (argument.values if isinstance(argument, ast.JoinedStr) else [argument])
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            ]
            broken += [f"{file}:{call.lineno}" for text in texts if "\n" in text]
    assert not broken
