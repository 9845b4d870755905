"""Rows and tallies of a participation: reading, counting and closing. Recording writes them."""

from collections import Counter
from collections.abc import Iterable, Iterator

from sluice.dynamodb import readable, transient_as_unavailable
from sponsorships import merkle
from sponsorships.impressions import SLOTS, ImpressionKeys, Row, is_genuine, row_id, tally_id
from sponsorships.items import TALLY, RefusalsItem, RowItem, TallyItem
from sponsorships.participation import Count
from sponsorships.secret import ImpressionSecret


def tallies(participation_id: str, shards: int) -> list[TallyItem]:
    """The tallies there are, by one consistent batch read."""
    with transient_as_unavailable():
        keys = [(tally_id(participation_id, k), TALLY) for k in range(shards)]
        return list(TallyItem.batch_get(keys, consistent_read=True))


def close(participation_id: str, shards: int, step: int) -> None:
    """Close every tally: an impression that came before is counted, one that comes after is refused.

    Unconditioned: a repeat changes nothing.
    """
    for k in range(shards):
        with transient_as_unavailable():
            TallyItem(tally_id(participation_id, k), TALLY).update([TallyItem.closed.set(step)])


def of(participation_id: str) -> Iterator[RowItem]:
    """All rows in the order of slot and viewer, by consistent queries."""
    for slot in SLOTS:
        with transient_as_unavailable():
            yield from readable(RowItem.query(row_id(participation_id, slot), consistent_read=True), lambda row: row)


def row_of(item: RowItem) -> Row | None:
    """The signed part of a row; None when a hand took an attribute away."""
    try:
        texts = {
            name: item.raw[name]["S"] for name in ("nonce", "issued_at", "accepted_at", "key_id", "by", "signature")
        }
    except KeyError:
        return None
    return Row(item.id, item.part, **texts)


def leaf(participation_id: str, row: Row) -> bytes:
    """The leaf of a row in the tree of its statement (sponsorships section 6)."""
    return merkle.leaf("|".join((participation_id, row.part, row.nonce, row.issued_at, row.accepted_at)))


def valid(keys: ImpressionKeys, participation_id: str, item: RowItem) -> Row | None:
    """The row, if it counts: it is not voided, and recording wrote it as it is."""
    row = row_of(item)
    if row is None or "voided" in item.raw or not is_genuine(keys, participation_id, row):
        return None
    return row


def count(secret: ImpressionSecret, participation_id: str) -> Count:
    """Count the rows, and compute the root of the tree over those that count."""
    leaves: list[bytes] = []
    voided = clicks = 0
    keys = secret.keys()
    for item in of(participation_id):
        row = valid(keys, participation_id, item)
        if row:
            leaves.append(leaf(participation_id, row))
            clicks += "clicked_at" in item.raw
        else:
            voided += "voided" in item.raw
    return Count(len(leaves), voided, clicks, merkle.root(leaves).hex(), refusals(participation_id))


def refusals(participation_id: str) -> dict[str, int]:
    """Refused tokens by reason."""
    found: Counter[str] = Counter()
    with transient_as_unavailable():
        for item in RefusalsItem.query(f"refused#{participation_id}", consistent_read=True):
            found[item.part.partition("#")[2]] += int(item.n)
    return dict(found)


def some(participation_id: str, parts: Iterable[str]) -> dict[str, int]:
    """The tally of each of the rows that is there and not voided, by its `part`; a consistent read."""
    with transient_as_unavailable():
        keys = [(row_id(participation_id, part), part) for part in parts]
        found = list(RowItem.batch_get(keys, consistent_read=True))
    return {item.part: int(item.raw["k"]["N"]) for item in found if "voided" not in item.raw}
