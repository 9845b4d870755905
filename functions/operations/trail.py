"""Reading the audit trail."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.exceptions import DoesNotExist

from sluice import audit
from sluice.audit import Bridge, Entry, EntryItem, Head
from sluice.chained import PART, ChainedItem
from sluice.dynamodb import transient_as_unavailable
from sluice.errors import NotFound, Unreadable
from sluice.ids import is_id
from sluice.journal import is_user
from sluice.ledger import HeadItem
from sluice.platform import ENTITY

REDRIVES = "redrives"
"""The entity with an entry for each redrive of dead letters: its head is beside the platform's."""
TOKENS = "tokens"
"""The entity with an entry for each token that the API minted: its head is beside the platform's too."""
SINGLE = (ENTITY, REDRIVES, TOKENS)
"""The entities of which there is one each."""

CONTENT = "content"
EXCEPTION = "exception"
"""The kind of what operators said of an account at a network: `exception:mastodon.social:1234`."""
OF_BROADCASTS = ("ins", "tpl")
"""The prefixes of what broadcasts have beside campaigns: instances and templates."""
OF_HOOKS = "hok"
"""The prefix of the endpoints of webhooks. Their deliveries have no entries."""
OF_OWNERS = {"limits": ("owner#", "owner"), "contacts": ("contacts#", "audit")}
"""The chains that an owner of broadcasts may have: what operators set for them, `limits:acme`, and what they said of
people, `contacts:acme`; and the item that holds the head of each.
"""
WALLET = "wallet"
"""The kind of what was paid into a user's wallets and out of them: `wallet:nina`."""
HEADS_OF_CONTENT = {CONTENT: "about", "adjustments": "adjustments"}
"""The chains that a content may have, and the part of its item that holds the head of each: `content:story:123`."""


@dataclass(frozen=True)
class TrailPlace:
    """A place in the trail: after this entry."""

    id: str
    entity: str
    number: int


@dataclass(frozen=True)
class Listed:
    """An entry as it is listed, and its fields that were tampered with so that they cannot be read."""

    entry: Entry
    unreadable: tuple[str, ...]


@dataclass(frozen=True)
class Verified:
    """How many entries an entity has, what is wrong with them, if anything, and what restores rolled back."""

    entries: int
    problem: str | None
    bridges: tuple[Bridge, ...] = ()


@dataclass(frozen=True)
class Trail:
    """The audit trail of every context. `campaigns` maps an id's prefix to the campaign items of its context.

    The platform is an entity too, of which there is one, and so are the redrives and the tokens: `campaigns` maps their
    ids to the table that holds their heads.
    So are what is registered of a content, `content:story:123`, and the adjustments of its views,
    `adjustments:story:123`: `campaigns` maps CONTENT to the table that holds their heads, and EXCEPTION to that of what
    operators said of accounts at networks; OF_BROADCASTS and OF_OWNERS to that of broadcasts, and OF_HOOKS to that of
    hooks. The heads of wallets are in the ledger's table.
    """

    campaigns: Mapping[str, type[ChainedItem]]

    def page(
        self, entity: str | None, action: str | None, limit: int, after: TrailPlace | None
    ) -> tuple[list[Listed], TrailPlace | None]:
        """At most `limit` entries, newest first, beginning after a place; and the place to go on after, if any.

        Only those of `entity`, and only actions that begin with `action`, if given.
        """
        options: dict[str, Any] = {"scan_index_forward": False, "limit": limit}
        if action:
            options["filter_condition"] = EntryItem.action.startswith(action)
        if after:
            key = {"entity": {"S": entity or after.entity}, "number": {"N": str(after.number)}}
            options["last_evaluated_key"] = key if entity else key | {"log": {"S": audit.LOG}, "id": {"S": after.id}}
        with transient_as_unavailable():
            rows = EntryItem.query(entity, **options) if entity else EntryItem.by_time.query(audit.LOG, **options)
            found = [Listed(row.entry(), row.unreadable) for row in rows]
        more = bool(found) and rows.last_evaluated_key is not None
        last = found[-1].entry if more else None
        return found, TrailPlace(last.id or "", last.entity, last.number) if last else None

    def verify(self, entity: str) -> Verified:
        """What an entity's entries are found to be. Raises NotFound."""
        # First the entity: entries written meanwhile are then ahead of its head, not missing.
        found = latest = self._head(entity)
        head = found or Head()
        try:
            with transient_as_unavailable():
                entries = audit.entries_of(entity)
        except Unreadable as error:
            return Verified(head.number, str(error))
        if found is None and not entries and entity not in SINGLE:
            raise _unknown(entity)
        last = entries[-1].number if entries else 0
        if last > head.number:
            latest = self._head(entity)  # Written meanwhile, or ahead of it: the head of now can tell.
        latest = latest or Head()
        seen = entries
        if last < latest.number:
            seen, latest = [each for each in entries if each.number <= head.number], head
        return Verified(len(entries), audit.find_problem(seen, latest), tuple(audit.bridges(entries)))

    def _head(self, entity: str) -> Head | None:
        """What the entity remembers; None when it is not there: never was, or a restore took it back."""
        items, item_id, part = self._place(entity)
        with transient_as_unavailable():
            try:
                return items.get(item_id, part, consistent_read=True).audit_head
            except DoesNotExist:
                return None

    def _place(self, entity: str) -> tuple[type[ChainedItem | HeadItem], str, str]:
        """Where an entity remembers its last entry: the table, and the item's key there. Raises NotFound."""
        if user := _user(entity):
            return HeadItem, *HeadItem.key(user)
        kind, *content = entity.split(":", 2)
        if kind in HEADS_OF_CONTENT and len(content) == 2:
            return self.campaigns[CONTENT], "#".join((CONTENT, *content)), HEADS_OF_CONTENT[kind]
        if kind == EXCEPTION and content:
            host, _, account = entity.removeprefix(f"{EXCEPTION}:").rpartition(":")
            return self.campaigns[EXCEPTION], f"{EXCEPTION}#{host}#{account}", EXCEPTION
        if kind in OF_OWNERS and content:
            begin, part = OF_OWNERS[kind]
            return self.campaigns[kind], begin + entity.partition(":")[2], part
        prefix, _, _ = entity.partition("_")
        is_campaign = is_id(prefix, entity) or is_id(prefix, entity, suffixed=True) or entity in SINGLE
        if prefix not in self.campaigns or not is_campaign:
            raise _unknown(entity)
        return self.campaigns[prefix], entity, PART


def _user(entity: str) -> str | None:
    """Whose wallets the entity is; None for another entity."""
    kind, _, user = entity.partition(":")
    return user if kind == WALLET and is_user(user) else None


def _unknown(entity: str) -> NotFound:
    if _user(entity):
        return NotFound("Nothing was paid into this user's wallets or out of them", "not_found")
    if entity.startswith(f"{EXCEPTION}:"):
        return NotFound("Nobody ever made an exception for this account", "not_found")
    if entity.partition(":")[0] in OF_OWNERS:
        return NotFound(
            "Nobody ever set limits for this owner, or the owner never said anything of people", "not_found"
        )
    if entity.partition(":")[0] in HEADS_OF_CONTENT:
        return NotFound("This content was never registered, or its views were never adjusted", "not_found")
    return NotFound("Campaign not found", "campaign_not_found")
