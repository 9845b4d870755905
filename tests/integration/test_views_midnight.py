"""One viewer under several names, and many under one network: over midnight, with a session and without one."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import UTC_ZONE
from tests.integration.test_views_bounds import refused
from tests.integration.test_views_tracking import ALL_OFF, BERLIN, pending
from tests.integration.track_function import TrackFunction
from tests.redis_servers import Servers
from tests.rules_model import Counted, day_of, decide
from tests.view_counter import ViewCounter
from views import keys
from views.rules import COOLDOWN, DAILY_LIMIT, DAILY_VIEWED, NETWORK_LIMIT, SESSION_LIMIT, Calendar, Decision, Rules
from views.track import api as track
from views.viewers import Viewer, Viewers, ViewRequest

pytestmark = pytest.mark.usefixtures("patient")

MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _nothing_cached() -> Iterator[None]:
    yield
    track.tracker.cache_clear()


@dataclass
class Browser:
    """One anonymous viewer at one address, who may send any session given so far, or none."""

    servers: Servers
    rules: Rules
    zone: ZoneInfo = UTC_ZONE
    agent: str = "Firefox"
    address: str = "203.0.113.7"
    sessions: list[str] = field(default_factory=lambda: [""])

    def __post_init__(self) -> None:
        self.viewers = Viewers(("s" * 32,), self.zone, lambda _: None, self.rules)
        self.counter = ViewCounter(self.servers.nodes, self.rules, self.zone)

    def viewer(self, now: datetime, session: int = 0) -> Viewer:
        """As whom a view is taken with a session: 0 is none."""
        request = ViewRequest({"user-agent": self.agent}, self.address, self.sessions[session % len(self.sessions)])
        found = self.viewers.recognise(request, now)
        if found.session not in self.sessions:
            self.sessions.append(found.session)
        return found

    def view(self, now: datetime, session: int = 0, content: str = "123", *, explains: bool = False) -> Decision:
        viewer = self.viewer(now, session)
        decide = self.counter.explain if explains else self.counter.track
        return decide(viewer.key, "story", content, now, (), viewer.beside)


def test_a_viewer_without_a_cookie_gains_nothing_at_midnight(servers: Servers) -> None:
    """S2-5. Nor with the cookie that comes with the refusal, nor for a content that he did not ask for then."""
    function = TrackFunction.on(servers)
    for content in ("123", "456"):
        assert function.view(content, at=MIDNIGHT - 2 * SECOND).body["counted"]

    without = function.view(at=MIDNIGHT + 2 * SECOND)
    with_it = [function.view(each, at=MIDNIGHT + 3 * SECOND, session=without.session) for each in ("123", "456")]
    after = function.view(at=MIDNIGHT + timedelta(seconds=298))

    assert [answer.body["reasons"] for answer in (without, *with_it)] == [[COOLDOWN]] * 3
    assert without.body["retry_after_seconds"] == 296
    assert after.body["counted"]
    assert pending(servers) == {"story:123": 2, "story:456": 1}


def test_a_cookie_of_yesterday_and_none_are_one_viewer_all_day(servers: Servers) -> None:
    """S2-4. Whichever comes first; and after midnight a view of one content hides none of another."""
    function = TrackFunction.on(servers)
    session = function.view("0", at=MIDNIGHT - HOUR).session
    function.view("other", at=MIDNIGHT + SECOND)

    answers = [
        function.view("1", at=MIDNIGHT + HOUR, session=session),
        function.view("1", at=MIDNIGHT + 2 * HOUR),
        function.view("2", at=MIDNIGHT + HOUR),
        function.view("2", at=MIDNIGHT + 2 * HOUR, session=session),
        function.view("0", at=MIDNIGHT + SECOND),
    ]

    assert [answer.body["counted"] for answer in answers] == [True, False, True, False, True]
    assert answers[1].body["reasons"] == answers[3].body["reasons"] == [DAILY_VIEWED]


def test_the_day_and_the_session_are_counted_over_all_names(servers: Servers) -> None:
    """S2-2, S2-3, S2-6. The limits are one viewer's, however the session is shown and left out by turns."""
    daily = Browser(servers, replace(ALL_OFF, max_per_day=4))
    in_session = Browser(servers, replace(ALL_OFF, max_per_session=3, session_seconds=86_400), agent="Other")
    for browser in (daily, in_session):
        browser.viewer(MIDNIGHT - HOUR)

    of_day = [daily.view(MIDNIGHT + number * SECOND, number % 2, str(number)) for number in range(5)]
    of_session = [in_session.view(MIDNIGHT + (number - 2) * SECOND, number % 2) for number in range(4)]

    assert [decision.reasons for decision in of_day] == [()] * 4 + [(DAILY_LIMIT,)]
    assert [decision.reasons for decision in of_session] == [()] * 3 + [(SESSION_LIMIT,)]


def test_of_two_names_with_the_same_last_view_the_longer_session_holds(servers: Servers) -> None:
    """S2-2. A clock that is late leaves the last view as it is."""
    browser = Browser(servers, replace(ALL_OFF, max_per_session=2, session_seconds=86_400))
    browser.viewer(MIDNIGHT - HOUR)

    decisions = [
        browser.view(MIDNIGHT + timedelta(seconds=seconds), session)
        for seconds, session in ((10.0, 1), (9.0, 0), (9.5, 1))
    ]

    assert [decision.reasons for decision in decisions] == [(), (), (SESSION_LIMIT,)]


def test_a_session_that_ends_tomorrow_leaves_its_last_views_to_the_name_of_the_day(servers: Servers) -> None:
    """S2-5. Its own key is the day's before, which nobody asks then."""
    browser = Browser(servers, Rules())
    browser.viewer(MIDNIGHT - SECOND)
    last = browser.view(MIDNIGHT + DAY - 2 * SECOND, 1)

    without = browser.view(MIDNIGHT + DAY + SECOND)

    assert last.is_counted
    assert without == Decision((COOLDOWN,), 297)


def test_without_redis_a_cookie_of_yesterday_and_none_are_one_row(aws: object, servers: Servers) -> None:
    """S2-33."""
    function = TrackFunction.on(servers)
    session = function.view("0", at=MIDNIGHT - HOUR).session
    away = TrackFunction.on(servers, REDIS_URL="redis://127.0.0.1:1", REDIS_MODE="single")

    answers = [away.view(at=MIDNIGHT + HOUR, session=session), away.view(at=MIDNIGHT + 2 * HOUR)]

    assert [answer.body["degraded"] for answer in answers] == [True, True]
    assert [answer.body["counted"] for answer in answers] == [True, False]


def test_names_are_in_one_slot_and_in_one_call(servers: Servers) -> None:
    """S2-7, S2-16. A cluster refuses a script whose keys are not."""
    function = TrackFunction.on(servers, NETWORK_LIMIT="9")
    session = function.view("0", at=MIDNIGHT - HOUR).session

    with servers.watched() as commands:
        answer = function.view(at=MIDNIGHT + SECOND, session=session)

    assert answer.body["counted"]
    assert [command.split()[0] for command in commands] == ["EVALSHA"]


def test_what_a_viewer_did_under_other_names_expires_too(servers: Servers) -> None:
    """S2-34."""
    browser = Browser(servers, replace(Rules(), network_limit=9))
    browser.view(MIDNIGHT - HOUR, content="0")

    browser.view(MIDNIGHT + SECOND, 1)

    names = [key for key in servers.everything() if b":anon:" in key or b":net:" in key]
    assert len(names) == 4
    for name in names:
        with servers.client_of(name.decode()) as server:
            assert 47 * 3600 < server.ttl(name) <= 3 * 25 * 3600


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.one_of(
            st.integers(-2_000, 40_000_000),
            st.sampled_from([0, 1, 299_999, 300_000, 43_200_000, 86_399_999]),
            st.integers(0, 20).map(lambda minutes: minutes * 60_000),
        ),
        st.integers(0, 5),
    ),
    max_size=25,
)
SOME_RULES = st.builds(
    Rules,
    max_per_session=st.integers(0, 4),
    max_per_day=st.integers(0, 6),
    once_per_day=st.booleans(),
    cooldown_seconds=st.sampled_from([0, 60, 300, 7_200]),
    session_seconds=st.sampled_from([0, 3_600, 86_400]),
    max_contents=st.just(0),
    network_limit=st.sampled_from([0, 0, 2]),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=SOME_RULES, steps=STEPS, zone=st.sampled_from([UTC_ZONE, BERLIN]))
def test_a_viewer_of_many_names_is_decided_on_as_one(
    servers: Servers, rules: Rules, steps: list[tuple[str, int, int]], zone: ZoneInfo
) -> None:
    """S2-36. With any of the sessions that were given, or none, over midnights and a day of 25 hours."""
    servers.flush()
    browser, calendar = Browser(servers, rules, zone), Calendar(zone)
    now, history = datetime(2026, 10, 24, 21, 50, tzinfo=UTC), list[Counted]()

    for content, milliseconds, session in steps:
        moment = calendar.moment(now)
        # A clock that is late is late within its day: a name is of the day that the clock shows.
        now = max(now + timedelta(milliseconds=milliseconds), datetime.fromtimestamp(moment.day_start / 1000, UTC))
        moment = calendar.moment(now)
        of_network = [view for view in history if view.content == f"story:{content}" and view.at >= moment.day_start]
        expected = decide(rules, history, f"story:{content}", moment, in_network=len(of_network))
        assert browser.view(now, session, content, explains=True) == expected
        assert browser.view(now, session, content) == expected
        if expected.is_counted:
            history.append(Counted(f"story:{content}", moment.now, day_of(history, moment)))

    assert sum(pending(servers).values()) == len(history)


# --- Many viewers of one network


def test_views_of_a_content_are_limited_by_network_and_day_where_that_is_set(servers: Servers) -> None:
    """Of anonymous viewers alone, whatever they call themselves; with a wait until the day ends."""
    function = TrackFunction.on(servers, NETWORK_LIMIT="2")
    noon = MIDNIGHT - 12 * HOUR
    agents = [f"Browser/{number}" for number in range(4)]

    answers = [function.view(at=noon, agent=agent) for agent in agents]
    others = [
        function.view("other", at=noon, agent=agents[3]),
        function.view(at=noon, address="203.0.113.78"),
        function.view(at=noon, subject="ada"),
        function.view(at=MIDNIGHT, agent=agents[3]),
    ]

    assert [answer.body["counted"] for answer in answers] == [True, True, False, False]
    assert answers[2].body["reasons"] == [NETWORK_LIMIT]
    assert answers[2].body["retry_after_seconds"] == 12 * 3600
    assert all(answer.body["counted"] for answer in others)
    assert refused(servers) == {"network_limit|story:123|2026-11-20T12": 2}


def test_a_view_that_another_rule_refuses_takes_nothing_from_the_network(servers: Servers) -> None:
    """And the network is asked last: a refusal is the viewer's own where it can be."""
    function = TrackFunction.on(servers, NETWORK_LIMIT="2")
    noon = MIDNIGHT - 12 * HOUR

    own = [function.view(at=noon).body for _ in range(5)]
    second = function.view(at=noon, agent="Browser/2").body
    again = function.view(at=noon).body

    assert [body["counted"] for body in own] == [True] + [False] * 4
    assert second["counted"]
    assert again["reasons"] == [COOLDOWN, DAILY_VIEWED]


def test_a_session_fetched_elsewhere_is_limited_by_the_network_that_sends_it(servers: Servers) -> None:
    """Once for each shard that such sessions are of: no more than the limit times the number of shards."""
    function = TrackFunction.on(servers, NETWORK_LIMIT="1", VIEW_SHARDS="3")
    noon = MIDNIGHT - 12 * HOUR
    sessions = [function.view("0", at=noon, address=f"198.51.100.{number}").session for number in range(30)]

    answers = [function.view(at=noon, session=session).body["counted"] for session in sessions]

    shards = {keys.shard_of(session.split(".")[1], 3) for session in sessions}
    assert len(shards) == 3
    assert sum(answers) == 3


def test_the_limit_is_off_unless_it_is_set(servers: Servers) -> None:
    function = TrackFunction.on(servers)

    answers = [function.view(agent=f"Browser/{number}").body["counted"] for number in range(20)]

    assert all(answers)
    assert not any(b":net:" in key for key in servers.everything())
