"""Commands and queries of advertisers, streamers and staff. What belongs to someone else is not found."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex

from aws_lambda_powertools import Logger

from sluice import ledger
from sluice.clock import Clock
from sluice.commands import ChainCommands
from sluice.errors import Conflicting, FieldError, Forbidden, Invalid, NotFound
from sluice.ids import is_id, new_id
from sluice.journal import Budget, Insufficient
from sluice.money import exponent
from sluice.requests import Answer, Keyed, Requester
from sluice.roles import Principal, Role
from sluice.store import Place
from sluice.wake import Wake
from sponsorships import campaign as campaigns
from sponsorships import gkeys, impressions, participation, rows
from sponsorships.campaign import Campaign, Keys, SponsorshipStatus, Terms
from sponsorships.campaign import Change as CampaignChange
from sponsorships.earnings import pay
from sponsorships.impressions import participation_id
from sponsorships.participation import STREAMER, Change, Counted, Offer, Participation, Refund, Standing
from sponsorships.settlement import Settlement, ended_by
from sponsorships.store import CampaignStore, ParticipationStore, listed_by, of_streamer, offer_of

logger = Logger(child=True)

_FURTHEST = timedelta(days=366)
_NO_BUDGET = Budget(0, 0, 0, 0, 0)


@dataclass
class KeyCounts:
    """What came of loading keys: the pool as it is then, and how many were there before."""

    loaded: int = 0
    free: int = 0
    doubles: int = 0


class Campaigns(ChainCommands[Campaign, CampaignChange]):
    """What advertisers do with their campaigns. Operators see all of them."""

    prefix = campaigns.PREFIX

    def __init__(self, store: CampaignStore, settlement: Settlement, wake: Wake, clock: Clock, cap: int) -> None:
        super().__init__(store, wake, clock)
        self._store = store
        self._settlement = settlement
        self._cap = cap

    def create(self, terms: Terms, requester: Requester) -> Campaign | Answer:
        """Create a draft, or return the earlier answer of its Idempotency-Key. Raises Invalid, Conflicting."""

        def change(now: datetime) -> CampaignChange:
            earned = self._check(terms, now)
            made = {"id": new_id(campaigns.PREFIX, now), "created_at": now, "updated_at": now}
            salt = token_hex(16)
            campaign = Campaign(**vars(terms), **made, created_by=requester.subject, pay=earned, viewer_salt=salt)  # type: ignore[arg-type]
            return campaigns.create(campaign)

        return self.create_by(change, requester)

    def is_own(self, campaign: Campaign, caller: Principal) -> bool:
        """Whether a campaign is the caller's, or the caller is of the platform's staff."""
        return campaign.created_by == caller.subject or caller.role.includes(Role.OPERATOR)

    def seen_by(self, campaign_id: str, caller: Principal) -> Campaign:
        """A campaign that the caller may see: their own, one that runs, or any for an operator. Raises NotFound."""
        campaign = self.get(campaign_id)
        if campaign.status is SponsorshipStatus.RUNNING or self.is_own(campaign, caller):
            return campaign
        raise _not_found()

    def own(self, campaign_id: str, caller: Principal) -> Campaign:
        """A campaign that the caller may command. Raises NotFound."""
        campaign = self.get(campaign_id)
        if not self.is_own(campaign, caller):
            raise _not_found()
        return campaign

    def page(
        self, status: SponsorshipStatus | None, limit: int, after: Place | None, caller: Principal, *, mine: bool
    ) -> tuple[list[Campaign], Place | None]:
        """Campaigns, newest first: all for an operator, those that run for a user, or the caller's own."""
        if not mine and not caller.role.includes(Role.OPERATOR):
            status = SponsorshipStatus.RUNNING
        return self._store.page(listed_by(status, caller.subject if mine else None), limit, after, status)

    def budget(self, campaign: Campaign) -> Budget:
        """Where a campaign's money is: funded = remaining + reserved + paid + refunded, at one moment."""
        return ledger.budget_of(campaign.id) if campaign.is_funded else _NO_BUDGET

    def start(self, campaign_id: str, requester: Requester) -> Campaign | Answer:
        """Start a draft: its budget is moved from the advertiser's wallet. Raises Conflicting `insufficient_funds`."""

        def change(campaign: Campaign, now: datetime) -> CampaignChange:
            wanted = campaigns.start(campaign, now, requester.subject)
            _check_funds(wanted)
            return wanted

        return self.command("start", campaign_id, requester, change)

    def pause(self, campaign_id: str, requester: Requester) -> Campaign | Answer:
        """Pause a running campaign."""
        return self.command("pause", campaign_id, requester, campaigns.pause)

    def resume(self, campaign_id: str, requester: Requester) -> Campaign | Answer:
        """Let a paused campaign go on."""
        return self.command("resume", campaign_id, requester, campaigns.resume)

    def close(self, campaign_id: str, requester: Requester) -> Campaign | Answer:
        """Begin to end a campaign: its participations settle, and what is left of the budget is refunded."""

        def change(campaign: Campaign, now: datetime) -> CampaignChange:
            streamers, _ = self._settlement.store.streamers(campaign.id, None, None)
            return campaigns.close(campaign, len(streamers), now)

        return self.command("close", campaign_id, requester, change)

    def cancel(self, campaign_id: str, requester: Requester) -> Campaign | Answer:
        """Cancel a draft."""
        return self.command("cancel", campaign_id, requester, campaigns.cancel)

    def load_keys(
        self, campaign_id: str, keys: Iterable[str], counts: "KeyCounts", requester: Requester
    ) -> Campaign | Answer:
        """Add G-Keys to a campaign's pool, without those that were loaded before; `counts` is what came of it."""
        wanted = list(keys)

        def change(campaign: Campaign, now: datetime) -> CampaignChange | None:
            if campaign.gkeys is not Keys.REQUIRED:
                raise Conflicting("This campaign promises no keys", "campaign_has_no_keys")
            found, pool = gkeys.fresh(campaign.id, wanted), gkeys.pool(campaign.id)
            counts.loaded, counts.doubles = int(pool.loaded) + len(found), len(wanted) - len(found)
            counts.free = counts.loaded - int(pool.taken)
            return campaigns.load_keys(campaign, tuple(found), now) if found else None

        return self.command("load-keys", campaign_id, requester, change)

    def _check(self, terms: Terms, now: datetime) -> int:
        """What a streamer earns at the target. Raises Invalid for terms that cannot be kept."""
        earned = pay(terms.rate, exponent(terms.currency), terms.target_impressions, terms.target_impressions)
        errors: list[FieldError] = []
        if not now < terms.ends_at <= now + _FURTHEST:
            errors.append(FieldError("ends_at", "ends_at must be in the future, and within a year"))
        if earned < 1:
            errors.append(
                FieldError("rate", "rate x target_impressions is less than the smallest unit of the currency")
            )
        elif earned > terms.budget:
            message = f"A streamer earns {earned} at the target, and the budget is {terms.budget}"
            errors.append(FieldError("budget", message))
        if self._cap and earned > self._cap:
            message = f"A streamer earns {earned} at the target, and may earn {self._cap} a day"
            errors.append(FieldError("rate", message))
        if any(milestone >= terms.target_impressions for milestone in terms.milestones):
            errors.append(FieldError("milestones", "each milestone must be below target_impressions"))
        if terms.token_seconds <= terms.min_seconds:
            errors.append(FieldError("token_seconds", "token_seconds must be more than min_seconds"))
        if errors:
            raise Invalid(errors[0].message, "terms_invalid", errors)
        return earned


class Participations(ChainCommands[Participation, Change]):
    """What streamers do, and what advertisers and admins do with a streamer's participation."""

    noun = "participation"
    prefix = campaigns.PREFIX

    def __init__(
        self, store: ParticipationStore, campaign_commands: Campaigns, settlement: Settlement, wake: Wake, clock: Clock
    ) -> None:
        super().__init__(store, wake, clock)
        self._store = store
        self._campaigns = campaign_commands
        self._settlement = settlement

    def get(self, campaign_id: str) -> Participation:
        """One participation by its id, by a consistent read. Raises NotFound."""
        found = self._store.get(campaign_id) if is_id(self.prefix, campaign_id, suffixed=True) else None
        if found is None:
            raise NotFound("Participation not found", "participation_not_found")
        return found

    def seen_by(self, campaign_id: str, streamer: str, caller: Principal) -> Participation:
        """A participation that the caller may see: the streamer, the campaign's advertiser, an operator."""
        found = self.get(participation_id(campaign_id, streamer))
        if caller.subject != found.streamer and not self._campaigns.is_own(self._campaigns.get(campaign_id), caller):
            raise NotFound("Participation not found", "participation_not_found")
        return found

    def standings(self, found: Sequence[Participation]) -> list[Standing]:
        """The live numbers of participations, by one consistent batch read."""
        return self._settlement.standings_of(found)

    def join(self, campaign_id: str, streamer: str, requester: Requester) -> Participation | Answer:
        """Join a running campaign: pay and key are set aside in this moment (S3-8, S3-9).

        A streamer who takes part already gets the participation as it is. Raises Conflicting `budget_exhausted`,
        `keys_exhausted`, `campaign_not_running`, `platform_stopped`.
        """
        if not STREAMER.fullmatch(streamer):
            raise Invalid.of("streamer_id", "A streamer is 1 to 64 of A-Z a-z 0-9 _ -", "streamer_id_invalid")
        found_id = participation_id(campaign_id, streamer)

        def attempt(keyed: Keyed[Participation] | None, now: datetime) -> Participation | None:
            campaign = self._campaigns.get(campaign_id)
            found = self._store.get(found_id)
            if found:
                return self._store.answer(found, now, keyed) if keyed else found
            joined = self._joined(campaign, streamer, requester.subject, now)
            self.refuse_while_stopped(joined)
            try:
                return self._store.commit(joined, requester.subject, now, keyed)
            except Insufficient as error:
                raise Conflicting("The budget is promised to other streamers", "budget_exhausted") from error

        return self.carry_out(attempt, requester)

    def leave(self, campaign_id: str, streamer: str, requester: Requester) -> Participation | Answer:
        """Leave a campaign: the closed rows decide whether the target was reached."""
        return self.command("leave", participation_id(campaign_id, streamer), requester, participation.leave)

    def void(
        self, campaign_id: str, streamer: str, viewers: Iterable[str], reason: str, requester: Requester
    ) -> Participation | Answer:
        """Take impressions out of the count. `viewers`: as the evidence lists them. Raises Invalid, Conflicting."""
        wanted = list(dict.fromkeys(viewers))

        def change(found: Participation, now: datetime) -> Change:
            return participation.void(found, self._rows(found.id, wanted), reason, now)

        return self.command("void", participation_id(campaign_id, streamer), requester, change)

    def reject(
        self, campaign_id: str, streamer: str, reason: str, caller: Principal, requester: Requester
    ) -> Participation | Answer:
        """Propose to reject what is held or in review; the second person, an admin, rejects it."""

        def change(found: Participation, now: datetime) -> Change:
            if found.rejection_by is None:
                return participation.propose_rejection(found, reason, requester.subject, now)
            wanted = participation.reject(found, _offer(found.id), requester.subject, now)
            _require_admin(caller)
            if ended_by(found.id):
                raise Conflicting("The ledger has ended this participation", "participation_cannot_be_rejected")
            return wanted

        return self.command("reject", participation_id(campaign_id, streamer), requester, change)

    def settle_again(self, campaign_id: str, streamer: str, requester: Requester) -> Participation | Answer:
        """Settle a participation in review again."""
        return self.command("settle", participation_id(campaign_id, streamer), requester, participation.settle_again)

    def propose_refund(
        self, campaign_id: str, streamer: str, amount: int | None, reason: str, requester: Requester
    ) -> Participation | Answer:
        """Propose to claim back what was paid, or a part of it."""

        def change(found: Participation, now: datetime) -> Change:
            return participation.propose_refund(found, amount, reason, requester.subject, now)

        return self.command("refund", participation_id(campaign_id, streamer), requester, change)

    def approve_refund(
        self, campaign_id: str, streamer: str, number: int, requester: Requester
    ) -> Participation | Answer:
        """Claim back what another admin proposed. Raises Conflicting `insufficient_funds`, `own_proposal`."""

        def change(found: Participation, now: datetime) -> Change:
            refund = self.refund(found.id, number)
            campaign = self._campaigns.get(campaign_id)
            is_closed = campaign.status is SponsorshipStatus.CLOSED
            wanted = participation.pay_back(campaign, found, refund, requester.subject, now, is_closed)
            _check_funds(wanted)
            return wanted

        return self.command(f"refund-{number}", participation_id(campaign_id, streamer), requester, change)

    def refund(self, found_id: str, number: int) -> Refund:
        """A claim back. Raises NotFound."""
        refund = self._store.refund(found_id, number)
        if refund is None:
            raise NotFound("Refund not found", "refund_not_found")
        return refund

    def find(self, campaign_id: str, streamer: str) -> Participation | None:
        """A streamer's participation, by a consistent read."""
        found_id = participation_id(campaign_id, streamer)
        return self._store.get(found_id) if is_id(self.prefix, found_id, suffixed=True) else None

    def key(self, campaign_id: str, streamer: str, caller: Principal) -> str:
        """The streamer's G-Key, for the streamer alone. Raises NotFound, and Conflicting while it is locked."""
        found = self.find(campaign_id, streamer) if caller.subject == streamer else None
        item = gkeys.find(campaign_id, found.key_number) if found and found.key_number else None
        if item is None:
            raise NotFound("No key of yours was found", "gkey_not_found")
        if item.state != gkeys.UNLOCKED or item.streamer != streamer:
            raise Conflicting("The key unlocks with the pay", "gkey_locked")
        return str(item.secret)

    def page(self, campaign_id: str, limit: int, after: str | None) -> tuple[list[Participation], str | None]:
        """Participations of a campaign, by streamer; and the streamer to go on after, if any."""
        streamers, following = self._store.streamers(campaign_id, limit, after)
        found = self._store.get_all(participation_id(campaign_id, streamer) for streamer in streamers)
        return found, following

    def mine(self, streamer: str, limit: int, after: Place | None) -> tuple[list[Participation], Place | None]:
        """A streamer's participations, the newest campaign first."""
        ids, following = of_streamer(streamer).newest_first(limit, after)
        return self._store.get_all(participation_id(each, streamer) for each in ids), following

    def _joined(self, campaign: Campaign, streamer: str, actor: str, now: datetime) -> Change:
        number = None
        if campaign.gkeys is Keys.REQUIRED:
            pool = gkeys.pool(campaign.id)
            if int(pool.taken) >= int(pool.loaded):
                raise Conflicting("Every key of this campaign is promised", "keys_exhausted")
            number = int(pool.taken) + 1
            if int(pool.loaded) - number <= int(pool.loaded) // 10:
                logger.warning("Keys low", campaign_id=campaign.id, left=int(pool.loaded) - number)  # for an alarm
        joined = Participation(
            id=participation_id(campaign.id, streamer),
            campaign_id=campaign.id,
            streamer=streamer,
            created_at=now,
            created_by=actor,
            updated_at=now,
            key_number=number,
        )
        offer = Offer.of(campaign)
        return participation.join(campaign, joined, offer, now, actor)

    def _rows(self, found_id: str, viewers: list[str]) -> dict[tuple[str, str], Counted]:
        found = rows.some(found_id, viewers)
        if missing := [viewer for viewer in viewers if viewer not in found]:
            message = "This viewer has no impression that counts"
            raise Invalid.of(f"viewers.{viewers.index(missing[0])}", message, "impression_not_found")
        return {(impressions.row_id(found_id, viewer), viewer): counted for viewer, counted in found.items()}


def _check_funds(change: CampaignChange | Change) -> None:
    """Raises Insufficient when an account has less than the change takes."""
    posting = change.posting
    if posting is None:
        return
    taken = {account: -amount for account, amount in posting.legs.items() if amount < 0}
    for account, balance in ledger.read(taken).items():
        if balance.amount < taken[account]:
            raise Insufficient(account, balance.amount, taken[account], posting.currency)


def _offer(found_id: str) -> Offer:
    offer = offer_of(found_id)
    if offer is None:
        raise NotFound("Participation not found", "participation_not_found")
    return offer


def _require_admin(caller: Principal) -> None:
    if not caller.role.includes(Role.ADMIN):
        raise Forbidden("An admin must approve this", "forbidden")


def _not_found() -> NotFound:
    return NotFound("Campaign not found", "campaign_not_found")
