"""Webhooks in the browser: an endpoint from its creation to an event that was held and arrives."""

import json
import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Route, expect
from standardwebhooks import Webhook

from local.fakes.receiver import Receiver
from tests.browser.conftest import SignIn
from tests.browser.console import Console
from tests.browser.seed import Seeded
from tests.deployed import StackUnderTest

SECRET = re.compile(r"^whsec_[A-Za-z0-9+/]+=*$")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    with receiver.running():
        yield receiver


def create(console: Console, receiver: Receiver, context: str) -> str:
    """An endpoint for a context, by the form. Its secret."""
    console.page.get_by_label("URL").fill(receiver.url)
    console.page.get_by_text("Only some", exact=True).click()
    console.page.get_by_role("checkbox", name=context, exact=True).check()
    console.button("Create").click()
    console.is_drawn("The endpoint is created")
    return console.main.get_by_text(SECRET).inner_text()


def deposit(stack: StackUnderTest) -> None:
    with stack.http("admin") as http:
        terms = {"amount": 100, "currency": "USD", "reference": "held"}
        key = {"idempotency-key": uuid4().hex}
        http.post("/api/v1/wallets/nina/deposits", json=terms, headers=key).raise_for_status()


def received(receiver: Receiver, secret: str) -> list[str]:
    """The types of what came; each signature holds."""
    return [Webhook(secret).verify(each.body, dict(each.headers))["type"] for each in receiver.requests]


def rows(console: Console) -> Locator:
    return console.page.get_by_role("region", name="Deliveries").locator("tbody").get_by_role("row")


def test_a_webhook_is_created_tested_disabled_and_enabled_with_what_was_held(
    sign_in: SignIn, receiver: Receiver, stack: StackUnderTest
) -> None:
    """S1-62."""
    console = sign_in("admin", to="hooks/new")
    secret = create(console, receiver, "Wallets")
    console.link("Open the endpoint").click()
    console.is_drawn(f"{receiver.host}/hooks")
    expect(console.main.get_by_text(SECRET)).to_have_count(0)

    console.button("Test").click()
    expect(rows(console)).to_have_text(re.compile("hook.test.*Delivered.*1 attempt"))
    console.button("Disable").click()
    console.button("Disable it", console.dialog).click()
    expect(console.main.get_by_text("Disabled: by hand.")).to_be_visible()
    deposit(stack)
    expect(rows(console).first).to_have_text(re.compile("wallet.deposited.*Held"))
    console.button("Enable").click()
    expect(console.dialog.get_by_text("1 delivery is held.")).to_be_visible()
    assert received(receiver, secret) == ["hook.test"]
    console.button("Enable it", console.dialog).click()

    expect(console.main.get_by_text("1 held delivery is sent now.")).to_be_visible()
    expect(rows(console).first).to_have_text(re.compile("wallet.deposited.*Delivered"))
    assert received(receiver, secret) == ["hook.test", "wallet.deposited"]


def test_what_stays_held_is_sent_by_a_replay_of_its_time(
    sign_in: SignIn, receiver: Receiver, stack: StackUnderTest
) -> None:
    """The console's times are those of a browser far from the platform's zone."""
    console = sign_in("admin", to="hooks/new")
    secret = create(console, receiver, "Wallets")
    console.link("Open the endpoint").click()
    console.button("Disable").click()
    console.button("Disable it", console.dialog).click()
    deposit(stack)
    expect(rows(console)).to_have_text(re.compile("wallet.deposited.*Held"))
    console.button("Enable").click()
    console.dialog.get_by_role("checkbox").uncheck()
    console.button("Enable it", console.dialog).click()
    expect(console.main.get_by_text("1 held delivery stays held")).to_be_visible()

    console.button("Replay a range").click()
    console.dialog.get_by_label("Deliveries that are").select_option("Held")
    console.button("Send them again", console.dialog).click()

    expect(rows(console)).to_have_text(re.compile("wallet.deposited.*Delivered"))
    assert received(receiver, secret) == ["wallet.deposited"]


def test_a_rotation_shows_the_new_secret_once_and_both_sign(sign_in: SignIn, receiver: Receiver) -> None:
    console = sign_in("admin", to="hooks/new")
    old = create(console, receiver, "Platform")
    console.link("Open the endpoint").click()

    console.button("Rotate the secret").click()
    console.button("Make a new secret", console.dialog).click()
    new = console.dialog.get_by_text(SECRET).inner_text()
    console.button("I have copied it", console.dialog).click()
    expect(console.page.get_by_text(SECRET)).to_have_count(0)
    console.button("Test").click()
    expect(rows(console)).to_have_text(re.compile("Delivered"))

    assert new != old
    assert received(receiver, new) == received(receiver, old) == ["hook.test"]


def test_what_was_delivered_is_sent_again_when_that_is_asked_for(sign_in: SignIn, receiver: Receiver) -> None:
    console = sign_in("admin", to="hooks/new")
    create(console, receiver, "Platform")
    console.link("Open the endpoint").click()
    console.button("Test").click()
    expect(rows(console)).to_have_text(re.compile("Delivered"))
    console.link("hook.test").click()
    console.is_drawn("hook.test")

    console.button("Replay").click()
    console.button("Send it again", console.dialog).click()

    attempts = console.page.get_by_role("region", name="Attempts").locator("tbody").get_by_role("row")
    expect(attempts).to_have_count(2)
    expect(attempts.first).to_have_text(re.compile(r'No. 2.*200.*\{"ok": ?true\}'))
    first, second = receiver.requests
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_without_a_chosen_event_nothing_is_created(sign_in: SignIn, receiver: Receiver) -> None:
    """To the API no events are all events."""
    console = sign_in("admin", to="hooks/new")
    console.page.get_by_label("URL").fill(receiver.url)
    console.page.get_by_text("Only some", exact=True).click()

    console.button("Create").click()

    expect(console.main.get_by_text("Choose at least one.").first).to_be_visible()
    expect(console.heading).to_have_text("New endpoint")


def test_single_types_are_chosen_and_changed(sign_in: SignIn, receiver: Receiver, stack: StackUnderTest) -> None:
    console = sign_in("admin", to="hooks/new")
    create(console, receiver, "Wallets")
    console.link("Open the endpoint").click()
    console.is_drawn(f"{receiver.host}/hooks")
    hook = console.page.url.rpartition("/")[2]

    console.button("Edit").click()
    promotions = console.dialog.get_by_role("group", name="Promotions")
    promotions.get_by_text("18 types").click()
    promotions.get_by_role("checkbox", name="settled").check()
    console.dialog.get_by_role("checkbox", name="Wallets").uncheck()
    console.button("Save", console.dialog).click()

    expect(console.dialog).to_have_count(0)
    expect(console.main.get_by_text("promotion.settled")).to_be_visible()
    with stack.http("operator") as http:
        assert http.get(f"/api/admin/hooks/{hook}").json()["events"] == ["promotion.settled"]


def test_an_operator_sees_all_of_a_webhook_and_changes_nothing(sign_in: SignIn, seeded: Seeded) -> None:
    console = sign_in("operator", to="hooks")
    console.is_drawn("Webhooks")
    expect(console.link("New endpoint")).to_have_count(0)

    console.go(f"hooks/{seeded.hook}")
    console.is_drawn("127.0.0.1:9/hooks")

    expect(rows(console).first).to_be_visible()
    expect(console.main.get_by_text("An admin changes them.")).to_be_visible()
    for name in ("Test", "Disable", "Enable", "Rotate the secret", "Delete", "Edit", "Replay a range"):
        expect(console.button(name)).to_have_count(0)


def test_the_overview_names_what_fails_and_what_was_disabled_by_itself(sign_in: SignIn, seeded: Seeded) -> None:
    def answer(route: Route) -> None:
        found = route.fetch()
        [failing] = [each for each in found.json()["items"] if each["id"] == seeded.hook]
        others = [
            {"id": "hok_gone", "url": "https://example.com/gone", "status": "disabled", "disabled_reason": "gone"},
            {"id": "hok_hand", "url": "https://example.com/hand", "status": "disabled", "disabled_reason": "by hand"},
            {"id": "hok_good", "url": "https://example.com/good", "failing_since": None},
        ]
        route.fulfill(response=found, body=json.dumps({"items": [failing, *({**failing, **each} for each in others)]}))

    console = sign_in("operator", to="audit")
    console.is_drawn("Audit")
    console.page.route(re.compile("/api/admin/hooks$"), answer)

    console.go("overview")

    needs = console.main.get_by_role("listitem")
    expect(needs.filter(has_text="127.0.0.1:9/hooks has not answered well for")).to_be_visible()
    expect(needs.filter(has_text="example.com/gone was disabled: it answered 410 Gone")).to_be_visible()
    expect(console.main.get_by_text(re.compile("example.com/(hand|good)"))).to_have_count(0)
