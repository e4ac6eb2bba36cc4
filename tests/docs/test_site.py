"""The site builds from the tree without a warning, and what it sends to a reader fetches nothing more."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from tools.click.browser import Watch
from tools.docs.blocks import DOCS, NOTEBOOKS, ROOT

pytest.importorskip("mkdocs")

SITE = "http://site.test/"
FETCHING = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src")}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Folder of the built site; building fails on a dead link, a missing anchor, or a page in no menu."""
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", out],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "WARNING" not in done.stderr
    return out


class Fetched(HTMLParser):
    """Addresses that a browser loads by itself, and pictures without a text."""

    def __init__(self):
        super().__init__()
        self.addresses, self.silent = [], []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.addresses += [value for name, value in attrs if (tag, name) in FETCHING and value]
        if tag == "img" and not values.get("alt"):
            self.silent.append(values.get("src"))


def test_nothing_is_fetched_from_elsewhere(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        seen = Fetched()
        seen.feed(page.read_text(encoding="utf-8"))
        assert seen.addresses
        outside = [address for address in seen.addresses if re.match(r"(\w+:)?//", address)]
        assert not outside, f"{page.name} loads {outside}"
        assert not seen.silent, f"{page.name}: {seen.silent} need a text for those who cannot see them"
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import )[\"']?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "benchmarks/README.md"])
def test_links_within_the_repository_lead_somewhere(name):
    page = ROOT / name
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    dead = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not dead


def test_formulas_are_mathml(site):
    text = (site / "how-it-works.html").read_text(encoding="utf-8")
    assert text.count('<div class="formula"') == 6
    assert "$" not in re.sub(r"<(script|code|math).*?</\1>", "", text, flags=re.DOTALL)
    for page in site.rglob("*.html"):
        for formula in re.findall(r"<math.*?</math>", page.read_text(encoding="utf-8"), re.DOTALL):
            assert "\\" not in formula, f"{page.name}: LaTeX that is not understood in {formula}"


def test_commands_settings_and_notebooks_are_there(site):
    commands = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    assert "--points-format" in commands
    assert "Usage: pointmask models" in commands
    for name in ("pointmask.annotate", "pointmask.Theta", "pointmask.carry"):
        assert f'id="{name}"' in (site / "reference" / "annotating.html").read_text(encoding="utf-8")
    for notebook in NOTEBOOKS:
        page = (site / "notebooks" / f"{notebook.stem}.html").read_text(encoding="utf-8")
        assert f'href="{notebook.name}"' in page
        assert (site / "notebooks" / notebook.name).read_bytes() == notebook.read_bytes()


def test_pictures_are_small_and_the_same_in_every_build(site):
    sys.path.insert(0, str(DOCS / "hooks"))
    try:
        import pictures
    finally:
        sys.path.remove(str(DOCS / "hooks"))
    drawn = {**pictures.operator_pictures(), "masks": pictures.gallery()}
    files = {path.stem: path for path in (site / "pictures").iterdir()}
    assert files.keys() == drawn.keys()
    for name, picture in drawn.items():
        assert pictures.encoded(picture) == files[name].read_bytes()
        assert files[name].stat().st_size < 60_000


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_browser_finds_nothing_wrong(site, browser, width, scheme):
    """Nothing from outside, nothing wider than the window, and no finding of axe that is serious."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    watch = Watch(page, SITE)
    context.route(
        SITE + "**/*", lambda route: route.fulfill(path=site / route.request.url.removeprefix(SITE))
    )
    for name in ("index", "how-it-works", "quality", "reference/annotating"):
        page.goto(f"{SITE}{name}.html")
        page.locator("[data-md-component=palette] input").first.wait_for(state="attached")
        assert page.evaluate("document.scrollingElement.scrollWidth") == width
        found = axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert not [rule for rule in found if rule["impact"] in ("serious", "critical")]
    watch.check()
    context.close()
