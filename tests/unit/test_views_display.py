"""What is displayed when Redis fails, and for how long it is left alone."""

from collections.abc import Sequence

import pytest

from sluice.errors import Unavailable
from sluice.totals import Totals
from views.breaker import Breaker
from views.content import Content
from views.counts.display import Display, Source
from views.counts.reading import Count
from views.held import RedisAway

A = ("video", "a")


class Readers:
    """Gives readers, of which each fails while Redis is away."""

    def __init__(self) -> None:
        self.is_away = False
        self.connected = 0
        self.tried = 0

    def connect(self) -> "Readers":
        self.connected += 1
        return self

    def read(self, contents: Sequence[Content]) -> dict[Content, Count]:
        self.tried += 1
        if self.is_away:
            raise RedisAway("gone")
        return {content: Count(5, 3, 2) for content in contents}


class Database:
    is_busy = False

    def totals(self, contents: Sequence[Content]) -> dict[Content, Totals]:
        if self.is_busy:
            raise Unavailable("busy")
        return {content: Totals(5, 2) for content in contents}


class World:
    def __init__(self) -> None:
        self.time = 1000.0
        self.readers, self.database = Readers(), Database()
        self.display = Display(self.readers.connect, self.database.totals, Breaker(lambda: self.time))  # type: ignore[arg-type]

    def show(self, source: Source | None = None) -> Count:
        return self.display.show([A], source)[A]


def test_one_reader_serves_as_long_as_redis_answers() -> None:
    world = World()

    shown = [world.show() for _ in range(3)]

    assert shown == [Count(5, 3, 2)] * 3
    assert world.readers.connected == 1


def test_after_a_failure_redis_is_left_alone_for_five_seconds_and_then_asked_anew() -> None:
    """S2-33."""
    world = World()
    world.readers.is_away = True

    assert world.show() == Count(5, 0, 2, is_degraded=True)
    world.readers.is_away = False
    world.time += 4.9
    assert world.show() == Count(5, 0, 2, is_degraded=True)
    assert world.readers.tried == 1
    world.time += 0.1
    assert world.show() == Count(5, 3, 2)
    assert world.readers.connected == 2


def test_the_database_alone_never_asks_redis() -> None:
    world = World()
    world.readers.is_away = True

    assert world.show(Source.DATABASE) == Count(5, 0, 2)
    assert (world.readers.connected, world.readers.tried) == (0, 0)


def test_redis_alone_is_not_replaced_by_the_database() -> None:
    world = World()
    world.readers.is_away = True

    with pytest.raises(RedisAway):
        world.show(Source.REDIS)
    with pytest.raises(RedisAway) as left_alone:
        world.show(Source.REDIS)

    assert left_alone.value.retry_after_seconds == 5


def test_a_database_that_fails_is_not_taken_for_redis_away() -> None:
    world = World()
    world.database.is_busy = True
    world.readers.is_away = True

    with pytest.raises(Unavailable, match="busy"):
        world.show()
