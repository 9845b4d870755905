"""Totals: the displayed counters. Two items per content, each with one owner (design section 4).

`organic#story#123` is written by the views alone (sync, imports, adjustments), `boosted#story#123` by the boost batches
alone; conditions on `dynamodb:LeadingKeys` in their roles enforce it. So what is boosted can never pass for organic.

Beside them `boosted#story#123#2026-11-20` has the boosted views of one day; organic ones are in the views' own table.
Organic items alone are `ranked`, by their content type: the index of the most viewed never holds a boosted view.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.transactions import TransactWrite

from sluice.dynamodb import Bound, transient_as_unavailable


class Kind(StrEnum):
    """Where views come from."""

    ORGANIC = "organic"
    BOOSTED = "boosted"


class _ByViews(GlobalSecondaryIndex["TotalItem"]):
    class Meta:
        index_name = "by_views"
        projection = KeysOnlyProjection()

    ranked = UnicodeAttribute(hash_key=True)
    views = NumberAttribute(range_key=True)


class TotalItem(Bound):
    """One counter. `key` is `<kind>#<content type>#<content id>`, for the boosted views of a day with `#<day>`."""

    class Meta(Bound.Meta):
        pass

    key = UnicodeAttribute(hash_key=True)
    views = NumberAttribute()
    last_epoch = NumberAttribute(null=True)
    imported = NumberAttribute(null=True)
    ranked = UnicodeAttribute(null=True)
    by_views = _ByViews()


@dataclass(frozen=True)
class Totals:
    """Views of one content, by where they come from."""

    organic: int
    boosted: int
    last_epoch: int = 0
    """The last epoch of the views sync that is in `organic`; 0: none."""
    imported: int | None = None
    """What of `organic` was imported; None: nothing was yet."""


@dataclass(frozen=True)
class Ranked:
    """A content's place in the ranking of its type."""

    content_id: str
    organic: int


def add_boosted(transaction: TransactWrite, content_type: str, content_id: str, views: int, day: date) -> None:
    """Add views to a content's boosted counter and to that of the day, in the transaction of their batch.

    Views below 0 are taken back.
    """
    key = _key(Kind.BOOSTED, content_type, content_id)
    for each in (key, _of_day(key, day)):
        transaction.update(TotalItem(each), actions=[TotalItem.views.add(views)])


def add_organic(transaction: TransactWrite, content_type: str, content_id: str, views: int, epoch: int) -> None:
    """Add an epoch's views to a content's organic counter, on condition that neither it nor a later one is in it."""
    transaction.update(
        TotalItem(_key(Kind.ORGANIC, content_type, content_id)),
        actions=[TotalItem.views.add(views), TotalItem.last_epoch.set(epoch), TotalItem.ranked.set(content_type)],
        condition=TotalItem.last_epoch.does_not_exist() | (TotalItem.last_epoch < epoch),
    )


def add_folded(transaction: TransactWrite, content_type: str, content_id: str, views: int) -> None:
    """Add views of no epoch to a content's organic counter, in the transaction that marks them as added."""
    counter = TotalItem(_key(Kind.ORGANIC, content_type, content_id))
    transaction.update(counter, actions=[TotalItem.views.add(views), TotalItem.ranked.set(content_type)])


def add_imported(transaction: TransactWrite, content_type: str, content_id: str, views: int) -> None:
    """Add a content's count of another system to its organic counter, on condition that none was ever added."""
    transaction.update(
        TotalItem(_key(Kind.ORGANIC, content_type, content_id)),
        actions=[TotalItem.views.add(views), TotalItem.imported.set(views), TotalItem.ranked.set(content_type)],
        condition=TotalItem.imported.does_not_exist(),
    )


def adjust_organic(transaction: TransactWrite, content_type: str, content_id: str, views: int, before: int) -> None:
    """Add views, or with a minus take them, on condition that the organic counter is `before`."""
    is_as_read = TotalItem.views == before
    transaction.update(
        TotalItem(_key(Kind.ORGANIC, content_type, content_id)),
        actions=[TotalItem.views.add(views), TotalItem.ranked.set(content_type)],
        condition=is_as_read if before else TotalItem.views.does_not_exist() | is_as_read,
    )


def read(content_type: str, content_id: str) -> Totals:
    """Both counters of a content, in one consistent batch read; 0 for what is not there."""
    return read_all([(content_type, content_id)])[content_type, content_id]


def read_all(contents: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Totals]:
    """Both counters of each content (type, id), by consistent batch reads; 0 for what is not there."""
    wanted = list(dict.fromkeys(contents))
    names = [_key(kind, *content) for content in wanted for kind in Kind]
    with transient_as_unavailable():
        found = {item.key: item for item in TotalItem.batch_get(names, consistent_read=True)}
    return {content: _totals(found, content) for content in wanted}


def read_boosted_days(content_type: str, content_id: str, days: Iterable[date]) -> dict[date, int]:
    """A content's boosted views on each day, by consistent batch reads; 0 where there were none."""
    key = _key(Kind.BOOSTED, content_type, content_id)
    wanted = {_of_day(key, day): day for day in days}
    with transient_as_unavailable():
        found = {item.key: int(item.views) for item in TotalItem.batch_get(wanted, consistent_read=True)}
    return {day: found.get(name, 0) for name, day in wanted.items()}


def most_viewed(content_type: str, limit: int, after: Ranked | None = None) -> list[Ranked]:
    """The contents of a type with the most organic views in the database, in that order, beginning after a place.

    The index lags behind the counters by moments.
    """
    place = None
    if after is not None:
        key = _key(Kind.ORGANIC, content_type, after.content_id)
        place = {"key": {"S": key}, "ranked": {"S": content_type}, "views": {"N": str(after.organic)}}
    with transient_as_unavailable():
        items = TotalItem.by_views.query(content_type, scan_index_forward=False, limit=limit, last_evaluated_key=place)
        return [Ranked(item.key.split("#", 2)[2], int(item.views)) for item in items]


def _totals(found: dict[str, TotalItem], content: tuple[str, str]) -> Totals:
    organic = found.get(_key(Kind.ORGANIC, *content))
    boosted = found.get(_key(Kind.BOOSTED, *content))
    return Totals(
        organic=int(organic.views) if organic else 0,
        boosted=int(boosted.views) if boosted else 0,
        last_epoch=int(organic.last_epoch or 0) if organic else 0,
        imported=int(organic.imported) if organic and organic.imported is not None else None,
    )


def _key(kind: Kind, content_type: str, content_id: str) -> str:
    return f"{kind}#{content_type}#{content_id}"


def _of_day(key: str, day: date) -> str:
    return f"{key}#{day.isoformat()}"
