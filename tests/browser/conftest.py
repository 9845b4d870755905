"""The console in a real Chromium, in front of the stack that the tests of this process share."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from local import browser as chromiums
from tests.browser.console import PATIENCE_MILLISECONDS, Console, Guard
from tests.browser.seed import Seeded, seed
from tests.deployed import StackUnderTest
from tests.e2e.conftest import leave_open

REQUIRED = os.environ.get("BROWSER") == "required"
SCHEMES = ("light", "dark")

type SignIn = Callable[..., Console]


@pytest.fixture(scope="session", autouse=True)
def chromium() -> str:
    """Before anything is started: without a browser these tests cost nothing."""
    found = chromiums.find()
    if found is None:
        (pytest.fail if REQUIRED else pytest.skip)(chromiums.MISSING)
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Without a browser all are skipped here, so that pytest says it in one line and not in one for each."""
    report = yield
    match report.longrepr:
        case (_, _, str(reason)) if report.skipped and chromiums.MISSING in reason:
            report.longrepr = (__file__, None, reason)
    return report


# Of the package, not of the session: while Playwright runs, its event loop is in the way of other tests' loops.
@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=chromiums.options())
        yield launched
        launched.close()


def new_context(browser: Browser, scheme: str = "light") -> BrowserContext:
    """As on the machine of someone far from the platform's time zone, who wants nothing to move."""
    context = browser.new_context(
        # Its own says "Headless", and names a bot to the rules of views.
        user_agent=f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{browser.version} Safari/537.36",
        color_scheme=scheme,  # type: ignore[arg-type]
        locale="en-GB",
        timezone_id="America/Sao_Paulo",
        reduced_motion="reduce",
        viewport={"width": 1280, "height": 900},
    )
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    return context


@pytest.fixture(scope="package")
def contexts(browser: Browser) -> Iterator[dict[str, BrowserContext]]:
    """One for each scheme: what was loaded once is in its cache. Tabs share no session."""
    with ExitStack() as closing:
        made = {scheme: new_context(browser, scheme) for scheme in SCHEMES}
        for each in made.values():
            closing.callback(each.close)
        yield made


@pytest.fixture
def cold(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that has never been here."""
    with new_context(browser) as context:
        yield context


@pytest.fixture
def guard() -> Iterator[Guard]:
    """The test fails when a page of it wrote an error, threw one, or met its content security policy."""
    guard = Guard()
    yield guard
    guard.check()


@pytest.fixture
def sign_in(stack: StackUnderTest, contexts: dict[str, BrowserContext], guard: Guard) -> Iterator[SignIn]:
    """Opens the console in a tab of its own, by the link with a token: of a role, at a screen, in a scheme."""
    with ExitStack() as closing:

        def opened(
            role: str = "operator",
            to: str = "overview",
            scheme: str = "light",
            subject: str | None = None,
            url: str | None = None,
            context: BrowserContext | None = None,
        ) -> Console:
            page = (context or contexts[scheme]).new_page()
            closing.callback(page.close)
            console = Console(page, url or stack.console_url, guard)
            console.open(to, stack.token(role, subject))
            return console

        yield opened


@pytest.fixture(scope="package")
def seeded(stack: StackUnderTest) -> Seeded:
    """Something of everything, made over HTTP."""
    return seed(stack)


@pytest.fixture
def resumed(stack: StackUnderTest) -> Iterator[httpx.Client]:
    """An admin's client: whatever becomes of the test, the platform is open after it."""
    with stack.http("admin") as http:
        yield http
        leave_open(http)
