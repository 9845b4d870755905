"""Who may be written to, and when."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts.contact import Contact, Sent
from broadcasts.gate import Cap, Fail, Later, Open, Reason, Rules, Skip, Verdict, gate
from broadcasts.texts import LONGEST
from broadcasts.windows import Window, Windows

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)  # a Friday
HOUR = timedelta(hours=1)
OFFICE = Windows((Window((0, 1, 2, 3, 4), 9 * 60, 18 * 60),))
CLOSED = Windows((Window((0, 1, 2, 3, 4), 14 * 60, 18 * 60),))
UNKNOWN = Contact()
SUPPRESSED = Contact(suppressed_at=NOW - HOUR, suppressed_why="word")


def judged(contact: Contact = UNKNOWN, **changes: Any) -> Verdict:
    asked: dict[str, Any] = {
        "text": "Hi {{name}}",
        "variables": {"name": "Ana"},
        "row": "brd_x/g1/r0/7",
        "contact": contact,
        "rules": Rules(),
        "windows": OFFICE,
        "zones": ("UTC",),
        "now": NOW,
    }
    return gate(**asked | changes)


def a_contact(*hours_ago: float, row: str = "brd_y/g1/r0/{}") -> Contact:
    sends = [Sent(NOW - hours * HOUR, row.format(number)) for number, hours in enumerate(hours_ago)]
    return Contact(sends=tuple(sorted(sends, key=lambda each: each.at)))


def test_a_row_that_nothing_stands_against_is_sent_with_its_text() -> None:
    assert judged() == Open("Hi Ana")


def test_a_person_who_wrote_stop_is_never_written_to() -> None:
    assert judged(SUPPRESSED) == Skip(Reason.SUPPRESSED)


@pytest.mark.parametrize(
    ("consent", "expected"), [(None, Skip(Reason.NO_CONSENT)), ("form of May 2026", Open("Hi Ana"))]
)
def test_where_consent_is_required_a_person_without_it_is_skipped(consent: str | None, expected: Verdict) -> None:
    contact = Contact(consent=consent)

    assert judged(contact, rules=Rules(consent_required=True)) == expected
    assert judged(contact) == Open("Hi Ana")


def test_a_row_without_a_variable_fails_for_good_with_its_name() -> None:
    verdict = judged(variables={})

    assert isinstance(verdict, Fail)
    assert verdict.code == "variable_missing"
    assert "name" in verdict.text


def test_a_text_that_its_variables_make_too_long_fails_for_good() -> None:
    """S5-6."""
    verdict = judged(variables={"name": "a" * LONGEST})

    assert isinstance(verdict, Fail)
    assert verdict.code == "text_too_long"


def test_a_person_gets_no_more_messages_than_the_cap_allows() -> None:
    rules = Rules(cap=Cap(2, 24))

    assert judged(a_contact(1), rules=rules) == Open("Hi Ana")
    assert judged(a_contact(1, 5), rules=rules) == Later(NOW + 19 * HOUR, Reason.FREQUENCY_CAP)
    assert judged(a_contact(1, 5, 23), rules=rules) == Later(NOW + 19 * HOUR, Reason.FREQUENCY_CAP)
    assert judged(a_contact(1, 24), rules=rules) == Open("Hi Ana")


def test_a_row_that_the_cap_does_not_allow_within_24_hours_is_skipped() -> None:
    rules = Rules(cap=Cap(1, 48))

    assert judged(a_contact(24), rules=rules) == Later(NOW + 24 * HOUR, Reason.FREQUENCY_CAP)
    assert judged(a_contact(23.99), rules=rules) == Skip(Reason.FREQUENCY_CAP)


def test_a_row_is_not_stopped_by_its_own_earlier_claim() -> None:
    own = Contact().claimed("brd_x/g1/r0/7", NOW - HOUR)

    assert judged(own, rules=Rules(cap=Cap(1, 24))) == Open("Hi Ana")


@pytest.mark.parametrize(("most", "hours"), [(0, 24), (11, 24), (1, 0)])
def test_a_cap_that_could_not_be_kept_is_refused(most: int, hours: int) -> None:
    with pytest.raises(ValueError, match="cap"):
        Cap(most, hours)


def test_while_its_windows_are_closed_a_lane_waits_for_the_next_opening() -> None:
    assert judged(windows=CLOSED) == Later(NOW + 2 * HOUR, Reason.WINDOW)
    assert judged(zones=("America/Los_Angeles",)) == Later(NOW + 5 * HOUR, Reason.WINDOW)
    assert judged(windows=None, zones=("America/Los_Angeles",)) == Open("Hi Ana")


def test_zones_whose_windows_are_never_open_together_are_skipped() -> None:
    noon = Windows((Window((4,), 12 * 60, 13 * 60),))

    assert judged(windows=noon, zones=("Asia/Tokyo", "Europe/Lisbon")) == Skip(Reason.WINDOW)


def test_what_is_never_sent_is_not_put_off_or_failed_first() -> None:
    """The order: suppressed, consent, text, cap, window."""
    rules = Rules(consent_required=True, cap=Cap(1, 24))
    all_wrong = {"rules": rules, "variables": {}, "windows": CLOSED}
    sends = a_contact(1).sends

    assert judged(Contact(suppressed_at=NOW, sends=sends), **all_wrong) == Skip(Reason.SUPPRESSED)
    assert judged(Contact(sends=sends), **all_wrong) == Skip(Reason.NO_CONSENT)
    assert isinstance(judged(Contact(consent="form", sends=sends), **all_wrong), Fail)
    last = judged(Contact(consent="form", sends=sends), rules=rules, windows=CLOSED)
    assert last == Later(NOW + 23 * HOUR, Reason.FREQUENCY_CAP)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=10), st.integers(1, 10), st.integers(1, 72))
def test_the_cap_holds_for_whatever_was_sent(hours_ago: list[float], most: int, hours: int) -> None:
    contact = a_contact(*hours_ago)

    verdict = judged(contact, rules=Rules(cap=Cap(most, hours)), windows=None)

    at = verdict.at if isinstance(verdict, Later) else NOW
    recent = [send for send in contact.sends if send.at > at - hours * HOUR]
    assert isinstance(verdict, Skip) or len(recent) < most
