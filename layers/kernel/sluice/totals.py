"""Totals: the displayed counters. Two items per content, each with one writer (design section 4).

`organic#story#123` is written by the views sync alone, `boosted#story#123` by the boost batches alone; conditions on
`dynamodb:LeadingKeys` in their roles enforce it. So what is boosted can never pass for organic.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.transactions import TransactWrite

from sluice.dynamodb import Bound, transient_as_unavailable


class Kind(StrEnum):
    """Where views come from."""

    ORGANIC = "organic"
    BOOSTED = "boosted"


class TotalItem(Bound):
    """One counter. `key` is `<kind>#<content type>#<content id>`."""

    class Meta(Bound.Meta):
        pass

    key = UnicodeAttribute(hash_key=True)
    views = NumberAttribute()
    last_epoch = NumberAttribute(null=True)


@dataclass(frozen=True)
class Totals:
    """Views of one content, by where they come from."""

    organic: int
    boosted: int
    last_epoch: int = 0
    """The last epoch of the views sync that is in `organic`; 0: none."""


def add_boosted(transaction: TransactWrite, content_type: str, content_id: str, views: int) -> None:
    """Add views to a content's boosted counter, in the transaction of the batch that they belong to."""
    counter = TotalItem(_key(Kind.BOOSTED, content_type, content_id))
    transaction.update(counter, actions=[TotalItem.views.add(views)])


def add_organic(transaction: TransactWrite, content_type: str, content_id: str, views: int, epoch: int) -> None:
    """Add an epoch's views to a content's organic counter, on condition that neither it nor a later one is in it."""
    transaction.update(
        TotalItem(_key(Kind.ORGANIC, content_type, content_id)),
        actions=[TotalItem.views.add(views), TotalItem.last_epoch.set(epoch)],
        condition=TotalItem.last_epoch.does_not_exist() | (TotalItem.last_epoch < epoch),
    )


def add_folded(transaction: TransactWrite, content_type: str, content_id: str, views: int) -> None:
    """Add views of no epoch to a content's organic counter, in the transaction that marks them as added."""
    transaction.update(TotalItem(_key(Kind.ORGANIC, content_type, content_id)), actions=[TotalItem.views.add(views)])


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


def _totals(found: dict[str, TotalItem], content: tuple[str, str]) -> Totals:
    organic = found.get(_key(Kind.ORGANIC, *content))
    boosted = found.get(_key(Kind.BOOSTED, *content))
    return Totals(
        organic=int(organic.views) if organic else 0,
        boosted=int(boosted.views) if boosted else 0,
        last_epoch=int(organic.last_epoch or 0) if organic else 0,
    )


def _key(kind: Kind, content_type: str, content_id: str) -> str:
    return f"{kind}#{content_type}#{content_id}"
