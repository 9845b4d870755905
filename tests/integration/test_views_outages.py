"""Tracking while Redis is away, hung, moving or full: what counts, where, and never twice."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from redis import Redis

from local.processes import wait_until
from sluice import aws as clients
from tests.account import Account
from tests.deadlines import PATIENCE
from tests.integration.track_function import ADDRESS, Answer, TrackFunction, pending
from tests.redis_servers import Servers, cluster, free_ports, single, unreachable
from views import keys
from views.track import api as track
from views.track import bootstrap, counter

AUCKLAND = ZoneInfo("Pacific/Auckland")
VIEWERS = [f"203.0.113.{number}" for number in range(40)]


class Ticks:
    """The monotonic clock of one environment, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0


@pytest.fixture(autouse=True)
def _nothing_cached() -> Iterator[None]:
    yield
    track.tracker.cache_clear()


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Ticks:
    """What the function takes for time.monotonic."""
    found = Ticks()
    made = counter.ViewCounter
    monkeypatch.setattr(bootstrap, "ViewCounter", lambda *arguments: made(*arguments, seconds=lambda: found.now))
    return found


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address that was connected to."""
    seen: list[Any] = []
    connect = socket.socket.connect

    def connecting(self: socket.socket, address: Any) -> None:
        seen.append(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connecting)
    return seen


@pytest.fixture
def table_calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every AWS call that was made."""
    calls: list[str] = []
    call = BaseClient._make_api_call

    def counting(client: BaseClient, operation: str, arguments: Any) -> Any:
        calls.append(operation)
        return call(client, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", counting)
    return calls


def away(mode: str = "single", **changes: str) -> TrackFunction:
    """A function whose Redis refuses connections."""
    return TrackFunction({"REDIS_URL": f"redis://127.0.0.1:{free_ports(1)[0]}", "REDIS_MODE": mode, **changes})


def rows(aws: Account) -> list[dict[str, Any]]:
    return aws.items("ViewsTable")


@pytest.mark.parametrize("mode", ["single", "cluster"])
def test_while_redis_is_away_a_view_counts_once_a_day_in_the_database(aws: Account, mode: str, ticks: Ticks) -> None:
    """S2-33. And until midnight in the zone."""
    function = away(mode, TIME_ZONE="Pacific/Auckland")
    midnight = datetime(2026, 11, 20, 11, tzinfo=UTC)

    first = function.view(at=midnight - timedelta(hours=1), subject="ada")
    again = function.view(at=midnight - timedelta(seconds=10), subject="ada")
    tomorrow = function.view(at=midnight, subject="ada")

    assert first.body == {"counted": True, "degraded": True, "session": first.session}
    assert again.body == {
        "counted": False,
        "reason": "daily_viewed",
        "reasons": ["daily_viewed"],
        "retry_after_seconds": 10,
        "degraded": True,
        "session": again.session,
    }
    assert tomorrow.body["counted"]
    assert sorted(row["part"] for row in rows(aws)) == ["2026-11-20#story:123", "2026-11-21#story:123"]


def test_a_row_says_what_the_sync_needs(aws: Account) -> None:
    """S2-33."""
    function = away()
    key = function.view().session.split(".")[1]

    (row,) = rows(aws)

    assert row == {
        "id": f"viewer#{key}",
        "part": "2026-11-20#story:123",
        "content": "story:123",
        "unfolded": str(keys.shard_of(key, 16)),
        "counted_at": "2026-11-20T12:00:00.000000Z",
    }


@pytest.mark.parametrize("mode", ["single", "cluster"])
def test_a_server_that_cannot_be_reached_was_sent_no_view(aws: Account, mode: str, ticks: Ticks) -> None:
    """S2-33. The next does not even try."""
    with unreachable() as port:
        function = TrackFunction({"REDIS_URL": f"redis://127.0.0.1:{port}", "REDIS_MODE": mode})
        answers = [function.view(str(number)) for number in range(2)]

    assert [answer.body["degraded"] for answer in answers] == [True, True]
    assert len(rows(aws)) == 2


def test_redis_is_given_a_tenth_of_a_second_and_one_try(servers: Servers) -> None:
    """S2-33. A second try could count twice."""
    connection = servers.nodes().pool(keys.pending(0)).make_connection()  # type: ignore[attr-defined]

    assert connection.socket_connect_timeout == 0.1
    assert connection.socket_timeout == 0.1
    assert connection.retry.get_retries() == 0


def test_where_a_row_is_looked_for_does_not_depend_on_the_shards_in_redis(aws: Account) -> None:
    keys_seen = [away(VIEW_SHARDS="100").view(address=viewer).session.split(".")[1] for viewer in VIEWERS]

    assert sorted(row["unfolded"] for row in rows(aws)) == sorted(str(keys.shard_of(key, 16)) for key in keys_seen)


def test_another_viewer_or_content_is_another_row(aws: Account) -> None:
    function = away(ONCE_PER_DAY="false")

    answers = [
        function.view(),
        function.view("other"),
        function.view(address="198.51.100.1"),
        function.view(body={"content_type": "video", "content_id": "123"}),
        function.view(),
    ]

    assert [answer.body["counted"] for answer in answers] == [True, True, True, True, False]
    assert len(rows(aws)) == 4


def test_what_is_no_view_is_refused_without_a_row(aws: Account, table_calls: list[str]) -> None:
    """S2-37."""
    function = away(HONOUR_DO_NOT_TRACK="true")

    robot = function.view(agent="Googlebot/2.1")
    unwilling = function.view(headers={"dnt": "1"})

    assert robot.body == {
        "counted": False,
        "reason": "bot",
        "reasons": ["bot"],
        "degraded": True,
        "session": robot.session,
    }
    assert unwilling.body["reasons"] == ["do_not_track"]
    assert table_calls == []


@pytest.mark.usefixtures("patient")
def test_redis_is_left_alone_for_five_seconds_and_then_asked_again(
    aws: Account, servers: Servers, ticks: Ticks, connections: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """S2-33. Meanwhile not a connection is tried."""
    function = TrackFunction.on(servers)
    reach = counter.nodes
    monkeypatch.setattr(counter, "nodes", lambda _url, mode: reach(f"redis://127.0.0.1:{free_ports(1)[0]}", mode))
    function.view("0")
    monkeypatch.setattr(counter, "nodes", reach)
    connections.clear()
    meanwhile = []
    for ticks.now in (0.1, 4.999):
        meanwhile.append(function.view(str(ticks.now)))
    tried = list(connections)
    ticks.now = 5.0

    after = function.view("5")

    assert all(answer.body["degraded"] for answer in meanwhile)
    assert tried == []
    assert after.body == {"counted": True, "session": after.session}
    assert connections
    assert pending(servers) == {"story:5": 1}
    assert len(rows(aws)) == 3


def test_a_failure_is_logged_once_and_names_nobody(
    aws: Account, caplog: pytest.LogCaptureFixture, ticks: Ticks
) -> None:
    """S2-33, S2-37. Not once per view."""
    function = away()

    for number in range(5):
        function.view(str(number), subject="secretive", cookie="secretive", agent="Secretive/1.0")

    assert [(record.name, record.levelname) for record in caplog.records] == [("views.track.api", "WARNING")]
    assert "Redis is away" in caplog.text
    for secret in ("ecretive", ADDRESS, "user:", "anon:"):
        assert secret not in caplog.text


@contextmanager
def listening(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on a port of its own, that does as told with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    behave(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join(60)


def assert_unknown(answer: Answer) -> None:
    assert answer.status == 503
    assert answer.body["code"] == "unavailable"
    assert answer.headers["Retry-After"] == "5"
    assert answer.cookies == []


def test_a_server_that_never_answers_leaves_it_unknown_and_nothing_is_counted(
    aws: Account, caplog: pytest.LogCaptureFixture
) -> None:
    """S2-33. Not in the database either: Redis might have counted."""
    held: list[socket.socket] = []
    with listening(held.append) as port:
        answer = TrackFunction({"REDIS_URL": f"redis://127.0.0.1:{port}", "REDIS_MODE": "single"}).view()

    assert_unknown(answer)
    assert rows(aws) == []
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    for connection in held:
        connection.close()


def test_a_cluster_that_never_says_where_its_slots_are_was_sent_no_view(aws: Account) -> None:
    """S2-33."""
    held: list[socket.socket] = []
    with listening(held.append) as port:
        answer = TrackFunction({"REDIS_URL": f"redis://127.0.0.1:{port}", "REDIS_MODE": "cluster"}).view()

    assert answer.body["degraded"]
    assert len(rows(aws)) == 1
    for connection in held:
        connection.close()


@pytest.mark.usefixtures("patient")
def test_a_command_that_went_out_is_not_sent_again(aws: Account, ticks: Ticks) -> None:
    """S2-33. The server hangs up when it has read it."""
    received: list[bytes] = []

    def hang_up(connection: socket.socket) -> None:
        with connection:
            received.append(connection.recv(65_536))

    with listening(hang_up) as port:
        function = TrackFunction({"REDIS_URL": f"redis://127.0.0.1:{port}", "REDIS_MODE": "single"})
        unknown = function.view()
        other = function.view("other")

    assert_unknown(unknown)
    assert [b"EVALSHA" in command for command in received] == [True]
    assert other.body["degraded"]
    assert [row["content"] for row in rows(aws)] == ["story:other"]


@pytest.mark.parametrize("mode", ["single", "cluster"])
def test_a_view_sent_to_a_stopped_server_counts_at_most_once(
    aws: Account, mode: str, ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S2-33. It reads the command when it goes on, and that must be the only one."""
    # Long for a server that runs, short for one that does not.
    monkeypatch.setitem(counter._CLIENT, "socket_timeout", 5)
    monkeypatch.setitem(counter._CLIENT, "socket_connect_timeout", 5)
    with single() if mode == "single" else cluster() as servers:
        function = TrackFunction.on(servers, ONCE_PER_DAY="false", COOLDOWN_SECONDS="0", MAX_VIEWS_PER_SESSION="0")
        for viewer in VIEWERS:
            function.view("warm", address=viewer)
        stopped = [process for process in servers.processes if process.poll() is None]
        for process in stopped:
            process.send_signal(signal.SIGSTOP)
        try:
            answers = []
            for _ in range(2):
                answers.append(function.view())
                ticks.now += 5
        finally:
            for process in stopped:
                process.send_signal(signal.SIGCONT)
        assert wait_until(lambda: not _is_down(servers), PATIENCE, every=0.05)
        counted_late = pending(servers).get("story:123", 0)
        ticks.now += 5
        after = function.view()

        assert_unknown(answers[0])
        assert after.body == {"counted": True, "session": after.session}
        assert counted_late <= sum(answer.status == 503 for answer in answers)
        assert pending(servers)["story:123"] == counted_late + 1
        assert len(rows(aws)) == sum(answer.status == 200 for answer in answers)


def _is_down(servers: Servers) -> bool:
    if servers.mode == "single":
        return False
    clients = servers.clients()
    try:
        return any(b"cluster_state:ok" not in bytes(each.execute_command("CLUSTER", "INFO")) for each in clients)
    finally:
        for each in clients:
            each.close()


@pytest.mark.usefixtures("patient")
def test_a_connection_that_the_server_closed_meanwhile_is_opened_again(servers: Servers) -> None:
    function = TrackFunction.on(servers)
    function.view()
    with servers.client_of(state_of(function)) as server:
        server.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    answer = function.view("other")

    assert answer.body == {"counted": True, "session": answer.session}


def state_of(function: TrackFunction) -> str:
    """The key of the usual viewer's state."""
    return keys.viewer_state(function.view(agent=f"{'Mozilla'}/5.0").session.split(".")[1])


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("setting", ["maxmemory", "min-replicas-to-write"])
def test_a_server_that_is_full_is_as_good_as_away(
    aws: Account, servers: Servers, ticks: Ticks, caplog: pytest.LogCaptureFixture, setting: str
) -> None:
    """S2-33. It takes no writes (OOM, NOREPLICAS), so nothing was counted; and it is left alone."""
    function = TrackFunction.on(servers)
    function.view("before")
    _configure(servers, setting, 1)
    try:
        answer = function.view()
        function.view("other")
    finally:
        _configure(servers, setting, 0)

    assert answer.body == {"counted": True, "degraded": True, "session": answer.session}
    assert pending(servers) == {"story:before": 1}
    assert len(rows(aws)) == 2
    assert len(caplog.records) == 1


@pytest.mark.usefixtures("patient")
def test_a_refusal_by_a_server_that_is_full_stands(aws: Account, servers: Servers) -> None:
    """The rules are read, and answer. That the refusal cannot be noted is not for a fallback to count the view."""
    function = TrackFunction.on(servers)
    function.view()
    _configure(servers, "maxmemory", "1mb")
    try:
        again = function.view()
        robot = function.view("other", agent="Googlebot/2.1")
        many = function.views("123", "123")
    finally:
        _configure(servers, "maxmemory", 0)

    assert again.body["reasons"] == ["cooldown", "daily_viewed"]
    assert robot.body["reasons"] == ["bot"]
    assert [view["counted"] for view in many.body["views"]] == [False, False]
    assert rows(aws) == []


@pytest.mark.usefixtures("patient")
def test_a_refusal_by_a_replica_stands(aws: Account, single_server: Servers) -> None:
    single_server.flush()
    function = TrackFunction.on(single_server)
    function.view()
    with single_server.clients()[0] as server:
        server.execute_command("REPLICAOF", "127.0.0.1", free_ports(1)[0])
        try:
            again = function.view()
        finally:
            server.execute_command("REPLICAOF", "NO", "ONE")

    assert again.body["reasons"] == ["cooldown", "daily_viewed"]
    assert rows(aws) == []


def _configure(servers: Servers, name: str, value: int | str) -> None:
    for client in servers.clients():
        with client:
            client.config_set(name, value)


@pytest.mark.usefixtures("patient")
def test_a_replica_is_as_good_as_away(aws: Account, single_server: Servers) -> None:
    """S2-33."""
    single_server.flush()
    with single_server.clients()[0] as server:
        server.execute_command("REPLICAOF", "127.0.0.1", free_ports(1)[0])
        try:
            answer = TrackFunction.on(single_server).view()
        finally:
            server.execute_command("REPLICAOF", "NO", "ONE")

    assert answer.body["degraded"]
    assert pending(single_server) == {}


@pytest.mark.usefixtures("patient")
def test_a_server_that_cannot_save_is_as_good_as_away(aws: Account) -> None:
    """S2-33. It takes no writes (MISCONF) until it can."""
    with single() as servers, servers.clients()[0] as server:
        Path(server.config_get("dir")["dir"], "dump.rdb", "in the way").mkdir(parents=True)
        server.config_set("save", "900 1")
        server.bgsave()
        assert wait_until(lambda: server.info("persistence")["rdb_last_bgsave_status"] == "err", PATIENCE)

        answer = TrackFunction.on(servers).view()
        server.config_set("save", "")  # else it does not end either

        assert answer.body["degraded"]
        assert pending(servers) == {}


def _client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "ada"}}, "PutItem")


@pytest.mark.parametrize(
    "error",
    [
        _client_error("ProvisionedThroughputExceededException"),
        _client_error("AccessDeniedException"),
        EndpointConnectionError(endpoint_url="https://dynamodb"),
        ReadTimeoutError(endpoint_url="https://dynamodb"),
    ],
)
def test_when_the_database_fails_too_the_caller_is_to_come_back(
    aws: Account, monkeypatch: pytest.MonkeyPatch, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """S2-33."""

    class Failing:
        def put_item(self, **_: object) -> None:
            raise error

    monkeypatch.setattr(clients, "client", lambda *_, **__: Failing())

    answer = away().view(subject="ada")

    assert answer.status == 503
    assert answer.body["code"] == "unavailable"
    assert answer.headers["Retry-After"] == "1"
    assert "ada" not in answer.body["message"]
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_the_databases_client_is_made_once(aws: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Making it takes longer than all the rest."""
    make, made = clients.client, []

    def making(*arguments: Any, **patience: Any) -> Any:
        made.append(make(*arguments, **patience))
        return made[-1]

    monkeypatch.setattr(clients, "client", making)
    function = away()

    for number in range(3):
        function.view(str(number))

    assert len(made) == 1


def test_the_database_is_asked_once_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """S2-33. One that never answers."""
    held: list[socket.socket] = []
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    make, made = clients.client, []

    def making(*arguments: Any, **patience: Any) -> Any:
        made.append(make(*arguments, **patience))
        return made[-1]

    monkeypatch.setattr(clients, "client", making)
    with listening(held.append) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{port}")
        answer = away().view()

    assert answer.status == 503
    assert len(held) == len(made) == 1
    assert made[0].meta.config.connect_timeout <= 1
    assert made[0].meta.config.read_timeout <= 1
    for connection in held:
        connection.close()


@pytest.mark.usefixtures("patient")
def test_a_slot_that_moved_is_followed(aws: Account) -> None:
    """Once: the view is counted where the shard is now, and not in the database."""
    with cluster() as servers:
        function = TrackFunction.on(servers, ONCE_PER_DAY="false", COOLDOWN_SECONDS="0")
        shard = keys.shard_of(function.view().session.split(".")[1])
        slot, old, new = _begin_move(servers, shard)
        with old, new:
            _move_keys(old, new, slot)
            _end_move(servers, slot, new)

            answer = function.view()

            assert answer.body == {"counted": True, "session": answer.session}
            assert new.hget(keys.pending(shard), "story:123") == b"2026-11-20:2;"
    assert rows(aws) == []


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("moved", ["all", "some"])
def test_a_slot_that_is_moving_is_as_good_as_away(aws: Account, moved: str, ticks: Ticks) -> None:
    """S2-33. A script cannot run where only some of its keys are; the other shards go on."""
    with cluster() as servers:
        function = TrackFunction.on(servers)
        shard = keys.shard_of(function.view().session.split(".")[1])
        other = next(address for address in VIEWERS if _shard_of(function, address) != shard)
        slot, old, new = _begin_move(servers, shard)
        with old, new:
            _move_keys(old, new, slot, leave=0 if moved == "all" else 1)

            answer = function.view("new")
            elsewhere = function.view("new", address=other)

        assert answer.body == {"counted": True, "degraded": True, "session": answer.session}
        assert elsewhere.body == {"counted": True, "session": elsewhere.session}
    assert [row["content"] for row in rows(aws)] == ["story:new"]


@pytest.mark.usefixtures("patient")
def test_a_dead_node_is_away_for_its_shards(aws: Account, ticks: Ticks) -> None:
    """S2-33. And the function finds the others through those that are left."""
    with cluster() as servers:
        for client in servers.clients():
            with client:
                client.config_set("cluster-require-full-coverage", "no")
        function = TrackFunction.on(servers, ONCE_PER_DAY="false", COOLDOWN_SECONDS="0")
        for viewer in VIEWERS:
            function.view("warm", address=viewer)
        dead = len(servers.ports) - 1
        gone = next(viewer for viewer in VIEWERS if _node_of(servers, _shard_of(function, viewer)) == dead)
        alive = next(viewer for viewer in VIEWERS if _node_of(servers, _shard_of(function, viewer)) == 0)
        servers.processes[dead].kill()
        servers.processes[dead].wait(60)

        lost = function.view(address=gone)
        ticks.now = 5.0
        kept = function.view(address=alive)

        assert lost.status == 200
        assert lost.body["degraded"]
        assert kept.body == {"counted": True, "session": kept.session}
    assert len(rows(aws)) == 1


def _shard_of(function: TrackFunction, address: str) -> int:
    return keys.shard_of(function.view("warm", address=address).session.split(".")[1])


def _slot(shard: int) -> int:
    from redis import crc

    return int(crc.key_slot(keys.pending(shard).encode()))


def _node_of(servers: Servers, shard: int) -> int:
    return servers.ports.index(int(servers.client_of(keys.pending(shard)).connection_pool.connection_kwargs["port"]))


def _begin_move(servers: Servers, shard: int) -> tuple[int, Redis, Redis]:
    slot = _slot(shard)
    number = _node_of(servers, shard)
    clients = servers.clients()
    old, new = clients[number], clients[(number + 1) % len(clients)]
    new.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", _id(old))
    old.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", _id(new))
    return slot, old, new


def _move_keys(old: Redis, new: Redis, slot: int, leave: int = 0) -> None:
    names = old.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100)
    port = new.connection_pool.connection_kwargs["port"]
    old.execute_command("MIGRATE", "127.0.0.1", port, "", 0, 5000, "KEYS", *names[leave:])


def _end_move(servers: Servers, slot: int, new: Redis) -> None:
    for client in servers.clients():
        with client:
            client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", _id(new))


def _id(client: Redis) -> str:
    return bytes(client.execute_command("CLUSTER", "MYID")).decode()
