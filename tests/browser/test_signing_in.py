"""Signing in: by a link, by pasting, and what is refused, in words."""

import re
import time

import jwt
import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import SignIn
from tests.browser.console import Console, Guard
from tests.deployed import StackUnderTest

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
    assert [url for url in console.requested if A_TOKEN.search(url)] == []
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
