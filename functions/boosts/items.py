"""The items of the boosts table.

| id              | part             | kind     |                                                      |
|-----------------|------------------|----------|------------------------------------------------------|
| bst_...         | campaign         | campaign | the campaign itself                                  |
| bst_...         | batch#0000000007 | batch    | the views that step 7 added: the evidence            |
| usage#2026-11   | usage            | usage    | allotted, executed, d01..d31, r01..r31 over all      |
|                 |                  |          | campaigns: `sluice.boosts` has the days        |
| video#abc123    | bst_...          | video    | so that a video's campaigns are found, newest first  |
| platform        | campaign         | platform | whether the platform is stopped (the kernel's)       |
"""

from pynamodb.attributes import (
    DiscriminatorAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)

from boosts.campaign import Status, Waiting
from boosts.plan import Pattern
from boosts.usage import Usage
from sluice import chained
from sluice.boosts import USAGE, DayAttributes
from sluice.chained import PART, ChainedAttributes
from sluice.dynamodb import DateAttribute, EnumAttribute, TableItem, TextsAttribute


class BoostsItem(TableItem):
    """Any item of the table; one batch read may bring several kinds."""

    class Meta(TableItem.Meta):
        pass

    kind = DiscriminatorAttribute()


class ListedItem(chained.ListedItem):
    """The keys of a campaign, as the indexes project them."""

    class Meta(BoostsItem.Meta):
        pass


class CampaignItem(ChainedAttributes, BoostsItem, discriminator=PART):
    """A campaign; each attribute is the field of that name."""

    status = EnumAttribute(Status)
    video_ids = TextsAttribute()
    total_count = NumberAttribute()
    duration_days = NumberAttribute()
    pattern = EnumAttribute(Pattern)
    daily_limit = NumberAttribute()
    executed_count = NumberAttribute()
    reverted_count = NumberAttribute()
    scheduled_for = UTCDateTimeAttribute(null=True)
    started_at = UTCDateTimeAttribute(null=True)
    ended_at = UTCDateTimeAttribute(null=True)
    failure_reason = UnicodeAttribute(null=True)
    revert_reason = UnicodeAttribute(null=True)
    plan_day = NumberAttribute()
    plan_date = DateAttribute(null=True)
    done_today = NumberAttribute()
    batches_done = NumberAttribute()
    waiting_for = EnumAttribute(Waiting, null=True)
    promised = JSONAttribute()
    running_since = UTCDateTimeAttribute(null=True)
    active_seconds = NumberAttribute()


class BatchItem(BoostsItem, discriminator="batch"):
    """The row of a batch: the evidence for its views. Views below 0 were taken back."""

    views = NumberAttribute()
    views_by_video = JSONAttribute()
    plan_day = NumberAttribute()
    committed_at = UTCDateTimeAttribute()


class UsageItem(DayAttributes, BoostsItem, discriminator=USAGE):
    """A month's use."""

    allotted = NumberAttribute(default=0)
    executed = NumberAttribute(default=0)

    def usage(self) -> Usage:
        days = {number: getattr(self, f"d{number:02d}") for number in range(1, 32)}
        return Usage(
            self.id.removeprefix("usage#"),
            int(self.allotted),
            int(self.executed),
            {number: views for number, views in days.items() if views},
        )


class VideoItem(BoostsItem, discriminator="video"):
    """An entry in the list of a video's campaigns."""
