"""When a campaign pauses itself, and when an instance is left alone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts.breaker import Answer, Base, Trouble, commonest, moved_base, trips
from broadcasts.pacing import MOST_AT_ONCE
from sluice.plain import from_json, to_json

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FINE = Trouble()


def after(trouble: Trouble, *answers: Answer, now: datetime = NOW, can_be_asked: bool = True) -> Trouble:
    for answer in answers:
        trouble = trouble.after(answer, "claim", now, can_be_asked=can_be_asked)
    return trouble


@pytest.mark.parametrize(
    ("bad", "sent", "expected"),
    [(19, 0, False), (20, 0, True), (10, 10, True), (10, 11, False), (9, 11, False), (60, 61, False)],
)
def test_a_campaign_pauses_when_half_of_at_least_twenty_rows_went_wrong(bad: int, sent: int, expected: bool) -> None:
    assert trips(Base(bad, sent), Base()) == expected
    assert trips(Base(bad + 7, sent + 5), Base(7, 5)) == expected


def test_the_base_moves_after_a_hundred_rows_so_a_long_good_time_hides_no_bad_one() -> None:
    base, now = Base(), Base(0, 1000)

    assert moved_base(Base(0, 99), base) == base
    assert moved_base(Base(50, 50), base) == Base(50, 50)
    assert moved_base(now, base) == now
    assert trips(Base(20, 1000), moved_base(now, base))
    assert not trips(Base(20, 1000), base)


def test_rows_that_late_evidence_moves_are_not_counted_below_nothing() -> None:
    assert not trips(Base(0, 30), Base(30, 0))
    assert trips(Base(20, 0), Base(0, 30))
    assert moved_base(Base(0, 30), Base(80, 0)) == Base(80, 0)


def test_the_reason_of_a_pause_names_the_three_commonest_codes() -> None:
    assert commonest(["d", "b", "a", "b", "c", "c", "c", "a"]) == ("c", "a", "b")
    assert commonest([]) == ()


def test_without_trouble_a_step_claims_what_it_likes_and_nothing_is_written() -> None:
    assert FINE.allows(NOW) == MOST_AT_ONCE
    assert after(FINE, Answer.ACCEPTED, Answer.REFUSED) == FINE
    assert FINE.probing("claim", NOW) == FINE


def test_a_refusal_of_the_instance_blocks_it_at_once() -> None:
    blocked = after(FINE, Answer.INSTANCE_REFUSED)

    assert blocked.blocked_until == NOW + 30 * SECOND
    assert blocked.reason == "instance_refused"
    assert blocked.allows(NOW + 29 * SECOND) == 0
    assert blocked.allows(NOW + 30 * SECOND) == 1


@pytest.mark.parametrize(("answer", "most"), [(Answer.NOT_CONNECTED, 5), (Answer.UNKNOWN, 3)])
@pytest.mark.parametrize("between", [Answer.ACCEPTED, Answer.REFUSED])
def test_five_failed_connections_or_three_unknown_outcomes_in_a_row_block_it(
    answer: Answer, most: int, between: Answer
) -> None:
    almost = after(FINE, *[answer] * (most - 1))

    assert not almost.is_blocked(NOW)
    assert after(almost, answer).is_blocked(NOW)
    assert not after(almost, between, *[answer] * (most - 1)).is_blocked(NOW)


def test_failed_connections_do_not_hide_unknown_outcomes_or_the_reverse() -> None:
    mixed = after(FINE, *[Answer.UNKNOWN, Answer.NOT_CONNECTED] * 2)

    assert not mixed.is_blocked(NOW)
    assert after(mixed, Answer.UNKNOWN).is_blocked(NOW)
    assert after(mixed, *[Answer.NOT_CONNECTED] * 3).is_blocked(NOW)


def test_each_block_is_twice_as_long_as_the_one_before_and_none_is_longer_than_an_hour() -> None:
    trouble, now, waits = FINE, NOW, []

    for _ in range(9):
        trouble = after(trouble, Answer.INSTANCE_REFUSED, now=now)
        assert trouble.blocked_until is not None
        waits.append((trouble.blocked_until - now) / SECOND)
        now = trouble.blocked_until

    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert after(trouble, Answer.ACCEPTED, now=now) == FINE


def test_the_first_block_is_as_long_as_the_provider_s_patience_says() -> None:
    blocked = FINE.after(Answer.INSTANCE_REFUSED, "claim", NOW, can_be_asked=True, block=2 * SECOND)

    assert blocked.blocked_until == NOW + 2 * SECOND


@pytest.mark.parametrize("answer", Answer)
def test_calls_that_began_before_a_block_do_not_change_it(answer: Answer) -> None:
    blocked = after(FINE, Answer.INSTANCE_REFUSED)

    assert after(blocked, answer, now=NOW + SECOND) == blocked


@pytest.mark.parametrize("answer", [Answer.NOT_CONNECTED, Answer.UNKNOWN, Answer.INSTANCE_REFUSED])
def test_after_a_block_one_probe_that_goes_wrong_blocks_again(answer: Answer) -> None:
    later = NOW + 30 * SECOND
    trouble = after(FINE, Answer.INSTANCE_REFUSED).probing("claim", later + 75 * SECOND)

    again = after(trouble, answer, now=later)

    assert again.blocked_until == later + 60 * SECOND
    assert again.probe is None


def test_after_a_block_one_claim_is_out_at_a_time_until_it_is_recorded() -> None:
    later = NOW + 30 * SECOND
    probing = after(FINE, Answer.INSTANCE_REFUSED).probing("probe", later + 75 * SECOND)

    assert probing.allows(later) == 0
    refused = probing.after(Answer.REFUSED, "probe", later, can_be_asked=True)
    assert refused.allows(later) == 1
    assert probing.after(Answer.REFUSED, "earlier", later, can_be_asked=True).allows(later) == 0


def test_a_probe_that_nobody_records_counts_until_its_deadline() -> None:
    later = NOW + 30 * SECOND
    probing = after(FINE, Answer.INSTANCE_REFUSED).probing("probe", later + 75 * SECOND)

    assert probing.allows(later + 75 * SECOND) == 1


def test_an_instance_that_cannot_be_asked_is_careful_from_the_first_unknown_outcome_until_one_is_accepted() -> None:
    careful = after(FINE, Answer.UNKNOWN, can_be_asked=False)

    assert careful.allows(NOW) == 1
    assert not careful.is_blocked(NOW)
    assert after(careful, Answer.REFUSED, can_be_asked=False).allows(NOW) == 1
    assert after(careful, Answer.ACCEPTED, can_be_asked=False) == FINE
    assert after(FINE, Answer.UNKNOWN, can_be_asked=True).allows(NOW) == MOST_AT_ONCE


@given(st.lists(st.tuples(st.sampled_from(Answer), st.integers(0, 4000)), max_size=30), st.booleans())
def test_whatever_happens_it_is_allowed_again_within_an_hour_and_an_accepted_message_ends_it(
    answers: list[tuple[Answer, int]], can_be_asked: bool
) -> None:
    trouble, now = FINE, NOW
    for answer, seconds in answers:
        now += seconds * SECOND
        trouble = trouble.after(answer, "claim", now, can_be_asked=can_be_asked)

    free_at = trouble.blocked_until if trouble.is_blocked(now) and trouble.blocked_until else now

    assert free_at <= now + timedelta(hours=1)
    assert trouble.allows(free_at) >= 1
    assert trouble.after(Answer.ACCEPTED, "claim", free_at, can_be_asked=can_be_asked) == FINE


def test_trouble_is_kept_as_json() -> None:
    trouble = after(FINE, Answer.INSTANCE_REFUSED).probing("claim", NOW)

    assert from_json(Trouble, to_json(trouble)) == trouble
    assert from_json(Trouble, to_json(FINE)) == FINE
