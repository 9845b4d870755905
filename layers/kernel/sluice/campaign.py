"""A campaign as the step chain keeps it, and a change of it. Pure. Contexts extend both."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Chained:
    """What the engine keeps of a campaign of any context. Times are UTC."""

    id: str
    status: StrEnum
    created_at: datetime
    created_by: str
    updated_at: datetime

    step: int = 0
    """The next step to run. A command bumps it too, so that no batch computed before the command can commit after."""
    wake_at: datetime | None = None
    """When that step is due. It never changes without `step`."""
    committed_by: str | None = None
    """Who committed a step last: the SQS message id, `/`, and the nonce of the invocation."""
    steps_done: int = 0
    """Steps that the chain committed: neither commands nor records."""
    max_steps: int = 0
    """The step at which the context gives the campaign up, in a status of its own; 0 before it started."""
    sweeps: int = 0
    """How often the sweeper woke it since the last commit."""
    request: str | None = None
    """The last command and the id of its request: a repeat after a lost answer succeeds."""
    audit_number: int = 0
    """The head of its audit chain: the number and the hash of its last entry."""
    audit_hash: str = ""

    @property
    def is_live(self) -> bool:
        """Whether it has a next step. Each context says which of its statuses are live."""
        raise NotImplementedError

    @property
    def is_exhausted(self) -> bool:
        """Whether the step that is due is one more than the campaign may take (design section 3).

        What that step commits is the context's own: a boost ends as `failed`, a participation goes to `review`.
        """
        return self.steps_done + 1 >= self.max_steps

    def commanded(self, now: datetime) -> Self:
        """The campaign after a command, which fences: a batch computed before the command cannot commit after it."""
        return replace(self, step=self.step + 1, sweeps=0, updated_at=now)

    def stepped(self, now: datetime) -> Self:
        """The campaign after a step of its chain."""
        return replace(self.commanded(now), steps_done=self.steps_done + 1)


@dataclass(frozen=True)
class State[C: Chained]:
    """A campaign with everything that a step needs beside it, read at one moment."""

    campaign: C
    is_stopped: bool = False
    """Whether the platform is stopped."""
    beside: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    """The other items that were requested, by `id` and `part`, without missing ones."""


@dataclass(frozen=True)
class Change[C: Chained]:
    """What one transaction does: the campaign before and after. A context adds its own writes."""

    before: C | None
    after: C
    action: StrEnum | None = None
    """What the audit log calls it; None for a change that leaves no entry and no event, such as a batch."""
    is_batch: bool = False
    """Whether it releases something: then it needs an open platform."""

    def asked_by(self, request: str) -> Self:
        """The change, with the command's request remembered on the campaign."""
        return replace(self, after=replace(self.after, request=request))

    def run_by(self, committed_by: str) -> Self:
        """The change, with the invocation that runs the step remembered on the campaign."""
        return replace(self, after=replace(self.after, committed_by=committed_by))


def max_steps(batches: int, days: int = 1) -> int:
    """The steps after which a chain is given up: twice the planned batches, four a day, and a hundred."""
    return 2 * batches + 4 * days + 100
