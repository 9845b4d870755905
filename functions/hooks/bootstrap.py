"""Where the hooks' settings, store, queues and masters meet.

Not the wire: the fan-out sends nothing, and lacks its library.
"""

from dataclasses import dataclass

from hooks.items import HooksItem
from hooks.masters import Masters
from hooks.store import Store
from sluice.clock import Clock
from sluice.commit import CommitSettings, database
from sluice.dynamodb import bind
from sluice.wake import Wake, WakeSettings, wake_of


@dataclass(frozen=True)
class HooksSettings(CommitSettings, WakeSettings):
    hooks_table: str
    hooks_queue_url: str
    hooks_queue_arn: str


@dataclass(frozen=True)
class SendingSettings(HooksSettings):
    """What the functions read that sign, or that check where requests may go."""

    hooks_secret_arn: str
    private_ranges: tuple[str, ...]


def store(settings: HooksSettings) -> Store:
    """The store, with its models bound to their table."""
    bind(HooksItem, settings.hooks_table)
    return Store(database(settings))


def wake(settings: HooksSettings) -> Wake:
    """Brings steps to the hooks' queue."""
    return wake_of(settings, settings.hooks_queue_url, settings.hooks_queue_arn)


def masters(settings: SendingSettings, clock: Clock) -> Masters:
    """The masters of the endpoints' secrets."""
    return Masters(settings.hooks_secret_arn, clock)
