"""What recording reads of a campaign and a participation, as their own store writes them; and what it writes itself."""

from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest

from sluice import ids, outbox_row
from sluice.outbox import EventItem
from sponsorships.campaign import SponsorshipStatus, Viewers
from sponsorships.impressions import Reason, ViewerPeriod
from sponsorships.items import CampaignItem, ParticipationItem
from sponsorships.participation import ParticipationStatus, Why
from sponsorships.recording.standing import Standing, Terms, Totals, crossing

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
CAMPAIGN = "spn_01KB28QHY00000000000000000"
P = f"{CAMPAIGN}:nina"


def a_campaign_item(**changed: Any) -> CampaignItem:
    values = {
        "status": SponsorshipStatus.RUNNING,
        "target_impressions": 2000,
        "rate": "1.65",
        "currency": "USD",
        "milestones": (50, 100, 500),
        "ends_at": datetime(2026, 12, 27, 12, tzinfo=UTC),
        "viewers": Viewers.ANY,
        "viewer_period": ViewerPeriod.DAY,
        "min_seconds": 5,
        "token_seconds": 600,
        "viewer_salt": "salt",
    }
    return CampaignItem(CAMPAIGN, "campaign", **values | changed)


def in_wire_form(item: Any) -> dict[str, Any]:
    return {name: value for name, value in item.serialize(null_check=False).items() if value is not None}


def a_standing(participating: ParticipationStatus, why: Why | None = None, **changed: Any) -> Standing:
    participation = ParticipationItem(P, "campaign", status=participating, why=why, shards=4)
    return Standing.of(in_wire_form(a_campaign_item(**changed)), in_wire_form(participation), {})


def totals(counted: int, **participation: Any) -> Totals:
    item = ParticipationItem(P, "campaign", status=ParticipationStatus.ACTIVE, **participation)
    return Totals(in_wire_form(item), counted, 3)


def test_the_items_of_the_store_are_read_as_they_are_written() -> None:
    standing = a_standing(ParticipationStatus.ACTIVE)

    assert standing == Standing(
        P,
        "active",
        "",
        4,
        is_platform_stopped=False,
        terms=Terms(
            "running",
            datetime(2026, 12, 27, 12, tzinfo=UTC),
            "salt",
            takes_anonymous=True,
            period=ViewerPeriod.DAY,
            min_seconds=5,
            token_seconds=600,
            target=2000,
            milestones=(50, 100, 500),
            rate="1.65",
            currency="USD",
        ),
    )
    assert standing.refusal(NOON) is None


@pytest.mark.parametrize("status", ParticipationStatus)
def test_only_an_active_participation_takes_impressions(status: ParticipationStatus) -> None:
    assert (a_standing(status, Why.TARGET).refusal(NOON) is None) == (status is ParticipationStatus.ACTIVE)


@pytest.mark.parametrize("status", SponsorshipStatus)
def test_only_a_running_campaign_takes_impressions(status: SponsorshipStatus) -> None:
    standing = a_standing(ParticipationStatus.ACTIVE, status=status)

    assert (standing.refusal(NOON) is None) == (status is SponsorshipStatus.RUNNING)


def test_the_end_is_the_first_moment_that_takes_none() -> None:
    standing = a_standing(ParticipationStatus.ACTIVE, ends_at=NOON)

    assert standing.refusal(NOON.replace(hour=11, minute=59)) is None
    assert standing.refusal(NOON) is Reason.CAMPAIGN_ENDED


def test_a_participation_that_reached_its_target_takes_more_until_a_check_has_counted_the_rows() -> None:
    """A hand may have raised a tally: then the check finds too few rows, and the rest of the viewers must count."""
    participation = ParticipationItem(P, "campaign", status=ParticipationStatus.ACTIVE, reached=2000)

    standing = Standing.of(in_wire_form(a_campaign_item()), in_wire_form(participation), {})

    assert standing.refusal(NOON) is None


@pytest.mark.parametrize(
    ("impressions", "participation", "thresholds"),
    [
        (49, {}, None),
        (50, {}, (50,)),
        (120, {}, (50, 100)),
        (120, {"reached": 50}, (100,)),
        (120, {"reached": 100}, None),
        (20, {"granted": 30}, (50,)),
        (2500, {"reached": 500}, (2000,)),
    ],
)
def test_thresholds_are_crossed_not_met(
    impressions: int, participation: dict[str, Any], thresholds: tuple[int, ...] | None
) -> None:
    terms = a_standing(ParticipationStatus.ACTIVE).terms

    found = crossing(totals(impressions, **participation), terms)

    assert (found.thresholds if found else None) == thresholds


def test_the_copies_are_what_counts_with_the_clicks_and_the_earnings() -> None:
    terms = a_standing(ParticipationStatus.ACTIVE).terms

    found = crossing(totals(1990, granted=20, reached=500), terms)

    assert found
    assert found.copies == {"impressions": 2010, "clicks": 3, "earnings": 330_000}


@pytest.mark.parametrize("name", ["impressions", "clicks", "earnings"])
def test_an_edited_field_is_left_as_it_is(name: str) -> None:
    terms = a_standing(ParticipationStatus.ACTIVE).terms

    found = crossing(totals(60, **{name: 7}), terms)

    assert found
    assert (found.thresholds, found.copies) == ((50,), {})


def test_the_outbox_row_is_the_one_that_the_outbox_itself_writes() -> None:
    data = {"campaign_id": CAMPAIGN, "thresholds": [50, 100], "total": 120}
    with patch.object(outbox_row, "new_id", lambda prefix, now: ids.new_id(prefix, now, bytes)):
        row = outbox_row.row("campaign.completion.check", data, NOON)

    event = EventItem.from_raw_data(row)
    written = EventItem(event.id, name=event.name, data=data, created_at="2026-11-27T12:00:00.000000Z")

    assert ids.is_id("evt", event.id)
    assert row == in_wire_form(written)
