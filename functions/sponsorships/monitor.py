"""What the detectors report: completions, gaps, the canary, and the ledger's conservation."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pynamodb.exceptions import DoesNotExist
from pynamodb.transactions import TransactWrite

from sluice import outbox
from sluice.clock import rfc3339
from sluice.dynamodb import Database, setting, transient_as_unavailable
from sponsorships.items import MonitorItem
from sponsorships.participation import Participation

MONITOR = "monitor"
CHECK, CANARY, SIGNAL, CONSERVATION = "check", "canary", "signal", "conservation"
_GAP = "gap#"
_DAY = timedelta(hours=24)


def read(*parts: str) -> dict[str, MonitorItem]:
    """The items of these parts, empty ones for those that are missing, by one consistent batch read."""
    found = {part: MonitorItem(MONITOR, part) for part in parts}
    with transient_as_unavailable():
        for item in MonitorItem.batch_get([(MONITOR, part) for part in parts], consistent_read=True):
            found[item.part] = item
    return found


def count(source: str, now: datetime) -> None:
    """Count a completion that a detector found. A statistic: a repeat may count one twice, a crash may lose one."""
    with transient_as_unavailable():
        item = MonitorItem(MONITOR, source)
        item.update([MonitorItem.completions.add(1), MonitorItem.last_at.set(rfc3339(now))])


def note_gap(database: Database, found: Participation, missed_by: str, waited_seconds: int, now: datetime) -> None:
    """Count a completion that only the sweep found, with its event."""
    data = {"campaign_id": found.campaign_id, "streamer": found.streamer}
    data |= {"detector": missed_by, "waited_seconds": str(waited_seconds)}
    hour = MonitorItem(MONITOR, f"{_GAP}{now.astimezone(UTC):%Y-%m-%dT%H}")

    def fill(transaction: TransactWrite) -> None:
        transaction.update(hour, [MonitorItem.gaps.add(1), MonitorItem.last_at.set(rfc3339(now))])
        outbox.write(transaction, "DetectorGapFound", data, now)

    database.commit(fill)


@dataclass(frozen=True)
class Gaps:
    """Completions that only the sweep found."""

    last_24h: int
    last: datetime | None


def gaps(now: datetime) -> Gaps:
    """The gaps of the last 24 hours, by whole hours; and the last one within that time."""
    since = f"{_GAP}{(now - _DAY).astimezone(UTC):%Y-%m-%dT%H}"
    with transient_as_unavailable():
        rows = MonitorItem.query(MONITOR, MonitorItem.part.between(since, f"{_GAP}~"), consistent_read=True)
        found = [(int(row.gaps), row.last_at) for row in rows]
    last = max((at for _, at in found if at), default=None)
    return Gaps(sum(number for number, _ in found), datetime.fromisoformat(last) if last else None)


def send_canary(now: datetime) -> None:
    """Write the canary: the stream brings the write, or is silent."""
    canary = read(CANARY)[CANARY]
    with transient_as_unavailable():
        canary.update(setting(MonitorItem, {"last_at": rfc3339(now), "before_at": canary.last_at}))


def take_canary(written_at: datetime, now: datetime) -> None:
    """Note that the stream brought a write of the canary."""
    lag_seconds = max(0, round((now - written_at).total_seconds()))
    with transient_as_unavailable():
        MonitorItem(MONITOR, SIGNAL).update(
            [MonitorItem.last_at.set(rfc3339(written_at)), MonitorItem.lag_seconds.set(lag_seconds)]
        )


def is_silent(canary: MonitorItem, signal: MonitorItem) -> bool:
    """Whether the stream has brought neither of the last two writes of the canary.

    A record of the stream tells the second of its write, not the microsecond.
    """
    if canary.before_at is None:
        return False
    before = datetime.fromisoformat(canary.before_at).replace(microsecond=0)
    return signal.last_at is None or datetime.fromisoformat(signal.last_at) < before


def note_conservation(*, is_ok: bool, now: datetime) -> None:
    """Note what a deep run found out about the ledger."""
    with transient_as_unavailable():
        MonitorItem(MONITOR, CONSERVATION).update([MonitorItem.is_ok.set(is_ok), MonitorItem.last_at.set(rfc3339(now))])


def going_run() -> str | None:
    """The run that is going, or that was the last one, by a consistent read."""
    try:
        with transient_as_unavailable():
            return MonitorItem.get(MONITOR, CHECK, consistent_read=True).run
    except DoesNotExist:
        return None
