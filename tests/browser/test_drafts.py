"""Drafts in the browser: their terms are edited before anything goes out."""

from uuid import uuid4

import httpx
from playwright.sync_api import expect

from tests.browser.conftest import SignIn
from tests.browser.console import Guard
from tests.deployed import StackUnderTest


def created(http: httpx.Client, path: str, terms: dict[str, object]) -> str:
    answer = http.post(path, json=terms)
    assert answer.is_success, answer.text
    return str(answer.json()["id"])


def test_the_terms_of_a_drafted_promotion_are_edited_and_a_wrong_one_stands_at_its_field(
    sign_in: SignIn, stack: StackUnderTest, guard: Guard
) -> None:
    guard.expects_refusals()
    subject = f"ada-{uuid4().hex[:8]}"
    texts = ["Winter is here #ad", "All of it is at https://example.com"]
    terms = {"title": "Winter", "network": "sandbox", "texts": texts, "budget": 10_000, "currency": "USD"}
    with stack.http("operator", subject) as http:
        path = f"/v2/campaigns/{created(http, '/v2/campaigns', {**terms, 'duration_minutes': 90})}"
        console = sign_in("operator", to=f"promotions/{path.rpartition('/')[2]}", subject=subject)
        console.button("Edit").click()
        field = console.dialog.get_by_label
        expect(field("Runs for")).to_have_value("1.5")

        field("Title").fill("Spring")
        field("First post").fill("Spring is here #ad")
        field("Budget").fill("much")
        console.button("Save", console.dialog).click()
        expect(field("Budget")).to_have_attribute("aria-invalid", "true")
        kept = http.get(path).json()["title"]
        field("Budget").fill("125.50")
        console.button("Save", console.dialog).click()
        expect(console.heading).to_have_text("Spring")

        assert kept == "Winter"
        now = http.get(path).json()
        assert (now["title"], now["texts"], now["budget"], now["duration_minutes"]) == (
            "Spring",
            ["Spring is here #ad", texts[1]],
            12_550,
            90,
        )


def test_the_terms_of_a_drafted_broadcast_are_edited(sign_in: SignIn, stack: StackUnderTest) -> None:
    """S5-15."""
    subject = f"ada-{uuid4().hex[:8]}"
    about = {"name": "Shop", "provider": "sandbox", "address": subject}
    people = [{"phone": "5511900010000", "variables": {"name": "Ana"}}]
    with stack.http("operator", subject) as http:
        terms = {"name": "News", "instanceId": created(http, "/api/instances", about), "message": "Hi {{name}}"}
        path = f"/api/campaigns/{created(http, '/api/campaigns', {**terms, 'recipients': people, 'budget': 2_000_000})}"
        console = sign_in("operator", to=f"broadcasts/{path.rpartition('/')[2]}", subject=subject)
        console.button("Edit").click()
        field = console.dialog.get_by_label

        field("Name").fill("Old news")
        field("Message", exact=True).fill("Hello {{name}}")
        field("Messages a minute").fill("30")
        field("Budget").fill("")
        console.button("Save", console.dialog).click()
        expect(console.heading).to_have_text("Old news")

        now = http.get(path).json()
        assert (now["name"], now["message"], now["rateLimit"], now["budget"], now["totalRecipients"]) == (
            "Old news",
            "Hello {{name}}",
            30,
            None,
            1,
        )
