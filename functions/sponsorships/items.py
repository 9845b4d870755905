"""The items of the sponsorships table. Amounts are minor units; C is a campaign, P a participation: `<C>:<streamer>`.

| id               | part               | kind          |                                                              |
|------------------|--------------------|---------------|--------------------------------------------------------------|
| spn_...          | campaign           | campaign      | an advertiser's campaign                                     |
| spn_...:nina     | campaign           | participation | a streamer in it: the monitored fields, and where it stands  |
| chk_...          | campaign           | check         | a run over all participations (monitoring)                   |
| platform         | campaign           | platform      | whether the platform is stopped (the kernel's)               |
| C                | participation#nina | -             | the list of a campaign's participations                      |
| streamer#nina    | C                  | -             | the list of a streamer's participations                      |
| owner#acme       | C                  | -             | the list of an advertiser's campaigns                        |
| tally#P#0        | tally              | -             | impressions and clicks of a shard; closed before it settles  |
| imp#P#a          | <viewer>           | -             | an impression: the row is the evidence; written by recording |
| refused#P        | <hour>#<reason>    | -             | refusals; written by recording                               |
| keys#C           | pool               | -             | how many G-Keys were loaded and taken                        |
| keys#C           | key#000001         | -             | a G-Key                                                      |
| keys#C           | hash#<sha256>      | -             | that a G-Key was loaded: doubles are refused                 |
| P                | statement          | -             | what it came to                                              |
| P                | adjustment#000007  | -             | an edit that was found or proposed, and who approved it      |
| adjustments      | <time>#P#000007    | -             | the list of open adjustments, the oldest first               |
| P                | refund#0001        | -             | a claim back, and who approved it                            |
| earned#USD#nina  | 2026-11-27         | -             | what a streamer earned in a currency on a day                |
| monitor          | api, stream, ...   | -             | what each detector saw last (monitoring): `MonitorItem`      |

Only the items of part `campaign` have `status` and `created_at`, so only they are in the indexes.
"""

from typing import Any, Self

from pynamodb.attributes import (
    BooleanAttribute,
    DiscriminatorAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
)

from sluice import chained
from sluice.chained import PART, ChainedAttributes
from sluice.dynamodb import EnumAttribute, NumbersAttribute, TableItem, TextsAttribute
from sponsorships.campaign import AtEnd, Keys, SponsorshipStatus, Viewers
from sponsorships.checkrun import CheckStatus
from sponsorships.impressions import ViewerPeriod
from sponsorships.participation import AdjustmentState, ParticipationStatus, PayWaiting, Why

TALLY = "tally"
POOL = "pool"
STATEMENT = "statement"
PARTICIPATION = "participation"
CHECK = "check"
LISTED = "participation#"


class SponsorshipsItem(TableItem):
    """The table. Each kind of item that is not a campaign's, a participation's or a check's has a model beside it."""

    class Meta(TableItem.Meta):
        pass


class ChainItem(SponsorshipsItem):
    """A campaign, a participation or a check run."""

    kind = DiscriminatorAttribute()


class ListedItem(chained.ListedItem):
    """The keys of a campaign, as the indexes project them; or an entry in a list."""

    class Meta(SponsorshipsItem.Meta):
        pass


class CampaignItem(ChainedAttributes, ChainItem, discriminator=PART):
    """A campaign; each attribute is the field of that name."""

    status = EnumAttribute(SponsorshipStatus)
    name = UnicodeAttribute()
    target_impressions = NumberAttribute()
    rate = UnicodeAttribute()
    currency = UnicodeAttribute()
    budget = NumberAttribute()
    milestones = NumbersAttribute()
    ends_at = UTCDateTimeAttribute()
    viewers = EnumAttribute(Viewers)
    viewer_period = EnumAttribute(ViewerPeriod)
    min_seconds = NumberAttribute()
    token_seconds = NumberAttribute()
    hold_hours = NumberAttribute()
    gkeys = EnumAttribute(Keys)
    at_end = EnumAttribute(AtEnd)
    pay = NumberAttribute()
    viewer_salt = UnicodeAttribute(null=True)
    started_at = UTCDateTimeAttribute(null=True)
    closed_at = UTCDateTimeAttribute(null=True)
    closing_after = UnicodeAttribute(null=True)
    closing_live = NumberAttribute()
    closing_looks = NumberAttribute()


class ParticipationItem(ChainedAttributes, ChainItem, discriminator=PARTICIPATION):
    """A participation; each attribute is the field of that name."""

    status = EnumAttribute(ParticipationStatus)
    campaign_id = UnicodeAttribute()
    streamer = UnicodeAttribute()
    why = EnumAttribute(Why, null=True)
    impressions = NumberAttribute(default=0)
    clicks = NumberAttribute(default=0)
    earnings = NumberAttribute(default=0)
    published_impressions = NumberAttribute(default=0)
    published_clicks = NumberAttribute(default=0)
    published_earnings = NumberAttribute(default=0)
    last_writer = UnicodeAttribute(default="")
    granted = NumberAttribute(default=0)
    reached = NumberAttribute(default=0)
    shards = NumberAttribute(default=1)
    key_number = NumberAttribute(null=True)
    detected_by = UnicodeAttribute(null=True)
    waiting_for = EnumAttribute(PayWaiting, null=True)
    paid = NumberAttribute(default=0)
    clawed = NumberAttribute(default=0)
    refunds = NumberAttribute(default=0)
    rejection_by = UnicodeAttribute(null=True)
    rejection_reason = UnicodeAttribute(null=True)


class CheckItem(ChainedAttributes, ChainItem, discriminator=CHECK):
    """A run over all participations; each attribute is the field of that name."""

    status = EnumAttribute(CheckStatus)
    deep = BooleanAttribute(default=False)
    stage = UnicodeAttribute()
    after_id = UnicodeAttribute(null=True)
    after_at = UnicodeAttribute(null=True)
    currencies = TextsAttribute()
    checked = NumberAttribute()
    settled = NumberAttribute()
    edited = NumberAttribute()
    corrected = NumberAttribute()
    failed = NumberAttribute()
    broken = NumberAttribute()
    problems = TextsAttribute()
    ended_at = UTCDateTimeAttribute(null=True)


class MonitorItem(SponsorshipsItem):
    """What a detector saw last, which run is going, and what the last look at the ledger said.

    | part                 |                                                             |
    |----------------------|-------------------------------------------------------------|
    | api, stream, sweep   | `completions` that this detector found, `last_at`           |
    | check                | `run`: the run that is going, or the last one               |
    | canary               | `last_at`, `before_at`: when the sweep wrote it, the last two times |
    | signal               | the canary's write that the stream brought: `last_at`, `lag_seconds` |
    | gap#2026-11-27T10    | `gaps` of an hour                                           |
    | conservation         | `last_at`, `is_ok`                                          |
    """

    last_at = UnicodeAttribute(null=True)
    before_at = UnicodeAttribute(null=True)
    run = UnicodeAttribute(null=True)
    completions = NumberAttribute(default=0)
    gaps = NumberAttribute(default=0)
    lag_seconds = NumberAttribute(null=True)
    is_ok = BooleanAttribute(null=True)


class TallyItem(SponsorshipsItem):
    """A shard of a participation's count. `closed` holds the step that closed it: nothing is counted after."""

    impressions = NumberAttribute(default=0)
    clicks = NumberAttribute(default=0)
    last_at = UnicodeAttribute(null=True)
    closed = NumberAttribute(null=True)


class RowItem(SponsorshipsItem):
    """An impression, as DynamoDB gives it: a count reads up to 100,000, and PynamoDB's attributes would be slow.

    The attributes by name are for the conditions and updates of a void.
    """

    voided = UnicodeAttribute(null=True)
    clicked_at = UnicodeAttribute(null=True)
    raw: dict[str, Any]

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        item = cls(data["id"]["S"], data["part"]["S"])
        item.raw = data
        return item


class RefusalsItem(SponsorshipsItem):
    """How many tokens were refused in an hour for a reason."""

    n = NumberAttribute(default=0)


class PoolItem(SponsorshipsItem):
    """How many G-Keys a campaign was given, and how many of them are promised."""

    loaded = NumberAttribute(default=0)
    taken = NumberAttribute(default=0)


class KeyItem(SponsorshipsItem):
    """A G-Key: `free`, `reserved` for a streamer, `unlocked`, or `moved` to the end of the pool."""

    secret = UnicodeAttribute()
    state = UnicodeAttribute()
    streamer = UnicodeAttribute(null=True)


class MarkerItem(SponsorshipsItem):
    """That a G-Key was loaded."""


class StatementItem(SponsorshipsItem):
    """What a participation came to; each attribute is the field of that name."""

    root = UnicodeAttribute()
    impressions = NumberAttribute()
    granted = NumberAttribute()
    overshoot = NumberAttribute()
    voided = NumberAttribute()
    refused = JSONAttribute()
    pay = NumberAttribute()
    entry = UnicodeAttribute()
    settled_at = UTCDateTimeAttribute()


class RefundItem(SponsorshipsItem):
    """A claim back. `state`: `open` or `paid`."""

    amount = NumberAttribute()
    reason = UnicodeAttribute()
    proposer = UnicodeAttribute()
    approver = UnicodeAttribute(null=True)
    state = UnicodeAttribute()
    entry = UnicodeAttribute(null=True)


class AdjustmentItem(SponsorshipsItem):
    """Impressions that a hand wrote or somebody proposed; each attribute is the field of that name."""

    delta = NumberAttribute()
    found_by = UnicodeAttribute()
    made_at = UnicodeAttribute()
    state = EnumAttribute(AdjustmentState)
    before = JSONAttribute()
    after = JSONAttribute()
    reason = UnicodeAttribute(null=True)
    proposer = UnicodeAttribute(null=True)
    approvers = UnicodeSetAttribute(null=True)
    decided_by = UnicodeAttribute(null=True)


class EarnedItem(SponsorshipsItem):
    """What a streamer earned in a currency on a day."""

    amount = NumberAttribute(default=0)
