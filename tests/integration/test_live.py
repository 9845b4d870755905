"""Live hints on their event files: tickets, connections, and who is told of what (S5-49)."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from operations import connections, live_notifier, live_socket
from operations.connections import Connections
from operations.live import MOST_CONNECTIONS, TICKET_SECONDS, topics_of
from operations.live_notifier import Notifier
from sluice.errors import Unavailable
from tests.account import Account
from tests.factories import NOON
from tests.integration.console import Console
from tests.integration.harness import Answer, Functions, an_event

TICKET = "operations/live_api-create"
CONNECT, DISCONNECT, SAY = (f"operations/live_socket-{each}" for each in ("connect", "disconnect", "default"))
BOOST = "bst_01KAJ3W5V0SM0FKVYVXB9EQT6N"


class Live(Console):
    """Pages that open sockets."""

    def ticket(self, subject: str = "ada", **more: Any) -> str:
        answer = self.request(TICKET, subject=subject, role="operator", **more)
        assert answer.status == 201, answer.body
        return str(answer.body["ticket"])

    def connect(self, ticket: str | None, connection: str = "one") -> int:
        event = self.at(CONNECT, connection)
        event["queryStringParameters"] = None if ticket is None else {"ticket": ticket}
        return int(self.invoke(CONNECT, event)["statusCode"])

    def opened(self, connection: str = "one", *topics: str, subject: str = "ada") -> str:
        assert self.connect(self.ticket(subject), connection) == 200
        if topics:
            assert self.watch(connection, *topics) == 200
        return connection

    def watch(self, connection: str, *topics: str) -> int:
        return self.say(connection, json.dumps({"action": "watch", "topics": topics}))

    def say(self, connection: str, body: str) -> int:
        return int(self.invoke(SAY, self.at(SAY, connection) | {"body": body})["statusCode"])

    def disconnect(self, connection: str) -> int:
        return int(self.invoke(DISCONNECT, self.at(DISCONNECT, connection))["statusCode"])

    def at(self, file: str, connection: str) -> dict[str, Any]:
        event = an_event(file)
        event["requestContext"]["connectionId"] = connection
        return event

    def kept(self) -> list[tuple[str, str]]:
        return sorted((each["id"], each["part"]) for each in self.aws.items("LiveTable"))


class Gateway:
    """Connections as the management API has them."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.gone: set[str] = set()
        self.broken: set[str] = set()

    def post(self, connection: str, message: str) -> bool:
        if connection in self.broken:
            raise Unavailable("API Gateway does not answer")
        self.told.append((connection, json.loads(message)))
        return connection not in self.gone


@pytest.fixture
def live(aws: Account, functions: Functions) -> Iterator[Live]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Live(aws, functions, clock)


@pytest.fixture
def gateway(live: Live, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    gateway = Gateway()
    live.opened("warm")  # binds the table
    live.disconnect("warm")
    monkeypatch.setattr(live_notifier, "notifier", lambda: Notifier(live_socket.connections(), gateway.post))
    return gateway


def test_a_ticket_opens_one_connection(live: Live) -> None:
    ticket = live.ticket()

    assert [live.connect(ticket, each) for each in ("one", "two")] == [200, 401]
    assert ("connection#one", "connection") in live.kept()


@pytest.mark.parametrize(("seconds", "status"), [(TICKET_SECONDS - 1, 200), (TICKET_SECONDS, 401), (3_600, 401)])
def test_a_ticket_is_good_for_a_minute(live: Live, seconds: int, status: int) -> None:
    """Whether or not DynamoDB has removed its row: it takes days."""
    ticket = live.ticket()

    live.clock.move_to(NOON + timedelta(seconds=seconds))

    assert live.connect(ticket) == status


@pytest.mark.parametrize("ticket", [None, "", "guessed", "x" * 5_000])
def test_nothing_else_opens_a_connection(live: Live, ticket: str | None) -> None:
    assert live.connect(ticket) == 401
    assert live.kept() == []


def test_the_answer_says_where_and_until_when(live: Live) -> None:
    answer = live.request(TICKET, role="operator")

    assert answer.body["url"].startswith("wss://")
    assert answer.body["expires_at"] == "2026-11-20T12:01:00.000000Z"


@pytest.mark.parametrize(("role", "status"), [("user", 403), ("service", 403), ("operator", 201), ("admin", 201)])
def test_operators_get_tickets(live: Live, role: str, status: int) -> None:
    assert live.request(TICKET, role=role).status == status


def test_without_a_socket_there_is_no_ticket_and_the_answer_says_what_to_do(live: Live) -> None:
    live.functions.environment = {"LIVE_URL": "off"}

    answer: Answer = live.request(TICKET, role="operator")

    assert (answer.status, answer.body["code"]) == (503, "live_off")
    assert "WithLive=true" in answer.body["message"]
    assert live.kept() == []


def test_a_key_is_refused_because_its_stored_answer_would_hold_the_ticket(live: Live) -> None:
    answer = live.request(TICKET, role="operator", key="a-key")

    assert (answer.status, answer.fields) == (400, ["Idempotency-Key"])
    assert live.kept() == []


def test_no_table_and_no_log_line_holds_a_ticket(
    live: Live, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    used, unused = live.ticket(), live.ticket()
    live.connect(used)
    live.connect("guessed-but-wrong", "two")

    logged = caplog.text + str([vars(record) for record in caplog.records]) + "".join(capfd.readouterr())
    kept = str(live.aws.items("LiveTable"))
    assert not any(each in logged + kept for each in (used, unused, "guessed-but-wrong"))


def test_a_subject_has_five_connections_and_one_that_ends_makes_room(live: Live) -> None:
    """Others have theirs."""
    first = [live.connect(live.ticket(), f"c{number}") for number in range(MOST_CONNECTIONS)]
    sixth = live.ticket()
    refused, other = live.connect(sixth, "c6"), live.connect(live.ticket("grace"), "g1")

    live.disconnect("c2")

    assert (first, refused, other) == ([200] * MOST_CONNECTIONS, 401, 200)
    assert live.connect(sixth, "c6") == 200


def test_a_connection_whose_end_nobody_heard_of_makes_room_when_it_can_be_no_more(live: Live) -> None:
    """API Gateway ends each after two hours, and tells it as well as it can."""
    for number in range(MOST_CONNECTIONS):
        live.opened(f"c{number}")

    live.clock.move_to(NOON + timedelta(hours=3))

    assert live.connect(live.ticket(), "c6") == 200


def test_of_two_connections_that_come_with_one_ticket_at_once_one_is_opened(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have read the ticket before either uses it up."""
    ticket = live.ticket()
    read = connections._get
    found = read(*connections._ticket(ticket))
    monkeypatch.setattr(connections, "_get", lambda *key: found if key[1] == "ticket" else read(*key))

    assert sorted(live.connect(ticket, each) for each in ("one", "two")) == [200, 401]


def test_an_end_that_comes_late_takes_no_place_from_another(live: Live) -> None:
    for number in range(MOST_CONNECTIONS):
        live.opened(f"c{number}", "boosts")
    live.clock.move_to(NOON + timedelta(hours=3))
    assert [live.connect(live.ticket(), f"d{number}") for number in range(MOST_CONNECTIONS)] == [200] * MOST_CONNECTIONS

    ends = [live.disconnect(f"c{number}") for number in range(MOST_CONNECTIONS)]

    assert ends == [200] * MOST_CONNECTIONS
    assert live.connect(live.ticket(), "e1") == 401
    assert not [key for key in live.kept() if key[1] == "c0" or key[0] == "connection#c0"]


def test_nobody_is_told_who_can_be_there_no_more(live: Live, gateway: Gateway) -> None:
    live.opened("one", "boosts")

    live.clock.move_to(NOON + timedelta(hours=3))
    live.invoke("operations/live_notifier-boosts")

    assert gateway.told == []


def test_a_page_hears_of_what_it_watches_and_of_nothing_else(live: Live, gateway: Gateway) -> None:
    live.opened("one", "boosts", "platform")
    live.opened("two", BOOST)
    live.opened("three", "promotions")

    live.invoke("operations/live_notifier-boosts")

    at = "2026-11-20T12:00:00.000000Z"
    assert gateway.told == [
        ("one", {"type": "changed", "topic": "boosts", "at": at}),
        ("two", {"type": "changed", "topic": BOOST, "at": at}),
    ]


def test_what_it_watches_takes_the_place_of_what_it_watched(live: Live, gateway: Gateway) -> None:
    live.opened("one", "boosts", BOOST)

    assert live.watch("one", BOOST, "promotions") == 200
    assert live.watch("one", BOOST, "promotions") == 200
    live.invoke("operations/live_notifier-boosts")
    live.invoke("operations/live_notifier-promotions")

    assert [told["topic"] for _, told in gateway.told] == [BOOST, "promotions"]


@pytest.mark.parametrize("body", ["nonsense", '{"action": "watch", "topics": ["ticket#x"]}', '{"action": "shout"}'])
def test_what_is_not_understood_changes_nothing(live: Live, body: str) -> None:
    live.opened("one", "boosts")
    before = live.kept()

    assert live.say("one", body) == 400
    assert live.kept() == before


def test_a_ping_changes_nothing(live: Live) -> None:
    live.opened("one", "boosts")
    before = live.kept()

    assert live.say("one", '{"action": "ping"}') == 200
    assert live.kept() == before


def test_a_connection_that_ended_is_forgotten_wholly_and_its_end_may_come_twice(live: Live) -> None:
    live.opened("one", "boosts", "platform")

    ends = [live.disconnect("one"), live.disconnect("one"), live.watch("one", "boosts")]

    assert ends == [200, 200, 409]
    assert live.kept() == []


def test_a_page_that_is_gone_is_forgotten_by_the_next_hint(live: Live, gateway: Gateway) -> None:
    """410, where `$disconnect` never came."""
    live.opened("one", "boosts")
    gateway.gone = {"one"}

    live.invoke("operations/live_notifier-boosts")

    assert live.kept() == []


def test_a_hint_that_is_lost_is_logged_and_holds_up_neither_the_stream_nor_others(
    live: Live, gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    """An alarm counts the line."""
    live.opened("one", "boosts")
    live.opened("two", "boosts", BOOST)
    gateway.broken = {"one"}

    answer = live.invoke("operations/live_notifier-boosts")

    assert answer == {"batchItemFailures": []}
    assert [(connection, told["topic"]) for connection, told in gateway.told] == [("two", "boosts"), ("two", BOOST)]
    assert [each.message for each in caplog.records] == ["Not hinted"]


def test_the_notifier_goes_on_when_its_table_is_away(live: Live, gateway: Gateway) -> None:
    """For an hour, or longer: what it cannot tell it lets go."""

    class Away(Connections):
        def watching(self, topic: str, now: datetime) -> list[str]:
            raise Unavailable(f"DynamoDB does not answer: {topic} {now}")

    found: Any = None
    Notifier(Away(found), gateway.post).tell(topics_of([BOOST]), NOON)

    assert gateway.told == []


def test_the_notifier_goes_on_when_there_is_no_table_and_an_alarm_counts_what_it_cannot_tell(
    live: Live, caplog: pytest.LogCaptureFixture
) -> None:
    """A deployment gone wrong is no reason to hold up a stream, or to do a batch again."""
    live.functions.environment = {"LIVE_TABLE": "gone", "LIVE_URL": "wss://live.example.com/live"}

    answer = live.invoke("operations/live_notifier-boosts")

    assert answer == {"batchItemFailures": []}
    assert {each.message for each in caplog.records if each.levelname == "ERROR"} == {"Not hinted"}
    assert "ResourceNotFoundException" in str([vars(each) for each in caplog.records])


@pytest.mark.parametrize("context", ["boosts", "sponsorships", "promotions", "broadcasts", "hooks"])
def test_changes_of_every_context_are_told(live: Live, gateway: Gateway, context: str) -> None:
    live.opened("one", context)

    live.invoke(f"operations/live_notifier-{context}")

    assert [told["topic"] for _, told in gateway.told] == [context]
