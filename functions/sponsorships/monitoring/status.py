"""How completions are detected and settled: what the monitor, the queues and the index say at this moment."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sluice.clock import Clock
from sluice.dynamodb import transient_as_unavailable
from sluice.queues import depth
from sponsorships import adjustments, monitor
from sponsorships.detection import STREAM, SWEEP
from sponsorships.edits import API
from sponsorships.items import ListedItem, MonitorItem
from sponsorships.monitor import CANARY, CONSERVATION, SIGNAL
from sponsorships.monitoring.commands import Runs
from sponsorships.monitoring.schemas import (
    CheckRunResource,
    ConservationResource,
    CountsResource,
    DetectorResource,
    Detectors,
    GapsResource,
    MonitoringHealth,
    QueueResource,
    QueuesResource,
    StatusResource,
    StreamResource,
    SweepResource,
)

MOST_COUNTED = 1000
_RATE = re.compile(r"rate\(([0-9]+) minutes?\)")


@dataclass(frozen=True)
class QueueUrls:
    """A queue and its dead letters."""

    queue: str
    dead_letters: str


@dataclass(frozen=True)
class Monitoring:
    """Reads what there is to know about detection."""

    runs: Runs
    sqs: Any
    """botocore's client of SQS."""
    checks: QueueUrls
    steps: QueueUrls
    stream_dead_letters: str
    sweep_rate: str
    clock: Clock

    def status(self) -> StatusResource:
        """The status of detection. Raises Unavailable."""
        now = self.clock.now()
        seen = monitor.read(API, STREAM, SWEEP, CANARY, SIGNAL, CONSERVATION)
        gaps, run, canary, signal = monitor.gaps(now), self.runs.last(), seen[CANARY], seen[SIGNAL]
        swept_at, conservation = _moment(canary.last_at), seen[CONSERVATION]
        is_silent = monitor.is_silent(canary, signal)
        queues = QueuesResource(checks=self._queue(self.checks), steps=self._queue(self.steps))
        given_up = self._dead(self.stream_dead_letters)
        is_late = swept_at is not None and now - swept_at > 3 * self._period
        dead = queues.checks.dead + queues.steps.dead + given_up
        is_degraded = gaps.last_24h or dead or is_late or conservation.is_ok is False
        health: MonitoringHealth = "disconnected" if is_silent else "degraded" if is_degraded else "ok"
        return StatusResource(
            status=health,
            stream=StreamResource(
                enabled=signal.last_at is not None and not is_silent,
                last_record_at=_moment(signal.last_at),
                canary_age_seconds=round((now - swept_at).total_seconds()) if swept_at else None,
                lag_seconds=None if signal.lag_seconds is None else int(signal.lag_seconds),
                dead_letters=given_up,
            ),
            detectors=Detectors(
                api=_detector(seen[API]),
                stream=_detector(seen[STREAM]),
                sweep=SweepResource(
                    completions=int(seen[SWEEP].completions),
                    last_at=swept_at,
                    next_at=swept_at + self._period if swept_at else None,
                ),
            ),
            gaps=GapsResource(last_24h=gaps.last_24h, last=gaps.last),
            full_check=CheckRunResource.of(run) if run else None,
            queues=queues,
            participations=CountsResource(**{name: _count(name) for name in CountsResource.model_fields}),
            open_adjustments=adjustments.count_open(MOST_COUNTED),
            conservation=ConservationResource(checked_at=_moment(conservation.last_at), ok=conservation.is_ok),
        )

    @property
    def _period(self) -> timedelta:
        found = _RATE.fullmatch(self.sweep_rate)
        return timedelta(minutes=int(found[1]) if found else 5)

    def _queue(self, urls: QueueUrls) -> QueueResource:
        found = depth(self.sqs, urls.queue)
        waiting = found.waiting + found.delayed
        return QueueResource(waiting=waiting, in_flight=found.in_flight, dead=self._dead(urls.dead_letters))

    def _dead(self, url: str) -> int:
        """Messages of dead letters; one that somebody reads counts too."""
        found = depth(self.sqs, url)
        return found.waiting + found.in_flight


def _count(status: str) -> int:
    with transient_as_unavailable():
        return len(list(ListedItem.by_status.query(status, limit=MOST_COUNTED)))


def _detector(item: MonitorItem) -> DetectorResource:
    return DetectorResource(completions=int(item.completions), last_at=_moment(item.last_at))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
