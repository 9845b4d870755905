"""Where a participation stands, as recording reads it: its campaign's terms, its status, and the platform's stop."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sluice.money import exponent
from sponsorships.earnings import crossed, pay
from sponsorships.impressions import Reason, ViewerPeriod

type Item = Mapping[str, Any]
"""An item in DynamoDB's own form."""

ACTIVE = "active"
RUNNING = "running"
STOPPED = "stopped"
MAX_SHARDS = 64
COPIES = ("impressions", "clicks", "earnings")
"""The monitored fields (S3-12): each is written twice, so that whoever reads the item can tell an edit."""


@dataclass(frozen=True)
class Terms:
    """What of a campaign is looked at."""

    status: str
    ends_at: datetime
    salt: str
    takes_anonymous: bool
    period: ViewerPeriod
    min_seconds: int
    token_seconds: int
    target: int
    milestones: tuple[int, ...]
    rate: str
    currency: str

    @classmethod
    def of(cls, campaign: Item) -> "Terms":
        """From a campaign's item."""
        return cls(
            text(campaign, "status"),
            datetime.fromisoformat(text(campaign, "ends_at")),
            text(campaign, "viewer_salt"),
            text(campaign, "viewers") == "any",
            ViewerPeriod(text(campaign, "viewer_period")),
            number(campaign, "min_seconds"),
            number(campaign, "token_seconds"),
            number(campaign, "target_impressions"),
            tuple(int(each["N"]) for each in campaign["milestones"]["L"]),
            text(campaign, "rate"),
            text(campaign, "currency"),
        )

    def earned(self, impressions: int) -> int:
        """In minor units."""
        return pay(self.rate, exponent(self.currency), impressions, self.target)


@dataclass(frozen=True)
class Standing:
    """A participation, as it was when it was read."""

    participation: str
    status: str
    why: str
    shards: int
    is_platform_stopped: bool
    terms: Terms

    @classmethod
    def of(cls, campaign: Item, participation: Item, platform: Item) -> "Standing":
        """From the three items; that of the platform may be empty."""
        return cls(
            text(participation, "id"),
            text(participation, "status"),
            text(participation, "why"),
            shards_of(participation),
            text(platform, "status") == STOPPED,
            Terms.of(campaign),
        )

    def after(self, participation: Item) -> "Standing":
        """As it is by a later read of the participation alone."""
        status, why = text(participation, "status"), text(participation, "why")
        return replace(self, status=status, why=why, shards=shards_of(participation))

    def refusal(self, now: datetime) -> Reason | None:
        """Why no impression is taken now.

        Not because `reached` says that the target was: a check counts the rows, and if a hand raised a tally they may
        be too few. Then the participation is still active, and the rest of its viewers must count.
        """
        if self.is_platform_stopped:
            return Reason.PLATFORM_STOPPED
        if self.terms.status == "paused":
            return Reason.CAMPAIGN_PAUSED
        if self.terms.status == "draft":
            return Reason.NOT_PARTICIPATING
        if self.terms.status != RUNNING or now >= self.terms.ends_at:
            return Reason.CAMPAIGN_ENDED
        return None if self.status == ACTIVE else self.closed

    @property
    def closed(self) -> Reason:
        """Why its tallies are closed."""
        if self.why == "left":
            return Reason.NOT_PARTICIPATING
        return Reason.CAMPAIGN_ENDED if self.why == "end" else Reason.TARGET_REACHED


@dataclass(frozen=True)
class Totals:
    """A participation and the sums of its tallies, by a consistent read."""

    item: Item
    impressions: int
    clicks: int

    @property
    def total(self) -> int:
        """What counts for a threshold."""
        return self.impressions + number(self.item, "granted")

    @property
    def is_edited(self) -> bool:
        """Whether a hand changed a monitored field after the product wrote it. It is left to the detectors then."""
        return any(number(self.item, name) != number(self.item, f"published_{name}") for name in COPIES)


@dataclass(frozen=True)
class Crossing:
    """Thresholds that a participation's total has crossed since it was last marked."""

    totals: Totals
    thresholds: tuple[int, ...]
    copies: Mapping[str, int]
    """The monitored fields as they should be; empty if a hand changed one."""

    @property
    def reached(self) -> int:
        return self.thresholds[-1]


def crossing(totals: Totals, terms: Terms) -> Crossing | None:
    """What the totals have crossed, the target included; None if nothing, or if the participation is not active."""
    if text(totals.item, "status") != ACTIVE:
        return None
    found = crossed([*terms.milestones, terms.target], number(totals.item, "reached"), totals.total)
    if not found:
        return None
    copies = (totals.total, totals.clicks, terms.earned(totals.total))
    return Crossing(totals, found, {} if totals.is_edited else dict(zip(COPIES, copies, strict=True)))


def text(item: Item, name: str) -> str:
    return str(item[name]["S"]) if name in item else ""


def number(item: Item, name: str) -> int:
    return int(item[name]["N"]) if name in item else 0


def shards_of(participation: Item) -> int:
    return number(participation, "shards") or 1
