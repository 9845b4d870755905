"""The viewer shards in Redis, as the sync and the readers use them: on a single server or a cluster."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from hashlib import sha1
from itertools import chain
from pathlib import Path
from struct import Struct
from typing import Any, NamedTuple

from redis import Redis
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.exceptions import (
    AskError,
    MovedError,
    NoScriptError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.retry import Retry

from sluice.errors import Misconfigured
from views import keys
from views.beside import ALONE, Beside
from views.held import AwayView, Outdated, Part, RedisAway, Seen, ShardStats, Standing, Taken, is_readable, parts_of
from views.rules import LONGEST_DAY_SECONDS

# A child of the worker's logger, whose name is the service's: asking Powertools for it would bring botocore.
logger = logging.getLogger(f"sluice.{__name__}")

_FAILED = (RedisError, RedisClusterException)  # the second is not one of the first
# What says that a command had no effect where it was sent, and may have it elsewhere.
_NOT_RUN = (NoScriptError, MovedError, AskError, TryAgainError)


# Scripts that write nothing.
_READING = ("read", "stats", "standing", "rebuild_state")
_CLAIM_KEPT_MILLISECONDS = 3 * LONGEST_DAY_SECONDS * 1000  # beyond the next night's sync, which may repeat the claim
_TIMES = Struct(">QQQ")


class _Script(NamedTuple):
    name: str
    text: str
    sha: str


class _Call(NamedTuple):
    keys: list[str]
    args: list[str | bytes | int]


class RedisShards:
    """Every method answers for all shards given, in order, or raises RedisAway: never a zero for an error.

    Each shard's part is atomic, and in one cluster slot; it is all of one round trip on a single server, and one for
    each node of a cluster, whose client refuses EVALSHA in a pipeline.

    A key of another type than its own, such as one that was written by hand, is empty for those who read. Those who
    write move it aside, and log it for ViewsSyncProblemsAlarm.
    """

    def __init__(self, client: "Redis | RedisCluster") -> None:
        self._client = client

    def open(self, shards: Sequence[int], epoch: int) -> None:
        """Take what is pending and refused into `epoch`. Nothing on a shard that is there or further; a shard without
        an epoch, new or restarted empty, joins it with nothing.
        """
        names = (keys.epoch, keys.pending, keys.syncing, keys.refused, keys.refusing, keys.stats)
        self._run("open", [_Call([name(s) for name in names], [epoch]) for s in shards])

    def left(self, shards: Sequence[int], epoch: int, taken: Taken) -> list[int]:
        """How many contents, or refusals' fields, of `epoch` each shard still holds. Raises Outdated."""
        return [int(left) for _, left, _ in self._pages(shards, epoch, 0, taken)]

    def page(self, shard: int, epoch: int, limit: int, taken: Taken) -> list[str]:
        """Up to `limit` contents, or refusals' fields, of `epoch` that the shard still holds. Raises Outdated.

        A name that is no text is logged and dropped: nothing can be added for it.
        """
        names = self._pages([shard], epoch, limit, taken)[0][2]
        if odd := [name for name in names if _text(name).encode() != name]:
            for name in odd:
                _passed_by(name)
            self.drop([shard], epoch, odd, taken)
        return [_text(name) for name in names if name not in odd]

    def held(self, shards: Sequence[int], epoch: int, contents: Sequence[str]) -> list[list[tuple[Part, ...]]]:
        """For each shard, in the order of `contents`: what it holds of each, in `epoch` and moved aside before it.

        A shard without an epoch, or behind it, holds nothing. What cannot be read is logged and left out. Raises
        Outdated.
        """
        found = []
        for values in self._values(Taken.VIEWS, shards, epoch, contents):
            pairs = list(zip(values[1::2], values[::2], strict=True))
            for content, pair in zip(contents, pairs, strict=True):
                if odd := [value for value in pair if not is_readable(_text(value))]:
                    _passed_by(content, *odd)
            found.append([_parts(epoch, *pair) for pair in pairs])
        return found

    def refusals(self, shards: Sequence[int], epoch: int, fields: Sequence[str]) -> list[list[int]]:
        """For each shard, in the order of `fields`: how often it refused in `epoch`. What cannot be read is logged, and
        counts as 0. Raises Outdated.
        """
        held = self._values(Taken.REFUSALS, shards, epoch, fields)
        return [[_count(field, value) for field, value in zip(fields, values, strict=True)] for values in held]

    def drop(self, shards: Sequence[int], epoch: int, names: Sequence[str | bytes], taken: Taken) -> None:
        """Forget contents, or refusals' fields, of which all that was held is applied. Raises Outdated."""
        calls = [
            _Call(
                [keys.epoch(s), *_hashes(taken, s), *([keys.stats(s)] if taken is Taken.VIEWS else [])], [epoch, *names]
            )
            for s in shards
        ]
        for opened in self._run("drop", calls):
            _check(opened, epoch)

    def park(self, shards: Sequence[int], epoch: int, day: str, content: str) -> None:
        """Move a content aside, so that it waits for a later epoch. Raises Outdated."""
        names = (keys.epoch, keys.syncing, keys.parked, keys.stats)
        calls = [_Call([name(s) for name in names], [epoch, day, content]) for s in shards]
        for opened in self._run("park", calls):
            _check(opened, epoch)

    def parked(self, shard: int, limit: int) -> list[str]:
        """Up to `limit` contents that were moved aside, by lot: so those that fail for ever keep none waiting."""
        return [_text(content) for content in self._translated(lambda: self._sample(shard, limit))]

    def claim(self, views: Sequence[AwayView], shards: int, now: int) -> list[bool]:
        """Whether the sync is to add each view: not when `track.lua` counted that content for that viewer on that day.
        From then on tracking refuses what it would refuse after the view. A repeat within days answers the same.

        `shards` is the number of shards that tracking knows; `now` is in milliseconds.
        """
        by_shard: dict[int, list[int]] = {}
        for number, view in enumerate(views):
            by_shard.setdefault(keys.shard_of(view.viewer, shards), []).append(number)
        calls = [
            _Call(
                [keys.viewer_state(views[number].viewer, shards) for number in numbers],
                [now, _CLAIM_KEPT_MILLISECONDS, *chain.from_iterable(_claiming(views[number]) for number in numbers)],
            )
            for numbers in by_shard.values()
        ]
        answers = zip(chain(*by_shard.values()), chain(*self._run("claim", calls)), strict=True)
        return [bool(is_ours) for _, is_ours in sorted(answers)]

    def have_work(self, shards: Sequence[int]) -> list[bool]:
        """Whether each shard has anything for the next epoch: pending, moved aside or refused; or left in an epoch that
        the restored database does not remember.
        """
        return self._translated(lambda: [self._has_work(shard) for shard in shards])

    def read(self, shards: Sequence[int], contents: Sequence[str]) -> list[list[Seen]]:
        """For each shard, in the order of `contents`: what it holds of each."""
        calls = [
            _Call([keys.epoch(s), keys.pending(s), keys.syncing(s), keys.parked(s)], list(contents)) for s in shards
        ]
        return [
            [
                Seen(int(epoch), sum(part.views for part in _parts(0, pending)), _parts(int(epoch), parked, syncing))
                for pending, syncing, parked in zip(rest[::3], rest[1::3], rest[2::3], strict=True)
            ]
            for epoch, *rest in self._run("read", calls)
        ]

    def stats(self, shards: Sequence[int], day_start: int) -> list[ShardStats]:
        """How each shard stands; viewers and sessions are those of the day that began at `day_start` milliseconds."""
        names = (
            *(keys.epoch, keys.pending, keys.syncing, keys.refused, keys.refusing, keys.parked),
            *(keys.stats, keys.registered),
        )
        answers = self._run("stats", [_Call([name(s) for name in names], [day_start]) for s in shards])
        return [ShardStats(*map(int, answer)) for answer in answers]

    def used_memory(self) -> int | None:
        """Bytes that the primaries use; None where the service does not tell."""
        return self._translated(self._used_memory)

    def standing(self, viewer: str, shards: int, content: str, beside: Beside = ALONE) -> Standing:
        """What is remembered of a viewer (its key, and what is asked besides) and a content, by the number of shards
        that tracking knows.
        """
        shard = keys.shard_of(viewer, shards)
        states = keys.viewer_states(viewer, shards, beside.names)
        names = [keys.pending(shard), keys.stats(shard), keys.network(shard, beside.network), *states]
        pending, unknown, in_network, *kept = self._run("standing", [_Call(names, [keys.digest(content)])])[0]
        standing = Standing(pending_contents=int(pending), unknown_contents=int(unknown), network_views=int(in_network))
        if views_of_day := max(_packed(day, 6, 4) for day in kept[::2]):
            standing = replace(standing, day=views_of_day[0], views=views_of_day[1])
        if views_of_content := max((_packed(last, 6, 4, 2) for last in kept[1::2]), key=_last_view):
            last_view, age, views = views_of_content
            start = last_view - age
            standing = replace(standing, last_view=last_view, session_start=start, session_views=views)
        return standing

    def register(self, shards: Sequence[int], contents: Sequence[str], now: int, rebuild: str = "") -> list[bool]:
        """Add to the registered contents of each shard that has a set of them; in a rebuild only where that is still
        under way.
        """
        return self._of_registered("register", shards, rebuild, now, *contents)

    def rebuilds(self, shards: Sequence[int]) -> list[int | None]:
        """When the rebuild of each shard's registered contents got on last; 0: there is none, None: they are complete.

        Times are in milliseconds.
        """
        calls = [_Call([keys.registered(s), keys.rebuild(s)], []) for s in shards]
        return [None if int(at) < 0 else int(at) for at in self._run("rebuild_state", calls)]

    def begin_rebuild(self, shards: Sequence[int], rebuild: str, now: int) -> list[bool]:
        """Begin a rebuild, which ends any other, on each shard whose registered contents are not complete."""
        return self._of_registered("rebuild_begin", shards, rebuild, now)

    def end_rebuild(self, shards: Sequence[int], rebuild: str) -> list[bool]:
        """Mark the registered contents as complete on each shard where this rebuild is still under way."""
        return self._of_registered("rebuild_end", shards, rebuild)

    def forget_registered(self, shards: Sequence[int]) -> list[bool]:
        """Forget the registered contents of each shard; which had any."""
        return self._of_registered("forget_registered", shards)

    def _of_registered(self, script: str, shards: Sequence[int], *args: str | int) -> list[bool]:
        calls = [_Call([keys.registered(s), keys.rebuild(s)], list(args)) for s in shards]
        return [bool(done) for done in self._run(script, calls)]

    def _used_memory(self) -> int | None:
        try:
            if isinstance(self._client, RedisCluster):
                answer: Any = self._client.info("memory", target_nodes=RedisCluster.PRIMARIES)
                # Of a single node the client answers what it says; of several, that by their names.
                told = [answer] if "used_memory" in answer else list(answer.values())
            else:
                told = [self._client.info("memory")]
        except ResponseError:
            return None
        used = [each["used_memory"] for each in told if isinstance(each, dict) and "used_memory" in each]
        return sum(used) if len(used) == len(told) else None

    def _has_work(self, shard: int) -> bool:
        names = (keys.pending, keys.parked, keys.refused, keys.syncing, keys.refusing)
        found: Any = self._client.exists(*(name(shard) for name in names))
        return int(found) > 0

    def _sample(self, shard: int, limit: int) -> list[Any]:
        try:
            found: Any = self._client.hrandfield(keys.parked(shard), limit)
        except ResponseError as error:
            if not self._odd([keys.parked(shard)], error, moving=True):
                raise
            return []
        return list(found or ())

    def _pages(self, shards: Sequence[int], epoch: int, limit: int, taken: Taken) -> list[Any]:
        answers = self._run("page", [_Call([keys.epoch(s), _hashes(taken, s)[0]], [epoch, limit]) for s in shards])
        for answer in answers:
            _check(answer[0], epoch)
        return answers

    def _values(self, taken: Taken, shards: Sequence[int], epoch: int, names: Sequence[str]) -> list[list[Any]]:
        """For each shard, for each name: its value in each hash; none on a shard that is behind."""
        calls = [_Call([keys.epoch(s), *_hashes(taken, s)], [epoch, *names]) for s in shards]
        answers = self._run("held", calls)
        for opened, *_ in answers:
            _check(opened, epoch)
        none = [b""] * (len(names) * len(_hashes(taken, 0)))
        return [values or none for _, *values in answers]

    def _run(self, name: str, calls: list[_Call]) -> list[Any]:
        return self._translated(lambda: self._answers(_script(name), calls))

    def _answers(self, script: _Script, calls: list[_Call]) -> list[Any]:
        answers: dict[int, Any] = {}
        for connection, numbers in self._by_node(calls):
            pipeline = connection.pipeline(transaction=False)
            for number in numbers:
                call = calls[number]
                pipeline.evalsha(script.sha, len(call.keys), *call.keys, *call.args)
            answers |= zip(numbers, pipeline.execute(raise_on_error=False), strict=True)
        for number, answer in answers.items():
            if isinstance(answer, _NOT_RUN) or _met_another_type(answer):
                answers[number] = self._again(script, calls[number])
            elif isinstance(answer, Exception):
                raise answer
        return [answers[number] for number in range(len(calls))]

    def _again(self, script: _Script, call: _Call) -> Any:
        """Run a script that was not run, or that met a key of another type: without such keys. It can be repeated."""
        is_reading = script.name in _READING
        try:
            return self._client.eval(script.text, len(call.keys), *call.keys, *call.args)
        except ResponseError as error:
            odd = self._odd(call.keys, error, moving=not is_reading)
            if not odd:
                raise
        # No key has that name: it stands for what a reader leaves where it is.
        names = [f"{name}:absent" if is_reading and name in odd else name for name in call.keys]
        return self._client.eval(script.text, len(names), *names, *call.args)

    def _odd(self, names: Sequence[str], error: ResponseError, *, moving: bool) -> list[str]:
        """The keys of another type, because of which a script failed; `moving` moves them aside, and logs them."""
        if not _met_another_type(error):
            return []
        aside = [*names, *map(keys.unreadable, names)]
        args: list[str | int] = [int(moving), *map(keys.type_of, names)]
        found: Any = self._client.eval(_script("set_aside").text, len(aside), *aside, *args)
        odd = [names[number - 1] for number in found]
        for name in odd if moving else ():
            logger.error("Unreadable key in Redis", extra={"key": name, "moved_to": keys.unreadable(name)})
        return odd

    def _by_node(self, calls: list[_Call]) -> "list[tuple[Redis, list[int]]]":
        """The server of each group of calls, and their numbers: primaries only."""
        if isinstance(self._client, Redis):
            return [(self._client, list(range(len(calls))))]
        groups: dict[str, tuple[Any, list[int]]] = {}
        for number, call in enumerate(calls):
            node = self._client.get_node_from_key(call.keys[0])  # type: ignore[no-untyped-call]
            if node is None:
                raise RedisClusterException("A slot has no server")
            groups.setdefault(node.name, (self._client.get_redis_connection(node), []))[1].append(number)
        return list(groups.values())

    def _translated[T](self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except _FAILED as error:
            if isinstance(self._client, RedisCluster):
                with suppress(*_FAILED):
                    self._client.nodes_manager.initialize()  # another node may hold the slots now
            raise RedisAway("Redis does not answer") from error


def client(url: str, mode: str, timeout_seconds: float) -> "Redis | RedisCluster":
    """The server at `url`, alone or as a node of a cluster: `mode` is single or cluster.

    A cluster is asked for its nodes at once. Raises RedisAway when none answers, Misconfigured for another mode.
    """
    options: dict[str, Any] = {
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "retry": Retry(NoBackoff(), 1),  # a server hangs up on a connection that was idle: every call can be repeated
        "protocol": 2,  # with 3 each connection begins with a HELLO
        "driver_info": None,
    }
    try:
        match mode:
            case "single":
                return Redis.from_url(url, **options)
            case "cluster":
                return RedisCluster.from_url(url, **options)
    except _FAILED as error:
        raise RedisAway("Redis does not answer") from error
    raise Misconfigured("REDIS_MODE must be one of single, cluster")


def _hashes(taken: Taken, shard: int) -> list[str]:
    if taken is Taken.REFUSALS:
        return [keys.refusing(shard)]
    return [keys.syncing(shard), keys.parked(shard)]


@cache
def _script(name: str) -> _Script:
    text = Path(__file__).with_name(f"{name}.lua").read_text()
    return _Script(name, text, sha1(text.encode(), usedforsecurity=False).hexdigest())


def _met_another_type(answer: object) -> bool:
    """Whether a command refused a key because of its type. A script's error has that of its command in it."""
    return isinstance(answer, ResponseError) and "WRONGTYPE" in str(answer)


def _claiming(view: AwayView) -> tuple[bytes, bytes]:
    """A view as `claim.lua` reads it."""
    moment = view.moment
    return keys.digest(view.content), _TIMES.pack(moment.now, moment.day_start, moment.day_end)


def _packed(octets: bytes, *sizes: int) -> list[int]:
    """Numbers as the scripts pack them, most significant byte first; none when there is nothing."""
    found = []
    for size in sizes if octets else ():
        found.append(int.from_bytes(octets[:size]))
        octets = octets[size:]
    return found


def _last_view(views_of_content: list[int]) -> list[int]:
    """The view, and how many the session had by then."""
    return views_of_content[::2]


def _check(opened: Any, epoch: int) -> None:
    if int(opened) > epoch:
        raise Outdated("A later epoch was opened")


def _parts(epoch: int, *values: Any) -> tuple[Part, ...]:
    return parts_of(";".join(_text(value) for value in values), epoch)


def _count(field: str, value: Any) -> int:
    if value and not value.isdigit():
        _passed_by(field, value)
        return 0
    return int(value or 0)


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _passed_by(name: str | bytes, *values: Any) -> None:
    """Log a field that cannot be read, such as one that was written by hand: it must hold up no other."""
    logger.error("Unreadable field in Redis", extra={"field": repr(name), "values": [*map(repr, values)]})
