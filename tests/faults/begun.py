"""What a flow begins with: tables and schedules, made once for each process by the product as it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.faults.script import Command
from tests.faults.world import OneTime, World

MOST_EVENTS = 5_000
"""What has not come to rest by then never will."""


@dataclass(frozen=True)
class Begun:
    """What the tables and schedules hold when a flow begins."""

    tables: Mapping[str, Mapping[Any, Any]]
    one_time: Mapping[str, OneTime]

    def put(self, world: World) -> None:
        """Let a flow begin with it."""
        for table, found in self.tables.items():
            world.dynamo.tables[table].items = dict(found)
        world.one_time = dict(self.one_time)


def made(world: World, at: datetime, build: Callable[[World], None]) -> Begun:
    """What `build` makes in an empty world, from `at` on."""
    began, silent, watchers = world.began, world.silent, world.watchers
    world.forget(at)
    build(world)
    found = Begun({name: dict(table.items) for name, table in world.dynamo.tables.items()}, dict(world.one_time))
    world.forget(began)
    world.silent, world.watchers = silent, watchers
    return found


def give(world: World, command: Command, number: int) -> Any:
    """Carry out a command that must be obeyed: its answer."""
    if command.act:
        return command.act(world, [])
    request = command.request(world, (), f"begun-{number}")
    status, answer = world.http(request)
    assert status < 300, (request, answer)
    return answer


def come_to_rest(world: World) -> None:
    """Let everything happen that is on its way."""
    far, world.far = world.far, timedelta()
    for _ in range(MOST_EVENTS):
        if world.is_quiet():
            break
        world.step()
    else:
        raise AssertionError(f"it does not come to rest: {world.happened}, {world.crashes[-1:]}")
    world.far = far
