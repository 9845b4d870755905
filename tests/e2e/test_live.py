"""Live hints on the embedded stack, over a real WebSocket (S5-49)."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.deadlines import PATIENCE
from tests.deployed import StackUnderTest
from tests.e2e.test_boosts import Boosts, eventually

LIVE = "/api/admin/live"

type Opened = Callable[..., ClientConnection]


def a_ticket(stack: StackUnderTest, subject: str = "ada") -> tuple[str, str]:
    """The address that a new ticket opens, and the ticket."""
    with stack.http("operator", subject) as http:
        answer = http.post(LIVE)
    assert answer.status_code == 201, answer.text
    return f"{answer.json()['url']}?ticket={answer.json()['ticket']}", str(answer.json()["ticket"])


def topics_of(stack: StackUnderTest, subject: str) -> set[str]:
    """What the connections of someone watch, as the table has it."""
    rows = stack.table("LiveTable").scan(ConsistentRead=True)["Items"]
    connections = {each["id"] for each in rows if each["part"] == "connection" and each["subject"] == subject}
    return {
        each["id"].removeprefix("topic#")
        for each in rows
        if each["id"].startswith("topic#") and f"connection#{each['part']}" in connections
    }


@pytest.fixture
def opened(stack: StackUnderTest) -> Iterator[Opened]:
    """Opens a socket that watches topics, and waits until they are watched."""
    with ExitStack() as closing:

        def socket(*topics: str) -> ClientConnection:
            subject = f"watcher-{uuid4().hex[:8]}"
            address, _ = a_ticket(stack, subject)
            connection = closing.enter_context(connect(address, open_timeout=PATIENCE, proxy=None))
            connection.send(json.dumps({"action": "watch", "topics": topics}))
            eventually(lambda: topics_of(stack, subject), lambda seen: seen == set(topics))
            return connection

        yield socket


def heard(socket: ClientConnection, topic: str) -> dict[str, Any]:
    """The next hint of a topic."""
    while (hint := json.loads(socket.recv(timeout=PATIENCE)))["topic"] != topic:
        assert hint["type"] == "changed"
    found: dict[str, Any] = hint
    return found


def test_every_change_of_a_boost_is_hinted_and_nothing_is_said_of_it(opened: Opened, admin: httpx.Client) -> None:
    """S5-49."""
    boosts = Boosts(admin)
    campaign = boosts.create()["id"]
    socket = opened("boosts", campaign)

    hints = []
    for command, status in (("execute", "completed"), ("revert", "reverted")):
        why = {"reason": "It was a test"} if command == "revert" else None
        boosts.http.post(f"/api/admin/fake-views/{campaign}/{command}", json=why).raise_for_status()
        while True:
            hints.append(heard(socket, campaign))
            if boosts.get(campaign)["status"] == status:
                break

    assert all(each.keys() == {"type", "topic", "at"} for each in hints)


def test_who_watches_one_boost_hears_of_no_other(opened: Opened, operator: httpx.Client) -> None:
    boosts = Boosts(operator)
    watched, other = boosts.create()["id"], boosts.create()["id"]
    one, all_of_them = opened(watched), opened("boosts")

    boosts.http.post(f"/api/admin/fake-views/{other}/execute").raise_for_status()
    boosts.until_completed(other)
    heard(all_of_them, "boosts")
    boosts.http.post(f"/api/admin/fake-views/{watched}/execute").raise_for_status()

    assert json.loads(one.recv(timeout=PATIENCE))["topic"] == watched


def test_a_stop_is_hinted(opened: Opened, stopping: httpx.Client) -> None:
    socket = opened("platform")

    stopping.post("/api/admin/stop", json={"reason": "Something looks wrong"}).raise_for_status()

    heard(socket, "platform")
    assert stopping.get("/api/admin/stop").json()["status"] == "stopped"


def test_a_ticket_opens_one_socket_and_nothing_else_opens_any(stack: StackUnderTest) -> None:
    """A bearer token, which lives for hours, opens none: it has no place in an address."""
    address, ticket = a_ticket(stack)
    base = address.partition("?")[0]
    with connect(address, open_timeout=PATIENCE, proxy=None):
        pass

    for refused in (address, base, f"{base}?ticket={'x' * len(ticket)}", f"{base}?ticket={stack.token('admin')}"):
        with pytest.raises(InvalidStatus):
            connect(refused, open_timeout=PATIENCE, proxy=None)


def test_a_socket_that_is_closed_is_forgotten(stack: StackUnderTest) -> None:
    subject = f"watcher-{uuid4().hex[:8]}"
    with connect(a_ticket(stack, subject)[0], open_timeout=PATIENCE, proxy=None) as socket:
        socket.send(json.dumps({"action": "watch", "topics": ["boosts"]}))
        eventually(lambda: topics_of(stack, subject), lambda seen: seen == {"boosts"})

    eventually(lambda: topics_of(stack, subject), lambda seen: seen == set())
