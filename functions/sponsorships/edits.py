"""Edits of a participation by hand, proposals, and their approval by two people. Pure: each returns the Change.

No document is paid (decision 26): an edit becomes an adjustment, and the fields are set back to the live numbers.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sluice.errors import Conflicting
from sponsorships.participation import (
    Action,
    Adjustment,
    AdjustmentState,
    Change,
    Offer,
    Participation,
    ParticipationStatus,
    Standing,
    copies,
)

PROPOSAL = "proposal"
"""The `found_by` of an adjustment that somebody proposed."""
API = "api"


def put_right(standing: Standing, offer: Offer, found_by: str, now: datetime) -> Change:
    """Record an edit by hand as an adjustment, and set the fields back, in one change.

    What it claims is reckoned against the live total: a published copy lags behind it. An edit that claims no
    impressions, or one of a participation that has ended, can never be granted: it is noted.
    """
    found = standing.participation
    edited = found.edited
    written = int(found.impressions) if "impressions" in edited else 0
    delta = max(0, written - standing.total)
    is_open = delta > 0 and not found.has_ended
    adjustment = Adjustment(
        number=found.step,
        delta=delta,
        found_by=found_by,
        created_at=now,
        state=AdjustmentState.OPEN if is_open else AdjustmentState.NOTED,
        before={name: published for name, (published, _) in edited.items()},
        after={name: by_hand for name, (_, by_hand) in edited.items()},
    )
    right = replace(found.commanded(now), **copies(standing.total, standing.clicks, offer), last_writer=found_by)
    noted = _shown(adjustment) | {"before": dict(adjustment.before), "after": dict(adjustment.after)}
    return Change(
        found, right, Action.EDITED, adjustment=adjustment, noted=noted, check=_asked(standing.total, found_by)
    )


def propose(found: Participation, impressions: int, reason: str, proposer: str, now: datetime) -> Change:
    """Propose to count impressions that no row shows. The proposal counts as its proposer's approval."""
    _require_grantable(found)
    adjustment = Adjustment(
        found.step, impressions, PROPOSAL, now, reason=reason, proposer=proposer, approvers=frozenset({proposer})
    )
    proposed = found.commanded(now)
    noted = _shown(adjustment) | {"reason": reason}
    return Change(found, proposed, Action.ADJUSTMENT_PROPOSED, adjustment=adjustment, noted=noted)


def approve(
    standing: Standing, adjustment: Adjustment, offer: Offer, approver: str, now: datetime, threshold: int
) -> Change:
    """Approve an open adjustment: the second person's approval grants it.

    `threshold`: in minor units. One approval is enough while all that was ever granted to the participation is worth no
    more than that; 0: it always takes two. Raises Conflicting `already_decided`, `own_proposal`, `too_late`.
    """
    _require_open(adjustment)
    if approver in adjustment.approvers:
        raise Conflicting("Another person must approve what you proposed or approved", "own_proposal")
    found = standing.participation
    _require_grantable(found)
    granted = found.granted + adjustment.delta
    is_small = threshold > 0 and offer.earned(granted) <= threshold
    is_granted = is_small or len(adjustment.approvers | {approver}) >= 2
    approved = replace(
        adjustment,
        approvers=adjustment.approvers | {approver},
        state=AdjustmentState.GRANTED if is_granted else AdjustmentState.OPEN,
        decided_by=approver,
    )
    after = found.commanded(now)
    return Change(
        found,
        replace(after, granted=granted) if is_granted else after,
        Action.ADJUSTMENT_APPROVED,
        adjustment=approved,
        noted=_shown(approved),
        check=_asked(standing.total + adjustment.delta, API) if is_granted else None,
    )


def reject(found: Participation, adjustment: Adjustment, reason: str, actor: str, now: datetime) -> Change:
    """Reject an open adjustment, whatever became of its participation."""
    _require_open(adjustment)
    rejected = replace(adjustment, state=AdjustmentState.REJECTED, decided_by=actor)
    noted = _shown(rejected) | {"reason": reason}
    return Change(found, found.commanded(now), Action.ADJUSTMENT_REJECTED, adjustment=rejected, noted=noted)


def correct(found: Participation, difference: int, now: datetime) -> Change:
    """Put right a tally that a hand edited: `difference` is what the rows have more than the tallies."""
    noted = {"difference": difference}
    return Change(found, found.commanded(now), Action.TALLY_CORRECTED, correction=difference, noted=noted)


def _asked(total: int, source: str) -> dict[str, Any]:
    """What the event that asks for a check says beside the participation."""
    return {"thresholds": [], "total": total, "source": source}


def _shown(adjustment: Adjustment) -> dict[str, Any]:
    return {"adjustment": adjustment.number, "delta": adjustment.delta, "state": adjustment.state}


def _require_open(adjustment: Adjustment) -> None:
    if adjustment.state is not AdjustmentState.OPEN:
        raise Conflicting("This adjustment is decided already", "already_decided")


def _require_grantable(found: Participation) -> None:
    """Grants count for a target that is not decided yet."""
    if found.status not in (ParticipationStatus.ACTIVE, ParticipationStatus.REVIEW):
        raise Conflicting("The participation settles already: nothing can be granted", "too_late")
