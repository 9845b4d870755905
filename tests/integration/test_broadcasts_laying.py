"""The list of a campaign: laid down, replaced, removed; and starts that come late (amendments 2 and 3, section 4)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from broadcasts import agenda, campaign
from broadcasts.campaign import BroadcastStatus, PauseReason, Waiting
from broadcasts.items import ContactItem, DueItem
from broadcasts.row import RowKey, RowStatus
from sluice.platform import PlatformStatus
from tests.account import Account
from tests.factories import NOON
from tests.sending_world import AnswerLost, World, a_world, phone_of

_S = BroadcastStatus


@pytest.fixture
def world(aws: Account) -> Iterator[World]:
    with a_world(aws) as made:
        yield made


def _row_items(world: World, brd: str) -> int:
    return len(world.items("MessagesTable", f"{brd}#"))


def test_all_rows_count_from_the_moment_that_the_list_is_accepted(world: World) -> None:
    brd = world.a_broadcast(130)

    assert world.counts(brd).total == world.counts(brd).pending == 130
    assert world.get(brd).shown is _S.DRAFT

    world.run()

    assert world.counts(brd).pending == len(world.rows(brd)) == 130
    assert world.get(brd).status is _S.DRAFT
    assert world.get(brd).is_laid


def test_a_campaign_that_is_started_at_once_lays_its_list_and_then_sends(world: World) -> None:
    brd = world.a_broadcast(45)
    world.start(brd)
    world.deliver()
    world.deliver()

    assert world.get(brd).waiting_for is Waiting.IMPORT
    assert not world.provider().sent

    world.run()

    assert world.get(brd).status is _S.COMPLETED
    assert world.counts(brd).sent == 45
    world.check_at_rest(brd)


@pytest.mark.parametrize("fault", ["before", "after", "lost", "unreachable"])
def test_a_crash_while_a_list_is_laid_loses_no_row_and_repeats_none(aws: Account, fault: str) -> None:
    for site in range(1, 40):
        aws.forget()
        with a_world(aws) as world:
            brd = world.a_broadcast(25)
            world.faults = {site: fault}
            world.run()

            assert len(world.rows(brd)) == world.counts(brd).pending == 25
            assert world.get(brd).status is _S.DRAFT
            if world.faults:
                break


def test_a_list_replaces_the_one_before_which_is_removed(world: World) -> None:
    brd = world.a_broadcast(200)
    world.run()

    world.give(brd, 30, first=1000)
    world.run()
    world.start(brd)
    world.run()

    assert world.get(brd).generation == 2
    assert _row_items(world, brd) == len(world.rows(brd)) == 30
    assert {phone for _, phone in world.provider().sent} == {phone_of(1000 + each) for each in range(30)}
    world.check_at_rest(brd)


def test_a_list_that_was_laid_in_part_is_removed_too(world: World) -> None:
    brd = world.a_broadcast(20)
    assert world.store.lay(world.get(brd), world.lists[world.get(brd).source or ""][:10])
    assert _row_items(world, brd) == 10

    world.give(brd, 5)
    world.run()

    assert _row_items(world, brd) == 5
    assert world.counts(brd).pending == 5


def test_a_worker_that_slept_lays_no_pending_row_over_a_sent_one(world: World) -> None:
    brd = world.a_broadcast(2)
    asleep = world.get(brd)
    rows = world.lists[asleep.source or ""]
    world.start(brd)
    world.run()

    assert not world.store.lay(asleep, rows)
    assert not world.store.lay(world.get(brd), rows)
    assert [each.status for each in world.rows(brd)] == [RowStatus.SENT] * 2


def test_a_deletion_removes_every_row_and_what_lies_beside_the_campaign(world: World) -> None:
    """S5-16."""
    brd = world.a_broadcast(230, rate_limit=60)
    world.an_instance(rate_limit=4800)
    world.run()
    world.start(brd)
    world.run_for(seconds=5)
    world.cancel(brd)
    world.run()

    world.delete(brd)
    world.run()

    assert world.get(brd).status is _S.DELETED
    assert world.get(brd).listed is None
    assert _row_items(world, brd) == 0
    assert [each["part"] for each in world.items("BroadcastsTable", brd)] == ["campaign"]
    assert list(ContactItem.scan(ContactItem.id.startswith("contact#"))), "contacts stay"


def test_a_long_agenda_is_deleted_step_by_step(world: World) -> None:
    brd = world.a_broadcast(1)
    world.run()
    world.start(brd)
    world.cancel(brd)
    world.run()
    for number in range(1_100):
        DueItem.of(brd, agenda.retry(RowKey(1, 0, number), NOON)).save()
    world.delete(brd)

    fewest = 10**9
    while world.deliver():
        left = len(world.items("BroadcastsTable", brd))
        assert fewest - left <= 500 or fewest == 10**9
        fewest = left

    assert world.get(brd).status is _S.DELETED
    assert fewest == 1


def test_a_deletion_in_the_middle_of_an_import_removes_what_was_laid(world: World) -> None:
    brd = world.a_broadcast(90)
    world.deliver()
    world.deliver()
    assert 0 < _row_items(world, brd) < 90

    world.delete(brd)
    world.run()

    assert _row_items(world, brd) == 0


def test_a_campaign_starts_at_its_time(world: World) -> None:
    brd = world.a_broadcast(2, scheduled_for=NOON + timedelta(hours=2))
    world.run_for(minutes=10)

    assert world.get(brd).status is _S.SCHEDULED

    world.run()

    assert world.provider().sent[0][0] == NOON + timedelta(hours=2)
    assert world.get(brd).status is _S.COMPLETED


def test_a_start_that_comes_hours_late_is_put_before_a_person(world: World) -> None:
    brd = world.a_broadcast(2, scheduled_for=NOON + timedelta(hours=2))
    world.run_for(minutes=10)
    world.queue.clear()
    world.clock.time = NOON + timedelta(hours=8, seconds=1)
    world.wake(brd, world.get(brd).step, world.now)
    world.run()

    assert world.get(brd).status is _S.PAUSED
    assert world.get(brd).pause_reason is PauseReason.MISSED_START
    assert not world.provider().sent

    world.start(brd)
    world.run()

    assert world.get(brd).status is _S.COMPLETED


def test_a_step_that_comes_hours_late_pauses_the_campaign_and_settles_it(world: World) -> None:
    brd = world.a_broadcast(5)
    world.provider().scripts[phone_of(1)] = [AnswerLost()]
    world.start(brd)
    world.run_for(seconds=3)
    sent = len(world.provider().sent)
    world.queue.clear()
    world.clock.time += timedelta(hours=7)
    world.wake(brd, world.get(brd).step, world.now)
    world.run()

    assert world.get(brd).status is _S.PAUSED
    assert world.get(brd).pause_reason is PauseReason.GAP
    assert len(world.provider().sent) == sent
    assert world.row(brd, 1).status is RowStatus.SENT
    world.check_at_rest(brd)


def test_a_stop_is_no_lateness_of_a_scheduled_campaign(world: World) -> None:
    brd = world.a_broadcast(2, scheduled_for=NOON + timedelta(hours=2))
    world.run_for(minutes=10)
    world.set_platform(PlatformStatus.STOPPED)
    world.run_for(hours=12)
    world.set_platform(PlatformStatus.OPEN)
    world.run()

    assert world.get(brd).status is _S.COMPLETED


def test_a_campaign_that_settles_for_hours_of_a_stop_is_no_gap(world: World) -> None:
    brd = world.a_broadcast(3)
    world.provider().scripts[phone_of(0)] = [AnswerLost()]
    world.start(brd)
    world.run_for(seconds=1)
    world.set_platform(PlatformStatus.STOPPED)
    world.queue.clear()
    world.clock.time += timedelta(hours=7)
    world.wake(brd, world.get(brd).step, world.now)
    world.run_for(minutes=5)

    assert world.get(brd).status is _S.RUNNING
    assert world.counts(brd).in_flight == 0

    world.set_platform(PlatformStatus.OPEN)
    world.run()

    assert world.get(brd).status is _S.COMPLETED


def test_an_idle_campaign_makes_no_more_steps_than_its_waits_need(world: World) -> None:
    brd = world.a_broadcast(1)
    world.provider().can_be_asked = world.provider().absence_is_proof = False
    world.provider().scripts[phone_of(0)] = [AnswerLost()]
    world.start(brd)
    world.run()

    assert len(world.deliveries) < 30
    assert world.get(brd).claims_done == 1


def test_the_active_time_stands_still_while_nothing_may_be_sent(world: World) -> None:
    """S5-38."""
    brd = world.a_broadcast(10)
    world.start(brd)
    world.run_for(seconds=4)
    world.pause(brd)
    world.run_for(hours=1)
    world.resume(brd)
    world.run()

    found = world.get(brd)
    assert found.active_at(world.now) == found.active_seconds <= 15
    rate = campaign.current_rate(found, world.counts(brd), world.now)
    assert rate is not None
    assert rate >= 40
