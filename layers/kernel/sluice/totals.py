"""Totals: the displayed counters. Two items per content, each with one owner (design section 4).

Only the views (sync, imports, adjustments) write `organic#story#123`, and only the boost batches `boosted#story#123`;
conditions on `dynamodb:LeadingKeys` in their roles enforce it. So a boosted view can never pass for an organic one.

This module writes boosted counters and reads both; `views.totals` writes organic ones.

`boosted#story#123#2026-11-20` has the boosted views of one day; organic views of a day are in the views' own table.
Only organic items are `ranked`, by their content type: the index of the most viewed never holds a boosted view.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.transactions import TransactWrite

from sluice.dynamodb import Bound, read_batch, transient_as_unavailable


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
    """The imported part of `organic`; None: nothing was imported."""


def add_boosted(transaction: TransactWrite, content_type: str, content_id: str, views: int, day: date) -> None:
    """Add views to a content's boosted counter and to the day's, in the transaction of their batch.

    Views below 0 are taken back.
    """
    total = key(Kind.BOOSTED, content_type, content_id)
    for each in (total, _of_day(total, day)):
        transaction.update(TotalItem(each), actions=[TotalItem.views.add(views)])


def read(content_type: str, content_id: str) -> Totals:
    """Both counters of a content, in one consistent batch read; 0 for a missing one. Raises Unreadable, Unavailable.

    For what is decided by them; what is shown comes from `read_all`.
    """
    content = content_type, content_id
    with transient_as_unavailable():
        items = TotalItem.batch_get([key(kind, *content) for kind in Kind], consistent_read=True)
        return _totals(dict(map(_counter, items)), content)


def read_all(contents: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Totals]:
    """Both counters of each content (type, id), by consistent batch reads; 0 for a missing counter. Raises Unavailable.

    One that cannot be read is 0, and logged for OperationsUnreadableRowsAlarm: it holds up no other content.
    """
    wanted = list(dict.fromkeys(contents))
    found = dict(read_batch(TotalItem, [key(kind, *content) for content in wanted for kind in Kind], _counter))
    return {content: _totals(found, content) for content in wanted}


def read_boosted_days(content_type: str, content_id: str, days: Iterable[date]) -> dict[date, int]:
    """A content's boosted views on each day, by consistent batch reads; 0 where there were none.

    A day that cannot be read is 0, as in `read_all`. Raises Unavailable.
    """
    total = key(Kind.BOOSTED, content_type, content_id)
    wanted = {_of_day(total, day): day for day in days}
    found = dict(read_batch(TotalItem, list(wanted), _counter))
    return {day: found.get(name, _NOTHING).views for name, day in wanted.items()}


def key(kind: Kind, content_type: str, content_id: str) -> str:
    """A counter's key."""
    return f"{kind}#{content_type}#{content_id}"


class _Counter(NamedTuple):
    views: int = 0
    last_epoch: int = 0
    imported: int | None = None


_NOTHING = _Counter()


def _counter(item: TotalItem) -> tuple[str, _Counter]:
    imported = None if item.imported is None else int(item.imported)
    return item.key, _Counter(int(item.views), int(item.last_epoch or 0), imported)


def _totals(found: Mapping[str, _Counter], content: tuple[str, str]) -> Totals:
    organic = found.get(key(Kind.ORGANIC, *content), _NOTHING)
    boosted = found.get(key(Kind.BOOSTED, *content), _NOTHING)
    return Totals(organic.views, boosted.views, organic.last_epoch, organic.imported)


def _of_day(total: str, day: date) -> str:
    return f"{total}#{day.isoformat()}"
