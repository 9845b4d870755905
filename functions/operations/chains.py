"""The chains of the platform, one row each: audit, stop, health, sweeper and redrive are fed by these rows.

A row repeats as text what its context says in code, because no context imports another. A test finds every StepChain
under functions/, and fails when its row is missing or says something else (tests/template/chains.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, make_dataclass
from typing import Any


@dataclass(frozen=True)
class StepQueue:
    """A queue whose dead letters can be put back: of steps of a chain or of the sync, or of a worker's own messages."""

    name: str
    """`views_imports`: its parts begin with it in Health, and with `ViewsImports` in the template."""
    queue_url: str
    """The setting that holds the queue's URL."""
    whose: str
    """`the queue of imports`, `Import steps are dead letters`: how Health speaks of it."""
    steps: str
    shares_alarms: str | None = field(default=None, kw_only=True)
    """`Broadcasts`, of `BroadcastsDeadLettersAlarm`: a context with one alarm of a kind; else each queue has one."""

    @property
    def depth(self) -> str:
        """The part of Health that shows the queue."""
        return f"{self.name}_queue"

    @property
    def dead_letters(self) -> str:
        return f"{self.name}_dead_letters"

    @property
    def dead_letters_url(self) -> str:
        """The setting that holds the URL of the dead letters."""
        return self.queue_url.replace("_queue_url", "_dead_letters_url")

    @property
    def logical_name(self) -> str:
        """`ViewsImports`: the beginning of the names of its resources in the template."""
        return self.name.title().replace("_", "")

    @property
    def dead_letters_alarm(self) -> str:
        """The alarm whose chapter in docs/operations.md says what to do about dead letters."""
        return f"{self.shares_alarms or self.logical_name}DeadLettersAlarm"


@dataclass(frozen=True)
class Chain(StepQueue):
    """A chain of steps, or several that share a table, a queue and a worker.

    No two rows share a table: the sweeper knows a campaign by the table that it is in.
    """

    prefixes: tuple[str, ...]
    """The prefixes of its campaigns' ids: `bst` of `bst_01KA...`, `spn` of `spn_01KA...` and of `spn_01KA...:nina`."""
    live: tuple[str, ...]
    """The statuses in which one of its campaigns has a next step; a status means the same in all of a row's chains."""
    table: str
    """The setting that holds the name of its table."""
    campaigns: str
    """What Health calls its campaigns: `overdue_imports`, `Imports are overdue`."""
    settles: tuple[str, ...] = ()
    """Those of `live` whose steps settle what is in flight while the platform is stopped: they are woken then too."""
    makes_calls: bool = False
    """Whether its steps call outside: then its table lists halted campaigns, unknown calls, and last answers."""

    @property
    def overdue(self) -> str:
        """The part of Health that shows its late campaigns."""
        return f"overdue_{self.campaigns}"

    @property
    def halted(self) -> str:
        """The part of Health that counts its campaigns that have halted."""
        return f"halted_{self.campaigns}"

    @property
    def oldest_unknown(self) -> str:
        """The part of Health that shows how old its oldest call with an unknown outcome is."""
        return f"oldest_unknown_of_{self.campaigns}_seconds"

    @property
    def last_answers(self) -> str:
        """The part of Health that shows what its other sides answered last."""
        return f"last_answers_to_{self.campaigns}"

    @property
    def worker_alarm(self) -> str:
        """The alarm whose chapter in docs/operations.md says what to do when its campaigns stay late."""
        return f"{self.shares_alarms}ErrorsAlarm" if self.shares_alarms else f"{self.logical_name}WorkerErrorsAlarm"


QUEUES: tuple[StepQueue, ...] = (
    Chain(
        name="boosts",
        queue_url="boosts_queue_url",
        whose="boosts",
        steps="Boost steps",
        prefixes=("bst",),
        live=("running", "scheduled", "reverting"),
        table="boosts_table",
        campaigns="campaigns",
    ),
    StepQueue(name="views", queue_url="views_sync_queue_url", whose="the sync", steps="Steps of the sync"),
    Chain(
        name="views_imports",
        queue_url="views_imports_queue_url",
        whose="imports",
        steps="Import steps",
        prefixes=("imp",),
        live=("running",),
        table="views_table",
        campaigns="imports",
    ),
    Chain(
        name="sponsorships",
        queue_url="sponsorships_queue_url",
        whose="sponsorships",
        steps="Steps of sponsorships",
        prefixes=("spn", "chk"),
        # Of campaigns, of participations, and of check runs.
        live=("running", "paused", "closing", "closed", "settling", "held", "checking"),
        table="sponsorships_table",
        campaigns="sponsorships",
    ),
    Chain(
        name="promotions",
        queue_url="promotions_queue_url",
        whose="promotions",
        steps="Steps of promotions",
        prefixes=("prm",),
        live=("CampaignPending", "CampaignRunning", "CampaignClosed"),
        table="promotions_table",
        campaigns="promotions",
        makes_calls=True,
    ),
    StepQueue(
        name="sponsorships_checks",
        queue_url="sponsorships_checks_queue_url",
        whose="checks",
        steps="Checks of participations",
    ),
    Chain(
        name="broadcasts",
        queue_url="broadcasts_queue_url",
        whose="broadcasts",
        steps="Steps of broadcasts",
        prefixes=("brd",),
        live=("importing", "SCHEDULED", "RUNNING", "pausing", "cancelling", "deleting"),
        table="broadcasts_table",
        campaigns="broadcasts",
        settles=("RUNNING", "pausing", "cancelling", "deleting"),
        shares_alarms="Broadcasts",
    ),
    StepQueue(
        name="broadcasts_imports",
        queue_url="broadcasts_imports_queue_url",
        whose="checks of lists",
        steps="Checks of lists",
        shares_alarms="Broadcasts",
    ),
    StepQueue(
        name="broadcasts_events",
        queue_url="broadcasts_events_queue_url",
        whose="what providers tell",
        steps="Events of providers",
        shares_alarms="Broadcasts",
    ),
    Chain(
        name="hooks",
        queue_url="hooks_queue_url",
        whose="deliveries of webhooks",
        steps="Steps of deliveries",
        prefixes=("dlv",),
        live=("waiting", "sending"),
        table="hooks_table",
        campaigns="deliveries",
        shares_alarms="Hooks",
    ),
    StepQueue(
        name="hooks_events",
        queue_url="hooks_events_queue_url",
        whose="events for webhooks",
        steps="Events for webhooks",
        shares_alarms="Hooks",
    ),
)
OUTBOX_DEAD_LETTERS = "outbox_dead_letters"
"""The part of Health that shows the events that the relay gave up on: the only dead letters that are not steps."""
CHAINS = tuple(each for each in QUEUES if isinstance(each, Chain))
CALLERS = tuple(each for each in CHAINS if each.makes_calls)
TABLES = tuple(each.table for each in CHAINS)
"""The settings that hold the names of the tables with campaigns. Each table also holds a copy of the platform."""
PLATFORM_TABLE = TABLES[0]
"""The table whose copy is read where one copy is enough: all copies are equal."""


def settings(*names: str, and_all: Iterable[str]) -> type[Any]:
    """The `Settings` of a function that reads the rows: texts with the given names, and with the names in `and_all`."""
    return make_dataclass("Settings", [(name, str) for name in dict.fromkeys([*names, *and_all])], frozen=True)
