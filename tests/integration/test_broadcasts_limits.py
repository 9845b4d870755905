"""What holds a campaign back: quotas, budgets, windows, caps, breakers, another campaign (design sections 8 to 10)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from broadcasts.campaign import BroadcastStatus, PauseReason, Waiting
from broadcasts.contact import Contact
from broadcasts.gate import Cap
from broadcasts.items import ContactItem
from broadcasts.ports import Refused, Scope, Throttled
from broadcasts.row import RowStatus, Work
from broadcasts.windows import Window, Windows
from tests.account import Account
from tests.factories import NOON
from tests.sending_world import AnswerLost, Vanished, World, a_world, phone_of

_S = BroadcastStatus
_FINAL = Refused(Scope.RECIPIENT, True, "131026", "No")


@pytest.fixture
def world(aws: Account) -> Iterator[World]:
    with a_world(aws) as made:
        yield made


def _used(world: World, day: str = "2026-11-20") -> int:
    return world.store.quota("ada", day).used


def test_the_owners_day_ends_and_the_rest_goes_out_on_the_next_one(world: World) -> None:
    """S5-55, S5-58."""
    world.an_owner(daily_limit=4, time_zone="America/Sao_Paulo")
    brd = world.a_broadcast(6)
    world.start(brd)
    world.run_for(minutes=1)

    assert len(world.provider().sent) == 4
    assert world.get(brd).waiting_for is Waiting.QUOTA
    assert world.get(brd).wake_at == datetime(2026, 11, 21, 3, tzinfo=UTC)
    assert len(world.events("quota:warning")) == len(world.events("quota:reached")) == 1
    active = world.get(brd).active_at(world.now)

    world.run()

    assert len(world.provider().sent) == 6
    assert world.get(brd).status is _S.COMPLETED
    assert world.get(brd).active_seconds < active + 10
    assert (_used(world), _used(world, "2026-11-21")) == (4, 2)
    world.check_at_rest(brd)


def test_what_was_certainly_not_accepted_is_given_back_to_the_day(world: World) -> None:
    world.an_owner(daily_limit=10)
    brd = world.a_broadcast(4)
    world.provider().scripts[phone_of(0)] = [_FINAL]
    world.provider().scripts[phone_of(1)] = [Throttled(2.0)]
    world.provider().scripts[phone_of(2)] = [Vanished()]

    world.start(brd)
    world.run()

    assert [each.status for each in world.rows(brd)] == [RowStatus.FAILED, *[RowStatus.SENT] * 3]
    assert _used(world) == 3


def test_what_a_look_gives_back_is_of_the_day_of_the_claim_in_whatever_zone_that_was(world: World) -> None:
    world.an_owner(daily_limit=10)
    brd = world.a_broadcast(1)
    world.provider().scripts[phone_of(0)] = [Vanished()]
    world.start(brd)
    world.run_for(seconds=2)

    world.an_owner(daily_limit=10, time_zone="Pacific/Kiritimati")
    world.run()

    assert world.get(brd).status is _S.COMPLETED
    assert (_used(world), _used(world, "2026-11-21")) == (0, 1)


def test_an_instance_sends_no_more_than_its_limit_in_any_24_hours(world: World) -> None:
    """S5-56."""
    world.an_instance(daily_limit=3)
    brd = world.a_broadcast(5)

    world.start(brd)
    world.run()

    times = [at for at, _ in world.provider().sent]
    assert world.get(brd).status is _S.COMPLETED
    assert times[3] - times[0] >= timedelta(hours=24)


def test_a_budget_is_never_exceeded_and_pauses_the_campaign(world: World) -> None:
    """S5-57."""
    world.an_instance(price_per_message=30)
    brd = world.a_broadcast(5, budget=100)

    world.start(brd)
    world.run()

    assert len(world.provider().sent) == 3
    assert world.get(brd).status is _S.PAUSED
    assert world.get(brd).pause_reason is PauseReason.BUDGET
    assert world.counts(brd).spent == 90
    assert len(world.events("budget:warning")) == 1
    world.check_at_rest(brd)


def test_a_budget_holds_while_answers_are_missing(world: World) -> None:
    world.an_instance(price_per_message=50)
    world.provider().can_be_asked = False
    brd = world.a_broadcast(3, budget=100)
    world.provider().scripts[phone_of(0)] = [Vanished()]

    world.start(brd)
    world.run()

    assert len(world.provider().sent) == 2
    assert (world.counts(brd).reserved, world.counts(brd).spent) == (50, 50)
    assert len(world.events("budget:reached")) == 1


def test_a_budget_holds_for_those_who_may_get_it_twice(world: World) -> None:
    """S5-57."""
    world.an_instance(price_per_message=100)
    world.provider().can_be_asked = world.provider().absence_is_proof = False
    brd = world.a_broadcast(2, budget=300)
    for number in range(2):
        world.provider().scripts[phone_of(number)] = [AnswerLost()]
    world.start(brd)
    world.run()

    world.retry(brd, include_unknown=True)
    world.run()

    assert len(world.provider().accepted) * 100 == 300
    assert world.get(brd).pause_reason is PauseReason.BUDGET
    total = world.counts(brd)
    assert (total.spent, total.reserved) == (100, 200)


def test_nothing_is_sent_while_the_window_of_a_lane_is_closed(world: World) -> None:
    windows = Windows((Window((0, 1, 2, 3, 4, 5, 6), 9 * 60, 12 * 60),))
    brd = world.a_broadcast(4, windows=windows, zones=(("UTC",), ("America/Sao_Paulo",)))

    world.start(brd)
    world.run()

    sent = {phone: at for at, phone in world.provider().sent}
    assert [sent[phone_of(number)].hour for number in (1, 3)] == [12, 12], "09:00 in Sao Paulo"
    assert [sent[phone_of(number)] >= NOON + timedelta(hours=21) for number in (0, 2)] == [True, True]
    assert world.get(brd).status is _S.COMPLETED
    assert world.get(brd).active_seconds < 60
    assert len(world.deliveries) < 30
    world.check_at_rest(brd)


def test_rows_whose_windows_never_open_are_skipped_and_the_campaign_ends(world: World) -> None:
    """The window is never open in Sao Paulo and in Tokyo at once."""
    nine = Windows((Window(tuple(range(7)), 9 * 60, 10 * 60),))
    brd = world.a_broadcast(60, zones=(("America/Sao_Paulo", "Asia/Tokyo"), ("UTC",)), windows=nine)
    world.start(brd)

    world.run()

    assert [each.status for each in world.rows(brd)] == [RowStatus.SKIPPED] * 30 + [RowStatus.SENT] * 30
    assert {each.error.code for each in world.rows(brd) if each.error} == {"window"}
    assert world.get(brd).status is _S.COMPLETED
    world.check_at_rest(brd)


def test_a_retry_whose_window_has_closed_waits_for_the_next(world: World) -> None:
    windows = Windows((Window((0, 1, 2, 3, 4, 5, 6), 11 * 60, 12 * 60 + 1),))
    brd = world.a_broadcast(2, windows=windows)
    world.provider().scripts[phone_of(0)] = [Throttled(300.0)]

    world.start(brd)
    world.run()

    assert world.row(brd).status is RowStatus.SENT
    assert world.provider().sent[-1][0] >= NOON + timedelta(hours=23)
    assert len(world.deliveries) < 40
    world.check_at_rest(brd)


def test_a_person_gets_no_more_than_the_cap_of_all_campaigns(world: World) -> None:
    world.an_owner(cap=Cap(1, 2))
    first, second = world.a_broadcast(2), world.a_broadcast(3)
    world.start(first)
    world.run()

    world.start(second)
    world.run()

    times = {phone: [at for at, to in world.provider().sent if to == phone] for phone in map(phone_of, range(3))}
    assert [len(each) for each in times.values()] == [2, 2, 1]
    assert all(each[-1] - each[0] >= timedelta(hours=2) for each in times.values() if len(each) > 1)
    assert world.get(second).status is _S.COMPLETED
    world.check_at_rest(second)


def test_a_person_of_a_cap_that_opens_after_a_day_is_skipped(world: World) -> None:
    world.an_owner(cap=Cap(1, 48))
    first, second = world.a_broadcast(1), world.a_broadcast(1)
    world.start(first)
    world.run()

    world.start(second)
    world.run()

    assert world.row(second).status is RowStatus.SKIPPED
    assert world.get(second).status is _S.COMPLETED


def test_who_is_suppressed_is_skipped_and_many_of_them_cost_no_slot(world: World) -> None:
    brd = world.a_broadcast(50)
    for number in range(49):
        item = ContactItem(*ContactItem.key("ada", f"c{phone_of(number)}"), v=1)
        item.suppressed_at = NOON
        item.save()
    world.run()
    laid = world.get(brd).step

    world.start(brd)
    world.run()

    assert [each.status for each in world.rows(brd)] == [*[RowStatus.SKIPPED] * 49, RowStatus.SENT]
    assert world.get(brd).step - laid < 10
    assert world.now - NOON < timedelta(seconds=30)
    world.check_at_rest(brd)


def test_an_opt_out_before_the_claim_is_committed_holds(world: World) -> None:
    brd = world.a_broadcast(1)
    world.run()
    world.start(brd)

    def opts_out() -> None:
        item = ContactItem(*ContactItem.key("ada", f"c{phone_of(0)}"), v=1)
        item.suppressed_at = NOON
        item.save()

    place = world.store.contacts

    def contacts(owner: str, keys: list[str]) -> dict[str, Contact]:
        found = place(owner, keys)
        if found and "contacts" in world.store.__dict__:
            del world.store.__dict__["contacts"]
            opts_out()
        return found

    world.store.__dict__["contacts"] = contacts
    world.run()

    assert world.row(brd).status is RowStatus.SKIPPED
    assert not world.provider().sent


def test_a_campaign_whose_rows_fail_pauses_and_begins_again_with_one_at_a_time(world: World) -> None:
    """S5-20 in spirit: the breaker, section 10."""
    world.an_instance(rate_limit=4800)
    brd = world.a_broadcast(300, rate_limit=600)
    for number in range(40):
        world.provider().scripts[phone_of(number)] = [_FINAL]

    world.start(brd)
    world.run()

    assert world.get(brd).status is _S.PAUSED
    assert world.get(brd).pause_reason is PauseReason.ERROR_RATE
    assert 20 <= world.counts(brd).failed <= 40
    assert "131026" in str(world.events("BroadcastPausing"))

    world.provider().scripts.clear()
    world.resume(brd)
    sent = len(world.provider().sent)
    world.deliver()
    assert len(world.provider().sent) == sent + 1
    world.run()

    assert world.get(brd).status is _S.COMPLETED
    assert world.get(brd).probing is None
    world.check_at_rest(brd)


def test_two_campaigns_share_a_number_and_its_rate_holds(world: World) -> None:
    """S5-56: the pace is the instance's."""
    world.an_instance(rate_limit=60)
    first, second = world.a_broadcast(20), world.a_broadcast(20, first=100)

    world.start(first)
    world.start(second)
    world.run()

    times = [at for at, _ in world.provider().sent]
    assert len(times) == 40
    for begin in times:
        within = [at for at in times if begin <= at < begin + timedelta(seconds=10)]
        assert len(within) <= 10 + 5 + 1
    half = [phone for _, phone in world.provider().sent[:20]]
    assert 7 <= sum(phone >= phone_of(100) for phone in half) <= 13
    assert world.now - NOON < timedelta(seconds=75)


def test_a_step_of_45_fits_its_transaction_with_skips_and_retries(world: World) -> None:
    world.an_owner(daily_limit=10_000)
    world.an_instance(rate_limit=4800, price_per_message=1)
    brd = world.a_broadcast(150, rate_limit=4800, budget=10_000)
    for number in range(0, 150, 3):
        world.provider().scripts[phone_of(number)] = [Throttled(1.0)]
    for number in range(1, 150, 7):
        item = ContactItem(*ContactItem.key("ada", f"c{phone_of(number)}"), v=1)
        item.suppressed_at = NOON
        item.save()

    world.start(brd)
    world.run()

    assert world.get(brd).status is _S.COMPLETED
    assert world.counts(brd).sent + world.counts(brd).skipped == 150
    assert _used(world) == world.counts(brd).sent
    assert world.counts(brd).spent == world.counts(brd).sent
    world.check_at_rest(brd)


def test_a_campaign_that_claims_without_end_pauses_and_never_fails(world: World) -> None:
    brd = world.a_broadcast(1, max_retries=0)
    world.provider().scripts[phone_of(0)] = [Throttled(1.0)] * 2000

    world.start(brd)
    world.run(most=20_000)

    assert world.get(brd).status is _S.PAUSED
    assert world.get(brd).pause_reason is PauseReason.MAX_STEPS
    assert world.row(brd).work is Work.PENDING
    world.check_at_rest(brd)
