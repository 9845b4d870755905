"""Look-ups of rows whose outcome nobody knows: found, absent with meaning, or given up (section 7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from aws_lambda_powertools import Logger

from broadcasts.agenda import Due
from broadcasts.campaign import Broadcast
from broadcasts.frozen import Texts
from broadcasts.instance import Instance
from broadcasts.items import BY_WORKER
from broadcasts.ports import Provider, is_id, sighted
from broadcasts.recording import Close, Recorded, Sight, after_look, events, is_given_up, with_early
from broadcasts.row import CHUNK, Evidence, Row, RowKey, Work
from broadcasts.sending import CALLS_UNTIL, SETTLES_AFTER
from broadcasts.store import BroadcastStore, Met, Record, Released
from broadcasts.wording import message_of
from sluice.clock import Clock
from sluice.errors import Unavailable
from sluice.outward import CannotTell, Found

logger = Logger(child=True)

_ATTEMPTS = 20
_PROVEN = timedelta(hours=24)
_SLACK = timedelta(minutes=2)
"""Clocks differ: a look searches from a little before the claim."""
_TRIED = 3
"""How many messages that are known to be sent are looked for, to prove that the provider keeps messages."""


@dataclass(frozen=True)
class Looks:
    """Makes the look-ups that a step began, one after the other, and records each."""

    store: BroadcastStore
    texts: Texts
    clock: Clock

    def __call__(self, committed: Broadcast, instance: Instance, provider: Provider, looks: Sequence[Due]) -> None:
        """Look up rows; each record is a transaction of its own. A row that is not unknown any more is dropped."""
        rows = self.store.rows(committed.id, [each.key for each in looks])
        is_proof = provider.absence_is_proof or self._is_proven(committed, instance, provider, rows)
        for due in looks:
            if self.clock.now() > due.at - SETTLES_AFTER + CALLS_UNTIL:
                return  # what is left is due again when this worker is dead
            row = rows.get(due.key)
            sight: Sight | None = None
            if row and row.attempt and row.work is Work.UNKNOWN and row.evidence is Evidence.NONE:
                given_up = is_given_up(row, provider.patience)
                sight = Close() if given_up else self._find(committed, instance, provider, row)
            self._record(committed, instance, provider, due, row, sight, is_proof=is_proof)

    def _find(self, committed: Broadcast, instance: Instance, provider: Provider, row: Row) -> Sight:
        now = self.clock.now()

        def is_taken(message_id: str) -> bool:
            """Whether a message is known to be of another row."""
            met = self.store.met(instance.id, [message_id]).get(message_id) if is_id(message_id) else None
            return met is not None and met.row is not None and (met.campaign_id, met.row) != (committed.id, row.key)

        message = message_of(committed, self.texts.of(committed), row)
        claimed_at = row.claimed_at or now
        until = claimed_at + SETTLES_AFTER + _SLACK  # nothing of the attempt is later than its worker
        sight = sighted(provider.find(message, str(row.attempt), claimed_at - _SLACK, until, is_taken))
        if isinstance(sight, CannotTell):
            logger.info("Looked up in vain", row=str(row.key), reason=sight.reason)
        return sight

    def _record(
        self,
        committed: Broadcast,
        instance: Instance,
        provider: Provider,
        due: Due,
        seen: Row | None,
        sight: Sight | None,
        *,
        is_proof: bool,
    ) -> None:
        row = seen
        for _ in range(_ATTEMPTS):
            now = self.clock.now()
            after = None
            if row and sight and seen and seen.attempt:
                after = after_look(row, seen.attempt, sight, now, is_proof=is_proof, patience=provider.patience)
            met: tuple[tuple[Met | None, Met], ...] = ()
            if after and isinstance(sight, Found):
                before = self.store.met(instance.id, [sight.result]).get(sight.result)
                if row and seen and before and before.told:
                    early = (before.told.evidence, before.told.at, before.told.failure)
                    after = with_early(after, row, early, str(seen.attempt))
                if before is None or before.row is None:
                    met = (
                        (
                            before,
                            Met(instance.id, sight.result, committed.id, due.key, seen.attempt if seen else None),
                        ),
                    )
            moved = (after.moved,) if after else ()
            record = Record(
                committed.id,
                BY_WORKER,
                moved=moved,
                put=(after.due.of_day(due.day),) if after and after.due else (),
                dropped=(due,),
                met=met,
                released=_released(committed, due, after),
                events=tuple(events(committed.id, committed.owner, moved)),
            )
            if self.store.record(record, now):
                return
            row = self.store.row(committed.id, due.key)
        raise Unavailable("Others kept committing first")

    def _is_proven(
        self, committed: Broadcast, instance: Instance, provider: Provider, rows: Mapping[RowKey, Row]
    ) -> bool:
        """Whether this instance's look-up has found, in the last 24 h, a message that is known to be sent."""
        now = self.clock.now()
        if not provider.can_be_asked or not rows:
            return False
        if instance.lookup_proven_at and now - instance.lookup_proven_at < _PROVEN:
            return True
        first = min(rows)
        near = self.store.rows_from(committed, first.lane, first.number // CHUNK * CHUNK, CHUNK)
        known = [
            each for each in near if each.evidence and each.message_id and each.sent_at and now - each.sent_at < _PROVEN
        ]
        for row in known[-_TRIED:]:
            found = self._find(committed, instance, provider, row)
            if isinstance(found, Found) and found.result == row.message_id:
                self.store.prove(replace(instance, lookup_proven_at=now))
                return True
        return False


def _released(committed: Broadcast, due: Due, after: Recorded | None) -> tuple[Released, ...]:
    """What the quota of the claim's day gets back when the message was certainly not sent (amendment 24).

    The day is kept since the claim: the owner's zone, and so their day, may be another one by now.
    """
    if not (after and after.gives_back and after.moved.before and due.day):
        return ()
    return (Released(committed.owner, due.day, 1, after.moved.before.price),)
