"""Redrives, on their event file: a dead letter may come twice and is never lost, and each redrive leaves an entry."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
import time_machine
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from operations.chains import QUEUES
from operations.dead_letters import MOST
from tests.account import Account
from tests.factories import NOON
from tests.integration.console import Console, before_the_first
from tests.integration.harness import Answer, Functions

REDRIVE = "operations/redrive-redrive"
STOPPED = (409, "stopped", "The platform is stopped: dead letters stay where they are until it is resumed")


@pytest.fixture
def console(aws: Account, functions: Functions) -> Iterator[Console]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Console(aws, functions, clock)


@pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.name)
def test_the_dead_letters_of_each_queue_go_back_to_it_and_to_no_other(console: Console, queue: Any) -> None:
    bury(console, "a", "b", queue=queue.logical_name)

    answer = redrive(console, queue.name)

    assert (answer.status, answer.body) == (200, {"queue": queue.name, "moved": 2, "left": 0})
    assert bodies(console, f"{queue.logical_name}Queue") == ["a", "b"]
    assert bodies(console, f"{queue.logical_name}DeadLetters") == []


def test_where_there_is_no_dead_letter_nothing_moves_and_no_entry_is_left(console: Console) -> None:
    answer = redrive(console)

    assert (answer.status, answer.body) == (200, {"queue": "boosts", "moved": 0, "left": 0})
    assert console.entries() == []
    assert console.verified("redrives")["valid"]


def test_a_message_keeps_its_attributes(console: Console) -> None:
    attributes = {"kind": {"StringValue": "odd", "DataType": "String"}}
    sqs, dead_letters = console.aws.client("sqs"), console.aws.ref("BoostsDeadLetters")
    sqs.send_message(QueueUrl=dead_letters, MessageBody="a", MessageAttributes=attributes)

    redrive(console)

    answer = sqs.receive_message(QueueUrl=console.aws.ref("BoostsQueue"), MessageAttributeNames=["All"])
    assert [message["MessageAttributes"] for message in answer["Messages"]] == [attributes]


def test_a_call_moves_a_hundred_and_says_how_many_are_left(console: Console) -> None:
    bury(console, *map(str, range(MOST + 5)))

    first, second, third = (redrive(console).body for _ in range(3))

    assert (first["moved"], first["left"]) == (100, 5)
    assert (second["moved"], second["left"]) == (5, 0)
    assert (third["moved"], third["left"]) == (0, 0)
    assert sorted(bodies(console, "BoostsQueue"), key=int) == [str(number) for number in range(MOST + 5)]


def test_a_message_that_sqs_delivers_twice_in_a_call_moves_once(console: Console) -> None:
    bury(console, "a")
    real = BaseClient._make_api_call
    received: list[Any] = []

    def twice(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
        if operation != "ReceiveMessage":
            return real(client, operation, arguments)
        answer = real(client, operation, arguments)
        received.append(answer)
        return received[0] if len(received) == 2 else answer

    with patch.object(BaseClient, "_make_api_call", twice):
        answer = redrive(console)

    assert (answer.body["moved"], bodies(console, "BoostsQueue")) == (1, ["a"])
    assert len(received) == 3


def test_a_crash_between_send_and_delete_leaves_the_message_twice_and_loses_none(console: Console) -> None:
    bury(console, "a", "b", "c")

    with pytest.raises(KeyboardInterrupt), at_the(2, "DeleteMessage", KeyboardInterrupt()):
        redrive(console)
    held = redrive(console)
    console.clock.shift(timedelta(minutes=2))
    again = redrive(console)

    # What the call that crashed had received is out of sight for a minute, and is counted.
    assert (held.body["moved"], held.body["left"]) == (0, 2)
    assert (again.body["moved"], again.body["left"]) == (2, 0)
    assert sorted(bodies(console, "BoostsQueue")) == ["a", "b", "b", "c"]


@pytest.mark.parametrize("operation", ["SendMessage", "DeleteMessage"])
def test_what_sqs_refuses_stays_a_dead_letter_and_is_not_called_moved(console: Console, operation: str) -> None:
    bury(console, "a", "b", "c")
    busy = ClientError({"Error": {"Code": "RequestThrottled", "Message": "slow down"}}, operation)

    with at_the(2, operation, busy):
        refused = redrive(console)
    console.clock.shift(timedelta(minutes=2))
    again = redrive(console)

    message = "Not all dead letters were put back: SQS answered RequestThrottled. Retry in a minute"
    assert (refused.status, refused.body["message"], refused.headers["Retry-After"]) == (503, message, "60")
    assert again.body["moved"] == 2
    assert sorted(set(bodies(console, "BoostsQueue"))) == ["a", "b", "c"]


@pytest.mark.parametrize("operation", ["ReceiveMessage", "GetQueueAttributes"])
def test_dead_letters_that_cannot_be_read_are_unavailable_and_leave_no_entry(console: Console, operation: str) -> None:
    bury(console, "a")
    busy = ClientError({"Error": {"Code": "RequestThrottled", "Message": "slow down"}}, operation)

    with at_the(1, operation, busy):
        answer = redrive(console)

    assert (answer.status, answer.body["code"]) == (503, "unavailable")
    assert console.entries() == []


def test_nothing_moves_while_the_platform_is_stopped(console: Console) -> None:
    bury(console, "a")
    console.turn("stop")

    refused = redrive(console)
    console.turn("resume")
    moved = redrive(console)

    assert refused.refusal == STOPPED
    # At once: what is refused was not received, or it would be out of sight for a minute.
    assert moved.body["moved"] == 1


def test_nothing_moves_after_a_stop_that_came_in_between_was_answered(console: Console) -> None:
    bury(console, "a")

    with before_the_first("transact_write_items", lambda: console.turn("stop")):
        refused = redrive(console)

    assert refused.refusal == STOPPED
    assert bodies(console, "BoostsQueue") == []
    assert console.actions("redrives") == []


def test_each_redrive_leaves_an_entry_in_a_chain_that_verifies(console: Console) -> None:
    bury(console, "a", "b")
    redrive(console, subject="grace")
    bury(console, "c", queue="ViewsImports")
    redrive(console, "views_imports")

    listed = console.send("operations/audit-list", query={"entity": "redrives"}).body["items"]

    assert [(each["number"], each["action"], each["actor"], each["after"]) for each in reversed(listed)] == [
        (1, "DEAD_LETTERS_REDRIVEN", "grace", {"queue": "boosts", "messages": 2}),
        (2, "DEAD_LETTERS_REDRIVEN", "ada", {"queue": "views_imports", "messages": 1}),
    ]
    verified = {"entity": "redrives", "valid": True, "entries": 2, "problem": None, "rolled_back": []}
    assert console.verified("redrives") == verified


def test_no_message_moves_before_its_entry_is_written(console: Console) -> None:
    bury(console, "a")
    seen: list[list[str]] = []
    real = BaseClient._make_api_call

    def watched(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
        if operation == "SendMessage":
            seen.append(console.actions("redrives"))
        return real(client, operation, arguments)

    with patch.object(BaseClient, "_make_api_call", watched):
        redrive(console)

    assert seen == [["DEAD_LETTERS_REDRIVEN"]]


def test_of_two_redrives_at_once_both_move_what_they_received_and_leave_an_entry(console: Console) -> None:
    bury(console, "a", *map(str, range(MOST)))
    others: list[Answer] = []

    with before_the_first("transact_write_items", lambda: others.append(redrive(console, subject="grace"))):
        answer = redrive(console)

    assert (answer.body["moved"], others[0].body["moved"]) == (100, 1)
    assert [entry["actor"] for entry in console.entries("redrives")] == ["grace", "ada"]
    assert len(bodies(console, "BoostsQueue")) == MOST + 1
    assert console.verified("redrives")["valid"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "queue"),
        ({"queue": "outbox"}, "queue"),
        ({"queue": ""}, "queue"),
        ({"queue": None}, "queue"),
        ({"queue": ["boosts"]}, "queue"),
        ({"queue": "boosts", "most": 5}, "most"),
    ],
)
def test_a_body_without_one_queue_that_there_is_is_refused(console: Console, body: Any, field: str) -> None:
    answer = console.send(REDRIVE, body=body)

    assert (answer.status, answer.fields) == (400, [field])


def test_an_unknown_queue_is_answered_with_those_that_there_are(console: Console) -> None:
    answer = redrive(console, "outbox")

    assert answer.body["message"] == "There is no such queue: give one of " + ", ".join(each.name for each in QUEUES)


@pytest.mark.parametrize("role", ["user", "service", "operator"])
def test_only_an_admin_puts_dead_letters_back(console: Console, role: str) -> None:
    answer = console.send(REDRIVE, role=role)

    assert (answer.status, answer.body["code"]) == (403, "forbidden")


def bury(console: Console, *found: str, queue: str = "Boosts") -> None:
    """Put messages among a queue's dead letters."""
    sqs, url = console.aws.client("sqs"), console.aws.ref(f"{queue}DeadLetters")
    for body in found:
        sqs.send_message(QueueUrl=url, MessageBody=body)


def redrive(console: Console, queue: str = "boosts", **more: Any) -> Answer:
    return console.send(REDRIVE, body={"queue": queue}, **more)


def bodies(console: Console, queue: str) -> list[str]:
    return console.take(queue)


def at_the(number: int, operation: str, error: BaseException) -> Any:
    """Let the n-th call of an operation fail, without an effect."""
    real = BaseClient._make_api_call
    calls: list[str] = []

    def failing(client: Any, name: str, arguments: dict[str, Any]) -> Any:
        if name == operation:
            calls.append(name)
            if len(calls) == number:
                raise error
        return real(client, name, arguments)

    return patch.object(BaseClient, "_make_api_call", failing)
