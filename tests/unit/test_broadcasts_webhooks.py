"""What providers tell, from the queue to the rows, the contacts and the instance."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import pytest

from broadcasts.instance import ProviderName
from broadcasts.items import ContactItem, InstanceItem, RowItem, SuppressedItem
from broadcasts.ports import Event, InboundEvent, StatusEvent
from broadcasts.row import Evidence, RowKey, RowStatus, Work, claimed
from broadcasts.store import Met, Told
from broadcasts.webhooks.applying import Letter
from broadcasts.webhooks.messages import Told as Batch
from sluice.chained import PART
from tests.account import Account
from tests.broadcasts_world import CAMPAIGN, INSTANCE, NOW, OWNER, World, later
from tests.dynamo.model import refusal

SENT, FAILED, DELIVERED, READ = Evidence.SENT, Evidence.FAILED, Evidence.DELIVERED, Evidence.READ
STATUSES = (SENT, FAILED, DELIVERED, READ)


@pytest.fixture
def meta(aws: Account) -> World:
    """Three rows of a number at Meta, which gives our callback back."""
    return World(aws, ProviderName.META, 3)


@pytest.fixture
def evolution(aws: Account) -> World:
    """Three rows of a number at an Evolution server, which knows messages by their ids alone."""
    return World(aws, ProviderName.EVOLUTION, 3)


def by_callback(world: World, number: int, status: Evidence, seconds: float = 0, **more: Any) -> StatusEvent:
    return StatusEvent(status, f"wamid.{number}", world.first[number].callback, later(seconds), **more)


def by_id(number: int, status: Evidence, seconds: float = 0, **more: Any) -> StatusEvent:
    return StatusEvent(status, f"3EB0{number}", None, later(seconds), **more)


# Any order


@pytest.mark.parametrize("seed", range(80))
@pytest.mark.parametrize("provider", [ProviderName.META, ProviderName.EVOLUTION])
def test_a_row_has_the_highest_that_was_told_and_the_counters_are_the_rows(
    aws: Account, provider: ProviderName, seed: int
) -> None:
    """[B1], [B3], [B10]: records and batches in any order, each also in the middle of the others; copies, losses."""
    draw, world = Random(seed), World(aws, provider, 3)
    meets = provider is ProviderName.EVOLUTION
    status: Callable[[int, Evidence], StatusEvent] = by_id if meets else partial(by_callback, world)
    told: list[tuple[int, Evidence]] = []
    for number in range(3):
        some = draw.choices(STATUSES, k=draw.randint(0, 5))  # copies, and what is not drawn is lost
        told += [(number, each) for each in some]
    draw.shuffle(told)
    letters = [world.letters(status(*each))[0] for each in told]
    waiting: list[Callable[[], None]] = [
        partial(world.accept, number, f"3EB0{number}" if meets else f"wamid.{number}", meets=meets)
        for number in range(3)
    ]

    def take(batch: list[Letter]) -> None:
        failed = world.applier.take(batch)
        if again := [each for each in batch if each.id in failed]:
            waiting.append(partial(take, again))

    while letters:
        size = draw.randint(1, 4)
        waiting.append(partial(take, letters[:size]))
        letters = letters[size:]

    def interrupted(_operation: str, _arguments: object) -> None:
        if waiting and draw.random() < 0.15:
            waiting.pop(draw.randrange(len(waiting)))()

    with world.before_each_call(interrupted):
        while waiting:
            waiting.pop(draw.randrange(len(waiting)))()

    for number in range(3):
        assert world.row(number).evidence is max([SENT, *(each for row, each in told if row == number)])
    world.check_counters()
    lost = [entry["row"] for entry in world.events("message:failed")]
    assert len(set(lost)) == len(lost)


def test_a_late_sent_takes_nothing_back(meta: World) -> None:
    """S5-51, chatwoot#14529: after each of them the status is the highest so far."""
    meta.accept(0, "wamid.0", meets=False)
    expected = {"delivered": 1, "read": 0}
    for seconds, status in enumerate([DELIVERED, SENT, READ, DELIVERED, SENT, FAILED]):
        assert meta.tell(by_callback(meta, 0, status, seconds)) == []

        expected["read"] = int(status is READ or expected["read"])
        found = meta.counted()
        assert (found.sent, found.failed) == (1, 0)
        assert {"delivered": found.delivered, "read": found.read} == expected
    assert meta.row().status is RowStatus.READ


def test_what_comes_before_the_message_is_known_is_kept_for_its_record(evolution: World) -> None:
    """S5-51, postmangovsg#2151: delivered and read before the answer of the call; no second webhook."""
    assert evolution.tell(by_id(0, DELIVERED, 1), by_id(0, READ, 2)) == []
    assert evolution.row().status is RowStatus.SENDING

    evolution.accept(0, "3EB00", meets=True)

    assert evolution.row().status is RowStatus.READ
    evolution.check_counters()


def test_the_highest_is_kept_and_a_lower_one_does_not_replace_it(evolution: World) -> None:
    evolution.tell(by_id(0, READ, 2))
    evolution.tell(by_id(0, DELIVERED, 3), by_id(0, SENT, 1))

    assert evolution.store.met(INSTANCE, ["3EB00"])["3EB00"] == Met(INSTANCE, "3EB00", told=Told(READ, later(2)))


def test_an_early_status_is_kept_for_thirty_days(evolution: World) -> None:
    evolution.tell(by_id(0, READ))

    (item,) = [each for key, each in evolution.dynamo.tables["WorldMessagesTable"].items.items() if "3EB00" in key[0]]
    assert item["expires_at"] == {"N": str(int((NOW + timedelta(days=30)).timestamp()))}


def test_the_record_that_comes_between_read_and_write_is_found(evolution: World) -> None:
    """[B10] on condition: the status is not written over the row that is there by now."""
    pending = [partial(evolution.accept, 0, "3EB00", meets=True)]

    def at_the_write(operation: str, _arguments: object) -> None:
        if operation == "UpdateItem" and pending:
            pending.pop()()

    with evolution.before_each_call(at_the_write):
        evolution.tell(by_id(0, DELIVERED))

    assert not pending
    assert evolution.row().status is RowStatus.DELIVERED


def test_a_batch_joins_what_it_says_of_a_row_and_writes_it_once(meta: World) -> None:
    """Amendment 2: an item cannot be twice in one transaction."""
    written: list[int] = []

    def note(operation: str, arguments: dict[str, Any]) -> None:
        if operation == "TransactWriteItems":
            written.append(len(arguments["TransactItems"]))

    with meta.before_each_call(note):
        assert meta.tell(*(by_callback(meta, 0, each) for each in (SENT, DELIVERED, READ, DELIVERED))) == []

    assert written == [3]  # the row, its counter, and an event: it was sent
    assert meta.row().v == meta.first[0].v + 1


def test_no_transaction_is_larger_than_it_may_be(aws: Account) -> None:
    """Amendment 2: 98 actions."""
    world, sizes = World(aws, ProviderName.META, 100), []

    def note(operation: str, arguments: dict[str, Any]) -> None:
        if operation == "TransactWriteItems":
            sizes.append(len(arguments["TransactItems"]))

    events = [by_callback(world, number, FAILED, code="131048") for number in range(100)]
    with world.before_each_call(note):
        assert world.applier.take(world.letters(*events)) == []

    assert all(each <= 98 for each in sizes)
    assert len(sizes) == 3
    assert world.counted().failed == 100
    world.check_counters()


# Whose it is


def test_a_callback_of_a_campaign_of_another_number_is_no_callback(meta: World) -> None:
    """Whoever has the secret of one instance says nothing of the rows of another."""
    meta.instance("ins_other", ProviderName.META)

    assert meta.tell(by_callback(meta, 0, READ), instance_id="ins_other") == []

    assert meta.row().status is RowStatus.SENDING


@pytest.mark.parametrize("callback", [None, "x", f"{INSTANCE}/g1/r0/0/A0", "brd_gone/g1/r0/0/A0"])
def test_a_status_of_a_message_that_nobody_knows_is_kept_and_is_no_error(
    meta: World, callback: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    assert meta.tell(StatusEvent(READ, "wamid.9", callback, NOW)) == []

    assert not [each for each in caplog.records if each.levelname == "ERROR"]
    assert meta.store.met(INSTANCE, ["wamid.9"])["wamid.9"].told == Told(READ, NOW)


def test_a_status_of_a_row_that_was_removed_is_dropped(meta: World) -> None:
    event = by_callback(meta, 0, READ)
    RowItem(*RowKey(1, 0, 0).item(CAMPAIGN)).delete()

    assert meta.tell(event) == []


def test_what_is_told_of_an_instance_that_is_gone_is_dropped(meta: World) -> None:
    assert meta.tell(by_callback(meta, 0, READ), instance_id="ins_gone") == []

    assert meta.row().status is RowStatus.SENDING


def test_a_message_of_sns_is_of_the_instance_that_has_its_number(meta: World) -> None:
    letter = Letter("1", '{"whatsAppWebhookEntry": "{}"}')
    meta.notified = Batch(INSTANCE, (by_callback(meta, 0, READ),))

    assert meta.applier.take([letter]) == []
    meta.notified = None
    assert meta.applier.take([letter]) == []

    assert meta.row().status is RowStatus.READ


# What fails


def test_a_message_that_cannot_be_read_fails_alone(meta: World) -> None:
    good = meta.letters(by_callback(meta, 0, READ))

    assert meta.applier.take([Letter("bad", "{"), *good]) == ["bad"]

    assert meta.row().status is RowStatus.READ


def test_a_row_that_cannot_be_written_fails_alone(meta: World) -> None:
    """One poisoned row of three: the others are recorded, and its message is put back."""
    part = RowKey(1, 0, 1).item(CAMPAIGN)[1]

    def poisoned(operation: str, arguments: dict[str, Any]) -> None:
        items = arguments.get("TransactItems", [])
        if any(each.get("Update", {}).get("Key", {}).get("part") == {"S": part} for each in items):
            raise refusal(operation, "ValidationException", "no")

    letters = [meta.letters(by_callback(meta, number, READ))[0] for number in range(3)]
    with meta.before_each_call(poisoned):
        failed = meta.applier.take(letters)

    assert failed == [letters[1].id]
    assert [meta.row(number).status for number in range(3)] == [RowStatus.READ, RowStatus.SENDING, RowStatus.READ]
    assert meta.applier.take([letters[1]]) == []
    assert meta.row(1).status is RowStatus.READ
    meta.check_counters()


def test_while_the_database_is_too_busy_everything_is_put_back(meta: World) -> None:
    def busy(operation: str, _arguments: object) -> None:
        raise refusal(operation, "ThrottlingException")

    letters = meta.letters(by_callback(meta, 0, READ))
    with meta.before_each_call(busy):
        assert meta.applier.take(letters) == [letters[0].id]

    assert meta.applier.take(letters) == []
    assert meta.row().status is RowStatus.READ


def test_a_row_that_others_write_all_the_time_is_put_back(meta: World) -> None:
    def contended(operation: str, _arguments: object) -> None:
        if operation == "TransactWriteItems":
            row = meta.row()
            RowItem(*row.key.item(CAMPAIGN)).update(actions=[RowItem.v.set(row.v + 1)])

    letters = meta.letters(by_callback(meta, 0, READ))
    with meta.before_each_call(contended):
        assert meta.applier.take(letters) == [letters[0].id]

    assert meta.applier.take(letters) == []
    meta.check_counters()


# Failures by a webhook


def test_a_message_that_fails_after_its_acceptance_is_failed_once_and_never_sent_again_by_itself(meta: World) -> None:
    """S5-26"""
    meta.accept(0, "wamid.0", meets=False)
    event = by_callback(meta, 0, FAILED, 5, code="131026", text="Not on WhatsApp")

    meta.tell(event)
    meta.tell(event, event)

    row = meta.row()
    assert (row.status, row.error and row.error.code, row.failed_at) == (RowStatus.FAILED, "131026", later(5))
    assert row.work is not Work.PENDING
    assert [each["row"] for each in meta.events("message:failed")] == ["g1/r0/0"]
    assert (meta.counted().sent, meta.counted().failed_final) == (0, 1)


def test_a_late_copy_of_a_failure_is_of_its_own_attempt(evolution: World) -> None:
    """A row that is sent again does not fail by what the first message failed by: its id says which attempt it was."""
    evolution.accept(0, "3EB00", meets=True)
    evolution.tell(by_id(0, FAILED, code="ERROR", retryable=True))
    row = claimed(evolution.row(), "B0", 7, 2, later(60))
    RowItem.of(row).save()

    evolution.tell(by_id(0, FAILED, 70, code="ERROR", retryable=True))

    assert evolution.row().status is RowStatus.SENDING


def test_who_wants_no_marketing_is_suppressed_even_if_the_message_was_delivered(meta: World) -> None:
    """131050: whatever else is known of the message that says so."""
    meta.tell(by_callback(meta, 0, DELIVERED))

    meta.tell(by_callback(meta, 0, FAILED, 5, code="131050"))

    row = meta.row()
    contact = meta.store.contacts(OWNER, [row.contact])[row.contact]
    assert (contact.suppressed_at, contact.suppressed_why) == (later(5), "provider:131050")
    assert row.status is RowStatus.DELIVERED


def test_a_number_in_trouble_is_blocked_once(meta: World, caplog: pytest.LogCaptureFixture) -> None:
    """131048: its campaigns wait, and an operator sees one line; neither a copy nor another message adds to a block."""
    for number in (0, 0, 1):
        meta.tell(by_callback(meta, number, FAILED, code="131048"))

    lines = [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]
    assert lines == ["An instance is blocked"]
    instance = meta.store.instance(INSTANCE)
    assert instance
    assert (instance.v, instance.trouble.blocks) == (1, 1)
    assert instance.trouble.is_blocked(NOW)


# Inbound


def wrote(text: str, seconds: float = 0, phone: str = "5511900000000") -> InboundEvent:
    return InboundEvent(phone, text, later(seconds), f"wamid.in.{seconds}")


def suppressed(world: World, phone: str = "5511900000000") -> bool:
    key = f"of-{phone}"
    return world.store.contacts(OWNER, [key])[key].suppressed_at is not None


@pytest.mark.parametrize(
    ("text", "stops"), [("  Sair! ", True), ("STOP.", True), ("pare", True), ("stop, o Zé não vem", False)]
)
def test_a_word_suppresses_if_it_is_the_whole_message(meta: World, text: str, stops: bool) -> None:
    """capo-v1#182."""
    meta.tell(wrote(text))

    assert suppressed(meta) is stops


def test_the_later_wish_wins_by_the_providers_time(meta: World) -> None:
    """capo-v1#182: START lifts; an older STOP that comes after it does not suppress again."""
    meta.tell(wrote("stop", 1))
    meta.tell(wrote("start", 3))
    assert not suppressed(meta)

    meta.tell(wrote("stop", 2))
    assert not suppressed(meta)

    meta.tell(wrote("stop", 4))
    assert suppressed(meta)


@pytest.mark.parametrize("words", [("stop", "start"), ("start", "stop"), ("start", "stop", "start")])
def test_of_two_wishes_in_one_second_the_stop_stands_also_across_batches(meta: World, words: tuple[str, ...]) -> None:
    for word in words:
        meta.tell(wrote(word, 1))

    assert suppressed(meta)


def test_an_inbound_message_among_two_hundred_statuses_is_heard(aws: Account) -> None:
    """botpress#15083: one body of 200 statuses and a SAIR; a status that fails does not hold it up."""
    world = World(aws, ProviderName.META, 200)
    told: list[Event] = [by_callback(world, number, DELIVERED) for number in range(200)]
    told.insert(100, wrote("SAIR", 1))

    letters = world.letters(*told)
    assert world.applier.take(letters) == []

    assert len(letters) == 3
    assert suppressed(world)
    assert world.counted().delivered == 200


def test_a_person_is_suppressed_though_no_row_can_be_written(meta: World) -> None:
    """botpress#15083."""

    def broken(operation: str, arguments: dict[str, Any]) -> None:
        if "WorldBroadcastsTable" in str(arguments) and operation == "TransactWriteItems":
            raise refusal(operation, "ValidationException", "no")

    letters = meta.letters(by_callback(meta, 0, READ), wrote("SAIR"))
    with meta.before_each_call(broken):
        assert meta.applier.take(letters) == [letters[0].id]

    assert suppressed(meta)


def test_a_person_is_suppressed_though_no_campaign_can_be_read(meta: World) -> None:
    """botpress#15083."""

    def busy(operation: str, arguments: dict[str, Any]) -> None:
        if operation == "BatchGetItem" and CAMPAIGN in str(arguments):
            raise refusal(operation, "ThrottlingException")

    letters = meta.letters(by_callback(meta, 0, READ), wrote("SAIR"))
    with meta.before_each_call(busy):
        assert meta.applier.take(letters) == [letters[0].id]

    assert suppressed(meta)


def test_of_what_a_person_writes_nothing_is_kept_but_when(meta: World) -> None:
    """The phone stands in the list of the suppressed, and nowhere else."""
    meta.tell(wrote("My address is 7 Elm Street", 5))
    meta.tell(wrote("Older", 1))

    key = "of-5511900000000"
    assert meta.store.contacts(OWNER, [key])[key].last_inbound_at == later(5)
    contacts = [
        item for id_and_part, item in meta.dynamo.tables["WorldMessagesTable"].items.items() if key in id_and_part[0]
    ]
    assert [sorted(item) for item in contacts] == [["id", "last_inbound_at", "part"]]
    assert not list(SuppressedItem.query(f"suppressed#{OWNER}"))


def test_when_a_person_wrote_is_no_part_of_what_a_claim_depends_on(meta: World) -> None:
    """[B20] has the contact's `v`, and a chatty person must not make claims fail."""
    meta.tell(wrote("oi"))

    assert meta.store.contacts(OWNER, ["of-5511900000000"])["of-5511900000000"].v == 0


def test_a_bad_contact_holds_up_no_other(meta: World) -> None:
    ContactItem(*ContactItem.key(OWNER, "of-5511900000000"), v=1).save()
    raw = meta.dynamo.tables["WorldMessagesTable"].items
    next(item for key, item in raw.items() if key[0].startswith("contact#"))["changed_at"] = {"S": "never"}
    letters = [*meta.letters(wrote("stop")), *meta.letters(wrote("stop", 1, "5511900000001"))]

    meta.applier.take(letters)

    assert suppressed(meta, "5511900000001")


def test_an_instance_is_read_as_it_is_when_it_is_blocked(meta: World) -> None:
    """[B21]: under its `v`; a claim of the chain between read and write is not forgotten."""
    pending = [1]

    def claim(operation: str, arguments: dict[str, Any]) -> None:
        if operation == "TransactWriteItems" and pending:
            pending.pop()
            InstanceItem(INSTANCE, PART).update(actions=[InstanceItem.v.set(5), InstanceItem.tat.set(later(99))])

    with meta.before_each_call(claim):
        meta.tell(by_callback(meta, 0, FAILED, code="131048"))

    instance = meta.store.instance(INSTANCE)
    assert instance
    assert (instance.v, instance.tat, instance.trouble.blocks) == (6, later(99), 1)
