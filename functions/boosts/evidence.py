"""Checks a campaign's numbers against their evidence: batch rows, counters, promises and caps (S1-59)."""

from collections.abc import Iterable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from boosts.campaign import Campaign, Status
from boosts.plan import month_of
from boosts.store import CONTENT_TYPE, Store
from sluice import evidence, totals
from sluice.evidence import Check


def verify(store: Store, campaign: Campaign, zone: ZoneInfo) -> list[Check]:
    """Check a campaign's rows against its count, its videos' campaigns against their counters, and its months."""
    return evidence.verify(lambda: _look(store, store.get(campaign.id) or campaign, zone))


def _look(store: Store, campaign: Campaign, zone: ZoneInfo) -> list[Check]:
    rows = list(store.rows(campaign.id))
    checks = [Check("batch rows = executed - reverted", sum(row.views for row in rows), campaign.standing_count)]
    for video_id in campaign.video_ids:
        by_rows = sum(row.views_by_video.get(video_id, 0) for row in rows)
        found = campaign.standing_by_video()[video_id]
        checks.append(Check(f"batch rows = its share, video {video_id}", by_rows, found))
    for video_id in campaign.video_ids:
        campaigns = store.campaigns_of(video_id)
        standing = sum(each.standing_by_video()[video_id] for each in campaigns)
        boosted = totals.read_all([(CONTENT_TYPE, video_id)])[CONTENT_TYPE, video_id].boosted
        on_days = totals.read_boosted_days(CONTENT_TYPE, video_id, _worked_on(campaigns, zone))
        checks.append(Check(f"all its campaigns = boosted, video {video_id}", standing, boosted))
        checks.append(Check(f"all its days = boosted, video {video_id}", sum(on_days.values()), boosted))
    months = set(campaign.promised) | {month_of(row.committed_at.astimezone(zone).date()) for row in rows}
    holding = [each for status in (Status.RUNNING, Status.PAUSED) for each in store.in_status(status)]
    for month, usage in store.usages(months).items():
        promised = sum(each.promised.get(month, 0) for each in holding)
        claim = f"executed + promised to all campaigns = allotted, month {month}"
        checks.append(Check(claim, usage.executed + promised, usage.allotted))
    return checks


def _worked_on(campaigns: Iterable[Campaign], zone: ZoneInfo) -> set[date]:
    """The days on which a campaign can have moved a counter, and one day on each side: the zone may have changed."""
    days: set[date] = set()
    for each in campaigns:
        if each.started_at:
            first, last = (moment.astimezone(zone).date() for moment in (each.started_at, each.updated_at))
            days |= {first + timedelta(days=number) for number in range(-1, (last - first).days + 2)}
    return days
