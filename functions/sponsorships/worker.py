"""SQS: run one step of a campaign, of a participation, or of a run over all participations."""

from dataclasses import dataclass
from functools import cache

from sluice import settings
from sluice.clock import SystemClock
from sluice.commit import database
from sluice.steps import Step, StepChain
from sluice.worker import dispatcher_of
from sponsorships.bootstrap import SponsorshipsSettings, secret, stores, wake
from sponsorships.campaign import Campaign
from sponsorships.checkrun import PREFIX, CheckRun
from sponsorships.checks import CheckBatches
from sponsorships.closing import CampaignBatches
from sponsorships.detection import Detection
from sponsorships.participation import Participation
from sponsorships.settlement import ParticipationBatches, Settlement
from sponsorships.store import RunStore


@dataclass(frozen=True)
class Settings(SponsorshipsSettings):
    gap_seconds: int


@dataclass(frozen=True)
class Chains:
    """The chains that share the sponsorships' queue."""

    campaigns: StepChain[Campaign]
    participations: StepChain[Participation]
    checks: StepChain[CheckRun]


@cache
def chains() -> Chains:
    read = settings.read(Settings)
    (campaigns, participations), clock = stores(read), SystemClock()
    keys, commits = secret(read), database(read)
    settlement = Settlement(participations, keys, wake(read), clock)
    batches = ParticipationBatches(participations, keys, read.time_zone, read.max_daily_earnings)
    checks = CheckBatches(RunStore(commits), Detection(settlement, commits, read.gap_seconds))
    return Chains(
        StepChain(CampaignBatches(campaigns, settlement), wake(read), clock),
        StepChain(batches, wake(read), clock),
        StepChain(checks, wake(read), clock),
    )


def chain_of(step: Step) -> StepChain[Campaign] | StepChain[Participation] | StepChain[CheckRun]:
    """By the id: a run has its own prefix, and a participation names its streamer behind a colon."""
    if step.campaign_id.startswith(f"{PREFIX}_"):
        return chains().checks
    return chains().participations if ":" in step.campaign_id else chains().campaigns


handler = dispatcher_of(chain_of)
