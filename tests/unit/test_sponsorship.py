"""An advertiser's campaign: its states, its money and its closing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from sluice.errors import Conflicting
from sponsorships.campaign import (
    PAGE,
    Action,
    Campaign,
    Change,
    SponsorshipStatus,
    cancel,
    close,
    end,
    forget_viewers,
    load_keys,
    look_again,
    next_page,
    pause,
    refund,
    resume,
    start,
)
from tests.factories import NOON, a_sponsorship


def a_draft() -> Campaign:
    return a_sponsorship(status=SponsorshipStatus.DRAFT, started_at=None, wake_at=None)


def closing(participations: int = 0) -> Campaign:
    return close(a_sponsorship(), participations, NOON).after


def test_a_start_moves_the_whole_budget_and_wakes_at_the_end() -> None:
    change = start(a_draft(), NOON, "acme")

    assert change.after.status is SponsorshipStatus.RUNNING
    assert change.after.wake_at == change.after.ends_at
    assert change.posting is not None
    assert change.posting.legs == {"wallet#USD#acme": -1_000_000, f"budget#{change.after.id}": 1_000_000}
    assert change.is_batch


def test_a_campaign_that_would_have_ended_does_not_start() -> None:
    with pytest.raises(Conflicting) as refusal:
        start(a_draft(), NOON + timedelta(days=30), "acme")
    assert refusal.value.code == "campaign_ended"


@pytest.mark.parametrize(
    ("command", "allowed", "code"),
    [
        (lambda each: start(each, NOON, "acme"), {SponsorshipStatus.DRAFT}, "campaign_cannot_be_started"),
        (lambda each: cancel(each, NOON), {SponsorshipStatus.DRAFT}, "campaign_cannot_be_cancelled"),
        (lambda each: pause(each, NOON), {SponsorshipStatus.RUNNING}, "campaign_cannot_be_paused"),
        (lambda each: resume(each, NOON), {SponsorshipStatus.PAUSED}, "campaign_cannot_be_resumed"),
        (
            lambda each: close(each, 1, NOON),
            {SponsorshipStatus.RUNNING, SponsorshipStatus.PAUSED},
            "campaign_cannot_be_closed",
        ),
        (
            lambda each: load_keys(each, ("a",), NOON),
            {SponsorshipStatus.DRAFT, SponsorshipStatus.RUNNING, SponsorshipStatus.PAUSED},
            "campaign_cannot_be_given_keys",
        ),
    ],
)
def test_a_command_is_refused_in_any_other_state(
    command: Callable[[Campaign], Change], allowed: set[SponsorshipStatus], code: str
) -> None:
    for status in SponsorshipStatus:
        campaign = a_sponsorship(status=status)
        if status in allowed:
            assert command(campaign).after.step == campaign.step + 1
        else:
            with pytest.raises(Conflicting) as refusal:
                command(campaign)
            assert refusal.value.code == code


def test_a_paused_campaign_still_ends_at_its_time() -> None:
    paused = pause(a_sponsorship(), NOON).after

    assert paused.is_live
    assert paused.wake_at == paused.ends_at
    assert not paused.takes_impressions(NOON)
    assert end(paused, 0, paused.ends_at).after.status is SponsorshipStatus.CLOSING


def test_nothing_is_taken_from_the_end_on() -> None:
    campaign = a_sponsorship()

    assert campaign.takes_impressions(campaign.ends_at - timedelta(microseconds=1))
    assert not campaign.takes_impressions(campaign.ends_at)


def test_a_round_remembers_where_it_is_and_what_has_not_ended() -> None:
    first = next_page(closing(50), "participation#m", 3, NOON).after
    second = next_page(first, "participation#z", 2, NOON).after

    assert (second.closing_after, second.closing_live) == ("participation#z", 5)
    assert second.wake_at == NOON


def test_looks_are_further_and_further_apart_and_begin_at_the_front() -> None:
    campaign = next_page(closing(50), "participation#m", 3, NOON).after
    waits = []
    for _ in range(20):
        campaign = look_again(campaign, NOON).after
        assert campaign.wake_at is not None
        waits.append(campaign.wake_at - NOON)

    assert waits[:3] == [timedelta(seconds=2), timedelta(seconds=4), timedelta(seconds=8)]
    assert waits[-1] == timedelta(hours=6)
    assert (campaign.closing_after, campaign.closing_live) == (None, 0)


def test_a_closing_that_never_ends_is_given_up_and_can_be_begun_again() -> None:
    campaign = replace(closing(PAGE), max_steps=1)

    given_up = look_again(campaign, NOON).after

    assert given_up.wake_at is None
    assert not given_up.is_live
    assert close(given_up, PAGE, NOON).after.wake_at == NOON


def test_a_close_refunds_what_is_left_and_keeps_the_salt_for_thirty_days() -> None:
    change = refund(replace(closing(), viewer_salt="salt"), 340_000, NOON, "worker")

    assert change.action is Action.CLOSED
    assert change.posting is not None
    assert change.posting.legs == {f"budget#{change.after.id}": -340_000, "wallet#USD#acme": 340_000}
    assert change.after.wake_at == NOON + timedelta(days=30)
    assert change.after.is_live
    forgotten = forget_viewers(change.after, NOON + timedelta(days=30)).after
    assert (forgotten.viewer_salt, forgotten.is_live) == (None, False)


def test_a_close_with_nothing_left_moves_no_money() -> None:
    assert refund(closing(), 0, NOON, "worker").posting is None
