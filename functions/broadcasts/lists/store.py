"""Instances, templates and owners' limits in the table: each change audited, in one transaction."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from broadcasts import templates
from broadcasts.campaign import BroadcastStatus
from broadcasts.instance import PREFIX as INSTANCE
from broadcasts.instance import Instance, ProviderName
from broadcasts.items import (
    BroadcastItem,
    InstanceItem,
    InstancesItem,
    ListedItem,
    NumberItem,
    OwnerItem,
    QuotaItem,
    TemplateItem,
    VersionItem,
)
from broadcasts.owners import Owner
from broadcasts.template import CONTENT, Content, Template
from broadcasts.template import PREFIX as TEMPLATE
from sluice.audit import Head
from sluice.chained import PART
from sluice.commit import Trace, commit
from sluice.dynamodb import Database, page_of, read_batch, setting, transient_as_unavailable
from sluice.requests import Keyed

MOST_INSTANCES = 1_000
"""Of all owners together: Parameter Store holds 10,000 standard parameters (amendment 19)."""
_ENDED = frozenset({BroadcastStatus.COMPLETED, BroadcastStatus.FAILED, BroadcastStatus.DELETED})
_SENDING = frozenset({BroadcastStatus.RUNNING, BroadcastStatus.PAUSING, BroadcastStatus.CANCELLING})
_PAGE = 100


class Audited(Protocol):
    """A thing with an audit chain of its own."""

    @property
    def audit_number(self) -> int: ...
    @property
    def audit_hash(self) -> str: ...


class ListsStore:
    """Raises Unavailable. What changes something takes a key, and returns None when a condition failed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Instances

    def instance(self, instance_id: str) -> Instance | None:
        """An instance, a deleted one too, by a consistent read."""
        return next(iter(read_batch(InstanceItem, [(instance_id, PART)], lambda item: item.instance())), None)

    def instances(self, owner: str | None, limit: int, after: str | None) -> tuple[list[Instance], str | None]:
        """At most `limit` instances of an owner, or with None of all, the oldest first; and the id to go on after."""
        ids, following = _page(_instances_of(owner), INSTANCE, limit, after)
        found = {each.id: each for each in read_batch(InstanceItem, _keys(ids), lambda item: item.instance())}
        return [found[each] for each in ids if each in found], following

    def holder(self, provider: ProviderName, address: str) -> str | None:
        """The instance that has a number."""
        key = NumberItem.key(provider, address)
        return next(iter(read_batch(NumberItem, [key], lambda item: str(item.instance_id))), None)

    def count_instances(self) -> int:
        found = read_batch(InstancesItem, [InstancesItem.key()], lambda item: int(item.number))
        return next(iter(found), 0)

    def is_used(self, instance_id: str) -> bool:
        """Whether a campaign on an instance has not ended. The index may be a moment late."""
        query = ListedItem.by_instance.query
        return self._any(query, instance_id, lambda item: item.status not in _ENDED)

    def is_sending(self, instance_id: str) -> bool:
        """Whether messages of an instance may be in flight. The index may be a moment late."""
        query = ListedItem.by_instance.query
        return self._any(query, instance_id, lambda item: item.status in _SENDING)

    def create_instance(
        self, made: Instance, actor: str, now: datetime, keyed: Keyed[Instance] | None
    ) -> Instance | None:
        """Put an instance, on condition that its number is free, and that there are not too many."""

        def write(transaction: TransactWrite, instance: Instance) -> None:
            transaction.save(InstanceItem.of(instance), InstanceItem.id.does_not_exist())
            transaction.save(_number(instance), NumberItem.id.does_not_exist())
            for owner in (instance.owner, None):
                transaction.save(ListedItem(_instances_of(owner), instance.id))
            room = InstancesItem.id.does_not_exist() | (InstancesItem.number < MOST_INSTANCES)
            transaction.update(InstancesItem(*InstancesItem.key()), [InstancesItem.number.add(1)], room)

        trace = _instance_trace("CREATED", None, made, actor)
        return self._commit(None, made, trace, now, write, keyed)

    def change_instance(
        self, before: Instance, after: Instance, actor: str, now: datetime, keyed: Keyed[Instance] | None
    ) -> Instance | None:
        """Change what an owner set, on condition that nobody else did. A claim that read it before fails."""

        def write(transaction: TransactWrite, instance: Instance) -> None:
            _write_instance(transaction, before, instance)
            if _number_of(instance) != _number_of(before):
                transaction.delete(_number(before), NumberItem.instance_id == before.id)
                transaction.save(_number(instance), NumberItem.id.does_not_exist())

        return self._commit(before, after, _instance_trace("CHANGED", before, after, actor), now, write, keyed)

    def delete_instance(
        self, before: Instance, after: Instance, actor: str, now: datetime, keyed: Keyed[Instance] | None
    ) -> Instance | None:
        """Let an instance go: its number is free, and its item stays for the campaigns that it sent."""

        def write(transaction: TransactWrite, instance: Instance) -> None:
            _write_instance(transaction, before, instance)
            transaction.delete(_number(before), NumberItem.instance_id == before.id)
            for owner in (before.owner, None):
                transaction.delete(ListedItem(_instances_of(owner), before.id))
            transaction.update(InstancesItem(*InstancesItem.key()), [InstancesItem.number.add(-1)])

        return self._commit(before, after, _instance_trace("DELETED", before, after, actor), now, write, keyed)

    # Templates

    def template(self, template_id: str) -> Template | None:
        """A template, a deleted one too, by a consistent read."""
        return templates.find(template_id)

    def version(self, template_id: str, number: int) -> Content | None:
        """A version of a template, by a consistent read."""
        return templates.version(template_id, number)

    def templates(self, owner: str | None, limit: int, after: str | None) -> tuple[list[Template], str | None]:
        """At most `limit` templates of an owner, or with None of all, the oldest first; and the id to go on after."""
        ids, following = _page(_templates_of(owner), TEMPLATE, limit, after)
        found = {each.id: each for each in read_batch(TemplateItem, _keys(ids), lambda item: item.template())}
        return [found[each] for each in ids if each in found], following

    def is_sent(self, template: Template) -> bool:
        """Whether a campaign of its owner uses a template, and has not ended. The index may be a moment late."""
        query = ListedItem.by_owner.query
        return self._any(
            query, template.owner, lambda item: item.template_id == template.id and item.status not in _ENDED
        )

    def save_template(
        self, before: Template | None, after: Template, actor: str, now: datetime, keyed: Keyed[Template] | None
    ) -> Template | None:
        """Put a template in place of the one as read, and its version if that is another."""

        def write(transaction: TransactWrite, template: Template) -> None:
            as_read: Condition = TemplateItem.id.does_not_exist()
            if before:
                as_read = TemplateItem.audit_number == before.audit_number
            transaction.save(TemplateItem.of(template), as_read)
            for listed in [ListedItem(_templates_of(owner), template.id) for owner in (template.owner, None)]:
                if template.deleted_at:
                    transaction.delete(listed)
                elif before is None:
                    transaction.save(listed)
            if before is None or template.version != before.version:
                transaction.save(VersionItem.of(template), VersionItem.id.does_not_exist())

        action = "DELETED" if after.deleted_at else "CHANGED" if before else "CREATED"
        trace = _trace(
            "TEMPLATE", after.id, action, actor, _template(before) if before else None, _template(after), after.owner
        )
        return self._commit(before, after, trace, now, write, keyed)

    # Owners

    def owner(self, owner: str) -> Owner:
        """What operators set for an owner, by a consistent read; the defaults when nobody did."""
        return next(iter(read_batch(OwnerItem, [OwnerItem.key(owner)], lambda item: item.owner())), Owner(owner=owner))

    def used(self, owner: str, day: str) -> tuple[int, int]:
        """How many messages were claimed of an owner's day, and their price in 1/1,000,000."""
        key = QuotaItem.key(owner, day)
        return next(iter(read_batch(QuotaItem, [key], lambda item: (int(item.used), int(item.price)))), (0, 0))

    def save_owner(
        self, before: Owner, after: Owner, actor: str, now: datetime, keyed: Keyed[Owner] | None
    ) -> Owner | None:
        """Put an owner's limits in place of those as read."""

        def write(transaction: TransactWrite, owner: Owner) -> None:
            values = {name: value for name, value in vars(owner).items() if name != "owner"}
            as_read = OwnerItem.audit_number == before.audit_number
            unset = OwnerItem.id.does_not_exist()
            transaction.save(
                OwnerItem(*OwnerItem.key(owner.owner), **values), as_read if before.audit_number else unset
            )

        shown = _owner(before) if before.audit_number else None
        trace = _trace("LIMITS", entity_of(after), "CHANGED", actor, shown, _owner(after), after.owner)
        return self._commit(before, after, trace, now, write, keyed)

    # All

    def answer[E](self, found: E, now: datetime, keyed: Keyed[E]) -> E | None:
        """Store the answer of a keyed request that changes nothing; None when its key has an answer already."""
        return commit(self._database, Head(), None, now, entity=lambda _: found, write=lambda *_: None, keyed=keyed)

    def _commit[E: Any](
        self,
        before: Audited | None,
        after: E,
        trace: Trace,
        now: datetime,
        write: Callable[[TransactWrite, E], None],
        keyed: Keyed[E] | None,
    ) -> E | None:
        def headed(head: Head) -> E:
            made: E = replace(after, audit_number=head.number, audit_hash=head.hash)
            return made

        head = Head(int(before.audit_number), before.audit_hash) if before else Head()
        return commit(self._database, head, trace, now, entity=headed, write=write, keyed=keyed)

    def _any(self, query: Callable[..., Any], key: str, is_it: Callable[[BroadcastItem], bool]) -> bool:
        """Whether one of the campaigns in an index is so, by consistent reads of them."""
        with transient_as_unavailable():
            ids = [item.id for item in query(key, page_size=_PAGE)]
        return any(read_batch(BroadcastItem, _keys(ids), is_it))


def entity_of(owner: Owner) -> str:
    """The entity of an owner's limits in the audit log."""
    return f"limits:{owner.owner}"


def _instances_of(owner: str | None) -> str:
    """The partition that lists an owner's instances; None: those of all owners."""
    return "instances" if owner is None else f"instances#{owner}"


def _templates_of(owner: str | None) -> str:
    return "templates" if owner is None else f"templates#{owner}"


def _keys(ids: list[str]) -> list[tuple[str, str]]:
    return [(each, PART) for each in ids]


def _page(partition: str, prefix: str, limit: int, after: str | None) -> tuple[list[str], str | None]:
    return page_of(ListedItem, lambda item: str(item.part), partition, f"{prefix}_", limit, after)


def _number_of(instance: Instance) -> tuple[ProviderName, str]:
    return instance.provider, instance.address


def _number(instance: Instance) -> NumberItem:
    return NumberItem(*NumberItem.key(*_number_of(instance)), instance_id=instance.id)


def _write_instance(transaction: TransactWrite, before: Instance, after: Instance) -> None:
    """What an owner set. `v` is added to and no condition: claims change it all the time, and are computed again."""
    values = {name: value for name, value in vars(after).items() if value != getattr(before, name)}
    as_read = (InstanceItem.audit_number == before.audit_number) & InstanceItem.deleted_at.does_not_exist()
    transaction.update(InstanceItem(before.id, PART), [*setting(InstanceItem, values), InstanceItem.v.add(1)], as_read)


def _instance_trace(action: str, before: Instance | None, after: Instance, actor: str) -> Trace:
    shown = _instance(before) if before else None
    return _trace("INSTANCE", after.id, action, actor, shown, _instance(after), after.owner)


def _trace(
    kind: str,
    entity: str,
    action: str,
    actor: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    owner: str,
) -> Trace:
    """`BROADCAST_INSTANCE_CREATED`, and the event `BroadcastInstanceCreated`."""
    return Trace(
        entity=entity,
        action=f"BROADCAST_{kind}_{action}",
        actor=actor,
        before=before,
        after=after,
        event=f"Broadcast{kind.title()}{action.title()}",
        told={"id": entity, "userId": owner},
        restored=f"BROADCAST_{kind}_RESTORED",
    )


_OF_AN_INSTANCE = (
    "name",
    "provider",
    "address",
    "base_url",
    "time_zone",
    "rate_limit",
    "daily_limit",
    "price_per_message",
    "currency",
    "credentials",
)


def _instance(instance: Instance) -> dict[str, Any]:
    """What the audit log shows: the version of the credentials, and never the credentials."""
    found = {name: getattr(instance, name) for name in _OF_AN_INSTANCE}
    found |= {"prices": len(instance.prices), "deleted": instance.deleted_at is not None or None}
    return {name: value for name, value in found.items() if value is not None}


def _template(template: Template) -> dict[str, Any]:
    names = ("name", "version", "approval", *CONTENT)
    found = {name: getattr(template, name) for name in names if name != "text"}
    found |= {"header": list(template.header), "parameters": list(template.parameters)}
    found["deleted"] = template.deleted_at is not None or None
    return {name: value for name, value in found.items() if value is not None}


def _owner(owner: Owner) -> dict[str, Any]:
    found = {name: value for name, value in vars(owner).items() if not name.startswith("audit_") and name != "owner"}
    found |= {"cap": owner.cap and vars(owner.cap), "opt_out_words": list(owner.opt_out_words)}
    return {name: value for name, value in found.items() if value is not None}
