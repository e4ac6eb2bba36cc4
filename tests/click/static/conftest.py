"""A browser for all tests of the page, and pages in it."""

from contextlib import ExitStack

import pytest
from tools.click.browser import PLAIN, Watch, serve_modules
from tools.click.serving import THETA, serving
from tools.click.user import User

from pointmask.click.server.serve import compile_kernels

pytestmark = pytest.mark.browser


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


@pytest.fixture
def visit(browser):
    """Open a page of a server: ``visit(client)`` gives a `User`; what no page may do fails the test."""
    with ExitStack() as stack:
        watches = []

        def opened(client, *, fragment="", allowed=(), begin=True, url=None, **context):
            made = browser.new_context(**{"viewport": {"width": 1200, "height": 760}, **context})
            stack.callback(made.close)
            page = made.new_page()
            page.set_default_timeout(60_000)  # of a busy machine; nothing is measured
            user = User(page, client)
            user.url = url or user.url
            watches.append(Watch(page, user.url, allowed=allowed))
            return user.open(fragment) if begin else user

        yield opened
        for watch in watches:
            watch.check()


@pytest.fixture(scope="session")
def kernels():
    """Compiled kernels: on a fresh machine the first click would wait for them longer than a page should."""
    compile_kernels(THETA)


@pytest.fixture
def served(kernels):
    """Serve a folder: ``served(images, **wish)`` gives the client of a running server."""
    with ExitStack() as stack:
        yield lambda images, **wish: stack.enter_context(serving(images, **wish))
