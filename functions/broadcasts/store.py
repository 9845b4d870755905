"""Reading broadcasts, and committing changes to them with their rows, their agenda and what they take.

A change of a campaign is a transaction of its chain or of a command. A record is one of the worker or of a webhook: it
changes rows, and adds what they count for to a counter item of its own [B3], so it never touches the campaign's item.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import batched
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as Update
from pynamodb.transactions import TransactWrite

from broadcasts import agenda
from broadcasts.agenda import Due
from broadcasts.campaign import Action, Broadcast, BroadcastStatus, Change, Event, Flagged, Moved, Taken, Terms, Text
from broadcasts.contact import Contact
from broadcasts.instance import Instance
from broadcasts.items import (
    COUNT,
    TEXT,
    BroadcastItem,
    ContactItem,
    CountItem,
    DueItem,
    InstanceItem,
    ListedItem,
    MessageItem,
    OwnerItem,
    QuotaItem,
    RowItem,
    TextItem,
    written,
)
from broadcasts.owners import Owner
from broadcasts.row import COUNTED, Counts, Evidence, Failure, Row, RowKey, RowStatus
from sluice import outbox, platform
from sluice.campaign import State
from sluice.chained import PART, items_in
from sluice.clock import rfc3339
from sluice.commit import Trace
from sluice.dynamodb import Database, page_of, read_batch, setting, transient_as_unavailable, update_if
from sluice.plain import to_json
from sluice.platform import Platform
from sluice.store import ChainStore, Listing

_FIRST_READ = 35
_MORE_DUE = 25
_DELETED_AT_ONCE = 100
"""Of a transaction: DynamoDB's limit."""
_FORGOTTEN_AT_ONCE = 500
_KEPT = timedelta(days=30)
"""How long the ids of messages are kept: providers tell of a message for days."""
_QUOTA_KEPT = timedelta(days=400)


@dataclass(frozen=True)
class Quota:
    """What was claimed of an owner's day."""

    day: str
    used: int = 0
    price: int = 0
    warned: bool = False
    reached: bool = False


@dataclass(frozen=True)
class Progress:
    """A campaign with the sum of its counters, and the first entries of its agenda: one consistent read."""

    campaign: Broadcast
    counts: Counts
    due: tuple[Due, ...]


@dataclass(frozen=True)
class BroadcastState(State[Broadcast]):
    """A campaign with all that its step needs beside it, but for rows and contacts."""

    counts: Counts = field(default_factory=Counts)
    due: tuple[Due, ...] = ()
    instance: Instance | None = None
    owner: Owner | None = None
    quotas: Mapping[str, Quota] | None = None
    platform: Platform = field(default_factory=Platform)

    def quota(self, day: str) -> Quota:
        return (self.quotas or {}).get(day, Quota(day))

    @property
    def owned(self) -> Owner:
        """The owner's limits; the defaults when nobody set them."""
        return self.owner or Owner(owner=self.campaign.owner)


@dataclass(frozen=True)
class Told:
    """A status that came before its message was known [B10]."""

    evidence: Evidence
    at: datetime
    failure: Failure | None = None


@dataclass(frozen=True)
class Met:
    """The meeting place of a message, as it was read and as it is to be: its row, or what came first."""

    instance_id: str
    message_id: str
    campaign_id: str | None = None
    row: RowKey | None = None
    attempt: str | None = None
    told: Told | None = None


@dataclass(frozen=True)
class Released:
    """What an owner's quota gets back: claims that were certainly not accepted, to the day of the claim."""

    owner: str
    day: str
    count: int
    price: int


@dataclass(frozen=True)
class Record:
    """What one transaction of the worker or of a webhook changes, beside the campaign's item."""

    campaign_id: str
    counter: str
    """The counter item: `items.BY_WORKER`, or `items.by_webhook(id)`."""
    moved: tuple[Moved, ...] = ()
    put: tuple[Due, ...] = ()
    dropped: tuple[Due, ...] = ()
    met: tuple[tuple[Met | None, Met], ...] = ()
    """Meeting places, as they were read and as they are to be."""
    instance: tuple[Instance, Instance] | None = None
    released: tuple[Released, ...] = ()
    events: tuple[Event, ...] = ()


_EVENTS = {
    Action.CREATED: "BroadcastCreated",
    Action.EDITED: "BroadcastEdited",
    Action.STARTED: "BroadcastStarted",
    Action.RESUMED: "BroadcastResumed",
    Action.PAUSING: "BroadcastPausing",
    Action.PAUSED: "BroadcastPaused",
    Action.CANCELLING: "BroadcastCancelling",
    Action.CANCELLED: "BroadcastCancelled",
    Action.RETRIED: "BroadcastRetried",
    Action.COMPLETED: "campaign:completed",
    Action.FAILED: "BroadcastFailed",
    Action.DELETED: "BroadcastDeleted",
    Action.REMOVED: "",
    Action.BUDGET_WARNED: "budget:warning",
    Action.BUDGET_REACHED: "budget:reached",
    Action.QUOTA_WARNED: "quota:warning",
    Action.QUOTA_REACHED: "quota:reached",
}


class BroadcastStore(ChainStore[Broadcast, Change]):
    """Reads broadcasts and commits changes to them."""

    kind = Broadcast
    items = BroadcastItem
    restored = "BROADCAST_RESTORED"
    events = _EVENTS

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._live = items_in(self.items.Meta.table_name)

    # Reads

    def progress(self, campaign_id: str) -> Progress | None:
        """A campaign with its counters and the beginning of its agenda; None when there is no such campaign."""
        campaign, counts, due, _ = self._partition(campaign_id)
        return Progress(campaign, counts, due) if campaign else None

    def step(self, campaign_id: str, now: datetime) -> BroadcastState | None:
        """What a step reads first: the campaign's partition, and then instance, owner, quotas and platform."""
        campaign, counts, due, is_cut = self._partition(campaign_id)
        if campaign is None:
            return None
        due += self._due_after(campaign_id, due[-1].kind) if is_cut and due else ()
        # No zone is further from UTC, and a day that no zone has now is not read.
        days = dict.fromkeys(f"{now + timedelta(hours=each):%Y-%m-%d}" for each in (-12, 0, 14))
        models: dict[tuple[str, str], type[Any]] = {
            (campaign.instance_id, PART): InstanceItem,
            OwnerItem.key(campaign.owner): OwnerItem,
            (platform.ENTITY, platform.PART): self._platform,
        }
        models |= {QuotaItem.key(campaign.owner, day): QuotaItem for day in days}
        with transient_as_unavailable():
            raw = {(item.id, item.part): item.raw for item in self._any.batch_get(list(models), consistent_read=True)}
        found = {key: models[key].from_raw_data(item) for key, item in raw.items()}
        instance = found.get((campaign.instance_id, PART))
        owner = found.get(OwnerItem.key(campaign.owner))
        stop = found.get((platform.ENTITY, platform.PART))
        quotas = {day: _quota(day, found.get(QuotaItem.key(campaign.owner, day))) for day in days}
        return BroadcastState(
            campaign,
            stop is not None and stop.is_stopped,
            counts=counts,
            due=due,
            instance=instance.instance() if instance else None,
            owner=owner.owner() if owner else Owner(owner=campaign.owner),
            quotas=quotas,
            platform=stop.platform() if stop else Platform(),
        )

    def _partition(self, campaign_id: str) -> tuple[Broadcast | None, Counts, tuple[Due, ...], bool]:
        """The campaign, the sum of its counters, the first of its agenda, and whether there may be more of that."""
        with transient_as_unavailable():
            rows = self._any.query(campaign_id, self._any.part >= PART, limit=_FIRST_READ, consistent_read=True)
            items = list(rows)
        campaign: Broadcast | None = None
        counts, due = Counts(), []
        for item in items:
            if item.part == PART:
                campaign = self._read(item)
            elif item.part.startswith(COUNT):
                counts += CountItem.from_raw_data(item.raw).counts()
            elif item.part.startswith(agenda.PREFIX):
                due.append(DueItem.from_raw_data(item.raw).due())
        is_cut = len(items) == _FIRST_READ and items[-1].part.startswith(agenda.PREFIX)
        return campaign, counts + campaign.counted if campaign else counts, tuple(due), is_cut

    def _due_after(self, campaign_id: str, kind: agenda.Kind) -> tuple[Due, ...]:
        """The first entries of each kind that sorts after `kind` (amendment 1)."""
        later = [each for each in agenda.Kind if each > kind]
        found: list[Due] = []
        for each in later:
            begin = f"{agenda.PREFIX}{each}#"
            found += page_of(DueItem, lambda item: item.due(), campaign_id, begin, _MORE_DUE, None)[0]
        return tuple(found)

    def due_claim(self, campaign_id: str, part: str) -> Due | None:
        """A claim, by its part; None when it is settled."""
        return next(iter(read_batch(DueItem, [(campaign_id, part)], lambda item: item.due())), None)

    def text(self, campaign_id: str) -> Text | None:
        """What a campaign sends."""
        return next(iter(read_batch(TextItem, [(campaign_id, TEXT)], lambda item: item.text)), None)

    def instance(self, instance_id: str) -> Instance | None:
        """An instance, a deleted one too."""
        return self.instances([instance_id]).get(instance_id)

    def instances(self, ids: Iterable[str]) -> dict[str, Instance]:
        """Instances by their ids, without missing ones."""
        keys = [(each, PART) for each in dict.fromkeys(ids)]
        return {each.id: each for each in read_batch(InstanceItem, keys, lambda item: item.instance())}

    def row(self, campaign_id: str, key: RowKey) -> Row | None:
        """One row, by a consistent read."""
        return self.rows(campaign_id, [key]).get(key)

    def rows(self, campaign_id: str, keys: Iterable[RowKey]) -> dict[RowKey, Row]:
        """Rows by their keys, by consistent batch reads; without missing ones."""
        items = [each.item(campaign_id) for each in dict.fromkeys(keys)]
        return {each.key: each for each in read_batch(RowItem, items, lambda item: item.row())}

    def rows_from(self, campaign: Broadcast, lane: int, number: int, limit: int) -> list[Row]:
        """At most `limit` rows of a lane from a number on, in their order: to the end of its thousand at most."""
        first, part = RowKey(campaign.generation, lane, number).item(campaign.id)
        with transient_as_unavailable():
            found = RowItem.query(first, RowItem.part >= part, limit=limit, consistent_read=True)
            return [item.row() for item in found]

    def outcomes(
        self, campaign_id: str, status: RowStatus, limit: int, after: tuple[str, str] | None
    ) -> tuple[list[RowKey], tuple[str, str] | None]:
        """Keys of rows that failed, are unknown or were skipped, by the index; and the place to go on after, if any."""
        outcome = f"{campaign_id}#{status}"
        last = {"outcome": {"S": outcome}, "id": {"S": after[0]}, "part": {"S": after[1]}} if after else None
        with transient_as_unavailable():
            found = RowItem.by_outcome.query(outcome, limit=limit, last_evaluated_key=last)
            keys = [RowKey.of_item(item.id, item.part)[1] for item in found]
            following = found.last_evaluated_key
        return keys, (following["id"]["S"], following["part"]["S"]) if following else None

    def contacts(self, owner: str, keys: Iterable[str]) -> dict[str, Contact]:
        """An owner's contacts by their keys; one of whom nothing is known is there too."""
        order = list(dict.fromkeys(keys))
        items = [ContactItem.key(owner, each) for each in order]
        found = {each.key: each for each in read_batch(ContactItem, items, lambda item: item.contact())}
        return {each: found.get(each) or Contact(owner=owner, key=each) for each in order}

    def met(self, instance_id: str, message_ids: Iterable[str]) -> dict[str, Met]:
        """The meeting places of messages, without those where nobody was yet."""
        keys = [MessageItem.key(instance_id, each) for each in dict.fromkeys(message_ids)]
        return {each.message_id: each for each in read_batch(MessageItem, keys, _met)}

    def quota(self, owner: str, day: str) -> Quota:
        """What was claimed of an owner's day."""
        found = read_batch(QuotaItem, [QuotaItem.key(owner, day)], lambda item: _quota(day, item))
        return next(iter(found), Quota(day))

    def owner(self, owner: str) -> Owner:
        """An owner's limits and words; the defaults when nobody set them."""
        return next(iter(read_batch(OwnerItem, [OwnerItem.key(owner)], lambda item: item.owner())), Owner(owner=owner))

    def live(self, statuses: Iterable[BroadcastStatus], limit: int) -> list[Broadcast]:
        """Campaigns of all owners in live statuses, from the sweeper's index: at most `limit` of each status."""
        ids: list[str] = []
        for status in statuses:
            with transient_as_unavailable():
                ids += [item.id for item in self._live.by_wake.query(str(status), limit=limit)]
        return self.get_all(ids)

    # Writes

    def record(self, record: Record, now: datetime) -> bool:
        """Commit a record; False when a condition failed: read again, join, and try again. Raises Unavailable.

        A record of nothing is true: others have recorded all of it.
        """
        if not any((record.moved, record.put, record.dropped, record.met, record.instance, record.released)):
            return True

        def fill(transaction: TransactWrite) -> None:
            _write_rows(transaction, record.moved)
            _count(transaction, record.campaign_id, record.counter, record.moved)
            _write_agenda(transaction, record.campaign_id, record.put, record.dropped)
            for before, after in record.met:
                _write_meeting(transaction, before, after, now)
            if record.instance:
                _write_instance(transaction, *record.instance)
            for released in record.released:
                _give_back(transaction, released)
            for event in record.events:
                outbox.write(transaction, event.name, event.data, now)

        return self._database.commit(fill)

    def prove(self, instance: Instance) -> None:
        """Note that an instance's look-up found a message that is known to be sent; it does not pace, so `v` stays."""
        proven = setting(InstanceItem, {"lookup_proven_at": instance.lookup_proven_at})
        update_if(InstanceItem(instance.id, PART), proven, InstanceItem.id.exists())

    def lay(self, campaign: Broadcast, rows: Sequence[Row]) -> bool:
        """Put rows that are not there, on condition that the campaign is at the step that lays them [B19].

        False when the campaign is not, or the rows are there already.
        """
        as_read = (BroadcastItem.step == campaign.step) & (BroadcastItem.status == campaign.status)

        def fill(transaction: TransactWrite) -> None:
            transaction.condition_check(BroadcastItem, campaign.id, PART, condition=as_read)
            for row in rows:
                transaction.save(RowItem.of(row), condition=RowItem.id.does_not_exist())

        return self._database.commit(fill)

    def forget(self, campaign_id: str) -> bool:
        """Delete what lies beside a campaign that is removed, but for its rows: counters, agenda, text, imports.

        True when nothing is left. A step deletes 500: as many retries as rows may be on the agenda of a cancelled one.
        """
        with transient_as_unavailable():
            found = self._any.query(campaign_id, self._any.part > PART, limit=_FORGOTTEN_AT_ONCE, consistent_read=True)
            parts = [item.part for item in found]
        for some in batched(parts, _DELETED_AT_ONCE, strict=False):
            self._database.commit(partial(self._delete, campaign_id, some))
        return len(parts) < _FORGOTTEN_AT_ONCE

    def _delete(self, campaign_id: str, parts: Iterable[str], transaction: TransactWrite) -> None:
        for part in parts:
            transaction.delete(self._any(campaign_id, part))

    def also(self, transaction: TransactWrite, change: Change, after: Broadcast, now: datetime) -> None:
        """Rows, contacts, agenda, text, instance, quota, and the events behind the first one."""
        _write_rows(transaction, change.moved)
        for key in change.removed:
            transaction.delete(RowItem(*key.item(after.id)))
        for before, contact in change.contacts:
            _write_contact(transaction, before, contact)
        _write_agenda(transaction, after.id, change.put, change.dropped)
        if change.text:
            transaction.save(TextItem(after.id, TEXT, text=change.text))
        for each in change.needs:
            # A template's item says it likewise, and neither is ever removed.
            transaction.condition_check(InstanceItem, each, PART, condition=InstanceItem.deleted_at.does_not_exist())
        if change.instance:
            _write_instance(transaction, *change.instance)
        if change.taken:
            _take(transaction, change.taken, now)
        if change.flagged:
            _flag(transaction, change.flagged)
        for event in change.events:
            outbox.write(transaction, event.name, event.data, now)

    def terms(self, campaign: Broadcast) -> dict[str, Any]:
        values = {each.name: getattr(campaign, each.name) for each in fields(Terms)}
        values |= {"windows": to_json(campaign.windows) if campaign.windows else None}
        values |= {"scheduled_for": rfc3339(campaign.scheduled_for) if campaign.scheduled_for else None}
        return {name: value for name, value in values.items() if value is not None}

    def snapshot(self, campaign: Broadcast) -> dict[str, Any]:
        names = ("accepted", "generation", "pass_number", "pause_reason", "failure_reason")
        found = {name: getattr(campaign, name) for name in names if getattr(campaign, name)}
        return {"status": str(campaign.status)} | found

    def told(self, campaign: Broadcast) -> dict[str, Any]:
        names = ("pause_reason", "failure_reason")
        why = {name: getattr(campaign, name) for name in names if getattr(campaign, name)}
        return {"id": campaign.id, "userId": campaign.owner, "status": campaign.shown} | why

    def _trace(self, change: Change, actor: str) -> Trace | None:
        trace = super()._trace(change, actor)
        if trace is None:
            return None
        edited = self.terms(change.after) if change.action is Action.EDITED else {}
        shown = trace.after if isinstance(trace.after, Mapping) else {}
        return replace(trace, after={**edited, **shown, **change.noted}, told={**trace.told, **change.noted})


def _quota(day: str, item: QuotaItem | None) -> Quota:
    if item is None:
        return Quota(day)
    return Quota(day, int(item.used), int(item.price), bool(item.warned), bool(item.reached))


def _met(item: MessageItem) -> Met:
    _, instance_id, message_id = item.id.split("#", 2)
    evidence = Evidence(int(item.evidence))
    told = Told(evidence, item.at, item.error) if evidence else None
    row = RowKey.parse(item.row) if item.row else None
    return Met(instance_id, message_id, item.campaign_id, row, item.attempt, told)


def _write_rows(transaction: TransactWrite, moved: Iterable[Moved]) -> None:
    """Each row on condition that it is as it was read [B2]."""
    for each in moved:
        before, after = each.before, each.after
        if before is None:
            raise ValueError("Rows are laid down by `lay`")
        as_before = written(before)
        values = {name: value for name, value in written(after).items() if value != as_before[name]}
        item = RowItem(*after.key.item(after.campaign_id))
        transaction.update(item, setting(RowItem, values), RowItem.v == before.v)


def _count(transaction: TransactWrite, campaign_id: str, counter: str, moved: Iterable[Moved]) -> None:
    """Add what the rows count for, in their transaction [B3]."""
    sums = sum((each.counted for each in moved), Counts())
    adds = [_adding(name, getattr(sums, name)) for name in COUNTED if getattr(sums, name)]
    if adds:
        transaction.update(CountItem(campaign_id, counter), adds)


def _adding(name: str, number: int) -> Update:
    added: Update = getattr(CountItem, name).add(number)
    return added


def _write_agenda(transaction: TransactWrite, campaign_id: str, put: Iterable[Due], dropped: Iterable[Due]) -> None:
    new = {each.part: each for each in put}
    for due in new.values():
        item = DueItem.of(campaign_id, due)
        transaction.save(item, condition=DueItem.id.does_not_exist() if due.rows else None)
    for part in dict.fromkeys(each.part for each in dropped):
        if part not in new:
            transaction.delete(DueItem(campaign_id, part))


def _write_contact(transaction: TransactWrite, before: Contact, after: Contact) -> None:
    """A contact's sends, on condition that the contact is as it was read and not suppressed [B20]."""
    item = ContactItem(*ContactItem.key(before.owner, before.key))
    is_same = ContactItem.v == before.v if before.v else ContactItem.v.does_not_exist()
    actions: list[Update] = [ContactItem.sends.set(after.sends), ContactItem.v.set(after.v)]
    transaction.update(item, actions, is_same)


def _write_instance(transaction: TransactWrite, before: Instance, after: Instance) -> None:
    """What the chain paces by, on condition of its `v` [B16, B21]."""
    values = {name: value for name, value in vars(after).items() if value != getattr(before, name)}
    item = InstanceItem(before.id, PART)
    transaction.update(item, setting(InstanceItem, values), InstanceItem.v == before.v)


def _take(transaction: TransactWrite, taken: Taken, now: datetime) -> None:
    """Take of a day's quota, on condition that it has room."""
    item = QuotaItem(*QuotaItem.key(taken.owner, taken.day))
    expires_at = int((now + _QUOTA_KEPT).timestamp())
    adds: list[Update] = [QuotaItem.used.add(taken.count), QuotaItem.price.add(taken.price)]
    adds.append(QuotaItem.expires_at.set(expires_at))
    room = None
    if taken.most is not None:
        room = QuotaItem.used.does_not_exist() | (QuotaItem.used <= taken.most)
    transaction.update(item, adds, room)


def _flag(transaction: TransactWrite, flagged: Flagged) -> None:
    """Note that an alert was given: on condition that it was not (amendment 10)."""
    flag = getattr(QuotaItem, flagged.flag)
    transaction.update(QuotaItem(*QuotaItem.key(flagged.owner, flagged.day)), [flag.set(True)], flag.does_not_exist())


def _give_back(transaction: TransactWrite, released: Released) -> None:
    item = QuotaItem(*QuotaItem.key(released.owner, released.day))
    transaction.update(item, [QuotaItem.used.add(-released.count), QuotaItem.price.add(-released.price)])


def _write_meeting(transaction: TransactWrite, before: Met | None, after: Met, now: datetime) -> None:
    """A meeting place, on condition that it is as it was read [B10]."""
    item = MessageItem(
        *MessageItem.key(after.instance_id, after.message_id),
        campaign_id=after.campaign_id,
        row=str(after.row) if after.row else None,
        attempt=after.attempt,
        evidence=int(after.told.evidence) if after.told else 0,
        at=after.told.at if after.told else None,
        error=after.told.failure if after.told else None,
        expires_at=int((now + _KEPT).timestamp()),
    )
    as_read: Condition = MessageItem.id.does_not_exist()
    if before is not None:
        as_read = MessageItem.evidence == (int(before.told.evidence) if before.told else 0)
        as_read &= MessageItem.row == str(before.row) if before.row else MessageItem.row.does_not_exist()
    transaction.save(item, condition=as_read)


def listed_by(owner: str | None, instance_id: str | None = None) -> Listing:
    """Where the campaigns of an owner are listed, or of an instance, or all."""
    if instance_id is not None:
        return Listing(ListedItem.by_instance.query, instance_id, "instance_id")
    if owner is not None:
        return Listing(ListedItem.by_owner.query, owner, "listed")
    return Listing(ListedItem.by_creation.query, PART, "kind")
