"""What a person reviews before a start."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from broadcasts.asked import unfit
from broadcasts.campaign import TemplateText, Text
from broadcasts.contact import Contact, Sent
from broadcasts.gate import Cap, Rules
from broadcasts.instance import Instance, ProviderName
from broadcasts.lanes import Lane
from broadcasts.prices import Price
from broadcasts.recipients import Recipient
from broadcasts.reviewed import (
    Candidate,
    Judged,
    judge,
    loads,
    plan_hash,
    remaining,
    rows_left,
    scaled,
    warnings_of,
)
from broadcasts.row import Counts
from broadcasts.simulation import Load
from broadcasts.windows import Window, Windows
from tests.factories import NOON, a_broadcast

TEXT = Text(1, "Hello {{name}}")
ZONES = {0: ("America/Sao_Paulo",), 1: ("Europe/Lisbon",)}
BY_TEMPLATE = Text(1, "Hello", TemplateText("winter", "pt_BR", "marketing", parameters=("{{name}}",)))


def an_instance(**changes: Any) -> Instance:
    values = {"id": "ins_1", "owner": "acme", "name": "Demo", "provider": ProviderName.SANDBOX, "address": "demo"}
    return Instance(**values | {"created_at": NOON, "updated_at": NOON, "price_per_message": 1000} | changes)


def candidates(count: int, lane: int = 0, **changes: Any) -> list[Candidate]:
    return [
        Candidate(n + 1, f"55119{n:08d}", {"name": f"Person {n}"} | changes, f"contact-{n}", lane) for n in range(count)
    ]


def judged(rows: list[Candidate], text: Text = TEXT, **more: Any) -> Judged:
    known = more.pop("contacts", {})
    contacts = {each.contact: known.get(each.contact, Contact(key=each.contact)) for each in rows}
    options: dict[str, Any] = {"rules": Rules(), "instance": an_instance(), "lines": ()} | more
    return judge(rows, contacts, text, zones=ZONES, country_of=lambda phone: "BR", now=NOON, **options)


def test_rows_are_judged_by_the_gate() -> None:
    contacts = {
        "contact-0": Contact(suppressed_at=NOON),
        "contact-1": Contact(sends=(Sent(NOON - timedelta(hours=1), "brd_2/g1/r0/0"),), consent="form"),
        "contact-3": Contact(consent="form"),
    }
    rules = Rules(consent_required=True, cap=Cap(1, 48))

    found = judged(candidates(4), contacts=contacts, rules=rules)

    assert found.outcomes == {"suppressed": 1, "frequency_cap": 1, "no_consent": 1, "sent": 1}
    assert [(each.line, each.outcome, each.code) for each in found.skipped] == [
        (1, "skipped", "suppressed"),
        (2, "skipped", "frequency_cap"),
        (3, "skipped", "no_consent"),
    ]
    assert [each.text for each in found.previews] == ["Hello Person 3"]
    assert loads(found, [Lane(0, ZONES[0], 4)]) == [Load(ZONES[0], 1)]


def test_a_text_that_cannot_be_made_fails_its_row() -> None:
    found = judged([*candidates(1), *candidates(1, name="")])

    assert found.outcomes == {"sent": 1, "variable_missing": 1}
    assert [each.outcome for each in found.skipped] == ["failed"]


def test_a_row_without_a_parameter_of_the_template_fails_too() -> None:
    found = judged(candidates(1, name=" "), BY_TEMPLATE)

    assert found.outcomes == {"variable_missing": 1}


def test_the_first_fifty_are_shown_and_those_that_were_asked_for() -> None:
    found = judged(candidates(60), lines=(55, 70))

    assert [each.line for each in found.previews] == [*range(1, 51), 55]


def test_the_cost_is_of_what_would_be_sent_by_the_newest_price() -> None:
    prices = (Price("BR", "marketing", 500, "2026-11-01"), Price("BR", "marketing", 700, "2026-12-01"))
    contacts = {"contact-0": Contact(suppressed_at=NOON)}

    found = judged(candidates(3), BY_TEMPLATE, instance=an_instance(prices=prices), contacts=contacts)

    assert [(each.country, each.messages, each.cost) for each in found.costs] == [("BR", 2, 1000)]


@pytest.mark.parametrize(
    ("provider", "text", "hours", "warns"),
    [
        (ProviderName.META, TEXT, 25, True),
        (ProviderName.META, TEXT, 23, False),
        (ProviderName.META, BY_TEMPLATE, 25, False),
        (ProviderName.EVOLUTION, TEXT, 25, False),
    ],
)
def test_free_text_to_those_who_have_not_written_is_warned_of(
    provider: ProviderName, text: Text, hours: int, warns: bool
) -> None:
    contacts = {"contact-0": Contact(last_inbound_at=NOON - timedelta(hours=hours))}

    found = judged(candidates(1), text, contacts=contacts)

    assert bool(warnings_of(found, text, an_instance(provider=provider))) is warns


def test_rows_that_nobody_judged_are_taken_as_sent_at_the_same_cost() -> None:
    found = scaled(judged(candidates(4), contacts={"contact-0": Contact(suppressed_at=NOON)}), 6)

    assert found.outcomes == {"suppressed": 1, "sent": 9}
    assert [(each.messages, each.cost) for each in found.costs] == [(9, 9000)]


def test_rows_are_spread_over_lanes_as_their_cursors_stand() -> None:
    lanes = [Lane(0, ZONES[0], 10, 4), Lane(1, ZONES[1], 10, 10), Lane(2, ("UTC",), 6)]

    assert [each.rows for each in remaining(lanes, 12)] == [6, 0, 6]
    assert [each.rows for each in remaining(lanes, 7)] == [3, 0, 4]
    assert sum(each.rows for each in remaining([replace(each, cursor=each.rows) for each in lanes], 3)) == 3
    assert remaining([], 0) == []


def test_a_retry_sends_to_what_it_includes() -> None:
    total = Counts(pending=1, failed_retryable=2, failed_final=4, closed=8)

    assert rows_left(a_broadcast(), total) == 1
    assert rows_left(a_broadcast(pass_number=2), total) == 3
    assert rows_left(a_broadcast(pass_number=2, include_unknown=True, include_final=True), total) == 15


CHANGES = [
    {"rate_limit": 59},
    {"budget": 1},
    {"windows": Windows((Window((0,), 0, 60),))},
    {"media_type": "image", "media_url": "https://files.example.com/a.png"},
    {"media_type": "image", "media_id": "med_01KAJ3W5V0SM0FKVYVXB9EQT6N"},
    {"instance_id": "ins_other"},
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_hash_changes_with_the_terms(change: dict[str, Any]) -> None:
    """Amendment 30."""
    campaign, instance = a_broadcast(), an_instance()
    before = plan_hash(campaign, instance, 1, 1, {"sent": 3})

    assert plan_hash(replace(campaign, **change), instance, 1, 1, {"sent": 3}) != before
    assert plan_hash(replace(campaign, name="Spring"), instance, 1, 1, {"sent": 3}) == before


def test_the_hash_changes_with_the_list_the_text_the_prices_and_the_outcomes() -> None:
    campaign, instance = a_broadcast(), an_instance()
    dearer = replace(instance, prices=(Price("BR", "marketing", 1, "2026-11-01"),))
    plans = [(instance, 1, 1, 3), (instance, 2, 1, 3), (instance, 1, 2, 3), (dearer, 1, 1, 3), (instance, 1, 1, 2)]

    hashes = {plan_hash(campaign, at, generation, text, {"sent": sent}) for at, generation, text, sent in plans}

    assert len(hashes) == len(plans)


def test_recipients_who_lack_a_variable_are_named_by_their_rows() -> None:
    """S5-43."""
    recipients = [Recipient("5511987654321", {"name": "Nina"}), Recipient("5511987654322")]

    found = unfit(TEXT, recipients)

    assert [each.field for each in found] == ["recipients.1.variables.name"]


def test_at_most_twenty_wrong_recipients_are_named() -> None:
    assert len(unfit(TEXT, [Recipient(f"55119876543{number:02d}") for number in range(30)])) == 20
