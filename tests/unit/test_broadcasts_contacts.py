"""Contacts: of two words about a person the later one stands, whichever comes first."""

from datetime import timedelta

import pytest

from broadcasts.contact import Contact
from broadcasts.contacts import Said, consenting, in_groups, lifted, suppressed
from tests.factories import NOON

PHONE = "5511987654321"
LATER = NOON + timedelta(seconds=1)
NOBODY = Contact(owner="acme", key="a1")


def after(said: Said | None) -> Contact:
    assert said
    return said.after


def test_a_person_is_suppressed_since_the_first_word() -> None:
    first = after(suppressed(NOBODY, PHONE, "word", NOON))

    again = after(suppressed(first, PHONE, "asked", LATER))

    assert (again.suppressed_at, again.suppressed_why, again.changed_at) == (NOON, "word", LATER)


def test_an_old_stop_undoes_no_start() -> None:
    lift = after(lifted(after(suppressed(NOBODY, PHONE, "word", NOON)), LATER))

    assert suppressed(lift, PHONE, "word", NOON) is None


def test_an_old_start_undoes_no_stop() -> None:
    stop = after(suppressed(NOBODY, PHONE, "word", LATER))

    assert lifted(stop, NOON) is None


def test_a_start_that_comes_first_is_kept_against_an_older_stop() -> None:
    start = after(lifted(NOBODY, LATER))

    assert suppressed(start, PHONE, "word", NOON) is None


def test_of_two_words_at_one_moment_the_stop_stands() -> None:
    stop, start = after(suppressed(NOBODY, PHONE, "word", NOON)), after(lifted(NOBODY, NOON))

    assert lifted(stop, NOON) is None
    assert after(suppressed(start, PHONE, "word", NOON)).suppressed_at == NOON


def test_the_same_word_again_says_nothing() -> None:
    stop = after(suppressed(NOBODY, PHONE, "word", NOON))

    assert suppressed(stop, PHONE, "word", NOON) is None


@pytest.mark.parametrize("source", ["web form", None])
def test_consent_that_is_as_it_was_says_nothing(source: str | None) -> None:
    person = Contact(owner="acme", key="a1", consent=source)

    assert consenting(person, source) is None


def test_each_word_is_one_more_write() -> None:
    """A claim that read the contact before fails [B20]."""
    stop = after(suppressed(NOBODY, PHONE, "word", NOON))

    assert (stop.v, after(lifted(stop, LATER)).v, after(consenting(stop, "form")).v) == (1, 2, 2)


def test_a_transaction_has_room_for_each_group() -> None:
    """Two actions a contact, its head, two audit entries and the answer: 100 is the most."""
    said = [Said(NOBODY, NOBODY)] * 100

    assert [2 * len(group) + 4 <= 100 for group in in_groups(said)] == [True] * 3
