"""The messages of the queue of events."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts.ports import LONGEST_ID, Event, InboundEvent, StatusEvent
from broadcasts.row import Evidence
from broadcasts.webhooks.messages import MOST_BYTES, MOST_EVENTS, Notified, Told, bodies, parse
from sluice.errors import Unreadable

AT = datetime(2026, 11, 27, 22, 0, tzinfo=UTC)
_IDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
_TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
_STATUSES = st.builds(
    StatusEvent,
    st.sampled_from([each for each in Evidence if each is not Evidence.NONE]),
    _IDS,
    st.none() | _IDS,
    _TIMES,
    code=st.none() | st.from_regex(r"[0-9]{1,6}", fullmatch=True),
    text=st.none() | st.text(max_size=200),
    retryable=st.booleans(),
)
_INBOUND = st.builds(InboundEvent, st.from_regex(r"[0-9]{10,15}", fullmatch=True), st.text(max_size=1024), _TIMES, _IDS)


def told(found: list[str]) -> list[Event]:
    events: list[Event] = []
    for each in map(parse, found):
        assert isinstance(each, Told)
        assert each.instance_id == "ins_x"
        events += each.events
    return events


@given(st.lists(_STATUSES | _INBOUND, max_size=250))
def test_what_is_put_on_the_queue_is_read_from_it(events: list[Event]) -> None:
    found = list(bodies("ins_x", events))

    assert told(found) == events
    assert all(len(json.loads(each)["events"]) <= MOST_EVENTS for each in found)


def test_at_most_a_hundred_events_are_in_a_message() -> None:
    events = [StatusEvent(Evidence.READ, f"wamid.{each}", None, AT) for each in range(201)]

    assert [len(json.loads(each)["events"]) for each in bodies("ins_x", events)] == [100, 100, 1]


def test_no_message_is_larger_than_the_queue_takes() -> None:
    """100 texts of 1 KB each that JSON writes with six bytes a character."""
    events: list[Event] = [InboundEvent("5511987654321", "\x01" * 1024, AT, f"wamid.{each}") for each in range(100)]

    found = list(bodies("ins_x", events))

    assert len(found) == 4
    assert all(len(each.encode()) <= MOST_BYTES + 100 for each in found)
    assert told(found) == events


@pytest.mark.parametrize("text", ["\uffff", "\ud800", "Olá, Zé 🙂"])
def test_a_message_has_no_character_that_the_queue_rejects(text: str) -> None:
    events: list[Event] = [InboundEvent("5511987654321", text, AT, "wamid.1")]

    (body,) = bodies("ins_x", events)

    assert body.isascii()
    assert told([body]) == events


@pytest.mark.parametrize("message_id", ["", "x" * (LONGEST_ID + 1), "não", "a\nb"])
def test_an_event_with_an_id_that_no_provider_has_is_left_out(message_id: str) -> None:
    assert list(bodies("ins_x", [StatusEvent(Evidence.READ, message_id, None, AT)])) == []


def test_a_callback_that_cannot_be_ours_is_left_out_and_the_status_is_not() -> None:
    (body,) = bodies("ins_x", [StatusEvent(Evidence.READ, "wamid.1", "é" * 9, AT)])

    assert told([body]) == [StatusEvent(Evidence.READ, "wamid.1", None, AT)]


def test_a_code_is_cut() -> None:
    (body,) = bodies("ins_x", [StatusEvent(Evidence.FAILED, "wamid.1", None, AT, code="1" * 9000)])

    assert len(body) < 300


def test_a_message_of_sns_is_told_by_its_shape() -> None:
    body = json.dumps({"context": {}, "whatsAppWebhookEntry": "{}", "aws_account_id": "123456789012"})

    assert parse(body) == Notified(body)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"instance": "ins_x"}',
        '{"instance": 7, "events": []}',
        '{"instance": "ins_x", "events": [7]}',
        '{"instance": "ins_x", "events": [{"status": "READ", "id": "1"}]}',
        '{"instance": "ins_x", "events": [{"status": "EATEN", "id": "1", "at": "2026-11-27T22:00:00+00:00"}]}',
        '{"instance": "ins_x", "events": [{"status": "READ", "id": "1", "at": "yesterday"}]}',
    ],
)
def test_anything_else_cannot_be_read(body: str) -> None:
    with pytest.raises(Unreadable):
        parse(body)
