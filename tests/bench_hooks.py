"""`make bench`, hooks: what a delivery costs, through the real handlers; the receiver answers at once."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import time_machine

from local import cost
from sluice.ids import new_id
from tests.account import modelled_account
from tests.bench_broadcasts import Meter, Metered
from tests.bench_tables import a_table, console
from tests.factories import NOON
from tests.integration.hooks_world import Hooked, Receiver

EVENTS = 50
LATER = timedelta(minutes=2)


def main() -> None:
    logging.disable(logging.INFO)
    console.print("Through the real handlers, on the model of DynamoDB that the tests use")
    told, made, failed = measured()
    table = a_table("what", "AWS calls", "write units", "read units", "a million, list price")
    for what, meter, usd in (
        ("an event for one endpoint, by the fan-out", told, ""),
        ("its delivery, by the worker", made, ""),
        ("an attempt that fails", failed, f"${cost.attempts().usd:.2f}"),
    ):
        table.add_row(what, *(f"{each / EVENTS:.4g}" for each in (meter.calls, meter.units, meter.read)), usd)
    both = Meter(told.operations + made.operations, told.written + made.written, told.read + made.read)
    usd = f"${cost.deliveries().usd:.2f}"
    table.add_row("**together**", *(f"{each / EVENTS:.4g}" for each in (both.calls, both.units, both.read)), usd)
    console.print(table)


def measured() -> tuple[Meter, Meter, Meter]:
    """The fan-out, the worker that delivers, and the worker whose receiver fails, each for as many events."""
    told, made, failed = Meter(), Meter(), Meter()
    with a_world() as (world, functions):
        world.create("boost.*")
        world.tell(event_id=new_id("evt", NOON))
        world.work()  # what a first call reads once
        for _ in range(EVENTS):
            event_id = new_id("evt", world.clock_time)
            functions.meter = told
            world.tell(event_id=event_id)
            functions.meter = made
            world.work()
            world.clock.shift(LATER)
            world.work()  # the claim's own message, for a worker that dies: it finds nothing to do
        functions.meter = None
        assert len(world.receiver.requests) == EVENTS + 1
        world.receiver.status = 500
        for _ in range(EVENTS):
            hook = world.create("view.*")
            world.tell("ViewsAdjusted", new_id("evt", world.clock_time))
            functions.meter = failed
            world.work()
            functions.meter = None
            world.hook("delete", hook["id"])
            world.clock.shift(LATER)
            world.work()
    return told, made, failed


@contextmanager
def a_world() -> Iterator[tuple[Hooked, Metered]]:
    receiver = Receiver()
    with modelled_account() as aws, time_machine.travel(NOON, tick=False) as clock, receiver.running():
        aws.choose(PrivateRanges="127.0.0.0/8")
        functions = Metered(aws)
        world = Hooked(aws, functions, clock)
        world.receiver = receiver
        yield world, functions


if __name__ == "__main__":
    main()
