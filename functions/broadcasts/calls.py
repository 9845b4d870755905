"""The calls of a broadcast: what a claim's worker does outside, and how each outcome is recorded (sections 5 and 7)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import batched
from random import random
from time import monotonic

from aws_lambda_powertools import Logger

from broadcasts import breaker, pacing, ports
from broadcasts import campaign as broadcasts
from broadcasts.agenda import Due
from broadcasts.campaign import Broadcast, BroadcastStatus, PauseReason
from broadcasts.contacts import ContactStore
from broadcasts.frozen import Texts
from broadcasts.instance import Instance, ProviderName
from broadcasts.items import BY_WORKER
from broadcasts.looks import Looks
from broadcasts.meanings import blocks_instance
from broadcasts.ports import Accepted, Outcome, Provider, Refused, Scope, Throttled
from broadcasts.recording import Answer, NotCalled, Recorded, after_call, events, wait_of, with_early
from broadcasts.row import Failure, Row
from broadcasts.sending import CALLS_UNTIL, SETTLES_AFTER
from broadcasts.store import BroadcastStore, Met, Record, Released, Told
from broadcasts.telling import blocked, objection
from broadcasts.wording import message_of
from sluice.campaign import Chained
from sluice.clock import Clock
from sluice.errors import Unavailable
from sluice.outward import Unknown

logger = Logger(child=True)

WORKER = "worker"
GROUP = 10
"""Calls between two fence reads."""
CALL_SECONDS = 10
LINK_SECONDS = 3600
"""How long a provider may read a campaign's file after the call: some do when they have answered."""
_ATTEMPTS = 20
_TELL_BY_CALLBACK = frozenset({ProviderName.META, ProviderName.SANDBOX})
"""Their statuses name the row, so no item says which row a message is of."""


@dataclass(frozen=True)
class Begun:
    """What a step has committed: a claim with its rows, or look-ups."""

    claim: Due | None = None
    rows: tuple[Row, ...] = ()
    instance: Instance | None = None
    """As the claim left it; read again where it is not known."""
    looks: tuple[Due, ...] = ()


@dataclass(frozen=True)
class Calls:
    """Makes the calls of a committed claim, once [B14], and the look-ups that a step began."""

    store: BroadcastStore
    providers: Callable[[Instance], Provider]
    texts: Texts
    contacts: ContactStore
    link: Callable[[str, str, int], str]
    """Where an owner's file, by its id, is read for so many seconds."""
    look: Looks
    run: Callable[[Sequence[Callable[[], Outcome]]], list[Outcome]]
    clock: Clock
    jitter: Callable[[], float] = random
    begun: dict[str, Begun] = field(default_factory=dict)
    """What the last commit of this process has begun, by `committed_by`; after a lost answer it is read."""

    def __call__(self, committed: Chained, committed_by: str, now: datetime) -> Broadcast | None:  # noqa: ARG002
        """Call what was claimed, or look up what was begun. Returns the campaign if an outcome has paused it.

        The records change rows and their own counter alone, so the chain goes on beside them.
        """
        if not isinstance(committed, Broadcast):
            raise TypeError("The chain of a broadcast commits broadcasts")
        begun = self.begun.pop(committed_by, None) or self._read(committed)
        self.begun.clear()
        if begun is None:
            return None
        instance = begun.instance or self.store.instance(committed.instance_id)
        if instance is None:
            raise Unavailable("The instance of a claim is gone")
        provider = self.providers(instance)
        if begun.looks:
            self.look(committed, instance, provider, begun.looks)
        if begun.claim:
            return self._call(committed, instance, provider, begun.claim, begun.rows)
        return None

    def _read(self, committed: Broadcast) -> Begun | None:
        """The claim of a commit whose answer was lost: nobody has called for it."""
        claim = self.store.due_claim(committed.id, committed.doing) if committed.doing else None
        if claim is None:
            return None
        found = self.store.rows(committed.id, [each.key for each in claim.rows])
        return Begun(claim, tuple(found[each.key] for each in claim.rows if each.key in found))

    # Sending

    def _call(
        self, committed: Broadcast, instance: Instance, provider: Provider, claim: Due, rows: Sequence[Row]
    ) -> Broadcast | None:
        text = self.texts.of(committed)
        until = claim.at - SETTLES_AFTER + CALLS_UNTIL
        groups = list(batched(rows, GROUP, strict=False))
        paused: Broadcast | None = None
        for number, group in enumerate(groups, 1):
            answers: Sequence[Answer] = [NotCalled()] * len(group)
            # Calls before this group may have found that the instance works for nobody.
            is_blocked = number > 1 and instance.trouble.is_blocked(self.clock.now())
            if not is_blocked and self._may_call(committed) and self.clock.now() < until:
                deadline = monotonic() + CALL_SECONDS
                link = self.link(committed.owner, committed.media_id, LINK_SECONDS) if committed.media_id else None
                messages = [(message_of(committed, text, row, link), str(row.attempt)) for row in group]
                outcomes = self.run([partial(provider.send, *each, deadline) for each in messages])
                answers = [ports.answered(each) for each in outcomes]
            done = claim if number == len(groups) else None
            instance = self._record(committed, instance, provider, group, answers, claim, done)
            if any(isinstance(each, Refused) and each.scope is Scope.CAMPAIGN for each in answers):
                paused = self._paused(committed) or paused  # now, so that the next group's fence sees it
        return paused

    def _may_call(self, committed: Broadcast) -> bool:
        """The fence [B8]: a group's calls begin only while the campaign runs and the platform is open."""
        state = self.store.read_with(committed.id)
        return state is not None and not state.is_stopped and state.campaign.status is BroadcastStatus.RUNNING

    def _record(
        self,
        committed: Broadcast,
        instance: Instance,
        provider: Provider,
        group: Sequence[Row],
        answers: Sequence[Answer],
        claim: Due,
        done: Due | None,
    ) -> Instance:
        """Record a group's outcomes in one transaction, which deletes the claim if it is `done`.

        Rows and instance as this worker knows them; read again when something came in between [B9]. Returns the
        instance as this record leaves it.
        """
        ids = [each.message_id for each in answers if isinstance(each, Accepted)]
        meets = bool(ids) and instance.provider not in _TELL_BY_CALLBACK
        rows, present = {row.key: row for row in group}, instance
        jitters = [self.jitter() for _ in group]
        met: dict[str, Met] = {}
        for _ in range(_ATTEMPTS):
            now = self.clock.now()
            found, meetings, lost = [], [], []
            for claimed, answer, jitter in zip(group, answers, jitters, strict=True):
                early = met.get(answer.message_id) if isinstance(answer, Accepted) else None
                if meets and isinstance(answer, Accepted) and (early is None or early.row is None):
                    place = Met(instance.id, answer.message_id, committed.id, claimed.key, claimed.attempt)
                    meetings.append((early, place))
                row = rows.get(claimed.key)
                attempt = str(claimed.attempt)
                if row is None:
                    continue
                after = after_call(
                    row,
                    attempt,
                    answer,
                    now,
                    max_retries=committed.max_retries,
                    patience=provider.patience,
                    jitter=jitter,
                )
                if early and early.told:
                    lost += self._objection(committed, claimed, early.told)
                    after = with_early(after, row, (early.told.evidence, early.told.at, early.told.failure), attempt)
                if after:
                    found.append(after)
            paced = _paced(present, group, answers, claim, provider, now)
            trouble = next((each.code for each in lost if blocks_instance(each.code)), None)
            if trouble and (after_it := blocked(paced[1] if paced else present, now)):
                paced = present, replace(after_it, v=present.v + 1)
            record = Record(
                committed.id,
                BY_WORKER,
                moved=tuple(each.moved for each in found),
                put=tuple(each.due.of_day(claim.day) for each in found if each.due),
                dropped=(done,) if done else (),
                met=tuple(meetings),
                instance=paced,
                released=released(committed.owner, claim, found),
                events=tuple(events(committed.id, committed.owner, [each.moved for each in found])),
            )
            if self.store.record(record, now):
                if trouble:
                    logger.error("An instance is blocked", instance_id=instance.id, code=trouble)
                return paced[1] if paced else present
            rows = self.store.rows(committed.id, rows)
            present = self.store.instance(instance.id) or present
            met = self.store.met(instance.id, ids) if meets else {}
        raise Unavailable("Others kept committing first")

    def _objection(self, committed: Broadcast, row: Row, told: Told) -> list[Failure]:
        """Write no more to a person who objects, by a failure that came before its message was known; returns that."""
        if told.failure and (why := objection(told.failure)):
            self.contacts.suppress(committed.owner, row.contact, row.phone, why, told.at)
        return [told.failure] if told.failure else []

    def _paused(self, committed: Broadcast) -> Broadcast | None:
        """Pause a campaign whose template the provider refuses: one bad template fails nobody (section 5)."""
        for _ in range(_ATTEMPTS):
            present, now = self.store.get(committed.id), self.clock.now()
            if present is None or present.status is not BroadcastStatus.RUNNING:
                return None
            paused = self.store.commit(broadcasts.halted(present, now, PauseReason.TEMPLATE), WORKER, now)
            if paused is not None:
                note_pause(paused)
                return paused
        raise Unavailable("Others kept committing first")


def note_pause(campaign: Broadcast) -> None:
    """Log that a campaign paused by itself: an alarm counts these lines. A budget that is used up is no trouble."""
    if campaign.pause_reason not in (None, PauseReason.USER, PauseReason.BUDGET):
        logger.error("Paused by itself", campaign_id=campaign.id, reason=campaign.pause_reason)


def released(owner: str, claim: Due, found: Sequence[Recorded]) -> tuple[Released, ...]:
    """What the quota of the claim's day gets back: of the calls that were certainly not accepted."""
    back = [each.moved.before for each in found if each.gives_back and each.moved.before]
    if not back or not claim.day:
        return ()
    return (Released(owner, claim.day, len(back), sum(each.price for each in back)),)


def _paced(
    present: Instance, group: Sequence[Row], answers: Sequence[Answer], claim: Due, provider: Provider, now: datetime
) -> tuple[Instance, Instance] | None:
    """What the outcomes change of the instance: its throttle, and its trouble; None for nothing."""
    tat, throttled_until, trouble = present.tat, present.throttled_until, present.trouble
    block = timedelta(seconds=provider.patience.block_seconds)
    for row, each in zip(group, answers, strict=True):
        if isinstance(each, Throttled):
            wait = now, wait_of(each.after_seconds), row.throttles
            tat = pacing.throttled(tat, *wait) or tat
            throttled_until = pacing.throttled(throttled_until, *wait) or throttled_until
        if said := _said(each):
            trouble = trouble.after(said, claim.part, now, can_be_asked=provider.can_be_asked, block=block)
    after = replace(present, tat=tat, throttled_until=throttled_until, trouble=trouble)
    return None if after == present else (present, replace(after, v=present.v + 1))


def _said(answer: Answer) -> breaker.Answer | None:
    """What an outcome says of the instance; None when nothing was called."""
    match answer:
        case Accepted():
            return breaker.Answer.ACCEPTED
        case Unknown():
            return breaker.Answer.UNKNOWN
        case Refused(scope=Scope.INSTANCE):
            return breaker.Answer.INSTANCE_REFUSED
        case Refused(code=ports.UNREACHABLE):
            return breaker.Answer.NOT_CONNECTED
        case Refused(code=ports.TOO_LATE) | NotCalled():
            return None
        case _:
            return breaker.Answer.REFUSED
