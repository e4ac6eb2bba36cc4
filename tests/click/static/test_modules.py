"""The page's sources as a whole: they load, hold no forbidden word, and bind each key once."""

import re

import pytest
from tools.click.browser import STATIC

MODULES = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.js"))
MOST_LINES, MOST_ENTRIES = 400, 13

# What would turn text into markup or code; the content policy of the page refuses it as well.
FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|javascript:|srcdoc"
    r"|DOMParser|setTimeout\(\s*[\"'`]|setInterval\(\s*[\"'`]|createContextualFragment|setHTML"
)


@pytest.mark.parametrize("name", MODULES)
def test_no_module_turns_text_into_markup_or_code(name):
    assert not FORBIDDEN.findall((STATIC / name).read_text(encoding="utf-8"))


def test_the_shell_holds_no_script_or_style_of_its_own():
    shell = (STATIC / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=", shell)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", shell))
    for address in re.findall(r'(?:src|href)="([^"]*)"', shell):
        assert address.startswith("static/"), f"{address}: no address begins elsewhere or at the root"
        assert (STATIC / address.removeprefix("static/")).is_file()


def test_the_shell_names_all_modules_of_the_start_so_that_none_waits_for_another():
    needed = set()

    def walk(name):
        if name not in needed:
            needed.add(name)
            text = (STATIC / name).read_text(encoding="utf-8")
            for other in re.findall(r'^(?:import|export) [^;]*? from "([^"]+)"', text, re.MULTILINE):
                walk((STATIC / name).parent.joinpath(other).resolve().relative_to(STATIC).as_posix())

    walk("main.js")
    shell = (STATIC / "index.html").read_text(encoding="utf-8")
    named = re.findall(r'rel="modulepreload" href="static/([^"]+)"', shell)
    assert sorted(named) == sorted(needed - {"main.js"})


def test_every_source_is_read_in_one_sitting_and_no_folder_is_crowded():
    long = {
        path.name: count
        for path in STATIC.rglob("*")
        if path.is_file() and (count := path.read_bytes().count(b"\n")) > MOST_LINES
    }
    assert not long
    crowded = {
        str(folder): count
        for folder in [STATIC, *(path for path in STATIC.rglob("*") if path.is_dir())]
        if (count := len(list(folder.iterdir()))) > MOST_ENTRIES
    }
    assert not crowded


def test_there_is_nothing_of_others():
    kinds = {path.suffix for path in STATIC.rglob("*") if path.is_file()}
    assert kinds == {".html", ".css", ".js", ".svg"}  # no fonts, pictures or libraries
    for path in STATIC.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert re.findall(r"https?://(?!127\.0\.0\.1|www\.w3\.org/2000/svg)", text) == []


def test_the_viewer_knows_nothing_but_itself():
    for path in (STATIC / "view").glob("*.js"):
        imported = re.findall(r'from "([^"]+)"', path.read_text(encoding="utf-8"))
        assert all(name.startswith("./") for name in imported), (
            f"{path.name}: a notebook can show view/ alone"
        )


@pytest.mark.browser
def test_every_module_loads(modules):
    # main.js asks for a server as soon as it is loaded; the other tests of the page run it.
    names = [name for name in MODULES if name != "main.js"]
    failed = modules(
        "dom.js",
        """async (_, names) => {
          const failed = [];
          for (const name of names) {
            await import("./static/" + name).catch((error) => failed.push(`${name}: ${error}`));
          }
          return failed;
        }""",
        names,
    )
    assert failed == []


@pytest.mark.browser
def test_no_key_is_bound_twice_in_a_view(modules):
    bindings = modules("keys.js", "(m) => m.BINDINGS")
    for where in ("workspace", "review"):
        codes = [binding["code"] for binding in bindings if where in binding["where"]]
        assert len(codes) == len(set(codes)), sorted(code for code in codes if codes.count(code) > 1)


@pytest.mark.browser
def test_every_key_has_something_to_do_and_everything_done_has_a_key(modules):
    missing = modules(
        "keys.js",
        """async (keys) => {
          const actions = (await import("./static/workspace/actions.js")).actionsOf({
            viewer: {}, page: { session: {} }, shell: {},
          });
          const bound = keys.BINDINGS.filter((b) => b.where.includes("workspace")).map((b) => b.action);
          const idle = bound.filter((name) => !(name in actions));
          return [idle, Object.keys(actions).filter((name) => !bound.includes(name))];
        }""",
    )
    assert missing == [[], []]
