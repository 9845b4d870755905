"""Hints: what a change is about, and what a page may ask to hear of."""

import json
from hashlib import sha256
from typing import Any

import pytest

from operations.live import MOST_TOPICS, Watch, digest_of, hint, parse, topics_of
from sluice.errors import Unreadable

BOOST = "bst_01KAJ3W5V0SM0FKVYVXB9EQT6N"
SPONSORSHIP = "spn_01KAJ3W5V0SM0FKVYVXB9EQT6N"


@pytest.mark.parametrize(
    ("ids", "topics"),
    [
        ([BOOST], ["boosts", BOOST]),
        ([BOOST, BOOST], ["boosts", BOOST]),
        ([f"{SPONSORSHIP}:nina"], ["sponsorships", SPONSORSHIP, f"{SPONSORSHIP}:nina"]),
        (["platform", BOOST], ["platform", "boosts", BOOST]),
        (["tokens", "redrives", "owner#ada"], []),
        ([], []),
    ],
)
def test_a_change_is_about_its_campaign_and_its_context(ids: list[str], topics: list[str]) -> None:
    assert topics_of(ids) == topics


def test_every_topic_that_a_change_is_about_can_be_watched() -> None:
    topics = topics_of([BOOST, f"{SPONSORSHIP}:nina", "platform"])

    assert parse(json.dumps({"action": "watch", "topics": topics})) == Watch(tuple(topics))


def test_a_page_watches_each_topic_once_and_twenty_at_most() -> None:
    many = [f"bst_{number:026}" for number in range(MOST_TOPICS)]

    assert parse(json.dumps({"action": "watch", "topics": ["boosts", "boosts"]})) == Watch(("boosts",))
    assert parse(json.dumps({"action": "watch", "topics": many})) == Watch(tuple(many))
    with pytest.raises(Unreadable, match="at most 20 topics"):
        parse(json.dumps({"action": "watch", "topics": [*many, "boosts"]}))


def test_a_ping_watches_nothing() -> None:
    assert parse('{"action": "ping"}') is None


@pytest.mark.parametrize(
    "body",
    [
        "",
        "nonsense",
        "[]",
        "3",
        "null",
        "{}",
        json.dumps({"action": "watch"}),
        json.dumps({"action": "watch", "topics": "boosts"}),
        json.dumps({"action": "shout", "topics": []}),
        *[json.dumps({"action": "watch", "topics": [each]}) for each in (1, None, "", "a b", "ticket#x", "x" * 200)],
    ],
)
def test_anything_else_that_a_page_says_is_not_understood(body: str) -> None:
    with pytest.raises(Unreadable):
        parse(body)


def test_a_hint_says_that_something_changed_and_never_what() -> None:
    told: dict[str, Any] = json.loads(hint("boosts", "2026-11-20T12:00:00Z"))

    assert told == {"type": "changed", "topic": "boosts", "at": "2026-11-20T12:00:00Z"}


def test_what_is_kept_of_a_ticket_is_its_hash() -> None:
    assert digest_of("a-ticket") == sha256(b"a-ticket").hexdigest()
