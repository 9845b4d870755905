"""Every screen: for those who see little or use no mouse, on every width, and when there is no answer to show."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from tests.browser.conftest import SCHEMES, SignIn
from tests.browser.console import Console, Guard
from tests.browser.screens import SCREENS, Screen
from tests.browser.seed import Seeded
from tests.deployed import StackUnderTest

DESK, PHONE = 1280, 390
API = re.compile(r"/(api|v2)/")
AWAY = {"code": "unavailable", "message": "The database does not answer", "request_id": "req-1", "errors": []}

every_screen = pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.address)


@pytest.fixture(scope="package")
def open_tabs(stack: StackUnderTest, contexts: dict[str, BrowserContext]) -> Iterator[Callable[[str], Console]]:
    """A tab for each scheme that stays open from screen to screen."""
    opened: dict[str, Console] = {}

    def tab(scheme: str) -> Console:
        if scheme not in opened:
            opened[scheme] = Console(contexts[scheme].new_page(), stack.console_url, Guard())
            opened[scheme].open("overview", stack.token("admin"))
        return opened[scheme]

    yield tab
    for each in opened.values():
        each.page.close()


@every_screen
@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_no_fault_on_a_desk_or_a_phone(
    scheme: str, screen: Screen, open_tabs: Callable[[str], Console], seeded: Seeded
) -> None:
    console = open_tabs(scheme)
    console.guard.expects_refusals(wanted=screen.is_refused)
    console.resize(DESK)
    console.go(screen.of(seeded))
    console.is_drawn(screen.title)

    on_a_desk = console.violations()
    console.resize(PHONE)
    on_a_phone = console.violations()

    assert (on_a_desk, on_a_phone) == ([], [])
    console.guard.check()


@every_screen
def test_no_screen_is_wider_than_its_window(
    screen: Screen, open_tabs: Callable[[str], Console], seeded: Seeded
) -> None:
    console = open_tabs("light")
    console.guard.expects_refusals(wanted=screen.is_refused)
    console.resize(DESK)
    console.go(screen.of(seeded))
    console.is_drawn(screen.title)

    wider = {}
    for width in (320, PHONE, 860):
        console.resize(width)
        wider[width] = console.overflow()

    assert wider == {320: 0, PHONE: 0, 860: 0}
    console.guard.check()


@every_screen
def test_a_screen_whose_answers_do_not_come_has_its_heading_and_says_that_it_waits(
    screen: Screen, sign_in: SignIn, seeded: Seeded, guard: Guard
) -> None:
    guard.expects_refusals()  # what is not connected answers 404 once it is let through
    console = sign_in(to="overview", role="admin")
    console.is_drawn("Overview")

    console.page.route(API, lambda route: None)
    console.go(screen.of(seeded))

    expect(console.heading).to_be_visible()
    if screen.reads:
        expect(console.main.get_by_role("status").first).to_be_attached()
    console.page.unroute_all(behavior="ignoreErrors")  # else what was never answered outlives the test


@every_screen
def test_a_screen_whose_answers_are_503_says_so_and_comes_when_they_are_not(
    screen: Screen, sign_in: SignIn, seeded: Seeded, guard: Guard
) -> None:
    guard.expects_refusals()
    console = sign_in(to="overview", role="admin")
    console.is_drawn("Overview")
    console.page.route(API, lambda route: route.fulfill(status=503, json=AWAY))

    console.go(screen.of(seeded))
    if screen.reads:
        expect(console.main.get_by_text(AWAY["message"]).first).to_be_visible()
    expect(console.heading).to_be_visible()
    console.page.unroute(API)
    console.js("void dispatchEvent(new Event('online'))")  # as when a network is back: nothing waits for its next time

    expect(console.main.get_by_text(AWAY["message"])).to_have_count(0)
    console.is_drawn(screen.title)


@pytest.mark.parametrize("screen", [each for each in SCREENS if each.empties], ids=lambda screen: screen.address)
def test_an_empty_list_says_what_would_be_there(screen: Screen, sign_in: SignIn, seeded: Seeded) -> None:
    def answer(route: Route) -> None:
        found = route.fetch()
        route.fulfill(response=found, json={**found.json(), "items": [], "next_cursor": None, "nextCursor": None})

    console = sign_in(to="overview", role="admin")
    console.page.route(re.compile(f"{screen.empties}(\\?|$)"), answer)

    console.go(screen.of(seeded))

    expect(console.heading).to_have_text(screen.title)
    expect(console.main.get_by_text(re.compile(r"^(No|Nobody|Nothing|There (is|are) no)\b")).first).to_be_visible()
    expect(console.main.get_by_role("table")).to_have_count(0)
