"""The items of the boosts table.

| id              | part                | kind     |                                                           |
|-----------------|---------------------|----------|-----------------------------------------------------------|
| bst_...         | campaign            | campaign | the campaign itself                                       |
| bst_...         | batch#0000000007#00 | batch    | what step 7 added to its first video: the evidence        |
| usage#2026-11   | usage               | usage    | allotted, executed, d01..d31 over all campaigns           |
| video#abc123    | bst_...             | video    | so that a video's campaigns are found, newest first       |
| platform        | campaign            | platform | whether the platform is stopped (the kernel's)            |
"""

from dataclasses import fields
from datetime import date
from enum import StrEnum

from pynamodb.attributes import (
    Attribute,
    DiscriminatorAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.constants import LIST, STRING
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from boosts.campaign import Campaign, Status, Waiting
from boosts.plan import Pattern
from boosts.usage import Usage
from sluice import platform
from sluice.dynamodb import Bound

CAMPAIGN = "campaign"
USAGE = "usage"


class _EnumAttribute[E: StrEnum](Attribute[E]):
    attr_type = STRING

    def __init__(self, kind: type[E], *, null: bool = False) -> None:
        super().__init__(null=null)
        self._kind = kind

    def serialize(self, value: E) -> str:
        return str(value)

    def deserialize(self, value: str) -> E:
        return self._kind(value)


class _TextsAttribute(Attribute[tuple[str, ...]]):
    attr_type = LIST

    def serialize(self, value: tuple[str, ...]) -> list[dict[str, str]]:
        return [{STRING: each} for each in value]

    def deserialize(self, value: list[dict[str, str]]) -> tuple[str, ...]:
        return tuple(each[STRING] for each in value)


class _DateAttribute(Attribute[date]):
    attr_type = STRING

    def serialize(self, value: date) -> str:
        return value.isoformat()

    def deserialize(self, value: str) -> date:
        return date.fromisoformat(value)


class _ByCreation(GlobalSecondaryIndex["ListedItem"]):
    class Meta:
        index_name = "by_creation"
        projection = KeysOnlyProjection()

    kind = UnicodeAttribute(hash_key=True)
    created_at = UTCDateTimeAttribute(range_key=True)


class _ByStatus(GlobalSecondaryIndex["ListedItem"]):
    class Meta:
        index_name = "by_status"
        projection = KeysOnlyProjection()

    status = UnicodeAttribute(hash_key=True)
    created_at = UTCDateTimeAttribute(range_key=True)


class BoostsItem(Bound):
    """Any item of the table; one batch read may bring several kinds."""

    class Meta(Bound.Meta):
        pass

    id = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    kind = DiscriminatorAttribute()


class ListedItem(Bound):
    """A campaign's keys, as the indexes project them.

    Not a BoostsItem: PynamoDB would filter its queries by `kind`, which one index does not project, and which in the
    other is a key, by which DynamoDB does not filter.
    """

    Meta = BoostsItem.Meta
    id = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    by_creation = _ByCreation()
    by_status = _ByStatus()


class CampaignItem(BoostsItem, discriminator=CAMPAIGN):
    """A campaign; each attribute is the field of that name."""

    video_ids = _TextsAttribute()
    total_count = NumberAttribute()
    duration_days = NumberAttribute()
    pattern = _EnumAttribute(Pattern)
    daily_limit = NumberAttribute()
    created_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()
    created_by = UnicodeAttribute()
    status = _EnumAttribute(Status)
    executed_count = NumberAttribute()
    reverted_count = NumberAttribute()
    scheduled_for = UTCDateTimeAttribute(null=True)
    started_at = UTCDateTimeAttribute(null=True)
    ended_at = UTCDateTimeAttribute(null=True)
    failure_reason = UnicodeAttribute(null=True)
    revert_reason = UnicodeAttribute(null=True)
    step = NumberAttribute()
    wake_at = UTCDateTimeAttribute(null=True)
    committed_by = UnicodeAttribute(null=True)
    steps_done = NumberAttribute()
    max_steps = NumberAttribute()
    sweeps = NumberAttribute()
    request = UnicodeAttribute(null=True)
    plan_day = NumberAttribute()
    plan_date = _DateAttribute(null=True)
    done_today = NumberAttribute()
    batches_done = NumberAttribute()
    waiting_for = _EnumAttribute(Waiting, null=True)
    promised = JSONAttribute()
    running_since = UTCDateTimeAttribute(null=True)
    active_seconds = NumberAttribute()
    audit_number = NumberAttribute()
    audit_hash = UnicodeAttribute()

    @classmethod
    def of(cls, campaign: Campaign) -> "CampaignItem":
        values = {field.name: getattr(campaign, field.name) for field in fields(Campaign)}
        return cls(values.pop("id"), CAMPAIGN, **values)

    def campaign(self) -> Campaign:
        return Campaign(**{field.name: getattr(self, field.name) for field in fields(Campaign)})


class BatchItem(BoostsItem, discriminator="batch"):
    """What a batch leaves for each of its videos: the evidence behind the number. `views` < 0 were taken back."""

    video_id = UnicodeAttribute()
    views = NumberAttribute()
    plan_day = NumberAttribute()
    committed_at = UTCDateTimeAttribute()


class UsageItem(BoostsItem, discriminator=USAGE):
    """A month's use. The day counters are flat, because ADD into a missing map is an error."""

    allotted = NumberAttribute(default=0)
    executed = NumberAttribute(default=0)
    # PynamoDB drops what is not declared.
    d01, d02, d03, d04, d05, d06, d07, d08 = (NumberAttribute(null=True) for _ in range(8))
    d09, d10, d11, d12, d13, d14, d15, d16 = (NumberAttribute(null=True) for _ in range(8))
    d17, d18, d19, d20, d21, d22, d23, d24 = (NumberAttribute(null=True) for _ in range(8))
    d25, d26, d27, d28, d29, d30, d31 = (NumberAttribute(null=True) for _ in range(7))

    @classmethod
    def day(cls, number: int) -> NumberAttribute:
        counter: NumberAttribute = getattr(cls, f"d{number:02d}")
        return counter

    def usage(self) -> Usage:
        days = {number: getattr(self, f"d{number:02d}") for number in range(1, 32)}
        return Usage(
            self.id.removeprefix("usage#"),
            int(self.allotted),
            int(self.executed),
            {number: views for number, views in days.items() if views},
        )


class VideoItem(BoostsItem, discriminator="video"):
    """That a campaign is of a video."""


class StopItem(BoostsItem, discriminator=platform.ENTITY):
    """Whether the platform is stopped, as a step reads it with its campaign."""

    status = UnicodeAttribute()
