"""SQS: run one step of a campaign or of a participation."""

from functools import cache

from sluice import settings
from sluice.clock import SystemClock
from sluice.steps import Step, StepChain
from sluice.worker import dispatcher_of
from sponsorships.bootstrap import SponsorshipsSettings as Settings
from sponsorships.bootstrap import secret, stores, wake
from sponsorships.campaign import Campaign
from sponsorships.closing import CampaignBatches
from sponsorships.participation import Participation
from sponsorships.settlement import ParticipationBatches, Settlement


@cache
def chains() -> tuple[StepChain[Campaign], StepChain[Participation]]:
    read = settings.read(Settings)
    (campaigns, participations), clock = stores(read), SystemClock()
    keys = secret(read)
    settlement = Settlement(participations, keys, wake(read), clock)
    batches = ParticipationBatches(participations, keys, read.time_zone, read.max_daily_earnings)
    return (
        StepChain(CampaignBatches(campaigns, settlement), wake(read), clock),
        StepChain(batches, wake(read), clock),
    )


def chain_of(step: Step) -> StepChain[Campaign] | StepChain[Participation]:
    """A participation's id names its streamer behind a colon."""
    of_campaigns, of_participations = chains()
    return of_participations if ":" in step.campaign_id else of_campaigns


handler = dispatcher_of(chain_of)
