"""Webhooks, from the bus to a receiver that checks them by the library `standardwebhooks` (S1-62)."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from hooks import commands
from hooks.endpoint import MOST
from sluice.clock import rfc3339
from tests.account import Account
from tests.factories import NOON
from tests.integration.console import (
    after_the_first,
    answer_lost_of_the_first,
    before_the_first,
    every_commit_repeated,
    throttled,
)
from tests.integration.harness import Functions, an_event
from tests.integration.hooks_world import EXAMPLE, Hooked, hooked


@pytest.fixture
def world(aws: Account, functions: Functions) -> Iterator[Hooked]:
    with hooked(aws, functions) as world:
        yield world


def test_an_event_is_delivered_once_and_its_signature_holds(world: Hooked) -> None:
    """S1-62."""
    hook = world.create()

    world.tell()
    world.work()
    world.work()

    [(headers, body)] = world.receiver.requests
    told = Webhook(hook["secret"]).verify(body, headers)
    assert told["type"] == "boost.completed"
    assert [each["status"] for each in world.deliveries(hook["id"])] == ["delivered"]


def test_an_event_that_comes_twice_is_delivered_once(world: Hooked) -> None:
    world.create()

    world.tell()
    world.tell()
    world.work()
    world.work()

    assert len(world.receiver.requests) == 1


def test_a_failed_attempt_is_made_again_with_equal_id_and_bytes(world: Hooked) -> None:
    hook = world.create()
    world.receiver.status = 500
    world.tell()
    world.work()
    world.receiver.status = 200
    world.clock.shift(10)

    world.work()

    first, second = world.receiver.requests
    assert first[1] == second[1]
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    assert first[0]["webhook-timestamp"] != second[0]["webhook-timestamp"]
    assert [each["status"] for each in world.deliveries(hook["id"])] == ["delivered"]


def test_each_attempt_is_signed_at_its_own_time(world: Hooked) -> None:
    """A receiver refuses what is older than five minutes, as the library does."""
    hook = world.create()
    library = Webhook(hook["secret"])
    world.receiver.status = 500
    world.tell()
    [made] = world.deliveries(hook["id"])

    for _ in range(4):
        world.go_on(made["id"])
        headers, body = world.receiver.requests[-1]
        assert library.verify(body, headers)["type"] == "boost.completed"

    with pytest.raises(WebhookVerificationError):
        library.verify(world.receiver.requests[0][1], world.receiver.requests[0][0])


def test_two_secrets_sign_during_a_rotation(world: Hooked) -> None:
    hook = world.create()
    rotated = world.hook("rotate", hook["id"], body={"overlap_hours": 1})
    world.tell()

    world.work()

    [(headers, body)] = world.receiver.requests
    assert hook["secret"] != rotated["secret"]
    assert Webhook(hook["secret"]).verify(body, headers) == Webhook(rotated["secret"]).verify(body, headers)


def test_a_stored_answer_has_no_secret_and_its_repeat_has_the_same(world: Hooked) -> None:
    body = {"url": world.receiver.url}

    first = world.hook("create", status=201, body=body, key="once")
    again = world.hook("create", status=201, body=body, key="once")

    assert first["secret"] == again["secret"]
    assert first["secret"] not in str(world.aws.items("RequestsTable"))
    assert first["secret"] not in str(world.aws.items("HooksTable"))


def test_a_test_takes_the_way_of_all_events(world: Hooked) -> None:
    hook = world.create("boost.created")

    world.hook("sendtest", hook["id"], status=202)
    world.relay()
    world.work()

    [(headers, body)] = world.receiver.requests
    assert Webhook(hook["secret"]).verify(body, headers)["type"] == "hook.test"


def test_an_address_that_is_not_public_is_refused(world: Hooked) -> None:
    answer = world.request("hooks/api-create", body={"url": "https://[::ffff:169.254.169.254]/"})

    assert (answer.status, answer.fields) == (400, ["url"])


def test_the_repeat_of_a_keyed_request_tests_once(world: Hooked) -> None:
    hook = world.create("boost.created")

    for _ in range(2):
        world.hook("sendtest", hook["id"], status=202, key="once")
    world.relay()
    world.relay_again()
    world.work()

    assert len(world.receiver.requests) == 1
    assert world.actions(hook["id"]) == ["HOOK_CREATED", "HOOK_TESTED"]


def test_a_test_whose_answer_was_lost_is_sent_once_and_audited(world: Hooked) -> None:
    """Entry and event are in one transaction: whoever dies, both are there or none is."""
    hook = world.create("boost.created")

    with answer_lost_of_the_first("transact_write_items"), pytest.raises(KeyboardInterrupt):
        world.hook("sendtest", hook["id"], status=202, key="once")
    world.hook("sendtest", hook["id"], status=202, key="once")
    world.relay()
    world.work()

    assert len(world.receiver.requests) == 1
    assert world.actions(hook["id"]) == ["HOOK_CREATED", "HOOK_TESTED"]


def test_nothing_is_sent_of_a_test_that_was_not_audited(world: Hooked) -> None:
    hook = world.create("boost.created")

    with before_the_first("transact_write_items", throttled):
        world.request("hooks/api-sendtest", (EXAMPLE, hook["id"]))
    world.relay()
    world.work()

    assert world.receiver.requests == []
    assert world.actions(hook["id"]) == ["HOOK_CREATED"]


def test_a_replay_of_a_range_is_audited_with_its_range(world: Hooked) -> None:
    hook = world.create()
    body = {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z", "status": "failed"}

    world.hook("replayrange", hook["id"], status=202, body=body)

    after = json.loads(str(world.entries(hook["id"])[-1]["after"]))
    assert (after["from"], after["to"], after["replayed"]) == (
        "2026-11-01T00:00:00.000000Z",
        "2026-12-01T00:00:00.000000Z",
        "failed",
    )
    assert world.verified(hook["id"])["valid"]


@pytest.mark.parametrize("file", ["sendtest", "replayrange"])
def test_a_disabled_endpoint_is_neither_tested_nor_replayed(file: str, world: Hooked) -> None:
    hook = world.create()
    world.hook("edit", hook["id"], body={"status": "disabled"})

    refused = world.hook(file, hook["id"], status=409)

    assert refused["code"] == "hook_disabled"


def test_there_are_no_more_than_fifty_endpoints(world: Hooked) -> None:
    hooks = [world.create() for _ in range(MOST - 1)]
    body = {"url": world.receiver.url}

    with before_the_first("transact_write_items", world.create):
        refused = world.request("hooks/api-create", body=body, key="one-more")

    assert (refused.status, refused.body["code"]) == (409, "too_many_hooks")
    assert len(world.hook("page")["items"]) == MOST
    world.hook("delete", hooks[0]["id"])
    world.create()
    assert world.request("hooks/api-create", body=body).status == 409


def test_the_masters_in_use_are_named(world: Hooked) -> None:
    first = world.create()
    secret, name = world.aws.client("secretsmanager"), world.aws.ref("HooksSecret")
    masters = json.loads(world.aws.secret("HooksSecret"))
    try:
        secret.put_secret_value(SecretId=name, SecretString=json.dumps(masters | {"2": "n" * 64}))
        world.clock.shift(timedelta(minutes=2))
        second = world.create()
        assert (first["master"], second["master"]) == (1, 2)
        assert world.hook("page")["masters_in_use"] == [1, 2]

        world.hook("rotate", first["id"], body={"overlap_hours": 1})

        assert world.hook("page")["masters_in_use"] == [1, 2], "the old secret still signs"
        world.clock.shift(timedelta(hours=1))
        assert world.hook("page")["masters_in_use"] == [2]
    finally:
        secret.put_secret_value(SecretId=name, SecretString=json.dumps(masters))


def test_a_new_master_signs_at_once(world: Hooked) -> None:
    """Though the worker has read the masters a moment before it came."""
    world.create("boost.completed")
    secret, name = world.aws.client("secretsmanager"), world.aws.ref("HooksSecret")
    masters = json.loads(world.aws.secret("HooksSecret"))
    world.clock.shift(timedelta(minutes=2))
    world.tell()
    world.work()
    try:
        secret.put_secret_value(SecretId=name, SecretString=json.dumps(masters | {"2": "n" * 64}))
        new = world.create("boost.created")
        assert new["master"] == 2
        world.tell("BoostCreated", "evt_01KAJ3W5V0SM0FKVYVXB9EQT6P")

        world.work()
    finally:
        secret.put_secret_value(SecretId=name, SecretString=json.dumps(masters))

    [_, (headers, body)] = world.receiver.requests
    assert Webhook(new["secret"]).verify(body, headers)["type"] == "boost.created"


def test_without_its_master_nothing_is_claimed_and_the_message_comes_again(world: Hooked) -> None:
    """So a dead letter tells, and no attempt is lost."""
    made = world.a_delivery()
    secret, name = world.aws.client("secretsmanager"), world.aws.ref("HooksSecret")
    masters = json.loads(world.aws.secret("HooksSecret"))
    try:
        secret.put_secret_value(SecretId=name, SecretString=json.dumps({"2": "n" * 64}))
        assert not world.hand_over("hooks/worker-steps", world.step_of(made))
    finally:
        secret.put_secret_value(SecretId=name, SecretString=json.dumps(masters))
    world.clock.shift(timedelta(minutes=2))

    found = world.go_on(made)

    assert (found["status"], found["attempts"]) == ("delivered", 1)


def test_a_secret_is_shown_by_create_and_rotate_alone(world: Hooked) -> None:
    hook = world.create()
    rotated = world.hook("rotate", hook["id"], body={}, key="once")
    again = world.hook("rotate", hook["id"], body={}, key="once")

    shown = [world.hook("get", hook["id"]), world.hook("page"), world.hook("edit", hook["id"], body={})]

    assert rotated["secret"] == again["secret"] != hook["secret"]
    assert "whsec_" not in str([*shown, world.aws.items("RequestsTable"), world.aws.items("AuditTable")])


def test_a_repeat_after_two_more_rotations_shows_no_secret(world: Hooked) -> None:
    """The endpoint has forgotten which master it was made of."""
    body = {"url": world.receiver.url}
    hook = world.hook("create", status=201, body=body, key="once")
    for _ in range(2):
        world.hook("rotate", hook["id"], body={})

    assert world.hook("create", status=201, body=body, key="once")["secret"] is None


def test_a_repeat_shows_no_secret_whose_master_may_be_gone(world: Hooked) -> None:
    """It signs no more, so `masters_in_use` does not name its master."""
    body = {"url": world.receiver.url}
    hook = world.hook("create", status=201, body=body, key="once")
    secret, name = world.aws.client("secretsmanager"), world.aws.ref("HooksSecret")
    masters = json.loads(world.aws.secret("HooksSecret"))
    try:
        secret.put_secret_value(SecretId=name, SecretString=json.dumps({"2": "n" * 64}))
        world.clock.shift(timedelta(minutes=2))
        world.hook("rotate", hook["id"], body={"overlap_hours": 0})
        assert world.hook("page")["masters_in_use"] == [2]

        assert world.hook("create", status=201, body=body, key="once")["secret"] is None
    finally:
        secret.put_secret_value(SecretId=name, SecretString=json.dumps(masters))


def test_a_change_that_changes_nothing_leaves_no_entry(world: Hooked) -> None:
    hook = world.create()

    world.hook("edit", hook["id"], body={"url": world.receiver.url})

    assert world.actions(hook["id"]) == ["HOOK_CREATED"]


def test_an_endpoint_that_is_disabled_by_hand_says_so(world: Hooked) -> None:
    hook = world.create()

    found = world.hook("edit", hook["id"], body={"status": "disabled", "description": "moves on Friday"})
    world.hook("edit", hook["id"], body={"status": "disabled"})

    assert (found["status"], found["disabled_reason"], found["description"]) == (
        "disabled",
        "by hand",
        "moves on Friday",
    )
    assert world.actions(hook["id"]) == ["HOOK_CREATED", "HOOK_DISABLED"]


def test_a_description_can_be_cleared_and_is_one_line(world: Hooked) -> None:
    hook = world.hook("create", status=201, body={"url": world.receiver.url, "description": "the shop"})

    cleared = world.hook("edit", hook["id"], body={"description": ""})
    refused = [
        world.request("hooks/api-edit", (EXAMPLE, hook["id"]), body={"description": text})
        for text in ("two\nlines", "\n", " ", "x" * 201)
    ]

    assert (cleared["description"], world.hook("get", hook["id"])["description"]) == ("", "")
    assert [(answer.status, answer.fields) for answer in refused] == [(400, ["description"])] * 4
    assert refused[-1].body["message"] == "description: String should have at most 200 characters"


def test_an_event_of_an_endpoint_says_why_it_is_disabled(world: Hooked) -> None:
    hook = world.create()
    world.hook("edit", hook["id"], body={"status": "disabled"})
    world.hook("enable", hook["id"])

    rows = {str(row["name"]): json.loads(str(row["data"])) for row in world.aws.items("OutboxTable")}

    about = {"id": hook["id"]}
    assert rows == {
        "HookCreated": about | {"status": "enabled"},
        "HookDisabled": about | {"status": "disabled", "reason": "by hand"},
        "HookEnabled": about | {"status": "enabled"},
    }


def test_a_create_without_a_key_is_not_attempted_again(world: Hooked) -> None:
    """Its answer may be lost, and refused when the SDK repeats it: another attempt would be another endpoint."""
    with every_commit_repeated():
        answer = world.request("hooks/api-create", body={"url": world.receiver.url})

    assert (answer.status, answer.body["code"]) == (503, "unavailable")
    assert len(world.hook("page")["items"]) == 1


def test_the_id_of_something_else_is_no_endpoints(world: Hooked) -> None:
    """Items of one table: a delivery's has the same sort key."""
    made = world.a_delivery()

    for each in (made, "hooks", "x" * 3000):
        assert world.hook("get", each, status=404)["code"] == "hook_not_found"
        assert world.hook("rotate", each, status=404, body={})["code"] == "hook_not_found"


@pytest.mark.parametrize(("file", "action"), [("rotate", "HOOK_ROTATED"), ("delete", "HOOK_DELETED")])
def test_a_copy_of_a_request_that_commits_meanwhile_is_all_that_is_done(file: str, action: str, world: Hooked) -> None:
    """Without a key: one request of the gateway that runs twice at once."""
    hook = world.create()

    def ask() -> None:
        world.hook(file, hook["id"], request_id="one")

    with after_the_first("batch_get_item", ask):
        ask()

    assert world.actions(hook["id"]) == ["HOOK_CREATED", action]


def test_an_id_that_is_drawn_twice_makes_no_second_endpoint(world: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "new_id", lambda *_: EXAMPLE)
    first = world.create()

    answer = world.request("hooks/api-create", body={"url": f"{world.receiver.url}/other"})

    assert answer.status == 503
    assert [each["url"] for each in world.hook("page")["items"]] == [first["url"]]
    assert world.actions(EXAMPLE) == ["HOOK_CREATED"]


@pytest.mark.parametrize("status", ["enabled", "deleted", "gone"])
def test_a_change_can_only_disable(status: str, world: Hooked) -> None:
    hook = world.create()

    answer = world.request("hooks/api-edit", (EXAMPLE, hook["id"]), body={"status": status})

    assert (answer.status, answer.fields) == (400, ["status"])


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ("boost.complete", "there is no boost.complete: did you mean boost.completed?"),
        ("*", "there is no *"),
        ("", "there is no empty one"),
        ("\x1b[2J", "there is no ?[2J"),
    ],
)
def test_an_endpoint_for_events_that_never_come_is_refused(event: str, says: str, world: Hooked) -> None:
    answer = world.request("hooks/api-create", body={"url": world.receiver.url, "events": ["boost.*", event]})

    assert (answer.status, answer.fields) == (400, ["events"])
    assert answer.body["message"] == f"events must be types such as boost.completed, or boost.*, and {says}"


@pytest.mark.parametrize("status", ["sending", "dropped", "all"])
def test_a_range_of_what_cannot_be_replayed_is_refused(status: str, world: Hooked) -> None:
    hook = world.create()
    body = {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z", "status": status}

    answer = world.request("hooks/api-replayrange", (EXAMPLE, hook["id"]), body=body)

    assert (answer.status, answer.fields) == (400, ["status"])


@pytest.mark.parametrize(
    ("begin", "end", "fields"),
    [
        ("2026-11-01T00:00:00Z", "2026-11-02T00:00:00", ["to"]),
        ("2026-11-01", "2026-11-02", ["from", "to"]),
        ("0001-01-01T00:00:00Z", "2026-11-02T00:00:00Z", ["from"]),
        ("0001-01-01T00:00:00+09:00", "9999-12-31T23:59:59-09:00", ["from", "to"]),
        ("1969-12-31T23:59:59.999Z", "2026-11-02T00:00:00Z", ["from"]),
        ("2026-11-02T00:00:00Z", "2026-11-02T00:00:00Z", ["to"]),
    ],
)
def test_a_range_that_has_no_ids_is_refused(begin: str, end: str, fields: list[str], world: Hooked) -> None:
    """Its message would end among the dead letters."""
    hook = world.create()

    answer = world.request("hooks/api-replayrange", (EXAMPLE, hook["id"]), body={"from": begin, "to": end})

    assert (answer.status, answer.fields) == (400, fields)
    assert world.actions(hook["id"]) == ["HOOK_CREATED"]


def test_a_range_is_given_by_its_documented_names_alone(world: Hooked) -> None:
    hook = world.create()
    body = {"begin": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z"}

    answer = world.request("hooks/api-replayrange", (EXAMPLE, hook["id"]), body=body)

    assert (answer.status, sorted(answer.fields)) == (400, ["begin", "end", "from", "to"])


def test_the_longest_range_replays_all_that_is_in_it(world: Hooked) -> None:
    hook = world.create()
    body = {"from": "1970-01-01T00:00:00Z", "to": "9999-12-31T23:59:59.999999Z", "status": "delivered"}
    world.tell()
    world.work()

    world.hook("replayrange", hook["id"], status=202, body=body)
    world.relay()
    world.work()

    assert len(world.receiver.requests) == 2


def test_a_deleted_endpoint_is_gone_and_its_audit_chain_holds(world: Hooked) -> None:
    hook = world.create()
    world.hook("delete", hook["id"], request_id="one")

    assert world.hook("delete", hook["id"], request_id="one")["status"] == "deleted"
    assert world.hook("get", hook["id"], status=404)["code"] == "hook_not_found"
    assert world.hook("page")["items"] == []
    assert [each["part"] for each in world.aws.items("HooksTable") if each["id"] == "hooks"] == ["count"]
    assert world.verified(hook["id"])["valid"]


def test_times_are_written_as_in_every_other_answer(world: Hooked) -> None:
    hook = world.create("boost.*")

    assert hook["created_at"] == rfc3339(NOON)
    assert world.hook("get", hook["id"])["updated_at"] == rfc3339(NOON)


def test_a_large_event_is_sent_as_its_id(world: Hooked) -> None:
    hook = world.create()
    body = json.loads(an_event("hooks/fanout-events")["Records"][0]["body"])
    body["detail"]["data"] = {"videos": ["v" * 100] * 300}
    assert world.hand_over("hooks/fanout-events", body)

    world.work()

    [(headers, sent)] = world.receiver.requests
    assert Webhook(hook["secret"]).verify(sent, headers)["data"] == {"id": body["detail"]["id"], "truncated": True}


def test_a_viewer_of_the_operators_reads_and_changes_nothing(world: Hooked) -> None:
    hook = world.create()

    assert world.hook("get", hook["id"], role="operator")["id"] == hook["id"]
    for file in ("create", "edit", "delete", "rotate", "enable", "sendtest", "replayrange", "replay"):
        assert world.request(f"hooks/api-{file}", (EXAMPLE, hook["id"]), role="operator").status == 403


def test_a_test_of_an_endpoint_that_takes_its_own_events_is_a_delivery_of_its_own(world: Hooked) -> None:
    hook = world.create("hook.tested")

    world.hook("sendtest", hook["id"], status=202)
    world.relay()
    world.work()

    assert {each["event_type"] for each in world.deliveries(hook["id"])} == {"hook.tested", "hook.test"}
    assert len({headers["webhook-id"] for headers, _ in world.receiver.requests}) == 2
