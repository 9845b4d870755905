"""Tracking, on a real server and on a real cluster: the rules at their edges, and what it costs."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import crc
from redis.exceptions import ResponseError

from sluice.errors import Misconfigured
from tests.factories import NOON, UTC_ZONE
from tests.integration.track_function import pending
from tests.redis_servers import SLOTS, Servers, free_ports
from tests.rules_model import Counted, day_of, decide
from tests.view_counter import ViewCounter
from views import keys
from views.rules import (
    BOT,
    COOLDOWN,
    DAILY_LIMIT,
    DAILY_VIEWED,
    SESSION_LIMIT,
    Calendar,
    Decision,
    Rules,
)
from views.track.counter import _CLIENT, NotTracked, OutcomeUnknown, nodes
from views.viewers import Viewers, ViewRequest

pytestmark = pytest.mark.usefixtures("patient")

ALL_OFF = Rules(max_per_session=0, max_per_day=0, once_per_day=False, cooldown_seconds=0, session_seconds=0)
ONLY_SESSION = replace(ALL_OFF, max_per_session=3, session_seconds=86_400)
ONLY_DAILY_LIMIT = replace(ALL_OFF, max_per_day=100)
ONLY_ONCE = replace(ALL_OFF, once_per_day=True)
ONLY_COOLDOWN = replace(ALL_OFF, cooldown_seconds=300)
BERLIN = ZoneInfo("Europe/Berlin")
VIEWER = "anon:AAAAAAAAAAAAAAAAAAAAAA"
MILLISECOND = timedelta(milliseconds=1)


class Tracker:
    """One viewer's views, at times given after noon."""

    def __init__(self, servers: Servers, rules: Rules, zone: ZoneInfo = UTC_ZONE) -> None:
        self.counter = ViewCounter(servers.nodes, rules, zone)

    def view(self, after: timedelta = timedelta(0), content: str = "123", at: datetime = NOON) -> Decision:
        return self.counter.track(VIEWER, "story", content, at + after)


def register(servers: Servers, viewer: str, *contents: str) -> None:
    """Make a set of registered contents complete, on the viewer's shard."""
    name = keys.registered(keys.shard_of(viewer))
    with servers.client_of(name) as server:
        server.sadd(name, "*", *contents)


def test_a_fourth_view_in_a_session_is_refused(servers: Servers) -> None:
    """S2-2."""
    tracker = Tracker(servers, ONLY_SESSION)

    decisions = [tracker.view(timedelta(hours=hour)) for hour in range(4)]

    assert [decision.reasons for decision in decisions] == [(), (), (), (SESSION_LIMIT,)]
    assert decisions[3].retry_after_seconds == 21 * 3600
    assert pending(servers) == {"story:123": 3}


def test_a_session_ends_24_hours_after_its_first_view(servers: Servers) -> None:
    """S2-6. It does not slide, and at exactly 24:00:00 the view counts."""
    tracker = Tracker(servers, ONLY_SESSION)
    for hour in (0, 10, 20):
        tracker.view(timedelta(hours=hour))

    last_refused = tracker.view(timedelta(hours=24) - MILLISECOND)
    first_counted = tracker.view(timedelta(hours=24))

    assert last_refused == Decision((SESSION_LIMIT,), 1)
    assert first_counted.is_counted


def test_a_101st_view_in_a_day_is_refused(servers: Servers) -> None:
    """S2-3. Over all contents together, until midnight."""
    tracker = Tracker(servers, ONLY_DAILY_LIMIT)

    decisions = [tracker.view(content=str(number)) for number in range(101)]

    assert all(decision.is_counted for decision in decisions[:100])
    assert decisions[100] == Decision((DAILY_LIMIT,), 12 * 3600)
    assert tracker.view(timedelta(hours=12) - MILLISECOND).reasons == (DAILY_LIMIT,)
    assert tracker.view(timedelta(hours=12)).is_counted
    assert sum(pending(servers).values()) == 101


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        (UTC_ZONE, datetime(2026, 11, 21, tzinfo=UTC)),
        (BERLIN, datetime(2026, 11, 20, 23, tzinfo=UTC)),
        (BERLIN, datetime(2026, 10, 25, 23, tzinfo=UTC)),  # a day of 25 hours ends
        (BERLIN, datetime(2026, 3, 29, 22, tzinfo=UTC)),  # a day of 23 hours ends
    ],
)
def test_a_content_counts_once_a_day_until_midnight_in_the_zone(
    servers: Servers, zone: ZoneInfo, midnight: datetime
) -> None:
    """S2-4."""
    tracker = Tracker(servers, ONLY_ONCE, zone)
    tracker.view(-timedelta(hours=5), at=midnight)

    before = tracker.view(-MILLISECOND, at=midnight)
    after = tracker.view(at=midnight)

    assert before == Decision((DAILY_VIEWED,), 1)
    assert after.is_counted
    assert tracker.view(content="other", at=midnight).is_counted


def test_a_content_cools_down_for_five_minutes(servers: Servers) -> None:
    """S2-5. At exactly 5:00 the view counts."""
    tracker = Tracker(servers, ONLY_COOLDOWN)
    tracker.view()

    at_4_59 = tracker.view(timedelta(minutes=4, seconds=59))
    just_before = tracker.view(timedelta(minutes=5) - MILLISECOND)
    other = tracker.view(timedelta(minutes=1), content="other")
    at_5_00 = tracker.view(timedelta(minutes=5))

    assert at_4_59 == Decision((COOLDOWN,), 1)
    assert just_before == Decision((COOLDOWN,), 1)
    assert other.is_counted
    assert at_5_00.is_counted


def test_the_cooldown_goes_over_midnight(servers: Servers) -> None:
    """S2-5. There it is the only rule that holds."""
    tracker = Tracker(servers, Rules())
    tracker.view(timedelta(hours=11, minutes=58))

    refused = tracker.view(timedelta(hours=12))

    assert refused == Decision((COOLDOWN,), 180)
    assert tracker.view(timedelta(hours=12, minutes=3)).is_counted


def test_every_rule_that_refuses_is_named(servers: Servers) -> None:
    """S2-36. And the wait is until all of them let the view pass."""
    tracker = Tracker(servers, Rules(max_per_session=1, max_per_day=1))
    tracker.view()

    refused = tracker.view(timedelta(seconds=13))

    assert refused.reasons == (COOLDOWN, DAILY_VIEWED, SESSION_LIMIT, DAILY_LIMIT)
    assert refused.reason == COOLDOWN
    assert refused.retry_after_seconds == 24 * 3600 - 13


def test_with_every_rule_off_every_view_counts(servers: Servers) -> None:
    """S2-36."""
    tracker = Tracker(servers, ALL_OFF)

    decisions = [tracker.view() for _ in range(120)]

    assert all(decision.is_counted for decision in decisions)
    assert pending(servers) == {"story:123": 120}


def test_refusals_are_counted_by_rules_content_and_hour(servers: Servers) -> None:
    """S2-29. Each attempt once, by all the rules that refused it; of a bot too, for which no rule is asked."""
    tracker = Tracker(servers, Rules())
    for minute in (0, 1, 2, 61):
        tracker.view(timedelta(minutes=minute))
    bot = tracker.counter.track("anon:BBBBBBBBBBBBBBBBBBBBBB", "story", "9", NOON, (BOT,))

    found = servers.everything()

    assert bot == Decision((BOT,))
    refused = {field: int(n) for key, value in found.items() if key.endswith(b":refused") for field, n in value.items()}
    assert refused == {
        b"cooldown+daily_viewed|story:123|2026-11-20T12": 2,
        b"daily_viewed|story:123|2026-11-20T13": 1,
        b"bot|story:9|2026-11-20T12": 1,
    }
    assert not any(b"BBBB" in key for key in found)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.one_of(
            st.integers(-2_000, 90_000_000),
            st.sampled_from([0, 1, 299_999, 300_000, 300_001, 43_200_000, 86_399_999, 86_400_000]),
            st.integers(0, 20).map(lambda minutes: minutes * 60_000),
        ),
    ),
    max_size=25,
)
SOME_RULES = st.builds(
    Rules,
    max_per_session=st.integers(0, 4),
    max_per_day=st.integers(0, 6),
    once_per_day=st.booleans(),
    cooldown_seconds=st.sampled_from([0, 60, 300, 100_000]),
    session_seconds=st.sampled_from([0, 3_600, 86_400, 200_000]),
    registered_only=st.booleans(),
    max_contents=st.sampled_from([0, 1, 2, 11, 30]),
)
REGISTERED = st.none() | st.sets(st.sampled_from(["story:a", "story:b", "story:c"]))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rules=SOME_RULES,
    steps=STEPS,
    zone=st.sampled_from([UTC_ZONE, BERLIN]),
    registered=REGISTERED,
    viewer=st.sampled_from([VIEWER, "user:AAAAAAAAAAAAAAAAAAAAAA"]),
)
def test_the_script_decides_as_the_rules_say(
    servers: Servers,
    rules: Rules,
    steps: list[tuple[str, int]],
    zone: ZoneInfo,
    registered: set[str] | None,
    viewer: str,
) -> None:
    """S2-36. On any history, over days, a change of summer time, and clocks that differ by seconds; said or counted."""
    servers.flush()
    if registered is not None:
        register(servers, viewer, *registered)
    is_anonymous = viewer == VIEWER
    tracker, calendar = Tracker(servers, rules, zone), Calendar(zone)
    now, history = datetime(2026, 10, 24, 12, tzinfo=UTC), []

    for content, milliseconds in steps:
        now += timedelta(milliseconds=milliseconds)
        moment = calendar.moment(now)
        counted = {view.content for view in history}
        expected = decide(
            *(rules, history, f"story:{content}", moment),
            pending=counted,
            registered=registered,
            unknown=len(counted) if is_anonymous or rules.registered_only else 0,
            is_anonymous=is_anonymous,
        )
        assert tracker.counter.explain(viewer, "story", content, now) == expected
        assert tracker.counter.track(viewer, "story", content, now) == expected
        if expected.is_counted:
            history.append(Counted(f"story:{content}", moment.now, day_of(history, moment)))

    assert sum(pending(servers).values()) == len(history)


def test_a_clock_that_is_late_begins_no_day_anew(servers: Servers) -> None:
    """S2-3. A view that one caller dates before midnight counts for the day that another has begun."""
    tracker = Tracker(servers, replace(ALL_OFF, max_per_day=2))
    midnight = timedelta(hours=12)

    decisions = [tracker.view(midnight + timedelta(seconds=seconds), str(seconds)) for seconds in (0, -1, 1)]

    assert [decision.reasons for decision in decisions] == [(), (), (DAILY_LIMIT,)]


def test_a_clock_that_is_late_ends_no_session(servers: Servers) -> None:
    """S2-2. Not even when it dates a view before the session's first."""
    tracker = Tracker(servers, ONLY_SESSION)

    decisions = [tracker.view(timedelta(seconds=seconds)) for seconds in (0, -1, 1, 2)]

    assert [decision.reasons for decision in decisions] == [(), (), (), (SESSION_LIMIT,)]


def test_a_session_of_no_length_is_no_rule_whatever_the_clocks_say(servers: Servers) -> None:
    """S2-36."""
    tracker = Tracker(servers, replace(ALL_OFF, max_per_session=1))

    decisions = [tracker.view(timedelta(seconds=seconds)) for seconds in (0, -1, 1)]

    assert all(decision.is_counted for decision in decisions)


def test_a_refused_view_counts_when_its_wait_is_over(servers: Servers) -> None:
    tracker = Tracker(servers, Rules())
    tracker.view()
    wait = tracker.view(timedelta(minutes=1)).retry_after_seconds
    assert wait is not None

    early = tracker.view(timedelta(minutes=1, seconds=wait) - MILLISECOND)
    on_time = tracker.view(timedelta(minutes=1, seconds=wait))

    assert not early.is_counted
    assert on_time.is_counted


def test_a_view_is_one_round_trip_counted_or_refused(servers: Servers) -> None:
    """S2-7. Counted at the server, with nothing else on the connection once it is open."""
    tracker = Tracker(servers, Rules())
    tracker.view()
    server, other = (servers.client_of(keys.viewer_state(VIEWER)) for _ in range(2))
    other.ping()
    with server, other, server.monitor() as monitor:
        tracker.view(content="new")
        tracker.view(content="new")
        tracker.counter.track(VIEWER, "story", "new", NOON, (BOT,))
        other.echo("end")
        seen = _until_echo(monitor)

    from_clients = [command for command in seen if command["client_type"] != "lua"]
    assert [command["command"].split()[0] for command in from_clients] == ["EVALSHA"] * 3


def _until_echo(monitor: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while not (command := monitor.next_command())["command"].startswith("ECHO"):
        found.append(command)
    return found


def test_all_keys_of_a_view_are_in_one_slot() -> None:
    """S2-16."""
    for number in range(200):
        viewer = f"anon:{number}"
        shard = keys.shard_of(viewer)
        names = [keys.viewer_state(viewer), keys.pending(shard), keys.refused(shard), keys.epoch(shard)]
        names += [keys.stats(shard), keys.registered(shard)]

        slots = {crc.key_slot(name.encode()) for name in [*names, keys.syncing(shard)]}

        assert len(slots) == 1
        assert 0 <= shard < keys.DEFAULT_SHARDS


def test_viewers_are_spread_over_all_shards_and_nodes(servers: Servers) -> None:
    counter = ViewCounter(servers.nodes, Rules(), UTC_ZONE)

    for number in range(200):
        counter.track(f"anon:{number}", "story", "viral", NOON)

    assert pending(servers) == {"story:viral": 200}
    assert sum(key.endswith(b":pending") for key in servers.everything()) == keys.DEFAULT_SHARDS
    owners = {crc.key_slot(keys.pending(shard).encode()) * len(servers.ports) // SLOTS for shard in range(16)}
    assert len(owners) == len(servers.ports)


def test_a_server_that_lost_the_script_is_given_it_again(servers: Servers) -> None:
    tracker = Tracker(servers, ALL_OFF)
    tracker.view()
    for client in servers.clients():
        with client:
            client.script_flush()

    decision = tracker.view()

    assert decision.is_counted
    assert pending(servers) == {"story:123": 2}
    assert servers.commands()["eval"] == 2


def test_counts_never_expire_and_what_the_rules_remember_does(servers: Servers) -> None:
    """S2-34. With twice the time that a rule can ask for, after the last view of the day (decision 17)."""
    tracker = Tracker(servers, Rules())
    tracker.view()
    tracker.view()

    with servers.client_of(keys.viewer_state(VIEWER)) as server:
        assert server.ttl(keys.pending(keys.shard_of(VIEWER))) == -1
        assert 2 * 25 * 3600 < server.ttl(keys.viewer_state(VIEWER)) <= 3 * 25 * 3600


def test_who_comes_every_day_is_not_remembered_for_ever(servers: Servers) -> None:
    """S2-34."""
    tracker = Tracker(servers, Rules())

    for day in range(30):
        tracker.view(timedelta(days=day), content=str(day))

    with servers.client_of(keys.viewer_state(VIEWER)) as server:
        assert server.hlen(keys.viewer_state(VIEWER)) <= 5


@pytest.mark.parametrize(("contents", "limit"), [(1, 150), (5, 60), (50, 40)])
def test_a_viewer_and_content_takes_few_bytes(servers: Servers, contents: int, limit: int) -> None:
    """S2-34. Long ids take no more than short ones."""
    tracker = Tracker(servers, Rules())

    for number in range(contents):
        tracker.view(content=f"{'x' * 120}{number}")

    with servers.client_of(keys.viewer_state(VIEWER)) as server:
        used = server.memory_usage(keys.viewer_state(VIEWER), samples=0)
    assert used / contents <= limit


def test_nothing_stored_says_who_is_viewing(servers: Servers) -> None:
    """S2-37."""
    agent, address, six, subject = "Mozilla/5.0 (Secret)", "203.0.113.77", "2001:db8:1:2::77", "alice@example.org"
    viewers = Viewers(("s" * 32,), UTC_ZONE, lambda header: subject if header else None)
    counter = ViewCounter(servers.nodes, Rules(), UTC_ZONE)
    requests = [
        ViewRequest({"user-agent": agent}, address),
        ViewRequest({"user-agent": agent}, six),
        ViewRequest({"user-agent": agent, "authorization": "Bearer abc"}, address),
    ]

    for request in requests:
        viewer = viewers.recognise(request, NOON)
        for reasons in ((), (), (BOT,)):
            counter.track(viewer.key, "story", "123", NOON, reasons)

    stored = repr(servers.everything())
    assert pending(servers) == {"story:123": 3}
    for secret in (
        agent,
        "Mozilla",
        address,
        "203.0",
        six,
        "2001:db8",
        subject,
        "alice",
    ):
        assert secret not in stored
    assert re.search(r"anon:\d\d[\w-]{22}'", stored)


def test_a_refused_connection_is_certainly_no_view_and_redis_is_left_alone_for_five_seconds(servers: Servers) -> None:
    """S2-33."""
    time = [0.0]
    attempts = []

    def connect() -> Any:
        attempts.append(time[0])
        url = f"redis://127.0.0.1:{free_ports(1)[0]}" if len(attempts) == 1 else servers.url
        return nodes(url, servers.mode)

    counter = ViewCounter(connect, Rules(), UTC_ZONE, seconds=lambda: time[0])
    for moment in (0.0, 0.1, 4.999):
        time[0] = moment
        with pytest.raises(NotTracked):
            counter.track(VIEWER, "story", "123", NOON)
    time[0] = 5.0

    decision = counter.track(VIEWER, "story", "123", NOON)

    assert decision.is_counted
    assert attempts == [0.0, 5.0]


def test_a_lost_answer_leaves_the_outcome_unknown_and_is_not_sent_again(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S2-33. The server is held up, so that the command runs after the caller gave up."""
    monkeypatch.setitem(_CLIENT, "socket_timeout", 0.3)
    time = [0.0]
    counter = ViewCounter(servers.nodes, ALL_OFF, UTC_ZONE, seconds=lambda: time[0])
    counter.track(VIEWER, "story", "123", NOON)
    with servers.client_of(keys.viewer_state(VIEWER)) as server:
        server.execute_command("CLIENT", "PAUSE", 1000)
        with pytest.raises(OutcomeUnknown):
            counter.track(VIEWER, "story", "123", NOON)
        with pytest.raises(NotTracked):
            counter.track(VIEWER, "story", "123", NOON)
        server.ping()
    time[0] = 5.0

    counter.track(VIEWER, "story", "123", NOON)

    assert pending(servers)["story:123"] in (2, 3)


def test_a_server_that_wants_a_password_is_certainly_no_view(servers: Servers) -> None:
    for client in servers.clients():
        with client:
            client.config_set("requirepass", "secret")
    try:
        with pytest.raises(NotTracked, match="Redis|cluster") as caught:
            Tracker(servers, Rules()).view()
    finally:
        for port in servers.ports:
            with type(client)(port=port, password="secret") as admin:
                admin.config_set("requirepass", "")

    assert "secret" not in str(caught.value)
    assert pending(servers) == {}


@pytest.mark.parametrize("broken", ["", "day", "counted", "viewers"])
def test_what_cannot_be_noted_loses_no_answer_and_repeats_no_view(servers: Servers, broken: str) -> None:
    """The stats are bookkeeping: a view counts without them, and once."""
    tracker = Tracker(servers, Rules())
    stats = keys.stats(keys.shard_of(VIEWER))
    with servers.client_of(stats) as server:
        if broken:
            server.hset(stats, mapping={"day": Calendar(UTC_ZONE).moment(NOON).day_start, broken: "oops"})
        else:
            server.set(stats, "oops")
        decisions = [tracker.view() for _ in range(3)]

    assert [decision.is_counted for decision in decisions] == [True, False, False]
    assert pending(servers) == {"story:123": 1}


def test_a_refusal_that_cannot_be_noted_stands(servers: Servers) -> None:
    tracker = Tracker(servers, Rules())
    tracker.view()
    refused = keys.refused(keys.shard_of(VIEWER))
    with servers.client_of(refused) as server:
        server.set(refused, "oops")

        decision = tracker.view()

    assert decision.reasons == (COOLDOWN, DAILY_VIEWED)


def test_a_field_that_is_none_is_not_written_over(servers: Servers) -> None:
    """Everything is read before anything is written."""
    tracker = Tracker(servers, Rules())
    held = keys.pending(keys.shard_of(VIEWER))
    with servers.client_of(held) as server:
        server.set(held, "oops")
        for _ in range(2):
            with pytest.raises(NotTracked, match="another type"):
                tracker.view()

    assert [key for key in servers.everything() if not key.endswith(b":pending")] == []


@pytest.mark.parametrize(
    ("before", "hours", "after"),
    [
        (None, [0], "2026-11-20:1;"),
        (None, [0, 1, 11], "2026-11-20:3;"),
        (None, [0, 11, 12, 20, 36], "2026-11-22:1;2026-11-21:2;2026-11-20:2;"),
        (None, [12, 11], "2026-11-21:2;"),  # a clock that is late
        ("57", [0, 0, 12], "2026-11-21:1;2026-11-20:2;57"),  # of an older release
    ],
)
def test_pending_views_are_kept_by_the_day_on_which_they_were_counted(
    servers: Servers, before: str | None, hours: list[int], after: str
) -> None:
    counter = ViewCounter(servers.nodes, ALL_OFF, UTC_ZONE)
    held = keys.pending(keys.shard_of(VIEWER))
    with servers.client_of(held) as server:
        if before:
            server.hset(held, "story:123", before)

        for hour in hours:
            counter.track(VIEWER, "story", "123", NOON + timedelta(hours=hour))

        assert server.hget(held, "story:123") == after.encode()


def test_the_days_of_pending_views_begin_in_the_zone(servers: Servers) -> None:
    counter = ViewCounter(servers.nodes, ALL_OFF, ZoneInfo("Asia/Tokyo"))
    held = keys.pending(keys.shard_of(VIEWER))

    counter.track(VIEWER, "story", "123", NOON + timedelta(hours=3))

    with servers.client_of(held) as server:
        assert server.hget(held, "story:123") == b"2026-11-21:1;"


def test_a_wrong_script_is_not_hidden_by_a_fallback(servers: Servers) -> None:
    tracker = Tracker(servers, Rules())
    with servers.client_of(keys.viewer_state(VIEWER)) as server:
        server.hset(keys.viewer_state(VIEWER), "d", "oops")

    with pytest.raises(ResponseError, match="data string too short"):
        tracker.view()


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(Misconfigured, match="REDIS_MODE"):
        nodes("redis://localhost", "sentinel")
