"""A step of a campaign: it ends at `ends_at`, settles its participations page by page, and refunds what is left."""

from dataclasses import dataclass
from datetime import datetime

from aws_lambda_powertools import Logger

from sluice import ledger
from sluice.campaign import State
from sluice.journal import budget, reserved
from sponsorships.campaign import (
    PAGE,
    Campaign,
    Change,
    SponsorshipStatus,
    end,
    forget_viewers,
    look_again,
    next_page,
    refund,
)
from sponsorships.participation import ParticipationStatus, Why
from sponsorships.settlement import WORKER, Settlement
from sponsorships.store import CampaignStore

logger = Logger(child=True)


@dataclass(frozen=True)
class CampaignBatches:
    """Reads a campaign and commits its next step."""

    store: CampaignStore
    settlement: Settlement

    def read(self, campaign_id: str, _now: datetime) -> State[Campaign] | None:
        return self.store.read_with(campaign_id)

    def commit(self, state: State[Campaign], committed_by: str, now: datetime) -> Campaign | None:
        change = self._next(state.campaign, now)
        return self.store.commit(change.run_by(committed_by), WORKER, now)

    def _next(self, campaign: Campaign, now: datetime) -> Change:
        match campaign.status:
            case SponsorshipStatus.CLOSED:
                return forget_viewers(campaign, now)
            case SponsorshipStatus.CLOSING:
                return self._page(campaign, now)
            case _:
                return end(campaign, self.participations_of(campaign.id), now)

    def participations_of(self, campaign_id: str) -> int:
        """How many streamers joined."""
        return len(self.settlement.store.streamers(campaign_id, None, None)[0])

    def _page(self, campaign: Campaign, now: datetime) -> Change:
        """Settle what is active on the next page. A repeat settles nothing twice: each is a transaction of its own."""
        participations = self.settlement.store
        streamers, after = participations.streamers(campaign.id, PAGE, campaign.closing_after)
        found = participations.get_all(f"{campaign.id}:{streamer}" for streamer in streamers)
        for participation in found:
            if participation.status is ParticipationStatus.ACTIVE:
                self.settlement.end(participation, Why.END, WORKER)
        live = len(streamers) - sum(participation.has_ended for participation in found)
        if after:
            return next_page(campaign, after, live, now)
        if live or campaign.closing_live:
            return look_again(campaign, now)
        money = ledger.read([budget(campaign.id), reserved(campaign.id)])
        if orphaned := money[reserved(campaign.id)].amount:  # by a restore of one table alone
            logger.error("Reserved for nobody", amount=orphaned)  # an alarm counts these lines
            return look_again(campaign, now)
        return refund(campaign, money[budget(campaign.id)].amount, now, WORKER)
