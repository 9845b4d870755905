"""Reading campaigns, and committing changes to them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pynamodb.attributes import NumberAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as UpdateAction
from pynamodb.pagination import ResultIterator
from pynamodb.transactions import TransactWrite

from boosts.campaign import Action, Campaign, Change, Row, Status
from boosts.items import (
    CAMPAIGN,
    USAGE,
    BatchItem,
    BoostsItem,
    CampaignItem,
    ListedItem,
    StopItem,
    UsageItem,
    VideoItem,
)
from boosts.usage import Limits, Usage, UsageChange
from sluice import audit, outbox, platform, requests, totals
from sluice.clock import rfc3339
from sluice.dynamodb import Database, transient_as_unavailable
from sluice.platform import PlatformStatus

_BATCH = "batch#"
CONTENT_TYPE = "video"  # S1-1: boosts are of videos

_EVENTS = {
    Action.CREATED: "BoostCreated",
    Action.STARTED: "BoostStarted",
    Action.PAUSED: "BoostPaused",
    Action.RESUMED: "BoostResumed",
    Action.CANCELLED: "BoostCancelled",
    Action.COMPLETED: "BoostCompleted",
    Action.FAILED: "BoostFailed",
    Action.REVERT_STARTED: "BoostRevertStarted",
    Action.REVERTED: "BoostReverted",
}


@dataclass(frozen=True)
class State:
    """All that a step is computed from, read at one moment."""

    campaign: Campaign
    usage: Usage
    is_stopped: bool = False


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
        return cls(key["id"], key["created_at"]) if key["part"] == CAMPAIGN else cls(key["part"], "")


@dataclass(frozen=True)
class Keyed:
    """A request with an Idempotency-Key, and how to answer it once the campaign is known."""

    request: requests.Request
    answer: Callable[[Campaign], requests.Answer]


class Store:
    """Reads campaigns and commits changes to them. `zone` is that of the days."""

    def __init__(self, database: Database, limits: Limits, zone: ZoneInfo) -> None:
        self._database = database
        self._limits = limits
        self._zone = zone
        self._platform = platform.items_in(BoostsItem.Meta.table_name)

    def get(self, campaign_id: str) -> Campaign | None:
        """A campaign, by a consistent read."""
        return next(iter(self._campaigns([campaign_id])), None)

    def read(self, campaign_id: str, month: str) -> State | None:
        """A campaign, a month's use, and whether the platform is stopped, in one consistent batch read."""
        with transient_as_unavailable():
            keys = [(campaign_id, CAMPAIGN), (_usage_id(month), USAGE), (platform.ENTITY, platform.PART)]
            items = list(BoostsItem.batch_get(keys, consistent_read=True))
        campaign = next((item.campaign() for item in items if isinstance(item, CampaignItem)), None)
        usage = next((item.usage() for item in items if isinstance(item, UsageItem)), Usage(month))
        is_stopped = any(isinstance(item, StopItem) and item.status == PlatformStatus.STOPPED for item in items)
        return State(campaign, usage, is_stopped) if campaign else None

    def is_stopped(self) -> bool:
        """Whether the platform is stopped, by a consistent read."""
        with transient_as_unavailable():
            items = self._platform.batch_get([(platform.ENTITY, platform.PART)], consistent_read=True)
            return any(item.status == PlatformStatus.STOPPED for item in items)

    def usages(self, months: Iterable[str]) -> dict[str, Usage]:
        """The use of several months, by a consistent read."""
        wanted = list(months)
        with transient_as_unavailable():
            items = list(UsageItem.batch_get([(_usage_id(each), USAGE) for each in wanted], consistent_read=True))
        return {each: Usage(each) for each in wanted} | {item.usage().month: item.usage() for item in items}

    def lacking(self, change: Change) -> str | None:
        """Which month cannot hold its part of a promise, and why; None when all can."""
        needs = {usage.month: usage.allotted for usage in change.usage if usage.allotted > 0}
        for month, usage in self.usages(needs).items():
            left = max(0, self._limits.global_monthly_cap - usage.allotted)
            if needs[month] > left:
                return (
                    f"Monthly cap of {self._limits.global_monthly_cap} leaves {left} views in {month}, "
                    f"and the campaign needs {needs[month]}: wait, or cancel what holds them"
                )
        return None

    def usage(self, month: str) -> Usage:
        """A month's use (`2026-11`), by a consistent read."""
        return self.usages([month])[month]

    def rows(self, campaign_id: str, after_step: int | None = None, limit: int | None = None) -> Iterator[Row]:
        """A campaign's batch rows in order, beginning after a step; a consistent read."""
        after = None if after_step is None else {"id": {"S": campaign_id}, "part": {"S": _row_part(after_step)}}
        with transient_as_unavailable():
            of_batches = BatchItem.part.startswith(_BATCH)
            items = BatchItem.query(
                campaign_id, of_batches, consistent_read=True, last_evaluated_key=after, limit=limit
            )
            for item in items:
                step = int(item.part.removeprefix(_BATCH))
                yield Row(step, int(item.views), item.views_by_video, int(item.plan_day), item.committed_at)

    def campaigns_of(self, video_id: str) -> list[Campaign]:
        """All campaigns of a video."""
        with transient_as_unavailable():
            ids = [row.part for row in VideoItem.query(_video_id(video_id), consistent_read=True)]
        return self._campaigns(ids)

    def in_status(self, status: Status) -> list[Campaign]:
        """All campaigns in a status; those that the index does not list yet are missing."""
        with transient_as_unavailable():
            ids = [row.id for row in ListedItem.by_status.query(status)]
        return [campaign for campaign in self._campaigns(ids) if campaign.status is status]

    def boosted(self, video_id: str) -> int:
        """A video's boosted counter, by a consistent read."""
        return totals.read(CONTENT_TYPE, video_id).boosted

    def boosted_on(self, video_id: str, days: Iterable[date]) -> int:
        """The sum of a video's boosted counters of some days, by a consistent read."""
        return sum(totals.read_boosted_days(CONTENT_TYPE, video_id, days).values())

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

        The conditions: the campaign's step and status are as they were before, the caps hold, the key is new, and for a
        batch the platform is open.
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
                for video_id in after.video_ids:
                    transaction.save(VideoItem(_video_id(video_id), after.id))
            else:
                transaction.update(CampaignItem.of(change.before), _differences(change.before, after), _as_read(change))
            if change.is_batch:
                platform.require_open(transaction, self._platform)
                _add_views(transaction, change, now, now.astimezone(self._zone).date())
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
            items = CampaignItem.batch_get([(each, CAMPAIGN) for each in order], consistent_read=True)
            found = {item.id: item.campaign() for item in items}
        return [found[each] for each in order if each in found]


def _newest_first(status: Status | None, video_id: str | None, limit: int, after: Place | None) -> ResultIterator[Any]:
    def start(**key: str) -> dict[str, Any]:
        last = {name: {"S": value} for name, value in key.items()} if after else None
        return {"scan_index_forward": False, "limit": limit, "last_evaluated_key": last}

    campaign_id, created_at = (after.campaign_id, after.created_at) if after else ("", "")
    if video_id is not None:
        return VideoItem.query(_video_id(video_id), **start(id=_video_id(video_id), part=campaign_id))
    row = {"id": campaign_id, "part": CAMPAIGN, "created_at": created_at}
    if status is not None:
        return ListedItem.by_status.query(status, **start(status=status, **row))
    return ListedItem.by_creation.query(CAMPAIGN, **start(kind=CAMPAIGN, **row))


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


def _add_views(transaction: TransactWrite, change: Change, now: datetime, day: date) -> None:
    """To the videos' counters and those of the day, with a row as evidence."""
    after, moves = change.after, change.views_by_video()
    row = BatchItem(after.id, _row_part(after.step - 1), views=sum(moves.values()), views_by_video=moves)
    row.plan_day, row.committed_at = after.plan_day, now
    transaction.save(row, condition=BatchItem.id.does_not_exist())
    for video_id, views in moves.items():
        totals.add_boosted(transaction, CONTENT_TYPE, video_id, views, day)


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
    transaction.update(UsageItem(_usage_id(change.month), USAGE), actions, condition)


def _row_part(step: int) -> str:
    return f"{_BATCH}{step:010d}"


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
    names = ("video_ids", "total_count", "duration_days", "pattern", "daily_limit")
    terms = {name: getattr(campaign, name) for name in names} | {"video_ids": list(campaign.video_ids)}
    return terms | ({"scheduled_for": rfc3339(campaign.scheduled_for)} if campaign.scheduled_for else {})


def _snapshot(campaign: Campaign) -> dict[str, Any]:
    snapshot: dict[str, Any] = {"status": campaign.status, "executed_count": campaign.executed_count}
    told = ("failure_reason", "revert_reason", "reverted_count")
    return snapshot | {name: getattr(campaign, name) for name in told if getattr(campaign, name)}


def _event(campaign: Campaign) -> dict[str, Any]:
    return {"campaign_id": campaign.id} | _terms(campaign) | _snapshot(campaign)
