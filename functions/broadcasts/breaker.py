"""When a campaign pauses itself, and when an instance is left alone (design section 10). Pure.

A campaign pauses when half of its rows go wrong. An instance has trouble when its calls do: its campaigns wait, and one
probe at a time finds out whether it is over.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from broadcasts.pacing import MOST_AT_ONCE

LEAST = 20
"""Rows that say enough to judge a campaign."""
_BASE_ROWS = 100
ACCEPTED_TO_CLOSE = 5
_CODES_SHOWN = 3

BLOCK = timedelta(seconds=30)
_LONGEST_BLOCK = timedelta(hours=1)
_FAILED_CONNECTIONS = 5
_UNKNOWN_OUTCOMES = 3


@dataclass(frozen=True)
class Base:
    """Numbers of rows: gone wrong (failed by the provider, or open after a failed attempt), and sent."""

    bad: int = 0
    sent: int = 0

    def since(self, base: "Base") -> "Base":
        """What came after an earlier base. Late evidence moves rows from one to the other."""
        return Base(max(0, self.bad - base.bad), max(0, self.sent - base.sent))

    @property
    def rows(self) -> int:
        return self.bad + self.sent


def trips(now: Base, base: Base) -> bool:
    """Whether a campaign pauses: of at least 20 rows since its base, half went wrong."""
    since = now.since(base)
    return since.rows >= LEAST and since.bad * 2 >= since.rows


def moved_base(now: Base, base: Base) -> Base:
    """The base for the next step: moved after each 100 rows, so that a long good time hides no bad one."""
    return now if now.since(base).rows >= _BASE_ROWS else base


def commonest(codes: Iterable[str]) -> tuple[str, ...]:
    """The three commonest codes, for the reason of a pause."""
    counted = sorted(Counter(codes).items(), key=lambda each: (-each[1], each[0]))
    return tuple(code for code, _ in counted[:_CODES_SHOWN])


class Answer(StrEnum):
    """What a call says of an instance."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """A recipient or a campaign was refused, or the call was throttled: the instance works."""
    NOT_CONNECTED = "not_connected"
    UNKNOWN = "unknown"
    INSTANCE_REFUSED = "instance_refused"
    """A token or an account is not valid, or the number is disconnected."""


@dataclass(frozen=True)
class Trouble:
    """An instance's trouble, a part of its item; as it is made, it has none."""

    not_connected: int = 0
    """Failed connections since the provider last answered."""
    unknown: int = 0
    """Unknown outcomes since then."""
    blocks: int = 0
    """Blocks since a message was last accepted: each is twice as long."""
    blocked_until: datetime | None = None
    reason: str | None = None
    """Of the last block: an Answer."""
    is_careful: bool = False
    """One claim at a time, until a message is accepted."""
    probe: str | None = None
    """The claim that is out while it is careful."""
    probe_until: datetime | None = None
    """When nobody waits for that claim any more: its deadline."""

    def is_blocked(self, now: datetime) -> bool:
        return self.blocked_until is not None and now < self.blocked_until

    def allows(self, now: datetime) -> int:
        """How many messages a step may claim now: 45; 1 for a probe; 0 while it is blocked or a probe is out."""
        if self.is_blocked(now):
            return 0
        if not self.is_careful:
            return MOST_AT_ONCE
        return 0 if self.waits_for_probe(now) else 1

    def waits_for_probe(self, now: datetime) -> bool:
        """Whether a probe is out. One whose claim was never recorded counts until its deadline."""
        return self.probe is not None and self.probe_until is not None and now < self.probe_until

    def probing(self, claim: str, deadline: datetime) -> "Trouble":
        """With a claim that is out, if it is careful: T1 writes that, under the instance's `v`."""
        return replace(self, probe=claim, probe_until=deadline) if self.is_careful else self

    def after(
        self, answer: Answer, claim: str, now: datetime, *, can_be_asked: bool, block: timedelta = BLOCK
    ) -> "Trouble":
        """The trouble after one call; equal when nothing changes, and nothing is written.

        `claim`: whose call it was. `can_be_asked`: whether the provider says what became of a message; where it does
        not, each unknown outcome is a person's decision, so the first one makes the instance careful. `block`: the
        first block; the provider's own patience.
        """
        if self.is_blocked(now):
            # Calls that began before the block say nothing of what comes after it.
            return self
        back = self._back(claim)
        match answer:
            case Answer.ACCEPTED:
                return Trouble()
            case Answer.REFUSED:
                return replace(back, not_connected=0, unknown=0)
            case Answer.INSTANCE_REFUSED:
                return back._blocked(answer, now, block)
            case Answer.NOT_CONNECTED:
                found = replace(back, not_connected=back.not_connected + 1)
                most = 1 if found.blocks else _FAILED_CONNECTIONS
                return found._blocked(answer, now, block) if found.not_connected >= most else found
            case Answer.UNKNOWN:
                found = replace(back, unknown=back.unknown + 1)
                found = replace(found, is_careful=found.is_careful or not can_be_asked)
                most = 1 if found.blocks else _UNKNOWN_OUTCOMES
                return found._blocked(answer, now, block) if found.unknown >= most else found

    def _back(self, claim: str) -> "Trouble":
        """Without the probe, if this was its claim."""
        return replace(self, probe=None, probe_until=None) if self.probe == claim else self

    def _blocked(self, reason: Answer, now: datetime, block: timedelta) -> "Trouble":
        seconds = min(block * 2 ** min(self.blocks, 20), _LONGEST_BLOCK)
        return replace(
            self,
            blocks=self.blocks + 1,
            blocked_until=now + seconds,
            reason=str(reason),
            is_careful=True,
        )
