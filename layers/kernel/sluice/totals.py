"""Totals: the displayed counters. Two items per content, each with one writer (design section 4).

`organic#story#123` is written by the views sync alone, `boosted#story#123` by the boost batches alone; conditions on
`dynamodb:LeadingKeys` in their roles enforce it. So what is boosted can never pass for organic.
"""

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


@dataclass(frozen=True)
class Totals:
    """Views of one content, by where they come from."""

    organic: int
    boosted: int


def add_boosted(transaction: TransactWrite, content_type: str, content_id: str, views: int) -> None:
    """Add views to a content's boosted counter, in the transaction of the batch that they belong to."""
    counter = TotalItem(_key(Kind.BOOSTED, content_type, content_id))
    transaction.update(counter, actions=[TotalItem.views.add(views)])


def read(content_type: str, content_id: str) -> Totals:
    """Both counters of a content, in one consistent batch read; 0 for what is not there."""
    keys = {kind: _key(kind, content_type, content_id) for kind in Kind}
    with transient_as_unavailable():
        found = {item.key: int(item.views) for item in TotalItem.batch_get(list(keys.values()), consistent_read=True)}
    return Totals(organic=found.get(keys[Kind.ORGANIC], 0), boosted=found.get(keys[Kind.BOOSTED], 0))


def _key(kind: Kind, content_type: str, content_id: str) -> str:
    return f"{kind}#{content_type}#{content_id}"
