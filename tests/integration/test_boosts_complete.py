"""Every way to run a boost: scheduled, several videos, simulated, verified, taken back, exported."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import boosts.api
from tests.account import Account
from tests.factories import NOON
from tests.integration.console import TERMS, Console, answer_lost_of_the_first, before_the_first
from tests.integration.harness import Functions


@pytest.fixture
def console(aws: Account, functions: Functions) -> Iterator[Console]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Console(aws, functions, clock)


def finish(console: Console, campaign_id: str) -> dict[str, Any]:
    """Works a campaign off: each step when it is due, as its queue and its schedules would bring it."""
    while (item := console.item(campaign_id)).get("wake_at"):
        due = datetime.fromisoformat(item["wake_at"])
        console.clock.move_to(max(due, datetime.now(UTC)))
        console.work(campaign_id, int(item["step"]))
    return console.get(campaign_id)


def rows(console: Console, campaign_id: str) -> list[dict[str, Any]]:
    items = [item for item in console.aws.items("BoostsTable") if item["id"] == campaign_id and item["kind"] == "batch"]
    return sorted(items, key=lambda item: str(item["part"]))


def per_day(console: Console, campaign_id: str) -> dict[str, int]:
    views: Counter[str] = Counter()
    for row in rows(console, campaign_id):
        views[row["committed_at"][:10]] += int(row["views"])
    return dict(views)


def boosted(console: Console) -> dict[str, int]:
    return {video: views for video, views in totals(console).items() if "#" not in video}


def totals(console: Console) -> dict[str, int]:
    """By video, or by video and day: `abc123#2026-11-20`."""
    return {item["key"].removeprefix("boosted#video#"): int(item["views"]) for item in console.aws.items("TotalsTable")}


# --- Scheduled campaigns (S1-57)


def test_a_scheduled_campaign_starts_by_itself_when_its_time_has_come(console: Console) -> None:
    """S1-57."""

    campaign_id = console.create(scheduled_for="2026-11-20T12:10:00Z")
    scheduled = console.get(campaign_id)
    messages = console.waiting()

    console.clock.shift(timedelta(minutes=10))
    console.work(campaign_id, 0)

    assert (scheduled["status"], scheduled["progress"]["waiting_for"]) == ("scheduled", "start")
    assert messages == [{"campaign_id": campaign_id, "step": 0}]
    assert console.get(campaign_id)["status"] == "running"
    assert console.actions(campaign_id) == ["CREATED", "STARTED"]
    assert [entry["actor"] for entry in console.aws.items("AuditTable") if entry["number"] == 2] == ["schedule"]
    assert finish(console, campaign_id)["executed_count"] == 2500


def test_before_its_time_a_scheduled_campaign_does_nothing(console: Console) -> None:
    """S1-57."""

    campaign_id = console.create(scheduled_for="2026-11-20T12:10:00Z")

    console.work(campaign_id, 0)

    assert console.get(campaign_id)["status"] == "scheduled"
    assert console.usage() == {}


def test_a_start_whose_worker_died_before_the_send_is_sent_when_its_message_comes_again(console: Console) -> None:
    """S1-57."""

    campaign_id = console.create(scheduled_for="2026-11-20T12:10:00Z")
    console.waiting()
    console.clock.shift(timedelta(minutes=10))
    with pytest.raises(KeyboardInterrupt), answer_lost_of_the_first("transact_write_items"):
        console.work(campaign_id, 0, "message-of-the-start")

    console.work(campaign_id, 0, "message-of-the-start")

    assert console.waiting() == [{"campaign_id": campaign_id, "step": 1}]
    assert console.actions(campaign_id) == ["CREATED", "STARTED"]


def test_a_scheduled_campaign_whose_wake_was_lost_is_started_by_the_sweeper_s_message(console: Console) -> None:
    """S1-57."""

    campaign_id = console.create(scheduled_for="2026-11-20T12:10:00Z")
    console.waiting()
    console.clock.shift(timedelta(minutes=11))

    console.sweep()

    assert console.waiting() == [{"campaign_id": campaign_id, "step": 0}]


def test_a_scheduled_campaign_without_room_fails_with_the_reason(console: Console) -> None:
    """S1-57."""

    campaign_id = console.create(scheduled_for="2026-11-20T12:10:00Z")
    console.put_usage(allotted=4_999_000, executed=0)

    console.clock.shift(timedelta(minutes=10))
    console.work(campaign_id, 0)

    campaign = console.get(campaign_id)
    assert campaign["status"] == "failed"
    assert "leaves 1000 views in 2026-11" in campaign["failure_reason"]
    assert console.usage()["allotted"] == 4_999_000
    assert console.actions(campaign_id) == ["CREATED", "FAILED"]


def test_a_scheduled_campaign_can_be_cancelled_before_its_start(console: Console) -> None:
    """S1-57."""

    campaign_id = console.create(scheduled_for="2026-11-20T12:10:00Z")

    console.command("cancel", campaign_id)
    console.clock.shift(timedelta(minutes=10))
    console.work(campaign_id, 0)

    assert console.get(campaign_id)["status"] == "cancelled"
    assert console.usage() == {}


def test_a_scheduled_campaign_can_be_executed_at_once(console: Console) -> None:
    """S1-57."""

    campaign_id = console.create(scheduled_for="2027-11-19T00:00:00+01:00")

    running = console.command("execute", campaign_id)

    assert running["status"] == "running"
    assert running["progress"]["next_batch_at"] == "2026-11-20T12:00:00.000000Z"


@pytest.mark.parametrize("moment", ["2026-11-20T12:00:00Z", "2026-11-20T12:59:59+01:00", "2027-11-22T00:00:00Z"])
def test_a_time_that_is_past_or_over_a_year_ahead_is_refused(console: Console, moment: str) -> None:
    """S1-57."""

    answer = console.send("boosts/api-create", body=TERMS | {"scheduled_for": moment})

    assert (answer.status, answer.fields) == (400, ["scheduled_for"])
    assert answer.body["code"] == "scheduled_for_out_of_range"


def test_a_time_a_leap_year_ahead_is_taken_and_audited(console: Console) -> None:
    """S1-57."""

    console.create(scheduled_for="2027-11-21T13:00:00+01:00")

    (entry,) = console.aws.items("AuditTable")
    assert json.loads(entry["after"])["scheduled_for"] == "2027-11-21T12:00:00.000000Z"


@pytest.mark.parametrize(
    "moment",
    ["tomorrow", "2026-11-21T12:00:00", 1795163400, "", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"],
)
def test_a_time_without_its_zone_or_that_is_none_is_refused(console: Console, moment: Any) -> None:
    """S1-57."""

    answer = console.send("boosts/api-create", body=TERMS | {"scheduled_for": moment})

    assert (answer.status, answer.fields) == (400, ["scheduled_for"])


# --- Several videos (S1-58)


def several(*videos: str, **terms: Any) -> dict[str, Any]:
    body = TERMS | {"video_ids": list(videos)} | terms
    del body["video_id"]
    return body


def test_several_videos_share_every_batch_exactly(console: Console) -> None:
    """S1-58."""

    body = several("a", "b", "c", total_count=2000)
    campaign_id = console.send("boosts/api-create", body=body).body["id"]
    console.command("execute", campaign_id)

    finish(console, campaign_id)

    assert [json.loads(row["views_by_video"]) for row in rows(console, campaign_id)] == [
        {"a": 334, "b": 333, "c": 333},
        {"a": 333, "b": 334, "c": 333},
    ]
    assert boosted(console) == {"a": 667, "b": 667, "c": 666}
    for video in "abc":
        listed = console.send("boosts/api-list", query={"video_id": video})
        assert [each["id"] for each in listed.body["items"]] == [campaign_id]


def test_twenty_videos_fit_into_a_batch_s_transaction(console: Console) -> None:
    """S1-58."""

    body = several(*(f"video-{number}" for number in range(20)), total_count=1000)
    campaign_id = console.send("boosts/api-create", body=body).body["id"]
    console.command("execute", campaign_id)

    assert finish(console, campaign_id)["status"] == "completed"
    assert set(boosted(console).values()) == {50}


@pytest.mark.parametrize(
    "videos",
    [[], [f"v{n}" for n in range(21)], ["a", "a"], ["a", "https://example.com/v"], "a", [1], None],
)
def test_a_list_of_videos_that_cannot_be_is_refused(console: Console, videos: Any) -> None:
    """S1-58."""

    answer = console.send("boosts/api-create", body=several() | {"video_ids": videos})

    assert answer.status == 400
    assert all(field.startswith("video_ids") for field in answer.fields)


def test_a_video_and_a_list_of_videos_at_once_are_refused(console: Console) -> None:
    """S1-58."""

    answer = console.send("boosts/api-create", body=TERMS | {"video_ids": ["b"]})

    assert (answer.status, answer.fields) == (400, ["video_ids"])


# --- Simulation


def test_a_simulation_shows_what_is_clipped_and_where_it_spills(console: Console) -> None:
    terms = TERMS | {"total_count": 2000, "duration_days": 4, "daily_limit": 600, "pattern": "burst"}

    answer = console.send("boosts/api-simulate", body=terms)

    days = answer.body["days"]
    assert [(day["wished"], day["clipped"], day["spilled_in"], day["views"]) for day in days] == [
        (800, 200, 0, 600),
        (600, 0, 0, 600),
        (400, 0, 200, 600),
        (200, 0, 0, 200),
    ]
    assert [day["date"] for day in days] == ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"]
    assert answer.body["ends_at"] == "2026-11-23T00:00:00.000000Z"
    assert answer.body["batches"] == 4
    assert answer.body["months"] == [{"month": "2026-11", "needed": 2000, "left": 5_000_000, "fits": True}]
    assert 0 < answer.body["cost_usd"] < 0.001


def test_a_simulation_creates_nothing_and_changes_nothing(console: Console) -> None:
    console.send("boosts/api-simulate", body=TERMS)

    assert console.aws.items("BoostsTable") == []
    assert console.aws.items("AuditTable") == []


def test_a_simulation_tells_which_month_cannot_hold_its_part(console: Console) -> None:
    console.put_usage("2026-12", allotted=4_999_999, executed=0)
    terms = TERMS | {"total_count": 3000, "duration_days": 30}

    answer = console.send("boosts/api-simulate", body=terms)

    assert answer.body["months"] == [
        {"month": "2026-11", "needed": 1100, "left": 5_000_000, "fits": True},
        {"month": "2026-12", "needed": 1900, "left": 1, "fits": False},
    ]


def test_a_simulation_refuses_what_a_create_refuses(console: Console) -> None:
    answer = console.send("boosts/api-simulate", body=TERMS | {"daily_limit": 100_001})

    assert (answer.status, answer.body["message"]) == (400, "Daily limit exceeds maximum of 100000")


def test_the_rest_of_a_running_campaign_is_simulated_from_where_it_is(console: Console) -> None:
    campaign_id = console.running(total_count=2500, duration_days=2)
    console.work(campaign_id, 1)

    answer = console.send("boosts/api-simulaterest", campaign_id)

    assert [(day["date"], day["views"]) for day in answer.body["days"]] == [("2026-11-20", 250), ("2026-11-21", 1250)]
    assert answer.body["status"] == "completed"


def test_nothing_of_an_ended_campaign_can_be_simulated(console: Console) -> None:
    campaign_id = console.create()
    console.command("cancel", campaign_id)

    answer = console.send("boosts/api-simulaterest", campaign_id)

    assert (answer.status, answer.body["code"]) == (409, "campaign_has_ended")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    days=st.integers(1, 6),
    daily_limit=st.integers(1, 2500),
    fill=st.floats(0, 1),
    pattern=st.sampled_from(["steady", "burst", "progressive"]),
    second=st.integers(0, 86_399),
)
def test_undisturbed_campaigns_do_on_each_day_what_was_simulated(
    console: Console, days: int, daily_limit: int, fill: float, pattern: str, second: int
) -> None:
    total = 1 + round(fill * (min(days * daily_limit, 6000) - 1))
    terms = {"total_count": total, "duration_days": days, "daily_limit": daily_limit, "pattern": pattern}
    console.aws.forget_items()
    console.clock.move_to(datetime(2026, 11, 28, tzinfo=UTC) + timedelta(seconds=second))

    simulated = console.send("boosts/api-simulate", body=TERMS | terms).body
    campaign_id = console.create(**terms)
    console.command("execute", campaign_id)
    finished = finish(console, campaign_id)

    assert per_day(console, campaign_id) == {day["date"]: day["views"] for day in simulated["days"] if day["views"]}
    assert finished["ended_at"] == simulated["ends_at"]
    assert finished["progress"]["batches_done"] == simulated["batches"]


# --- Day by day


def test_the_plan_shows_each_day_planned_done_and_expected(console: Console) -> None:
    campaign_id = console.running(total_count=3000, duration_days=3)
    console.work(campaign_id, 1)
    console.clock.shift(timedelta(days=1))
    console.work(campaign_id, 2)

    answer = console.send("boosts/api-plan", campaign_id)

    assert answer.body["days"] == [
        {"date": "2026-11-20", "plan_day": 1, "planned": 1000, "done": 1000, "expected": 0},
        {"date": "2026-11-21", "plan_day": 2, "planned": 1000, "done": 1000, "expected": 0},
        {"date": "2026-11-22", "plan_day": 3, "planned": 1000, "done": 0, "expected": 1000},
    ]


def test_the_plan_of_a_pending_campaign_is_what_it_would_do_from_today(console: Console) -> None:
    campaign_id = console.create(total_count=3000, duration_days=3)

    answer = console.send("boosts/api-plan", campaign_id)

    assert [(day["date"], day["expected"]) for day in answer.body["days"]] == [
        ("2026-11-20", 1000),
        ("2026-11-21", 1000),
        ("2026-11-22", 1000),
    ]


# --- Verification (S1-59)


def checks(console: Console, campaign_id: str) -> dict[str, bool]:
    answer = console.send("boosts/api-verify", campaign_id).body
    assert answer["valid"] == all(check["holds"] for check in answer["checks"])
    return {check["claim"]: check["holds"] for check in answer["checks"]}


def test_the_numbers_of_a_campaign_are_what_its_rows_say(console: Console) -> None:
    """S1-59."""

    first = console.running()
    console.work(first, 1)
    second = console.running(total_count=1000)
    console.command("pause", second)

    found = checks(console, first)

    assert len(found) == 5
    assert all(found.values())


@pytest.mark.parametrize(
    ("key", "update", "broken"),
    [
        (("campaign",), "executed_count = executed_count + :n", 3),
        (("batch#0000000001",), "#views = #views + :n", 1),
        (("usage",), "allotted = allotted + :n", 1),
        (("total",), "#views = #views + :n", 2),
        (("day",), "#views = #views + :n", 1),
    ],
)
def test_a_number_that_was_changed_by_hand_is_found(
    console: Console, key: tuple[str], update: str, broken: int
) -> None:
    """S1-59."""

    campaign_id = console.running()
    console.work(campaign_id, 1)
    (part,) = key
    table, item = "BoostsTable", {"id": {"S": campaign_id}, "part": {"S": part}}
    if part == "usage":
        item["id"] = {"S": "usage#2026-11"}
    if part == "total":
        table, item = "TotalsTable", {"key": {"S": "boosted#video#abc123"}}
    if part == "day":
        table, item = "TotalsTable", {"key": {"S": "boosted#video#abc123#2026-11-20"}}
    names = {"ExpressionAttributeNames": {"#views": "views"}} if "#views" in update else {}
    console.aws.client("dynamodb").update_item(
        TableName=console.aws.ref(table),
        Key=item,
        UpdateExpression=f"SET {update}",
        ExpressionAttributeValues={":n": {"N": "7"}},
        **names,
    )

    found = checks(console, campaign_id)

    assert sum(not holds for holds in found.values()) == broken


def test_the_counter_of_a_video_is_the_sum_of_all_its_campaigns(console: Console) -> None:
    """S1-59."""

    first, second = console.running(), console.running(total_count=700)
    console.work(first, 1)
    console.work(second, 1)

    assert all(checks(console, first).values())


def test_a_month_is_checked_when_it_is_only_promised_and_when_all_of_it_is_done(console: Console) -> None:
    """S1-59."""

    promised = console.running(total_count=3000, duration_days=30)
    done = ended(console, total_count=700)
    console.put_usage("2026-11", allotted=1, executed=1)
    console.put_usage("2026-12", allotted=1, executed=1)

    claim = "executed + promised to all campaigns = allotted, month"
    assert checks(console, promised)[f"{claim} 2026-12"] is False
    assert checks(console, done)[f"{claim} 2026-11"] is False


def test_a_batch_that_is_committed_while_numbers_are_checked_is_no_finding(console: Console) -> None:
    """S1-59."""

    campaign_id = console.running()

    with before_the_first("query", lambda: console.work(campaign_id, 1)):
        found = checks(console, campaign_id)

    assert all(found.values())


def test_a_revert_acts_at_once_and_says_why_and_that_it_has_a_next_batch(console: Console) -> None:
    campaign_id = ended(console)
    console.waiting()

    answer = console.send("boosts/api-revert", campaign_id, body={"reason": "the wrong video"})

    assert (answer.body["status"], answer.body["revert_reason"]) == ("reverting", "the wrong video")
    assert answer.body["progress"]["waiting_for"] == "next_batch"
    assert answer.body["progress"]["expected_end_at"] is None
    assert console.waiting() == [{"campaign_id": campaign_id, "step": int(console.item(campaign_id)["step"])}]
    finish(console, campaign_id)
    assert console.item(campaign_id).keys() & {"wake_at", "waiting_for"} == set()
    entries = [item for item in console.aws.items("AuditTable") if item["number"] in (4, 5)]
    told = [json.loads(entry["after"]) for entry in sorted(entries, key=lambda entry: int(entry["number"]))]
    assert [(each["revert_reason"], each.get("reverted_count")) for each in told] == [
        ("the wrong video", None),
        ("the wrong video", 2500),
    ]


@pytest.mark.parametrize("verb", ["execute", "pause", "cancel", "revert"])
@pytest.mark.parametrize("is_done", [True, False])
def test_a_campaign_that_is_or_was_taken_back_takes_no_command(console: Console, verb: str, is_done: bool) -> None:
    campaign_id = ended(console)
    console.send("boosts/api-revert", campaign_id, body={"reason": "x"})
    if is_done:
        finish(console, campaign_id)
    before = console.item(campaign_id)

    answer = console.send(f"boosts/api-{verb}", campaign_id, body={"reason": "x"} if verb == "revert" else None)

    assert answer.status == 409
    assert console.item(campaign_id) == before


def test_nothing_of_a_campaign_that_was_taken_back_can_be_simulated(console: Console) -> None:
    campaign_id = ended(console)
    console.send("boosts/api-revert", campaign_id, body={"reason": "x"})
    finish(console, campaign_id)

    assert console.send("boosts/api-simulaterest", campaign_id).status == 409


# --- Taking back


def ended(console: Console, **terms: Any) -> str:
    campaign_id = console.running(**terms)
    finish(console, campaign_id)
    return campaign_id


def test_a_revert_takes_an_ended_campaign_s_views_back_in_batches_with_rows_and_audit(console: Console) -> None:
    campaign_id = ended(console)
    used = console.usage()
    console.send("boosts/api-revert", campaign_id, body={"reason": "the wrong video"})

    reverted = finish(console, campaign_id)

    assert (reverted["status"], reverted["executed_count"], reverted["reverted_count"]) == ("reverted", 2500, 2500)
    assert [int(row["views"]) for row in rows(console, campaign_id)] == [1000, 1000, 500, -1000, -1000, -500]
    assert boosted(console) == {"abc123": 0}
    assert console.usage() == used | {"r20": 2500}
    assert console.actions(campaign_id) == ["CREATED", "STARTED", "COMPLETED", "REVERT_STARTED", "REVERTED"]
    assert all(checks(console, campaign_id).values())


def test_views_are_of_the_day_on_which_they_were_added_or_taken_back(console: Console) -> None:
    """S1-58."""

    console.aws.choose(TimeZone="Asia/Tokyo")
    body = several("a", "b", total_count=700, scheduled_for="2026-11-20T14:59:59Z")
    campaign_id = console.send("boosts/api-create", body=body).body["id"]
    finish(console, campaign_id)
    console.clock.move_to(datetime(2026, 11, 22, 15, tzinfo=UTC))

    console.send("boosts/api-revert", campaign_id, body={"reason": "the wrong videos"})
    finish(console, campaign_id)

    days = {video: views for video, views in totals(console).items() if "#" in video}
    assert days == {"a#2026-11-20": 350, "a#2026-11-23": -350, "b#2026-11-20": 350, "b#2026-11-23": -350}
    reported = console.request("views/reports/api-days", query={"from": "2026-11-20"}).body["items"]
    assert [day["boosted"] for day in reported] == [700, 0, 0, -700]
    assert all(checks(console, campaign_id).values())


def test_the_days_of_a_campaign_are_checked_after_the_zone_of_the_days_was_changed(console: Console) -> None:
    """S1-59."""

    console.clock.move_to(datetime(2026, 11, 20, 12, tzinfo=UTC))
    console.aws.choose(TimeZone="Pacific/Kiritimati")
    campaign_id = ended(console)
    boosts.api.commands.cache_clear()
    console.aws.choose(TimeZone="Pacific/Pago_Pago")

    assert all(checks(console, campaign_id).values())


def test_a_revert_of_several_videos_gives_each_back_what_it_had(console: Console) -> None:
    campaign_id = console.send("boosts/api-create", body=several("a", "b", "c", total_count=2000)).body["id"]
    console.command("execute", campaign_id)
    console.work(campaign_id, 1)
    console.command("cancel", campaign_id)

    console.send("boosts/api-revert", campaign_id, body={"reason": "the wrong videos"})
    finish(console, campaign_id)

    assert set(boosted(console).values()) == {0}


def test_a_compensating_batch_delivered_twice_is_taken_back_once(console: Console) -> None:
    campaign_id = ended(console)
    console.send("boosts/api-revert", campaign_id, body={"reason": "the wrong video"})
    step = int(console.item(campaign_id)["step"])

    console.work(campaign_id, step, "message-1")
    console.work(campaign_id, step, "message-2")

    assert boosted(console) == {"abc123": 1500}


@pytest.mark.parametrize("verb", [None, "execute", "pause"])
def test_what_has_not_ended_cannot_be_reverted(console: Console, verb: str | None) -> None:
    campaign_id = console.create()
    if verb:
        console.command("execute", campaign_id)
    if verb == "pause":
        console.command("pause", campaign_id)

    answer = console.send("boosts/api-revert", campaign_id, body={"reason": "x"})

    assert (answer.status, answer.body["code"]) == (409, "campaign_cannot_be_reverted")


def test_a_revert_can_be_simulated_and_does_nothing_then(console: Console) -> None:
    campaign_id = ended(console)

    answer = console.send("boosts/api-revert", campaign_id, body={"reason": "x", "simulate": True})

    assert (answer.body["batches"], answer.body["status"]) == (3, "reverted")
    assert sum(day["views"] for day in answer.body["days"]) == 2500
    assert console.get(campaign_id)["status"] == "completed"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": ""},
        {"reason": " \u00a0 "},
        {"reason": "x" * 501},
        {"reason": 1},
        *({"reason": f"a{control}b"} for control in "\n\r\t\x00\x1f\x7f\x85"),
    ],
)
def test_a_revert_needs_a_reason(console: Console, body: dict[str, Any]) -> None:
    campaign_id = ended(console)

    answer = console.send("boosts/api-revert", campaign_id, body=body)

    assert (answer.status, answer.fields) == (400, ["reason"])


@pytest.mark.parametrize(("field", "value"), [("simulate", "yes"), ("simulate", 1), ("views", 5)])
def test_a_revert_with_a_field_that_is_none_of_its_own_or_of_another_type_is_refused(
    console: Console, field: str, value: Any
) -> None:
    campaign_id = ended(console)

    answer = console.send("boosts/api-revert", campaign_id, body={"reason": "x", field: value})

    assert (answer.status, answer.fields) == (400, [field])


def test_a_revert_needs_an_admin(console: Console) -> None:
    campaign_id = ended(console)

    answer = console.send("boosts/api-revert", campaign_id, body={"reason": "x"}, role="operator")

    assert answer.status == 403


def test_a_revert_does_not_free_the_caps(console: Console) -> None:
    campaign_id = ended(console)
    console.send("boosts/api-revert", campaign_id, body={"reason": "x"})
    finish(console, campaign_id)

    limits = console.send("boosts/api-limits").body

    assert (limits["current_month_total"], limits["today_total"], limits["current_month_reserved"]) == (2500, 2500, 0)


# --- CSV (S1-61)


def pages(console: Console, file: str, campaign_id: str, **query: Any) -> list[list[list[str]]]:
    """Follows the links from page to page."""
    found = []
    link: str | None = "?"
    while link:
        answer = console.text(file, campaign_id, query=query)
        found.append(list(csv.reader(StringIO(answer.body))))
        link = answer.headers.get("Link")
        if link:
            query = dict(part.split("=") for part in link.removeprefix("<?").partition(">")[0].split("&"))
    return found


def test_campaigns_are_exported_page_by_page_with_one_header(console: Console) -> None:
    """S1-61."""

    ids = [console.create(video_id=f"v{number}") for number in range(5)]

    found = pages(console, "boosts/api-export", "", limit=2)

    lines = [line for page in found for line in page]
    assert lines[0][:3] == ["id", "video_ids", "total_count"]
    assert sorted(line[0] for line in lines[1:]) == sorted(ids)


def test_batches_are_exported_in_order_a_line_for_each_video(console: Console) -> None:
    """S1-61."""

    campaign_id = console.send("boosts/api-create", body=several("a", "b", total_count=3000)).body["id"]
    console.command("execute", campaign_id)
    finish(console, campaign_id)

    found = pages(console, "boosts/api-exportbatches", campaign_id, limit=2)

    lines = [line for page in found for line in page]
    assert lines[0] == ["campaign_id", "step", "video_id", "views", "plan_day", "committed_at"]
    assert [(line[1], line[2], line[3]) for line in lines[1:]] == [
        (str(step), video, "500") for step in (1, 2, 3) for video in "ab"
    ]


def test_a_cell_is_never_a_formula(console: Console) -> None:
    """S1-61."""

    console.send("boosts/api-create", body=TERMS, subject="=cmd|' /C calc'!A0")

    ((_, line),) = pages(console, "boosts/api-export", "")

    assert line[15] == "'=cmd|' /C calc'!A0"


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_begins_as_a_formula_does(console: Console, first: str) -> None:
    """S1-61."""

    console.send("boosts/api-create", body=TERMS, subject=f"{first}1")

    text = console.text("boosts/api-export", "", {}).body

    assert f"'{first}1" in text


def test_a_campaign_is_exported_with_its_videos_and_its_times_as_the_api_has_them(console: Console) -> None:
    """S1-61."""

    body = several("a", "b", scheduled_for="2026-11-21T12:00:00+01:00")
    console.send("boosts/api-create", body=body)

    header, line = list(csv.reader(StringIO(console.text("boosts/api-export", "", {}).body)))

    cells = dict(zip(header, line, strict=True))
    assert (cells["video_ids"], cells["scheduled_for"]) == ("a b", "2026-11-21T11:00:00.000000Z")
    assert (cells["created_at"], cells["started_at"]) == ("2026-11-20T12:00:00.000000Z", "")


def test_the_pages_of_an_export_keep_its_filters_and_its_limit(console: Console) -> None:
    """S1-61."""

    wanted = [console.create() for _ in range(3)]
    console.create(video_id="other")
    console.command("cancel", console.create())

    found = pages(console, "boosts/api-export", "", limit=1, status="pending", video_id="abc123")

    lines = [line[0] for page in found for line in page]
    assert sorted(lines[1:]) == sorted(wanted)
    assert all(len(page) <= 1 for page in found[1:])


def test_a_page_of_batches_holds_at_least_one_and_is_as_long_as_its_limit_allows(console: Console) -> None:
    """S1-61."""

    campaign_id = console.send("boosts/api-create", body=several("a", "b", "c", total_count=2000)).body["id"]
    console.command("execute", campaign_id)
    finish(console, campaign_id)

    assert [len(page) for page in pages(console, "boosts/api-exportbatches", campaign_id, limit=1)] == [4, 3, 0]
    assert [len(page) for page in pages(console, "boosts/api-exportbatches", campaign_id, limit=5)] == [4, 3, 0]
    assert [len(page) for page in pages(console, "boosts/api-exportbatches", campaign_id, limit=9)] == [7]


def test_a_page_of_campaigns_is_never_longer_than_a_lambda_can_answer(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S1-61."""

    monkeypatch.setattr("boosts.api.MAX_CSV_CAMPAIGNS", 1)
    for _ in range(3):
        console.create()

    assert len(pages(console, "boosts/api-export", "")[0]) == 2


@pytest.mark.parametrize("limit", [0, 10_001])
def test_an_export_is_of_1_to_10000_lines(console: Console, limit: int) -> None:
    """S1-61."""

    assert console.send("boosts/api-export", query={"limit": limit}).fields == ["limit"]


def test_a_stop_between_computing_and_committing_a_revert_lets_nothing_through(console: Console) -> None:
    campaign_id = ended(console)
    console.send("boosts/api-revert", campaign_id, body={"reason": "x"})
    step = int(console.item(campaign_id)["step"])

    def stop() -> None:
        stopped = {"id": {"S": "platform"}, "part": {"S": "campaign"}, "kind": {"S": "platform"}}
        console.aws.client("dynamodb").put_item(
            TableName=console.aws.ref("BoostsTable"), Item=stopped | {"status": {"S": "stopped"}}
        )

    with before_the_first("transact_write_items", stop):
        console.work(campaign_id, step)

    assert boosted(console) == {"abc123": 2500}
    assert console.get(campaign_id)["progress"]["waiting_for"] == "stop"


# --- Caps


@pytest.mark.parametrize(
    ("used", "reason", "goes_on"),
    [
        ({"executed": 100_000, "d20": 100_000}, "daily_cap", "2026-11-21T00:00:00.000000Z"),
        ({"executed": 5_000_000}, "monthly_cap", "2026-12-01T00:00:00.000000Z"),
    ],
)
def test_a_campaign_that_meets_a_cap_says_so_and_goes_on_by_itself(
    console: Console, used: dict[str, int], reason: str, goes_on: str
) -> None:
    """S1-3, S1-31."""
    campaign_id = console.running()
    console.put_usage(allotted=used["executed"] + 2500, **used)

    console.work(campaign_id, 1)
    waiting = console.get(campaign_id)["progress"]
    finished = finish(console, campaign_id)

    assert (waiting["waiting_for"], waiting["next_batch_at"]) == (reason, goes_on)
    assert finished["status"] == "completed"
    assert rows(console, campaign_id)[0]["committed_at"].startswith(goes_on[:10])
