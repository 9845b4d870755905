"""Signing in: by a link, by pasting, by the team's identity provider, and what is refused, in words."""

import re
import time
from collections.abc import Iterator
from threading import Thread

import jwt
import pytest
from playwright.sync_api import BrowserContext, Route, expect

from local.console import server
from local.fakes.issuer import FakeIssuer
from tests.browser.conftest import SignIn
from tests.browser.console import Console, Guard
from tests.deployed import StackUnderTest
from tests.e2e.test_boosts import eventually

A_TOKEN = re.compile(r"eyJ[\w-]{5,}\.[\w-]+\.[\w-]+")


@pytest.fixture
def door(stack: StackUnderTest, cold: BrowserContext, guard: Guard) -> Console:
    """The console, of someone who is not signed in."""
    console = Console(cold.new_page(), stack.console_url, guard)
    console.page.goto(console.url)
    expect(console.page.get_by_label("Token")).to_be_focused()
    return console


def forged(role: str = "admin", seconds: int = 3600) -> str:
    claims = {"sub": "mallory", "role": role, "aud": "sluice", "exp": int(time.time()) + seconds}
    return jwt.encode(claims, "x" * 32, algorithm="HS256")


def paste(console: Console, token: str) -> None:
    console.page.get_by_label("Token").fill(token)
    console.button("Sign in").click()


def test_a_link_signs_in_and_its_token_is_in_no_address_and_outlives_no_tab(
    stack: StackUnderTest, sign_in: SignIn
) -> None:
    console = sign_in("operator", to="boosts", subject="ada")
    console.is_drawn("Boosts")

    expect(console.page).to_have_url(f"{stack.console_url}#/boosts")
    expect(console.header).to_contain_text("ada")
    assert console.js("localStorage.length") == 0
    assert console.js("document.cookie") == ""
    console.page.go_back()
    assert not A_TOKEN.search(console.page.url)


def test_no_request_of_any_screen_has_a_token_in_its_address(stack: StackUnderTest, sign_in: SignIn) -> None:
    """duplicati#5550: neither the browser nor the gateway may write a token down."""
    console = sign_in("admin")
    console.is_drawn("Overview")
    for name in ("Boosts", "Broadcasts", "Sponsorships", "Promotions", "Views", "Sync", "Refusals", "Audit"):
        console.link(name, console.navigation).click()
        console.is_drawn(name)

    assert len(console.requested) > 20
    assert [url for url in (*console.requested, *console.sockets) if A_TOKEN.search(url)] == []
    assert not A_TOKEN.search(stack.embedded.ministack.log.read_text(errors="replace"))


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("hello", "This is not a token"),
        (forged(seconds=-60), "This token has expired"),
        (forged(), "The API does not accept this token"),
    ],
    ids=["no-token", "expired", "forged"],
)
def test_a_token_that_is_not_good_is_refused_in_words(door: Console, guard: Guard, token: str, words: str) -> None:
    guard.expects_refusals()

    paste(door, token)

    expect(door.page.get_by_role("alert")).to_contain_text(words)
    assert door.js("sessionStorage.length") == 0


def test_a_role_that_may_not_see_it_is_refused_in_words(door: Console, guard: Guard, stack: StackUnderTest) -> None:
    guard.expects_refusals()

    paste(door, stack.token("user"))

    expect(door.page.get_by_role("alert")).to_contain_text("The role of this token, user, may not see the console")


def test_a_good_token_is_pasted_with_the_word_bearer_and_signing_out_forgets_it(
    door: Console, stack: StackUnderTest
) -> None:
    paste(door, f"Bearer {stack.token('operator')}")
    door.is_drawn("Overview")
    kept = door.js("sessionStorage.length")

    door.button("Sign out").click()

    expect(door.page.get_by_label("Token")).to_be_visible()
    assert (kept, door.js("sessionStorage.length")) == (1, 0)


def test_a_token_that_the_api_accepts_no_more_leads_back_to_the_form_and_says_why(door: Console, guard: Guard) -> None:
    guard.expects_refusals()

    door.open("overview", forged())

    expect(door.page.get_by_role("alert")).to_contain_text("is not accepted any more")
    expect(door.page.get_by_label("Token")).to_be_visible()


@pytest.fixture
def provider(issuer: FakeIssuer) -> Iterator[FakeIssuer]:
    """The identity provider, which is as it was after the test."""
    person = dict(issuer.person)
    yield issuer
    issuer.person, issuer.error = person, ""


def to_the_provider(console: Console, issuer: FakeIssuer) -> None:
    console.button(f"Sign in with {issuer.host}").click()


def test_the_teams_identity_provider_signs_in_and_leads_back_to_the_screen_that_was_wanted(
    door: Console, stack: StackUnderTest, provider: FakeIssuer
) -> None:
    provider.person = {"sub": "00u-browser", "groups": ["sluice-ops"]}
    door.go("boosts?status=running")

    to_the_provider(door, provider)

    door.is_drawn("Boosts")
    expect(door.page).to_have_url(f"{stack.console_url}#/boosts?status=running")
    expect(door.header).to_contain_text("00u-browser")
    expect(door.header).to_contain_text("operator")
    assert door.js("Object.keys(sessionStorage).join()") == "sluice.token"
    assert door.js("localStorage.length") == 0
    assert door.js("document.cookie") == ""
    assert [url for url in door.requested if A_TOKEN.search(url)] == []
    door.button("Sign out").click()
    assert door.js("sessionStorage.length") == 0


def test_who_comes_back_from_the_provider_is_told_that_the_platform_is_asked(
    door: Console, stack: StackUnderTest, provider: FakeIssuer
) -> None:
    """A first answer takes seconds, and a form that says nothing looks as if nobody had signed in."""
    asked: list[Route] = []
    door.page.route(stack.session_url, asked.append)

    to_the_provider(door, provider)

    expect(door.page.get_by_role("status")).to_contain_text(f"Signing you in with {provider.host}")
    eventually(lambda: door.js("true") and len(asked), lambda seen: seen == 1)
    asked[0].continue_()
    door.is_drawn("Overview")


def test_who_has_no_role_is_told_which_groups_have_one(door: Console, guard: Guard, provider: FakeIssuer) -> None:
    guard.expects_refusals()
    provider.person = {"sub": "00u-nobody", "groups": ["everybody"]}

    to_the_provider(door, provider)

    expect(door.page.get_by_role("alert")).to_contain_text("sluice-admins (admin), sluice-ops (operator)")
    assert door.js("sessionStorage.length") == 0
    provider.person = {"sub": "00u-nobody", "groups": ["sluice-ops"]}
    to_the_provider(door, provider)
    door.is_drawn("Overview")


def test_an_answer_that_this_tab_did_not_ask_for_is_refused_and_taken_out_of_the_address(
    door: Console, stack: StackUnderTest, provider: FakeIssuer
) -> None:
    """Somebody else's link, by which a person would work under that one's name."""
    door.page.goto(f"{stack.console_url}?code=abc&state=forged#/boosts")

    expect(door.page.get_by_role("alert")).to_contain_text("This sign-in was not begun in this tab")
    expect(door.page).to_have_url(f"{stack.console_url}#/overview")
    assert [url for url in door.requested if url.startswith(provider.url)] == []
    assert door.js("sessionStorage.length") == 0


def test_a_state_is_good_for_the_sign_in_that_it_was_made_for_and_once(
    door: Console, stack: StackUnderTest, provider: FakeIssuer
) -> None:
    door.js(
        """sessionStorage.setItem("sluice.signing-in", JSON.stringify({state: "mine", nonce: "n", verifier: "v"}))"""
    )

    door.page.goto(f"{stack.console_url}?code=abc&state=theirs")

    expect(door.page.get_by_role("alert")).to_contain_text("This sign-in was not begun in this tab")
    door.page.goto(f"{stack.console_url}?code=abc&state=mine")
    expect(door.page.get_by_role("alert")).to_contain_text("This sign-in was not begun in this tab")
    assert [url for url in door.requested if url.startswith(provider.url)] == []


def test_a_code_without_its_verifier_is_worth_nothing(
    door: Console, stack: StackUnderTest, guard: Guard, provider: FakeIssuer
) -> None:
    """PKCE: the provider asks for what only the tab knows that began."""
    guard.expects_refusals()
    code = provider.begun_elsewhere(redirect_uri=stack.console_url)
    door.js(
        """sessionStorage.setItem("sluice.signing-in", JSON.stringify({state: "mine", nonce: "n", verifier: "v"}))"""
    )

    door.page.goto(f"{stack.console_url}?code={code}&state=mine")

    expect(door.page.get_by_role("alert")).to_contain_text("refused to sign you in (400)")
    assert door.js("sessionStorage.length") == 0


def test_an_id_token_of_another_sign_in_is_refused(door: Console, stack: StackUnderTest, provider: FakeIssuer) -> None:
    provider.person = {**provider.person, "nonce": "another"}

    to_the_provider(door, provider)

    expect(door.page.get_by_role("alert")).to_contain_text("belongs to another sign-in")
    assert [url for url in door.requested if url.startswith(stack.session_url)] == []


def test_a_provider_that_refuses_or_that_the_platform_does_not_believe_has_its_sentence(
    door: Console, guard: Guard, provider: FakeIssuer
) -> None:
    guard.expects_refusals()
    provider.error = "access_denied"

    to_the_provider(door, provider)

    expect(door.page.get_by_role("alert")).to_contain_text("did not sign you in (access_denied)")
    provider.error, provider.person = "", {**provider.person, "aud": "another-client"}
    to_the_provider(door, provider)
    expect(door.page.get_by_role("alert")).to_contain_text("does not accept what")


def test_without_a_provider_the_form_is_as_it_was(stack: StackUnderTest, cold: BrowserContext, guard: Guard) -> None:
    with server(stack.api_url, 0) as serving:
        Thread(target=serving.serve_forever, daemon=True).start()
        console = Console(cold.new_page(), f"http://127.0.0.1:{serving.server_port}/console", guard)
        console.page.goto(console.url)

        expect(console.page.get_by_label("Token")).to_be_focused()
        expect(console.page.get_by_role("button")).to_have_count(1)
        serving.shutdown()
