"""Boosts in the browser: created, simulated, watched, paused."""

import re
from uuid import uuid4

import httpx
from playwright.sync_api import expect

from tests.browser.conftest import SignIn
from tests.browser.console import Console, Guard
from tests.browser.seed import Seeded
from tests.e2e.test_boosts import Boosts, terms

CAMPAIGNS = "/api/admin/fake-views"


def fill(console: Console, video: str, total: int, days: int, limit: int) -> None:
    console.page.get_by_label("Videos").fill(video)
    console.page.get_by_label("Views in all").fill(str(total))
    console.page.get_by_label("Days", exact=True).fill(str(days))
    console.page.get_by_label("At most a day").fill(str(limit))


def numbers(console: Console, chart: str) -> list[list[int]]:
    """The rows of a chart's table, which `Show the numbers` opens."""
    rows = console.page.get_by_role("region", name=f"Numbers of: {chart}").locator("tbody tr")
    return [[int(cell.replace(",", "")) for cell in row.get_by_role("cell").all_inner_texts()] for row in rows.all()]


def test_a_boost_is_created_and_started_by_the_form_and_seen_to_its_end(sign_in: SignIn, resumed: httpx.Client) -> None:
    """S1-60. 100 % stands there only when it is completed (listmonk#172)."""
    video = f"form-{uuid4().hex[:8]}"
    console = sign_in("operator", to="boosts/new")
    fill(console, video, 5_000, 1, 5_000)

    console.button("Create and start").click()
    console.is_drawn(re.compile(f"^{video}"))
    boost = console.page.url.rpartition("/")[2]
    boosts, seen, ahead = Boosts(resumed), set(), []
    meter = console.page.get_by_role("meter", name="Views added")
    while True:
        shown, text = int(meter.get_attribute("aria-valuenow") or 0), console.main.inner_text()
        status = boosts.get(boost)
        seen.add(shown)
        if shown > status["executed_count"] or ("100 %" in text and status["status"] != "completed"):
            ahead.append((shown, text, status))
        if shown == 5_000:
            break

    expect(console.main.get_by_text("Completed", exact=True)).to_be_visible()
    assert ahead == []
    assert seen <= {0, 1_000, 2_000, 3_000, 4_000, 5_000}


def test_the_simulation_is_the_plan_and_the_bars_are_as_high_as_the_numbers(
    sign_in: SignIn, resumed: httpx.Client
) -> None:
    console = sign_in("operator", to="boosts/new")
    fill(console, f"plan-{uuid4().hex[:8]}", 3_000, 6, 700)
    expect(console.page.get_by_role("group", name=re.compile("^Views by day"))).to_be_visible()
    console.page.get_by_text("Show the numbers").click()
    simulated = numbers(console, "Views by day")
    heights = [float(bar.get_attribute("height") or 0) for bar in console.page.locator("svg rect[fill^='url']").all()]

    console.button("Create only").click()
    console.page.wait_for_url(re.compile(r"#/boosts/bst_"))
    boost = console.page.url.rpartition("/")[2]
    answer = resumed.post(f"{CAMPAIGNS}/{boost}/simulate").json()

    assert [views for _, views in simulated] == [day["views"] for day in answer["days"]]
    tallest = max(views for _, views in simulated)
    wanted = [views / tallest for _, views in simulated if views]
    assert [round(height / max(heights), 2) for height in heights] == [round(each, 2) for each in wanted]


def test_what_the_api_refuses_stands_at_its_field(sign_in: SignIn, guard: Guard) -> None:
    guard.expects_refusals()
    console = sign_in("operator", to="boosts/new")

    fill(console, "abc123", 15_000, 30, 0)

    expect(console.page.get_by_label("At most a day")).to_have_attribute("aria-invalid", "true")


def test_the_keyboard_alone_reaches_a_boost_and_pauses_it(
    sign_in: SignIn, resumed: httpx.Client, seeded: Seeded
) -> None:
    campaign = Boosts(resumed).create(**terms(total_count=600, duration_days=30, daily_limit=100))
    resumed.post(f"{CAMPAIGNS}/{campaign['id']}/execute").raise_for_status()
    console = sign_in("operator")
    console.is_drawn("Overview")

    def press_until(text: str) -> None:
        """Tab until a link or a button of that text has the focus."""
        for _ in range(200):
            console.page.keyboard.press("Tab")
            if console.js("document.activeElement.matches('a, button') && document.activeElement.textContent") == text:
                assert console.js("getComputedStyle(document.activeElement).outlineStyle") != "none"
                console.page.keyboard.press("Enter")
                return
        raise AssertionError(f"the Tab key does not lead to {text}")

    press_until("Boosts")
    console.is_drawn("Boosts")
    press_until(campaign["video_id"])
    console.is_drawn(re.compile(f"^{campaign['video_id']}"))
    press_until("Pause")

    expect(console.main.get_by_text("Paused", exact=True)).to_be_visible()
    assert Boosts(resumed).get(campaign["id"])["status"] == "paused"
