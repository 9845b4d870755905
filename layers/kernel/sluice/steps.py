"""The step chain: a running campaign is a chain of steps, each run exactly once (design section 3).

The campaign's item holds `status`, `step` (the next step to run) and `wake_at` (when it is due). A queue message names
a campaign and a step and nothing else. What a step does is one transaction, conditioned on `step` and `status` as they
were read; so copies, late messages and crashes can cost time but never an effect.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from aws_lambda_powertools import Logger

from sluice.clock import Clock
from sluice.errors import Unavailable, Unreadable
from sluice.wake import Wake

logger = Logger(child=True)

# Each failed condition means that someone else committed; so many in a row are a stampede, which SQS spreads better.
_ATTEMPTS = 20
# How often a campaign looks whether a stopped platform is open again.
_LOOK_AGAIN_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class Step:
    """One step of a campaign: what a queue message names."""

    campaign_id: str
    number: int

    @classmethod
    def parse(cls, body: str) -> "Step":
        """Read a queue message's body. Raises Unreadable when it is anything but `{"campaign_id": ..., "step": n}`."""
        try:
            message = json.loads(body)
        except ValueError as error:
            raise Unreadable("The message is not JSON") from error
        if not isinstance(message, dict) or message.keys() != {"campaign_id", "step"}:
            raise Unreadable("The message is not an object of campaign_id and step")
        campaign_id, number = message["campaign_id"], message["step"]
        if not isinstance(campaign_id, str) or not campaign_id:
            raise Unreadable("campaign_id is not a text")
        if type(number) is not int or number < 0:
            raise Unreadable("step is not a whole number")
        return cls(campaign_id, number)


class Campaign(Protocol):
    """What the chain needs to know of a campaign."""

    @property
    def id(self) -> str: ...
    @property
    def is_live(self) -> bool:
        """Whether it has a next step: it is running, or scheduled, or taken back."""

    @property
    def step(self) -> int:
        """The next step to run."""

    @property
    def wake_at(self) -> datetime | None:
        """When that step is due."""

    @property
    def committed_by(self) -> str | None:
        """The SQS message id of the message whose step was committed last."""


class State(Protocol):
    """All that a step is computed from, read at one moment."""

    @property
    def campaign(self) -> Campaign: ...
    @property
    def is_stopped(self) -> bool:
        """Whether the platform is stopped."""


class Batches[S: State](Protocol):
    """What a context does in a step."""

    def read(self, campaign_id: str, now: datetime) -> S | None:
        """One consistent read of all that the step needs; None when there is no such campaign."""

    def commit(self, state: S, message_id: str, now: datetime) -> Campaign | None:
        """Compute the batch and commit it in one transaction conditioned on step and status as in `state`.

        Returns the campaign as it is then, one step further; None when a condition failed.
        """


class StepChain[S: State]:
    """Runs steps by the rules of design section 3; their numbers stand beside them."""

    def __init__(self, batches: Batches[S], wake: Wake, clock: Clock) -> None:
        self._batches = batches
        self._wake = wake
        self._clock = clock

    def run(self, step: Step, message_id: str) -> None:
        """Run one step, then wake the next. Returns when the message can be acknowledged.

        Raises Unavailable when it is to be delivered again.
        """
        for _ in range(_ATTEMPTS):
            now = self._clock.now()
            state = self._batches.read(step.campaign_id, now)  # 1
            if state is None or not state.campaign.is_live:
                logger.info("Dropped: the campaign does not run")
                return
            campaign = state.campaign
            if step.number > campaign.step:
                logger.error("Dropped: the step is ahead of the campaign, as after a restored backup")
                return
            if step.number < campaign.step:  # 2
                if step.number == campaign.step - 1 and campaign.committed_by == message_id:
                    logger.info("Woken again: the worker died between its commit and its send")
                    self._send(campaign)
                else:
                    logger.info("Dropped: the step is done")
                return
            if campaign.wake_at is not None and now < campaign.wake_at:  # 3
                logger.info("Put back: the step is not due")
                self._send(campaign)
                return
            if state.is_stopped:
                logger.info("Put back: the platform is stopped")
                self._wake(campaign.id, campaign.step, now + _LOOK_AGAIN_AFTER)
                return
            after = self._batches.commit(state, message_id, now)  # 4, 5
            if after is not None:
                if after.is_live:
                    self._send(after)  # 6
                return
        raise Unavailable("Others kept committing first")

    def _send(self, campaign: Campaign) -> None:
        self._wake(campaign.id, campaign.step, campaign.wake_at or self._clock.now())
