"""`POST /api/views/batch`, on a real server and on a real cluster."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from redis.connection import Connection

from tests.account import Account
from tests.deadlines import PATIENCE
from tests.factories import NOON, UTC_ZONE
from tests.gateway import REQUEST_ID
from tests.integration.test_views_outages import away, rows
from tests.integration.track_function import SETTINGS, TrackFunction, pending
from tests.redis_servers import Servers
from tests.template_reader import ROOT
from views.track import api as track
from views.track import fallback
from views.track.schemas import NewViews, TrackedViews

pytestmark = pytest.mark.usefixtures("patient")

FIFTY = [f"content-{number}" for number in range(50)]
HEAVY = "boto3, botocore, pynamodb, pydantic, aws_lambda_powertools, jwt"
EVENT = json.loads((ROOT / "events/views/track/api-batch.json").read_text())


@pytest.fixture(autouse=True)
def _nothing_cached() -> Iterator[None]:
    yield
    track.tracker.cache_clear()


def test_views_are_counted_and_answered_in_their_order(servers: Servers) -> None:
    """S2-1, S2-17."""
    function = TrackFunction.on(servers)
    function.view("seen", at=NOON - timedelta(seconds=13))

    answer = function.views("1", "seen", "2")

    assert answer.status == 200
    assert answer.body == {
        "views": [
            {"counted": True},
            {
                "counted": False,
                "reason": "cooldown",
                "reasons": ["cooldown", "daily_viewed"],
                "retry_after_seconds": 12 * 3600,
            },
            {"counted": True},
        ],
        "session": answer.session,
    }
    assert answer.cookies[0].startswith(f"sluice_session={answer.session};")
    assert pending(servers) == {"story:seen": 1, "story:1": 1, "story:2": 1}


def test_what_a_beacon_sends_is_taken(servers: Servers) -> None:
    """It is text, so that no preflight is needed."""
    answer = TrackFunction.on(servers).call(EVENT)

    assert EVENT["headers"]["content-type"] == "text/plain;charset=UTF-8"
    assert [view["counted"] for view in answer.body["views"]] == [True, True]
    assert pending(servers) == {"video:abc123": 1, "story:123": 1}


def test_one_view_is_not_sent_as_text(servers: Servers) -> None:
    answer = TrackFunction.on(servers).view(headers={"content-type": "text/plain"})

    assert answer.status == 400


def test_each_bad_view_is_named_and_the_good_ones_are_counted(servers: Servers) -> None:
    """S2-17."""
    good = {"content_type": "story", "content_id": "1"}
    bad: list[tuple[object, str, str]] = [
        ({"content_type": "film", "content_id": "1"}, ".content_type", "content_type must be one of video, story"),
        ({"content_type": "story", "content_id": ""}, ".content_id", "content_id must be 1 to 128"),
        ({"content_type": "story", "content_id": "a\n"}, ".content_id", "content_id must be 1 to 128"),
        ({"content_type": "story", "content_id": 7}, ".content_id", "Input should be a valid string"),
        ({"content_type": None, "content_id": "1"}, ".content_type", "Input should be a valid string"),
        ({"content_type": ["story"], "content_id": "1"}, ".content_type", "Input should be a valid string"),
        ({"content_type": "story"}, ".content_id", "Required"),
        ({**good, "session": "x"}, ".session", "Unknown field"),
        ({**good, "x" * 200: "x"}, f".{'x' * 32}", "Unknown field"),
        (7, "", "Input should be an object"),
        (None, "", "Input should be an object"),
        ([], "", "Input should be an object"),
    ]

    answer = TrackFunction.on(servers).views(good, *[each for each, _, _ in bad], "2")

    first, *others, last = answer.body["views"]
    assert answer.status == 200
    assert first == last == {"counted": True}
    for number, (other, (_, field, message)) in enumerate(zip(others, bad, strict=True), start=1):
        assert other["counted"] is False
        assert [error["field"] for error in other["errors"]] == [f"views.{number}{field}"]
        assert other["errors"][0]["message"].startswith(message)
        assert set(other) == {"counted", "errors"}
    assert pending(servers) == {"story:1": 1, "story:2": 1}


def test_a_view_with_very_many_wrong_fields_names_as_many_as_it_has(servers: Servers) -> None:
    answer = TrackFunction.on(servers).views({str(number): 1 for number in range(1000)})

    assert [error["field"] for error in answer.body["views"][0]["errors"]] == [
        "views.0.content_type",
        "views.0.content_id",
    ]


def test_views_that_are_all_bad_ask_redis_nothing(servers: Servers) -> None:
    answer = TrackFunction.on(servers).views({}, 1)

    assert [view["counted"] for view in answer.body["views"]] == [False, False]
    assert answer.session
    assert "evalsha" not in servers.commands()


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["views"]),
        ({"views": []}, ["views"]),
        ({"views": [{"content_type": "story", "content_id": "1"}] * 51}, ["views"]),
        ({"views": None}, ["views"]),
        ({"views": {"content_type": "story", "content_id": "1"}}, ["views"]),
        ({"views": "story:1"}, ["views"]),
        ({"views": [{"content_type": "story", "content_id": "1"}], "user_id": 7}, ["user_id"]),
        ({"views": [{"content_type": "story", "content_id": "1"}], "session": 7}, ["session"]),
        ({"views": [{"content_type": "story", "content_id": "1"}], "session": None}, ["session"]),
        ({"content_type": "story", "content_id": "1"}, ["views", "content_type", "content_id"]),
    ],
)
def test_a_body_that_is_wrong_as_a_whole_is_refused_and_nothing_is_counted(
    servers: Servers, body: dict[str, Any], fields: list[str]
) -> None:
    answer = TrackFunction.on(servers).views(body=body)

    assert answer.status == 400
    assert [error["field"] for error in answer.body["errors"]] == fields
    assert answer.body["request_id"] == REQUEST_ID
    assert answer.cookies == []
    assert servers.everything() == {}


@pytest.mark.parametrize(
    ("request_parts", "status", "message"),
    [
        ({"text": ""}, 400, "it is empty"),
        ({"text": "{"}, 400, "not valid JSON"),
        ({"text": "[]"}, 400, "must be a JSON object"),
        ({"headers": {"content-type": "text/html"}, "text": "{}"}, 400, "application/json or text/plain"),
        ({"headers": {"content-type": "text/plain"}, "text": "views"}, 400, "not valid JSON"),
        ({"query": "debug=1", "text": "{}"}, 400, "Unknown parameter"),
        ({"text": " " * (256 * 1024 + 1)}, 413, "over 262144 bytes"),
    ],
)
def test_a_request_that_is_none_is_refused(
    servers: Servers, request_parts: dict[str, Any], status: int, message: str
) -> None:
    answer = TrackFunction.on(servers).views(**request_parts)

    assert answer.status == status
    assert message in str(answer.body)
    assert servers.everything() == {}


def test_a_repetition_in_a_batch_is_refused_as_one_that_comes_later(servers: Servers) -> None:
    """S2-4, S2-5."""
    answer = TrackFunction.on(servers).views("1", "2", "1")

    assert [view["counted"] for view in answer.body["views"]] == [True, True, False]
    assert answer.body["views"][2]["reasons"] == ["cooldown", "daily_viewed"]


def test_the_daily_limit_holds_inside_a_batch(servers: Servers) -> None:
    """S2-3."""
    answer = TrackFunction.on(servers, MAX_VIEWS_PER_DAY="30").views(*FIFTY)

    assert [view["counted"] for view in answer.body["views"]] == [True] * 30 + [False] * 20
    assert sum(pending(servers).values()) == 30


def test_a_robots_views_are_refused_each(servers: Servers) -> None:
    """S2-29."""
    answer = TrackFunction.on(servers).views("1", "2", agent="Googlebot/2.1")

    assert [view["reasons"] for view in answer.body["views"]] == [["bot"], ["bot"]]
    assert pending(servers) == {}


def test_who_asks_not_to_be_tracked_is_given_no_cookie(servers: Servers) -> None:
    """S2-37."""
    answer = TrackFunction.on(servers, HONOUR_DO_NOT_TRACK="true").views("1", headers={"DNT": "1"})

    assert answer.body["views"][0]["reasons"] == ["do_not_track"]
    assert answer.cookies == []


def test_the_session_is_that_of_the_views_before(servers: Servers) -> None:
    """S2-37. By field, for a page of another site has no cookie."""
    function = TrackFunction.on(servers)
    first = function.view("1")

    answer = function.views("1", "2", session=first.session, address="198.51.100.1")

    assert [view["counted"] for view in answer.body["views"]] == [False, True]
    assert answer.session == first.session


def test_fifty_views_are_one_round_trip(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    """S2-7. The client sends once and then reads; the server sees one command a view, and nothing else."""
    function = TrackFunction.on(servers)
    function.views(*FIFTY, address="198.51.100.1")
    function.views(*FIFTY)  # each of the viewers' nodes has the script and a connection
    seen: list[str] = []
    for name in ("send_packed_command", "read_response"):
        _log_calls(monkeypatch, name, seen)

    with servers.watched() as commands:
        seen.clear()
        answers = [function.views(*FIFTY), function.views(*FIFTY)]
        phases = list(seen)

    assert [len(answer.body["views"]) for answer in answers] == [50, 50]
    assert phases == (["send_packed_command"] + ["read_response"] * 50) * 2
    assert [command.split()[0] for command in commands] == ["EVALSHA"] * 100


def _log_calls(monkeypatch: pytest.MonkeyPatch, name: str, seen: list[str]) -> None:
    method = getattr(Connection, name)

    def logged(self: Connection, *arguments: Any, **named: Any) -> Any:
        seen.append(name)
        return method(self, *arguments, **named)

    monkeypatch.setattr(Connection, name, logged)


def test_the_first_answer_may_come_when_all_views_are_sent(single_server: Servers) -> None:
    """S2-7. A server that is shown nothing before it all has arrived answers as any."""
    single_server.flush()
    TrackFunction.on(single_server).view("loads-the-script", address="198.51.100.1")

    with between(single_server, wait_for=50) as url:
        answer = TrackFunction({"REDIS_URL": url, "REDIS_MODE": "single"}).views(*FIFTY)

    assert all(view["counted"] for view in answer.body["views"])
    assert "degraded" not in answer.body


def test_a_connection_lost_in_the_middle_leaves_it_unknown_and_nothing_is_sent_again(
    aws: Account, single_server: Servers
) -> None:
    """S2-33. All have gone out, ten answers came back."""
    single_server.flush()
    TrackFunction.on(single_server).view("first", address="198.51.100.1")

    with between(single_server, wait_for=50, answers=10) as url:
        answer = TrackFunction({"REDIS_URL": url, "REDIS_MODE": "single"}).views(*FIFTY)

    assert answer.status == 503
    assert answer.headers["Retry-After"] == "5"
    assert pending(single_server) == {f"story:{content}": 1 for content in ("first", *FIFTY)}
    assert rows(aws) == []


@contextmanager
def between(server: Servers, wait_for: int, answers: int | None = None) -> Iterator[str]:
    """An address that passes on what it gets once so many commands came; and hangs up after so many answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=_pass_on, args=(listener, server.ports[0], wait_for, answers), daemon=True)
        thread.start()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=60)


def _pass_on(listener: socket.socket, port: int, wait_for: int, answers: int | None) -> None:
    with suppress(OSError):
        client, _ = listener.accept()
        with client, socket.create_connection(("127.0.0.1", port)) as server:
            sent = b""
            while sent.count(b"EVALSHA") < wait_for or not sent.endswith(b"2026-11-20\r\n"):
                sent += client.recv(65_536)
            server.sendall(sent)
            received = b""
            while received.count(b"\r\n") < wait_for:
                received += server.recv(65_536)
            client.sendall(received if answers is None else b"".join(received.splitlines(keepends=True)[:answers]))


def test_a_server_that_lost_the_script_is_given_it_once(servers: Servers) -> None:
    function = TrackFunction.on(servers)
    function.views("1")
    for client in servers.clients():
        with client:
            client.script_flush()
            client.config_resetstat()

    answer = function.views(*FIFTY)

    assert all(view["counted"] for view in answer.body["views"])
    assert servers.commands()["eval"] == 1
    assert sum(pending(servers).values()) == 51


def test_a_server_that_fills_up_in_the_middle_leaves_it_unknown(aws: Account) -> None:
    """S2-33. Some of the views are counted: the database is not asked to count them again."""
    with turning(after=10, error=b"-OOM command not allowed\r\n") as url:
        answer = TrackFunction({"REDIS_URL": url, "REDIS_MODE": "single"}).views(*FIFTY)

    assert answer.status == 503
    assert rows(aws) == []


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty rows may take as long as this machine needs: what they may take is a test of its own."""
    made = fallback.Fallback
    monkeypatch.setattr(track, "Fallback", lambda *arguments: made(*arguments, seconds=lambda: 0.0))


@pytest.mark.usefixtures("unhurried")
def test_a_server_that_refuses_all_is_as_good_as_away(aws: Account) -> None:
    """S2-33."""
    with turning(after=0, error=b"-OOM command not allowed\r\n") as url:
        answer = TrackFunction({"REDIS_URL": url, "REDIS_MODE": "single"}).views(*FIFTY)

    assert answer.body["degraded"]
    assert len(rows(aws)) == 50


@contextmanager
def turning(after: int, error: bytes) -> Iterator[str]:
    """A server that answers so many commands as counted, and the others with an error."""

    def answer(listener: socket.socket) -> None:
        with suppress(OSError):
            client, _ = listener.accept()
            with client:
                sent = b""
                while sent.count(b"EVALSHA") < 50 or not sent.endswith(b"2026-11-20\r\n"):
                    sent += client.recv(65_536)
                client.sendall(b":0\r\n" * after + error * (50 - after))
                client.recv(1)

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("mode", ["single", "cluster"])
def test_while_redis_is_away_each_view_counts_once_a_day_in_the_database(aws: Account, mode: str) -> None:
    """S2-33."""
    function = away(mode)

    answer = function.views("1", "2", "1", {})
    bot = function.views("3", agent="Googlebot/2.1")

    assert answer.body["degraded"] is True
    assert [view["counted"] for view in answer.body["views"]] == [True, True, False, False]
    assert answer.body["views"][2]["reasons"] == ["daily_viewed"]
    assert "errors" in answer.body["views"][3]
    assert sorted(row["content"] for row in rows(aws)) == ["story:1", "story:2"]
    assert bot.body["views"][0]["reasons"] == ["bot"]


def test_a_database_that_is_slow_is_not_waited_for_fifty_times() -> None:
    """S2-33. The function has 5 seconds."""
    now, puts = [0.0], []

    class Slow:
        def put_item(self, **row: Any) -> None:
            puts.append(row)
            now[0] += 0.9

    away_ = fallback.Fallback("ViewsTable", UTC_ZONE, Slow, lambda: now[0])

    with pytest.raises(fallback.Unavailable, match="in time"):
        away_.track_many("anon:1", [("story", content) for content in FIFTY], NOON)

    assert len(puts) == 3
    assert fallback.SECONDS + 2 * fallback.READ_SECONDS < 5


def test_a_batch_in_a_fresh_interpreter_imports_nothing_heavy(servers: Servers) -> None:
    code = (
        "import json, sys; from views.track import api as track; event = json.load(sys.stdin);"
        " print(track.handler(event, None)['statusCode'],"
        f" {{name.strip() for name in '{HEAVY}'.split(',')}} & set(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        env=SETTINGS
        | {
            "PYTHONPATH": f"{ROOT / 'functions'}:{ROOT / 'layers' / 'kernel'}",
            "REDIS_URL": servers.url,
            "REDIS_MODE": servers.mode,
        },
        input=json.dumps(EVENT),
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )

    assert done.stdout.strip() == "200 set()"


def test_answers_are_as_they_are_documented(servers: Servers) -> None:
    answer = TrackFunction.on(servers).views("1", "1", {})

    assert len(TrackedViews.model_validate_json(json.dumps(answer.body), strict=True).views) == 3


GOOD = {"content_type": "story", "content_id": "1"}


@pytest.mark.parametrize(
    "body",
    [
        {"views": [GOOD]},
        {"views": [GOOD] * 50},
        {"views": [GOOD] * 51},
        {"views": []},
        {"views": GOOD},
        {"views": None},
        {"views": [GOOD], "session": "x"},
        {"views": [GOOD], "session": None},
        {"views": [GOOD], "more": 1},
        {"views": [GOOD, GOOD | {"session": "x"}]},
        {"views": [GOOD, GOOD | {"content_id": "a" * 129}]},
        {"views": [GOOD, 1]},
        {},
        None,
    ],
)
def test_a_body_is_taken_in_whole_exactly_when_it_is_documented(single_server: Servers, body: object) -> None:
    text = json.dumps(body)

    answer = TrackFunction.on(single_server).views(text=text)

    taken = answer.status == 200 and not any("errors" in view for view in answer.body["views"])
    assert taken == _is_documented(text)


def _is_documented(text: str) -> bool:
    try:
        NewViews.model_validate_json(text)
    except ValidationError:
        return False
    return True
