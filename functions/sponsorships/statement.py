"""The statement as it is shown: what a participation came to, and all that is needed to compute it again elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute

from sluice import ledger
from sluice.dynamodb import page_of
from sluice.errors import Conflicting, NotFound
from sluice.ledger import Entry
from sponsorships import merkle, rows
from sponsorships.campaign import Campaign
from sponsorships.impressions import Row
from sponsorships.items import RowItem, SponsorshipsItem
from sponsorships.participation import ENDED, Offer, Participation, ParticipationStatus, Statement
from sponsorships.secret import ImpressionSecret
from sponsorships.store import ParticipationStore, offer_of

SETTLED = ENDED | {ParticipationStatus.HELD}
"""A participation has a statement then."""
_GRANTED = "granted"


class AdjustmentItem(SponsorshipsItem):
    """P / `adjustment#000007`: an edit that was found, or a proposal, and who approved it. Monitoring writes it."""

    delta = NumberAttribute()
    found_by = UnicodeAttribute()
    state = UnicodeAttribute()
    before = JSONAttribute()
    after = JSONAttribute()
    reason = UnicodeAttribute(null=True)
    proposer = UnicodeAttribute(null=True)
    approvers = UnicodeSetAttribute(null=True)


@dataclass(frozen=True)
class Adjustment:
    """An edit of the monitored fields, or a proposal: impressions that count when two people approve them."""

    number: int
    """The step of the participation at which it was put."""
    delta: int
    found_by: str
    state: str
    before: Mapping[str, int]
    after: Mapping[str, int]
    reason: str | None
    proposer: str | None
    approvers: tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """A statement, and what stands around it."""

    campaign: Campaign
    participation: Participation
    offer: Offer
    statement: Statement
    reserve: Entry
    """What set the pay aside, on which terms."""
    entry: Entry | None
    """What paid or released it; None while it is held."""
    void_reasons: Mapping[str, int]
    refused_by_day: Mapping[str, Mapping[str, int]]
    adjustments: list[Adjustment] = field(default_factory=list)

    @property
    def pay(self) -> int:
        """What was paid, or is held, in minor units."""
        return 0 if self.participation.status is ParticipationStatus.REJECTED else self.statement.pay


@dataclass(frozen=True)
class Proof:
    """That a row is a leaf under a root: `merkle.climbed` goes from the one to the other."""

    row: Row
    index: int
    leaves: int
    leaf: bytes
    path: list[tuple[str, bytes]]
    root: bytes
    is_final: bool
    """Whether the root is the statement's."""


@dataclass(frozen=True)
class Statements:
    """Shows statements, rows and proofs."""

    store: ParticipationStore
    secret: ImpressionSecret

    def shown(self, campaign: Campaign, found: Participation) -> Shown:
        """The statement of a participation that has settled. Raises Conflicting `statement_not_ready`."""
        statement = self.store.statement(found.id) if found.status in SETTLED else None
        offer, reserve = offer_of(found.id), ledger.find(f"rsv#{found.id}")
        if statement is None or offer is None or reserve is None:
            raise Conflicting("The participation has not settled", "statement_not_ready")
        return Shown(
            campaign,
            found,
            offer,
            statement,
            reserve,
            ledger.find(f"rel#{found.id}" if found.status is ParticipationStatus.REJECTED else statement.entry),
            rows.void_reasons(found.id) if statement.voided else {},
            rows.refusals_by_day(found.id),
            adjustments(found.id),
        )

    def page(self, found: Participation, limit: int, after: str | None) -> tuple[list[RowItem], str | None]:
        """At most `limit` rows, counted and voided ones, after a `part`; and the `part` to go on after, if any.

        A row that recording did not write is no evidence: it is left out, and `verify` counts it.
        """
        keys, (page, following) = self.secret.keys(), rows.page(found.id, limit, after)
        return [each for each in page if "voided" in each.raw or rows.valid(keys, found.id, each)], following

    def proof(self, found: Participation, part: str) -> Proof:
        """The path from a row to the root over the rows as they are now. Raises NotFound."""
        keys = self.secret.keys()
        counted = [row for each in rows.of(found.id) if (row := rows.valid(keys, found.id, each))]
        index = next((index for index, row in enumerate(counted) if row.part == part), None)
        if index is None:
            raise NotFound("No impression of this viewer counts", "impression_not_found")
        leaves = [rows.leaf(found.id, row) for row in counted]
        root = merkle.root(leaves)
        statement = self.store.statement(found.id) if found.status in SETTLED else None
        is_final = statement is not None and statement.root == root.hex()
        return Proof(counted[index], index, len(leaves), leaves[index], merkle.path(leaves, index), root, is_final)


def adjustments(found_id: str) -> list[Adjustment]:
    """All adjustments of a participation, in order, by a consistent read."""
    found, _ = page_of(AdjustmentItem, _adjustment, found_id, "adjustment#", None, None)
    return sorted(found, key=lambda each: each.number)


def granted(found_id: str) -> int:
    """The impressions that approved adjustments grant."""
    return sum(each.delta for each in adjustments(found_id) if each.state == _GRANTED)


def _adjustment(item: AdjustmentItem) -> Adjustment:
    names = ("found_by", "state", "before", "after", "reason", "proposer")
    values: dict[str, Any] = {name: getattr(item, name) for name in names}
    number, approvers = int(item.part.partition("#")[2]), tuple(sorted(item.approvers or ()))
    return Adjustment(number=number, delta=int(item.delta), approvers=approvers, **values)
