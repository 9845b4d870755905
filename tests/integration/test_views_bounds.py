"""What `track.lua` bounds, counts and says beside the rules, on a real server and on a real cluster."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.factories import NOON, UTC_ZONE
from tests.integration.test_views_tracking import ALL_OFF, VIEWER, pending, register
from tests.redis_servers import Servers
from tests.view_counter import ViewCounter
from views import keys
from views.rules import BOT, COOLDOWN, DAILY_VIEWED, TOO_MANY_CONTENTS, UNREGISTERED, Decision, Rules
from views.shards.store import RedisShards, client

pytestmark = pytest.mark.usefixtures("patient")

OTHER = "anon:BBBBBBBBBBBBBBBBBBBBBB"
USER = "user:BBBBBBBBBBBBBBBBBBBBBB"
SHARD = keys.shard_of(VIEWER)
ONE_SHARD = 1
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
NOON_MS = int(NOON.timestamp() * 1000)
MIDNIGHT_MS = NOON_MS - 12 * 3_600_000


def a_counter(servers: Servers, rules: Rules | None = None) -> ViewCounter:
    """Of one shard, so that every viewer is on it."""
    return ViewCounter(servers.nodes, rules or Rules(), UTC_ZONE, ONE_SHARD)


def refused(servers: Servers) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, value in servers.everything().items():
        if key.endswith(b":refused"):
            found |= {field.decode(): int(count) for field, count in value.items()}
    return found


def stats(servers: Servers) -> dict[str, int]:
    with servers.client_of(keys.stats(0)) as server:
        found: Any = server.hgetall(keys.stats(0))
    counts = {field.decode(): int(value) for field, value in found.items()}
    if "counted" in counts:
        counts["pending_views"], counts["sessions"] = divmod(counts.pop("counted"), 10**9)
    return counts


def test_every_refused_attempt_is_counted_once(servers: Servers) -> None:
    """S2-29. So the counts sum to the refused attempts, and a rule's are those of the combinations it is in."""
    counter = a_counter(servers, Rules(max_per_day=1))
    attempts = [counter.track(VIEWER, "story", content, NOON) for content in ("1", "1", "2", "1")]

    counts = refused(servers)

    assert sum(counts.values()) == sum(not decision.is_counted for decision in attempts) == 3
    assert counts == {
        "cooldown+daily_viewed+daily_limit|story:1|2026-11-20T12": 2,
        "daily_limit|story:2|2026-11-20T12": 1,
    }
    by_rule = sum(count for field, count in counts.items() if "daily_limit" in keys.refusal_of(field)[0].split("+"))
    assert by_rule == 3


def test_reasons_of_the_caller_are_one_combination(servers: Servers) -> None:
    decision = a_counter(servers).track(VIEWER, "story", "1", NOON, (BOT, "do_not_track"))

    assert decision == Decision((BOT, "do_not_track"))
    assert refused(servers) == {"bot+do_not_track|story:1|2026-11-20T12": 1}


@pytest.mark.parametrize("case", ["new", "seen", "bot", "unregistered", "full"])
def test_what_would_happen_is_told_and_nothing_is_written(servers: Servers, case: str) -> None:
    """S2-36. The same answer as the view itself is given then."""
    rules = Rules(registered_only=case == "unregistered", max_contents=1 if case == "full" else 0)
    counter = a_counter(servers, rules)
    counter.track(VIEWER, "story", "seen", NOON)
    if case == "unregistered":
        with servers.client_of(keys.registered(0)) as server:
            server.sadd(keys.registered(0), "*", "story:seen")
    content, reasons = ("seen" if case == "seen" else "new"), ((BOT,) if case == "bot" else ())
    before = servers.everything()

    explained = counter.explain(VIEWER, "story", content, NOON, reasons)
    after = servers.everything()
    tracked = counter.track(VIEWER, "story", content, NOON, reasons)

    assert after == before
    assert explained == tracked
    assert explained.is_counted == (case == "new")


def test_a_content_that_is_not_registered_is_refused_where_that_is_set(servers: Servers) -> None:
    """And only where the set of registered contents is complete: without its marker it may have been lost."""
    counter = ViewCounter(servers.nodes, Rules(registered_only=True), UTC_ZONE)
    lenient = ViewCounter(servers.nodes, Rules(), UTC_ZONE)
    never_built = counter.track(VIEWER, "story", "0", NOON)
    with servers.client_of(keys.registered(SHARD)) as server:
        server.sadd(keys.registered(SHARD), "story:1")
    unfinished = counter.track(VIEWER, "story", "2", NOON)
    register(servers, VIEWER)

    known = counter.track(VIEWER, "story", "1", NOON)
    unknown = counter.track(VIEWER, "story", "3", NOON)
    not_set = lenient.track(VIEWER, "story", "3", NOON)

    assert never_built.is_counted
    assert unfinished.is_counted
    assert known.is_counted
    assert unknown == Decision((UNREGISTERED,))
    assert refused(servers) == {"unregistered|story:3|2026-11-20T12": 1}
    assert not_set.is_counted


def test_a_content_too_many_is_refused_and_leaves_nothing(servers: Servers) -> None:
    """A shard keeps so many and no more; what it knows goes on being counted."""
    counter = a_counter(servers, replace(ALL_OFF, max_contents=3))
    for content in "abc":
        counter.track(USER, "story", content, NOON)

    another = counter.track(OTHER, "story", "d", NOON)
    known = counter.track(OTHER, "story", "a", NOON)

    assert another == Decision((TOO_MANY_CONTENTS,))
    assert known.is_counted
    assert pending(servers) == {"story:a": 2, "story:b": 1, "story:c": 1}
    assert stats(servers)["pending_views"] == 4
    with servers.client_of(keys.viewer_state(OTHER, ONE_SHARD)) as server:
        assert server.hlen(keys.viewer_state(OTHER, ONE_SHARD)) == 2


def test_made_up_ids_meet_the_bound_at_a_tenth_of_it(servers: Servers) -> None:
    """A content whose first pending view is anonymous may be made up. Users' contents are not kept out by these, and
    count for all once they are pending.
    """
    counter = a_counter(servers, replace(ALL_OFF, max_contents=30))
    anonymous = [counter.track(VIEWER, "story", f"made-up-{number}", NOON) for number in range(5)]

    of_user = [counter.track(USER, "story", str(number), NOON) for number in range(28)]
    again = [counter.track(VIEWER, "story", content, NOON) for content in ("made-up-0", "0")]

    assert [decision.is_counted for decision in anonymous] == [True] * 3 + [False] * 2
    assert anonymous[3] == Decision((TOO_MANY_CONTENTS,))
    assert [decision.is_counted for decision in of_user] == [True] * 27 + [False]
    assert all(decision.is_counted for decision in again)
    assert (stats(servers)["unknown"], stats(servers)["too_many"]) == (3, 3)


def test_an_explanation_of_a_content_too_many_is_noted_nowhere(servers: Servers) -> None:
    counter = a_counter(servers, replace(ALL_OFF, max_contents=1))
    counter.track(VIEWER, "story", "1", NOON)

    assert counter.explain(VIEWER, "story", "2", NOON) == Decision((TOO_MANY_CONTENTS,))
    assert "too_many" not in stats(servers)


def test_registered_contents_pass_however_much_is_pending(servers: Servers) -> None:
    """And contents outside a set that is not complete share a tenth of the bound, whoever views them."""
    counter = a_counter(servers, replace(ALL_OFF, max_contents=10, registered_only=True))
    with servers.client_of(keys.registered(0)) as server:
        server.sadd(keys.registered(0), *(f"story:{number}" for number in range(20)))
    outside = [counter.track(USER, "story", content, NOON) for content in ("a", "b")]

    registered = [counter.track(VIEWER, "story", str(number), NOON) for number in range(20)]

    assert [decision.is_counted for decision in outside] == [True, False]
    assert all(decision.is_counted for decision in registered)


def test_an_epoch_makes_room_for_unknown_contents(servers: Servers) -> None:
    counter = a_counter(servers, replace(ALL_OFF, max_contents=1))
    shards = RedisShards(client(servers.url, servers.mode, 60))
    shards.open([0], 0)
    counter.track(VIEWER, "story", "1", NOON)
    full = counter.track(VIEWER, "story", "2", NOON)

    shards.open([0], 1)
    after = counter.track(VIEWER, "story", "2", NOON)

    assert (full.is_counted, after.is_counted) == (False, True)
    (found,) = shards.stats([0], MIDNIGHT_MS)
    assert (found.unknown_contents, found.refused_too_many) == (1, 0)


def test_an_epoch_takes_the_pending_views_and_leaves_the_sessions_of_the_day(servers: Servers) -> None:
    """S2-28. One command counts both."""
    counter = a_counter(servers)
    shards = RedisShards(client(servers.url, servers.mode, 60))
    shards.open([0], 0)
    for content in "12":
        counter.track(VIEWER, "story", content, NOON)

    shards.open([0], 1)
    (taken,) = shards.stats([0], MIDNIGHT_MS)
    counter.track(OTHER, "story", "1", NOON)
    (found,) = shards.stats([0], MIDNIGHT_MS)

    assert (taken.pending_views, taken.sessions, taken.viewers) == (0, 2, 1)
    assert (found.pending_views, found.sessions, found.viewers) == (1, 3, 2)


def test_with_the_bound_off_any_number_of_contents_counts(servers: Servers) -> None:
    counter = a_counter(servers, replace(ALL_OFF, max_contents=0))

    decisions = [counter.track(VIEWER, "story", str(number), NOON) for number in range(300)]

    assert all(decision.is_counted for decision in decisions)


def test_refusals_of_a_content_too_many_are_counted_without_its_name(servers: Servers) -> None:
    """S2-29. The counts still sum to the attempts."""
    counter = a_counter(servers, replace(ALL_OFF, max_contents=2))

    for number in range(10):
        counter.track(VIEWER, "story", str(number % 5), NOON, (BOT,))

    assert refused(servers) == {
        "bot|story:0|2026-11-20T12": 2,
        "bot|story:1|2026-11-20T12": 2,
        "bot|*|2026-11-20T12": 6,
    }


def test_refusals_of_contents_outside_the_set_share_a_tenth_of_the_room(servers: Servers) -> None:
    """S2-29. Registered contents keep their fields, and the counts still sum to the attempts."""
    counter = a_counter(servers, replace(ALL_OFF, registered_only=True, max_contents=30))
    with servers.client_of(keys.registered(0)) as server:
        server.sadd(keys.registered(0), "*", *(f"story:{number}" for number in range(20)))

    for number in range(20, 40):
        for reasons in ((), (BOT,)):
            counter.track(VIEWER, "story", str(number), NOON, reasons)
    for number in range(20):
        counter.track(VIEWER, "story", str(number), NOON, (BOT,))

    counts = refused(servers)
    assert sum(counts.values()) == 60
    assert {field for field in counts if "|*|" in field} == {"bot|*|2026-11-20T12", "unregistered|*|2026-11-20T12"}
    assert all(counts[f"bot|story:{number}|2026-11-20T12"] == 1 for number in range(20))
    assert len([field for field in counts if "|*|" not in field]) == 20 + 3


def test_each_epoch_has_room_for_refusals_of_contents_outside_the_set(servers: Servers) -> None:
    counter = a_counter(servers, replace(ALL_OFF, registered_only=True, max_contents=10))
    shards = RedisShards(client(servers.url, servers.mode, 10))
    with servers.client_of(keys.registered(0)) as server:
        server.sadd(keys.registered(0), "*")
    found = []
    for epoch in range(2):
        shards.open([0], epoch)
        for number in range(3):
            counter.track(VIEWER, "story", str(number), NOON)
        found.append(refused(servers))

    assert found == [{"unregistered|story:0|2026-11-20T12": 1, "unregistered|*|2026-11-20T12": 2}] * 2


def test_the_stats_count_viewers_and_sessions_of_the_day(servers: Servers) -> None:
    """S2-28. A viewer with a counted view is one, each of his contents is a session, a refused view is neither."""
    counter = a_counter(servers, Rules(max_per_day=5, once_per_day=False, cooldown_seconds=60))
    for viewer, content, minutes in (
        *((VIEWER, "1", 0), (VIEWER, "2", 0), (OTHER, "1", 0), (VIEWER, "1", 0), (VIEWER, "1", 1)),
        ("anon:refused", "1", 0),
    ):
        reasons = (BOT,) if viewer == "anon:refused" else ()
        counter.track(viewer, "story", content, NOON + timedelta(minutes=minutes), reasons)

    counted = stats(servers)

    assert counted == {
        "pending_views": 4,
        "since": NOON_MS,
        "unknown": 2,
        "day": MIDNIGHT_MS,
        "viewers": 2,
        "sessions": 3,
    }


def test_a_later_day_begins_the_stats_anew(servers: Servers) -> None:
    """S2-28. And a clock that is late does not bring the day before back."""
    counter = a_counter(servers, replace(ALL_OFF, session_seconds=3600, max_per_session=3))
    for content in "123":
        counter.track(VIEWER, "story", content, NOON)
    midnight = NOON + timedelta(hours=12)

    counter.track(VIEWER, "story", "1", midnight)
    counter.track(OTHER, "story", "1", midnight - SECOND)
    counter.track(OTHER, "story", "1", midnight + SECOND)

    counted = stats(servers)
    assert counted["day"] == MIDNIGHT_MS + 86_400_000
    assert counted["viewers"] == 2
    assert counted["sessions"] == 2
    assert counted["pending_views"] == 6


def test_a_session_of_no_length_is_none_to_count(servers: Servers) -> None:
    """S2-28."""
    counter = a_counter(servers, ALL_OFF)

    for _ in range(3):
        counter.track(VIEWER, "story", "1", NOON)

    assert stats(servers)["sessions"] == 0


def test_the_stats_say_since_when_views_are_pending(servers: Servers) -> None:
    """S2-28. Since the first view after pending was empty, whatever comes later."""
    counter = a_counter(servers)

    counter.track(VIEWER, "story", "1", NOON)
    counter.track(VIEWER, "story", "1", NOON + SECOND)
    counter.track(OTHER, "story", "1", NOON + SECOND)
    counter.track(OTHER, "story", "2", NOON + 2 * SECOND)

    assert stats(servers)["since"] == NOON_MS


def test_a_view_refused_and_a_view_said_begin_no_wait(servers: Servers) -> None:
    """S2-28."""
    counter = a_counter(servers)

    counter.track(VIEWER, "story", "1", NOON, (BOT,))
    counter.explain(VIEWER, "story", "1", NOON)

    assert stats(servers) == {}


def test_many_views_are_decided_in_their_order(servers: Servers) -> None:
    counter = a_counter(servers, Rules(max_per_day=2))
    contents = [("story", "1"), ("story", "1"), ("video", "1"), ("story", "2")]

    decisions = counter.track_many(VIEWER, contents, NOON)

    assert [decision.reasons for decision in decisions] == [(), (COOLDOWN, DAILY_VIEWED), (), ("daily_limit",)]
    assert pending(servers) == {"story:1": 1, "video:1": 1}


def test_many_views_survive_a_server_that_lost_the_script(servers: Servers) -> None:
    counter = a_counter(servers, ALL_OFF)
    contents = [("story", str(number)) for number in range(50)]

    decisions = counter.track_many(VIEWER, contents, NOON)

    assert all(decision.is_counted for decision in decisions)
    assert pending(servers) == {f"story:{number}": 1 for number in range(50)}
    assert servers.commands()["eval"] == 1
