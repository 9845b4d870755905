"""A sync with everything that can happen around it: whoever calls a port stops there until the test lets him go on.

Workers, readers and commands are threads of which one runs at a time, so a test's list of numbers decides everything.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Semaphore, Thread
from typing import Any

from sluice.errors import Unavailable
from sluice.totals import Totals
from tests.factories import FixedClock
from views import keys
from views.epochs import Control, Message, Phase, Sync
from views.reading import Count, Reader
from views.shards import Outdated, Part, Seen

SHARDS = 3
CONTENTS = ("video:a", "video:b", "story:c")
TIMEOUT = timedelta(seconds=60)


@dataclass
class MemoryShards:
    """`views.shards.RedisShards`, in memory."""

    epochs: dict[int, int] = field(default_factory=dict)
    pendings: dict[int, Counter[str]] = field(default_factory=dict)
    syncings: dict[int, Counter[str]] = field(default_factory=dict)
    asides: dict[int, dict[str, tuple[Part, ...]]] = field(default_factory=dict)

    def track(self, shard: int, content: str) -> None:
        self.pendings.setdefault(shard, Counter())[content] += 1

    def restart(self, shard: int) -> None:
        for each in (self.epochs, self.pendings, self.syncings, self.asides):
            each.pop(shard, None)

    def open(self, shards: Sequence[int], epoch: int) -> None:
        for shard in shards:
            opened = self.epochs.get(shard)
            if opened is not None and opened >= epoch:
                continue
            if (opened is not None or epoch == 1) and shard in self.pendings:
                self.syncings[shard] = self.pendings.pop(shard)
            self.epochs[shard] = epoch

    def _is_current(self, shard: int, epoch: int) -> bool:
        if self.epochs.get(shard, 0) > epoch:
            raise Outdated
        return self.epochs.get(shard, 0) == epoch

    def left(self, shards: Sequence[int], epoch: int) -> list[int]:
        return [len(self.syncings.get(s, ())) if self._is_current(s, epoch) else 0 for s in shards]

    def page(self, shard: int, epoch: int, limit: int) -> list[str]:
        return list(self.syncings.get(shard, ()))[:limit] if self._is_current(shard, epoch) else []

    def _parts(self, shard: int, content: str) -> tuple[Part, ...]:
        syncing = self.syncings.get(shard, Counter())
        part = (Part(self.epochs.get(shard, 0), syncing[content]),) if content in syncing else ()
        return self.asides.get(shard, {}).get(content, ()) + part

    def held(self, shards: Sequence[int], epoch: int, contents: Sequence[str]) -> list[list[tuple[Part, ...]]]:
        return [[self._parts(s, c) if self._is_current(s, epoch) else () for c in contents] for s in shards]

    def drop(self, shards: Sequence[int], epoch: int, contents: Sequence[str]) -> None:
        for shard in shards:
            for content in contents if self._is_current(shard, epoch) else ():
                self.syncings.get(shard, Counter()).pop(content, None)
                self.asides.get(shard, {}).pop(content, None)

    def park(self, shards: Sequence[int], epoch: int, day: str, content: str) -> None:
        for shard in shards:
            if self._is_current(shard, epoch) and content in self.syncings.get(shard, ()):
                part = Part(epoch, self.syncings[shard].pop(content), day)
                aside = self.asides.setdefault(shard, {})
                aside[content] = (*aside.get(content, ()), part)

    def parked(self, shard: int, limit: int) -> list[str]:
        return list(self.asides.get(shard, {}))[:limit]

    def pending(self, shards: Sequence[int]) -> list[int]:
        return [len(self.pendings.get(s, ())) for s in shards]

    def read(self, shards: Sequence[int], contents: Sequence[str]) -> list[list[Seen]]:
        return [
            [Seen(self.epochs.get(s, 0), self.pendings.get(s, Counter())[c], self._parts(s, c)) for c in contents]
            for s in shards
        ]


@dataclass
class MemoryStore:
    """`views.sync_store.SyncStore`, in memory."""

    now: Control | None = None
    organic: dict[str, tuple[int, int]] = field(default_factory=dict)
    days: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    failures: Counter[tuple[str, int]] = field(default_factory=Counter)
    reported: set[tuple[str, int]] = field(default_factory=set)

    def control(self) -> Control | None:
        return self.now

    def move(self, before: Control | None, after: Control) -> bool:
        if (self.now and (self.now.epoch, self.now.step)) != (before and (before.epoch, before.step)):
            return False
        self.now = after
        return True

    def record(self, epoch: Control) -> None:
        pass

    def apply(self, content: str, views: int, epoch: int) -> bool:
        return _add(self.organic, content, views, epoch)

    def apply_daily(self, content: str, day: str, views: int, epoch: int) -> bool:
        return _add(self.days, (content, day), views, epoch)

    def count_failure(self, content: str, epoch: int, reason: str) -> int:
        self.failures[content, epoch] += 1
        return self.failures[content, epoch]

    def report_parked(self, content: str, epoch: int) -> None:
        self.reported.add((content, epoch))

    def totals(self, contents: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Totals]:
        found = {content: self.organic.get(keys.content_field(*content), (0, 0)) for content in contents}
        return {content: Totals(views, 0, epoch) for content, (views, epoch) in found.items()}

    def daily(self, content: str) -> int:
        return sum(views for (of, _), (views, _) in self.days.items() if of == content)


def _add(rows: dict[Any, tuple[int, int]], key: Any, views: int, epoch: int) -> bool:
    before, last_epoch = rows.get(key, (0, 0))
    if last_epoch >= epoch:
        return False
    rows[key] = (before + views, epoch)
    return True


class Died(BaseException):
    """A process ended here."""


class Actor:
    """Runs `act` from one port call to the next."""

    def __init__(self, act: Callable[["Actor"], Any], message: Message | None = None) -> None:
        self.message = message
        self.is_done = False
        self.age = timedelta()
        self.error: BaseException | None = None
        self._fate = ""
        self._go, self._back = Semaphore(0), Semaphore(0)
        self._thread = Thread(target=self._run, args=(act,), daemon=True)
        self._thread.start()

    def _run(self, act: Callable[["Actor"], Any]) -> None:
        self._go.acquire()
        try:
            if not self._fate:
                act(self)
        except BaseException as error:
            self.error = error
        self.is_done = True
        self._back.release()

    def call(self, ask: Callable[[], Any]) -> Any:
        self._back.release()
        self._go.acquire()
        if self._fate == "before":
            raise Died
        answer = ask()
        if self._fate == "after":
            raise Died
        return answer

    def go_on(self, fate: str = "") -> None:
        self._fate = fate
        self._go.release()
        self._back.acquire()
        if self.is_done:
            self._thread.join()
            if self.error and not isinstance(self.error, (Died, Unavailable)):
                raise self.error


class Gated:
    """A port whose every call is one of an actor's; calls for many shards are one for each."""

    def __init__(self, port: Any, actor: Actor, poisoned: Callable[[str], bool] = lambda content: False) -> None:
        self._port, self._actor, self._poisoned = port, actor, poisoned

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._port, name)

        def call(*args: Any) -> Any:
            if name in ("apply", "apply_daily"):
                return self._actor.call(lambda: self._apply(method, *args))
            if args and isinstance(args[0], range):
                answers = [self._actor.call(lambda s=s: method([s], *args[1:])) for s in args[0]]
                return [answer for each in answers for answer in each or ()]
            return self._actor.call(lambda: method(*args))

        return call

    def _apply(self, method: Callable[..., Any], content: str, *args: Any) -> Any:
        if self._poisoned(content):
            raise Unavailable("poisoned")
        return method(content, *args)


class World:
    """Accepts views, runs the sync, and keeps what is true of them."""

    def __init__(self, shards: Any, store: Any, *, page_contents: int = 2) -> None:
        self.shards, self.store = shards, store
        self.page_contents = page_contents
        self.clock = FixedClock()
        self.accepted: Counter[str] = Counter()
        self.surely_lost: Counter[str] = Counter()
        self.maybe_lost: Counter[str] = Counter()
        self.unsure_days: Counter[str] = Counter()
        self.messages: list[Message] = []
        self.old_messages: list[Message] = []
        self.actors: list[Actor] = []
        self.poison: Counter[str] = Counter()
        self.shown: dict[str, int] = {}

    def sync(self, actor: Actor) -> Sync:
        return Sync(
            Gated(self.shards, actor),  # type: ignore[arg-type]
            Gated(self.store, actor, self._is_poisoned),  # type: ignore[arg-type]
            lambda message: actor.call(lambda: self.messages.append(message)),
            self.clock,
            shard_count=SHARDS,
            timeout=TIMEOUT,
            page_contents=self.page_contents,
        )

    def _is_poisoned(self, content: str) -> bool:
        self.poison[content] -= 1
        return self.poison[content] >= 0

    def track(self, shard: int, content: str) -> None:
        self.shards.track(shard, content)
        self.accepted[content] += 1

    def restart(self, shard: int) -> None:
        for content, (seen,) in zip(CONTENTS, zip(*self.shards.read([shard], CONTENTS), strict=True), strict=True):
            total = self.totals(content)
            self.surely_lost[content] += seen.pending
            self.maybe_lost[content] += seen.pending
            self.maybe_lost[content] += sum(part.views for part in seen.parts if part.epoch > total.last_epoch)
            self.unsure_days[content] += sum(part.views for part in seen.parts)
        self.shards.restart(shard)

    def totals(self, content: str) -> Totals:
        of = keys.content_of(content)
        return self.store.totals([of])[of]  # type: ignore[no-any-return]

    def deliver(self, message: Message, message_id: str) -> Actor:
        actor = Actor(lambda self_: self.sync(self_).run(message, message_id), message)
        self.actors.append(actor)
        return actor

    def start(self, day: str = "2026-11-20") -> Actor:
        actor = Actor(lambda self_: self.sync(self_).start(day))
        self.actors.append(actor)
        return actor

    def read(self, content: str) -> Actor:
        floor = self.accepted[content], self.surely_lost[content], self.maybe_lost[content]

        def act(actor: Actor) -> None:
            gated = Gated(self, actor)
            reader = Reader(Gated(self.shards, actor), gated.totals_of, shard_count=SHARDS)  # type: ignore[arg-type]
            count: Count = reader.read([keys.content_of(content)])[keys.content_of(content)]
            self._check_reading(content, count.synced + count.pending, *floor)

        self.actors.append(Actor(act))
        return self.actors[-1]

    def totals_of(self, contents: Sequence[tuple[str, str]]) -> Any:
        return self.store.totals(contents)

    def _check_reading(self, content: str, views: int, accepted: int, sure: int, maybe: int) -> None:
        assert accepted - self.maybe_lost[content] <= views <= self.accepted[content] - sure, (content, views, accepted)

    def time_passes(self, by: timedelta) -> None:
        """No process lives longer than its timeout."""
        self.clock.time += by
        for actor in self.actors:
            actor.age += by
        self._end([actor for actor in self.actors if actor.age >= TIMEOUT])

    def _end(self, actors: list[Actor], fate: str = "before") -> None:
        for actor in actors:
            actor.go_on(fate)
            self.reap(actor)

    def reap(self, actor: Actor) -> None:
        """Takes a process that ended away: its message is delivered again unless it was acknowledged."""
        if actor.is_done:
            self.actors.remove(actor)
            if actor.error is not None and actor.message:
                self.messages.append(actor.message)

    def close(self) -> None:
        """Ends the threads."""
        for actor in self.actors:
            actor._fate = "before"
            actor._go.release()
            actor._thread.join(5)
        self.actors = []

    def act(self, number: int, *, restarts: bool = True) -> None:
        """One thing happens, chosen by a number."""
        chance = random.Random(number)
        content, shard = chance.choice(CONTENTS), chance.randrange(SHARDS)
        kind = number % 32
        if kind < 14 and self.actors:
            self._go_on(self.actors[number // 32 % len(self.actors)], chance.choice([1, 1, 3, 10]))
        elif kind == 14 and self.actors:
            self._end([chance.choice(self.actors)], chance.choice(["before", "after"]))
        elif kind < 19:
            self.track(shard, content)
        elif kind < 22 and self.messages:
            message = self.messages.pop(chance.randrange(len(self.messages)))
            self.old_messages.append(message)
            self.deliver(message, f"m{message.epoch}-{message.step}")
        elif kind < 25 and self.old_messages:
            message = chance.choice(self.old_messages)
            self.deliver(message, chance.choice([f"m{message.epoch}-{message.step}", "copy"]))
        elif kind < 27:
            self._go_on(self.start(chance.choice(["2026-11-20", "2026-11-21"])), 99)
            self._rush(chance.choice([2, 5, 99]))
        elif kind == 27:
            self.time_passes(TIMEOUT / 3)
        elif kind == 28 and restarts and (self.store.control() or Control(0, Phase.DONE, 0, "", 0, NOW)).epoch > 1:
            self.restart(shard)
        elif kind == 29:
            self.time_passes(chance.choice([TIMEOUT / 3, TIMEOUT * 2]))
        elif kind == 30 and self.store.control() is not None:
            self.poison[content] = chance.randint(1, 4)
        elif kind == 31 and len(self.actors) < 6:
            self.read(content)

    def _go_on(self, actor: Actor, calls: int) -> None:
        for _ in range(calls):
            if not actor.is_done:
                actor.go_on()
        self.reap(actor)

    def _rush(self, messages: int) -> None:
        """Runs the queue's messages while those who sleep go on sleeping."""
        while self.messages and messages:
            messages -= 1
            message = self.messages.pop(0)
            self.old_messages.append(message)
            self._go_on(self.deliver(message, f"m{message.epoch}-{message.step}"), 999)

    def settle(self) -> None:
        """Everything runs to its end, and one more sync finds nothing to do but what was left."""
        self.poison.clear()
        for _ in range(4):
            for _ in self._turns():
                pass
            self.clock.time += TIMEOUT * 2
            self.start()
        for _ in self._turns():
            pass

    def _turns(self) -> Iterator[None]:
        for _turn in range(3000):
            if not self.actors:
                if not self.messages:
                    return
                message = self.messages.pop(0)
                self.deliver(message, f"m{message.epoch}-{message.step}")
            self.actors[0].go_on()
            self.reap(self.actors[0])
            yield
        raise AssertionError("it does not end")

    def check(self) -> None:
        for content in CONTENTS:
            self.shown[content] = synced = self.totals(content).organic
            held = [s for (s,) in self.shards.read(range(SHARDS), [content])]
            pending = sum(s.pending for s in held)
            assert not any(s.parts for s in held), (content, held)
            low = self.accepted[content] - self.maybe_lost[content]
            high = self.accepted[content] - self.surely_lost[content]
            assert low <= synced + pending <= high, (content, synced, pending, low, high)
            # A shard that restarts between the two writes of a worker that died leaves less for the second.
            unsure = self.unsure_days[content]
            assert abs(self.store.daily(content) - synced) <= unsure, (content, synced, self.store.daily(content))


NOW = FixedClock().now()
