"""An advertiser's campaign: its states, its commands and its steps. Pure: each returns the Change to commit.

draft -> running <-> paused -> closing -> closed        draft -> cancelled
         running -> closing
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sluice import journal
from sluice.campaign import Chained, max_steps
from sluice.errors import Conflicting
from sluice.journal import Kind, MoneyChange, Posting
from sponsorships.impressions import ViewerPeriod

PREFIX = "spn"
"""The prefix of a campaign's id."""
MOST_KEYS = 45
"""G-Keys in a request: a transaction holds at most 100 actions, two for each key (amendment 15)."""
PAGE = 25
"""How many participations a step of a closing campaign ends."""

_SALT_KEPT = timedelta(days=30)
_LONGEST_LOOK = timedelta(hours=6)
"""Four looks a day: what `max_steps` allows."""


class SponsorshipStatus(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    CLOSING = "closing"
    CLOSED = "closed"
    CANCELLED = "cancelled"


LIVE = frozenset(
    {SponsorshipStatus.RUNNING, SponsorshipStatus.PAUSED, SponsorshipStatus.CLOSING, SponsorshipStatus.CLOSED}
)


class Action(StrEnum):
    """The actions in the audit log."""

    CREATED = "SPONSORSHIP_CREATED"
    STARTED = "SPONSORSHIP_STARTED"
    PAUSED = "SPONSORSHIP_PAUSED"
    RESUMED = "SPONSORSHIP_RESUMED"
    CLOSING = "SPONSORSHIP_CLOSING"
    CLOSED = "SPONSORSHIP_CLOSED"
    CANCELLED = "SPONSORSHIP_CANCELLED"
    KEYS_LOADED = "KEYS_LOADED"


class Viewers(StrEnum):
    """Who counts as a viewer."""

    REGISTERED = "registered"
    ANY = "any"


class Keys(StrEnum):
    """Whether each streamer is promised a G-Key."""

    NONE = "none"
    REQUIRED = "required"


class AtEnd(StrEnum):
    """What a streamer below the target gets when the campaign ends."""

    NOTHING = "nothing"
    PRO_RATA = "pro_rata"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What an advertiser offers. `rate` is decimal text in major units, `budget` is in minor units of `currency`."""

    name: str
    target_impressions: int
    rate: str
    currency: str
    budget: int
    milestones: tuple[int, ...]
    ends_at: datetime
    viewers: Viewers = Viewers.REGISTERED
    viewer_period: ViewerPeriod = ViewerPeriod.CAMPAIGN
    min_seconds: int = 5
    token_seconds: int = 600
    hold_hours: int = 0
    gkeys: Keys = Keys.NONE
    at_end: AtEnd = AtEnd.NOTHING


@dataclass(frozen=True, kw_only=True)
class Campaign(Terms, Chained):
    """One campaign. Its advertiser is `created_by`."""

    status: SponsorshipStatus = SponsorshipStatus.DRAFT
    pay: int
    """What a streamer earns at the target, in minor units: `floor(rate x target_impressions)`."""
    viewer_salt: str | None = None
    """Viewers are hashed with it; removed 30 days after the campaign closed, so that its rows are nobody's."""
    started_at: datetime | None = None
    closed_at: datetime | None = None

    # Where its closing is.
    closing_after: str | None = None
    """The last participation that the present round of its closing has seen."""
    closing_live: int = 0
    """How many of those had not ended."""
    closing_looks: int = 0
    """How many rounds it has been over all participations."""

    @property
    def is_live(self) -> bool:
        return self.status in LIVE and self.wake_at is not None

    @property
    def is_funded(self) -> bool:
        """Whether its budget was ever moved to an account of its own."""
        return self.started_at is not None

    @property
    def max_streamers(self) -> int:
        """How many streamers the budget can pay."""
        return self.budget // self.pay

    def takes_impressions(self, now: datetime) -> bool:
        return self.status is SponsorshipStatus.RUNNING and now < self.ends_at


@dataclass(frozen=True)
class Change(MoneyChange[Campaign]):
    """A change of a campaign."""

    keys: tuple[str, ...] = ()
    """G-Keys to add to its pool."""


# --- Commands


def create(campaign: Campaign) -> Change:
    """Create a draft."""
    return Change(None, campaign, Action.CREATED)


def start(campaign: Campaign, now: datetime, actor: str) -> Change:
    """Start a draft: its whole budget moves from the advertiser's wallet to the campaign's account.

    Raises Conflicting in any other state, and when it would have ended already.
    """
    if campaign.status is not SponsorshipStatus.DRAFT:
        raise _cannot_be("started")
    if campaign.ends_at <= now:
        raise Conflicting("The campaign would have ended already: create another", "campaign_ended")
    started = replace(
        campaign.commanded(now),
        status=SponsorshipStatus.RUNNING,
        started_at=now,
        wake_at=campaign.ends_at,
        max_steps=max_steps(0),
    )
    source, target = journal.wallet(campaign.currency, campaign.created_by), journal.budget(campaign.id)
    posting = Posting.transfer(
        f"fund#{campaign.id}", Kind.FUND, campaign.currency, source, target, campaign.budget, actor
    )
    return Change(campaign, started, Action.STARTED, is_batch=True, posting=posting)


def pause(campaign: Campaign, now: datetime) -> Change:
    """Pause a running campaign: it takes no impressions, and nobody joins. It ends at `ends_at` all the same."""
    if campaign.status is not SponsorshipStatus.RUNNING:
        raise _cannot_be("paused")
    return Change(campaign, replace(campaign.commanded(now), status=SponsorshipStatus.PAUSED), Action.PAUSED)


def resume(campaign: Campaign, now: datetime) -> Change:
    """Let a paused campaign go on."""
    if campaign.status is not SponsorshipStatus.PAUSED:
        raise _cannot_be("resumed")
    return Change(campaign, replace(campaign.commanded(now), status=SponsorshipStatus.RUNNING), Action.RESUMED)


def close(campaign: Campaign, participations: int, now: datetime) -> Change:
    """Begin to end a campaign; or to look again, if its closing was given up. `participations`: how many it has."""
    gave_up = campaign.status is SponsorshipStatus.CLOSING and campaign.wake_at is None
    if campaign.status not in (SponsorshipStatus.RUNNING, SponsorshipStatus.PAUSED) and not gave_up:
        raise _cannot_be("closed")
    return Change(campaign, _closing(campaign, campaign.commanded(now), participations, now), Action.CLOSING)


def cancel(campaign: Campaign, now: datetime) -> Change:
    """Cancel a draft: no money was moved."""
    if campaign.status is not SponsorshipStatus.DRAFT:
        raise _cannot_be("cancelled")
    return Change(campaign, replace(campaign.commanded(now), status=SponsorshipStatus.CANCELLED), Action.CANCELLED)


def load_keys(campaign: Campaign, keys: tuple[str, ...], now: datetime) -> Change:
    """Add G-Keys to the pool of a campaign that has not ended."""
    if campaign.status not in (SponsorshipStatus.DRAFT, SponsorshipStatus.RUNNING, SponsorshipStatus.PAUSED):
        raise _cannot_be("given keys")
    return Change(campaign, campaign.commanded(now), Action.KEYS_LOADED, keys=keys)


# --- Steps


def end(campaign: Campaign, participations: int, now: datetime) -> Change:
    """Begin to end a running or paused campaign whose `ends_at` has come."""
    return Change(campaign, _closing(campaign, campaign.stepped(now), participations, now), Action.CLOSING)


def forget_viewers(campaign: Campaign, now: datetime) -> Change:
    """Remove the salt of a closed campaign: nobody can tell any more whose its rows are."""
    return Change(campaign, replace(campaign.stepped(now), viewer_salt=None, wake_at=None))


def next_page(campaign: Campaign, after: str, live: int, now: datetime) -> Change:
    """Go on behind `after`, the last participation of a page, of which `live` had not ended."""
    seen = replace(campaign.stepped(now), closing_after=after, closing_live=campaign.closing_live + live, wake_at=now)
    return Change(campaign, seen)


def look_again(campaign: Campaign, now: datetime) -> Change:
    """Begin a new round over the participations: after 2 seconds, then 4, 8, ... at most 6 hours.

    At `max_steps` the closing is given up: `close` begins it again.
    """
    wait = min(timedelta(seconds=2 ** min(campaign.closing_looks + 1, 30)), _LONGEST_LOOK)
    again = replace(
        campaign.stepped(now),
        closing_after=None,
        closing_live=0,
        closing_looks=campaign.closing_looks + 1,
        wake_at=None if campaign.is_exhausted else now + wait,
    )
    return Change(campaign, again)


def refund(campaign: Campaign, left: int, now: datetime, actor: str) -> Change:
    """Close a campaign whose participations have all ended: what is left of the budget goes back to the advertiser."""
    closed = replace(
        campaign.stepped(now),
        status=SponsorshipStatus.CLOSED,
        closed_at=now,
        closing_after=None,
        closing_live=0,
        wake_at=now + _SALT_KEPT,
    )
    posting = None
    if left:
        source, target = journal.budget(campaign.id), journal.wallet(campaign.currency, campaign.created_by)
        entry_id = f"refund#{campaign.id}"
        posting = Posting.transfer(entry_id, Kind.REFUND, campaign.currency, source, target, left, actor)
    return Change(campaign, closed, Action.CLOSED, is_batch=True, posting=posting)


def _closing(campaign: Campaign, after: Campaign, participations: int, now: datetime) -> Campaign:
    pages, looks = participations // PAGE + 1, 4 * (campaign.hold_hours // 24 + 30) + 20
    return replace(
        after,
        status=SponsorshipStatus.CLOSING,
        wake_at=now,
        steps_done=0,
        max_steps=pages * looks,
        closing_after=None,
        closing_live=0,
        closing_looks=0,
    )


def _cannot_be(done: str) -> Conflicting:
    return Conflicting(f"Campaign cannot be {done}", f"campaign_cannot_be_{done.replace(' ', '_')}")
