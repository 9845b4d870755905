"""Engagement tracking (S4-11, S4-12): the metrics of all running promotions, up to 100 posts by one request.

It is not a chain, because chains could not share a read. A schedule runs it every minute, and the next run does what a
failed run left. Two runs at once cost a read, and never a wrong number: a row is written on condition that it is
tracked, and due as it was read.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched

from aws_lambda_powertools import Logger

from promotions.items import INTERVAL_SECONDS
from promotions.outside import Networks, NotConnected
from promotions.ports import NOT_CONNECTED, RATE_LIMITED, Metrics, Missing, NotReadable
from promotions.tracking import rows
from promotions.tracking.rows import Tracked
from sluice.clock import Clock
from sluice.errors import Conflicting, NotFound, Unavailable

logger = Logger(child=True)

MOST_ROWS = 500
LONGEST = timedelta(hours=1)
_PATIENCE = 3
"""After so many readings without a change the interval doubles; after so many misses a post counts as gone."""


@dataclass
class Report:
    """The counts of a run."""

    due: int = 0
    read: int = 0
    changed: int = 0
    failed: int = 0
    closed: int = 0


@dataclass(frozen=True)
class Tracker:
    """Reads the metrics that are due."""

    networks: Networks
    close: Callable[[str], object]
    """Closes a promotion whose metric reached its number. Raises Conflicting, NotFound, Unavailable."""
    clock: Clock

    def run(self) -> Report:
        """Read what is due, oldest first. An error of one promotion stops no other."""
        due = rows.due(self.clock.now(), MOST_ROWS)
        report = Report(due=len(due))
        hosts: defaultdict[tuple[str, str], list[Tracked]] = defaultdict(list)
        for row in due:
            hosts[row.network, row.host].append(row)
        for (network, _), of_host in hosts.items():
            posts = self.networks.policy(network).batch
            for some in batched(of_host, max(1, posts // 2), strict=False):  # of two posts each
                self._read(network, some, report)
        return report

    def _read(self, network: str, some: Sequence[Tracked], report: Report) -> None:
        try:
            found = self._metrics(network, some)
        except NotReadable as error:
            if error.reason != RATE_LIMITED:  # without a token they stay due, and the next window takes them
                self._failed(some, error, report)
            return
        except Exception as error:  # whatever it is: it stops no other network
            self._failed(some, error, report)
            return
        for row in some:
            try:
                self._note(row, found, report)
            except Exception as error:  # whatever it is: it stops no other promotion
                self._failed([row], error, report)

    def _metrics(self, network: str, some: Sequence[Tracked]) -> Mapping[str, Metrics | Missing]:
        """The metrics of several owners' posts, with the token of the first owner whose token the network takes."""
        ids, host = [post_id for row in some for post_id in row.post_ids], some[0].host
        for owner in dict.fromkeys(row.owner for row in some):
            try:
                return self.networks.publisher(network, owner, host).metrics(ids)
            except NotConnected:
                continue
            except NotReadable as error:
                if error.reason != NOT_CONNECTED:
                    raise
                self.networks.revoked(network, owner)
        raise NotReadable(NOT_CONNECTED)

    def _note(self, row: Tracked, found: Mapping[str, Metrics | Missing], report: Report) -> None:
        now = self.clock.now()
        after = followed(row, found, now)
        if not rows.write(row, after):
            logger.info("Not written: it closes, or another run was first", campaign_id=row.id)
            return
        report.read += 1
        if after.metrics and after.metrics != row.metrics:
            report.changed += 1
            rows.keep(after, now)
        if after.is_triggered:
            self._close(row, report)

    def _close(self, row: Tracked, report: Report) -> None:
        """A metric reached its number: the promotion closes by the close command, so once."""
        try:
            self.close(row.id)
        except (Conflicting, NotFound) as error:
            logger.info("Not closed", campaign_id=row.id, reason=str(error))
        else:
            report.closed += 1

    def _failed(self, some: Iterable[Tracked], error: Exception, report: Report) -> None:
        """One line for each promotion, in the source's words (S4-12), and the next reading at its usual time."""
        for row in some:
            report.failed += 1
            logger.error(f"Engagement tracking error for campaign {row.id}: {error}", exc_info=error)
            later = replace(row, errors=row.errors + 1, track_at=next_at(row, row.interval, self.clock.now()))
            try:
                rows.write(row, later)
            except Unavailable:
                logger.exception("Left due", campaign_id=row.id)


def followed(row: Tracked, found: Mapping[str, Metrics | Missing], now: datetime) -> Tracked:
    """A row after a reading: unchanged three times, it is read half as often, down to once an hour. Pure.

    Its times step from its own, so they do not drift.
    """
    there = [read for each in row.post_ids if isinstance(read := found[each], Metrics)]
    metrics = {name: sum(getattr(each, name) for each in there) for name in vars(Metrics())}
    if isinstance(found[row.post_ids[0]], Missing):
        misses = row.misses + 1
        is_missing = row.missing or misses >= _PATIENCE
        interval = int(LONGEST.total_seconds()) if is_missing else row.interval
        return replace(row, misses=misses, missing=is_missing, errors=0, track_at=next_at(row, interval, now))
    if metrics != row.metrics:
        interval, unchanged = INTERVAL_SECONDS, 0
    else:
        unchanged = row.unchanged + 1
        doubled = min(row.interval * 2, int(LONGEST.total_seconds()))
        interval, unchanged = (doubled, 0) if unchanged >= _PATIENCE else (row.interval, unchanged)
    return replace(
        row,
        metrics=metrics,
        read_at=now,
        interval=interval,
        unchanged=unchanged,
        errors=0,
        misses=0,
        missing=False,
        track_at=next_at(row, interval, now),
    )


def next_at(row: Tracked, interval: int, now: datetime) -> datetime:
    """The next time of a row, from its last one; after an outage from now, so that readings are not made up for."""
    following = row.track_at + timedelta(seconds=interval)
    return following if following > now else now + timedelta(seconds=interval)
