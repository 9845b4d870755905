"""Hints in the browser: a change shows at once with them, and without them as soon as the page reads by itself."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import SignIn
from tests.browser.console import Console, Guard
from tests.deployed import StackUnderTest
from tests.e2e.test_boosts import Boosts, eventually
from tests.e2e.test_live import topics_of

# What waits for four seconds or more waits for ever, and says for how long it would have waited.
_NO_POLLING = """{
  const soon = setTimeout;
  globalThis.waits = [];
  globalThis.setTimeout = (work, wait, ...more) =>
    wait >= 4000 ? (globalThis.waits.push(wait), soon(work, 2 ** 31 - 1)) : soon(work, wait, ...more);
}"""
# Answers that have come wait for `held`, and hints are counted.
_HELD = """{
  const ask = fetch;
  globalThis.held = globalThis.answered = globalThis.hints = 0;
  globalThis.fetch = async (...given) => {
    const answer = await ask(...given);
    if (globalThis.held) globalThis.answered += 1;
    await globalThis.held;
    return answer;
  };
  globalThis.WebSocket = class extends WebSocket {
    set onmessage(hear) {
      this.addEventListener("message", (event) => (hear(event), globalThis.hints += 1));
    }
  };
}"""
_SETTLED = 240_000
"""What a page waits before it says again what it watches: then it trusts that it is told."""


@pytest.fixture
def subject() -> str:
    """Somebody of whom no other test has connections."""
    return f"watcher-{uuid4().hex[:8]}"


@pytest.fixture
def boosts(stack: StackUnderTest) -> Iterator[Boosts]:
    with stack.http("operator") as http:
        yield Boosts(http)


@pytest.fixture
def unpolled(cold: BrowserContext) -> BrowserContext:
    """A browser whose pages read again for a hint, or not at all."""
    cold.add_init_script(_NO_POLLING)
    return cold


def is_watching(stack: StackUnderTest, subject: str, *topics: str) -> None:
    eventually(lambda: topics_of(stack, subject), lambda seen: seen.issuperset(topics))


def has_settled(console: Console) -> None:
    eventually(lambda: console.js("waits"), lambda waits: _SETTLED in waits)


def connection_of(stack: StackUnderTest, subject: str) -> str:
    (connection,) = (
        each["id"].partition("#")[2]
        for each in stack.table("LiveTable").scan(ConsistentRead=True)["Items"]
        if each["part"] == "connection" and each["subject"] == subject
    )
    return str(connection)


def end(stack: StackUnderTest, console: Console, connection: str) -> None:
    """As API Gateway ends every connection after two hours."""
    address = console.sockets[-1].replace("ws", "http", 1).partition("?")[0]
    gateway = stack.embedded.deployed.session.client("apigatewaymanagementapi", endpoint_url=address)
    gateway.delete_connection(ConnectionId=connection)


def shown(console: Console, boost: dict[str, Any]) -> None:
    expect(console.link(boost["video_id"], console.main)).to_be_visible()


def test_a_change_over_the_api_shows_by_its_hint_alone(
    stack: StackUnderTest, sign_in: SignIn, unpolled: BrowserContext, boosts: Boosts, subject: str
) -> None:
    """S5-49. What is hinted is read every 15 s at most, in case that a hint is lost."""
    console = sign_in(to="boosts", subject=subject, context=unpolled)
    console.is_drawn("Boosts")
    is_watching(stack, subject, "boosts", "platform")

    boost = boosts.create()

    shown(console, boost)
    eventually(lambda: boosts.create() and console.js("waits"), lambda waits: 15_000 in waits)


def test_a_boost_is_watched_from_its_first_batch_to_its_last_by_hints_alone(
    stack: StackUnderTest, sign_in: SignIn, unpolled: BrowserContext, boosts: Boosts, subject: str
) -> None:
    boost = boosts.create()
    console = sign_in(to=f"boosts/{boost['id']}", subject=subject, context=unpolled)
    console.is_drawn(re.compile(f"^{boost['video_id']}"))
    is_watching(stack, subject, boost["id"])

    boosts.command("execute", boost["id"])

    expect(console.page.get_by_role("meter", name="Views added")).to_have_attribute("aria-valuenow", "5000")
    expect(console.main.get_by_text("Completed", exact=True)).to_be_visible()


def test_who_goes_to_another_screen_watches_what_is_on_it(
    stack: StackUnderTest, sign_in: SignIn, unpolled: BrowserContext, boosts: Boosts, subject: str
) -> None:
    boost = boosts.create()
    console = sign_in(to="boosts", subject=subject, context=unpolled)
    is_watching(stack, subject, "boosts")

    console.go(f"boosts/{boost['id']}")

    eventually(lambda: topics_of(stack, subject), lambda seen: seen == {"platform", boost["id"]})


def test_who_signs_out_hears_nothing_any_more(
    stack: StackUnderTest, sign_in: SignIn, cold: BrowserContext, subject: str
) -> None:
    console = sign_in(to="boosts", subject=subject, context=cold)
    is_watching(stack, subject, "boosts")

    console.button("Sign out", console.header).click()

    eventually(lambda: topics_of(stack, subject), lambda seen: seen == set())


def test_the_bearer_token_is_not_in_the_socket_s_address(
    stack: StackUnderTest, sign_in: SignIn, cold: BrowserContext, subject: str
) -> None:
    """duplicati#5550."""
    console = sign_in(to="boosts", subject=subject, context=cold)
    is_watching(stack, subject, "boosts")

    console.is_drawn("Boosts")

    (address,) = console.sockets
    base, _, ticket = address.partition("?ticket=")
    assert base == f"ws://127.0.0.1:{stack.embedded.port}/_aws/execute-api/sluice-live/live"
    assert re.fullmatch(r"[\w-]{43}", ticket)


@contextmanager
def notifier_without_a_table(stack: StackUnderTest) -> Iterator[None]:
    """The notifier fails at each change."""
    functions, name = stack.client("lambda"), stack.resources["OperationsLiveNotifierFunction"]
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    gone = {"Variables": before | {"LIVE_TABLE": "gone"}}
    functions.update_function_configuration(FunctionName=name, Environment=gone)
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": before})


def test_when_the_notifier_fails_changes_show_all_the_same_and_hints_come_again_when_it_works(
    stack: StackUnderTest, sign_in: SignIn, cold: BrowserContext, boosts: Boosts, subject: str
) -> None:
    """Nothing but promptness is lost: the page reads by itself, and what was changed meanwhile holds up no stream."""
    cold.add_init_script(_HELD)
    console = sign_in(to="boosts", subject=subject, context=cold)
    console.is_drawn("Boosts")
    is_watching(stack, subject, "boosts")

    with notifier_without_a_table(stack):
        boost = boosts.create()
        shown(console, boost)
        heard = console.js("hints")

    assert heard == 0
    eventually(lambda: boosts.create() and console.js("hints"), lambda seen: seen > 0)


@pytest.mark.parametrize(("status", "code"), [(503, "live_off"), (500, "internal")])
def test_without_a_socket_the_page_reads_by_itself(
    sign_in: SignIn, cold: BrowserContext, guard: Guard, boosts: Boosts, status: int, code: str
) -> None:
    guard.expects_refusals()
    answer = {"code": code, "message": "Live hints are off", "request_id": "req-1", "errors": []}
    cold.route("**/api/admin/live", lambda route: route.fulfill(status=status, json=answer))
    console = sign_in(to="boosts", context=cold)
    console.is_drawn("Boosts")

    boost = boosts.create()

    shown(console, boost)


def test_a_socket_that_breaks_is_opened_again(
    stack: StackUnderTest, sign_in: SignIn, cold: BrowserContext, subject: str
) -> None:
    console = sign_in(to="boosts", subject=subject, context=cold)
    is_watching(stack, subject, "boosts")
    console.is_drawn("Boosts")

    end(stack, console, connection_of(stack, subject))

    eventually(lambda: console.js("true") and len(console.sockets), lambda seen: seen == 2)
    is_watching(stack, subject, "boosts")


def test_what_was_read_less_often_is_read_at_once_when_the_socket_is_lost(
    stack: StackUnderTest, sign_in: SignIn, unpolled: BrowserContext, boosts: Boosts, subject: str
) -> None:
    console = sign_in(to="boosts", subject=subject, context=unpolled)
    console.is_drawn("Boosts")
    has_settled(console)
    connection = connection_of(stack, subject)
    stack.table("LiveTable").delete_item(Key={"id": "topic#boosts", "part": connection})  # it is told of nothing more
    boost = boosts.create()

    end(stack, console, connection)

    shown(console, boost)


def test_a_hint_that_comes_while_an_answer_is_read_is_a_reason_to_read_again(
    sign_in: SignIn, unpolled: BrowserContext, boosts: Boosts, subject: str
) -> None:
    """The answer may be older than the change."""
    unpolled.add_init_script(_HELD)
    console = sign_in(to="boosts", subject=subject, context=unpolled)
    console.is_drawn("Boosts")
    has_settled(console)
    console.js("void (held = new Promise((go) => { globalThis.release = go; }))")
    boosts.create()
    eventually(lambda: console.js("answered"), lambda seen: seen == 1)
    heard = console.js("hints")

    boost = boosts.create()
    eventually(lambda: console.js("hints"), lambda seen: seen > heard)
    console.js("new Promise((go) => setTimeout(go, 400)).then(() => { held = 0; release(); })")

    shown(console, boost)
