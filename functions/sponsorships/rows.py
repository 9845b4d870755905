"""Rows and tallies of a participation: reading, counting and closing. Recording writes them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from sluice.dynamodb import page_of, readable, transient_as_unavailable
from sponsorships import merkle
from sponsorships.impressions import SLOTS, ImpressionKeys, Row, is_genuine, row_id, tally_id
from sponsorships.items import TALLY, RefusalsItem, RowItem, TallyItem
from sponsorships.participation import Count, Counted
from sponsorships.secret import ImpressionSecret


def tallies(participation_id: str, shards: int) -> list[TallyItem]:
    """The tallies there are, by one consistent batch read."""
    return tallies_of({participation_id: shards})[participation_id]


def tallies_of(shards: Mapping[str, int]) -> dict[str, list[TallyItem]]:
    """The tallies of several participations, by consistent batch reads; `shards`: how many each has, by its id."""
    owners = {tally_id(each, k): each for each, count in shards.items() for k in range(count)}
    found: dict[str, list[TallyItem]] = {each: [] for each in shards}
    with transient_as_unavailable():
        items = TallyItem.batch_get([(each, TALLY) for each in owners], consistent_read=True)
        for item in readable(iter(items), lambda item: item):
            found[owners[item.id]].append(item)
    return found


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
    voided = clicks = foreign = 0
    keys = secret.keys()
    for item in of(participation_id):
        row = valid(keys, participation_id, item)
        if row:
            leaves.append(leaf(participation_id, row))
            clicks += "clicked_at" in item.raw
        elif "voided" in item.raw:
            voided += 1
        else:
            foreign += 1
    return Count(len(leaves), voided, clicks, merkle.root(leaves).hex(), refusals(participation_id), foreign)


def page(participation_id: str, limit: int, after: str | None) -> tuple[list[RowItem], str | None]:
    """At most `limit` rows in the order of slot and viewer, after a `part`; and the `part` to go on after, if any.

    By consistent reads. A `part` begins with its slot, so this is the order of `part` too.
    """
    found: list[RowItem] = []
    for slot in SLOTS[SLOTS.index(after[0]) if after else 0 :]:
        # DynamoDB refuses a start that the condition on `part` does not hold for.
        begin_after = after if after and after[0] == slot else None
        left = limit - len(found)
        items, following = page_of(RowItem, lambda row: row, row_id(participation_id, slot), slot, left, begin_after)
        found += items
        if following:
            return found, following
    return found, None


def void_reasons(participation_id: str) -> dict[str, int]:
    """Voided rows by reason. It reads all rows."""
    found: Counter[str] = Counter()
    for item in of(participation_id):
        if "voided" in item.raw:
            found[item.raw["voided"].get("S", "")] += 1
    return dict(found)


def refusals(participation_id: str) -> dict[str, int]:
    """Refused tokens by reason."""
    found: Counter[str] = Counter()
    for by_reason in refusals_by_day(participation_id).values():
        found.update(by_reason)
    return dict(found)


def refusals_by_day(participation_id: str) -> dict[str, dict[str, int]]:
    """Refused tokens by day, in UTC, and by reason; a consistent read."""
    found: dict[str, Counter[str]] = {}
    with transient_as_unavailable():
        for item in RefusalsItem.query(f"refused#{participation_id}", consistent_read=True):
            hour, _, reason = item.part.partition("#")
            found.setdefault(hour.partition("T")[0], Counter())[reason] += int(item.n)
    return {day: dict(by_reason) for day, by_reason in found.items()}


def some(participation_id: str, parts: Iterable[str]) -> dict[str, Counted]:
    """What counts each of the rows that is there and not voided, by its `part`; a consistent read."""
    with transient_as_unavailable():
        keys = [(row_id(participation_id, part), part) for part in parts]
        found = list(RowItem.batch_get(keys, consistent_read=True))
    return {
        item.part: Counted(int(item.raw["k"]["N"]), "clicked_at" in item.raw)
        for item in found
        if "voided" not in item.raw
    }
