"""The operation of one publish: every stage with its times and attempts, for people who watch it. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class OperationState(StrEnum):
    """Where a publish stands."""

    RUNNING = "running"
    UNDOING = "undoing"
    HALTED = "halted"
    DONE = "done"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True)
class StageRun:
    """One stage of a publish."""

    stage: str
    began_at: datetime
    ended_at: datetime | None = None
    attempts: int = 0
    result: str | None = None
    """What its call came to: the id of a post, or of the contract's transaction."""
    reason: str | None = None
    """Why it waits, has halted, or was refused."""


@dataclass(frozen=True)
class Operation:
    """One publish; `number` is its round."""

    number: int
    state: OperationState
    began_at: datetime
    stages: tuple[StageRun, ...]
    ended_at: datetime | None = None


def opened(number: int, stage: str, now: datetime) -> Operation:
    """A publish that begins."""
    return Operation(number, OperationState.RUNNING, now, (StageRun(stage, now),))


def followed(
    operation: Operation,
    stage: str | None,
    state: OperationState,
    attempts: int,
    result: str | None,
    reason: str | None,
    now: datetime,
) -> Operation:
    """The operation after a change: its last stage goes on, or ends and the next one begins."""
    *before, last = operation.stages
    is_over = state in (OperationState.DONE, OperationState.ROLLED_BACK)
    if last.stage == stage and not is_over:
        last = replace(last, attempts=max(attempts, last.attempts), reason=reason)
        return replace(operation, state=state, stages=(*before, last))
    ended = replace(last, ended_at=now, result=result, reason=None if result else reason or last.reason)
    stages = (*before, ended) if is_over or stage is None else (*before, ended, StageRun(stage, now))
    return replace(operation, state=state, stages=stages, ended_at=now if is_over else None)
