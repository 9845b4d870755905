"""Reading campaigns, and committing changes to them."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pynamodb.attributes import NumberAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as UpdateAction
from pynamodb.transactions import TransactWrite

from boosts.campaign import Action, BatchRow, Campaign, Change, RowPlace, Status
from boosts.items import BatchItem, CampaignItem, ListedItem, UsageItem, VideoItem
from boosts.usage import Limits, Usage, UsageChange
from sluice import totals
from sluice.boosts import USAGE, usage_id
from sluice.campaign import State
from sluice.chained import PART
from sluice.clock import rfc3339
from sluice.dynamodb import Database, page_of, transient_as_unavailable
from sluice.store import ChainStore, Listing

_BATCH = "batch#"
CONTENT_TYPE = "video"  # S1-1: boosts are of videos

EVENTS = {
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


class Store(ChainStore[Campaign, Change]):
    """Reads campaigns and commits changes to them. `zone` says when a day begins."""

    kind = Campaign
    items = CampaignItem
    events = EVENTS
    restored = "FAKE_VIEWS_CAMPAIGN_RESTORED"

    def __init__(self, database: Database, limits: Limits, zone: ZoneInfo) -> None:
        super().__init__(database)
        self._limits = limits
        self._zone = zone

    def read(self, campaign_id: str, month: str) -> State[Campaign] | None:
        """A campaign, a month's use, and whether the platform is stopped, in one consistent batch read."""
        return self.read_with(campaign_id, {(usage_id(month), USAGE): UsageItem})

    def usage_in(self, state: State[Campaign], month: str) -> Usage:
        """The month's use, as `read` found it."""
        item = state.beside.get((usage_id(month), USAGE))
        return item.usage() if item else Usage(month)

    def usages(self, months: Iterable[str]) -> dict[str, Usage]:
        """The use of several months, by a consistent read."""
        wanted = list(months)
        with transient_as_unavailable():
            items = list(UsageItem.batch_get([(usage_id(each), USAGE) for each in wanted], consistent_read=True))
        return {each: Usage(each) for each in wanted} | {item.usage().month: item.usage() for item in items}

    def lacking(self, change: Change) -> str | None:
        """The month that cannot hold its part of a promise, and why, as a message; None if every month can."""
        needs = {usage.month: usage.allotted for usage in change.usage if usage.allotted > 0}
        for month, usage in self.usages(needs).items():
            left = usage.left(self._limits)
            if needs[month] > left:
                return (
                    f"Monthly cap of {self._limits.global_monthly_cap} leaves {left} views in {month}, "
                    f"and the campaign needs {needs[month]}: wait, or cancel what holds them"
                )
        return None

    def usage(self, month: str) -> Usage:
        """A month's use (`2026-11`), by a consistent read."""
        return self.usages([month])[month]

    def rows(self, campaign_id: str) -> list[BatchRow]:
        """All batch rows of a campaign in order; a consistent read."""
        return self.page_of_rows(campaign_id)[0]

    def page_of_rows(
        self, campaign_id: str, limit: int | None = None, after: RowPlace | None = None
    ) -> tuple[list[BatchRow], RowPlace | None]:
        """At most `limit` batch rows of a campaign in order, from after a place; and the place of the next page."""
        last = _row_part(after.step) if after else None
        found, following = page_of(BatchItem, _row, campaign_id, _BATCH, limit, last)
        return found, RowPlace(_step_of(following)) if following else None

    def campaigns_of(self, video_id: str) -> list[Campaign]:
        """All campaigns of a video."""
        with transient_as_unavailable():
            ids = [row.part for row in VideoItem.query(_video_id(video_id), consistent_read=True)]
        return self.get_all(ids)

    def in_status(self, status: Status) -> list[Campaign]:
        """All campaigns in a status, without campaigns that the index does not list yet."""
        with transient_as_unavailable():
            ids = [row.id for row in ListedItem.by_status.query(status)]
        return [campaign for campaign in self.get_all(ids) if campaign.status is status]

    def fits(self, change: Change) -> bool:
        """Whether each of its additions fits an unused month."""
        return all(usage.fits(self._limits) for usage in change.usage)

    def also(self, transaction: TransactWrite, change: Change, after: Campaign, now: datetime) -> None:
        """The videos' lists of campaigns, a batch's row and counters, and the months' use on condition of the caps."""
        if change.before is None:
            for video_id in after.video_ids:
                transaction.save(VideoItem(_video_id(video_id), after.id))
        if change.is_batch:
            _add_views(transaction, change, now, now.astimezone(self._zone).date())
        for usage in change.usage:
            _add_usage(transaction, usage, self._limits)

    def terms(self, campaign: Campaign) -> dict[str, Any]:
        names = ("video_ids", "total_count", "duration_days", "pattern", "daily_limit")
        terms = {name: getattr(campaign, name) for name in names} | {"video_ids": list(campaign.video_ids)}
        return terms | ({"scheduled_for": rfc3339(campaign.scheduled_for)} if campaign.scheduled_for else {})

    def snapshot(self, campaign: Campaign) -> dict[str, Any]:
        snapshot: dict[str, Any] = {"status": campaign.status, "executed_count": campaign.executed_count}
        told = ("failure_reason", "revert_reason", "reverted_count")
        return snapshot | {name: getattr(campaign, name) for name in told if getattr(campaign, name)}

    def told(self, campaign: Campaign) -> dict[str, Any]:
        return {"campaign_id": campaign.id} | self.terms(campaign) | self.snapshot(campaign)


def listed_by(status: Status | None, video_id: str | None) -> Listing:
    """Where the campaigns of a video are listed, or those in a status, or all."""
    if video_id is not None:
        return Listing(VideoItem.query, _video_id(video_id))
    if status is not None:
        return Listing(ListedItem.by_status.query, status, "status")
    return Listing(ListedItem.by_creation.query, PART, "kind")


def _add_views(transaction: TransactWrite, change: Change, now: datetime, day: date) -> None:
    """Add a batch to the videos' counters, in total and of the day, with a row as evidence."""
    after, moves = change.after, change.views_by_video()
    row = BatchItem(after.id, _row_part(after.step - 1), views=sum(moves.values()), views_by_video=moves)
    row.plan_day, row.committed_at = after.plan_day, now
    transaction.save(row, condition=BatchItem.id.does_not_exist())
    for video_id, views in moves.items():
        totals.add_boosted(transaction, CONTENT_TYPE, video_id, views, day)


def _add_usage(transaction: TransactWrite, change: UsageChange, limits: Limits) -> None:
    """Update a month's use once, on condition of every cap that it touches.

    The condition names the missing counter: in DynamoDB a comparison with a missing attribute is false.
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
        add(UsageItem.executed_on(change.day), change.executed, limits.max_per_day)
    if change.taken_back:
        actions.append(UsageItem.taken_back_on(change.day).add(change.taken_back))
    transaction.update(UsageItem(usage_id(change.month), USAGE), actions, condition)


def _row(item: BatchItem) -> BatchRow:
    return BatchRow(_step_of(item.part), int(item.views), item.views_by_video, int(item.plan_day), item.committed_at)


def _row_part(step: int) -> str:
    return f"{_BATCH}{step:010d}"


def _step_of(part: str) -> int:
    return int(part.removeprefix(_BATCH))


def _video_id(video_id: str) -> str:
    return f"video#{video_id}"
