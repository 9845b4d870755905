"""Who wrote STOP, and who wrote START; and what is known of a contact."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts.contact import KEPT_SENDS, Contact, Sent
from broadcasts.optouts import BY_WORD, STOP_WORDS, Wish, wish_in, wished

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("word", STOP_WORDS)
def test_every_word_of_the_list_asks_to_stop(word: str) -> None:
    assert wish_in(word) is Wish.STOP
    assert wish_in(f"  {word.lower()}!\n") is Wish.STOP


@pytest.mark.parametrize(
    "message",
    [
        "  Sair! ",
        "STOP.",
        "pare",
        "“Parar”",
        "Stop all",
        "opt-out",
        "SÁIR",
        "\uff33\uff34\uff2f\uff30",
        "stop 🛑",
        "s\u200btop",
    ],
)
def test_case_accents_spaces_and_punctuation_do_not_count(message: str) -> None:
    assert wish_in(message) is Wish.STOP


@pytest.mark.parametrize(
    "message", ["stop, o Zé não vem", "please stop", "stopped", "", "!?", "👍", "paralelo", "não sair"]
)
def test_a_message_with_anything_else_in_it_asks_for_nothing(message: str) -> None:
    assert wish_in(message) is None


@pytest.mark.parametrize("message", ["START", "voltar", " Voltar. "])
def test_start_asks_to_be_written_to_again(message: str) -> None:
    assert wish_in(message) is Wish.START


def test_an_owner_may_have_words_of_their_own() -> None:
    assert wish_in("não quero", stop=["Não quero!"], start=[]) is Wish.STOP
    assert wish_in("stop", stop=["Não quero!"], start=[]) is None
    assert wish_in("?", stop=["!"], start=[]) is None


def test_stop_suppresses_and_a_later_start_lifts_it() -> None:
    stopped = wished(Contact(), Wish.STOP, NOW)
    assert stopped is not None
    started = wished(stopped, Wish.START, NOW + SECOND)

    assert (stopped.suppressed_at, stopped.suppressed_why) == (NOW, BY_WORD)
    assert started == Contact(changed_at=NOW + SECOND)


def test_an_older_stop_that_arrives_after_a_start_does_not_suppress_again() -> None:
    started = wished(Contact(), Wish.START, NOW)
    assert started is not None

    assert wished(started, Wish.STOP, NOW - SECOND) is None


def test_a_message_that_arrives_twice_changes_nothing_the_second_time() -> None:
    stopped = wished(Contact(), Wish.STOP, NOW)
    assert stopped is not None

    assert wished(stopped, Wish.STOP, NOW) is None


def test_start_lifts_no_later_suppression() -> None:
    suppressed = Contact(suppressed_at=NOW, suppressed_why="operator", changed_at=NOW)

    assert wished(suppressed, Wish.START, NOW - SECOND) is None


@given(st.lists(st.tuples(st.sampled_from(Wish), st.integers(0, 5)), max_size=5))
def test_wishes_have_the_same_end_in_whatever_order_they_arrive(wishes: list[tuple[Wish, int]]) -> None:
    ends = set()
    for order in permutations(wishes):
        contact = Contact()
        for wish, seconds in order:
            contact = wished(contact, wish, NOW + seconds * SECOND) or contact
        ends.add(contact.suppressed_at)

    latest = max(((seconds, wish is Wish.STOP) for wish, seconds in wishes), default=(0, False))
    assert ends == {NOW + latest[0] * SECOND if latest[1] else None}


def test_a_contact_keeps_its_last_ten_messages() -> None:
    contact = Contact()

    for number in range(12):
        contact = contact.claimed(f"row{number}", NOW + number * SECOND)

    assert len(contact.sends) == KEPT_SENDS
    assert contact.sends[0] == Sent(NOW + 2 * SECOND, "row2")
    assert contact.sends[-1] == Sent(NOW + 11 * SECOND, "row11")


def test_a_row_that_is_claimed_again_replaces_its_own_entry() -> None:
    contact = Contact().claimed("a", NOW).claimed("b", NOW + SECOND).claimed("a", NOW + 2 * SECOND)

    assert contact.sends == (Sent(NOW + SECOND, "b"), Sent(NOW + 2 * SECOND, "a"))
    assert contact.sends_of_others("b") == [Sent(NOW + 2 * SECOND, "a")]
