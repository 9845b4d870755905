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

from sluice.campaign import Chained, State
from sluice.clock import Clock
from sluice.errors import Unavailable, Unreadable
from sluice.ids import nonce
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


class Batches[C: Chained](Protocol):
    """What a context does in a step."""

    def read(self, campaign_id: str, now: datetime) -> State[C] | None:
        """One consistent read of everything that the step needs; None when there is no such campaign."""

    def commit(self, state: State[C], committed_by: str, now: datetime) -> C | None:
        """Compute the batch and commit it in one transaction conditioned on step and status as in `state`.

        Stores `committed_by` on the campaign. Returns the campaign as it is then, one step further; None when a
        condition failed.
        """


class Act(Protocol):
    """What a context does outside DynamoDB after a commit: one call, whose intent that commit has stored.

    It returns the campaign with the outcome recorded, or None when there was nothing to do or to record. The record
    bumps `step` as it is then, stores `committed_by` again, leaves a status that a command set, and commits nothing
    when the call is settled already. The next step judges the call, so it is due only after the call's deadline.
    """

    def __call__(self, committed: Chained, committed_by: str, now: datetime) -> Chained | None: ...


@dataclass(frozen=True)
class StepChain[C: Chained]:
    """Runs steps by the rules of design section 3; their numbers stand beside them."""

    batches: Batches[C]
    wake: Wake
    clock: Clock
    act: Act | None = None

    def run(self, step: Step, message_id: str) -> None:
        """Run one step, wake the next, then act. Returns when the message can be acknowledged.

        Raises Unavailable when the message must be delivered again.
        """
        invocation = f"{message_id}/{nonce()}"
        for _ in range(_ATTEMPTS):
            now = self.clock.now()
            state = self.batches.read(step.campaign_id, now)  # 1
            if state is None or not state.campaign.is_live:
                logger.info("Dropped: the campaign does not run")
                return
            campaign = state.campaign
            if step.number > campaign.step:
                logger.error("Dropped: the step is ahead of the campaign, as after a restored backup")
                return
            if step.number < campaign.step:  # 2
                self._run_again(step, campaign, invocation)
                return
            if campaign.wake_at is not None and now < campaign.wake_at:  # 3
                logger.info("Put back: the step is not due")
                self._send(campaign)
                return
            if state.is_stopped:
                logger.info("Put back: the platform is stopped")
                self.wake(campaign.id, campaign.step, now + _LOOK_AGAIN_AFTER)
                return
            after = self.batches.commit(state, invocation, now)  # 4, 5
            if after is not None:
                if after.is_live:
                    self._go_on(after, invocation)  # 6
                return
        raise Unavailable("Others kept committing first")

    def _run_again(self, step: Step, campaign: Chained, invocation: str) -> None:
        """The step is committed. Only the message that ran it wakes the next one, so copies die at the next commit."""
        behind = campaign.step - step.number
        if behind == 1 and campaign.committed_by == invocation:
            logger.info("Committed: the answer was lost")
            self._go_on(campaign, invocation)
        elif _message_of(campaign.committed_by) == _message_of(invocation) and behind <= self._most_behind:
            logger.info("Woken again: the worker died between its commit and its send")
            self._send(campaign)
        else:
            logger.info("Dropped: the step is done")

    @property
    def _most_behind(self) -> int:
        """A record bumps the step once more than the commit, and its worker may die before it wakes that step."""
        return 1 if self.act is None else 2

    def _go_on(self, committed: Chained, invocation: str) -> None:
        """Wake the next step, then act: if the worker dies while it acts, the next step judges the call."""
        self._send(committed)
        if self.act is not None:
            recorded = self.act(committed, invocation, self.clock.now())
            if recorded is not None and recorded.is_live:
                self._send(recorded)

    def _send(self, campaign: Chained) -> None:
        self.wake(campaign.id, campaign.step, campaign.wake_at or self.clock.now())


def _message_of(committed_by: str | None) -> str | None:
    return committed_by.partition("/")[0] if committed_by else None
