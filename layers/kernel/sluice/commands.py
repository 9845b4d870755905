"""Commands: what people do to a context's campaigns. Each commits at once or is refused with the reason."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger

from sluice import requests
from sluice.campaign import Chained, Change
from sluice.clock import Clock
from sluice.errors import Conflicting, NotFound, Refused, Unavailable
from sluice.ids import is_id
from sluice.requests import Keyed
from sluice.store import ChainStore
from sluice.wake import Wake

logger = Logger(child=True)

# Each attempt lost against another commit: a batch, or another command.
_ATTEMPTS = 20


@dataclass(frozen=True)
class Requester:
    """Who gives a command, in which request."""

    subject: str
    request_id: str


class ChainCommands[C: Chained, X: Change[Any]]:
    """What the commands of every context do alike. `noun` is what its API calls a campaign; `prefix` begins its ids."""

    noun = "campaign"
    prefix: str

    def __init__(self, store: ChainStore[C, X], wake: Wake, clock: Clock) -> None:
        self._chained = store
        self._wake = wake
        self.clock = clock

    def get(self, campaign_id: str) -> C:
        """One campaign, by a consistent read. Raises NotFound."""
        found = self._chained.get(campaign_id) if is_id(self.prefix, campaign_id) else None
        if found is None:
            raise NotFound(f"{self.noun.title()} not found", f"{self.noun}_not_found")
        return found

    def create_by(self, change: Callable[[datetime], X], subject: str, keyed: Keyed[C] | None) -> C | requests.Answer:
        """Commit the change that makes a campaign, or give the answer that its Idempotency-Key got before.

        `change` may raise what refuses the request; a repeat is answered all the same, for only time has made it wrong.
        Raises Conflicting for a key that was used with another body.
        """
        now = self.clock.now()
        try:
            new = change(now)
        except Refused:
            if keyed and (answer := requests.find(keyed.request, now)):
                return answer
            raise
        if created := self._chained.commit(new, subject, now, keyed):
            return self.wake_if_live(created)
        answer = requests.find(keyed.request, now) if keyed else None
        if answer is None:
            raise Unavailable(f"The {self.noun} could not be created")
        return answer

    def command(
        self, name: str, campaign_id: str, requester: Requester, change: Callable[[C, datetime], X | None]
    ) -> C:
        """Change a campaign by a command, and wake it if it is live: the campaign as it is then.

        `change` gets the campaign as read and the time. It raises Conflicting for a campaign whose state does not allow
        the command, and returns None when there is nothing to change. Raises NotFound, Conflicting, Unavailable.
        """
        request = f"{name} {requester.request_id}"
        for _ in range(_ATTEMPTS):
            now = self.clock.now()
            found = self.get(campaign_id)
            try:
                wanted = change(found, now)
            except Conflicting:
                # A copy of the request may have come first, in this very moment even: then it is done.
                again = self.get(campaign_id)
                if again.request != request:
                    raise
                return self.wake_if_live(again)
            if wanted is None:
                return self.wake_if_live(found)
            if committed := self._chained.commit(wanted.asked_by(request), requester.subject, now):
                return self.wake_if_live(committed)
        raise Unavailable(f"The {self.noun} is changing too fast")

    def wake_if_live(self, campaign: C) -> C:
        """Send a live campaign's step to its queue; what cannot be sent is left to the sweeper."""
        if campaign.is_live:
            try:
                self._wake(campaign.id, campaign.step, campaign.wake_at or self.clock.now())
            except Unavailable:
                # The command is done, and is answered so: what is committed and was not sent is the sweeper's.
                logger.exception("Not woken: left to the sweeper", campaign_id=campaign.id, step=campaign.step)
        return campaign
