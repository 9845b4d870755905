"""The admin API of boosts, on its event files, with real transactions on the tables of the template."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from threading import Thread
from typing import Any

import pytest
import time_machine
from pynamodb.connection import Connection

import boosts.api
from boosts.campaign import Status
from boosts.store import Store
from sluice.http.parameters import write_cursor
from tests.account import Account
from tests.factories import NOON
from tests.integration.console import (
    EXAMPLE,
    TERMS,
    Console,
    answer_lost_of_the_first,
    before_the_first,
    every_commit_repeated,
)
from tests.integration.harness import Answer, Functions

UUID_EXAMPLE = {
    "video_id": "0b6ed1d6-4a3f-4c29-9b4f-0d7f6c1b2a55",
    "total_count": 10000,
    "duration_days": 30,
    "pattern": "steady",
    "daily_limit": 500,
}
SHORT_EXAMPLE = {
    "video_id": "abc123",
    "total_count": 15000,
    "duration_days": 30,
    "pattern": "steady",
    "daily_limit": 500,
}


@pytest.fixture
def console(aws: Account, functions: Functions) -> Iterator[Console]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Console(aws, functions, clock)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


# --- Create


@pytest.mark.parametrize("sample", [UUID_EXAMPLE, SHORT_EXAMPLE])
def test_create_answers_201_with_the_sources_fields(console: Console, sample: dict[str, Any]) -> None:
    """S1-7, S1-33."""

    body = dict(sample)

    answer = console.send("boosts/api-create", body=body)

    assert answer.status == 201
    assert answer.body["id"].startswith("bst_")
    assert answer.body == body | {
        "id": answer.body["id"],
        "video_ids": [body["video_id"]],
        "executed_count": 0,
        "reverted_count": 0,
        "scheduled_for": None,
        "revert_reason": None,
        "remaining_count": body["total_count"],
        "status": "pending",
        "started_at": None,
        "ended_at": None,
        "created_at": "2026-11-20T12:00:00.000000Z",
        "updated_at": "2026-11-20T12:00:00.000000Z",
        "created_by": "ada",
        "failure_reason": None,
        "progress": {
            "percent": 0.0,
            "batches_done": 0,
            "views_per_second": None,
            "next_batch_at": None,
            "waiting_for": None,
            "expected_end_at": None,
        },
    }


def test_the_event_file_as_it_stands_creates_a_campaign(console: Console) -> None:
    answer = console.invoke("boosts/api-create")

    assert answer["statusCode"] == 201
    assert json.loads(answer["body"])["total_count"] == 15000


def test_create_starts_nothing(console: Console) -> None:
    campaign_id = console.create()

    assert console.waiting() == []
    assert console.usage() == {}
    assert console.actions(campaign_id) == ["CREATED"]


def test_a_daily_limit_above_the_maximum_is_refused_in_the_sources_words(console: Console) -> None:
    """S1-14, S1-41."""

    body = TERMS | {"daily_limit": 100_001}

    answer = console.send("boosts/api-create", body=body)

    assert answer.refusal == (400, "daily_limit_exceeded", "Daily limit exceeds maximum of 100000")
    assert answer.fields == ["daily_limit"]
    assert console.send("boosts/api-create", body=TERMS | {"daily_limit": 100_000}).status == 201


def test_a_total_that_its_days_cannot_hold_is_refused(console: Console) -> None:
    """S1-15."""

    body = TERMS | {"total_count": 15_001, "duration_days": 3, "daily_limit": 5000}

    answer = console.send("boosts/api-create", body=body)

    message = "Total count is not achievable: 3 days of 5000 are 15000"
    assert answer.refusal == (400, "total_count_exceeded", message)
    assert answer.fields == ["total_count"]
    assert console.send("boosts/api-create", body=body | {"total_count": 15_000}).status == 201


def test_a_total_above_the_monthly_cap_is_refused(console: Console) -> None:
    """S1-16."""

    body = TERMS | {"total_count": 5_000_001, "duration_days": 365, "daily_limit": 100_000}

    answer = console.send("boosts/api-create", body=body)

    message = "Total count exceeds monthly cap of 5000000"
    assert answer.refusal == (400, "total_count_exceeded", message)
    assert console.send("boosts/api-create", body=body | {"total_count": 5_000_000}).status == 201


def test_all_limits_that_are_exceeded_are_named(console: Console) -> None:
    body = TERMS | {"daily_limit": 100_001, "total_count": 5_000_001}

    answer = console.send("boosts/api-create", body=body)

    assert answer.fields == ["daily_limit", "total_count", "total_count"]


def test_a_wrong_field_is_refused_and_named(console: Console) -> None:
    """S1-17."""

    wrong: list[tuple[str, object]] = [
        ("video_id", ""),
        ("video_id", "https://youtube.com/watch?v=abc123"),
        ("video_id", "www.youtube.com"),
        ("video_id", "a" * 129),
        ("video_id", 7),
        ("total_count", 0),
        ("total_count", "2500"),
        ("total_count", 2500.0),
        ("total_count", True),
        ("duration_days", 0),
        ("duration_days", 366),
        ("pattern", "random"),
        ("pattern", None),
        ("daily_limit", 0),
        ("daily_limit", None),
        ("organic", 5),
    ]

    answers = [console.send("boosts/api-create", body=TERMS | {field: value}) for field, value in wrong]

    assert [(answer.status, answer.fields) for answer in answers] == [(400, [field]) for field, _ in wrong]
    assert console.aws.items("BoostsTable") == []


def test_every_field_is_required(console: Console) -> None:
    """S1-7."""

    bodies = [{name: value for name, value in TERMS.items() if name != field} for field in TERMS]

    answers = [console.send("boosts/api-create", body=body) for body in bodies]

    # Of the two ways to say which videos, neither was taken.
    fields = ["video_ids" if field == "video_id" else field for field in TERMS]
    assert [(answer.status, answer.fields) for answer in answers] == [(400, [field]) for field in fields]


# --- Idempotency keys


def test_a_repeated_create_is_answered_as_the_first_time_and_creates_nothing(console: Console) -> None:
    first = console.send("boosts/api-create", body=TERMS, key="k1")
    console.command("execute", first.body["id"])
    console.clock.shift(seconds(60))

    second = console.send("boosts/api-create", body=TERMS, key="k1")

    assert (second.status, second.body) == (201, first.body)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert len(campaigns(console)) == 1


def test_a_key_used_with_another_body_is_409(console: Console) -> None:
    console.send("boosts/api-create", body=TERMS, key="k1")

    answer = console.send("boosts/api-create", body=TERMS | {"total_count": 2501}, key="k1")

    assert answer.refusal[:2] == (409, "idempotency_key_reused")
    assert len(campaigns(console)) == 1


def test_keys_of_two_callers_do_not_meet(console: Console) -> None:
    ada = console.send("boosts/api-create", body=TERMS, key="k1", subject="ada")
    bob = console.send("boosts/api-create", body=TERMS, key="k1", subject="bob")

    assert (ada.status, bob.status) == (201, 201)
    assert ada.body["id"] != bob.body["id"]
    assert "Idempotency-Replayed" not in bob.headers


def test_a_key_is_kept_for_24_hours_and_no_longer(console: Console) -> None:
    first = console.send("boosts/api-create", body=TERMS, key="k1")
    console.clock.shift(timedelta(hours=24) - seconds(0.001))
    replayed = console.send("boosts/api-create", body=TERMS, key="k1")
    console.clock.shift(seconds(0.001))

    fresh = console.send("boosts/api-create", body=TERMS, key="k1")

    assert replayed.body == first.body
    assert fresh.status == 201
    assert fresh.body["id"] != first.body["id"]
    assert len(campaigns(console)) == 2


def test_a_key_that_begins_within_a_second_is_kept_for_24_hours_too(console: Console) -> None:
    console.clock.shift(seconds(0.9))
    first = console.send("boosts/api-create", body=TERMS, key="k1")
    console.clock.shift(timedelta(hours=24) - seconds(0.1))

    replayed = console.send("boosts/api-create", body=TERMS, key="k1")

    assert replayed.body == first.body


def test_a_key_expires_by_its_own_time_and_not_when_dynamodb_deletes_its_row(console: Console) -> None:
    console.send("boosts/api-create", body=TERMS, key="k1")
    console.clock.shift(timedelta(hours=24))

    answer = console.send("boosts/api-create", body=TERMS | {"total_count": 7}, key="k1")

    assert answer.status == 201
    row = console.aws.items("RequestsTable")[0]
    assert row["expires_at"] == (NOON + timedelta(hours=48)).timestamp()


def test_a_refusal_is_not_stored_so_that_the_key_can_be_used_for_the_corrected_request(console: Console) -> None:
    refused = console.send("boosts/api-create", body=TERMS | {"daily_limit": 100_001}, key="k1")

    answer = console.send("boosts/api-create", body=TERMS, key="k1")

    assert refused.status == 400
    assert answer.status == 201
    assert "Idempotency-Replayed" not in answer.headers


def test_a_create_whose_answer_was_lost_is_answered_when_it_comes_again(console: Console) -> None:
    with answer_lost_of_the_first("transact_write_items"), pytest.raises(KeyboardInterrupt):
        console.send("boosts/api-create", body=TERMS, key="k1")

    answer = console.send("boosts/api-create", body=TERMS, key="k1")

    assert answer.status == 201
    assert answer.headers["Idempotency-Replayed"] == "true"
    assert [item["id"] for item in campaigns(console)] == [answer.body["id"]]


def test_a_repeated_create_is_answered_even_when_it_would_be_refused_by_now(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = console.send("boosts/api-create", body=TERMS, key="k1")
    variables = console.aws.resources["BoostsApiFunction"]["Properties"]["Environment"]["Variables"]
    monkeypatch.setitem(variables, "MAX_PER_DAY", "10")
    boosts.api.commands.cache_clear()

    replayed = console.send("boosts/api-create", body=TERMS, key="k1")
    fresh = console.send("boosts/api-create", body=TERMS)

    assert (replayed.status, replayed.body) == (201, first.body)
    assert fresh.status == 400


def test_twenty_equal_creates_at_once_make_one_campaign_and_twenty_equal_answers(console: Console) -> None:
    answers: list[Answer] = []

    all_read_before_any_writes(
        [lambda: answers.append(console.send("boosts/api-create", body=TERMS, key="k1"))] * 20,
    )

    assert [answer.status for answer in answers] == [201] * 20
    assert all(answer.body == answers[0].body for answer in answers)
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert len(campaigns(console)) == 1
    assert len(console.aws.items("AuditTable")) == len(console.aws.items("OutboxTable")) == 1


def test_different_creates_at_once_with_one_key_make_one_campaign_and_refuse_the_others(console: Console) -> None:
    answers: list[Answer] = []
    bodies = [TERMS | {"total_count": 1000 + number} for number in range(4)]

    all_read_before_any_writes(
        [lambda body=body: answers.append(console.send("boosts/api-create", body=body, key="k1")) for body in bodies]
    )

    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
    assert len(campaigns(console)) == 1


# --- Read one


def test_get_answers_the_campaign_with_its_progress(console: Console) -> None:
    """S1-9."""

    created = console.send("boosts/api-create", body=TERMS)

    answer = console.send("boosts/api-get", created.body["id"])

    assert answer.status == 200
    assert answer.body == created.body


@pytest.mark.parametrize("verb", ["get", "execute", "pause", "cancel"])
def test_an_id_of_nothing_of_another_kind_or_of_no_kind_is_404(
    console: Console, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    nothing = console.send(f"boosts/api-{verb}", EXAMPLE)
    others = [EXAMPLE.replace("bst", "spn"), "usage%232026-11", "nonsense", "bst_", "bst_" + "x" * 3000, "-1"]
    monkeypatch.setattr(Connection, "batch_get_item", None)  # DynamoDB would refuse some of them as keys

    answers = [nothing, *(console.send(f"boosts/api-{verb}", other) for other in others)]

    assert [answer.refusal for answer in answers] == [(404, "campaign_not_found", "Campaign not found")] * 7


# --- List


def test_the_list_is_newest_first_with_the_present_status(console: Console) -> None:
    """S1-8."""

    ids = some_campaigns(console, 3)
    console.command("execute", ids[1])

    answer = console.send("boosts/api-list", query={})

    assert answer.status == 200
    assert [(each["id"], each["status"]) for each in answer.body["items"]] == [
        (ids[2], "pending"),
        (ids[1], "running"),
        (ids[0], "pending"),
    ]
    assert answer.body["next_cursor"] is None


def test_the_event_file_as_it_stands_lists_what_runs(console: Console) -> None:
    """S1-38."""

    ids = some_campaigns(console, 3)
    console.command("execute", ids[0])

    answer = console.send("boosts/api-list")

    assert [each["id"] for each in answer.body["items"]] == [ids[0]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "pending"}, [6, 5, 3, 2]),
        ({"status": "running"}, [4, 1]),
        ({"status": "paused"}, [0]),
        ({"status": "completed"}, []),
        ({"video_id": "v0"}, [6, 4, 2, 0]),
        ({"video_id": "v1"}, [5, 3, 1]),
        ({"video_id": "v2"}, []),
        ({"video_id": "v0", "status": "running"}, [4]),
        ({"video_id": "v1", "status": "pending"}, [5, 3]),
        ({"video_id": "v1", "status": "paused"}, []),
    ],
)
def test_the_list_is_filtered_by_status_and_video_and_both_page_by_page(
    console: Console, query: dict[str, str], expected: list[int]
) -> None:
    """S1-8, S1-55."""

    ids = some_campaigns(console, 7)
    for number in (0, 1, 4):
        console.command("execute", ids[number])
    console.command("pause", ids[0])

    pages = {limit: pages_of(console, query, limit) for limit in range(1, 9)}

    for limit, listed in pages.items():
        assert [each for page in listed for each in page] == [ids[number] for number in expected]
        assert all(len(page) <= limit for page in listed)
        assert all(len(page) == limit for page in listed[:-1])


def test_a_page_that_is_filled_from_several_reads_is_not_longer_than_its_limit(console: Console) -> None:
    ids = [console.create(video_id="v0") for _ in range(5) if console.clock.shift(1) is None]
    console.command("cancel", ids[3])

    pages = pages_of(console, {"video_id": "v0", "status": "pending"}, 2)

    assert pages[:2] == [[ids[4], ids[2]], [ids[1], ids[0]]]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_campaigns_created_at_the_same_instant_are_listed_once_each(console: Console, limit: int) -> None:
    ids = {console.create() for _ in range(5)}

    for query in ({}, {"status": "pending"}, {"video_id": "abc123"}):
        listed = [each for page in pages_of(console, query, limit) for each in page]
        assert len(listed) == 5
        assert set(listed) == ids


@pytest.mark.parametrize("query", [{"status": "pending"}, {"status": "pending", "video_id": "v0"}, {}])
def test_statuses_that_change_between_pages_lose_and_repeat_nothing(console: Console, query: dict[str, str]) -> None:
    ids = [console.create(video_id="v0") for _ in range(6) if console.clock.shift(1) is None]
    first = console.send("boosts/api-list", query=query | {"limit": 2})

    console.command("cancel", ids[4])  # the last of the first page, which its cursor names
    console.command("cancel", ids[3])  # the first of the next page
    console.create(video_id="v0")
    rest = pages_of(console, query, 2, first.body["next_cursor"])

    expected = [ids[3], ids[2], ids[1], ids[0]] if query == {} else [ids[2], ids[1], ids[0]]
    assert [each["id"] for each in first.body["items"]] == [ids[5], ids[4]]
    assert [each for page in rest for each in page] == expected


@pytest.mark.parametrize(("of", "used_in"), [({}, {"video_id": "v0"}), ({"video_id": "v0"}, {})])
def test_a_cursor_of_another_list_is_refused_by_name(
    console: Console, of: dict[str, str], used_in: dict[str, str]
) -> None:
    for _ in range(2):
        console.create(video_id="v0")
    cursor = console.send("boosts/api-list", query=of | {"limit": 1}).body["next_cursor"]

    answer = console.send("boosts/api-list", query=used_in | {"cursor": cursor})

    assert answer.status == 400
    assert answer.fields == ["cursor"]


GARBAGE_CURSORS = [
    "",
    "x",
    "....",
    write_cursor({"campaign_id": EXAMPLE}),
    write_cursor({"campaign_id": EXAMPLE, "created_at": 7}),
    write_cursor({"campaign_id": "", "created_at": "2026-11-20T12:00:00.000000+0000"}),
    write_cursor({"campaign_id": "x", "created_at": "2026-11-20T12:00:00.000000+0000"}),
    write_cursor({"campaign_id": "usage#2026-11", "created_at": ""}),
    write_cursor({"campaign_id": EXAMPLE, "created_at": "yesterday"}),
    write_cursor({"campaign_id": EXAMPLE, "created_at": "9999-99-99T99:99:99.999999+0000"}),
    write_cursor({"campaign_id": EXAMPLE, "created_at": "\ud800"}),
    write_cursor({"campaign_id": EXAMPLE, "created_at": "x" * 600}),
    write_cursor({"id": EXAMPLE, "entity": EXAMPLE, "number": 1}),
    urlsafe_b64encode(b"\xff\xfe").decode(),
]


@pytest.mark.parametrize("query", [{}, {"status": "pending"}, {"video_id": "abc123"}])
def test_a_cursor_that_no_list_gave_is_refused_by_name(console: Console, query: dict[str, str]) -> None:
    console.create()

    answers = {cursor: console.send("boosts/api-list", query=query | {"cursor": cursor}) for cursor in GARBAGE_CURSORS}

    assert {cursor: answer.status for cursor, answer in answers.items()} == dict.fromkeys(GARBAGE_CURSORS, 400)
    assert all(answer.fields == ["cursor"] for answer in answers.values())


def test_a_wrong_parameter_of_the_list_is_refused_and_named(console: Console) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"status": "finished"}, "status"),
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"video_id": "a/b"}, "video_id"),
        ({"page": 2}, "page"),
    ]

    answers = [console.send("boosts/api-list", query=query) for query, _ in wrong]

    assert [(answer.status, answer.fields) for answer in answers] == [(400, [field]) for _, field in wrong]


# --- Limits


def test_limits_answers_the_sources_three_fields_and_ours(console: Console) -> None:
    """S1-13, S1-44."""

    console.put_usage(allotted=130_000, executed=125_000, d19=95_000, d20=30_000)

    answer = console.send("boosts/api-limits")

    assert answer.status == 200
    assert answer.body == {
        "max_per_day": 100_000,
        "global_monthly_cap": 5_000_000,
        "current_month_total": 125_000,
        "current_month_reserved": 5_000,
        "remaining": 4_870_000,
        "today_total": 30_000,
        "today_remaining": 70_000,
        "time_zone": "UTC",
    }


def test_limits_of_a_month_without_campaigns_are_zeros_and_the_route_wins_over_an_id(console: Console) -> None:
    """S1-13."""

    console.put_usage("2026-10", allotted=5, executed=5, d20=5)

    answer = console.send("boosts/api-get", "limits")

    assert answer.body == {
        "max_per_day": 100_000,
        "global_monthly_cap": 5_000_000,
        "current_month_total": 0,
        "current_month_reserved": 0,
        "remaining": 5_000_000,
        "today_total": 0,
        "today_remaining": 100_000,
        "time_zone": "UTC",
    }


def test_the_months_total_is_what_was_executed_in_it_whenever_the_campaign_was_created(console: Console) -> None:
    """S1-39, S1-13."""

    campaign_id = console.running(total_count=2000, duration_days=20)
    console.work(campaign_id, 1)
    november = console.send("boosts/api-limits").body
    console.clock.move_to(datetime.fromisoformat("2026-12-01T00:00:00+00:00"))

    console.work(campaign_id, 2)
    december = console.send("boosts/api-limits").body

    assert (november["current_month_total"], november["current_month_reserved"]) == (100, 1000)
    assert (december["current_month_total"], december["today_total"]) == (100, 100)
    assert console.usage("2026-11")["executed"] == 100


# --- Commands


def test_execute_starts_a_pending_campaign(console: Console) -> None:
    """S1-10."""

    campaign_id = console.create()
    console.clock.shift(5)

    answer = console.send("boosts/api-execute", campaign_id)

    assert answer.status == 200
    assert answer.body["status"] == "running"
    assert answer.body["started_at"] == answer.body["updated_at"] == "2026-11-20T12:00:05.000000Z"
    assert console.waiting() == [{"campaign_id": campaign_id, "step": 1}]
    assert console.actions(campaign_id) == ["CREATED", "STARTED"]


def test_execute_resumes_a_paused_campaign_which_is_logged_as_resumed_alone(console: Console) -> None:
    """S1-10."""

    campaign_id = console.running()
    console.command("pause", campaign_id)
    console.clock.shift(60)

    answer = console.send("boosts/api-execute", campaign_id)

    assert answer.body["status"] == "running"
    assert answer.body["started_at"] == "2026-11-20T12:00:00.000000Z"
    assert console.waiting() == [{"campaign_id": campaign_id, "step": 3}]
    assert console.actions(campaign_id) == ["CREATED", "STARTED", "PAUSED", "RESUMED"]


def test_a_resume_before_the_next_step_is_due_is_woken_when_it_is(console: Console) -> None:
    campaign_id = console.running(total_count=1000, duration_days=2)
    console.work(campaign_id, 1)
    console.command("pause", campaign_id)

    console.command("execute", campaign_id)

    schedules = console.aws.client("scheduler").list_schedules(GroupName=console.aws.ref("ScheduleGroup"))["Schedules"]
    assert {schedule["Name"] for schedule in schedules} == {f"{campaign_id}-2", f"{campaign_id}-4"}
    assert console.waiting() == []


def test_pause_pauses_a_running_campaign(console: Console) -> None:
    """S1-11."""

    campaign_id = console.running()

    answer = console.send("boosts/api-pause", campaign_id)

    assert answer.status == 200
    assert answer.body["status"] == "paused"
    assert answer.body["ended_at"] is None
    assert console.usage()["allotted"] == 2500


@pytest.mark.parametrize("before", [[], ["execute"], ["execute", "pause"]])
def test_cancel_ends_a_pending_running_or_paused_campaign(console: Console, before: list[str]) -> None:
    """S1-12."""

    campaign_id = console.create()
    for verb in before:
        console.command(verb, campaign_id)
    console.clock.shift(5)

    answer = console.send("boosts/api-cancel", campaign_id)

    assert answer.status == 200
    assert answer.body["status"] == "cancelled"
    assert answer.body["ended_at"] == "2026-11-20T12:00:05.000000Z"
    assert console.usage().get("allotted", 0) == 0


@pytest.mark.parametrize(
    ("verb", "before", "message"),
    [
        ("execute", ["execute"], "Campaign cannot be executed"),
        ("execute", ["cancel"], "Campaign cannot be executed"),
        ("pause", [], "Campaign cannot be paused"),
        ("pause", ["execute", "pause"], "Campaign cannot be paused"),
        ("pause", ["cancel"], "Campaign cannot be paused"),
        ("cancel", ["cancel"], "Campaign cannot be cancelled"),
    ],
)
def test_a_command_in_a_wrong_state_is_409_in_the_sources_words_and_changes_nothing(
    console: Console, verb: str, before: list[str], message: str
) -> None:
    """S1-41."""

    campaign_id = console.create()
    for each in before:
        console.command(each, campaign_id)
    item = console.item(campaign_id)

    answer = console.send(f"boosts/api-{verb}", campaign_id)

    assert answer.refusal == (409, message.lower().replace(" ", "_"), message)
    assert console.item(campaign_id) == item


def test_a_completed_campaign_takes_no_command(console: Console) -> None:
    """S1-41."""

    campaign_id = console.running(total_count=10)
    console.work(campaign_id, 1)

    refusals = [console.send(f"boosts/api-{verb}", campaign_id).status for verb in ("execute", "pause", "cancel")]

    assert refusals == [409, 409, 409]
    assert console.get(campaign_id)["status"] == "completed"


@pytest.mark.parametrize("verb", ["execute", "pause", "cancel"])
@pytest.mark.parametrize("named_by", ["request_id", "key"])
def test_a_command_whose_answer_was_lost_is_answered_when_it_comes_again(
    console: Console, verb: str, named_by: str
) -> None:
    campaign_id = console.create()
    if verb == "pause":
        console.command("execute", campaign_id)
        console.waiting()
    before = console.actions(campaign_id)
    with answer_lost_of_the_first("transact_write_items"), pytest.raises(KeyboardInterrupt):
        console.send(f"boosts/api-{verb}", campaign_id, **{named_by: "r1"})
    lost = console.item(campaign_id)

    again = console.send(f"boosts/api-{verb}", campaign_id, **{named_by: "r1"})
    other = console.send(f"boosts/api-{verb}", campaign_id, **{named_by: "r2"})

    assert again.status == 200
    assert again.body["status"] == lost["status"]
    assert console.item(campaign_id) == lost
    assert len(console.actions(campaign_id)) == len(before) + 1
    assert other.status == 409
    # Execute died before it could send: the repeat sends.
    assert len(console.waiting()) == (1 if verb == "execute" else 0)


def test_a_create_without_a_key_is_not_attempted_again(console: Console) -> None:
    """Its answer may be lost, and refused when the SDK repeats it: another attempt would be another campaign."""
    with every_commit_repeated():
        answer = console.send("boosts/api-create", body=TERMS)

    assert answer.refusal[:2] == (503, "unavailable")
    assert len(campaigns(console)) == 1


def test_a_late_retry_is_answered_as_the_first_was_and_undoes_nothing(console: Console) -> None:
    """Executed, paused by somebody else, and then the first request comes once more."""
    campaign_id = console.create()
    first = console.send("boosts/api-execute", campaign_id, key="e1")
    console.send("boosts/api-pause", campaign_id, key="p1", subject="grace")
    paused = console.item(campaign_id)
    console.waiting()

    again = console.send("boosts/api-execute", campaign_id, key="e1")

    assert (again.status, again.body) == (200, first.body)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert console.item(campaign_id) == paused
    assert console.waiting() == []
    assert console.actions(campaign_id) == ["CREATED", "STARTED", "PAUSED"]


def test_every_command_is_answered_once_for_each_key(console: Console) -> None:
    """Each comes again after all of them, and changes nothing."""
    campaign_id = console.running(total_count=2000)
    console.work(campaign_id, 1)
    commands = [("pause", "one"), ("execute", "two"), ("pause", "three"), ("cancel", "four"), ("revert", "five")]
    bodies = {"revert": {"reason": "a test"}}
    first = [console.send(f"boosts/api-{verb}", campaign_id, key=key, body=bodies.get(verb)) for verb, key in commands]
    item = console.item(campaign_id)

    again = [console.send(f"boosts/api-{verb}", campaign_id, key=key, body=bodies.get(verb)) for verb, key in commands]

    assert [answer.status for answer in first] == [200] * 5
    assert [(answer.status, answer.body) for answer in again] == [(200, answer.body) for answer in first]
    assert console.item(campaign_id) == item


def test_a_replay_wakes_the_step_that_is_next_by_now(console: Console) -> None:
    """The first function may have died before it could."""
    campaign_id = console.create()
    console.send("boosts/api-execute", campaign_id, key="e1")
    console.command("pause", campaign_id)
    console.command("execute", campaign_id)
    console.waiting()

    console.send("boosts/api-execute", campaign_id, key="e1")

    assert console.waiting() == [{"campaign_id": campaign_id, "step": 3}]


def test_a_replay_shows_what_was_answered_whatever_the_platform_does_by_now(console: Console) -> None:
    campaign_id = console.create()
    first = console.send("boosts/api-execute", campaign_id, key="e1")
    console.send("operations/stop-stop", body={"reason": "a test"})
    console.clock.shift(60)

    again = console.send("boosts/api-execute", campaign_id, key="e1")

    assert again.body == first.body
    assert console.get(campaign_id) != first.body


@pytest.mark.parametrize("verb", ["execute", "pause", "cancel"])
def test_a_key_that_was_used_for_another_command_is_409(console: Console, verb: str) -> None:
    campaign_id = console.send("boosts/api-create", body=TERMS, key="k1").body["id"]

    answer = console.send(f"boosts/api-{verb}", campaign_id, key="k1")

    assert answer.refusal[:2] == (409, "idempotency_key_reused")
    assert console.get(campaign_id)["status"] == "pending"


def test_a_refused_command_leaves_its_key_free(console: Console) -> None:
    campaign_id = console.create()
    refused = console.send("boosts/api-pause", campaign_id, key="p1")
    console.command("execute", campaign_id)

    answer = console.send("boosts/api-pause", campaign_id, key="p1")

    assert (refused.status, answer.status, answer.body["status"]) == (409, 200, "paused")


def test_a_keyed_create_does_not_answer_with_an_id_that_is_gone(console: Console) -> None:
    """The table was restored to an earlier moment, and the requests were not emptied."""
    first = console.send("boosts/api-create", body=TERMS, key="k1")
    key = {"id": {"S": first.body["id"]}, "part": {"S": "campaign"}}
    console.aws.client("dynamodb").delete_item(TableName=console.aws.ref("BoostsTable"), Key=key)

    second = console.send("boosts/api-create", body=TERMS, key="k1")
    third = console.send("boosts/api-create", body=TERMS, key="k1")

    assert second.status == 201
    assert second.body["id"] != first.body["id"]
    assert "Idempotency-Replayed" not in second.headers
    assert (third.body, third.headers["Idempotency-Replayed"]) == (second.body, "true")


def test_a_command_that_was_rolled_back_is_carried_out_again_by_its_key(console: Console) -> None:
    campaign_id = console.create()
    console.send("boosts/api-execute", campaign_id, key="e1")
    console.aws.client("dynamodb").update_item(
        TableName=console.aws.ref("BoostsTable"),
        Key={"id": {"S": campaign_id}, "part": {"S": "campaign"}},
        UpdateExpression="SET #step = :step, #status = :status",
        ExpressionAttributeNames={"#step": "step", "#status": "status"},
        ExpressionAttributeValues={":step": {"N": "0"}, ":status": {"S": "pending"}},
    )

    second = console.send("boosts/api-execute", campaign_id, key="e1")
    third = console.send("boosts/api-execute", campaign_id, key="e1")

    assert (second.status, second.body["status"]) == (200, "running")
    assert "Idempotency-Replayed" not in second.headers
    assert third.headers["Idempotency-Replayed"] == "true"
    assert console.item(campaign_id)["step"] == 1


def test_an_answer_of_before_entities_were_stored_with_it_stands(console: Console) -> None:
    first = console.send("boosts/api-create", body=TERMS, key="k1")
    table, row = console.aws.ref("RequestsTable"), console.aws.items("RequestsTable")[0]
    console.aws.client("dynamodb").update_item(
        TableName=table,
        Key={"key": {"S": row["key"]}},
        UpdateExpression="REMOVE #entity, #version",
        ExpressionAttributeNames={"#entity": "entity", "#version": "version"},
    )

    assert console.send("boosts/api-create", body=TERMS, key="k1").body == first.body


@pytest.mark.parametrize(
    ("first", "second", "answers", "status"),
    [
        ("execute", "execute", [409, 200], "running"),
        ("execute", "cancel", [409, 200], "cancelled"),
        ("cancel", "execute", [200, 200], "cancelled"),
        ("pause", "cancel", [409, 200], "cancelled"),
        ("cancel", "pause", [200, 200], "cancelled"),
    ],
)
def test_of_two_commands_at_once_the_second_acts_on_what_the_first_left(
    console: Console, first: str, second: str, answers: list[int], status: str
) -> None:
    campaign_id = console.create() if "pause" not in (first, second) else console.running()
    sent: list[int] = []

    with before_the_first(
        "transact_write_items", lambda: sent.append(console.send(f"boosts/api-{second}", campaign_id).status)
    ):
        sent.insert(0, console.send(f"boosts/api-{first}", campaign_id).status)

    assert sent == answers
    assert console.get(campaign_id)["status"] == status
    assert console.usage().get("allotted", 0) == (2500 if status == "running" else 0)
    assert console.item(campaign_id)["audit_number"] == len(console.actions(campaign_id))


def test_a_pause_that_raced_with_a_batch_is_answered_with_the_batch_in_it(console: Console) -> None:
    """S1-27."""

    campaign_id = console.running()

    with before_the_first("transact_write_items", lambda: console.work(campaign_id, 1)):
        answer = console.send("boosts/api-pause", campaign_id)

    assert answer.body["status"] == "paused"
    assert answer.body["executed_count"] == 1000
    assert console.item(campaign_id)["promised"] == '{"2026-11": 1500}'


def test_a_campaign_that_changes_faster_than_a_command_can_is_503_with_retry_after(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = console.running()
    monkeypatch.setattr("sluice.dynamodb.Database.commit", lambda *_: False)

    answer = console.send("boosts/api-pause", campaign_id)

    assert answer.refusal == (503, "unavailable", "The campaign is changing too fast")
    assert answer.headers["Retry-After"] == "1"


# --- Caps


def test_execute_promises_the_plan_month_by_month(console: Console) -> None:
    """S1-31."""

    campaign_id = console.create(total_count=3000, duration_days=30)

    console.command("execute", campaign_id)

    assert console.usage("2026-11")["allotted"] == 1100
    assert console.usage("2026-12")["allotted"] == 1900
    assert console.send("boosts/api-limits").body["current_month_reserved"] == 1100


@pytest.mark.parametrize(("month", "needed"), [("2026-11", 1100), ("2026-12", 1900)])
def test_execute_is_refused_when_a_month_is_full_and_names_it(console: Console, month: str, needed: int) -> None:
    """S1-31."""

    campaign_id = console.create(total_count=3000, duration_days=30)
    console.put_usage(month, allotted=5_000_001 - needed)

    answer = console.send("boosts/api-execute", campaign_id)

    assert answer.refusal[:2] == (409, "monthly_cap_exceeded")
    assert f"leaves {needed - 1} views in {month}, and the campaign needs {needed}" in answer.body["message"]
    assert console.get(campaign_id)["status"] == "pending"
    assert [console.usage(each).get("allotted", 0) for each in ("2026-11", "2026-12") if each != month] == [0]
    assert console.waiting() == []


def test_execute_fits_a_month_to_the_last_view(console: Console) -> None:
    """S1-31."""

    campaign_id = console.create(total_count=2500)
    console.put_usage(allotted=5_000_000 - 2500)

    console.command("execute", campaign_id)

    assert console.usage()["allotted"] == 5_000_000
    assert console.send("boosts/api-limits").body["remaining"] == 0


def test_execute_is_refused_when_another_took_the_room_between_check_and_commit(console: Console) -> None:
    """S1-31."""

    campaign_id = console.create()
    console.put_usage(allotted=5_000_000 - 2500)

    with before_the_first("transact_write_items", lambda: console.put_usage(allotted=5_000_000 - 2499)):
        answer = console.send("boosts/api-execute", campaign_id)

    assert answer.refusal[:2] == (409, "monthly_cap_exceeded")
    assert console.usage()["allotted"] == 5_000_000 - 2499
    assert console.get(campaign_id)["status"] == "pending"


def test_of_two_that_execute_at_once_where_one_fits_one_is_refused(console: Console) -> None:
    """S1-31."""

    ids = [console.create(video_id=f"v{number}") for number in range(2)]
    console.put_usage(allotted=5_000_000 - 2500)

    with before_the_first("transact_write_items", lambda: console.command("execute", ids[1])):
        answer = console.send("boosts/api-execute", ids[0])

    assert answer.refusal[:2] == (409, "monthly_cap_exceeded")
    assert console.usage()["allotted"] == 5_000_000


def test_a_resume_into_a_full_month_is_refused_and_leaves_the_campaign_paused(console: Console) -> None:
    campaign_id = console.running()
    console.command("pause", campaign_id)
    console.clock.move_to(datetime.fromisoformat("2026-12-05T00:00:00+00:00"))
    console.put_usage("2026-12", allotted=5_000_000)
    item = console.item(campaign_id)

    answer = console.send("boosts/api-execute", campaign_id)

    assert answer.refusal[:2] == (409, "monthly_cap_exceeded")
    assert "2026-12" in answer.body["message"]
    assert console.item(campaign_id) == item
    assert console.usage("2026-11")["allotted"] == 2500


def test_a_resume_in_a_later_month_moves_the_promise_there(console: Console) -> None:
    campaign_id = console.running()
    console.command("pause", campaign_id)
    console.clock.move_to(datetime.fromisoformat("2026-12-05T00:00:00+00:00"))

    console.command("execute", campaign_id)

    assert console.usage("2026-11")["allotted"] == 0
    assert console.usage("2026-12")["allotted"] == 2500


def test_a_resume_in_the_month_of_its_promise_needs_no_room(console: Console) -> None:
    campaign_id = console.running()
    console.command("pause", campaign_id)
    console.put_usage(allotted=5_000_000)

    answer = console.send("boosts/api-execute", campaign_id)

    assert answer.body["status"] == "running"


@pytest.fixture
def lowered(console: Console, monkeypatch: pytest.MonkeyPatch) -> Console:
    """A console whose account has lower caps than what was used of them: 40,000 a day, 300,000 a month."""
    for function in ("BoostsApiFunction", "BoostsWorkerFunction"):
        variables = console.aws.resources[function]["Properties"]["Environment"]["Variables"]
        monkeypatch.setitem(variables, "MAX_PER_DAY", "40000")
        monkeypatch.setitem(variables, "GLOBAL_MONTHLY_CAP", "300000")
    return console


def test_caps_lowered_below_what_is_used_leave_nothing(lowered: Console) -> None:
    """S1-13."""

    lowered.put_usage(allotted=400_000, executed=350_000, d20=50_000)

    answer = lowered.send("boosts/api-limits")

    assert answer.body["global_monthly_cap"] == 300_000
    assert answer.body["current_month_total"] == 350_000
    assert (answer.body["remaining"], answer.body["today_remaining"]) == (0, 0)


def test_caps_lowered_below_what_is_used_refuse_an_execute(lowered: Console) -> None:
    """S1-31."""

    campaign_id = lowered.create()
    lowered.put_usage(allotted=400_000, executed=350_000, d20=50_000)

    answer = lowered.send("boosts/api-execute", campaign_id)

    assert answer.refusal[:2] == (409, "monthly_cap_exceeded")
    assert "leaves 0 views in 2026-11" in answer.body["message"]


@pytest.mark.parametrize(
    ("executed", "today", "waits_for"), [(350_000, 0, "monthly_cap"), (250_000, 50_000, "daily_cap")]
)
def test_caps_lowered_below_what_is_used_stop_a_campaign_that_runs(
    lowered: Console, executed: int, today: int, waits_for: str
) -> None:
    """S1-31."""

    campaign_id = lowered.running()
    lowered.put_usage(allotted=executed + 2500, executed=executed, d20=today)

    lowered.work(campaign_id, 1)

    assert lowered.get(campaign_id)["progress"]["waiting_for"] == waits_for
    assert lowered.usage()["executed"] == executed
    assert lowered.aws.items("TotalsTable") == []


def test_caps_lowered_below_what_is_used_do_not_stop_a_cancel(lowered: Console) -> None:
    campaign_id = lowered.running()
    lowered.put_usage(allotted=400_000, executed=350_000, d20=50_000)

    lowered.command("cancel", campaign_id)

    assert lowered.usage()["allotted"] == 397_500


# --- Who may


ROUTES = ("create", "list", "limits", "get", "execute", "pause", "cancel")


@pytest.mark.parametrize("role", ["user", "service"])
def test_a_role_too_low_is_403_at_every_route(console: Console, role: str) -> None:
    """S1-53."""

    campaign_id = console.create()

    answers = [console.send(f"boosts/api-{route}", campaign_id, role=role) for route in ROUTES]

    refusal = (403, "forbidden", f"This route needs the role operator; yours is {role}")
    assert [answer.refusal for answer in answers] == [refusal] * 7
    assert console.get(campaign_id)["status"] == "pending"
    assert len(campaigns(console)) == 1


def test_an_operator_may_do_all_of_it(console: Console) -> None:
    campaign_id = console.create()

    statuses = [console.send(f"boosts/api-{route}", campaign_id, role="operator").status for route in ROUTES]

    assert statuses == [201, 200, 200, 200, 200, 200, 200]


# --- Progress


def progress(console: Console, campaign_id: str) -> tuple[Any, ...]:
    found = console.get(campaign_id)["progress"]
    times = [found[name] and found[name].removesuffix(".000000Z") for name in ("next_batch_at", "expected_end_at")]
    return found["percent"], found["batches_done"], found["views_per_second"], found["waiting_for"], *times


def test_progress_is_exact_at_every_moment_of_a_day(console: Console) -> None:
    """S1-28."""

    campaign_id = console.create()
    pending = progress(console, campaign_id)
    console.clock.shift(10)
    console.command("execute", campaign_id)
    started = progress(console, campaign_id)
    console.clock.shift(2)
    late = progress(console, campaign_id)
    console.work(campaign_id, 1)
    after_one = progress(console, campaign_id)
    console.clock.shift(1)
    console.work(campaign_id, 2)
    after_two = progress(console, campaign_id)
    console.clock.shift(1)
    console.command("pause", campaign_id)
    console.clock.shift(3600)
    paused = progress(console, campaign_id)
    console.command("execute", campaign_id)
    resumed = progress(console, campaign_id)
    console.clock.shift(1)
    console.work(campaign_id, 5)
    completed = progress(console, campaign_id)
    console.clock.shift(3600)

    assert pending == (0.0, 0, None, None, None, None)
    assert started == (0.0, 0, None, "next_batch", "2026-11-20T12:00:10", "2026-11-20T12:00:12")
    assert late == (0.0, 0, 0.0, "next_batch", "2026-11-20T12:00:10", "2026-11-20T12:00:14")
    assert after_one == (40.0, 1, 500.0, "next_batch", "2026-11-20T12:00:13", "2026-11-20T12:00:14")
    assert after_two == (80.0, 2, 666.667, "next_batch", "2026-11-20T12:00:14", "2026-11-20T12:00:14")
    assert paused == (80.0, 2, 500.0, None, None, None)
    assert resumed == (80.0, 2, 500.0, "next_batch", "2026-11-20T13:00:14", "2026-11-20T13:00:14")
    assert completed == (100.0, 3, 500.0, None, None, None)
    assert progress(console, campaign_id) == completed


def test_progress_of_many_days_tells_the_last_batch_of_the_last_day(console: Console) -> None:
    """S1-28."""

    campaign_id = console.running(total_count=7500, duration_days=3)
    started = progress(console, campaign_id)
    for step in (1, 2, 3):
        console.work(campaign_id, step)
        console.clock.shift(1)

    done_for_today = progress(console, campaign_id)

    assert started[3:] == ("next_batch", "2026-11-20T12:00:00", "2026-11-22T00:00:02")
    assert done_for_today == (33.33, 3, 833.333, "next_day", "2026-11-21T00:00:00", "2026-11-22T00:00:02")


def test_a_campaign_on_its_last_day_before_midnight_ends_after_midnight(console: Console) -> None:
    campaign_id = console.running(total_count=2000, duration_days=2, daily_limit=1500)
    console.work(campaign_id, 1)

    waiting = progress(console, campaign_id)

    assert waiting == (50.0, 1, None, "next_day", "2026-11-21T00:00:00", "2026-11-21T00:00:00")


@pytest.mark.parametrize(
    ("usage", "waits_for", "until"),
    [
        ({"allotted": 102_500, "executed": 100_000, "d20": 100_000}, "daily_cap", "2026-11-21T00:00:00"),
        ({"allotted": 5_000_000, "executed": 5_000_000, "d20": 0}, "monthly_cap", "2026-12-01T00:00:00"),
    ],
)
def test_a_campaign_that_a_cap_stops_says_so_and_until_when(
    console: Console, usage: dict[str, int], waits_for: str, until: str
) -> None:
    """S1-28."""

    campaign_id = console.running()
    console.put_usage(**usage)

    console.work(campaign_id, 1)

    stopped = progress(console, campaign_id)
    assert stopped[:2] == (0.0, 0)
    assert stopped[3:5] == (waits_for, until)
    assert stopped[5] == until[:-2] + "02"


def test_executed_and_remaining_make_the_total_in_every_answer(console: Console) -> None:
    """S1-34."""

    campaign_id = console.create(total_count=3333)
    seen = [console.get(campaign_id), console.command("execute", campaign_id)]

    for step in (1, 2, 3, 4):
        console.work(campaign_id, step)
        seen += [console.get(campaign_id), console.send("boosts/api-list", query={}).body["items"][0]]
        console.clock.shift(1)

    assert all(each["executed_count"] + each["remaining_count"] == 3333 for each in seen)
    assert seen[-1]["status"] == Status.COMPLETED


# --- What the tests above are made of


def campaigns(console: Console) -> list[dict[str, Any]]:
    return [item for item in console.aws.items("BoostsTable") if item["kind"] == "campaign"]


def some_campaigns(console: Console, number: int) -> list[str]:
    """Ids of campaigns made one second after another, in turn of the videos v0 and v1; oldest first."""
    ids = []
    for each in range(number):
        console.clock.shift(1)
        ids.append(console.create(video_id=f"v{each % 2}"))
    return ids


def pages_of(console: Console, query: dict[str, Any], limit: int, cursor: str | None = None) -> list[list[str]]:
    """The ids on each page of a list."""
    pages = []
    while True:
        more = {"cursor": cursor} if cursor else {}
        answer = console.send("boosts/api-list", query={"limit": limit} | query | more)
        assert answer.status == 200, answer.body
        pages.append([each["id"] for each in answer.body["items"]])
        cursor = answer.body["next_cursor"]
        if cursor is None:
            return pages
        assert len(pages) < 100


def all_read_before_any_writes(acts: list[Callable[[], Any]]) -> None:
    """Runs each act in the middle of the one before, when that is about to write: the last to read writes first.

    One by one, because moto does not isolate transactions of threads as DynamoDB does. Each has a stack of its own.
    """
    left = list(acts)
    real = Connection.transact_write_items

    def run_the_next() -> None:
        thread = Thread(target=left.pop())
        thread.start()
        thread.join()

    def transact_write_items(self: Connection, *args: Any, **kwargs: Any) -> Any:
        if left:
            run_the_next()
        return real(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Connection, "transact_write_items", transact_write_items)
        run_the_next()


# --- A queue that cannot be reached


@pytest.mark.parametrize("file", ["boosts/api-execute", "boosts/api-create"])
def test_a_command_whose_wake_fails_is_done_and_answered_so_and_left_to_the_sweeper(
    console: Console, file: str
) -> None:
    campaign_id = console.create()
    console.aws.client("sqs").delete_queue(QueueUrl=console.aws.ref("BoostsQueue"))

    body = TERMS | {"scheduled_for": "2026-11-20T12:01:00Z"} if file == "boosts/api-create" else None
    answer = console.send(file, campaign_id, body=body)

    assert answer.status == (201 if body else 200)
    assert console.get(answer.body["id"])["status"] == ("scheduled" if body else "running")


def test_a_list_looks_at_the_platform_once_however_many_campaigns_it_has(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        console.running()
    looks: list[bool] = []
    look = Store.is_stopped
    monkeypatch.setattr(Store, "is_stopped", lambda store: looks.append(True) or look(store))

    answer = console.send("boosts/api-list", query={})

    assert len(answer.body["items"]) == 3
    assert looks == [True]
