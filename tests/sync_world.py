"""A sync with everything that can happen around it: whoever calls a port stops there until the test lets him go on.

Workers, readers and commands are threads of which one runs at a time, so a test's list of numbers decides everything.
"""

import random
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from threading import Semaphore, Thread
from typing import Any

from sluice.errors import Unavailable
from sluice.totals import Totals
from tests.factories import UTC_ZONE, FixedClock
from views import keys
from views.control import Control, Phase
from views.counts.reading import Count, Reader
from views.held import AwayView, Outdated, Part, Seen, Taken
from views.messages import EpochStep
from views.sync.applying import Added, AwayRow, ContentViews, MovedRefusals
from views.sync.epochs import Sync

SHARDS = 3
CONTENTS = ("video:a", "video:b", "story:c")
FIELDS = ("cooldown+daily_viewed|story:x:y~1|2026-11-20T08", "daily_limit|*|2026-11-20T23")
DAYS = ("2026-11-20", "2026-11-21")
TIMEOUT = timedelta(seconds=60)


@dataclass
class MemoryShards:
    """`views.shards.store.RedisShards`, in memory."""

    epochs: dict[int, int] = field(default_factory=dict)
    pendings: dict[int, dict[str, Counter[str | None]]] = field(default_factory=dict)
    """By shard, content and day; None: a bare number, which is of the epoch's day."""
    syncings: dict[int, dict[str, Counter[str | None]]] = field(default_factory=dict)
    asides: dict[int, dict[str, tuple[Part, ...]]] = field(default_factory=dict)
    refused: dict[int, Counter[str]] = field(default_factory=dict)
    refusing: dict[int, Counter[str]] = field(default_factory=dict)
    viewers: dict[int, dict[tuple[str, str, str], bool]] = field(default_factory=dict)
    """By shard, of each viewer, content and day: whether its view is to be added by the sync."""

    def track(self, shard: int, content: str, day: str | None = None) -> str | None:
        """A view is counted; the day that it is of."""
        held = self.pendings.setdefault(shard, {}).setdefault(content, Counter())
        of_day = max([day, *filter(None, held)]) if day else None
        held[of_day] += 1
        return of_day

    def view(self, viewer: str, content: str, day: str) -> str | None:
        """Somebody views a content; the day that the view is of, None when it does not count."""
        shard = keys.shard_of(viewer, SHARDS)
        seen = self.viewers.setdefault(shard, {})
        if (viewer, content, day) in seen:
            return None
        seen[viewer, content, day] = False
        return self.track(shard, content, day)

    def claim(self, views: Sequence[AwayView], shards: int, now: int) -> list[bool]:
        return [
            self.viewers.setdefault(keys.shard_of(view.viewer, shards), {}).setdefault(
                (view.viewer, view.content, view.moment.day), True
            )
            for view in views
        ]

    def refuse(self, shard: int, name: str) -> None:
        self.refused.setdefault(shard, Counter())[name] += 1

    def refusals_of(self, shard: int, name: str) -> tuple[int, int]:
        return self.refused.get(shard, Counter())[name], self.refusing.get(shard, Counter())[name]

    def restart(self, shard: int) -> None:
        for each in (*(self.epochs, self.pendings, self.syncings, self.asides), *(self.refused, self.refusing)):
            each.pop(shard, None)
        self.viewers.pop(shard, None)

    def open(self, shards: Sequence[int], epoch: int) -> None:
        for shard in shards:
            opened = self.epochs.get(shard)
            if opened is not None and opened >= epoch:
                continue
            if opened is not None and shard in self.pendings:
                self.syncings[shard] = self.pendings.pop(shard)
            if opened is not None and shard in self.refused:
                self.refusing[shard] = self.refused.pop(shard)
            self.epochs[shard] = epoch

    def _is_current(self, shard: int, epoch: int) -> bool:
        if self.epochs.get(shard, 0) > epoch:
            raise Outdated
        return self.epochs.get(shard, 0) == epoch

    def _taken(self, shard: int, taken: Taken) -> dict[str, Any]:
        taken_from: Any = self.syncings if taken is Taken.VIEWS else self.refusing
        return taken_from.get(shard, {})  # type: ignore[no-any-return]

    def left(self, shards: Sequence[int], epoch: int, taken: Taken) -> list[int]:
        return [len(self._taken(s, taken)) if self._is_current(s, epoch) else 0 for s in shards]

    def page(self, shard: int, epoch: int, limit: int, taken: Taken) -> list[str]:
        return list(self._taken(shard, taken))[:limit] if self._is_current(shard, epoch) else []

    def _parts(self, shard: int, content: str, epoch: int) -> tuple[Part, ...]:
        syncing = self.syncings.get(shard, {}).get(content, Counter())
        parts = tuple(Part(epoch, views, day) for day, views in syncing.items())
        return self.asides.get(shard, {}).get(content, ()) + parts

    def held(self, shards: Sequence[int], epoch: int, contents: Sequence[str]) -> list[list[tuple[Part, ...]]]:
        return [[self._parts(s, c, epoch) if self._is_current(s, epoch) else () for c in contents] for s in shards]

    def refusals(self, shards: Sequence[int], epoch: int, fields: Sequence[str]) -> list[list[int]]:
        return [
            [self._taken(s, Taken.REFUSALS).get(f, 0) if self._is_current(s, epoch) else 0 for f in fields]
            for s in shards
        ]

    def drop(self, shards: Sequence[int], epoch: int, names: Sequence[str], taken: Taken) -> None:
        for shard in shards:
            for name in names if self._is_current(shard, epoch) else ():
                self._taken(shard, taken).pop(name, None)
                if taken is Taken.VIEWS:
                    self.asides.get(shard, {}).pop(name, None)

    def park(self, shards: Sequence[int], epoch: int, day: str, content: str) -> None:
        for shard in shards:
            if self._is_current(shard, epoch) and content in self.syncings.get(shard, ()):
                syncing = self.syncings[shard].pop(content)
                parts = tuple(Part(epoch, views, of_day or day) for of_day, views in syncing.items())
                aside = self.asides.setdefault(shard, {})
                aside[content] = aside.get(content, ()) + parts

    def parked(self, shard: int, limit: int) -> list[str]:
        return list(self.asides.get(shard, {}))[:limit]

    def have_work(self, shards: Sequence[int]) -> list[bool]:
        held = (self.pendings, self.asides, self.refused, self.syncings, self.refusing)
        return [any(each.get(s) for each in held) for s in shards]

    def read(self, shards: Sequence[int], contents: Sequence[str]) -> list[list[Seen]]:
        return [[self._seen(s, c, self.epochs.get(s, 0)) for c in contents] for s in shards]

    def _seen(self, shard: int, content: str, epoch: int) -> Seen:
        pending = self.pendings.get(shard, {}).get(content, Counter())
        return Seen(epoch, pending.total(), self._parts(shard, content, epoch))


@dataclass
class MemoryStore:
    """`views.sync.store.SyncStore`, in memory."""

    now: Control | None = None
    organic: dict[str, tuple[int, int]] = field(default_factory=dict)
    days: Counter[tuple[str, str]] = field(default_factory=Counter)
    rows: dict[AwayRow, int] = field(default_factory=dict)
    """The epoch that folded each row; 0: none."""
    index: list[AwayRow] = field(default_factory=list)
    refused: dict[str, tuple[int, int]] = field(default_factory=dict)
    failures: Counter[tuple[str, int]] = field(default_factory=Counter)
    reported: set[tuple[str, int]] = field(default_factory=set)

    def control(self) -> Control | None:
        return self.now

    def move(self, before: Control | None, after: Control) -> bool:
        if (self.now and (self.now.epoch, self.now.step)) != (before and (before.epoch, before.step)):
            return self.now == after
        self.now = after
        return True

    def record(self, epoch: Control) -> None:
        pass

    def apply(self, epoch: int, added: Sequence[ContentViews]) -> list[Added]:
        answers: list[Added] = []
        for each in added:
            answers.append(_add(self.organic, each.content, each.views, epoch))
            if answers[-1]:
                self.days.update({(each.content, day): views for day, views in each.by_day.items()})
        return answers

    def add_refusals(self, epoch: int, added: Sequence[MovedRefusals]) -> list[Added]:
        return [_add(self.refused, each.field, each.refusals, epoch) for each in added]

    def unfolded(self, limit: int, without: Collection[str] = ()) -> list[AwayRow]:
        return [row for row in self.index if row.content not in without][:limit]

    def fold(self, epoch: int, rows: Sequence[AwayRow], ours: Collection[AwayRow], expires_at: int) -> bool:
        if any(self.rows[row] for row in rows):
            return False
        self.rows |= dict.fromkeys(rows, epoch)
        for row in [row for row in rows if row in ours]:
            views, last_epoch = self.organic.get(row.content, (0, 0))
            self.organic[row.content] = (views + 1, last_epoch)
            self.days[row.content, row.day] += 1
        return True

    def still_unfolded(self, rows: Sequence[AwayRow]) -> dict[AwayRow, datetime | None]:
        return {row: noon(row.day) for row in rows if not self.rows[row]}

    def count_failure(self, name: str, epoch: int, reason: str) -> int:
        self.failures[name, epoch] += 1
        return self.failures[name, epoch]

    def report_parked(self, content: str, epoch: int) -> None:
        self.reported.add((content, epoch))

    def put_away(self, row: AwayRow) -> None:
        self.rows[row] = 0

    def catch_up(self) -> None:
        """The index shows the table as it is now."""
        self.index = [row for row, epoch in self.rows.items() if not epoch]

    def folded(self) -> set[AwayRow]:
        return {row for row, epoch in self.rows.items() if epoch}

    def totals(self, contents: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Totals]:
        found = {content: self.organic.get(keys.content_field(*content), (0, 0)) for content in contents}
        return {content: Totals(views, 0, epoch) for content, (views, epoch) in found.items()}

    def daily(self, content: str) -> dict[str, int]:
        return {day: views for (of, day), views in self.days.items() if of == content}

    def refusals(self, name: str) -> int:
        return self.refused.get(name, (0, 0))[0]


def noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00Z")


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

    def __init__(self, act: Callable[["Actor"], Any], message: EpochStep | None = None) -> None:
        self.message = message
        self.is_done = False
        self.age = timedelta()
        self.answer: Any = None
        self.error: BaseException | None = None
        self._fate = ""
        self._go, self._back = Semaphore(0), Semaphore(0)
        self._thread = Thread(target=self._run, args=(act,), daemon=True)
        self._thread.start()

    def _run(self, act: Callable[["Actor"], Any]) -> None:
        self._go.acquire()
        try:
            if self._fate:
                raise Died
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
            if name in ("apply", "add_refusals"):
                return self._apply(method, *args)
            if args and isinstance(args[0], range):
                answers = [self._actor.call(lambda s=s: method([s], *args[1:])) for s in args[0]]
                return [answer for each in answers for answer in each or ()]
            return self._actor.call(lambda: method(*args))

        return call

    def _apply(self, method: Callable[..., Any], epoch: int, added: Sequence[Any]) -> list[Added]:
        sound = [each for each in added if not self._poisoned(getattr(each, "content", ""))]
        # In memory each is a call of its own, as when a transaction falls apart; the real one does that by itself.
        together = [[each] for each in sound] if isinstance(self._port, MemoryStore) else [sound]
        answers = [answer for some in together for answer in self._actor.call(lambda some=some: method(epoch, some))]
        by_name = {id(each): answer for each, answer in zip(sound, answers, strict=True)}
        return [by_name.get(id(each), ValueError("poisoned")) for each in added]


class World:
    """Accepts views, runs the sync, and keeps what is true of them."""

    def __init__(self, shards: Any, store: Any, *, page_contents: int = 2) -> None:
        self.shards, self.store = shards, store
        self.page_contents = page_contents
        self.clock = FixedClock()
        self.accepted: Counter[str] = Counter()
        self.of_days: Counter[tuple[str, str]] = Counter()
        self.away: Counter[str] = Counter()
        self.by_script: set[AwayRow] = set()
        self.by_row: set[AwayRow] = set()
        self.maybe_twice: Counter[str] = Counter()
        self.forgotten: set[str] = set()
        self._viewers = (f"anon:{number:022}" for number in count())
        self.surely_lost: Counter[str] = Counter()
        self.maybe_lost: Counter[str] = Counter()
        self.losses: Counter[str] = Counter()
        self.messages: list[tuple[datetime, EpochStep]] = []
        self.old_messages: list[EpochStep] = []
        self.actors: list[Actor] = []
        self.poison: Counter[str] = Counter()
        self.shown: Counter[str] = Counter()

    def sync(self, actor: Actor) -> Sync:
        return Sync(
            Gated(self.shards, actor),  # type: ignore[arg-type]
            Gated(self.store, actor, self._is_poisoned),  # type: ignore[arg-type]
            lambda message, delay_seconds: actor.call(lambda: self._send(message, delay_seconds)),
            self.clock,
            UTC_ZONE,
            shard_count=SHARDS,
            timeout=TIMEOUT,
            page_contents=self.page_contents,
        )

    def _send(self, message: EpochStep, delay_seconds: int) -> None:
        self.messages.append((self.clock.time + timedelta(seconds=delay_seconds), message))

    def _is_poisoned(self, content: str) -> bool:
        self.poison[content] -= 1
        return self.poison[content] >= 0

    def new_viewer(self, shard: int) -> str:
        return next(viewer for viewer in self._viewers if keys.shard_of(viewer, SHARDS) == shard)

    def view(self, viewer: str, content: str, day: str) -> None:
        """Somebody views a content, and the script has its effect, whoever hears of it."""
        of_day = self.shards.view(viewer, content, day)
        view = AwayRow(f"viewer#{viewer}", day, content)
        if of_day is None:
            assert view in self.by_script | self.by_row, view
            return
        if view in self.by_row:  # The sync is to add it no more.
            self.away[content] -= 1
            self.of_days[content, day] -= 1
            self.maybe_twice[content] += viewer in self.forgotten
        self.accepted[content] += 1
        self.of_days[content, of_day] += 1
        self.by_script.add(view)

    def refuse(self, shard: int, name: str) -> None:
        self.shards.refuse(shard, name)
        self.accepted[name] += 1

    def view_away(self, viewer: str, content: str, day: str) -> None:
        """Somebody views a content, and the database takes it."""
        row = AwayRow(f"viewer#{viewer}", day, content)
        self.store.put_away(row)
        self.by_row.add(row)
        if row not in self.by_script:
            self.away[content] += 1
            self.of_days[content, day] += 1

    def restart(self, shard: int) -> None:
        for content, (seen,) in zip(CONTENTS, zip(*self.shards.read([shard], CONTENTS), strict=True), strict=True):
            last_epoch = self.totals(content).last_epoch
            self._lose(content, seen.pending, sum(part.views for part in seen.parts if part.epoch > last_epoch))
        for name in FIELDS:
            self._lose(name, *self.shards.refusals_of(shard, name))
        self.shards.restart(shard)
        rows = [row for row in self.by_row if keys.shard_of(row.key, SHARDS) == shard]
        self.forgotten.update(row.key for row in rows)
        self.maybe_twice.update(row.content for row in rows if row in self.by_script)

    def _lose(self, name: str, surely: int, maybe: int) -> None:
        self.surely_lost[name] += surely
        self.maybe_lost[name] += surely + maybe
        if surely or maybe:
            self.losses[name] += 1
            self.shown[name] = 0

    def totals(self, content: str) -> Totals:
        of = keys.content_of(content)
        return self.store.totals([of])[of]  # type: ignore[no-any-return]

    def deliver(self, message: EpochStep, message_id: str = "") -> Actor:
        name = message_id or f"m{message.epoch}-{message.step}"
        actor = Actor(lambda self_: self.sync(self_).run(message, name), message)
        self.actors.append(actor)
        return actor

    def start(self, *, force: bool = False, scheduled_at: datetime | None = None) -> Actor:
        def act(actor: Actor) -> None:
            sync = self.sync(actor)
            actor.answer = sync.start_scheduled(scheduled_at) if scheduled_at else sync.start(force=force)

        actor = Actor(act)
        self.actors.append(actor)
        return actor

    def read(self, content: str) -> Actor:
        of_sync = self.store.folded() - self.by_script
        low = self.accepted[content] + sum(row.content == content for row in of_sync)
        sure, losses, shown = self.surely_lost[content], self.losses[content], self.shown[content]

        def act(actor: Actor) -> None:
            gated = Gated(self, actor)
            reader = Reader(Gated(self.shards, actor), gated.totals_of, shard_count=SHARDS)  # type: ignore[arg-type]
            count: Count = reader.read([keys.content_of(content)])[keys.content_of(content)]
            views = count.synced + count.pending
            high = self.accepted[content] + self.away[content] - sure + self.maybe_twice[content]
            assert low - self.maybe_lost[content] <= views <= high, (content, low, views, high)
            if losses == self.losses[content]:
                assert views >= shown, (content, views, shown)
                self.shown[content] = max(views, self.shown[content])

        self.actors.append(Actor(act))
        return self.actors[-1]

    def totals_of(self, contents: Sequence[tuple[str, str]]) -> Any:
        return self.store.totals(contents)

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
                self.messages.append((self.clock.time, actor.message))

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
        happens = chance.choices(list(_HAPPENS), list(_HAPPENS.values()))[0]
        if happens is not World._shard_restarts or restarts:
            happens(self, chance)

    def _someone_goes_on(self, chance: random.Random) -> None:
        if self.actors:
            self._go_on(chance.choice(self.actors), chance.choice([1, 1, 3, 10]))

    def _someone_dies(self, chance: random.Random) -> None:
        if self.actors:
            self._end([chance.choice(self.actors)], chance.choice(["before", "after"]))

    def _view_comes(self, chance: random.Random) -> None:
        self.view(self.new_viewer(chance.randrange(SHARDS)), chance.choice(CONTENTS), chance.choice(DAYS))

    def _view_is_refused(self, chance: random.Random) -> None:
        self.refuse(chance.randrange(SHARDS), chance.choice(FIELDS))

    def _view_comes_while_redis_is_away(self, chance: random.Random) -> None:
        self.view_away(self.new_viewer(chance.randrange(SHARDS)), chance.choice(CONTENTS), chance.choice(DAYS))

    def _view_comes_while_redis_is_slow(self, chance: random.Random) -> None:
        """Its answer is lost, and the viewer's next try is taken by the database, or was a moment before."""
        viewed = (self.new_viewer(chance.randrange(SHARDS)), chance.choice(CONTENTS), chance.choice(DAYS))
        for happens in chance.sample([self.view, self.view_away], 2):
            happens(*viewed)

    def _viewer_comes_again(self, chance: random.Random) -> None:
        """Whose view the database took, on that day."""
        if self.by_row:
            row = chance.choice(sorted(self.by_row, key=str))
            self.view(row.key, row.content, row.day)

    def _index_catches_up(self, chance: random.Random) -> None:
        self.store.catch_up()

    def _message_is_delivered(self, chance: random.Random) -> None:
        if self.messages:
            self._take(self.messages.pop(chance.randrange(len(self.messages)))[1])

    def _message_is_delivered_again(self, chance: random.Random) -> None:
        if self.old_messages:
            self.deliver(chance.choice(self.old_messages), chance.choice(["", "copy"]))

    def _sync_is_started(self, chance: random.Random) -> None:
        ago = chance.choice([None, None, timedelta(), TIMEOUT])
        scheduled_at = None if ago is None else self.clock.time - ago
        started = self.start(force=chance.random() < 0.2, scheduled_at=scheduled_at)
        self._go_on(started, chance.choice([1, 4, 99, 99, 99]))
        self._rush(chance.choice([2, 5, 99]))

    def _shard_restarts(self, chance: random.Random) -> None:
        self.restart(chance.randrange(SHARDS))

    def _time_goes_by(self, chance: random.Random) -> None:
        self.time_passes(chance.choice([TIMEOUT / 3, TIMEOUT / 3, TIMEOUT * 2]))

    def _content_begins_to_fail(self, chance: random.Random) -> None:
        self.poison[chance.choice(CONTENTS)] = chance.randint(1, 4)

    def _someone_reads(self, chance: random.Random) -> None:
        if len(self.actors) < 6:
            self.read(chance.choice(CONTENTS))

    def _take(self, message: EpochStep) -> Actor:
        self.old_messages.append(message)
        return self.deliver(message)

    def _go_on(self, actor: Actor, calls: int) -> None:
        for _ in range(calls):
            if not actor.is_done:
                actor.go_on()
        self.reap(actor)

    def _rush(self, messages: int) -> None:
        """Runs the queue's messages while those who sleep go on sleeping."""
        for _ in range(messages):
            due = [each for each in self.messages if each[0] <= self.clock.time]
            if due:
                self.messages.remove(due[0])
                self._go_on(self._take(due[0][1]), 999)

    def settle(self) -> None:
        """Everything runs to its end, and a few more syncs, without trouble, move what was left."""
        self.poison.clear()
        for _ in range(4):
            self._finish()
            self.clock.time += TIMEOUT * 2
            self.store.catch_up()
            self.start()
        self._finish()

    def _finish(self) -> None:
        for _turn in range(5000):
            if not self.actors:
                if not self.messages:
                    return
                self.messages.sort(key=lambda each: each[0])
                due, message = self.messages.pop(0)
                self.clock.time = max(self.clock.time, due)
                self.deliver(message)
            self.actors[0].go_on()
            self.reap(self.actors[0])
        raise AssertionError("it does not end")

    def check(self) -> None:
        """What holds of a world that has settled."""
        control = self.store.control()
        assert control.phase is Phase.DONE
        for content in CONTENTS:
            synced = self.totals(content).organic
            held = [s for (s,) in self.shards.read(range(SHARDS), [content])]
            assert not any(s.parts or s.pending for s in held), (content, held)
            accepted = self.accepted[content] + self.away[content]
            low = accepted - self.maybe_lost[content]
            high = accepted - self.surely_lost[content] + self.maybe_twice[content]
            assert low <= synced <= high, (content, low, synced, high)
            daily = self.store.daily(content)
            assert sum(daily.values()) == synced, (content, synced, daily)
            if not (self.losses[content] or self.maybe_twice[content]):
                assert daily == {day: views for (of, day), views in self.of_days.items() if of == content and views}
        assert self.store.folded() == self.by_row
        for name in FIELDS:
            assert not any(any(self.shards.refusals_of(s, name)) for s in range(SHARDS))
            moved = self.store.refusals(name)
            low = self.accepted[name] - self.maybe_lost[name]
            assert low <= moved <= self.accepted[name] - self.surely_lost[name], (name, low, moved)


_HAPPENS = {
    World._someone_goes_on: 14,
    World._someone_dies: 1,
    World._view_comes: 4,
    World._view_is_refused: 1,
    World._view_comes_while_redis_is_away: 1,
    World._view_comes_while_redis_is_slow: 1,
    World._viewer_comes_again: 1,
    World._index_catches_up: 1,
    World._message_is_delivered: 3,
    World._message_is_delivered_again: 3,
    World._sync_is_started: 2,
    World._shard_restarts: 1,
    World._time_goes_by: 2,
    World._content_begins_to_fail: 1,
    World._someone_reads: 2,
}
