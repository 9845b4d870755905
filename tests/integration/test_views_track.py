"""`POST /api/views` (S2-13), on a real server and on a real cluster."""

import base64
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.client import BaseClient
from pydantic import ValidationError
from redis import Redis

from sluice import tokens
from sluice.roles import Role
from tests.deadlines import PATIENCE
from tests.factories import NOON, UTC_ZONE
from tests.gateway import REQUEST_ID
from tests.integration.track_function import (
    SETTINGS,
    VIEWER_TOKEN_SECRET,
    VIEWS_SECRET,
    TrackFunction,
    a_token,
    a_view,
    pending,
)
from tests.redis_servers import Servers
from tests.template_reader import ROOT
from views import keys
from views.track import api as track
from views.track import url
from views.track.schemas import NewView, TrackedView
from views.viewers import Viewers

pytestmark = pytest.mark.usefixtures("patient")

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EVENT = json.loads((ROOT / "events/views/track/api-track.json").read_text())
URL_EVENT = json.loads((ROOT / "events/views/track/url.json").read_text())
OFF = {"MAX_VIEWS_PER_SESSION": "0", "MAX_VIEWS_PER_DAY": "0", "ONCE_PER_DAY": "false", "COOLDOWN_SECONDS": "0"}
HEAVY = "boto3, botocore, pynamodb, pydantic, aws_lambda_powertools, jwt"


@pytest.fixture(autouse=True)
def _nothing_cached() -> Iterator[None]:
    yield
    track.tracker.cache_clear()


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """No view here may call AWS."""

    def refuse(_client: BaseClient, operation: str, _arguments: object) -> None:
        raise AssertionError(f"{operation} was called")

    monkeypatch.setattr(BaseClient, "_make_api_call", refuse)


def stored(servers: Servers) -> str:
    return repr(servers.everything())


def viewer_keys(servers: Servers) -> set[str]:
    """What follows the tag in the names of viewers' states."""
    found = {key.decode().partition(":")[2] for key in servers.everything()}
    return {key for key in found if key.startswith(("user:", "anon:"))}


def test_a_view_is_counted_and_answered_with_a_session(servers: Servers) -> None:
    """S2-7, S2-17."""
    function = TrackFunction.on(servers)

    answer = function.call(EVENT)

    assert answer.status == 200
    assert answer.body == {"counted": True, "session": answer.session}
    assert answer.cookies == [f"sluice_session={answer.session}; Max-Age=86400; Path=/; HttpOnly; Secure; SameSite=Lax"]
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert pending(servers) == {"video:abc123": 1}


def test_at_its_url_a_view_is_answered_as_by_the_api(servers: Servers) -> None:
    """On an event as a Function URL sends it. The URL adds the headers of CORS, so the function answers none."""
    by_api = TrackFunction.on(servers).call(EVENT)
    servers.flush()

    by_url = TrackFunction.on(servers).call(URL_EVENT)

    assert url.handler is track.handler
    assert by_url == by_api
    assert pending(servers) == {"video:abc123": 1}
    assert [name for name in by_url.headers if name.lower().startswith("access-control-")] == []


def test_at_its_url_the_session_of_the_body_names_the_viewer(servers: Servers) -> None:
    """Browsers send no cookie there: it would be a third party's."""
    function = TrackFunction.on(servers)
    session = function.call(URL_EVENT).session
    view = {"content_type": "video", "content_id": "abc123"}

    bodies = [{**view, "session": session}, {"views": [view, view], "session": session}]
    one, many = (
        function.call(at_url(path, body, agent="Another/1.0"), NOON + HOUR)
        for path, body in zip(("/api/views", "/api/views/batch"), bodies, strict=True)
    )

    assert one.body["reasons"] == ["daily_viewed"]
    assert [each["reasons"] for each in many.body["views"]] == [["daily_viewed"]] * 2
    assert one.session == many.session == session


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/views"),
        ("OPTIONS", "/api/views"),
        ("POST", "/"),
        ("POST", "/api/views/"),
        ("POST", "/api/views/counts"),
        ("POST", "/api/admin/stop"),
    ],
)
def test_at_its_url_there_is_nothing_but_tracking(servers: Servers, method: str, path: str) -> None:
    answer = TrackFunction.on(servers).call(at_url(path, {"content_type": "video", "content_id": "1"}, method))

    assert answer.status == 404
    assert answer.body == {
        "message": "This route does not exist",
        "code": "not_found",
        "errors": [],
        "request_id": URL_EVENT["requestContext"]["requestId"],
    }
    assert pending(servers) == {}


def at_url(path: str, body: object, method: str = "POST", agent: str = "") -> dict[str, Any]:
    """A request to the Function URL."""
    event: dict[str, Any] = json.loads(json.dumps(URL_EVENT)) | {"rawPath": path, "body": json.dumps(body)}
    event["requestContext"]["http"] |= {"path": path, "method": method}
    event["headers"] |= {"user-agent": agent} if agent else {}
    return event


def test_a_refused_view_is_told_every_reason_and_when_to_come_back(servers: Servers) -> None:
    """S2-17, S2-36."""
    function = TrackFunction.on(servers)
    function.view()

    answer = function.view(at=NOON + 13 * SECOND)

    assert answer.status == 200
    assert answer.body == {
        "counted": False,
        "reason": "cooldown",
        "reasons": ["cooldown", "daily_viewed"],
        "retry_after_seconds": 12 * 3600 - 13,
        "session": answer.session,
    }
    assert pending(servers) == {"story:123": 1}


def test_the_settings_are_the_rules(servers: Servers) -> None:
    """S2-2, S2-3, S2-4, S2-5, S2-6, S2-36. Each alone, at its edge, by a user's views of one content or of many."""
    edges: list[tuple[dict[str, str], list[timedelta], str]] = [
        ({"MAX_VIEWS_PER_SESSION": "3"}, [0 * HOUR, HOUR, 2 * HOUR, 24 * HOUR - SECOND, 24 * HOUR], "session_limit"),
        (
            {"MAX_VIEWS_PER_SESSION": "2", "SESSION_SECONDS": "3600"},
            [0 * SECOND, SECOND, HOUR - SECOND, HOUR],
            "session_limit",
        ),
        ({"COOLDOWN_SECONDS": "300"}, [0 * SECOND, 299 * SECOND, 300 * SECOND], "cooldown"),
        ({"ONCE_PER_DAY": "true"}, [0 * HOUR, 12 * HOUR - SECOND, 12 * HOUR], "daily_viewed"),
        ({"MAX_VIEWS_PER_DAY": "2"}, [0 * HOUR, HOUR, 12 * HOUR - SECOND, 12 * HOUR], "daily_limit"),
    ]
    for change, times, reason in edges:
        servers.flush()
        function = TrackFunction.on(servers, **OFF | change)

        answers = [function.view(at=NOON + time, subject="ada").body for time in times]

        assert [answer["counted"] for answer in answers] == [True] * (len(times) - 2) + [False, True]
        assert answers[-2]["reasons"] == [reason]
        assert answers[-2]["retry_after_seconds"] == 1
        assert pending(servers) == {"story:123": len(times) - 1}


def test_contents_are_bounded_as_is_set(servers: Servers) -> None:
    """And there is no moment to come back at."""
    function = TrackFunction.on(servers, MAX_CONTENTS="1")
    function.view("1")

    answer = function.view("2")

    assert answer.body == {
        "counted": False,
        "reason": "too_many_contents",
        "reasons": ["too_many_contents"],
        "session": answer.session,
    }
    assert pending(servers) == {"story:1": 1}


def test_registered_contents_alone_count_where_that_is_set(servers: Servers) -> None:
    function = TrackFunction.on(servers, REGISTERED_ONLY="true", VIEW_SHARDS="1")
    with servers.client_of(keys.registered(0)) as server:
        server.sadd(keys.registered(0), "*", "story:1")

    answers = [function.view(content).body for content in ("1", "2")]

    assert answers[0]["counted"]
    assert answers[1]["reasons"] == ["unregistered"]


def test_the_shards_are_as_many_as_is_set(servers: Servers) -> None:
    function = TrackFunction.on(servers, VIEW_SHARDS="1")

    for number in range(10):
        function.view(address=f"203.0.113.{number}")

    assert {key.partition(b":")[0] for key in servers.everything()} == {b"{v00}"}


def test_a_day_ends_at_midnight_in_the_configured_zone(servers: Servers) -> None:
    """S2-3, S2-4. In Auckland that is 11:00 UTC."""
    function = TrackFunction.on(servers, TIME_ZONE="Pacific/Auckland", **OFF | {"ONCE_PER_DAY": "true"})
    midnight = datetime(2026, 11, 20, 11, tzinfo=UTC)
    function.view(at=midnight - HOUR, subject="ada")

    before = function.view(at=midnight - SECOND, subject="ada")
    after = function.view(at=midnight, subject="ada")

    assert before.body["reasons"] == ["daily_viewed"]
    assert after.body["counted"]


def test_the_101st_view_of_a_day_is_refused(servers: Servers) -> None:
    """S2-3. With every rule on."""
    function = TrackFunction.on(servers)

    answers = [function.view(str(number)).body for number in range(101)]

    assert [answer["counted"] for answer in answers] == [True] * 100 + [False]
    assert answers[100]["reasons"] == ["daily_limit"]


def test_a_view_is_one_round_trip_to_redis_and_calls_nobody_else(servers: Servers) -> None:
    """S2-7. Counted at the servers, accepted and refused; botocore may not be called in this file."""
    function = TrackFunction.on(servers)
    function.view("first", subject="ada")

    with servers.watched() as commands:
        bodies = [
            function.view(subject="ada").body,
            function.view(subject="ada").body,
            function.view(subject="ada", agent="Googlebot/2.1").body,
        ]

    assert [body["counted"] for body in bodies] == [True, False, False]
    assert [command.split()[0] for command in commands] == ["EVALSHA"] * 3


def test_tracking_in_a_fresh_interpreter_imports_nothing_heavy(servers: Servers) -> None:
    code = (
        "import json, sys; from views.track import api as track; event = json.load(sys.stdin);"
        " answers = [track.handler(event, None)['statusCode'] for _ in range(2)];"
        f" print(answers, {{name.strip() for name in '{HEAVY}'.split(',')}} & set(sys.modules))"
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

    assert done.stdout.strip() == "[200, 200] set()"
    assert done.stderr == ""
    assert pending(servers) == {"video:abc123": 1}


def test_a_token_brings_pyjwt_and_nothing_else_that_is_heavy(servers: Servers) -> None:
    code = (
        "import json, sys; from views.track import api as track; event = json.load(sys.stdin);"
        " track.handler(event, None);"
        f" print({{name.strip() for name in '{HEAVY}'.split(',')}} & set(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        env=SETTINGS
        | {
            "PYTHONPATH": f"{ROOT / 'functions'}:{ROOT / 'layers' / 'kernel'}",
            "REDIS_URL": servers.url,
            "REDIS_MODE": servers.mode,
        },
        input=json.dumps(a_view(token=a_token("ada", datetime.now(UTC)))),
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )

    assert done.stdout.strip() == "{'jwt'}"
    assert {key[:5] for key in viewer_keys(servers)} == {"user:"}


def test_all_that_one_view_touches_is_in_one_slot(servers: Servers, cluster_servers: Servers) -> None:
    """S2-16. As the server itself hashes."""
    function = TrackFunction.on(servers)
    with Redis(port=cluster_servers.ports[0]) as server:
        for number in range(20):
            servers.flush()
            for _ in range(2):
                function.view(address=f"203.0.113.{number}")

            names = list(servers.everything())

            assert len(names) == 4
            assert len({server.execute_command("CLUSTER", "KEYSLOT", name) for name in names}) == 1


def test_nothing_kept_or_logged_says_who_is_viewing(
    servers: Servers, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S2-37. Not after views that count, that are refused, or that fail."""
    caplog.set_level(logging.DEBUG)
    agent, cookie, subject, six = "Mozilla/5.0 (Secretive)", "v1.secretive", "secretive@example.org", "2001:db8:1:2::77"
    function = TrackFunction.on(servers)
    who: list[dict[str, Any]] = [{}, {"subject": subject}, {"address": six}, {"token": "secretive"}]
    for each in who:
        for _ in range(2):
            function.view(**{"agent": agent, "cookie": cookie, **each})
        function.view(**{"agent": "Secretivebot", "cookie": cookie, **each})
        function.view(**{"agent": agent, "cookie": cookie, "text": "{", **each})
    seen = stored(servers)
    sessions = function.view(agent=agent).session
    monkeypatch.setattr(track.Tracker, "_track", lambda *_: 1 / 0)
    failed = function.view(agent=agent, cookie=cookie, subject=subject)

    assert failed.status == 500
    assert len(viewer_keys(servers)) == 3
    assert caplog.text
    for secret in (
        "Secretive",
        "secretive",
        "203.0.113",
        "2001:db8",
        "Mozilla",
        subject,
        VIEWS_SECRET,
        VIEWER_TOKEN_SECRET,
    ):
        assert secret not in seen
        assert secret not in caplog.text
        assert secret not in "".join(str(vars(record)) for record in caplog.records)
    assert sessions not in seen + caplog.text


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"content_type": "film", "content_id": "1"}, "content_type", "content_type must be one of video, story"),
        ({"content_type": "", "content_id": "1"}, "content_type", "content_type must be one of video, story"),
        ({"content_type": "story", "content_id": ""}, "content_id", "content_id must be 1 to 128"),
        ({"content_type": "story", "content_id": "x" * 129}, "content_id", "content_id must be 1 to 128"),
        ({"content_type": "story", "content_id": "a\nb"}, "content_id", "content_id must be 1 to 128"),
        ({"content_type": "story", "content_id": "a\n"}, "content_id", "content_id must be 1 to 128"),
        ({"content_type": "story", "content_id": "\x00"}, "content_id", "content_id must be 1 to 128"),
        ({"content_type": "story", "content_id": "é"}, "content_id", "content_id must be 1 to 128"),
        ({"content_type": "story", "content_id": "\ud800"}, "content_id", "content_id must be 1 to 128"),
        ({"content_type": "story", "content_id": 1}, "content_id", "Input should be a valid string"),
        ({"content_type": ["story"], "content_id": "1"}, "content_type", "Input should be a valid string"),
        ({"content_type": "story", "content_id": None}, "content_id", "Input should be a valid string"),
        ({"content_type": "story", "content_id": "1", "session": 7}, "session", "Input should be a valid string"),
        ({"content_type": "story", "content_id": "1", "session": None}, "session", "Input should be a valid string"),
        ({"content_type": "story"}, "content_id", "Required"),
        ({"content_id": "1"}, "content_type", "Required"),
        ({"content_type": "story", "content_id": "1", "user_id": 7}, "user_id", "Unknown field"),
        ({"content_type": "story", "content_id": "1", "x" * 200: 7}, "x" * 32, "Unknown field"),
        ({"content_type": "story", "content_id": "1", "é\0🎉": 7}, "???", "Unknown field"),
    ],
)
def test_a_field_that_is_wrong_is_named_and_nothing_is_counted(
    servers: Servers, body: dict[str, Any], field: str, message: str
) -> None:
    answer = TrackFunction.on(servers).view(body=body)

    assert answer.status == 400
    assert answer.body["code"] == "invalid"
    assert [error["field"] for error in answer.body["errors"]] == [field]
    assert answer.body["errors"][0]["message"].startswith(message)
    assert message in answer.body["message"]
    assert answer.body["request_id"] == REQUEST_ID
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.cookies == []
    assert servers.everything() == {}
    assert "evalsha" not in servers.commands()


@pytest.mark.parametrize(
    ("request_parts", "status", "field", "message"),
    [
        ({"text": ""}, 400, "body", "it is empty"),
        ({"text": "{"}, 400, "body", "not valid JSON"),
        ({"text": "[1]"}, 400, "body", "must be a JSON object"),
        ({"text": "null"}, 400, "body", "must be a JSON object"),
        ({"text": '"story"'}, 400, "body", "must be a JSON object"),
        ({"text": "[" * 100_000}, 400, "body", "nested too deep"),
        ({"text": '{"content_id": NaN}'}, 400, "body", "out of range"),
        ({"text": '{"content_id": 1e999}'}, 400, "body", "out of range"),
        ({"text": "\ud800"}, 400, "body", "not UTF-8"),
        ({"text": "%%%", "base64": True}, 400, "body", "not UTF-8"),
        ({"text": base64.b64encode(b"\xff").decode(), "base64": True}, 400, "body", "not UTF-8"),
        ({"headers": {"content-type": "text/plain"}}, 400, "Content-Type", "must be application/json"),
        ({"query": "debug=1"}, 400, "debug", "Unknown parameter"),
        ({"text": " " * (256 * 1024 + 1)}, 413, None, "over 262144 bytes"),
    ],
)
def test_a_request_that_is_none_is_refused_and_nothing_is_counted(
    servers: Servers, request_parts: dict[str, Any], status: int, field: str | None, message: str
) -> None:
    answer = TrackFunction.on(servers).view(**request_parts)

    assert answer.status == status
    assert [error["field"] for error in answer.body["errors"]] == ([field] if field else [])
    assert message in answer.body["message"] + str(answer.body["errors"])
    assert servers.everything() == {}
    assert "evalsha" not in servers.commands()


def test_headers_are_known_by_name_however_it_is_written(servers: Servers) -> None:
    """`sam local` passes their names as the client wrote them."""
    request = a_view("1")
    request["headers"] = {name.title(): value for name, value in request["headers"].items()} | {
        "User-Agent": "Googlebot"
    }

    answer = TrackFunction.on(servers).call(request)

    assert answer.status == 200
    assert answer.body["reasons"] == ["bot"]


def test_a_body_may_be_base64_or_of_no_type(servers: Servers) -> None:
    function = TrackFunction.on(servers)
    text = base64.b64encode(b'{"content_type": "story", "content_id": "1"}').decode()
    untyped = a_view("2")
    del untyped["headers"]["content-type"]

    answers = [
        function.view(text=text, base64=True, headers={"content-type": "application/json; charset=utf-8"}),
        function.call(untyped),
    ]

    assert [answer.status for answer in answers] == [200, 200]
    assert pending(servers) == {"story:1": 1, "story:2": 1}


def test_a_session_keeps_the_viewer_by_cookie_or_by_field(servers: Servers) -> None:
    """S2-6, S2-37. Over a change of address; and its cookie lasts no longer than it does."""
    function = TrackFunction.on(servers)
    first = function.view()

    by_cookie = function.view(at=NOON + HOUR, cookie=first.session, address="198.51.100.1")
    by_field = function.view(at=NOON + HOUR, session=first.session, address="198.51.100.2")

    assert [answer.body["reasons"] for answer in (by_cookie, by_field)] == [["daily_viewed"]] * 2
    assert {answer.session for answer in (by_cookie, by_field)} == {first.session}
    assert "Max-Age=82800;" in by_cookie.cookies[0]
    assert len(viewer_keys(servers)) == 1


def test_a_session_lasts_a_day_where_its_rule_is_off(servers: Servers) -> None:
    """It still says who is viewing."""
    function = TrackFunction.on(servers, SESSION_SECONDS="0")
    first = function.view()

    later = function.view(at=NOON + 23 * HOUR, session=first.session, address="198.51.100.1")

    assert later.session == first.session


def test_the_field_is_believed_before_the_cookie(servers: Servers) -> None:
    """A wrong one too: it counts as none, and so does the cookie then."""
    function = TrackFunction.on(servers)
    one = function.view(address="198.51.100.1").session
    two = function.view(address="198.51.100.2").session

    both = function.view(session=one, cookie=two)
    wrong = function.view(session="wrong", cookie=two)
    empty = function.view(session="", cookie=two)

    assert both.session == one
    assert wrong.body["counted"]
    assert wrong.session not in (one, two)
    assert empty.session == two


@pytest.mark.parametrize("of", ["user:" + "A" * 22, "anon:" + "A" * 22])
def test_a_session_that_is_forged_or_over_counts_as_none(servers: Servers, of: str) -> None:
    """Its viewer is not touched."""
    function = TrackFunction.on(servers)
    forger = Viewers(("f" * 32,), UTC_ZONE, lambda _: None)
    ours = Viewers((VIEWS_SECRET,), UTC_ZONE, lambda _: None)
    sessions = [
        forger.issue(of, NOON).session,
        ours.issue(of, NOON - DAY).session,
        ours.issue(of, NOON + HOUR).session,
        f"v1.{of}.{int(NOON.timestamp())}.{'A' * 43}",
        "x" * 100_000,
        "é\ud800",
    ]

    answers = [function.view(str(number), session=session) for number, session in enumerate(sessions)]

    assert [answer.status for answer in answers] == [200] * len(sessions)
    assert {answer.session for answer in answers} == {function.view().session}
    assert len(viewer_keys(servers)) == 1
    assert of not in viewer_keys(servers)


def test_a_token_that_is_forged_or_over_counts_as_none(servers: Servers) -> None:
    function = TrackFunction.on(servers)
    good = a_token("ada")
    wrong = [a_token("ada", NOON - DAY, HOUR), good[:-3] + "AAA", good.rpartition(".")[0], "x", "é", "\ud800"]
    # Of the authorizer's kind: by its own secret, and were the two secrets one.
    wrong += [tokens.mint(secret, "ada", Role.ADMIN, "sluice", DAY, NOON) for secret in ("a" * 32, VIEWER_TOKEN_SECRET)]

    anonymous = [function.view(str(number), token=token) for number, token in enumerate(wrong)]
    named = function.view(token=good)

    assert {answer.session for answer in anonymous} == {function.view("other").session}
    assert named.session != anonymous[0].session
    assert sorted(key[:5] for key in viewer_keys(servers)) == ["anon:", "user:"]


def test_a_robot_is_refused_with_no_wait(servers: Servers) -> None:
    """S2-29. It is counted as refused, and not remembered."""
    answer = TrackFunction.on(servers).view(agent="Googlebot/2.1")

    assert answer.body == {"counted": False, "reason": "bot", "reasons": ["bot"], "session": answer.session}
    assert [key.partition(b":")[2] for key in servers.everything()] == [b"refused"]


@pytest.mark.parametrize("header", ["DNT", "Sec-GPC"])
def test_who_asks_not_to_be_tracked_is_not_if_that_is_honoured(servers: Servers, header: str) -> None:
    """S2-37. And is given no cookie."""
    honoured = TrackFunction.on(servers, HONOUR_DO_NOT_TRACK="true").view(headers={header: "1"})
    ignored = TrackFunction.on(servers).view(headers={header: "1"})

    assert honoured.body["reasons"] == ["do_not_track"]
    assert "retry_after_seconds" not in honoured.body
    assert honoured.cookies == []
    assert ignored.body["counted"]


def test_a_user_is_named_in_redis_only_where_that_is_switched_on(servers: Servers) -> None:
    """S2-16, decision 16."""
    TrackFunction.on(servers).view(subject="1")
    hidden = viewer_keys(servers)
    servers.flush()
    function = TrackFunction.on(servers, LITERAL_USER_KEYS="true")

    named = function.view(subject="1")
    logged_out = function.view(session=named.session, address="198.51.100.1")
    switched_off = TrackFunction.on(servers).view("other", session=named.session)

    assert "user:1" not in hidden
    assert named.body["counted"]
    assert logged_out.body["reasons"] == ["cooldown", "daily_viewed"]
    assert f"{keys.tag(keys.shard_of('user:1'))}:user:1".encode() in servers.everything()
    assert switched_off.session != named.session


@pytest.mark.parametrize("subject", ["a b", "a|b", "{v01}", "é", "x" * 129, "-", "a\nb", "a\n"])
def test_a_subject_that_cannot_be_in_a_name_is_hidden(servers: Servers, subject: str) -> None:
    function = TrackFunction.on(servers, LITERAL_USER_KEYS="true")

    answers = [function.view(subject=subject), function.view(subject=subject)]

    assert [answer.body["counted"] for answer in answers] == [True, False]
    (key,) = viewer_keys(servers)
    assert len(key) == 27


@pytest.mark.parametrize("subject", ["ada.lovelace@example.org", "x" * 128, "1", "org:7"])
def test_a_session_of_a_named_user_is_good(servers: Servers, subject: str) -> None:
    function = TrackFunction.on(servers, LITERAL_USER_KEYS="true")
    named = function.view(subject=subject)

    logged_out = function.view(session=named.session)

    assert viewer_keys(servers) == {f"user:{subject}"}
    assert not logged_out.body["counted"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"REDIS_URL": ""}, "REDIS_URL is not set"),
        ({"ONCE_PER_DAY": "yes"}, "ONCE_PER_DAY is not a valid bool"),
        ({"MAX_VIEWS_PER_DAY": "-1"}, "max_per_day must be"),
        ({"MAX_CONTENTS": "-1"}, "max_contents must be"),
        ({"REDIS_MODE": "sentinel"}, "REDIS_MODE must be"),
        ({"VIEWS_SECRET": "hush-hush"}, "the views secret must be JSON"),
        ({"VIEWS_SECRET": '{"current": "hush-hush"}'}, "the views secret's `current` is shorter"),
        ({"VIEWER_TOKEN_SECRET": '{"current": "hush-hush"}'}, "the viewer token secret's `current` is shorter"),
    ],
)
def test_a_wrong_setting_is_an_error_that_the_log_names(
    servers: Servers, caplog: pytest.LogCaptureFixture, changes: dict[str, str], told: str
) -> None:
    answer = TrackFunction.on(servers, **changes).view()

    assert answer.status == 500
    assert answer.body["code"] == "internal_error"
    assert told not in str(answer.body)
    assert told in caplog.text
    assert "hush-hush" not in caplog.text
    assert servers.everything() == {}


def test_the_password_of_redis_is_in_no_log_and_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    function = TrackFunction({"REDIS_URL": "redis://ada:hush-hush@127.0.0.1:1", "REDIS_MODE": "single"})

    answer = function.view()

    assert "no connection" in caplog.text
    assert "hush" not in caplog.text + repr(answer)


def test_both_secrets_of_a_rotation_are_believed(servers: Servers) -> None:
    old = TrackFunction.on(servers).view().session
    both = json.dumps({"current": "n" * 32, "previous": VIEWS_SECRET})

    answer = TrackFunction.on(servers, VIEWS_SECRET=both).view(session=old, address="198.51.100.1")

    assert not answer.body["counted"]


def test_no_line_is_logged_for_a_view(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="views")
    function = TrackFunction.on(servers)

    for _ in range(2):
        function.view()
    function.view(token="wrong")
    function.view(text="{")

    assert [record.name for record in caplog.records if not record.name.startswith(("asyncio", "faker"))] == []


ANSWERS: list[dict[str, Any]] = [{}, {}, {"agent": "Googlebot"}, {"headers": {"dnt": "1"}}]


def test_answers_are_as_they_are_documented(servers: Servers) -> None:
    function = TrackFunction.on(servers, HONOUR_DO_NOT_TRACK="true")

    answers = [function.view(**request).body for request in ANSWERS]

    assert [TrackedView.model_validate_json(json.dumps(body), strict=True).counted for body in answers] == [
        *(True, False, False, False)
    ]


GOOD: dict[str, Any] = {"content_type": "story", "content_id": "1"}


@pytest.mark.parametrize(
    "body",
    [
        GOOD,
        GOOD | {"session": ""},
        GOOD | {"session": "x"},
        GOOD | {"session": None},
        GOOD | {"session": 1},
        GOOD | {"more": 1},
        GOOD | {"content_id": 1},
        GOOD | {"content_id": "a" * 128},
        GOOD | {"content_id": "a" * 129},
        GOOD | {"content_id": "a\n"},
        GOOD | {"content_id": ".a"},
        GOOD | {"content_id": "a:b~c-d_e.f"},
        GOOD | {"content_id": "é"},
        GOOD | {"content_id": "٣"},
        GOOD | {"content_type": 1},
        GOOD | {"content_type": None},
        {"content_id": "1"},
        {"content_type": "story"},
        {},
        [GOOD],
        None,
    ],
)
def test_a_body_is_taken_exactly_when_it_is_documented(single_server: Servers, body: object) -> None:
    """The types of contents are the installation's, so no document knows them."""
    text = json.dumps(body)

    answer = TrackFunction.on(single_server).view(text=text)

    assert (answer.status == 200) == _is_documented(text)


def _is_documented(text: str) -> bool:
    try:
        NewView.model_validate_json(text)
    except ValidationError:
        return False
    return True
