"""What a step may send: how many, and which rows (design sections 5.3 to 5.5)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts import agenda, campaign, choosing
from broadcasts.breaker import Base, Trouble
from broadcasts.campaign import Broadcast, BroadcastStatus, Flagged, PauseReason, TemplateText, Terms, Text, Waiting
from broadcasts.choosing import Choice, Halt, Pricing, Room, Wait, claim_change, probed, room, taking
from broadcasts.contact import Contact, Sent
from broadcasts.gate import Cap
from broadcasts.instance import Instance, ProviderName
from broadcasts.lanes import Lane
from broadcasts.owners import Owner
from broadcasts.row import Counts, Failure, Row, RowKey, Work, claimed, failed

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
ZONES = ("UTC",)
OWNER = Owner(owner="ada")
INSTANCE = Instance(
    id="ins_1",
    owner="ada",
    name="Shop",
    provider=ProviderName.META,
    address="1",
    created_at=NOW,
    updated_at=NOW,
    rate_limit=4800,
    price_per_message=10,
)
TEXT = Text(1, "Hello {{name}}")


def a_broadcast(**changes: object) -> Broadcast:
    terms = Terms(name="Winter", instance_id="ins_1", rate_limit=4800)
    made = campaign.create("brd_1", "ada", terms, TEXT, "USD", NOW).after
    values = {"status": BroadcastStatus.RUNNING, "accepted": 100, "laid": 100, "max_steps": 100}
    return replace(made, lanes=(Lane(0, ZONES, 100),), **values | changes)  # type: ignore[arg-type]


def a_row(number: int, **changes: object) -> Row:
    values = {"campaign_id": "brd_1", "phone": "5511", "contact": f"c{number}", "line": 1, "variables": {"name": "Ana"}}
    return Row(key=RowKey(1, 0, number), **values | changes)  # type: ignore[arg-type]


def a_choice(most: int = 45, room: Room = Room(45), **changes: object) -> Choice:  # noqa: B008
    values = {"campaign": a_broadcast(), "text": TEXT, "owner": OWNER}
    pricing = Pricing(INSTANCE, None, lambda _: "BR", NOW)
    return Choice(room=room, pricing=pricing, now=NOW, new_attempt=lambda: "att_1", most=most, **values | changes)  # type: ignore[arg-type]


def offer(choice: Choice, row: Row, contact: Contact | None = None, *, is_due: bool = False) -> bool:
    due = agenda.retry(row.key, NOW) if is_due else None
    return choice.offer(row, contact or Contact(owner="ada", key=row.contact), ZONES, due)


@given(st.lists(st.tuples(st.sampled_from(["open", "suppressed", "missing", "capped", "sent"]), st.booleans())))
def test_a_claim_is_never_more_than_a_transaction_takes_and_touches_no_item_twice(
    kinds: list[tuple[str, bool]],
) -> None:
    choice = a_choice(owner=replace(OWNER, cap=Cap(1, 2), daily_limit=1000))
    for number, (kind, is_due) in enumerate(kinds * 3):
        row = a_row(number, variables={} if kind == "missing" else {"name": "Ana"})
        contact = Contact(owner="ada", key=row.contact, v=1)
        if kind == "suppressed":
            contact = replace(contact, suppressed_at=NOW)
        if kind == "capped":
            contact = replace(contact, sends=(Sent(NOW - timedelta(hours=1), "brd_0/g1/r0/1"),))
        due = agenda.retry(row.key, NOW) if is_due else None
        if kind == "sent":
            choice.pass_by(row, due)
        elif not choice.offer(row, contact, ZONES, due):
            break
    if not choice.claims:
        return

    change = claim_change(choice, INSTANCE, taking(choice.campaign, INSTANCE, 45, NOW), (), "2026-11-27", Counts())

    parts = {each.part for each in change.put}
    kept = [each for each in change.dropped if each.part not in parts]
    actions = len(change.moved) + len(change.contacts) + len(parts) + len(kept) + 4
    assert actions <= 99
    assert len({each.after.key for each in change.moved}) == len(change.moved)
    assert len({each.key for each, _ in change.contacts}) == len(change.contacts)
    assert all(each.after.work is not Work.PENDING for each in change.moved)


def test_one_person_is_claimed_once_in_a_step() -> None:
    choice = a_choice()

    assert offer(choice, a_row(0))
    assert not offer(choice, a_row(1, contact="c0"))
    assert not choice.is_eligible(a_row(0)), "a row of the agenda may be in its lane, too"


def test_a_claim_of_a_row_replaces_its_own_send_of_the_contact() -> None:
    choice = a_choice(owner=replace(OWNER, cap=Cap(1, 2)))
    contact = Contact(owner="ada", key="c0", v=3, sends=(Sent(NOW - timedelta(minutes=5), "brd_1/g1/r0/0"),))

    assert offer(choice, a_row(0), contact, is_due=True)

    assert choice.contacts["c0"][1].sends == (Sent(NOW, "brd_1/g1/r0/0"),)
    assert choice.contacts["c0"][1].v == 4
    assert choice.dropped == [agenda.retry(RowKey(1, 0, 0), NOW)]


def test_who_is_capped_is_put_off_by_an_entry_of_the_agenda() -> None:
    choice = a_choice(owner=replace(OWNER, cap=Cap(1, 2)))
    contact = Contact(owner="ada", key="c0", sends=(Sent(NOW - timedelta(hours=1), "brd_0/g1/r0/1"),))

    assert offer(choice, a_row(0), contact)

    assert choice.put == [agenda.retry(RowKey(1, 0, 0), NOW + timedelta(hours=1))]
    assert not choice.claims


def test_a_budget_stops_at_the_row_that_it_does_not_pay() -> None:
    choice = a_choice(room=Room(45, 25))

    assert [offer(choice, a_row(number)) for number in range(3)] == [True, True, False]
    assert choice.is_out_of_budget
    assert choice.price == 20


def test_a_template_without_a_value_fails_the_row_before_any_call() -> None:
    text = Text(1, "Hello", TemplateText("winter", "pt_BR", "marketing", (), ("code",)))
    choice = a_choice(text=text)

    assert offer(choice, a_row(0))

    assert [each.after.error and each.after.error.code for each in choice.moved] == ["variable_missing"]
    assert not choice.claims


def test_a_pass_leaves_alone_what_it_has_claimed_already() -> None:
    choice = a_choice(campaign=a_broadcast(pass_number=2))
    before = failed(claimed(a_row(0), "att_1", 1, 1, NOW), Failure("1", "Later", is_retryable=True), NOW)

    assert choice.is_eligible(before)
    assert not choice.is_eligible(claimed(before, "att_2", 1, 2, NOW))


# Room


def rooms(total: Counts = Counts(pending=50), **changes: object) -> Room | Wait | Halt:  # noqa: B008
    instance = changes.pop("instance", INSTANCE)
    owner = changes.pop("owner", OWNER)
    used = changes.pop("used", 0)
    return room(a_broadcast(**changes), total, instance, owner, used, NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (rooms(), Room(45)),
        (rooms(owner=replace(OWNER, daily_limit=100), used=93), Room(7)),
        (rooms(probing=Base()), Room(1)),
        (rooms(budget=500), Room(45, 500)),
        (rooms(Counts(pending=1, spent=300, reserved=150), budget=500), Room(45, 50)),
        (rooms(Counts(pending=1, spent=300, reserved=200), budget=500), Halt(PauseReason.BUDGET)),
        (rooms(Counts(sent=1, spent=500), budget=500), Room(45, 0)),
        (rooms(claims_done=100), Halt(PauseReason.MAX_STEPS)),
        (rooms(Counts(pending=9, failed_final=10, sent=10)), Halt(PauseReason.ERROR_RATE)),
        (rooms(Counts(pending=9, failed_final=9, sent=10)), Room(45)),
        (rooms(Counts(sending=801)), Wait(Waiting.PROVIDER)),
        (rooms(Counts(sending=800)), Room(45)),
        (
            rooms(owner=replace(OWNER, daily_limit=100, time_zone="America/Sao_Paulo"), used=100),
            Wait(Waiting.QUOTA, datetime(2026, 11, 28, 3, tzinfo=UTC)),
        ),
    ],
)
def test_a_step_sends_what_every_limit_allows(found: object, expected: object) -> None:
    assert found == expected


def test_a_blocked_instance_is_waited_for_and_a_probe_is_looked_for_again_soon() -> None:
    blocked = Trouble(blocked_until=NOW + timedelta(seconds=30), is_careful=True)
    probing = Trouble(is_careful=True, probe="claim", probe_until=NOW + timedelta(seconds=75))

    assert rooms(instance=replace(INSTANCE, trouble=blocked)) == Wait(Waiting.INSTANCE, NOW + timedelta(seconds=30))
    assert rooms(instance=replace(INSTANCE, trouble=probing)) == Wait(Waiting.INSTANCE)
    assert rooms(instance=replace(INSTANCE, trouble=Trouble(is_careful=True))) == Room(1)


def test_a_breaker_closes_after_five_that_were_sent_and_begins_again_at_one_that_was_not() -> None:
    assert probed(Base(3, 5), Base(3, 9)) == Base(3, 5)
    assert probed(Base(3, 5), Base(3, 10)) is None
    assert probed(Base(3, 5), Base(4, 9)) == Base(4, 9)
    assert probed(None, Base(9, 9)) is None


def test_each_alert_is_given_once_and_the_lower_one_first() -> None:
    """S5-58."""

    def alert(used: int, *, warned: bool = False, reached: bool = False, spent: int = 0) -> Flagged | str | None:
        flags = {"warned": warned, "reached": reached}
        owner = replace(OWNER, daily_limit=10)
        found = a_broadcast(budget=100, budget_warned=warned)
        return choosing.alert(found, Counts(spent=spent), owner, "2026-11-27", used, flags)

    assert alert(7) is None
    assert alert(10) == Flagged("ada", "2026-11-27", "warned")
    assert alert(10, warned=True) == Flagged("ada", "2026-11-27", "reached")
    assert alert(10, warned=True, reached=True, spent=99) is None
    assert alert(0, spent=80) == "budget_warned"
    assert alert(0, spent=100, warned=True) == "budget_reached"
