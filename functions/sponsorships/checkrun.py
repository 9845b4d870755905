"""A run over all participations: it pages through them, and a deep one goes on to the ledger. Pure.

checking -> checked | check_failed
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from sluice import campaign as engine
from sluice.campaign import Chained
from sponsorships import participation

PREFIX = "chk"
"""The prefix of a run's id."""
LEDGER = "ledger"
"""The last stage of a deep run: the accounts of each currency that it met."""

_MAX_STEPS = 100_000
_MOST_PROBLEMS = 20
_ALL = participation.ParticipationStatus
_LIGHT = (_ALL.ACTIVE.value,)
_DEEP = (*_LIGHT, *(each.value for each in _ALL if each is not _ALL.ACTIVE))


class CheckStatus(StrEnum):
    """Where a run stands."""

    CHECKING = "checking"
    CHECKED = "checked"
    FAILED = "check_failed"


LIVE = frozenset({CheckStatus.CHECKING})


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a step of a run has seen and done."""

    checked: int = 0
    """Participations that were looked at."""
    settled: int = 0
    """Completions that no other detector had found."""
    edited: int = 0
    """Edits by hand that were put right."""
    corrected: int = 0
    """Tallies that were edited by hand and put right."""
    failed: int = 0
    """What could not be read or changed: the log says why."""
    broken: int = 0
    """Differences in the ledger."""
    problems: tuple[str, ...] = ()
    """What a person has to look at, in words."""


@dataclass(frozen=True, kw_only=True)
class CheckRun(Findings, Chained):
    """One run. `stage` is the status whose participations it is at, or `LEDGER`."""

    status: CheckStatus = CheckStatus.CHECKING
    deep: bool = False
    """Whether it counts rows, and verifies the ledger."""
    stage: str = _LIGHT[0]
    after_id: str | None = None
    after_at: str | None = None
    """The last participation or account that it has seen at this stage."""
    currencies: tuple[str, ...] = ()
    """Those that it met, whose accounts are still to be verified."""
    max_steps: int = _MAX_STEPS
    ended_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        return self.status in LIVE


@dataclass(frozen=True)
class Change(engine.Change[CheckRun]):
    """A change of a run. A new one takes the place of `replaces`, which has ended."""

    replaces: str | None = None


@dataclass(frozen=True)
class Page:
    """What a step has looked at: what it found, the currencies that it met, and where the stage goes on, if it does."""

    found: Findings = field(default_factory=Findings)
    currencies: frozenset[str] = frozenset()
    after_id: str | None = None
    after_at: str | None = None


def begin(run: CheckRun, replaces: str | None) -> Change:
    """Begin a run."""
    return Change(None, run, replaces=replaces)


def deepen(run: CheckRun, now: datetime) -> Change:
    """Let a run that is going begin again as a deep one."""
    deep = replace(run.commanded(now), deep=True, stage=_DEEP[0], after_id=None, after_at=None, wake_at=now)
    return Change(run, deep)


def go_on(run: CheckRun, page: Page, now: datetime) -> Change:
    """Add up what a step found, and go on: behind the page, at the next stage, or to the end."""
    found = page.found
    summed = replace(
        run.stepped(now),
        checked=run.checked + found.checked,
        settled=run.settled + found.settled,
        edited=run.edited + found.edited,
        corrected=run.corrected + found.corrected,
        failed=run.failed + found.failed,
        broken=run.broken + found.broken,
        problems=(*run.problems, *found.problems)[:_MOST_PROBLEMS],
        currencies=tuple(sorted({*run.currencies, *page.currencies})),
        after_id=page.after_id,
        after_at=page.after_at,
        wake_at=now,
    )
    if page.after_id is not None:
        return Change(run, summed)
    if run.stage == LEDGER:
        summed = replace(summed, currencies=summed.currencies[1:])
    following = _following(summed)
    if following is None:
        return Change(run, replace(summed, status=CheckStatus.CHECKED, ended_at=now, wake_at=None))
    return Change(run, replace(summed, stage=following))


def give_up(run: CheckRun, now: datetime) -> Change:
    """End a run that reached `max_steps`."""
    return Change(run, replace(run.stepped(now), status=CheckStatus.FAILED, ended_at=now, wake_at=None))


def _following(run: CheckRun) -> str | None:
    """The stage after the present one; None if it was the last."""
    stages = _DEEP if run.deep else _LIGHT
    behind = [] if run.stage == LEDGER else list(stages[stages.index(run.stage) + 1 :])
    if run.deep and run.currencies:
        behind.append(LEDGER)
    return behind[0] if behind else None
