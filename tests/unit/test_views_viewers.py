"""Who is viewing: tokens, sessions, addresses, robots."""

import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sluice import tokens
from sluice.bearer import subject_by
from sluice.errors import Misconfigured
from sluice.roles import Role
from sluice.visitors import network
from tests.deadlines import PATIENCE
from tests.factories import NOON, UTC_ZONE
from tests.template_reader import ROOT
from views import keys
from views.rules import BOT, DO_NOT_TRACK, Calendar, Rules, ViewMoment
from views.viewers import Viewers, ViewRequest, reasons_not_to_count

SECRET = "s" * 32
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
DAY = timedelta(hours=24)


def some_viewers(*secrets: str, zone: ZoneInfo = UTC_ZONE) -> Viewers:
    """Believes every header, and takes it for the subject, but one that says `wrong`."""
    return Viewers(secrets or (SECRET,), zone, lambda header: None if header == "wrong" else header)


def a_request(session: str = "", source_ip: str = "203.0.113.7", **headers: str) -> ViewRequest:
    return ViewRequest({"user-agent": BROWSER} | headers, source_ip, session)


def test_an_anonymous_viewer_is_the_same_all_day_and_another_the_next() -> None:
    """S2-37."""
    viewers = some_viewers(zone=ZoneInfo("Europe/Berlin"))
    midnight = datetime(2026, 11, 20, 23, tzinfo=UTC)

    keys = [viewers.recognise(a_request(), midnight + timedelta(hours=hours)).key for hours in (-23, -1, 0)]

    assert keys[0] == keys[1] != keys[2]
    assert all(re.fullmatch(r"anon:[0-9]{2}[\w-]{22}", key) for key in keys)


def test_names_and_sessions_stay_what_they_are_over_releases() -> None:
    """Or a viewer would be another one after each deployment, and all rules begin anew."""
    viewers = some_viewers()

    anonymous, user = viewers.recognise(a_request(), NOON), viewers.recognise(a_request(authorization="alice"), NOON)

    assert anonymous.session == (
        "v1.anon:12seH1S0x1-3wRoSFrYI4ScA.1795176000.sCK8_mC_XSu8I0LdSL99UWxeIEv4R0XnZ75cj0CCdw0"
    )
    assert user.session == ("v1.user:EnUuR4gFOb1icn5yYkulyA.1795176000.UHlbCY6LURlL9l_2aJk9ZseYTeEm7ruvKhl4UfPoBw8")


def names_at(viewers: Viewers, now: datetime, session: str = "", source_ip: str = "203.0.113.7") -> tuple[str, ...]:
    """The key of a viewer at a time, and the names that are asked besides: today's and yesterday's."""
    viewer = viewers.recognise(a_request(session, source_ip), now)
    return viewer.key, viewer.beside.today, viewer.beside.yesterday


def test_a_viewer_has_other_names_where_a_view_under_them_may_refuse_one() -> None:
    viewers = some_viewers()
    midnight = NOON + timedelta(hours=12)
    evening = viewers.recognise(a_request(), NOON)
    before, after = evening.key, viewers.recognise(a_request(), midnight).key
    morning = viewers.recognise(a_request(), midnight).session
    carried, over = midnight + timedelta(minutes=5, seconds=-1), midnight + timedelta(minutes=5)

    assert before != after
    assert names_at(viewers, NOON, evening.session) == (before, "", "")
    assert names_at(viewers, carried) == (after, "", before)
    assert names_at(viewers, over) == (after, "", "")
    assert names_at(viewers, carried, morning) == (after, "", before)
    assert names_at(viewers, over, morning) == (after, "", "")
    assert (
        names_at(viewers, carried, evening.session) == names_at(viewers, over, evening.session) == (before, after, "")
    )


def test_a_session_of_another_address_has_no_other_name_but_by_chance_of_the_shard() -> None:
    viewers = some_viewers(SECRET)
    evening, midnight = viewers.recognise(a_request(), NOON), NOON + timedelta(hours=12)
    addresses = [f"198.51.100.{number}" for number in range(100)]

    found = [names_at(viewers, midnight, evening.session, address) for address in addresses]

    morning = viewers.recognise(a_request(), midnight)
    of_today = {names_at(viewers, midnight, morning.session, address) for address in addresses}

    assert of_today == {(morning.key, "", "")}
    assert {names[0] for names in found} == {evening.key}
    for _, today, yesterday in found:
        for name in (today, yesterday):
            assert not name or keys.shard_of(name) == keys.shard_of(evening.key)
    assert sum(bool(today) for _, today, _ in found) < 20


def test_a_session_from_before_keys_named_their_shard_is_good_and_has_no_other_name() -> None:
    viewers = some_viewers()
    older = viewers.issue("anon:seH1S0x1-3wRoSFrYI4ScA", NOON)

    assert names_at(viewers, NOON + timedelta(hours=13), older.session) == (older.key, "", "")


def test_the_shard_alone_outlives_the_day() -> None:
    """S2-37."""
    viewers = Viewers((SECRET,), UTC_ZONE, lambda _: None, shards=100)
    addresses = [f"203.0.113.{number}" for number in range(100)]

    days = [
        [viewers.recognise(a_request(source_ip=address), NOON + day * DAY).key for address in addresses]
        for day in range(2)
    ]

    shards = [[keys.shard_of(key, 100) for key in of_day] for of_day in days]
    assert shards[0] == shards[1]
    assert len(set(shards[0])) > 40
    assert not {key[7:] for key in days[0]} & {key[7:] for key in days[1]}


def test_viewers_of_a_network_are_in_one_shard_where_they_are_limited_together() -> None:
    limited = Viewers((SECRET,), UTC_ZONE, lambda header: header or None, Rules(network_limit=1), 100)
    requests = [ViewRequest({"user-agent": f"Browser/{number}"}, "203.0.113.7") for number in range(20)]
    requests[10:] = [replace(request, source_ip="::ffff:203.0.113.7") for request in requests[10:]]

    found = [limited.recognise(request, NOON) for request in requests]
    free = {keys.shard_of(some_viewers().recognise(request, NOON).key) for request in requests}
    elsewhere = limited.recognise(a_request(source_ip="203.0.113.8"), NOON)
    tomorrow = limited.recognise(requests[0], NOON + DAY)
    user = limited.recognise(a_request(authorization="alice"), NOON)

    assert len({keys.shard_of(viewer.key, 100) for viewer in found}) == 1
    assert len({viewer.beside.network for viewer in (*found, elsewhere, tomorrow)}) == 3
    assert user.beside.network == some_viewers().recognise(requests[0], NOON).beside.network == ""
    assert len(free) > 1


@pytest.mark.parametrize(
    ("rules", "seconds"),
    [
        (Rules(), 300),
        (Rules(cooldown_seconds=0), 0),
        (Rules(max_per_session=1), 86_400),
        (Rules(max_per_session=2), 86_400),  # a session of 24 h touches three days when one of them has 23
        (Rules(once_per_day=False), 86_400),
        (Rules(once_per_day=False, max_per_session=0), 300),
        (Rules(max_per_session=4, session_seconds=3 * 86_400), 3 * 86_400),
        (Rules(max_per_session=5, session_seconds=3 * 86_400), 300),
    ],
)
def test_yesterday_is_asked_for_as_long_as_a_rule_looks_back(rules: Rules, seconds: int) -> None:
    assert rules.carry_over_seconds == seconds


def test_another_address_or_agent_is_another_viewer() -> None:
    viewers = some_viewers()
    requests = [a_request(), a_request(source_ip="203.0.113.8"), ViewRequest({"user-agent": "Other"}, "203.0.113.7")]

    keys = {viewers.recognise(request, NOON).key for request in requests}

    assert len(keys) == 3


@pytest.mark.parametrize(
    ("address", "stands_for"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("unknown", "unknown"),
    ],
)
def test_an_ipv6_address_stands_for_its_first_64_bits(address: str, stands_for: str) -> None:
    assert network(address) == stands_for


def test_a_session_keeps_a_viewer_over_a_change_of_address_and_of_day() -> None:
    """S2-6."""
    viewers = some_viewers()
    first = viewers.recognise(a_request(), NOON)

    later = viewers.recognise(a_request(first.session, "198.51.100.1"), NOON + timedelta(hours=13))

    assert (later.key, later.session, later.session_ends) == (first.key, first.session, first.session_ends)


def test_a_session_is_good_for_24_hours_however_often_it_is_used() -> None:
    """S2-6."""
    viewers = some_viewers()
    first = viewers.recognise(a_request(), NOON)
    elsewhere = a_request(first.session, "198.51.100.1")

    before = viewers.recognise(elsewhere, NOON + DAY - timedelta(seconds=1))
    after = viewers.recognise(elsewhere, NOON + DAY)

    assert (before.key, before.session) == (first.key, first.session)
    assert after.key != first.key
    assert after.session != first.session


def test_a_forged_session_counts_as_none() -> None:
    viewers = some_viewers()
    mine = viewers.recognise(a_request(), NOON)
    good = viewers.issue("user:" + "A" * 22, NOON).session
    version, viewer, start, signature = good.split(".")
    forged = [
        f"{version}.{viewer}.{int(start) + 1}.{signature}",
        f"{version}.user:{'B' * 22}.{start}.{signature}",
        f"{version}.{viewer}.{start}.{'A' * 43}",
        f"{version}.{viewer}.{start}",
        f"v2.{viewer}.{start}.{signature}",
        good + "=",
        good + "\n",
        some_viewers("t" * 32).issue(viewer, NOON).session,
        viewers.issue(viewer, NOON + timedelta(minutes=1)).session,
        viewers.issue("admin:" + "A" * 22, NOON).session,
        "x" * 10_000,
        "é" * 100,
    ]

    seen = [viewers.recognise(a_request(session), NOON).key for session in forged]

    assert viewers.recognise(a_request(good), NOON).key == viewer
    assert seen == [mine.key] * len(forged)


def test_a_session_begun_by_a_clock_that_is_ahead_is_believed_for_ten_seconds() -> None:
    viewers = some_viewers()
    viewer = "user:" + "A" * 22

    ahead = [viewers.issue(viewer, NOON + timedelta(seconds=seconds)).session for seconds in (10, 11)]

    assert [viewers.recognise(a_request(session), NOON).key == viewer for session in ahead] == [True, False]


@pytest.mark.parametrize("key", ["user:", "user:-1", "anon:1", "robot:1", "user:a b", f"user:{'x' * 129}"])
def test_a_session_for_what_is_no_users_name_counts_as_none(key: str) -> None:
    viewers = Viewers((SECRET,), UTC_ZONE, lambda _: None, names_users=True)

    seen = viewers.recognise(a_request(viewers.issue(key, NOON).session), NOON)

    assert seen == viewers.recognise(a_request(), NOON)


def test_a_session_signed_with_the_secret_before_is_still_believed() -> None:
    old = some_viewers().recognise(a_request(), NOON)

    now = some_viewers("n" * 32, SECRET).recognise(a_request(old.session), NOON)

    assert now.key == old.key


def test_a_token_names_the_viewer_whatever_the_session_says() -> None:
    viewers = some_viewers()
    anonymous = viewers.recognise(a_request(), NOON)

    user = viewers.recognise(a_request(anonymous.session, authorization="alice"), NOON)
    elsewhere = viewers.recognise(a_request("", "198.51.100.1", authorization="alice"), NOON + DAY)
    logged_out = viewers.recognise(a_request(user.session), NOON)

    assert user.key.startswith("user:")
    assert user.key == elsewhere.key == logged_out.key
    assert "alice" not in user.key + user.session


def test_a_wrong_token_counts_as_none() -> None:
    viewers = some_viewers()

    assert viewers.recognise(a_request(authorization="wrong"), NOON) == viewers.recognise(a_request(), NOON)


def test_a_subject_is_believed_only_with_a_valid_token() -> None:
    secret = "k" * 32
    subject_of = subject_by((secret,), "sluice-viewer")
    now = datetime.now(UTC)
    token = tokens.mint(secret, "alice", None, "sluice-viewer", timedelta(hours=1), now)
    expired = tokens.mint(secret, "alice", None, "sluice-viewer", timedelta(hours=1), now - DAY)
    # As the authorizer believes it, were the two secrets one.
    admins = tokens.mint(secret, "alice", Role.ADMIN, "sluice", timedelta(hours=1), now)

    answers = [subject_of(f"Bearer {each}") for each in (token, expired, token[:-3] + "AAA", admins, "")]

    assert answers == ["alice", None, None, None, None]


def test_the_hot_path_imports_no_token_library() -> None:
    """And none of what would double its cold start."""
    script = (
        "import sys, views.viewers, views.rules, views.keys; heavy = {'jwt', 'aws_lambda_powertools', 'pydantic',"
        " 'boto3', 'redis', 'pynamodb'} & set(sys.modules); import views.track.counter;"
        " heavy |= {'jwt', 'aws_lambda_powertools', 'pydantic', 'boto3', 'pynamodb'} & set(sys.modules); print(heavy)"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": f"{ROOT / 'functions'}:{ROOT / 'layers' / 'kernel'}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )

    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("headers", [{"user-agent": "Googlebot/2.1"}, {"user-agent": ""}, {}])
def test_a_bot_is_no_viewer(headers: dict[str, str]) -> None:
    assert reasons_not_to_count(ViewRequest(headers, ""), honours_do_not_track=False) == (BOT,)


@pytest.mark.parametrize("header", ["dnt", "sec-gpc"])
def test_do_not_track_is_honoured_if_that_is_switched_on(header: str) -> None:
    """S2-37."""
    wish = ViewRequest({"user-agent": BROWSER, header: "1"}, "")

    assert reasons_not_to_count(wish, honours_do_not_track=True) == (DO_NOT_TRACK,)
    assert reasons_not_to_count(wish, honours_do_not_track=False) == ()
    assert reasons_not_to_count(a_request(**{header: "0"}), honours_do_not_track=True) == ()


@pytest.mark.parametrize("secrets", [(), ("short",), (SECRET, "short")])
def test_a_short_secret_is_refused(secrets: tuple[str, ...]) -> None:
    with pytest.raises(Misconfigured):
        Viewers(secrets, UTC_ZONE, lambda _: None)


@pytest.mark.parametrize(
    "limits",
    [
        {"max_per_session": -1},
        {"max_per_session": 65_536},
        {"max_per_day": -1},
        {"max_per_day": 2**32},
        {"cooldown_seconds": -1},
        {"session_seconds": 46 * 86_400},
        {"network_limit": -1},
        {"network_limit": 2**32},
    ],
)
def test_a_limit_that_cannot_be_kept_is_refused(limits: dict[str, int]) -> None:
    with pytest.raises(Misconfigured):
        Rules(**limits)


def test_a_calendar_knows_day_and_hour_in_any_order() -> None:
    calendar = Calendar(ZoneInfo("Europe/Berlin"))
    midnight = datetime(2026, 11, 20, 23, tzinfo=UTC)
    stamp = int(midnight.timestamp() * 1000)
    day = 86_400_000

    moments = [calendar.moment(midnight - timedelta(milliseconds=n)) for n in (0, 1, 0)]

    on_midnight = ViewMoment(stamp, stamp, stamp + day, "2026-11-21", "2026-11-20T23")
    assert moments == [
        on_midnight,
        ViewMoment(stamp - 1, stamp - day, stamp, "2026-11-20", "2026-11-20T22"),
        on_midnight,
    ]
