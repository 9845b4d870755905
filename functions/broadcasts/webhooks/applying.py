"""Applies what providers told to rows, contacts and instances (section 6). Nothing is remembered but by the tables.

All that is told of a row by one batch is joined first: an item cannot be twice in one transaction (amendment 2).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from random import uniform
from time import sleep

from aws_lambda_powertools import Logger

from broadcasts import telling
from broadcasts.campaign import PREFIX
from broadcasts.contacts import ContactStore
from broadcasts.instance import Instance
from broadcasts.items import by_webhook
from broadcasts.optouts import BY_WORD, STOP_WORDS, Wish, wish_in
from broadcasts.ports import Event, InboundEvent, StatusEvent
from broadcasts.recording import events
from broadcasts.row import Row, RowKey
from broadcasts.store import BroadcastStore, Record
from broadcasts.telling import MOST_ROWS, Callback, Said
from broadcasts.webhooks import messages
from broadcasts.webhooks.messages import Told
from broadcasts.webhooks.store import heard_from, keep_early
from sluice.clock import Clock
from sluice.errors import Unavailable

logger = Logger(child=True)

_TRIES = 5


@dataclass(frozen=True)
class Letter:
    """A message of the queue."""

    id: str
    body: str


@dataclass(frozen=True)
class _Heard:
    letter: str
    instance: Instance
    event: Event


@dataclass(frozen=True)
class _Of:
    """What a letter says of a row, or of a message."""

    letter: str
    said: Said


@dataclass
class _Campaign:
    id: str
    instance: Instance
    rows: dict[RowKey, list[_Of]] = field(default_factory=lambda: defaultdict(list))


class Applier:
    """Takes the batches of BroadcastsEventsQueue."""

    def __init__(
        self,
        store: BroadcastStore,
        contacts: ContactStore,
        contact_of: Callable[[str, str], str],
        notified: Callable[[str, datetime], Told | None],
        clock: Clock,
        wait: Callable[[float], None] = sleep,
    ) -> None:
        """`contact_of`: the key of a person among an owner's contacts, by the phone. `notified`: what a message of SNS
        tells; None for a number that is no instance's. Both raise Unavailable.
        """
        self._store = store
        self._contacts = contacts
        self._contact_of = contact_of
        self._notified = notified
        self._clock = clock
        self._wait = wait

    def take(self, letters: Sequence[Letter]) -> list[str]:
        """Apply a batch; returns the ids of the letters that are to be delivered again."""
        failed: set[str] = set()
        told: list[tuple[str, Told]] = []
        for letter in letters:
            with _put_back(failed, [letter.id]):
                told += [(letter.id, each) for each in self._read(letter)]
        with _put_back(failed, [letter for letter, _ in told]):
            heard = list(self._known(told))
            self._inbound(heard, failed)
            self._statuses([each for each in heard if isinstance(each.event, StatusEvent)], failed)
        return [each.id for each in letters if each.id in failed]

    def _read(self, letter: Letter) -> Iterator[Told]:
        message = messages.parse(letter.body)
        found = message if isinstance(message, Told) else self._notified(message.body, self._clock.now())
        if found:
            yield found
        else:
            logger.info("Dropped: no instance has this number", message_id=letter.id)

    def _known(self, told: Sequence[tuple[str, Told]]) -> Iterator[_Heard]:
        instances = self._store.instances(each.instance_id for _, each in told)
        for letter, each in told:
            instance = instances.get(each.instance_id)
            if instance:
                yield from (_Heard(letter, instance, event) for event in each.events)

    # Inbound

    def _inbound(self, heard: Sequence[_Heard], failed: set[str]) -> None:
        persons: dict[tuple[str, str], list[tuple[str, InboundEvent]]] = defaultdict(list)
        for each in heard:
            if isinstance(each.event, InboundEvent):
                owner = each.instance.owner
                contact = self._contact_of(owner, each.event.sender)
                persons[owner, contact].append((each.letter, each.event))
        words = {owner: self._store.owner(owner).opt_out_words for owner, _ in persons}
        for (owner, contact), of_person in persons.items():
            with _put_back(failed, [letter for letter, _ in of_person]):
                self._person(owner, contact, [event for _, event in of_person], words[owner])

    def _person(self, owner: str, contact: str, wrote: Sequence[InboundEvent], words: Sequence[str]) -> None:
        person = telling.inbound(wrote, lambda text: wish_in(text, (*STOP_WORDS, *words)))
        match person.wish, person.wished_at:
            case Wish.STOP, datetime() as at:
                self._contacts.suppress(owner, contact, person.phone, BY_WORD, at)
            case Wish.START, datetime() as at:
                self._contacts.lift(owner, contact, at)
        heard_from(owner, contact, person.at)

    # Statuses

    def _statuses(self, heard: Sequence[_Heard], failed: set[str]) -> None:
        campaigns: dict[str, _Campaign] = {}
        unplaced: dict[str, list[_Heard]] = defaultdict(list)
        for each, callback in self._called_back(heard):
            if callback:
                _place(campaigns, each, callback)
            else:
                unplaced[each.instance.id].append(each)
        for of_instance in unplaced.values():
            self._meet(of_instance, campaigns, failed)
        for campaign in campaigns.values():
            for keys in batched(campaign.rows, MOST_ROWS, strict=False):
                self._rows(campaign, keys, failed)

    def _called_back(self, heard: Sequence[_Heard]) -> Iterator[tuple[_Heard, Callback | None]]:
        """Each with its callback, if the campaign that it names sends by the instance that told: any other is a lie."""
        callbacks = [_callback(each.event) for each in heard]
        ids = {each.campaign_id for each in callbacks if each}
        senders = {each.id: each.instance_id for each in self._store.get_all(sorted(ids))}
        for each, callback in zip(heard, callbacks, strict=True):
            is_ours = callback and senders.get(callback.campaign_id) == each.instance.id
            yield each, callback if is_ours else None

    def _meet(self, heard: Sequence[_Heard], campaigns: dict[str, _Campaign], failed: set[str]) -> None:
        """Find rows by the ids of messages; a status that comes before its message is known is kept there [B10]."""
        instance_id = heard[0].instance.id
        of_messages: dict[str, list[_Heard]] = defaultdict(list)
        for each in heard:
            of_messages[each.event.message_id].append(each)
        crossed = []
        for message_id in self._unmet(instance_id, of_messages, campaigns):
            some = of_messages[message_id]
            with _put_back(failed, [each.letter for each in some]):
                statuses = [each.event for each in some if isinstance(each.event, StatusEvent)]
                said = telling.highest(map(telling.said_by, statuses))
                if not keep_early(instance_id, said, self._clock.now()):
                    crossed.append(message_id)
        # The record of the message came between; or else a status is there that is no lower.
        self._unmet(instance_id, {each: of_messages[each] for each in crossed}, campaigns)

    def _unmet(
        self, instance_id: str, of_messages: Mapping[str, list[_Heard]], campaigns: dict[str, _Campaign]
    ) -> list[str]:
        """Place what is told of messages that are known; returns the ids of the others."""
        met = self._store.met(instance_id, of_messages) if of_messages else {}
        unmet = []
        for message_id, some in of_messages.items():
            place = met.get(message_id)
            if place is None or place.row is None or place.campaign_id is None:
                unmet.append(message_id)
                continue
            for each in some:
                _place(campaigns, each, Callback(place.campaign_id, place.row, place.attempt))
        return unmet

    def _rows(self, campaign: _Campaign, keys: Sequence[RowKey], failed: set[str]) -> None:
        """Record what was told of rows. What cannot be recorded together is recorded in halves; a row fails alone."""
        letters = {each.letter for key in keys for each in campaign.rows[key]}
        try:
            self._record(campaign, keys)
        except Exception as error:  # whatever it is: it stops no other row
            if len(keys) == 1 or isinstance(error, Unavailable):
                logger.error("Put back: it failed", campaign_id=campaign.id, rows=len(keys), exc_info=error)
                failed |= letters
                return
        else:
            return
        half = len(keys) // 2
        for some in (keys[:half], keys[half:]):
            self._rows(campaign, some, failed)

    def _record(self, campaign: _Campaign, keys: Sequence[RowKey]) -> None:
        """Raises _Contended, Unavailable."""
        counter = by_webhook(campaign.rows[keys[0]][0].letter)
        said = {key: [each.said for each in campaign.rows[key]] for key in keys}
        for number in range(_TRIES):
            rows = self._store.rows(campaign.id, keys)
            if number == 0:
                self._suppress(campaign, rows, said)
            moved = [each for key, row in rows.items() if (each := telling.applied(row, said[key]))]
            if not moved:
                return
            now = self._clock.now()
            blocking = next((one for each in moved if (one := telling.blocking(each, said[each.after.key]))), None)
            blocks = self._blocked(campaign, now) if blocking else None
            record = Record(
                campaign.id,
                counter,
                moved=tuple(moved),
                instance=blocks,
                events=tuple(events(campaign.id, campaign.instance.owner, moved)),
            )
            if self._store.record(record, now):
                if blocks and blocking:
                    logger.error("An instance is blocked", instance_id=blocks[0].id, code=blocking.code)
                return
            self._wait(uniform(0, 0.02 * 2**number))
        raise _Contended("Others write the rows, or the instance, all the time")

    def _suppress(self, campaign: _Campaign, rows: Mapping[RowKey, Row], said: Mapping[RowKey, list[Said]]) -> None:
        """A person who wants no messages is not written to: whatever else is known of the message that said so."""
        for key, row in rows.items():
            for each in said[key]:
                if why := telling.objection(each.failure):
                    self._contacts.suppress(campaign.instance.owner, row.contact, row.phone, why, each.at)

    def _blocked(self, campaign: _Campaign, now: datetime) -> tuple[Instance, Instance] | None:
        before = self._store.instance(campaign.instance.id)
        after = telling.blocked(before, now) if before else None
        return (before, after) if before and after else None


class _Contended(Exception):
    pass


def _place(campaigns: dict[str, _Campaign], heard: _Heard, callback: Callback) -> None:
    """Put what was told beside its row."""
    campaign = campaigns.setdefault(callback.campaign_id, _Campaign(callback.campaign_id, heard.instance))
    if isinstance(heard.event, StatusEvent):
        campaign.rows[callback.row].append(_Of(heard.letter, telling.said_by(heard.event, callback.attempt)))


def _callback(event: Event) -> Callback | None:
    found = Callback.parse(event.callback) if isinstance(event, StatusEvent) else None
    return found if found and found.campaign_id.startswith(f"{PREFIX}_") else None


@contextmanager
def _put_back(failed: set[str], letters: Iterable[str]) -> Iterator[None]:
    """Note letters that cannot be applied, whatever the error: it stops no other."""
    try:
        yield
    except Exception as error:
        logger.error("Put back: it failed", exc_info=error)
        failed.update(letters)
