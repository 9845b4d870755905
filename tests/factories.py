"""One factory per entity, with values that a test need not care about."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from boosts.campaign import PREFIX, Campaign, Terms
from boosts.plan import Pattern
from boosts.usage import Limits
from broadcasts.campaign import Broadcast
from broadcasts.lanes import Lane
from broadcasts.row import Counts, Row, RowKey
from promotions.promotion import Promotion, PromotionType
from sluice.ids import new_id
from sponsorships import campaign as sponsorship
from sponsorships.impressions import ViewerPeriod
from sponsorships.participation import Offer, Participation

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")
LIMITS = Limits(max_per_day=100_000, global_monthly_cap=5_000_000)


def some_terms(**changes: Any) -> Terms:
    """2,500 views of one video in one day: three batches."""
    terms = {
        "video_ids": ("abc123",),
        "total_count": 2500,
        "duration_days": 1,
        "pattern": Pattern.STEADY,
        "daily_limit": 5000,
    }
    return Terms(**(terms | changes))


def a_boost(**changes: Any) -> Campaign:
    """A pending campaign on `some_terms`."""
    created = {"id": new_id(PREFIX, NOON), "created_at": NOON, "updated_at": NOON, "created_by": "alice"}
    return Campaign(**(vars(some_terms()) | created | changes))


def a_broadcast(**changes: Any) -> Broadcast:
    """A draft of acme's with a list of three rows, all of them stored."""
    values: dict[str, Any] = {
        "id": new_id("brd", NOON),
        "created_at": NOON,
        "updated_at": NOON,
        "created_by": "acme",
        "listed": "acme",
        "name": "Winter",
        "instance_id": new_id("ins", NOON),
        "rate_limit": 60,
        "generation": 1,
        "accepted": 3,
        "laid": 3,
        "lanes": (Lane(0, ("America/Sao_Paulo",), 3),),
        "counted": Counts(pending=3),
    }
    return Broadcast(**values | changes)


def a_recipient(number: int = 0, campaign_id: str = "brd_1", **changes: Any) -> Row:
    """A row of the first lane."""
    values: dict[str, Any] = {
        "campaign_id": campaign_id,
        "key": RowKey(1, 0, number),
        "phone": f"55119{80_000_000 + number:08d}",
        "contact": f"contact-{number}",
        "line": number + 1,
    }
    return Row(**values | changes)


class FixedClock:
    """A clock that stands where it is put."""

    def __init__(self, now: datetime = NOON) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time


def a_sponsorship(**changes: Any) -> sponsorship.Campaign:
    """A running campaign of 2,000 impressions at 1.65 USD, with a budget for three streamers."""
    values: dict[str, Any] = {
        "id": new_id(sponsorship.PREFIX, NOON),
        "name": "Winter",
        "created_at": NOON,
        "created_by": "acme",
        "updated_at": NOON,
        "target_impressions": 2000,
        "rate": "1.65",
        "currency": "USD",
        "budget": 1_000_000,
        "milestones": (50, 100, 500),
        "ends_at": NOON + timedelta(days=30),
        "pay": 330_000,
        "status": sponsorship.SponsorshipStatus.RUNNING,
        "started_at": NOON,
        "wake_at": NOON + timedelta(days=30),
        "max_steps": 104,
    }
    return sponsorship.Campaign(**(values | changes))


def an_offer(**changes: Any) -> Offer:
    """What `a_sponsorship` offers."""
    values: dict[str, Any] = {
        "rate": "1.65",
        "exponent": 2,
        "currency": "USD",
        "target": 2000,
        "pay": 330_000,
        "hold_hours": 0,
        "at_end": sponsorship.AtEnd.NOTHING,
        "viewer_period": ViewerPeriod.CAMPAIGN,
        "min_seconds": 5,
        "token_seconds": 600,
    }
    return Offer(**(values | changes))


def a_participation(**changes: Any) -> Participation:
    """The active participation of nina."""
    campaign_id = changes.pop("campaign_id", new_id(sponsorship.PREFIX, NOON))
    values: dict[str, Any] = {
        "id": f"{campaign_id}:nina",
        "campaign_id": campaign_id,
        "streamer": "nina",
        "created_at": NOON,
        "created_by": "nina",
        "updated_at": NOON,
        "max_steps": 100,
    }
    return Participation(**(values | changes))


def a_promotion(**changes: Any) -> Promotion:
    """A draft with rewards of 100.00 USD on the sandbox."""
    values: dict[str, Any] = {
        "id": "prm_01KAJ3W5V0SM0FKVYVXB9EQT6N",
        "created_at": NOON,
        "updated_at": NOON,
        "created_by": "acme",
        "title": "Winter",
        "type": PromotionType.REWARDED,
        "network": "sandbox",
        "texts": ("Look at this #ad", "All of it is here"),
        "budget": 10_000,
        "currency": "USD",
        "duration_minutes": 60,
    }
    return Promotion(**(values | changes))
