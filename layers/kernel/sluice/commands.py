"""Commands: what people do with a context's campaigns. Each commits at once, or is refused with a reason."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger

from sluice.campaign import Chained, Change
from sluice.clock import Clock
from sluice.errors import Conflicting, NotFound, Unavailable
from sluice.ids import is_id
from sluice.requests import Answer, Keyed, Requester, carry_out
from sluice.store import ChainStore
from sluice.wake import Wake

logger = Logger(child=True)


class ChainCommands[C: Chained, X: Change[Any]]:
    """The common part of every context's commands. `noun` is the API's word for a campaign; ids begin with `prefix`."""

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

    def create_by(self, change: Callable[[datetime], X], requester: Requester) -> C | Answer:
        """Commit the change that makes a campaign, or return the stored answer of its Idempotency-Key.

        `change` may raise Refused. A repeat gets its stored answer even then, because only time has made it invalid.
        Raises Conflicting for a key that was used for another request, Unavailable.
        """

        def attempt(keyed: Keyed[C] | None, now: datetime) -> C | None:
            created = self._chained.commit(change(now), requester.subject, now, keyed)
            if created is None and keyed is None:
                # The answer of a commit may be lost: without a key another attempt could make a second campaign.
                raise Unavailable(f"The {self.noun} could not be created")
            return created

        return self.carry_out(attempt, requester)

    def command(
        self, name: str, campaign_id: str, requester: Requester, change: Callable[[C, datetime], X | None]
    ) -> C | Answer:
        """Change a campaign by a command, and wake it if it is live. Returns the changed campaign.

        `change` gets the campaign as read and the time. It raises Conflicting when the campaign's state does not allow
        the command, and returns None when there is nothing to change. A repeat with the same Idempotency-Key returns
        the stored answer. Raises NotFound, Conflicting (`platform_stopped` for a change that needs an open platform),
        Unavailable.
        """
        request = f"{name} {requester.request_id}"

        def attempt(keyed: Keyed[C] | None, now: datetime) -> C | None:
            found = self.get(campaign_id)
            try:
                wanted = change(found, now)
                if wanted:
                    self.refuse_while_stopped(wanted)
            except Conflicting:
                # A copy of this request may have committed first, even a moment ago: then the command is done.
                again = self.get(campaign_id)
                if again.request != request:
                    raise
                return again
            if wanted is None:
                return self._chained.answer(found, now, keyed) if keyed else found
            return self._chained.commit(wanted.asked_by(request), requester.subject, now, keyed)

        return self.carry_out(attempt, requester)

    def refuse_while_stopped(self, change: X) -> None:
        """Raise Conflicting (`platform_stopped`) for a change that releases something while the platform is stopped.

        The change's transaction has the same condition. This tells the caller why it would fail.
        """
        if change.is_batch and self._chained.is_stopped():
            raise Conflicting("The platform is stopped: repeat this once it is resumed", "platform_stopped")

    def wake_if_live(self, campaign: C) -> C:
        """Send a live campaign's step to its queue. If that fails, the sweeper sends it."""
        if campaign.is_live:
            try:
                self._wake(campaign.id, campaign.step, campaign.wake_at or self.clock.now())
            except Unavailable:
                # The command is committed, so it succeeds; the sweeper sends the step.
                logger.exception("Not woken: left to the sweeper", campaign_id=campaign.id, step=campaign.step)
        return campaign

    def carry_out(self, attempt: Callable[[Keyed[C] | None, datetime], C | None], requester: Requester) -> C | Answer:
        """Attempt a command until it commits, and wake what is live: as `requests.carry_out` does."""
        keyed = requester.keyed.about(lambda campaign: (campaign.id, campaign.step)) if requester.keyed else None
        done = carry_out(attempt, keyed, self._stands, self.clock, f"The {self.noun} is changing too fast")
        return done if isinstance(done, Answer) else self.wake_if_live(done)

    def _stands(self, answer: Answer) -> bool:
        """Whether an answer's campaign was not rolled back. Then wake it, because the first function may have died."""
        present = self._chained.get(answer.entity)
        if present is None or present.step < answer.version:
            return False
        self.wake_if_live(present)
        return True
