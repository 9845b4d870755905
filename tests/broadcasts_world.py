"""Broadcasts in two tables of the model, for tests of what is told of their rows."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from broadcasts import campaign as broadcasts
from broadcasts.campaign import Terms, Text
from broadcasts.contacts import ContactStore
from broadcasts.instance import Instance, ProviderName
from broadcasts.items import BY_WORKER, COUNT, BroadcastsItem, CountItem, InstanceItem, MessagesItem, RowItem
from broadcasts.ports import PATIENT, Accepted, Event
from broadcasts.recording import after_call, events, with_early
from broadcasts.row import Counts, Row, RowKey, claimed, counts
from broadcasts.store import BroadcastStore, Met, Record
from broadcasts.webhooks import messages
from broadcasts.webhooks.applying import Applier, Letter
from broadcasts.webhooks.messages import Told
from sluice.commit import CommitSettings, database
from sluice.dynamodb import bind
from tests.account import Account
from tests.dynamo.model import tables

NOW = datetime(2026, 11, 27, 22, 0, tzinfo=UTC)
CAMPAIGN, INSTANCE, OWNER = "brd_01KAJ3W5V0SM0FKVYVXB9EQT6N", "ins_01KAJ3W5V0SM0FKVYVXB9EQT6N", "acme"
BROADCASTS, MESSAGES = "WorldBroadcastsTable", "WorldMessagesTable"
_KEY = {
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("id", "part")],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "part", "KeyType": "RANGE"}],
}


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


class World:
    """A campaign of an instance, whose rows are claimed; a worker that records, and a consumer that applies."""

    def __init__(
        self, aws: Account, provider: ProviderName, rows: int, names: tuple[str, str] = (BROADCASTS, MESSAGES)
    ):
        """`names`: of tables of the account, in place of two of its own."""
        assert aws.dynamo
        self.dynamo = aws.dynamo
        missing = {each: {"Type": "AWS::DynamoDB::Table", "Properties": _KEY} for each in names}
        self.dynamo.tables = tables(missing) | self.dynamo.tables
        bind(BroadcastsItem, names[0])
        bind(MessagesItem, names[1])
        committing = database(CommitSettings(aws.ref("AuditTable"), aws.ref("OutboxTable")))
        self.clock = Clock()
        self.store = BroadcastStore(committing)
        self.contacts = ContactStore(committing)
        self.applier = Applier(
            self.store, self.contacts, lambda _, phone: f"of-{phone}", self._sns, self.clock, _no_wait
        )
        self.notified: Told | None = None
        self._letters = 0
        self.instance(INSTANCE, provider)
        self.campaign(CAMPAIGN, INSTANCE)
        self.first = [self.claimed(number) for number in range(rows)]

    def instance(self, instance_id: str, provider: ProviderName, credentials: int = 0) -> Instance:
        instance = Instance(
            id=instance_id,
            owner=OWNER,
            name="Shop",
            provider=provider,
            address="1",
            credentials=credentials,
            created_at=NOW,
            updated_at=NOW,
        )
        InstanceItem.of(instance).save()
        return instance

    def campaign(self, campaign_id: str, instance_id: str) -> None:
        terms = Terms(name="Launch", instance_id=instance_id, rate_limit=60)
        change = broadcasts.create(campaign_id, OWNER, terms, Text(1, "Hi"), "USD", NOW)
        assert self.store.commit(change, OWNER, NOW)

    def claimed(self, number: int, campaign_id: str = CAMPAIGN) -> Row:
        """Lay a row down that is claimed."""
        phone = f"55119000{number:05d}"
        row = Row(
            campaign_id=campaign_id, key=RowKey(1, 0, number), phone=phone, contact=f"of-{phone}", line=number + 1
        )
        row = claimed(row, f"A{number}", 7, 1, NOW)
        RowItem.of(row).save()
        return row

    def row(self, number: int = 0) -> Row:
        found = self.store.row(CAMPAIGN, RowKey(1, 0, number))
        assert found
        return found

    def accept(self, number: int, message_id: str, *, meets: bool) -> None:
        """Record that a message was accepted, as the worker does: first as it knows the row, without a read."""
        row, met = self.first[number], None
        for _ in range(20):
            after = after_call(
                row, str(self.first[number].attempt), Accepted(message_id), self.clock.now(),
                max_retries=3, patience=PATIENT, jitter=1.0,
            )  # fmt: skip
            place = Met(INSTANCE, message_id, CAMPAIGN, row.key, self.first[number].attempt)
            if met and met.told:
                early = (met.told.evidence, met.told.at, met.told.failure)
                after = with_early(after, row, early, str(self.first[number].attempt))
            moved = (after.moved,) if after else ()
            news = tuple(events(CAMPAIGN, OWNER, moved))
            record = Record(CAMPAIGN, BY_WORKER, moved=moved, met=((met, place),) if meets else (), events=news)
            if self.store.record(record, self.clock.now()):
                return
            row = self.row(number)
            met = self.store.met(INSTANCE, [message_id]).get(message_id)
        raise AssertionError("the record never committed")

    def letters(self, *told: Event, instance_id: str = INSTANCE) -> list[Letter]:
        return [self._letter(body) for body in messages.bodies(instance_id, told)]

    def _letter(self, body: str) -> Letter:
        self._letters += 1
        return Letter(f"letter-{self._letters}", body)

    def tell(self, *told: Event, instance_id: str = INSTANCE) -> list[str]:
        """Apply events, each in a letter of its own, as one batch; the letters that are put back."""
        return self.applier.take([one for each in told for one in self.letters(each, instance_id=instance_id)])

    def counted(self) -> Counts:
        """What the records and the webhooks have counted."""
        items = list(CountItem.query(CAMPAIGN, CountItem.part.startswith(COUNT), consistent_read=True))
        return sum((item.counts() for item in items), Counts())

    def events(self, name: str) -> list[dict[str, Any]]:
        """The entries of the events of a name, as the outbox has them."""
        found = [each for each in self.dynamo.tables["OutboxTable"].items.values() if each["name"] == {"S": name}]
        return [entry for each in found for entry in json.loads(each["data"]["S"])["entries"]]

    def check_counters(self) -> None:
        """The counters are the rows [B3]."""
        present = [self.row(number) for number in range(len(self.first))]
        was = sum(map(counts, self.first), Counts())
        assert was + self.counted() == sum(map(counts, present), Counts())

    def _sns(self, _body: str, _now: datetime) -> Told | None:
        return self.notified

    @contextmanager
    def before_each_call(self, act: Callable[[str, dict[str, Any]], None]) -> Iterator[None]:
        """Let something happen before each call of the database; what that does itself is a call too."""
        real = self.dynamo.call

        def call(operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
            act(operation, arguments)
            return real(operation, arguments)

        with patch.object(self.dynamo, "call", call):
            yield


def _no_wait(_seconds: float) -> None:
    pass


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)
