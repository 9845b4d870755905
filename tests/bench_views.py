"""What tracking a view costs: against the rules as their sources write them, and against the budgets."""

import json
import logging
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from unittest.mock import patch

import time_machine
from botocore.client import BaseClient
from redis import Redis
from redis.connection import Connection
from rich.table import Table

from sluice.clock import next_midnight
from tests.account import account
from tests.bench_tables import a_table, console
from tests.factories import NOON, UTC_ZONE
from tests.gateway import Context
from tests.integration.harness import Functions
from tests.integration.test_views_sync import CLOSING, Syncs
from tests.integration.track_function import SETTINGS, a_view
from tests.redis_servers import Servers, free_ports, single, unreachable
from tests.template_reader import ROOT
from tests.view_counter import ViewCounter
from views import keys
from views.rules import Rules
from views.track import api as track
from views.track import counter
from views.track.bodies import MAX_VIEWS

ROUNDS = 9
VIEWS = 400
CHUNK = 40
IMPORTS = 15
RANDOM_IDS = 100_000
SYNCED = 400
ON_SHARDS = 3
PATH = f"{ROOT / 'functions'}:{ROOT / 'layers' / 'kernel'}"


class Sources:
    """The rules as their sources write them: keys of S2-16, one command at a time, each key with its expiry."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    def track(self, user: str, content_type: str, content_id: str) -> bool:
        client, content, day = self._client, f"{content_type}:{content_id}", NOON.date().isoformat()
        cooldown, daily_viewed = f"cooldown:{user}:{content}", f"daily_viewed:{user}:{content}:{day}"
        viewed, daily_views = f"viewed:{user}:{content}", f"daily_views:{user}:{day}"
        if (
            client.exists(cooldown)
            or client.exists(daily_viewed)
            or int(client.get(viewed) or 0) >= 3
            or int(client.get(daily_views) or 0) >= 100
        ):
            return False
        midnight = int((next_midnight(NOON, UTC_ZONE) - NOON).total_seconds())
        client.incr(f"{content_type}:views:{content_id}")
        if client.incr(viewed) == 1:
            client.expire(viewed, 86_400)
        if client.incr(daily_views) == 1:
            client.expire(daily_views, midnight)
        client.set(daily_viewed, 1, ex=midnight)
        client.set(cooldown, 1, ex=300)
        return True


class Pipelined:
    """The same commands in two round trips: what is asked, then what is written. Between them others may write."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    def track(self, user: str, content_type: str, content_id: str) -> bool:
        content, day = f"{content_type}:{content_id}", NOON.date().isoformat()
        cooldown, daily_viewed = f"cooldown:{user}:{content}", f"daily_viewed:{user}:{content}:{day}"
        viewed, daily_views = f"viewed:{user}:{content}", f"daily_views:{user}:{day}"
        asked = self._client.pipeline(transaction=False)
        asked.exists(cooldown).exists(daily_viewed).get(viewed).get(daily_views)
        cools, seen, in_session, today = asked.execute()
        if cools or seen or int(in_session or 0) >= 3 or int(today or 0) >= 100:
            return False
        midnight = int((next_midnight(NOON, UTC_ZONE) - NOON).total_seconds())
        written = self._client.pipeline(transaction=False)
        written.incr(f"{content_type}:views:{content_id}")
        written.incr(viewed).expire(viewed, 86_400).incr(daily_views).expire(daily_views, midnight)
        written.set(daily_viewed, 1, ex=midnight).set(cooldown, 1, ex=300)
        written.execute()
        return True


def main() -> None:
    with single() as servers:
        console.print("[bold]A view[/] by the rules as their sources write them, and as the script does; medians")
        bench_rules(servers)
        console.print("\n[bold]Memory[/] of what the rules remember, by the contents that each viewer sees")
        bench_memory(servers)
        console.print("\n[bold]Budgets[/]")
        bench_budgets(servers)
        console.print(
            f"\n[bold]Random ids[/] from one address: what {RANDOM_IDS:,} views of as many contents cost in Redis"
        )
        bench_random_ids(servers)
        console.print(
            f"\n[bold]A sync[/] of {SYNCED:,} contents, each on {ON_SHARDS} shards, on moto: per 10,000 contents"
        )
        bench_sync(servers)
    console.print("\n[bold]While Redis is away[/], in fresh interpreters, on a table that answers at once")
    bench_fallback()


def bench_rules(servers: Servers) -> None:
    client = servers.clients()[0]
    counter_ = ViewCounter(servers.nodes, Rules(), UTC_ZONE)
    numbers = count()
    ways: dict[str, Callable[[str, str], object]] = {
        "sources": lambda user, content: Sources(client).track(user, "story", content),
        "pipelined": lambda user, content: Pipelined(client).track(user, "story", content),
        "script": lambda user, content: counter_.track(f"anon:{user:0>22}", "story", content, NOON),
    }
    table = a_table("", "views a second", "server us a view", "round trips", "refused: a second", "server us")
    servers.flush()
    rows: dict[str, list[list[float]]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, view in ways.items():
            users = [f"{name}{next(numbers)}" for _ in range(VIEWS)]
            view(users[0], "warm")
            figures: list[float] = []
            for _ in ("counted", "refused"):
                client.config_resetstat()
                began = time.perf_counter()
                for number, user in enumerate(users):
                    view(user, str(number % 50))
                seconds = time.perf_counter() - began
                stats = client.info("commandstats")
                # A script's own commands are in its time already.
                wanted = ["cmdstat_evalsha"] if name == "script" else [each for each in stats if "config" not in each]
                figures += [VIEWS / seconds, sum(stats[each]["usec"] for each in wanted) / VIEWS]
                figures.append(sum(stats[each]["calls"] for each in wanted) / VIEWS)
            rows[name].append(figures)
    for name, measured in rows.items():
        rate, usec, calls, refused, refused_usec, _ = (
            statistics.median(column) for column in zip(*measured, strict=True)
        )
        trips = 2 if name == "pipelined" else calls
        table.add_row(name, f"{rate:,.0f}", f"{usec:.1f}", f"{trips:.0f}", f"{refused:,.0f}", f"{refused_usec:.1f}")
    console.print(table)


def bench_memory(servers: Servers) -> None:
    table = a_table("contents a viewer", "sources: bytes a view", "script", "ratio", "script, MEMORY USAGE", "budget")
    client = servers.clients()[0]
    for contents in (1, 2, 5, 100):
        used = {}
        # Names of viewers are as long in both, so that neither gains by it.
        viewers = [f"{viewer:0>22}" for viewer in range(4000 // contents)]
        for name in ("sources", "script"):
            servers.flush()
            view = Sources(client).track if name == "sources" else _scripted(servers)
            for content in range(contents):
                view("warm" * 5 + "up", "story", f"content-{content:0>6}")
            before = client.info("memory")["used_memory"]
            for viewer in viewers:
                for content in range(contents):
                    view(viewer, "story", f"content-{content:0>6}")
            used[name] = (client.info("memory")["used_memory"] - before) / (len(viewers) * contents)
        state = int(client.memory_usage(keys.viewer_state(f"anon:{viewers[0]}"), samples=0))
        table.add_row(
            *(str(contents), f"{used['sources']:.0f}", f"{used['script']:.0f}"),
            *(f"{used['sources'] / used['script']:.1f}", f"{state / contents:.0f}", "150"),
        )
    console.print(table)


def _scripted(servers: Servers) -> Callable[[str, str, str], object]:
    found = ViewCounter(servers.nodes, Rules(), UTC_ZONE)
    return lambda user, content_type, content_id: found.track(f"anon:{user}", content_type, content_id, NOON)


def bench_budgets(servers: Servers) -> None:
    table = a_table("figure", "measured", "budget")
    for contents in (5, 1):
        script_us, bare_us, incr_us, rate = _script_bare_and_incr(servers, contents)
        of = f"{contents} contents a viewer" if contents > 1 else "each viewer's first view"
        table.add_row(
            f"script's server time to a bare one's, {of}",
            f"{script_us / bare_us:.2f}  ({script_us:.1f} us, {bare_us:.1f} us; INCR {incr_us:.1f} us)",
            "<= 2.4" if contents > 1 else "",
        )
        table.add_row("its rate to INCR's, on a socket", f"{rate:.2f}", "")
    ours, bare = _handlers(servers)
    table.add_row("handler to a bare json + EVALSHA", f"{ours / bare:.2f}  ({ours:.0f} us, {bare:.0f} us)", "<= 1.60")
    mine, redis = _imports()
    table.add_row("import to import redis", f"{mine / redis:.2f}  ({mine:.0f} ms, {redis:.0f} ms)", "<= 1.20")
    console.print(table)


BARE = """
redis.call('HMGET', KEYS[1], 'd', ARGV[1])
redis.call('HSET', KEYS[1], 'd', '0123456789', ARGV[1], '0123456789ab')
redis.call('HSET', KEYS[2], ARGV[2], '2026-11-20:1;')
return 0
"""
"""The fewest commands that a view could be, with the same keys and arguments, and nothing to think about."""


def _script_bare_and_incr(servers: Servers, contents: int) -> tuple[float, float, float, float]:
    """Server time of each, and the script's rate to INCR's as bytes on a socket, with no client to be slow.

    Medians of rounds that take turns, so that a busy machine is as busy for all of them.
    """
    servers.flush()
    client = servers.clients()[0]
    captured: list[Any] = []
    exchange = counter._exchange
    tracker = ViewCounter(servers.nodes, Rules(), UTC_ZONE)
    counter._exchange = lambda pool, commands, answers: (
        captured.extend(commands.values())
        or exchange(  # type: ignore[func-returns-value]
            pool, commands, answers
        )
    )
    tracker.track("anon:warm", "story", "1", NOON)
    captured.clear()
    for number in range(ROUNDS * VIEWS):
        tracker.track(f"anon:{number // contents:0>22}", "story", str(number % 50), NOON)
    counter._exchange = exchange
    client.flushall()
    packer = Connection()
    views = [b"".join(packer.pack_command(*command)) for command in captured]
    bare_sha = client.script_load(BARE)
    bares = [b"".join(packer.pack_command("EVALSHA", bare_sha, *command[2:])) for command in captured]
    increments = [b"".join(packer.pack_command("INCR", f"key:{number % 50}")) for number in range(VIEWS)]
    rates, script_us, bare_us, incr_us = [], [], [], []
    with socket.create_connection(("127.0.0.1", servers.ports[0])) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for first in range(0, len(views), CHUNK):
            client.config_resetstat()
            incr = _exchange_all(wire, increments[:CHUNK])
            script = _exchange_all(wire, views[first : first + CHUNK])
            rates.append(incr / script)
            stats = client.info("commandstats")
            script_us.append(stats["cmdstat_evalsha"]["usec_per_call"])
            incr_us.append(stats["cmdstat_incr"]["usec_per_call"])
            client.config_resetstat()
            # A database of its own: what it writes is no state that the script could read.
            _exchange_all(wire, [b"SELECT 1\r\n", *bares[first : first + CHUNK], b"SELECT 0\r\n"])
            bare_us.append(client.info("commandstats")["cmdstat_evalsha"]["usec_per_call"])
    return tuple(statistics.median(each) for each in (script_us, bare_us, incr_us, rates))  # type: ignore[return-value]


def _exchange_all(wire: socket.socket, commands: list[bytes]) -> float:
    began = time.perf_counter()
    for command in commands:
        wire.sendall(command)
        wire.recv(256)
    return time.perf_counter() - began


def bench_random_ids(servers: Servers) -> None:
    table = a_table(
        "who", "MaxContentsPerShard", "counted", "memory", "bytes a view", "of it pending", "refused", "viewers"
    )
    default = Rules().max_contents
    for who, views_each in (("one viewer", RANDOM_IDS), ("a new user agent for each 50", 50)):
        for bound in (0, default, 1_000):
            memory, counted, parts = _random_ids(servers, Rules(max_contents=bound), views_each)
            table.add_row(
                *(who, f"{bound:,}" if bound else "off", f"{counted:,}", _megabytes(memory)),
                *(f"{memory / RANDOM_IDS:.0f}", *(_megabytes(part) for part in parts)),
            )
    console.print(table)


def _random_ids(servers: Servers, rules: Rules, views_each: int) -> tuple[int, int, tuple[int, int, int]]:
    """Memory that was taken, views that counted, and the memory of what is pending, refused, and of viewers' states."""
    servers.flush()
    client = servers.clients()[0]
    tracker, ids = ViewCounter(servers.nodes, rules, UTC_ZONE), random.Random(1)
    tracker.track("anon:warm", "story", "1", NOON)
    client.flushall()
    before, counted = client.info("memory")["used_memory"], 0
    for number in range(RANDOM_IDS // MAX_VIEWS):
        contents = [("story", f"{ids.getrandbits(128):032x}") for _ in range(MAX_VIEWS)]
        decisions = tracker.track_many(f"anon:{number * MAX_VIEWS // views_each:0>22}", contents, NOON)
        counted += sum(decision.is_counted for decision in decisions)
    memory = client.info("memory")["used_memory"] - before
    used = {key: client.memory_usage(key, samples=0) for key in client.scan_iter(count=1000)}
    parts = tuple(
        sum(size for key, size in used.items() if part in key) for part in (b":pending", b":refused", b":anon:")
    )
    return memory, counted, parts  # type: ignore[return-value]


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


class SourcesSync:
    """The sync as its source writes it (S2-23): collect, one UPDATE per model, and if all went well one DEL per key.

    It finds them by KEYS, as caches offer no other way, and clears what the rules remember, which ours does not.
    """

    def __init__(self, client: Redis, database: Any, table: str) -> None:
        self._client = client
        self._database = database
        self._table = table

    def run(self) -> None:
        names = self._client.keys("*:views:*")
        for name in names:
            views = int(self._client.get(name) or 0)
            self._database.update_item(
                TableName=self._table,
                Key={"key": {"S": name.decode()}},
                UpdateExpression="ADD #views :views",
                ExpressionAttributeNames={"#views": "views"},
                ExpressionAttributeValues={":views": {"N": str(views)}},
            )
        for name in names:
            self._client.delete(name)
        for pattern in ("daily_viewed:*", "viewed:*", "daily_views:*", "cooldown:*"):
            for name in self._client.keys(pattern):
                self._client.delete(name)


@contextmanager
def _counted() -> Iterator[dict[str, int]]:
    """AWS calls, items that they write, and round trips to Redis."""
    counts = {"calls": 0, "items": 0, "units": 0, "trips": 0}
    call, send = BaseClient._make_api_call, Connection.send_packed_command

    def calling(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
        counts["calls"] += 1
        together = len(arguments.get("TransactItems", ()))
        written = together or operation in ("UpdateItem", "PutItem")
        counts["items"] += written
        counts["units"] += 2 * together or written  # a transaction's writes cost twice: items are below 1 KB
        return call(client, operation, arguments)

    def sending(connection: Any, *arguments: Any, **named: Any) -> Any:
        counts["trips"] += 1
        return send(connection, *arguments, **named)

    with patch.object(BaseClient, "_make_api_call", calling), patch.object(Connection, "send_packed_command", sending):
        yield counts


def bench_sync(servers: Servers) -> None:
    table = a_table(
        "", "AWS calls", "items written", "write units", "Redis round trips", "seconds on moto", "a retry adds"
    )
    logging.disable(logging.INFO)
    client = servers.clients()[0]
    with account() as aws, time_machine.travel(NOON, tick=False) as clock:
        servers.flush()
        for number in range(SYNCED):
            client.set(f"story:views:{number}", ON_SHARDS)
            client.set(f"daily_viewed:user:{number}:story:{number}:2026-11-20", 1)
        with _counted() as counts:
            began = time.perf_counter()
            SourcesSync(client, aws.client("dynamodb"), aws.ref("TotalsTable")).run()
            _add_sync(table, "sources", counts, time.perf_counter() - began, "every view again")
        servers.flush()
        world = Syncs(aws, Functions(aws), servers, clock)
        world.start()
        world.work_off()
        clock.shift(CLOSING)
        for shard in range(ON_SHARDS):
            client.hset(keys.pending(shard), mapping={f"video:{number}": 1 for number in range(SYNCED)})
        with _counted() as counts:
            began = time.perf_counter()
            world.start()
            world.work_off()
            _add_sync(table, "ours", counts, time.perf_counter() - began, "nothing")
        assert not any(client.exists(keys.pending(shard), keys.syncing(shard)) for shard in range(ON_SHARDS))
    logging.disable(logging.NOTSET)
    console.print(table)
    console.print(
        "Budget: 2 items a content, its total and its day, one for 49 contents, the platform's day, and the calls of "
        "an epoch beside one for 49 contents."
    )


def _add_sync(table: Table, name: str, counts: dict[str, int], seconds: float, retried: str) -> None:
    figures = (counts["calls"], counts["items"], counts["units"], counts["trips"])
    table.add_row(name, *(f"{10_000 * figure / SYNCED:,.0f}" for figure in figures), f"{seconds:.0f}", retried)


def _handlers(servers: Servers) -> tuple[float, float]:
    """Microseconds of a counted view: our handler's, and one's that only reads JSON, runs the script and answers."""
    servers.flush()
    client = Redis(port=servers.ports[0], protocol=2)
    sha = client.script_load((ROOT / "functions/views/track/track.lua").read_text())
    times = [int((NOON + timedelta(hours=hours)).timestamp() * 1000) for hours in (0, -12, 12)]
    rules = (300_000, 1, 3, 86_400_000, 100, 90_000_000, 100_000, 10_000, 0, 0, 1, 0, 0, 0)
    numbers_packed = counter._NUMBERS.pack(*times, *rules)

    def bare(event: dict[str, Any], _context: object) -> dict[str, Any]:
        view = json.loads(event["body"])
        content = f"{view['content_type']}:{view['content_id']}"
        viewer = f"anon:{event['requestContext']['http']['sourceIp']:0>22}"
        shard = keys.shard_of(viewer)
        names = (
            keys.viewer_state(viewer),
            keys.pending(shard),
            keys.refused(shard),
            keys.stats(shard),
            keys.registered(shard),
        )
        arguments = (content[-8:], content, numbers_packed, "2026-11-20T12", "", "2026-11-20")
        answer: Any = client.evalsha(sha, 5, *names, *arguments)
        return {"statusCode": 200, "body": json.dumps({"counted": answer == 0})}

    track.tracker.cache_clear()
    with patch.dict("os.environ", SETTINGS | {"REDIS_URL": servers.url, "REDIS_MODE": "single"}):
        track.tracker()
    taken: dict[str, list[float]] = {"ours": [], "bare": []}
    numbers = count()
    for _ in range(ROUNDS):
        for name, handler in (("ours", track.handler), ("bare", bare)):
            number = next(numbers)
            events = [
                a_view(str(each % 50), address=f"10.{number}.{each // 250}.{each % 250}") for each in range(VIEWS)
            ]
            handler(a_view("warm"), Context())
            began = time.perf_counter()
            for event in events:
                handler(event, Context())
            taken[name].append(1_000_000 * (time.perf_counter() - began) / VIEWS)
    track.tracker.cache_clear()
    return statistics.median(taken["ours"]), statistics.median(taken["bare"])


def _imports() -> tuple[float, float]:
    """Milliseconds of importing the function, and redis alone: with bytecode, in turn."""
    times: dict[str, list[float]] = {"views.track.api": [], "redis": []}
    environment = {"PYTHONPATH": PATH}
    for _ in range(IMPORTS + 1):
        for name, found in times.items():
            code = f"import time; began = time.perf_counter(); import {name}; print(time.perf_counter() - began)"
            found.append(1000 * float(subprocess.check_output([sys.executable, "-c", code], env=environment)))
    mine, redis = (statistics.median(found[1:]) for found in times.values())
    return mine, redis


FALLBACKS = """
import json, sys, time
from views import breaker
from views.track import api as track
events = json.load(sys.stdin)
track.tracker()
for number, event in enumerate(events):
    if number == 3:
        time.sleep(breaker.OPEN_SECONDS)
    began = time.perf_counter()
    answer = track.handler(event, None)
    assert json.loads(answer["body"])["degraded"], answer
    print(1000 * (time.perf_counter() - began))
"""


def bench_fallback() -> None:
    table = a_table("Redis", "first fallback", "second", "third", "after 5 s, tried again", "budget")
    events = [a_view(str(number)) for number in range(4)]
    refusing = f"redis://127.0.0.1:{free_ports(1)[0]}"
    for name, url, mode in (
        ("refuses", refusing, "single"),
        ("refuses, cluster", refusing, "cluster"),
        ("drops packets", "", "single"),
        ("drops packets, cluster", "", "cluster"),
    ):
        with _dynamodb() as endpoint, unreachable() as port:
            environment = SETTINGS | {
                "PYTHONPATH": PATH,
                "REDIS_URL": url or f"redis://127.0.0.1:{port}",
                "REDIS_MODE": mode,
                "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
                "AWS_ACCESS_KEY_ID": "testing",
                "AWS_SECRET_ACCESS_KEY": "testing",
                "AWS_DEFAULT_REGION": "us-east-1",
            }
            done = subprocess.run(
                [sys.executable, "-c", FALLBACKS],
                env=environment,
                input=json.dumps(events),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                check=True,
            )
        table.add_row(name, *(f"{float(line):.0f} ms" for line in done.stdout.split()), "250 ms")
    console.print(table)


@contextmanager
def _dynamodb() -> Iterator[str]:
    """An endpoint that takes every row at once."""

    class Taking(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


if __name__ == "__main__":
    main()
