"""What the sweep of the views found, kept by name: each is one of its runs."""

from datetime import timedelta

import pytest

from tests.faults.cache import REDIS
from tests.faults.faults import Delivery, Fault, Injection
from tests.faults.sweep import Flow, Run, Sweep
from tests.faults.views import EVENING, FLOWS, SYNC, begun, of
from tests.faults.world import Request

pytestmark = pytest.mark.parametrize("sweep", ["views"], indirect=True)


def flow(name: str) -> Flow:
    return next(each for each in FLOWS if each.name == name)


def with_each(sweep: Sweep, name: str, function: str, operation: str, fault: Fault, how: Delivery) -> list[Run]:
    """A flow with this fault at each of a function's calls of one kind."""
    sites = [
        each for each in sweep.faultless(flow(name)).sites if (each.function, each.operation) == (function, operation)
    ]
    assert sites
    return [sweep.run(flow(name), Injection(each.number, fault, how)) for each in sites]


def test_a_step_of_the_sync_that_the_sdk_commits_twice_is_followed_by_the_next(sweep: Sweep) -> None:
    runs = with_each(sweep, "syncs by hand", "ViewsSyncWorkerFunction", "UpdateItem", Fault.SENT_TWICE, Delivery.AGAIN)

    assert [run for run in runs if run.problem] == []


def test_an_epoch_whose_opening_the_sdk_commits_twice_has_its_first_message(sweep: Sweep) -> None:
    runs = with_each(sweep, "syncs by hand", "ViewsSyncApiFunction", "UpdateItem", Fault.SENT_TWICE, Delivery.AGAIN)

    assert [run for run in runs if run.problem] == []


def test_an_adjustment_is_not_refused_for_what_its_own_copy_took(sweep: Sweep) -> None:
    runs = with_each(sweep, "adjustments", "ViewsAdjustmentsApiFunction", "BatchGetItem", Fault.NONE, Delivery.AT_ONCE)

    assert [run for run in runs if run.problem] == []


def test_a_view_that_a_slow_redis_counted_is_not_added_for_the_database(sweep: Sweep) -> None:
    """S2-33. Nobody hears the answer, and the database takes the next try: after the view was counted, or before."""
    name, function = "views while Redis is away", "ViewsTrackApiFunction"

    runs = [
        run
        for fault in (Fault.TIMEOUT_APPLIED, Fault.SLOW)
        for run in with_each(sweep, name, function, REDIS, fault, Delivery.AGAIN)
    ]

    assert [run for run in runs if run.problem] == []


def test_the_messages_of_a_sync_that_waits_for_redis_become_no_more(sweep: Sweep) -> None:
    """Over a midnight: the day's epoch waits for the one that is open."""
    world = sweep.world
    world.forget(EVENING)
    world.silent = ("ViewsDiagnosisScheduleFunction", "OperationsSweeperFunction")
    begun(world)
    world.http(Request("POST", "/api/views", of("a"), "a view"))
    world.http(Request("POST", SYNC, {"force": True}, "a sync"))
    world.cache.go()
    most = 0

    while world.now() < EVENING + timedelta(minutes=20):
        world.step()
        most = max(most, len(world.queues["ViewsQueue"]))
        assert most <= 4

    assert most > 1
