"""The report of a campaign: what became of each recipient, as CSV (RFC 4180, S5-53)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from broadcasts.campaign import Broadcast
from broadcasts.row import Row
from broadcasts.selection import RowPlace
from sluice import exports
from sluice.clock import rfc3339

MOST_ROWS = 10_000
MOST_BYTES = 4 * 1024 * 1024
"""Lambda answers at most 6 MB, with the quotes of JSON around it (amendment 31)."""
COLUMNS = (
    "line",
    "phone",
    "status",
    "error_code",
    "error",
    "attempts",
    "sent_at",
    "delivered_at",
    "read_at",
    "failed_at",
    "message_id",
    "price",
    "currency",
)
_MICRO = 1_000_000


@dataclass(frozen=True)
class Part:
    """A part of a report, and where the next one begins; None after the last row."""

    text: str
    following: RowPlace | None


def report(
    campaign: Broadcast,
    read: Callable[[int, int], Sequence[Row]],
    after: RowPlace | None,
    most_rows: int = MOST_ROWS,
    most_bytes: int = MOST_BYTES,
) -> Part:
    """The rows from a place on, lane by lane: 10,000, or 4 MiB. `read(lane, number)` gives the next of a lane."""
    begin = after if after and after.generation == campaign.generation else None
    texts = [exports.text_of(COLUMNS, (), with_header=after is None)]
    rows, size = 0, 0
    for lane in campaign.lanes:
        number = 0
        if begin:
            if lane.number < begin.lane:
                continue
            number = begin.number if lane.number == begin.lane else 0
        while number < lane.rows and (some := read(lane.number, number)):
            for row in some:
                line = exports.text_of((), [_cells(row, campaign.currency)], with_header=False)
                if rows and (rows == most_rows or size + len(line.encode()) > most_bytes):
                    return Part("".join(texts), RowPlace(campaign.generation, lane.number, row.key.number))
                texts.append(line)
                rows, size = rows + 1, size + len(line.encode())
            number = some[-1].key.number + 1
    return Part("".join(texts), None)


def _cells(row: Row, currency: str) -> list[object]:
    times = (row.sent_at, row.delivered_at, row.read_at, row.failed_at)
    return [
        row.line,
        row.phone,
        row.status,
        row.error.code if row.error else None,
        row.error.text if row.error else None,
        len(row.history) + (row.attempt is not None),
        *(rfc3339(each) if each else None for each in times),
        row.message_id,
        decimal(row.price) if row.price else None,
        currency if row.price else None,
    ]


def decimal(micro: int) -> str:
    """Money of 1/1,000,000 for people: `0.0625`."""
    whole, part = divmod(micro, _MICRO)
    return f"{whole}.{part:06d}".rstrip("0").rstrip(".")
