"""Checks participations and campaigns against their evidence: rows, grants and the ledger (sponsorships section 7).

`expected` is what the evidence says, `found` what a document, a tally or a statement says.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sluice import evidence, journal, ledger
from sluice.evidence import Check
from sluice.journal import Unbalanced
from sponsorships import adjustments, gkeys, rows
from sponsorships.campaign import AtEnd, Campaign
from sponsorships.impressions import participation_id
from sponsorships.participation import (
    Count,
    Offer,
    Participation,
    ParticipationStatus,
    Standing,
    Statement,
    Why,
)
from sponsorships.settlement import Settlement
from sponsorships.statement import SETTLED
from sponsorships.store import CampaignStore, offer_of


@dataclass(frozen=True)
class Evidence:
    """Checks numbers; it changes nothing."""

    campaigns: CampaignStore
    settlement: Settlement

    def of_participation(self, campaign: Campaign, found: Participation) -> list[Check]:
        """Check rows against tallies, statement, ledger, key and document: an edit of any of them is named."""
        return evidence.verify(lambda: self._participation(campaign, found))

    def of_campaign(self, campaign: Campaign) -> list[Check]:
        """Check a campaign's money in the ledger against its participations."""
        return evidence.verify(lambda: self._campaign(self.campaigns.get(campaign.id) or campaign))

    def _participation(self, campaign: Campaign, earlier: Participation) -> list[Check]:
        store = self.settlement.store
        before = self.settlement.standing_of(earlier)
        count = rows.count(self.settlement.secret, earlier.id)
        now = self.settlement.standing_of(store.get(earlier.id) or earlier)
        found, offer = now.participation, offer_of(earlier.id)
        checks = [*_counts(count, before, now), *_copies(found)]
        if offer is None:
            return [*checks, _is("the ledger has the entry of its join", so=False)]
        statement = store.statement(found.id) if found.status in SETTLED else None
        checks += [*_terms(campaign, offer), *_money(found, offer, statement), *_key(found)]
        return [*checks, *_outcome(found, offer, count, statement)] if statement else checks

    def _campaign(self, campaign: Campaign) -> list[Check]:
        if not campaign.is_funded:
            return []
        checks = [_whole(account) for account in (journal.budget(campaign.id), journal.reserved(campaign.id))]
        try:
            money = ledger.budget_of(campaign.id)
        except Unbalanced:
            return [*checks, _is("funded = remaining + reserved + paid + refunded", so=False)]
        all_of_it = money.remaining + money.reserved + money.paid + money.refunded
        streamers, _ = self.settlement.store.streamers(campaign.id, None, None)
        found = self.settlement.store.get_all(participation_id(campaign.id, each) for each in streamers)
        live = sum(not each.has_ended for each in found)
        # What is claimed back of a closed campaign's pay goes to its advertiser: it stays paid.
        claims = ledger.find_all(f"clw#{each.id}#{n}" for each in found for n in range(1, each.refunds + 1))
        came_back = sum(entry.amount_in(journal.budget(campaign.id)) for entry in claims.values())
        return [
            *checks,
            Check("funded = remaining + reserved + paid + refunded", money.funded, all_of_it),
            _same("funded = the budget of the campaign", money.funded, campaign.budget),
            _same("reserved = the pay of participations that have not ended", money.reserved, live * campaign.pay),
            _same(
                "paid = paid of all participations - what came back to the budget",
                money.paid,
                sum(each.paid for each in found) - came_back,
            ),
        ]


def _is(claim: str, *, so: bool) -> Check:
    """A claim without a number."""
    return Check(f"{claim} (1: yes)", 1, int(so))


def _same(claim: str, expected: int, found: float) -> Check:
    """A claim about a number that a hand may have edited, even to a fraction."""
    if found != int(found):
        return _is(f"{claim}: {found} is a whole number", so=False)
    return Check(claim, expected, int(found))


def _counts(count: Count, before: Standing, now: Standing) -> Iterable[Check]:
    """Rows against tallies. Rows come while they are read: any tally between the readings before and after will do."""
    yield Check("rows that recording did not write", 0, count.foreign)
    yield Check("rows = tallies", count.valid, min(max(count.valid, before.impressions), now.impressions))
    yield Check("clicks above impressions", 0, max(0, now.clicks - now.impressions))


def _copies(found: Participation) -> Iterable[Check]:
    """The monitored fields against their published copies: a hand changes one of the two (S3-12)."""
    for name in ("impressions", "clicks", "earnings"):
        yield _same(f"{name} = published_{name}", getattr(found, f"published_{name}"), getattr(found, name))


def _terms(campaign: Campaign, offer: Offer) -> Iterable[Check]:
    """The campaign's document against the terms that the ledger keeps."""
    yield _is("rate of the campaign = rate in the ledger", so=campaign.rate == offer.rate)
    yield _is("currency of the campaign = currency in the ledger", so=campaign.currency == offer.currency)
    yield _same("target_impressions of the campaign = target in the ledger", offer.target, campaign.target_impressions)
    yield _same("pay of the campaign = what was set aside", offer.pay, campaign.pay)


def _money(found: Participation, offer: Offer, statement: Statement | None) -> Iterable[Check]:
    """The document and the statement against the ledger."""
    wallet = journal.wallet(offer.currency, found.streamer)
    entry = ledger.find(f"pay#{found.id}")
    paid = entry.amount_in(wallet) if entry else 0
    for each in (ledger.find(f"rsv#{found.id}"), entry):
        if each:
            yield _is(f"entry {each.id} is as it was written", so=each.hash == each.digest())
    clawbacks = (ledger.find(f"clw#{found.id}#{number}") for number in range(1, found.refunds + 1))
    clawed = -sum(entry.amount_in(wallet) for entry in clawbacks if entry)
    yield _same("paid = the ledger's entry", paid, found.paid)
    yield _same("clawed = the ledger's entries", clawed, found.clawed)
    yield _same("granted = the approved adjustments", adjustments.granted(found.id), found.granted)
    is_paid = found.status is ParticipationStatus.COMPLETED or (
        found.status is ParticipationStatus.EXPIRED and found.paid > 0
    )
    yield Check(f"status {found.status}: there is pay in the ledger (1: yes)", int(paid > 0), int(is_paid))
    if statement and found.status in (ParticipationStatus.COMPLETED, ParticipationStatus.EXPIRED):
        yield _same("pay of the statement = the ledger's entry", paid, statement.pay)


def _key(found: Participation) -> Iterable[Check]:
    """Its G-Key is unlocked if and only if it is completed (S3-9)."""
    if found.key_number:
        item = gkeys.find(found.campaign_id, found.key_number)
        is_unlocked = item is not None and item.state == gkeys.UNLOCKED
        is_completed = found.status is ParticipationStatus.COMPLETED
        yield Check(f"status {found.status}: its key is unlocked (1: yes)", int(is_completed), int(is_unlocked))


def _outcome(found: Participation, offer: Offer, count: Count, statement: Statement) -> Iterable[Check]:
    """The statement against rows and terms, and the document against both."""
    total = count.valid + found.granted
    is_paid = total >= offer.target or (found.why is Why.END and offer.at_end is AtEnd.PRO_RATA)
    yield _same("impressions of the statement = rows", count.valid, statement.impressions)
    yield _same("voided of the statement = voided rows", count.voided, statement.voided)
    yield _is("root of the statement = root of the rows", so=statement.root == count.root)
    yield Check(
        "pay of the statement = what rows and grants earn", offer.earned(total) if is_paid else 0, statement.pay
    )
    yield _same("impressions = rows + granted", total, found.impressions)
    yield _same("clicks = clicked rows", count.clicks, found.clicks)
    yield _same("earnings = what rows and grants earn", offer.earned(total), found.earnings)


def _whole(account: str) -> Check:
    """The account's lines, entries and balance against each other; the claim ends with the first difference."""
    difference = ledger.verify(account)
    return Check(f"{account} is whole" + (f": {difference}" if difference else ""), 0, int(difference is not None))
