"""A delivery, whatever comes between: commands, copies of messages, workers that die, receivers that fail."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hooks import commands, fanning
from hooks.backoff import DELAYS
from tests.account import Account
from tests.factories import NOON
from tests.integration.console import after_the_first, before_the_first
from tests.integration.harness import Functions
from tests.integration.hooks_world import EVENT, Hooked, hooked

OTHER = "evt_01KAJ3W5V0SM0FKVYVXB9EQT6P"


@pytest.fixture
def world(aws: Account, functions: Functions) -> Iterator[Hooked]:
    with hooked(aws, functions) as world:
        yield world


def disable(world: Hooked, hook_id: str) -> None:
    world.hook("edit", hook_id, body={"status": "disabled"})


def delete(world: Hooked, hook_id: str) -> None:
    world.hook("delete", hook_id)


def stop(world: Hooked, _hook_id: str) -> None:
    world.turn("stop")


ANSWERED = pytest.mark.parametrize(
    ("command", "status"),
    [(disable, "held"), (delete, "dropped"), (stop, "waiting")],
    ids=["disable", "delete", "stop"],
)


@ANSWERED
def test_nothing_is_posted_when_a_command_was_answered_before_the_fence_was_read(
    command: Callable[[Hooked, str], None], status: str, world: Hooked
) -> None:
    """S1-62. The claim is committed, and its worker reads the fence when the command is answered."""
    hook = world.create()
    world.tell()
    [made] = world.deliveries(hook["id"])

    with after_the_first("transact_write_items", lambda: command(world, hook["id"])):
        world.work()

    assert world.receiver.requests == []
    [item] = [each for each in world.aws.items("HooksTable") if (each["id"], each["part"]) == (made["id"], "campaign")]
    assert (item["status"], int(item["attempts"])) == (status, 0)


@ANSWERED
def test_what_is_past_its_fence_goes_out_once_and_nothing_more_does(
    command: Callable[[Hooked, str], None], status: str, world: Hooked
) -> None:
    hook = world.create()
    world.receiver.status = 500
    world.tell()

    with world.posting(before=lambda: command(world, hook["id"])):
        world.work()
    for _ in range(3):
        world.clock.shift(timedelta(minutes=10))
        world.work()

    assert len(world.receiver.requests) == 1
    [found] = [each for each in world.aws.items("HooksTable") if each["id"].startswith("dlv_") and "step" in each]
    assert found["status"] == status


def test_a_stopped_platform_sends_nothing_and_sends_it_when_it_is_resumed(world: Hooked) -> None:
    made = world.a_delivery()
    world.turn("stop")
    world.work()
    assert world.receiver.requests == []
    world.turn("resume")
    world.clock.shift(timedelta(minutes=2))

    world.work()

    assert [headers["webhook-id"] for headers, _ in world.receiver.requests] == [EVENT]
    assert [each["number"] for each in world.delivery(made)["log"]] == [1]


def test_copies_of_its_messages_make_no_second_chain(world: Hooked) -> None:
    made = world.a_delivery()
    first = world.step_of(made)
    world.tell()
    world.tell()

    for each in [first, *world.steps("HooksQueue"), first]:
        assert world.hand_over("hooks/worker-steps", each)
    world.work()
    world.work()

    assert len(world.receiver.requests) == 1
    assert [each["number"] for each in world.delivery(made)["log"]] == [1]


def test_a_step_that_comes_again_while_it_runs_posts_nothing(world: Hooked) -> None:
    made = world.a_delivery()
    [first] = world.steps("HooksQueue")

    with world.posting(before=lambda: world.hand_over("hooks/worker-steps", first)):
        assert world.hand_over("hooks/worker-steps", first)

    assert len(world.receiver.requests) == 1
    assert world.delivery(made)["status"] == "delivered"


def test_a_late_step_of_a_delivered_one_posts_nothing(world: Hooked) -> None:
    made = world.a_delivery()
    world.work()
    late = [{"campaign_id": made, "step": step} for step in range(6)]

    for each in late:
        assert world.hand_over("hooks/worker-steps", each)
    world.tell()
    world.work()

    assert len(world.receiver.requests) == 1


def test_a_worker_that_dies_after_its_request_is_followed_by_one_with_equal_id_and_bytes(world: Hooked) -> None:
    """Nobody knows what it did, so it is done again: at least once."""
    made = world.a_delivery()
    [first] = world.steps("HooksQueue")

    def die() -> None:
        raise KeyboardInterrupt

    with world.posting(after=die), pytest.raises(KeyboardInterrupt):
        world.hand_over("hooks/worker-steps", first, message_id="first")
    assert world.hand_over("hooks/worker-steps", first, message_id="first")
    assert len(world.receiver.requests) == 1, "nothing goes out while it may be alive"
    world.go_on(made)
    found = world.go_on(made)

    one, two = world.receiver.requests
    assert (one[0]["webhook-id"], one[1]) == (two[0]["webhook-id"], two[1])
    assert found["status"] == "delivered"
    assert [(each["number"], each["outcome"]) for each in found["log"]] == [(2, "204"), (1, "unknown")]


def test_a_record_that_comes_too_late_changes_nothing(world: Hooked) -> None:
    """Its worker was frozen until its claim was judged: the log has one outcome for each attempt."""
    made = world.a_delivery()
    [first] = world.steps("HooksQueue")
    world.receiver.status = 500

    with world.posting(after=lambda: world.go_on(made)):
        assert world.hand_over("hooks/worker-steps", first)

    assert [(each["number"], each["outcome"]) for each in world.delivery(made)["log"]] == [(1, "unknown")]


def test_a_worker_that_was_frozen_before_its_fence_changes_nothing(world: Hooked) -> None:
    """What it would put back is another's claim by then, or another's wait."""
    made = world.a_delivery()
    [first] = world.steps("HooksQueue")
    judged: list[Any] = []

    with after_the_first("transact_write_items", lambda: judged.append(world.go_on(made))):
        assert world.hand_over("hooks/worker-steps", first)

    assert world.receiver.requests == []
    assert judged == [world.delivery(made)]


def test_a_claim_that_was_not_sent_counts_to_no_ten_and_leaves_no_number(world: Hooked) -> None:
    made = world.a_delivery()
    for _ in range(12):
        with after_the_first("transact_write_items", lambda: world.turn("stop")):
            world.work()
        world.turn("resume")
        world.clock.shift(timedelta(minutes=2))
    world.receiver.status = 500

    world.work()

    found = world.delivery(made)
    assert len(world.receiver.requests) == 1
    assert (found["status"], [each["number"] for each in found["log"]]) == ("waiting", [1])


def test_a_claim_whose_time_is_over_is_put_back(world: Hooked) -> None:
    """The function was frozen between its commit and its request."""
    made = world.a_delivery()

    with after_the_first("transact_write_items", lambda: world.clock.shift(timedelta(seconds=16))):
        [first] = world.steps("HooksQueue")
        world.hand_over("hooks/worker-steps", first)

    found = world.delivery(made)
    assert (found["status"], found["attempts"], world.receiver.requests) == ("waiting", 0, [])
    assert world.go_on(made)["status"] == "delivered"


def test_nothing_leaves_when_a_connection_took_too_long(world: Hooked) -> None:
    """Its request could end after the claim is judged, beside the next attempt."""
    made = world.a_delivery()

    with world.posting(before=lambda: world.clock.shift(timedelta(seconds=16))):
        world.work()

    assert world.receiver.requests == []
    assert [each["outcome"] for each in world.delivery(made)["log"]] == ["timeout"]


def test_an_error_of_ours_is_tried_again_and_is_no_failure_of_the_endpoints(world: Hooked) -> None:
    made = world.a_delivery()

    def fail() -> None:
        raise RuntimeError

    with world.posting(before=fail):
        found = world.go_on(made)

    assert [each["outcome"] for each in world.delivery(made)["log"]] == ["unknown"]
    assert world.hook("get", found["hook_id"])["failing_since"] is None
    assert world.go_on(made)["status"] == "delivered"


def test_a_delivery_without_an_end_is_given_up_and_can_be_replayed(world: Hooked) -> None:
    made = world.a_delivery()
    use_up_steps(world, made)

    found = world.go_on(made)

    assert (found["status"], found["log"], world.receiver.requests) == ("failed", [], [])
    world.replay(made, found["hook_id"], body={})
    world.work()
    assert len(world.receiver.requests) == 1


def use_up_steps(world: Hooked, delivery_id: str) -> None:
    world.aws.client("dynamodb").update_item(
        TableName=world.aws.ref("HooksTable"),
        Key={"id": {"S": delivery_id}, "part": {"S": "campaign"}},
        UpdateExpression="SET steps_done = :done",
        ExpressionAttributeValues={":done": {"N": "2000"}},
    )


def test_after_ten_attempts_it_failed_and_each_had_its_own_time(world: Hooked) -> None:
    made = world.a_delivery()
    world.receiver.status = 500
    world.receiver.text = b"no\x1b[31m" + b"x" * 5000

    for _ in DELAYS:
        found = world.go_on(made)

    assert found["status"] == "failed"
    assert [each["number"] for each in found["log"]] == list(range(10, 0, -1))
    assert len({headers["webhook-timestamp"] for headers, _ in world.receiver.requests}) == 10
    assert len({(headers["webhook-id"], body) for headers, body in world.receiver.requests}) == 1
    excerpt = found["log"][0]["excerpt"]
    assert excerpt.isprintable()
    assert len(excerpt) == 512


def test_a_receiver_that_redirects_failed_and_nobody_follows(world: Hooked) -> None:
    made = world.a_delivery()
    world.receiver.status = 307
    world.receiver.headers = {"Location": world.receiver.url}

    found = world.go_on(made)

    assert len(world.receiver.requests) == 1
    assert (found["status"], found["log"][0]["outcome"]) == ("waiting", "307")


@pytest.mark.parametrize("status", [200, 202, 206, 299])
def test_each_answer_of_2xx_is_the_end_of_it(status: int, world: Hooked) -> None:
    made = world.a_delivery()
    world.receiver.status = status

    found = world.go_on(made)

    assert (found["status"], found["wake_at"], found["log"][0]["outcome"]) == ("delivered", None, str(status))


@pytest.mark.parametrize("status", [304, 400, 401, 404, 408, 409, 422, 451, 500, 501])
def test_each_other_answer_is_tried_again(status: int, world: Hooked) -> None:
    """Also 4xx: a deployment of the receiver that went wrong is put right again."""
    made = world.a_delivery()
    world.receiver.status = status

    found = world.go_on(made)
    world.receiver.status = 204
    again = world.go_on(made)

    assert (found["status"], found["log"][0]["outcome"]) == ("waiting", str(status))
    assert again["status"] == "delivered"


def test_what_ended_is_kept_for_thirty_days_and_what_has_not_for_as_long_as_it_takes(world: Hooked) -> None:
    hook = world.create()
    world.tell()
    [made] = world.deliveries(hook["id"])
    world.receiver.status = 500
    world.go_on(made["id"])
    live = world.kept_until(made["id"])
    world.receiver.status = 204

    world.go_on(made["id"])

    kept = int((world.clock_time + timedelta(days=30)).timestamp())
    first = int((NOON + timedelta(days=30)).timestamp())
    assert live == {"campaign": None, "attempt#001": first}
    assert world.kept_until(made["id"]) == {"campaign": kept, "attempt#001": first, "attempt#002": kept}


@pytest.mark.parametrize(
    ("status", "asked", "waits"),
    [
        (503, "3600", 3600),
        (429, "3600", 3600),
        (503, "99999999", 86_400),
        (503, "1", 5),
        (503, "soon", 5),
        (500, "3600", 5),
    ],
)
def test_a_busy_receiver_is_left_for_as_long_as_it_asks_but_for_a_day(
    status: int, asked: str, waits: int, world: Hooked
) -> None:
    made = world.a_delivery()
    world.receiver.status, world.receiver.headers = status, {"Retry-After": asked}

    found = world.go_on(made)

    item = world.delivery(made)
    wait = datetime.fromisoformat(item["wake_at"]) - world.clock_time
    assert timedelta(seconds=waits) <= wait <= timedelta(seconds=max(waits, 6))
    assert found["status"] == "waiting"


def test_410_disables_at_once_and_the_delivery_is_held(world: Hooked) -> None:
    made = world.a_delivery()
    world.receiver.status = 410

    world.go_on(made)
    found = world.go_on(made)

    hook = world.hook("get", found["hook_id"])
    assert (hook["status"], hook["disabled_reason"], found["status"]) == ("disabled", "gone", "held")
    assert hook["failing_since"]
    assert hook["next_probe_at"] is None
    assert len(world.receiver.requests) == 1


@pytest.mark.parametrize(("command", "entry"), [(disable, "HOOK_DISABLED"), (delete, "HOOK_DELETED")])
def test_a_410_changes_nothing_of_an_endpoint_that_gets_nothing_more(
    command: Callable[[Hooked, str], None], entry: str, world: Hooked
) -> None:
    made = world.a_delivery()
    hook_id = world.delivery(made)["hook_id"]
    world.receiver.status = 410

    with world.posting(after=lambda: command(world, hook_id)):
        world.work()

    assert world.actions(hook_id) == ["HOOK_CREATED", entry]
    [item] = [each for each in world.aws.items("HooksTable") if (each["id"], each["part"]) == (hook_id, "campaign")]
    assert item.get("disabled_reason") in (None, "by hand")


def test_a_delivery_causes_no_event_and_no_audit_entry(world: Hooked) -> None:
    hook = world.create("hook.*", "boost.*")
    before = world.aws.items("OutboxTable"), world.aws.items("AuditTable")
    world.receiver.status = 500
    world.tell()

    world.work()
    world.receiver.status = 200
    world.clock.shift(timedelta(seconds=10))
    world.work()

    assert [each["status"] for each in world.deliveries(hook["id"])] == ["delivered"]
    assert (world.aws.items("OutboxTable"), world.aws.items("AuditTable")) == before


def test_events_of_endpoints_go_to_those_that_name_them(world: Hooked) -> None:
    """By `hook.*`, never because an endpoint takes all: a delivery would cause a delivery."""
    all_but = world.create()
    named = world.create("hook.*")
    boosts = world.create("boost.*")

    world.tell("HookDisabled")
    world.tell("message:sent", OTHER)

    assert world.deliveries(all_but["id"]) == world.deliveries(boosts["id"]) == []
    assert [each["event_type"] for each in world.deliveries(named["id"])] == ["hook.disabled"]


def test_what_came_while_disabled_is_held_and_arrives_after_enable_with_its_first_id(world: Hooked) -> None:
    """S1-62."""
    hook = world.create()
    disable(world, hook["id"])
    world.tell()
    world.tell("BoostCreated", OTHER, at=world.clock_time)
    world.work()
    assert world.receiver.requests == []

    assert world.hook("enable", hook["id"])["held"] == 2
    replay_all(world, hook["id"], "held")
    world.work()

    assert {headers["webhook-id"] for headers, _ in world.receiver.requests} == {EVENT, OTHER}
    assert {each["status"] for each in world.deliveries(hook["id"])} == {"delivered"}
    disable(world, hook["id"])
    assert world.hook("enable", hook["id"])["held"] == 0


def test_what_comes_while_it_is_enabled_again_is_not_held(world: Hooked) -> None:
    """The fan-out read the endpoint before, and commits after the answer: nobody would replay it."""
    hook = world.create()
    disable(world, hook["id"])

    with before_the_first("transact_write_items", lambda: world.hook("enable", hook["id"])):
        world.tell()
    world.work()

    assert len(world.receiver.requests) == 1


def test_what_comes_while_a_disabled_endpoint_is_deleted_is_not_made_and_its_message_is_done(world: Hooked) -> None:
    hook = world.create()
    disable(world, hook["id"])

    with before_the_first("transact_write_items", lambda: delete(world, hook["id"])):
        world.tell()

    assert [each for each in world.aws.items("HooksTable") if each["id"].startswith("dlv_")] == []


def test_a_step_does_not_hold_what_was_enabled_meanwhile(world: Hooked) -> None:
    hook = world.create()
    world.tell()
    disable(world, hook["id"])

    with before_the_first("transact_write_items", lambda: world.hook("enable", hook["id"])):
        world.work()

    assert len(world.receiver.requests) == 1


def test_an_attempt_is_made_at_once_when_its_endpoint_is_enabled_before_it_is_held(world: Hooked) -> None:
    """It is disabled when the worker reads its fence: the claim would be an attempt that the log calls `unknown`."""
    made = world.a_delivery()
    hook_id = world.delivery(made)["hook_id"]

    with ExitStack() as stack:

        def disable_for_a_moment() -> None:
            disable(world, hook_id)
            enable = before_the_first("transact_write_items", lambda: world.hook("enable", hook_id))
            stack.enter_context(enable)

        stack.enter_context(after_the_first("transact_write_items", disable_for_a_moment))
        world.work()

    assert len(world.receiver.requests) == 1
    assert [(each["number"], each["outcome"]) for each in world.delivery(made)["log"]] == [(1, "204")]


def test_while_the_last_attempt_failed_others_wait_for_the_next(world: Hooked) -> None:
    first = world.a_delivery()
    world.receiver.status = 500
    world.go_on(first)
    world.clock.shift(timedelta(seconds=6))
    due = world.go_on(first)["wake_at"]
    world.tell("BoostCreated", OTHER, at=world.clock_time)
    second = world.deliveries(world.delivery(first)["hook_id"])[0]["id"]

    waiting = world.go_on(second)

    assert len(world.receiver.requests) == 2
    assert (waiting["status"], waiting["wake_at"], waiting["attempts"]) == ("waiting", due, 0)
    world.receiver.status = 200
    assert world.go_on(second)["status"] == world.go_on(first)["status"] == "delivered"


def test_an_endpoint_that_fails_for_five_days_is_disabled(world: Hooked) -> None:
    """All attempts failed, and the first and the last failing delivery are twelve hours apart."""
    first = world.a_delivery()
    hook_id = world.delivery(first)["hook_id"]
    world.receiver.status = 500
    for _ in DELAYS:
        world.go_on(first)
    assert world.hook("get", hook_id)["status"] == "enabled"
    world.clock.move_to(NOON + timedelta(days=5, seconds=1))
    world.tell("BoostCreated", OTHER, at=world.clock_time)
    last = world.deliveries(hook_id)[0]["id"]

    world.go_on(last)

    hook = world.hook("get", hook_id)
    assert (hook["status"], hook["disabled_reason"]) == ("disabled", "failing")
    assert world.actions(hook_id) == ["HOOK_CREATED", "HOOK_DISABLED"]
    assert world.verified(hook_id)["valid"]


def moved(world: Hooked, hook_id: str) -> None:
    world.hook("edit", hook_id, body={"url": world.receiver.url + "/new"})


def enabled_again(world: Hooked, hook_id: str) -> None:
    disable(world, hook_id)
    world.hook("enable", hook_id)


@pytest.mark.parametrize("repaired", [moved, enabled_again])
def test_an_attempt_of_before_its_repair_does_not_disable_it(
    repaired: Callable[[Hooked, str], None], world: Hooked
) -> None:
    """It failed for five days, and its last attempt is under way when an admin repairs it."""
    first = world.a_delivery()
    hook_id = world.delivery(first)["hook_id"]
    world.receiver.status = 500
    world.go_on(first)
    world.clock.move_to(NOON + timedelta(days=5, seconds=1))
    world.tell("BoostCreated", OTHER, at=world.clock_time)
    last = world.deliveries(hook_id)[0]["id"]

    with world.posting(after=lambda: repaired(world, hook_id)):
        world.go_on(last)

    assert len(world.receiver.requests) == 2
    hook = world.hook("get", hook_id)
    assert (hook["status"], hook["failing_since"]) == ("enabled", None)


def test_a_410_of_where_it_was_does_not_disable_where_it_is(world: Hooked) -> None:
    made = world.a_delivery()
    hook_id = world.delivery(made)["hook_id"]
    world.receiver.status = 410

    with world.posting(after=lambda: moved(world, hook_id)):
        world.go_on(made)

    assert world.hook("get", hook_id)["status"] == "enabled"
    world.receiver.status = 204
    assert world.go_on(made)["status"] == "delivered"


def test_one_success_within_the_five_days_keeps_it(world: Hooked) -> None:
    first = world.a_delivery()
    hook_id = world.delivery(first)["hook_id"]
    world.receiver.status = 500
    world.go_on(first)
    world.receiver.status = 200
    world.go_on(first)
    world.receiver.status = 500
    world.clock.move_to(NOON + timedelta(days=6))
    world.tell("BoostCreated", OTHER, at=world.clock_time)

    world.go_on(world.deliveries(hook_id)[0]["id"])

    assert world.hook("get", hook_id)["status"] == "enabled"


def test_a_delivered_one_is_sent_again_only_for_one_who_says_so(world: Hooked) -> None:
    made = world.a_delivery()
    world.work()
    hook_id = world.delivery(made)["hook_id"]

    refused = world.replay(made, hook_id, body={}, status=409)
    world.work()

    assert refused["code"] == "already_delivered"
    assert len(world.receiver.requests) == 1
    world.replay(made, hook_id, body={"again": True}, request_id="again")
    world.replay(made, hook_id, body={"again": True}, request_id="again")
    world.work()
    world.work()
    assert len(world.receiver.requests) == 2
    assert [each["number"] for each in world.delivery(made)["log"]] == [2, 1]


def replay_all(world: Hooked, hook_id: str, status: str) -> None:
    body = {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z", "status": status}
    world.hook("replayrange", hook_id, status=202, body=body)
    world.relay()


def five_held(world: Hooked) -> str:
    """An endpoint that was disabled while five events came."""
    hook = world.create()
    disable(world, hook["id"])
    for number in range(5):
        world.tell(event_id=f"evt_01KAJ3W5V0SM0FKVYVXB9EQT{number:02}", at=NOON + timedelta(seconds=number))
    world.hook("enable", hook["id"])
    return str(hook["id"])


@pytest.mark.parametrize("is_range", [False, True], ids=["one", "range"])
def test_what_is_under_way_is_not_replayed(is_range: bool, world: Hooked) -> None:
    """It would be two attempts at once."""
    made = world.a_delivery()
    hook_id = world.delivery(made)["hook_id"]

    def replay() -> None:
        if is_range:
            replay_all(world, hook_id, "waiting")
        else:
            world.replay(made, hook_id, body={"again": True})

    with world.posting(before=replay):
        world.work()
    world.work()

    assert len(world.receiver.requests) == 1
    assert [(each["number"], each["outcome"]) for each in world.delivery(made)["log"]] == [(1, "204")]


def test_what_waits_for_a_receiver_that_works_again_goes_when_it_is_replayed(world: Hooked) -> None:
    """A test tells that it works; without one, all would wait for hours yet."""
    made = world.a_delivery()
    hook_id = world.delivery(made)["hook_id"]
    world.receiver.status = 500
    for _ in range(6):
        world.go_on(made)
    world.receiver.status = 200
    replay_all(world, hook_id, "waiting")
    world.work()
    assert len(world.receiver.requests) == 6, "it fails, as far as anybody knows"

    world.hook("sendtest", hook_id, status=202)
    world.relay()
    world.work()
    replay_all(world, hook_id, "waiting")
    world.work()

    found = world.delivery(made)
    assert (found["status"], [each["number"] for each in found["log"]]) == ("delivered", [7, 6, 5, 4, 3, 2, 1])


def expiry_of(world: Hooked, item_id: str, part: str) -> datetime | None:
    """When DynamoDB forgets an item; None if it never does."""
    [item] = [each for each in world.aws.items("HooksTable") if (each["id"], each["part"]) == (item_id, part)]
    return datetime.fromtimestamp(int(str(item["expires_at"])), UTC) if "expires_at" in item else None


def test_a_delivery_is_kept_for_thirty_days_after_its_end_and_never_forgotten_before(world: Hooked) -> None:
    """Its row in the list outlasts it."""
    made = world.a_delivery()
    hook_id = world.delivery(made)["hook_id"]
    assert expiry_of(world, made, "campaign") is None
    world.work()
    assert expiry_of(world, made, "campaign") == expiry_of(world, made, "attempt#001") == NOON + timedelta(days=30)
    world.clock.move_to(NOON + timedelta(days=29))

    world.replay(made, hook_id, body={"again": True})

    assert expiry_of(world, made, "campaign") is None
    world.work()
    listed = expiry_of(world, f"deliveries#{hook_id}", made)
    assert expiry_of(world, made, "campaign") == NOON + timedelta(days=59)
    assert listed is not None
    assert listed > NOON + timedelta(days=59 + 4)


def test_what_is_held_is_forgotten_after_thirty_days_and_not_counted(world: Hooked) -> None:
    """DynamoDB takes a day or two to delete it."""
    hook_id = five_held(world)
    world.clock.move_to(NOON + timedelta(days=30) - timedelta(seconds=1))
    assert world.hook("get", hook_id)["held"] == 5

    world.clock.move_to(NOON + timedelta(days=30))

    assert world.hook("get", hook_id)["held"] == 0
    [held, *_] = [each["part"] for each in world.aws.items("HooksTable") if each["id"] == f"held#{hook_id}"]
    assert expiry_of(world, f"held#{hook_id}", held) == expiry_of(world, held, "campaign") == NOON + timedelta(days=30)


def test_a_copy_of_a_message_wakes_what_the_first_one_did_not(world: Hooked) -> None:
    """The fan-out died between its commit and its send, at an event and at a replay."""
    made = world.a_delivery()
    world.take("HooksQueue")
    world.tell()
    assert world.work() == 1
    replay_all(world, world.delivery(made)["hook_id"], "delivered")
    world.take("HooksQueue")

    world.relay_again()

    assert world.work() == 1
    assert len(world.receiver.requests) == 2


def test_deliveries_in_a_status_are_found_page_by_page(world: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page looks at so many, however few of them are in the status."""
    monkeypatch.setattr(commands, "_PAGE", 2)
    monkeypatch.setattr(commands, "_MOST_PAGES", 1)
    hook_id = five_held(world)
    replay_all(world, hook_id, "held")
    [oldest, *_] = reversed(world.deliveries(hook_id))
    world.receiver.status = 500
    world.go_on(oldest["id"])

    def pages(status: str) -> list[list[str]]:
        found, cursor = [], None
        while True:
            query = {"status": status, "limit": 3} | ({"cursor": cursor} if cursor else {})
            page = world.hook("deliveries", hook_id, query=query)
            found.append([each["status"] for each in page["items"]])
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    assert pages("waiting") == [["waiting"] * 2, ["waiting"] * 2, ["waiting"]]
    assert pages("failed") == [[], [], []]
    world.hook("edit", hook_id, body={"status": "disabled"})
    for each in world.deliveries(hook_id):
        world.go_on(each["id"])
    assert pages("held") == [["held"] * 3, ["held"] * 2]


def test_a_range_is_replayed_in_pages_up_to_its_most(world: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanning, "_AT_ONCE", 2)
    monkeypatch.setattr(commands, "MOST_REPLAYED", 3)
    hook_id = five_held(world)

    replay_all(world, hook_id, "held")

    statuses = [each["status"] for each in world.deliveries(hook_id)]
    assert sorted(statuses) == ["held"] * 2 + ["waiting"] * 3


def test_what_is_held_is_counted_and_replayed_over_short_pages(world: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB answers a query with a mebibyte at most, however many are asked for."""
    hook_id = five_held(world)
    dynamo = world.aws.dynamo
    assert dynamo is not None
    real, queries = dynamo.call, []

    def call(operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if operation == "Query":
            queries.append(arguments)
            arguments = arguments | {"Limit": min(arguments.get("Limit", 2), 2)}
        return real(operation, arguments)

    monkeypatch.setattr(dynamo, "call", call)

    counted = world.hook("get", hook_id)["held"], world.hook("enable", hook_id)["held"]
    replay_all(world, hook_id, "held")

    assert counted == (5, 5)
    assert len(queries) > 6
    assert [each["status"] for each in world.deliveries(hook_id)] == ["waiting"] * 5
    assert world.hook("get", hook_id)["held"] == 0


def test_the_last_one_of_a_replay_is_looked_for_in_whole_pages(world: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    """One at a time, a million others before it would be a million messages."""
    monkeypatch.setattr(fanning, "_AT_ONCE", 5)
    monkeypatch.setattr(commands, "MOST_REPLAYED", 1)
    hook_id = five_held(world)
    newest, *others = world.deliveries(hook_id)
    for each in others:
        world.replay(each["id"], hook_id, body={})
    world.work()
    asked: list[list[Any]] = []
    real = world.take
    monkeypatch.setattr(world, "take", lambda queue: asked.append(real(queue)) or asked[-1])

    replay_all(world, hook_id, "held")

    assert world.delivery(newest["id"])["status"] == "waiting"
    assert asked == [[]], "one message was enough"


def test_a_copy_of_a_replays_message_passes_what_it_replayed_by(world: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanning, "_AT_ONCE", 2)
    monkeypatch.setattr(commands, "MOST_REPLAYED", 3)
    hook_id = five_held(world)
    replay_all(world, hook_id, "held")
    world.work()
    assert len(world.receiver.requests) == 3

    world.relay_again()
    world.work()

    assert len(world.receiver.requests) == 3
    assert sorted(each["status"] for each in world.deliveries(hook_id)) == ["delivered"] * 3 + ["held"] * 2


def test_a_range_replays_what_is_in_it_alone(world: Hooked) -> None:
    hook_id = five_held(world)

    body = {"from": "2026-11-20T12:00:01Z", "to": "2026-11-20T12:00:03Z", "status": "held"}
    world.hook("replayrange", hook_id, status=202, body=body)
    world.relay()

    waiting = [each["event_at"] for each in world.deliveries(hook_id) if each["status"] == "waiting"]
    assert waiting == ["2026-11-20T12:00:02.000000Z", "2026-11-20T12:00:01.000000Z"]
