"""The boosts table: campaigns, their batch rows, the months' use, and which campaigns a video has.

| id              | part             | kind     |                                                      |
|-----------------|------------------|----------|------------------------------------------------------|
| bst_...         | campaign         | campaign | the campaign itself                                  |
| bst_...         | batch#0000000007 | batch    | the views that step 7 added: the evidence            |
| usage#2026-11   | usage            | usage    | allotted, executed, d01..d31 over all campaigns      |
| video#abc123    | bst_...          | video    | so that a video's campaigns are found, newest first  |
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pynamodb.attributes import (
    Attribute,
    DiscriminatorAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.constants import STRING
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as UpdateAction
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.pagination import ResultIterator
from pynamodb.transactions import TransactWrite

from boosts.campaign import Action, Campaign, Change, Status, Waiting
from boosts.plan import Pattern
from boosts.usage import Limits, Usage, UsageChange
from sluice import audit, outbox, requests, totals
from sluice.dynamodb import Bound, Database, transient_as_unavailable

CONTENT_TYPE = "video"  # S1-1: boosts are of videos

_CAMPAIGN = "campaign"
_USAGE = "usage"

_EVENTS = {
    Action.CREATED: "BoostCreated",
    Action.STARTED: "BoostStarted",
    Action.PAUSED: "BoostPaused",
    Action.RESUMED: "BoostResumed",
    Action.CANCELLED: "BoostCancelled",
    Action.COMPLETED: "BoostCompleted",
    Action.FAILED: "BoostFailed",
}


class _EnumAttribute[E: StrEnum](Attribute[E]):
    attr_type = STRING

    def __init__(self, kind: type[E], *, null: bool = False) -> None:
        super().__init__(null=null)
        self._kind = kind

    def serialize(self, value: E) -> str:
        return str(value)

    def deserialize(self, value: str) -> E:
        return self._kind(value)


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


class CampaignItem(BoostsItem, discriminator=_CAMPAIGN):
    """A campaign; each attribute is the field of that name."""

    video_id = UnicodeAttribute()
    total_count = NumberAttribute()
    duration_days = NumberAttribute()
    pattern = _EnumAttribute(Pattern)
    daily_limit = NumberAttribute()
    created_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()
    created_by = UnicodeAttribute()
    status = _EnumAttribute(Status)
    executed_count = NumberAttribute()
    started_at = UTCDateTimeAttribute(null=True)
    ended_at = UTCDateTimeAttribute(null=True)
    failure_reason = UnicodeAttribute(null=True)
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
        return cls(values.pop("id"), _CAMPAIGN, **values)

    def campaign(self) -> Campaign:
        return Campaign(**{field.name: getattr(self, field.name) for field in fields(Campaign)})


class BatchItem(BoostsItem, discriminator="batch"):
    """The row that a batch leaves: the evidence behind the number."""

    video_id = UnicodeAttribute()
    views = NumberAttribute()
    committed_at = UTCDateTimeAttribute()


class UsageItem(BoostsItem, discriminator=_USAGE):
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


@dataclass(frozen=True)
class State:
    """All that a step is computed from, read at one moment."""

    campaign: Campaign
    usage: Usage


@dataclass(frozen=True)
class Place:
    """A place in a list of campaigns: after this one, which a video's list knows by its id alone."""

    campaign_id: str
    created_at: str

    @classmethod
    def of(cls, last_evaluated_key: dict[str, dict[str, str]] | None) -> "Place | None":
        if last_evaluated_key is None:
            return None
        key = {name: value["S"] for name, value in last_evaluated_key.items()}
        return cls(key["id"], key["created_at"]) if key["part"] == _CAMPAIGN else cls(key["part"], "")


@dataclass(frozen=True)
class Keyed:
    """A request with an Idempotency-Key, and how to answer it once the campaign is known."""

    request: requests.Request
    answer: Callable[[Campaign], requests.Answer]


class Store:
    """Reads campaigns and commits changes to them."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    def get(self, campaign_id: str) -> Campaign | None:
        """A campaign, by a consistent read."""
        return next(iter(self._campaigns([campaign_id])), None)

    def read(self, campaign_id: str, month: str) -> State | None:
        """A campaign and a month's use, in one consistent batch read."""
        with transient_as_unavailable():
            keys = [(campaign_id, _CAMPAIGN), (_usage_id(month), _USAGE)]
            items = list(BoostsItem.batch_get(keys, consistent_read=True))
        campaign = next((item.campaign() for item in items if isinstance(item, CampaignItem)), None)
        usage = next((item.usage() for item in items if isinstance(item, UsageItem)), Usage(month))
        return State(campaign, usage) if campaign else None

    def usage(self, month: str) -> Usage:
        """A month's use (`2026-11`), by a consistent read."""
        with transient_as_unavailable():
            items = list(UsageItem.batch_get([(_usage_id(month), _USAGE)], consistent_read=True))
        return items[0].usage() if items else Usage(month)

    def page(
        self, status: Status | None, video_id: str | None, limit: int, after: Place | None
    ) -> tuple[list[Campaign], Place | None]:
        """At most `limit` campaigns, newest first, beginning after a place; and the place to go on after, if any."""
        found: list[Campaign] = []
        while True:
            with transient_as_unavailable():
                rows = _newest_first(status, video_id, limit - len(found), after)
                ids = [row.part if video_id else row.id for row in rows]
                after = Place.of(rows.last_evaluated_key)
            # An index lags behind its table, and a video's rows know no status.
            found += [campaign for campaign in self._campaigns(ids) if status in (None, campaign.status)]
            if after is None or len(found) == limit:
                return found, after

    def commit(self, change: Change, actor: str, now: datetime, keyed: Keyed | None = None) -> Campaign | None:
        """Commit a change, all of it or nothing: the campaign as it is then, or None when a condition failed.

        The conditions: the campaign's step and status are as they were before, the caps hold, the key is new.
        """
        if not all(usage.fits(self._limits) for usage in change.usage):
            return None
        after = change.after
        entry = _entry(change, actor, now)
        if entry:
            after = replace(after, audit_number=entry.number, audit_hash=entry.hash)

        def fill(transaction: TransactWrite) -> None:
            if change.before is None:
                transaction.save(CampaignItem.of(after), condition=CampaignItem.id.does_not_exist())
                transaction.save(VideoItem(_video_id(after.video_id), after.id))
            else:
                transaction.update(CampaignItem.of(change.before), _differences(change.before, after), _as_read(change))
            if change.views:
                batch = BatchItem(after.id, f"batch#{after.step - 1:010d}", video_id=after.video_id)
                batch.views, batch.committed_at = change.views, now
                transaction.save(batch, condition=BatchItem.id.does_not_exist())
                totals.add_boosted(transaction, CONTENT_TYPE, after.video_id, change.views)
            for usage in change.usage:
                _add_usage(transaction, usage, self._limits)
            if entry and change.action:
                audit.write(transaction, entry)
                outbox.write(transaction, _EVENTS[change.action], _event(after), now)
            if keyed:
                requests.write(transaction, keyed.request, keyed.answer(after), now)

        return after if self._database.commit(fill) else None

    def _campaigns(self, ids: Iterable[str]) -> list[Campaign]:
        order = list(ids)
        with transient_as_unavailable():
            items = CampaignItem.batch_get([(each, _CAMPAIGN) for each in order], consistent_read=True)
            found = {item.id: item.campaign() for item in items}
        return [found[each] for each in order if each in found]


def _newest_first(status: Status | None, video_id: str | None, limit: int, after: Place | None) -> ResultIterator[Any]:
    def start(**key: str) -> dict[str, Any]:
        last = {name: {"S": value} for name, value in key.items()} if after else None
        return {"scan_index_forward": False, "limit": limit, "last_evaluated_key": last}

    campaign_id, created_at = (after.campaign_id, after.created_at) if after else ("", "")
    if video_id is not None:
        return VideoItem.query(_video_id(video_id), **start(id=_video_id(video_id), part=campaign_id))
    row = {"id": campaign_id, "part": _CAMPAIGN, "created_at": created_at}
    if status is not None:
        return ListedItem.by_status.query(status, **start(status=status, **row))
    return ListedItem.by_creation.query(_CAMPAIGN, **start(kind=_CAMPAIGN, **row))


def _as_read(change: Change) -> Condition:
    assert change.before is not None
    condition: Condition = (CampaignItem.step == change.before.step) & (CampaignItem.status == change.before.status)
    return condition


def _differences(before: Campaign, after: Campaign) -> list[UpdateAction]:
    """Sets what changed and leaves the rest alone, so that an older version keeps a newer one's attributes.

    `sweeps` is always set: the sweeper may have raised it since it was read.
    """
    actions: list[UpdateAction] = []
    for field in fields(Campaign):
        value = getattr(after, field.name)
        if field.name == "sweeps" or value != getattr(before, field.name):
            attribute = getattr(CampaignItem, field.name)
            actions.append(attribute.remove() if value is None else attribute.set(value))
    return actions


def _add_usage(transaction: TransactWrite, change: UsageChange, limits: Limits) -> None:
    """One update of a month's use, on condition of every cap that it touches.

    A counter that does not exist is written as such: in DynamoDB a comparison with a missing attribute is false.
    """
    actions: list[UpdateAction] = [UsageItem.kind.set(UsageItem)]
    condition: Condition | None = None

    def add(counter: NumberAttribute, views: int, cap: int) -> None:
        nonlocal condition
        actions.append(counter.add(views))
        fits = counter >= -views if views < 0 else counter.does_not_exist() | (counter <= cap - views)
        condition = fits if condition is None else condition & fits

    if change.allotted:
        add(UsageItem.allotted, change.allotted, limits.global_monthly_cap)
    if change.executed:
        add(UsageItem.executed, change.executed, limits.global_monthly_cap)
        add(UsageItem.day(change.day), change.executed, limits.max_per_day)
    transaction.update(UsageItem(_usage_id(change.month), _USAGE), actions, condition)


def _video_id(video_id: str) -> str:
    return f"video#{video_id}"


def _usage_id(month: str) -> str:
    return f"usage#{month}"


def _entry(change: Change, actor: str, now: datetime) -> audit.Entry | None:
    if change.action is None:
        return None
    after = change.after
    return audit.follow(
        audit.Head(after.audit_number, after.audit_hash),
        entity=after.id,
        action=change.action,
        actor=actor,
        now=now,
        before=_snapshot(change.before) if change.before else None,
        after=_snapshot(after) if change.before else _terms(after) | _snapshot(after),
    )


def _terms(campaign: Campaign) -> dict[str, Any]:
    names = ("video_id", "total_count", "duration_days", "pattern", "daily_limit")
    return {name: getattr(campaign, name) for name in names}


def _snapshot(campaign: Campaign) -> dict[str, Any]:
    snapshot: dict[str, Any] = {"status": campaign.status, "executed_count": campaign.executed_count}
    return snapshot | ({"failure_reason": campaign.failure_reason} if campaign.failure_reason else {})


def _event(campaign: Campaign) -> dict[str, Any]:
    return {"campaign_id": campaign.id} | _terms(campaign) | _snapshot(campaign)
