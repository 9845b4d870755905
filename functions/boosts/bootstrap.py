"""Where the boosts' settings, store, queue and clock meet; nothing else reads the environment."""

from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

import boto3
from botocore.config import Config

from boosts.batches import BoostBatches
from boosts.commands import Commands
from boosts.store import BoostsItem, State, Store
from boosts.usage import Limits
from sluice import settings
from sluice.audit import EntryItem
from sluice.clock import SystemClock
from sluice.dynamodb import CONNECT_SECONDS, READ_SECONDS, Database, bind
from sluice.outbox import EventItem
from sluice.requests import RequestItem
from sluice.steps import StepChain
from sluice.totals import TotalItem
from sluice.wake import Wake


@dataclass(frozen=True)
class _Settings:
    boosts_table: str
    boosts_queue_url: str
    boosts_queue_arn: str
    schedule_group: str
    wake_role_arn: str
    audit_table: str
    outbox_table: str
    time_zone: ZoneInfo
    max_per_day: int
    global_monthly_cap: int

    @property
    def limits(self) -> Limits:
        return Limits(self.max_per_day, self.global_monthly_cap)


@dataclass(frozen=True)
class ApiSettings(_Settings):
    """What boosts.api reads from the environment."""

    requests_table: str


@dataclass(frozen=True)
class WorkerSettings(_Settings):
    """What boosts.worker reads from the environment."""

    totals_table: str


@cache
def commands() -> Commands:
    """The admin commands, for boosts.api."""
    read = settings.read(ApiSettings)
    bind(RequestItem, read.requests_table)
    return Commands(_store(read), _wake(read), SystemClock(), read.limits, read.time_zone)


@cache
def chain() -> StepChain[State]:
    """The step chain, for boosts.worker."""
    read = settings.read(WorkerSettings)
    bind(TotalItem, read.totals_table)
    return StepChain(BoostBatches(_store(read), read.limits, read.time_zone), _wake(read), SystemClock())


def _store(read: _Settings) -> Store:
    bind(BoostsItem, read.boosts_table)
    bind(EntryItem, read.audit_table)
    bind(EventItem, read.outbox_table)
    return Store(Database(), read.limits)


def _wake(read: _Settings) -> Wake:
    patience = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS)
    return Wake(
        boto3.client("sqs", config=patience),
        boto3.client("scheduler", config=patience),
        SystemClock(),
        queue_url=read.boosts_queue_url,
        queue_arn=read.boosts_queue_arn,
        schedule_group=read.schedule_group,
        role_arn=read.wake_role_arn,
    )
