"""What a step does: the context's part in the step chain, and its act outside."""

from datetime import datetime

from sluice.campaign import State
from sluice.clock import Clock
from tests.reference.campaign import Campaign, record, run_step
from tests.reference.sandbox import Party, UnknownOutcome
from tests.reference.store import Store

_WORKER = "worker"
_ATTEMPTS = 5


class Batches:
    """Stores the intent of a call with each step; the act makes the call, and records it."""

    def __init__(self, store: Store, party: Party, clock: Clock) -> None:
        self._store = store
        self._party = party
        self._clock = clock

    def read(self, campaign_id: str, now: datetime) -> State[Campaign] | None:
        """The campaign, and whether the platform is stopped."""
        return self._store.read_with(campaign_id)

    def commit(self, state: State[Campaign], committed_by: str, now: datetime) -> Campaign | None:
        """One step; None when a condition failed. A call whose outcome nobody recorded is looked up: never repeated."""
        found = state.campaign
        was_made = found.call is not None and self._party.has(found.call)
        return self._store.commit(run_step(found, was_made, now).run_by(committed_by), _WORKER, now)

    def act(self, committed: Campaign, committed_by: str, now: datetime) -> Campaign | None:
        """Make the call, and record it; None when its outcome is left to the next step."""
        if committed.call is None:
            return None
        try:
            self._party.call(committed.call)
        except UnknownOutcome:
            return None
        for _ in range(_ATTEMPTS):  # each lost against a command
            found = self._store.get(committed.id)
            change = record(found, committed.call, self._clock.now()) if found else None
            if change is None:
                return None
            if recorded := self._store.commit(change.run_by(committed_by), _WORKER, now):
                return recorded
        return None
