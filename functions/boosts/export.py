"""CSV of campaigns and of a campaign's batches (S1-61)."""

from collections.abc import Iterable

from boosts.campaign import BatchRow, Campaign
from sluice import exports
from sluice.clock import rfc3339

_CAMPAIGN_COLUMNS = (
    "id",
    "video_ids",
    "total_count",
    "executed_count",
    "remaining_count",
    "reverted_count",
    "duration_days",
    "pattern",
    "daily_limit",
    "status",
    "scheduled_for",
    "started_at",
    "ended_at",
    "created_at",
    "updated_at",
    "created_by",
    "failure_reason",
    "revert_reason",
)
_TIMES = frozenset({"scheduled_for", "started_at", "ended_at", "created_at", "updated_at"})
_BATCH_COLUMNS = ("campaign_id", "step", "video_id", "views", "plan_day", "committed_at")


def campaigns_csv(campaigns: Iterable[Campaign], *, with_header: bool) -> str:
    """A line per campaign; its videos are separated by spaces."""
    lines = ([_cell(each, name) for name in _CAMPAIGN_COLUMNS] for each in campaigns)
    return exports.text_of(_CAMPAIGN_COLUMNS, lines, with_header=with_header)


def batches_csv(campaign_id: str, rows: Iterable[BatchRow], *, with_header: bool) -> str:
    """A line per batch and video. Views below 0 were taken back."""
    lines = (
        [campaign_id, row.step, video_id, views, row.plan_day, rfc3339(row.committed_at)]
        for row in rows
        for video_id, views in row.views_by_video.items()
    )
    return exports.text_of(_BATCH_COLUMNS, lines, with_header=with_header)


def _cell(campaign: Campaign, name: str) -> object:
    value = getattr(campaign, name)
    if name == "video_ids":
        return " ".join(value)
    if name in _TIMES:
        return rfc3339(value) if value else ""
    return value
