"""Stats and explanations, on their event files, over a Redis server and a cluster that the tracking function fills."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.exceptions import ResponseError

from sluice import tokens
from sluice.http.resolver import logger
from tests.account import Account, secret_of
from tests.factories import NOON, UTC_ZONE
from tests.integration.harness import ON_A_CLUSTER_TOO, Answer, Functions, Harness
from tests.integration.track_function import ADDRESS, BROWSER, a_view
from tests.redis_servers import Servers, free_ports
from tests.view_counter import ViewCounter
from views import keys
from views.control import Control, Phase
from views.diagnosis import api as diagnosis
from views.diagnosis.explaining import Explainer
from views.rules import Calendar, Rules
from views.shards.store import RedisShards, client
from views.sync.store import SyncStore
from views.viewers import Viewers

pytestmark = pytest.mark.usefixtures("patient")

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
S2_28 = (
    *("max_views_per_session", "max_daily_views_per_user", "view_cooldown_minutes", "session_duration_hours"),
    *("total_view_keys", "total_session_keys", "total_daily_limit_keys"),
)
NO_SCANS = {"scan", "keys", "hvals", "hscan", "sscan", "hgetall", "hkeys", "smembers"}


class Diagnosed(Harness):
    """An operator, and viewers at the tracking function, on the account's own parameters."""

    def __init__(self, aws: Account, functions: Functions, servers: Servers, clock: Any) -> None:
        aws.choose(RedisUrl=servers.url, RedisMode=servers.mode)
        super().__init__(aws, functions, clock)
        self.servers = servers

    def choose(self, **parameters: str) -> None:
        """Deploys other parameters."""
        self.aws.choose(**parameters)
        self.forget()

    def forget(self) -> None:
        """The functions begin anew, as in another process."""
        for each in (diagnosis.configured, diagnosis.explainer, diagnosis.rules, diagnosis.stats_reader):
            each.cache_clear()
        import views.track.api

        views.track.api.tracker.cache_clear()

    def view(self, content: str = "123", **request: Any) -> dict[str, Any]:
        """A view of a story."""
        answer = Answer.of(self.invoke("views/track/api-track", a_view(content, **request)))
        assert answer.status == 200, answer.body
        return dict(answer.body)

    def ask(self, file: str, body: Any = None, role: str = "operator") -> Answer:
        return self.request(f"views/diagnosis/api-{file}", body=body, role=role)

    def stats(self) -> dict[str, Any]:
        answer = self.ask("stats")
        assert answer.status == 200, answer.body
        return dict(answer.body)

    def explain(self, content: str = "123", **viewer: str) -> dict[str, Any]:
        answer = self.ask("explain", asked(content, **viewer))
        assert answer.status == 200, answer.body
        return dict(answer.body)

    def token(self, subject: str) -> str:
        secret = secret_of("ViewerTokenSecret")
        return tokens.mint(secret, subject, None, "sluice-viewer", timedelta(days=1), datetime.now(UTC))

    def put(self, control: Control) -> None:
        SyncStore(self.aws.ref("ViewsTable"), self.aws.ref("TotalsTable")).move(None, control)

    def hset(self, key: str, **fields: Any) -> None:
        with self.servers.client_of(key) as found:
            found.hset(key, mapping=fields)


def asked(content: str = "123", **viewer: str) -> dict[str, Any]:
    viewer = viewer or {"source_ip": ADDRESS, "user_agent": BROWSER}
    return {"content_type": "story", "content_id": content, "viewer": viewer}


def rule(explained: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in explained["rules"] if each["rule"] == name]
    return {key: value for key, value in found.items() if key != "rule"}


@pytest.fixture
def world(aws: Account, functions: Functions, redis: Servers) -> Iterator[Diagnosed]:
    with time_machine.travel(NOW, tick=False) as clock:
        found = Diagnosed(aws, functions, redis, clock)
        yield found
        found.forget()


# --- Stats


def test_the_seven_fields_are_there_by_their_names(world: Diagnosed) -> None:
    """S2-28."""
    stats = world.stats()

    assert {name: stats[name] for name in S2_28} == {
        "max_views_per_session": 3,
        "max_daily_views_per_user": 100,
        "view_cooldown_minutes": 5,
        "session_duration_hours": 24,
        "total_view_keys": 0,
        "total_session_keys": 0,
        "total_daily_limit_keys": 0,
    }


def test_the_rules_are_those_that_are_set(world: Diagnosed) -> None:
    """S2-28."""
    world.choose(MaxViewsPerSession="7", MaxViewsPerDay="0", CooldownSeconds="90", SessionSeconds="5400")

    stats = world.stats()

    assert [stats[name] for name in S2_28[:4]] == [7, 0, 1.5, 1.5]


@ON_A_CLUSTER_TOO
def test_contents_sessions_and_viewers_are_counted_as_they_come(world: Diagnosed) -> None:
    """S2-28. Three views by two viewers; a refused one is none."""
    world.view("1", address="203.0.113.1")
    world.view("2", address="203.0.113.1")
    world.view("2", address="203.0.113.1")
    world.view("3", address="203.0.113.2")

    stats = world.stats()

    assert (stats["total_session_keys"], stats["total_daily_limit_keys"]) == (3, 2)
    assert stats["total_view_keys"] == stats["pending_contents"] == 3
    assert stats["refused_fields"] == 1
    assert sum(shard["pending_contents"] for shard in stats["shards"]) == 3


def test_a_new_day_begins_without_sessions_and_viewers_and_keeps_what_is_pending(world: Diagnosed) -> None:
    """S2-28."""
    world.view()
    world.clock.move_to(MIDNIGHT + timedelta(days=1))

    stats = world.stats()

    assert (stats["total_session_keys"], stats["total_daily_limit_keys"], stats["total_view_keys"]) == (0, 0, 1)


def test_a_day_begins_in_the_configured_zone(world: Diagnosed) -> None:
    world.choose(TimeZone="Asia/Kolkata")
    world.view()
    world.clock.move_to(datetime(2026, 11, 20, 18, 29, 59, tzinfo=UTC))
    before = world.stats()["total_daily_limit_keys"]
    world.clock.shift(1)

    assert (before, world.stats()["total_daily_limit_keys"]) == (1, 0)


def test_the_oldest_pending_view_is_told_by_when_it_was_counted(world: Diagnosed) -> None:
    before = world.stats()
    world.view("1", address="203.0.113.1")
    world.clock.shift(60)
    world.view("2", address="203.0.113.2")
    world.clock.shift(30)

    stats = world.stats()

    assert (before["oldest_pending_at"], before["oldest_pending_seconds"]) == (None, None)
    assert (stats["oldest_pending_at"], stats["oldest_pending_seconds"]) == ("2026-11-20T08:30:00.000000Z", 90)


def test_what_an_epoch_has_taken_is_pending_until_it_is_moved(world: Diagnosed) -> None:
    world.view()
    world.clock.shift(60)
    shards = RedisShards(client(world.servers.url, world.servers.mode, 2))
    shards.open(range(16), 0)
    shards.open(range(16), 1)

    taken = world.stats()
    world.view("2", address="203.0.113.2")
    both = world.stats()

    assert (taken["pending_contents"], taken["syncing_contents"], taken["oldest_pending_seconds"]) == (0, 1, 60)
    assert (both["pending_contents"], both["syncing_contents"], both["oldest_pending_seconds"]) == (1, 1, 60)
    assert {shard["epoch"] for shard in both["shards"]} == {1}


def test_pending_views_are_those_that_were_counted_and_no_epoch_has_taken(world: Diagnosed) -> None:
    shards = RedisShards(client(world.servers.url, world.servers.mode, 2))
    shards.open(range(16), 0)
    world.view("1")
    shards.open(range(16), 1)
    for number in range(2, 5):
        world.view("1", address=f"203.0.113.{number}")
    world.view("2")

    stats = world.stats()

    assert stats["pending_views"] == 4
    assert sum(shard["pending_views"] for shard in stats["shards"]) == 4


def test_what_was_moved_aside_and_refused_is_counted(world: Diagnosed) -> None:
    world.hset(keys.parked(3), **{"story:1": "1:2026-11-20:4;"})
    world.hset(keys.parked(4), **{"story:1": "1:2026-11-20:4;"})
    world.hset(keys.refused(3), **{"bot|story:1|2026-11-20T08": 1})
    world.hset(keys.refusing(5), **{"bot|story:1|2026-11-20T07": 1})

    stats = world.stats()

    assert (stats["parked_contents"], stats["refused_fields"]) == (2, 2)
    assert (stats["shards"][3]["parked_contents"], stats["shards"][5]["refused_fields"]) == (1, 1)


def test_the_open_epoch_is_told_with_its_phase_and_a_closed_one_is_not(world: Diagnosed) -> None:
    before = world.stats()
    world.put(Control(7, Phase.PAGING, 3, "2026-11-20", 16, opened_at=NOON))
    during = world.stats()
    control = SyncStore(world.aws.ref("ViewsTable"), world.aws.ref("TotalsTable"))
    found = control.control()
    assert found is not None
    control.move(found, Control(7, Phase.DONE, 4, "2026-11-20", 16, opened_at=NOON, closed_at=NOON))
    after = world.stats()

    assert (before["open_epoch"], before["open_epoch_phase"]) == (None, None)
    assert (during["open_epoch"], during["open_epoch_phase"]) == (7, "paging")
    assert (after["open_epoch"], after["open_epoch_phase"]) == (None, None)


def test_shards_that_a_larger_number_left_behind_are_told_too(world: Diagnosed) -> None:
    world.put(Control(0, Phase.DONE, 0, "2026-11-20", 40, opened_at=NOON, closed_at=NOON))
    world.hset(keys.pending(39), **{"story:1": 4})

    stats = world.stats()

    assert ([shard["shard"] for shard in stats["shards"]], stats["total_view_keys"]) == (list(range(40)), 1)


@ON_A_CLUSTER_TOO
def test_memory_is_that_of_all_primaries(world: Diagnosed) -> None:
    stats = world.stats()

    used = 0
    for found in world.servers.clients():
        with found:
            used += found.info("memory")["used_memory"]
    assert 0.5 < stats["used_memory_bytes"] / used < 2


@ON_A_CLUSTER_TOO
@pytest.mark.parametrize("told", ["nothing", "no memory"])
def test_memory_is_null_where_the_service_does_not_tell(world: Diagnosed, monkeypatch: Any, told: str) -> None:
    def info(*_: Any, **__: Any) -> dict[str, Any]:
        if told == "nothing":
            raise ResponseError("unknown command 'INFO'")
        return {"redis_version": "7.2"}

    monkeypatch.setattr(type(diagnosis_client(world)), "info", info)

    assert world.stats()["used_memory_bytes"] is None


def diagnosis_client(world: Diagnosed) -> Any:
    return client(world.servers.url, world.servers.mode, 2)


@ON_A_CLUSTER_TOO
def test_no_key_is_scanned_and_nothing_written(world: Diagnosed) -> None:
    """S2-28. However many keys there are: what takes time with their number would keep tracking waiting."""
    for number in range(30):
        world.view(str(number), address=f"203.0.113.{number}")
    before = world.servers.everything()
    world.stats()
    for found in world.servers.clients():
        with found:
            found.config_resetstat()

    world.stats()
    commands = world.servers.commands()

    assert commands.keys() & NO_SCANS == set()
    assert commands["hlen"] == 5 * 16
    assert world.servers.everything() == before


@ON_A_CLUSTER_TOO
def test_without_redis_it_is_503_with_when_to_come_back(world: Diagnosed) -> None:
    """S2-33."""
    world.functions.environment["REDIS_URL"] = f"redis://127.0.0.1:{free_ports(1)[0]}"

    answers = [world.ask("stats"), world.ask("explain", asked())]

    for answer in answers:
        assert (answer.status, answer.body["code"]) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("file", ["stats", "explain"])
@pytest.mark.parametrize("role", ["user", "service"])
def test_it_needs_an_operator(world: Diagnosed, file: str, role: str) -> None:
    answer = world.ask(file, role=role)

    assert answer.status == 403
    assert answer.body["message"] == f"This route needs the role operator; yours is {role}"


# --- Explanations


def test_a_viewer_who_was_never_seen_would_count(world: Diagnosed) -> None:
    explained = world.explain()

    assert (explained["would_count"], explained["reasons"], explained["retry_after_seconds"]) == (True, [], None)
    assert explained["rules"] == [
        {"rule": "cooldown", "on": True, "unit": "seconds", "limit": 300, "used": None, "refuses": False},
        {"rule": "daily_viewed", "on": True, "unit": "views", "limit": 1, "used": 0, "refuses": False},
        {"rule": "session_limit", "on": True, "unit": "views", "limit": 3, "used": 0, "refuses": False},
        {"rule": "daily_limit", "on": True, "unit": "views", "limit": 100, "used": 0, "refuses": False},
        {"rule": "unregistered", "on": False, "unit": None, "limit": None, "used": None, "refuses": False},
        {"rule": "too_many_contents", "on": True, "unit": "contents", "limit": 10_000, "used": 0, "refuses": False},
        {"rule": "network_limit", "on": False, "unit": "views", "limit": 0, "used": None, "refuses": False},
        {"rule": "bot", "on": True, "unit": None, "limit": None, "used": None, "refuses": False},
        {"rule": "do_not_track", "on": False, "unit": None, "limit": None, "used": None, "refuses": False},
    ]


@ON_A_CLUSTER_TOO
def test_every_rule_that_would_refuse_is_named_with_the_viewers_standing(world: Diagnosed) -> None:
    world.view("1")
    world.view("2")
    world.clock.shift(60)

    explained = world.explain("2")

    assert (explained["would_count"], explained["reasons"]) == (False, ["cooldown", "daily_viewed"])
    assert explained["retry_after_seconds"] == (15 * 60 + 29) * 60
    assert rule(explained, "cooldown") == {"on": True, "unit": "seconds", "limit": 300, "used": 60, "refuses": True}
    assert rule(explained, "daily_viewed") == {"on": True, "unit": "views", "limit": 1, "used": 1, "refuses": True}
    assert rule(explained, "session_limit") == {"on": True, "unit": "views", "limit": 3, "used": 1, "refuses": False}
    assert rule(explained, "daily_limit") == {"on": True, "unit": "views", "limit": 100, "used": 2, "refuses": False}
    assert rule(explained, "too_many_contents")["used"] == 2


def test_a_session_outlives_midnight_and_its_day_does_not(world: Diagnosed) -> None:
    world.choose(OncePerDay="false", CooldownSeconds="0")
    for _ in range(2):
        world.view(token=world.token("ada"))
    world.clock.move_to(MIDNIGHT + timedelta(days=1))
    at_midnight = world.explain(user="ada")
    world.clock.move_to(NOW + timedelta(days=1))
    when_it_is_over = world.explain(user="ada")

    used = ("session_limit", "daily_limit", "daily_viewed")
    assert [rule(at_midnight, name)["used"] for name in used] == [2, 0, 0]
    assert [rule(when_it_is_over, name)["used"] for name in used] == [0, 0, 0]


def test_a_rule_that_is_off_is_told_as_off(world: Diagnosed) -> None:
    world.choose(
        MaxViewsPerSession="0", MaxViewsPerDay="0", OncePerDay="false", CooldownSeconds="0", MaxContentsPerShard="0"
    )

    explained = world.explain()

    assert [each["rule"] for each in explained["rules"] if each["on"]] == ["bot"]


@pytest.mark.parametrize("form", ["user", "session", "address"])
def test_each_form_is_the_viewer_that_tracking_takes_it_for(world: Diagnosed, form: str) -> None:
    world.choose(OncePerDay="false", CooldownSeconds="0")
    given: dict[str, str]
    if form == "user":
        world.view(token=world.token("ada"))
        given, other = {"user": "ada"}, {"user": "grace"}
    elif form == "session":
        given = {"session": world.view(address="203.0.113.9")["session"]}
        other = {"source_ip": ADDRESS, "user_agent": BROWSER}
    else:
        world.view()
        given, other = {"source_ip": ADDRESS, "user_agent": BROWSER}, {"source_ip": ADDRESS, "user_agent": "another"}

    assert rule(world.explain(**given), "daily_limit")["used"] == 1
    assert rule(world.explain(**other), "daily_limit")["used"] == 0


def test_a_user_is_found_by_name_where_names_are_kept(world: Diagnosed) -> None:
    world.choose(LiteralUserKeys="true")
    world.view(token=world.token("ada"))

    explained = world.explain(user="ada")

    assert explained["reasons"] == ["cooldown", "daily_viewed"]
    assert any(key.endswith(b":user:ada") for key in world.servers.everything())


def test_a_robot_would_be_refused_by_its_name_alone(world: Diagnosed) -> None:
    explained = world.explain(source_ip=ADDRESS, user_agent="Googlebot/2.1")

    assert (explained["reasons"], explained["retry_after_seconds"]) == (["bot"], None)
    assert rule(explained, "bot")["refuses"] is True


def test_an_unregistered_content_would_be_refused_where_only_registered_ones_count(world: Diagnosed) -> None:
    world.choose(RegisteredContentOnly="true")
    before = world.explain()
    for shard in range(16):
        with world.servers.client_of(keys.registered(shard)) as found:
            found.sadd(keys.registered(shard), "*", "story:other")

    unknown, known = world.explain(), world.explain("other")

    assert (before["would_count"], known["would_count"]) == (True, True)
    assert unknown["reasons"] == ["unregistered"] == world.view()["reasons"]
    assert rule(unknown, "unregistered") == {"on": True, "unit": None, "limit": None, "used": None, "refuses": True}


def test_a_content_too_many_would_be_refused(world: Diagnosed) -> None:
    """An anonymous viewer's at a tenth of the bound, a user's at the bound."""
    world.choose(MaxContentsPerShard="11", ViewShards="1")
    world.view("1")
    world.view("2")

    new, pending, users = world.explain("3"), world.explain("2", user="grace"), world.explain("3", user="grace")

    assert new["reasons"] == ["too_many_contents"] == world.view("3")["reasons"]
    assert rule(new, "too_many_contents") == {"on": True, "unit": "contents", "limit": 2, "used": 2, "refuses": True}
    assert rule(users, "too_many_contents") == {
        "on": True,
        "unit": "contents",
        "limit": 11,
        "used": 2,
        "refuses": False,
    }
    assert "too_many_contents" not in pending["reasons"]
    assert world.stats()["unknown_contents"] == 2
    assert world.stats()["refused_too_many"] == 1


def test_a_network_at_its_limit_is_named_where_the_viewer_is_anonymous(world: Diagnosed) -> None:
    world.choose(NetworkLimit="1")
    session = world.view("other", address="198.51.100.1")["session"]
    world.view(agent="Browser/1")

    by_address = world.explain()
    by_session = world.explain(session=session)
    by_user = world.explain(user="ada")

    assert by_address["reasons"] == ["network_limit"]
    assert rule(by_address, "network_limit") == {"on": True, "unit": "views", "limit": 1, "used": 1, "refuses": True}
    for explained in (by_session, by_user):
        assert rule(explained, "network_limit") == {
            "on": True,
            "unit": "views",
            "limit": 1,
            "used": None,
            "refuses": False,
        }


def test_a_view_of_yesterday_is_told_under_todays_name(world: Diagnosed) -> None:
    """S2-36. As the view itself would be answered: with the address, what a session's viewer did without it, too."""
    midnight = MIDNIGHT + timedelta(days=1)
    world.clock.move_to(midnight - timedelta(seconds=2))
    session = world.view()["session"]
    world.clock.move_to(midnight + timedelta(seconds=2))
    by_address = world.explain()
    world.view("other")
    known = {"source_ip": ADDRESS, "user_agent": BROWSER}

    alone, with_address = world.explain("other", session=session), world.explain("other", session=session, **known)

    assert by_address["reasons"] == ["cooldown"] == world.view()["reasons"]
    assert rule(by_address, "cooldown") == {"on": True, "unit": "seconds", "limit": 300, "used": 4, "refuses": True}
    assert alone["would_count"]
    assert with_address["reasons"] == ["cooldown", "daily_viewed"] == world.view("other", session=session)["reasons"]
    assert rule(with_address, "daily_viewed")["refuses"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "content_type"),
        (asked() | {"content_type": "podcast"}, "content_type"),
        (asked() | {"content_id": "-1"}, "content_id"),
        (asked() | {"viewer": {}}, "viewer"),
        (asked() | {"viewer": "ada"}, "viewer"),
        (asked() | {"count": True}, "count"),
        (asked(user="ada", session="v1"), "viewer"),
        (asked(user="ada", user_agent="x"), "viewer"),
        (asked(source_ip="203.0.113.1"), "viewer"),
        (asked(user_agent=BROWSER), "viewer"),
        (asked(user=""), "viewer.user"),
        (asked(name="ada"), "viewer.name"),
        (asked(source_ip="not an address", user_agent=BROWSER), "viewer.source_ip"),
        (asked(session="v1.forged"), "viewer.session"),
    ],
)
def test_a_wrong_field_is_400_and_named(world: Diagnosed, body: Any, field: str) -> None:
    answer = world.ask("explain", body)

    assert (answer.status, answer.fields[0]) == (400, field)


def test_a_session_that_is_over_is_400_and_named(world: Diagnosed) -> None:
    session = world.view()["session"]
    world.clock.shift(timedelta(hours=24))

    answer = world.ask("explain", asked(session=session))

    assert (answer.status, answer.fields) == (400, ["viewer.session"])


def test_nothing_is_counted_and_nothing_that_says_who_is_kept_or_logged(
    world: Diagnosed, caplog: pytest.LogCaptureFixture
) -> None:
    """S2-37."""
    session = world.view()["session"]
    before = world.servers.everything()
    written = {table: world.aws.items(table) for table in ("ViewsTable", "AuditTable", "OutboxTable", "TotalsTable")}
    caplog.clear()
    for name in (logger.name, "views", "sluice"):
        caplog.set_level("DEBUG", logger=name)

    world.explain(user="the-subject")
    world.explain(session=session)
    world.explain(source_ip="198.51.100.23", user_agent="Browser/of-its-own")
    world.explain(source_ip="198.51.100.23", user_agent="Robot/of-its-own bot")
    world.ask("explain", asked(user="the-subject", source_ip="198.51.100.23"))
    world.ask("explain", asked(session="v1.the-forged-one"))

    assert world.servers.everything() == before
    assert {table: world.aws.items(table) for table in written} == written
    # A record's text lacks the fields that are logged beside it.
    logged = "".join([repr(vars(record)) for record in caplog.records])
    assert "Refused" in logged
    for personal in ("the-subject", "198.51.100", "of-its-own", session, "the-forged-one", "anon:", "user:"):
        assert personal not in logged


RULES = st.builds(
    Rules,
    max_per_session=st.sampled_from([0, 1, 2]),
    max_per_day=st.sampled_from([0, 2, 4]),
    once_per_day=st.booleans(),
    cooldown_seconds=st.sampled_from([0, 300]),
    session_seconds=st.sampled_from([0, 3600, 86_400]),
    registered_only=st.booleans(),
    max_contents=st.sampled_from([0, 1, 2]),
)
HISTORY = st.lists(
    st.tuples(st.sampled_from([0, 1, 299, 300, 3600, 40_000, 86_400]), st.integers(0, 2), st.integers(0, 1)),
    max_size=25,
)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(rules=RULES, history=HISTORY, is_complete=st.booleans())
def test_an_explanation_is_what_the_next_view_is_answered(
    servers: Servers, rules: Rules, history: list[tuple[int, int, int]], is_complete: bool
) -> None:
    """On any history; it changes nothing, and a rule's `used` is at its limit exactly when the rule refuses."""
    servers.flush()
    if is_complete:
        with servers.client_of(keys.registered(0)) as found:
            found.sadd(keys.registered(0), "*", "story:0", "story:1")
    clock = Clock()
    counter = ViewCounter(servers.nodes, rules, UTC_ZONE, 1)
    shards = RedisShards(client(servers.url, servers.mode, 10))
    viewers = Viewers(("v" * 32,), UTC_ZONE, lambda subject: subject)
    explainer = Explainer(
        *(viewers, counter, lambda: shards, clock, Calendar(UTC_ZONE), rules), shard_count=1, honours_do_not_track=False
    )

    for seconds, content, viewer in history:
        clock.time += timedelta(seconds=seconds)
        before = servers.everything()
        explained = explainer.of_user(f"viewer-{viewer}", "story", str(content))
        assert servers.everything() == before
        key = viewers.recognise(viewer_request(viewer), clock.time).key
        assert explained.decision == counter.track(key, "story", str(content), clock.time)

        standing = {each.rule: each for each in explained.rules}
        assert {each.rule for each in explained.rules if each.refuses} == set(explained.decision.reasons)
        alone = {"unregistered", "too_many_contents"} & set(explained.decision.reasons)
        for name in ("daily_viewed", "session_limit", "daily_limit"):
            each = standing[name]
            assert each.used is not None
            assert each.limit is not None
            assert each.refuses == (each.is_on and each.used >= each.limit and not alone)


class Clock:
    """A clock that a history moves on."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time


def viewer_request(number: int) -> Any:
    from views.viewers import ViewRequest

    return ViewRequest({"authorization": f"viewer-{number}"}, "")
