"""The store of a context's campaigns: it reads, lists and pages them, and commits their changes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial, reduce
from operator import and_
from typing import Any, Self

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.pagination import ResultIterator
from pynamodb.transactions import TransactWrite

from sluice import platform
from sluice.audit import Head
from sluice.campaign import Chained, Change, State
from sluice.chained import PART
from sluice.commit import Trace, commit
from sluice.dynamodb import Bound, Database, TableItem, bound_to, readable, setting, transient_as_unavailable, values_of
from sluice.errors import Unreadable
from sluice.platform import PlatformItem
from sluice.requests import Keyed

type Key = tuple[str, str]
"""An item's `id` and `part`."""


class _AnyItem(TableItem):
    """Any item of a table, as DynamoDB gives it."""

    class Meta(TableItem.Meta):
        pass

    raw: dict[str, Any]

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        item = cls(data["id"]["S"], data["part"]["S"])
        item.raw = data
        return item


@dataclass(frozen=True)
class Place:
    """A place in a list of campaigns: after this campaign. A partition knows a campaign by its id alone."""

    campaign_id: str
    created_at: str = ""


@dataclass(frozen=True)
class Listing:
    """Where campaigns are listed: a partition of rows whose `part` is a campaign's id, or an index of campaigns."""

    query: Callable[..., ResultIterator[Any]]
    """The query of the rows' model, or of the index."""
    partition: str
    index_key: str = ""
    """The hash key of the index, beside the range key `created_at`; empty for a partition of rows."""

    def newest_first(self, limit: int, after: Place | None) -> tuple[list[str], Place | None]:
        """At most `limit` ids, from after a place; and the place of the next page, if any."""
        last = {name: {"S": value} for name, value in self._key(after).items()} if after else None
        options: dict[str, Any] = {"scan_index_forward": False, "limit": limit, "last_evaluated_key": last}
        if not self.index_key:
            options["consistent_read"] = True
        with transient_as_unavailable():
            rows = self.query(self.partition, **options)
            ids = list(readable(rows, lambda row: str(row.id if self.index_key else row.part)))
            following = rows.last_evaluated_key
        return ids, self._place({name: value["S"] for name, value in following.items()}) if following else None

    def _key(self, after: Place) -> dict[str, str]:
        if not self.index_key:
            return {"id": self.partition, "part": after.campaign_id}
        key = {"id": after.campaign_id, "part": PART, "created_at": after.created_at}
        return key | {self.index_key: self.partition}

    def _place(self, key: dict[str, str]) -> Place:
        return Place(key["id"], key["created_at"]) if self.index_key else Place(key["part"])


class ChainStore[C: Chained, X: Change[Any]]:
    """Reads a context's campaigns and commits their changes. A context gives what is listed first.

    `items` is the model of its campaigns: an `id`, `PART`, `status`, `ChainedAttributes`, and the fields of `kind`.
    """

    kind: type[C]
    items: type[Any]
    events: Mapping[Any, str]
    """The event of each action, in the past tense."""
    restored: str
    """What the audit log calls a bridge after a restore; it ends with `_RESTORED`."""

    def snapshot(self, campaign: C) -> dict[str, Any]:
        """What an audit entry shows of a campaign before and after."""
        raise NotImplementedError

    def terms(self, campaign: C) -> dict[str, Any]:
        """What the entry of a new campaign shows besides."""
        raise NotImplementedError

    def told(self, campaign: C) -> dict[str, Any]:
        """The data of an event."""
        raise NotImplementedError

    def fits(self, change: X) -> bool:  # noqa: ARG002 - the context's
        """Whether a change can be committed at all: False if DynamoDB would reject the bounds of its condition."""
        return True

    def as_read(self, change: X) -> Sequence[Condition]:  # noqa: ARG002 - the context's
        """The context's own conditions on the campaign's item, beside its step, status and audit head."""
        return ()

    def headed(self, change: X, head: Head) -> C:
        """The campaign as it is committed, with the head of its audit log: two further than before if that bridges."""
        after: C = replace(change.after, audit_number=head.number, audit_hash=head.hash)
        return after

    def also(self, transaction: TransactWrite, change: X, after: C, now: datetime) -> None:
        """Add the context's own writes to the transaction of a change; `after` has its new head."""

    def __init__(self, database: Database) -> None:
        self._database = database
        table = self.items.Meta.table_name
        self._any = bound_to(_AnyItem, table)
        self._platform = platform.items_in(table)

    def get(self, campaign_id: str) -> C | None:
        """A campaign, by a consistent read. Raises Unreadable."""
        return next(map(self._read, self._any_of([campaign_id])), None)

    def get_all(self, ids: Iterable[str]) -> list[C]:
        """Campaigns in the order of their ids, by consistent batch reads.

        Missing ones are left out, and so are those that cannot be read, which are logged.
        """
        order = list(ids)
        found = {each.id: each for each in readable(iter(self._any_of(order)), self._read)}
        return [found[each] for each in order if each in found]

    def read_with(self, campaign_id: str, beside: Mapping[Key, type[Bound]] | None = None) -> State[C] | None:
        """A campaign, the platform, and the items at the keys `beside`, all in one consistent batch read.

        `beside` maps a key to the model of its item. None when there is no such campaign.
        """
        models: dict[Key, type[Any]] = {(campaign_id, PART): self.items, (platform.ENTITY, platform.PART): PlatformItem}
        models |= beside or {}
        with transient_as_unavailable():
            raw = {(item.id, item.part): item.raw for item in self._any.batch_get(models, consistent_read=True)}
        found: dict[Key, Any] = {key: models[key].from_raw_data(item) for key, item in raw.items()}
        campaign = found.pop((campaign_id, PART), None)
        stop = found.pop((platform.ENTITY, platform.PART), None)
        if campaign is None:
            return None
        return State(self._campaign(campaign), stop is not None and stop.is_stopped, found)

    def is_stopped(self) -> bool:
        """Whether the platform is stopped, by a consistent read."""
        return platform.is_stopped(self._platform)

    def page(
        self, source: Listing, limit: int, after: Place | None, status: StrEnum | None = None
    ) -> tuple[list[C], Place | None]:
        """At most `limit` campaigns, newest first, from after a place; and the place of the next page, if any.

        Only campaigns in `status`, if given: an index lags behind its table, and a partition knows no status.
        """
        found: list[C] = []
        while True:
            ids, after = source.newest_first(limit - len(found), after)
            found += [each for each in self.get_all(ids) if status in (None, each.status)]
            if after is None or len(found) == limit:
                return found, after

    def commit(self, change: X, actor: str, now: datetime, keyed: Keyed[C] | None = None) -> C | None:
        """Commit a change, all of it or nothing: the campaign as it is then, or None when a condition failed.

        The conditions: the campaign's step, status and audit head are as they were before, the context's own hold, the
        key is new, and for a batch the platform is open.
        """
        if not self.fits(change):
            return None
        before: C | None = change.before

        def write(transaction: TransactWrite, after: C) -> None:
            if before is None:
                transaction.save(self._item(after), condition=self.items.id.does_not_exist())
            else:
                transaction.update(self._item(before), self._differences(before, after), self._as_read(change, before))
            if change.is_batch:
                platform.require_open(transaction, self._platform)
            self.also(transaction, change, after, now)

        head = Head(change.after.audit_number, change.after.audit_hash)
        trace = self._trace(change, actor)
        return commit(self._database, head, trace, now, entity=partial(self.headed, change), write=write, keyed=keyed)

    def answer(self, found: C, now: datetime, keyed: Keyed[C]) -> C | None:
        """Store the answer of a keyed command that changes nothing; None when its key has an answer already."""
        return commit(self._database, Head(), None, now, entity=lambda _: found, write=lambda *_: None, keyed=keyed)

    def _trace(self, change: X, actor: str) -> Trace | None:
        if change.action is None:
            return None
        before, after = change.before, change.after
        return Trace(
            entity=after.id,
            action=change.action,
            actor=actor,
            before=self.snapshot(before) if before else None,
            after=self.snapshot(after) if before else self.terms(after) | self.snapshot(after),
            event=self.events[change.action],
            told=self.told(after),
            restored=self.restored,
        )

    def _as_read(self, change: X, before: C) -> Condition:
        as_read: Condition = (self.items.step == before.step) & (self.items.status == before.status)
        head_as_read: Condition = self.items.audit_number == before.audit_number
        both: Condition = as_read & head_as_read
        return reduce(and_, self.as_read(change), both)

    def _differences(self, before: C, after: C) -> list[Action]:
        """Sets only what changed, so that an older release keeps the attributes of a newer one.

        `sweeps` is always set: the sweeper may have raised it since it was read.
        """
        values = {name: value for name, value in vars(after).items() if value != getattr(before, name)}
        return setting(self.items, values | {"sweeps": after.sweeps})

    def _any_of(self, ids: Iterable[str]) -> list[_AnyItem]:
        with transient_as_unavailable():
            return list(self._any.batch_get([(each, PART) for each in ids], consistent_read=True))

    def _read(self, item: _AnyItem) -> C:
        found = self.items.from_raw_data(item.raw)
        attributes = self.items.get_attributes()
        values = values_of(found, self.kind)
        if lacking := [name for name, value in values.items() if value is None and not attributes[name].null]:
            raise Unreadable(f"Campaign {item.id} lacks {', '.join(lacking)}")
        return self._campaign(found)

    def _item(self, campaign: C) -> Any:
        values = dict(vars(campaign))
        return self.items(values.pop("id"), PART, **values)

    def _campaign(self, item: Any) -> C:
        return self.kind(**values_of(item, self.kind))
