"""A browser for all tests of the page, and pages in it."""

import pytest
from tools.click.browser import PLAIN, Watch, launched, serve_modules

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def browser():
    with launched() as running:
        yield running


@pytest.fixture
def modules(browser):
    """Run an expression with a module of the page: ``modules("view/bits.js", "m => m.f()")``."""
    context = browser.new_context()
    serve_modules(context)
    page = context.new_page()
    watch = Watch(page, PLAIN)
    page.goto(PLAIN)

    def run(name, expression, argument=None):
        return page.evaluate(
            f"async (argument) => ({expression})(await import('./static/{name}'), argument)", argument
        )

    run.page = page
    yield run
    watch.check()
    context.close()
