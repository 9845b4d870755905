"""What concerns the whole page: stop and resume, a network that is gone, other paths, and what is loaded."""

import re
from uuid import uuid4

import httpx
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import SignIn
from tests.browser.console import Guard
from tests.browser.prefix import Prefixed
from tests.browser.seed import Seeded
from tests.browser.test_screens import API, AWAY
from tests.deployed import StackUnderTest
from tests.e2e.test_boosts import eventually
from tests.e2e.test_views import Audience, moved


def test_everything_is_stopped_from_the_header_noted_on_every_screen_and_resumed(
    sign_in: SignIn, resumed: httpx.Client
) -> None:
    """The safe button comes first, and the field of the reason has the focus."""
    console = sign_in("admin")
    console.is_drawn("Overview")
    console.button("Stop everything", console.header).click()
    reason = console.dialog.get_by_role("textbox")
    expect(reason).to_be_focused()
    assert console.dialog.get_by_role("button").all_inner_texts() == ["Keep as it is", "Stop everything"]

    reason.fill("Something looks wrong")
    console.button("Stop everything", console.dialog).click()
    note = console.page.get_by_text("Everything is stopped").locator("..")
    expect(note).to_contain_text("Something looks wrong")
    stopped = resumed.get("/api/admin/stop").json()["status"]
    console.link("Audit", console.navigation).click()
    expect(note).to_be_visible()
    console.button("Resume", console.header).click()
    console.dialog.get_by_role("textbox").fill("All is well")
    console.button("Resume everything", console.dialog).click()

    expect(note).to_have_count(0)
    assert (stopped, resumed.get("/api/admin/stop").json()["status"]) == ("stopped", "open")


def test_escape_keeps_everything_as_it_is(sign_in: SignIn, resumed: httpx.Client) -> None:
    console = sign_in("admin")
    console.button("Stop everything", console.header).click()
    expect(console.dialog.get_by_role("textbox")).to_be_focused()

    console.page.keyboard.press("Escape")

    expect(console.dialog).to_have_count(0)
    assert resumed.get("/api/admin/stop").json()["status"] == "open"


def test_an_operator_cannot_stop_everything(sign_in: SignIn) -> None:
    console = sign_in("operator")
    console.is_drawn("Overview")

    expect(console.button("Stop everything")).to_have_count(0)


def test_without_a_network_there_is_one_note_and_what_was_read_stays(
    sign_in: SignIn, cold: BrowserContext, guard: Guard
) -> None:
    guard.expects_refusals()
    console = sign_in(context=cold)
    console.is_drawn("Overview")
    works, note = console.page.get_by_text("Everything works"), console.page.get_by_text("The API cannot be reached.")
    figures = console.main.get_by_text("Boosted today")

    cold.set_offline(True)
    expect(note).to_have_count(1)
    expect(works).to_have_count(0)
    expect(figures).to_be_visible()
    cold.set_offline(False)

    expect(note).to_have_count(0)


def test_an_api_that_answers_503_is_asked_again_by_itself_and_by_a_button(sign_in: SignIn, guard: Guard) -> None:
    """bull-board#675: never an endless skeleton."""
    guard.expects_refusals()
    console = sign_in("admin")
    console.is_drawn("Overview")
    console.page.route(API, lambda route: route.fulfill(status=503, json=AWAY))
    console.go("boosts")
    expect(console.main.get_by_role("alert")).to_contain_text(AWAY["message"])
    expect(console.main.get_by_role("alert")).to_contain_text(AWAY["request_id"])
    console.page.unroute(API)

    console.button("Try again", console.main).click()

    console.is_drawn("Boosts")
    expect(console.main.get_by_role("alert")).to_have_count(0)


def test_it_works_under_another_path(stack: StackUnderTest, sign_in: SignIn, guard: Guard) -> None:
    """bull-board#406, umami#824: behind a proxy with a prefix of its own."""
    with Prefixed(stack.console_url.removesuffix("/console"), "/tools/of/ours") as url:
        console = sign_in("admin", url=f"{url}/console")
        console.is_drawn("Overview")
        console.link("Boosts", console.navigation).click()
        console.is_drawn("Boosts")

        assert all(each.startswith(url) for each in console.requested)
        console.page.close()


def test_seven_requests_at_most_come_before_the_api_s(cold: BrowserContext, sign_in: SignIn) -> None:
    """A new AWS account may run ten functions at once. A browser may ask for the icon twice."""
    console = sign_in(context=cold)
    console.is_drawn("Overview")

    first = next(at for at, url in enumerate(console.requested) if API.search(url))

    assert 1 < first <= 7


def test_what_is_pending_synced_and_boosted_is_what_is_shown_in_the_page_and_in_the_api(
    stack: StackUnderTest, sign_in: SignIn, resumed: httpx.Client
) -> None:
    video = f"parts-{uuid4().hex[:8]}"
    order = {"video_id": video, "total_count": 1_000, "duration_days": 1, "pattern": "steady", "daily_limit": 1_000}
    boost = resumed.post("/api/admin/fake-views", json=order).json()
    resumed.post(f"/api/admin/fake-views/{boost['id']}/execute").raise_for_status()
    resumed.put(f"/api/admin/content/video/{video}", json={"title": video, "owner": "ada"}).raise_for_status()
    with stack.http(role=None) as http:
        audience = Audience(http)
        for viewer in range(3):
            audience.view(video, viewer)
        moved(stack)
        for viewer in range(3, 5):
            audience.view(video, viewer)
        count = eventually(lambda: audience.count(video), lambda seen: seen["boosted"] == 1_000)
    console = sign_in(to=f"views/video/{video}")
    console.is_drawn(re.compile(f"^{video}"))

    assert (count["organic"], count["boosted"], count["view_count"]) == ({"synced": 3, "pending": 2}, 1_000, 1_005)
    shown = console.main.locator("dl[aria-label=Views] dd.figure")
    expect(shown).to_have_text(["1,005", "3", "2", "1,000"])


def test_the_page_for_trying_sends_a_view_and_says_what_became_of_it(stack: StackUnderTest, sign_in: SignIn) -> None:
    """S3-21."""
    video = f"try-{uuid4().hex[:8]}"
    console = sign_in(to="try")
    console.is_drawn("Try it")
    console.page.get_by_label("Content").last.fill(video)

    console.button("Send one view").click()
    expect(console.main.get_by_role("status").filter(has_text="was counted")).to_be_visible()
    console.button("Send one more view").click()

    expect(console.main.get_by_text(re.compile("cooldown", re.I)).first).to_be_visible()
    with stack.http(role=None) as http:
        assert Audience(http).count(video)["view_count"] == 1


def test_an_open_entry_of_the_audit_trail_stays_open_over_ten_refreshes(sign_in: SignIn, seeded: Seeded) -> None:
    """bull-board#332."""
    console = sign_in(to="audit")
    console.is_drawn("Audit")
    console.main.locator("details").first.locator("summary").click()
    opened = console.main.locator("details[open]")
    text_of = opened.locator("dl").inner_text()

    for _ in range(10):
        with console.page.expect_response(re.compile("/api/admin/audit")):
            console.js("void dispatchEvent(new Event('online'))")

    expect(opened).to_have_count(1)
    # How long ago it was goes on.
    assert opened.locator("dl").inner_text() == text_of
