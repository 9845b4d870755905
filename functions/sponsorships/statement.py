"""The statement as it is shown: what a participation came to, and all that is needed to compute it again elsewhere."""

from dataclasses import dataclass, fields

from sluice import ledger
from sluice.errors import Conflicting, NotFound
from sponsorships import adjustments, merkle, rows
from sponsorships.campaign import Campaign
from sponsorships.items import RowItem
from sponsorships.participation import ENDED, Participation, ParticipationStatus
from sponsorships.secret import ImpressionSecret
from sponsorships.shown import Line, Proof, Shown
from sponsorships.store import ParticipationStore, offer_of

SETTLED = ENDED | {ParticipationStatus.HELD}
"""A participation has a statement then."""


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
            adjustments.of(found.id),
        )

    def page(self, found: Participation, limit: int, after: str | None) -> tuple[list[Line], str | None]:
        """At most `limit` rows, counted and voided ones, after a `part`; and the `part` to go on after, if any.

        A row that recording did not write is no evidence: it is left out, and `verify` counts it.
        """
        keys, (page, following) = self.secret.keys(), rows.page(found.id, limit, after)
        listed = [each for each in page if "voided" in each.raw or rows.valid(keys, found.id, each)]
        return [_line(each) for each in listed], following

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


def _line(item: RowItem) -> Line:
    texts = (item.raw.get(each.name, {}).get("S", "") for each in fields(Line)[1:])
    return Line(item.part, *texts)
