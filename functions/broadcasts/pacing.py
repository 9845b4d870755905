"""The pace of a sending number: how many messages a step may send, and when the next step is. Pure.

An instance has one `tat`: when its next free slot begins. A campaign that waits for the number holds a slot, which
was reserved from `tat` in the write that used the one before [B16]. So over any window W an instance sends at most
(W + slack) / T + k messages, and a campaign (W + 2 slack) / Tc + k, whoever comes late, and however many campaigns
share the number. All arithmetic is in whole microseconds.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

MOST_AT_ONCE = 45
"""Messages of one step: their claim is one transaction of at most 99 actions."""

_NONE = timedelta(0)
_MINUTE = timedelta(minutes=1)
_STEPS_OF_SLACK = 4
_LEAST_SLACK = timedelta(seconds=2)
_MOST_SLACK = timedelta(seconds=5)
_LONGEST_BACKOFF_SECONDS = 64


@dataclass(frozen=True)
class Pace:
    """The rates of an instance and of one of its campaigns, in messages a minute."""

    instance_rate: int
    campaign_rate: int

    @property
    def instance_interval(self) -> timedelta:
        """T."""
        return interval(self.instance_rate)

    @property
    def campaign_interval(self) -> timedelta:
        """Tc."""
        return interval(self.campaign_rate)

    @property
    def width(self) -> int:
        """How many messages a slot is for: those of a second, by the slower rate."""
        return min(MOST_AT_ONCE, -(-min(self.campaign_rate, self.instance_rate) // 60))

    @property
    def slack(self) -> timedelta:
        """How late a slot may be used: 4 steps, at least 2 s, at most 5 s."""
        step = self.width * max(self.campaign_interval, self.instance_interval)
        return min(max(_STEPS_OF_SLACK * step, _LEAST_SLACK), _MOST_SLACK)


@dataclass(frozen=True)
class Slot:
    """A campaign's next messages: when its own rate allows them, and when the number has time for them, once reserved.

    Only a campaign that waits for the number reserves. A slow one would else hold up the number until its turn: `tat`
    is one moment, and knows no free time before it.
    """

    due: datetime
    reserved: datetime | None = None

    @property
    def at(self) -> datetime:
        """When the next step is due."""
        return self.reserved or self.due


@dataclass(frozen=True)
class Turn:
    """How many messages a step may send now; the slot that the campaign then holds, and the instance's `tat`.

    With a count of 0 the step sends nothing; if `slot` or `tat` differ from what it read, it writes them all the same.
    """

    count: int
    slot: Slot
    tat: datetime


def interval(rate: int) -> timedelta:
    """The time between two messages (S5-36): 6 s at 10 a minute. Rounded up: never faster than the rate."""
    return -(-_MINUTE // rate)


def turn(pace: Pace, slot: Slot | None, tat: datetime | None, now: datetime, available: int) -> Turn:
    """What a step may send now. `available`: how many messages its rows, quota, budget and breaker allow, at least 1.

    It uses the campaign's slot, then what is due by now, and reserves the next. A slot that is older than the slack is
    given up, so nothing is caught up after an outage [B18]. A campaign that paused keeps its slot, so pausing is no way
    around the pace [B17]; one that has not begun has None.
    """
    if available < 1:
        raise ValueError("A turn is for a message")
    span = pace.width * pace.instance_interval
    free = tat or now
    if slot is None or now - slot.at > pace.slack:
        slot = Slot(now)
    if now < slot.at:
        return Turn(0, slot, free)
    at = slot.reserved
    if at is None:
        at = max(free, slot.due)
        free = at + span
        if now < at:
            return Turn(0, Slot(slot.due, at), free)
    count = min(pace.width, available)
    if free == at + span:
        # Nobody has reserved behind it, so what this step does not use is free again.
        free = at + count * pace.instance_interval
    # The next one counts from this one's time and not from now: late deliveries, and waiting for others, do not add up.
    due = max(slot.due, at - pace.slack) + count * pace.campaign_interval
    while count < min(available, MOST_AT_ONCE) and max(free, due) <= now:
        free = max(free, due) + pace.instance_interval
        due += pace.campaign_interval
        count += 1
    return Turn(count, Slot(due, free), free + span) if due <= free else Turn(count, Slot(due), free)


def throttled(tat: datetime | None, now: datetime, retry_after: timedelta | None, throttles: int) -> datetime | None:
    """The instance's `tat` after the provider's throttle; None when it is as late already [B21].

    Without the provider's word 2, 4, 8 .. 64 s; `throttles` counts those of the row before this one.
    """
    until = now + (retry_after or timedelta(seconds=min(2 ** (throttles + 1), _LONGEST_BACKOFF_SECONDS)))
    return until if tat is None or tat < until else None
