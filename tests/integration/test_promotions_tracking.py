"""Tracking on real tables: what is read when, what closes a promotion, and the budget of requests."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
import time_machine

from promotions import quota
from promotions.items import PromotionsItem
from promotions.limits import LIMITS, Family, Limit
from promotions.networks import mastodon
from promotions.networks.metered import LOOK_REQUESTS, Metered
from promotions.ports import RATE_LIMITED
from promotions.tracking import rows
from sluice.dynamodb import bind
from sluice.outward import Absent, CannotTell
from tests.account import Account
from tests.factories import NOON, FixedClock
from tests.integration.agency import Agency
from tests.integration.harness import Functions

WINDOW = timedelta(seconds=60)


@pytest.fixture
def agency(aws: Account, functions: Functions) -> Iterator[Agency]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Agency(aws, functions, clock)


@pytest.fixture
def few(aws: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that allows three requests a minute."""
    bind(PromotionsItem, aws.ref("PromotionsTable"))
    monkeypatch.setitem(LIMITS, "sandbox", dict.fromkeys(Family, Limit(3, 60)))


def track(agency: Agency) -> dict[str, int]:
    return dict(agency.invoke("promotions/tracking/schedule-due"))


def engagement(agency: Agency, promotion: str) -> dict[str, Any]:
    return dict(agency.told("engaged", promotion))


def test_the_metrics_of_a_running_promotion_are_read_at_once_and_then_every_five_minutes(agency: Agency) -> None:
    """S4-11, S4-12."""
    made = agency.running()
    agency.engage(agency.get(made)["tweet_id"], like=["mia", "leo"])

    first, at_once = track(agency), track(agency)
    agency.clock.shift(timedelta(minutes=5))
    later = track(agency)

    assert (first["read"], at_once["due"], later["read"]) == (1, 0, 1)
    assert engagement(agency, made)["metrics"]["likes"] == 2
    assert [metrics["likes"] for _, metrics in rows.history(made, 10)] == [2]


def test_a_metric_that_reaches_its_number_closes_the_promotion_once(agency: Agency) -> None:
    """S4-12: S4-13 by a trigger."""
    made = agency.running(auto_close=[{"metric": "likes", "at_least": 2}])
    agency.engage(agency.get(made)["tweet_id"], like=["mia", "leo"])

    reports = [track(agency), track(agency)]
    agency.work()

    assert [each["closed"] for each in reports] == [1, 0]
    assert agency.get(made)["close_reason"] == "trigger"
    assert agency.events().count("CAMPAIGN_CLOSE_OPERATION") == 1


def test_nothing_is_written_to_the_metrics_when_the_close_has_begun(agency: Agency) -> None:
    made = agency.running()
    agency.engage(agency.get(made)["tweet_id"], like=["mia"])
    real = rows.write

    def closes_first(row: Any, after: Any) -> bool:
        agency.ask("close", made)
        agency.work()
        return real(row, after)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "write", closes_first)
        report = track(agency)

    found = engagement(agency, made)
    assert report["read"] == 0
    assert (found["final"], found["next_read_at"]) == (True, None)


def test_the_close_is_scheduled_for_the_end_of_the_duration(agency: Agency) -> None:
    """S4-10."""
    made = agency.running(duration_minutes=120)

    schedules = agency.aws.client("scheduler").list_schedules()["Schedules"]
    (name,) = [each["Name"] for each in schedules if each["Name"].startswith(made)]
    found = agency.aws.client("scheduler").get_schedule(Name=name, GroupName=schedules[0]["GroupName"])

    ends = agency.get(made)["campaign_close_time"][:19]
    assert found["ScheduleExpression"] == f"at({ends})"


def test_what_is_left_of_a_networks_requests_is_shown(agency: Agency) -> None:
    """S4-21, S4-22: a request is counted before it is made."""
    agency.running()

    networks = {each["network"]: each for each in agency.told("networks")["items"]}

    sandbox = {each["family"]: each for each in networks["sandbox"]["quotas"]}
    assert sandbox["posts"]["used"] == 2
    assert sandbox["posts"]["last_success"] is not None
    assert sandbox["engagers"]["used"] == 0


# --- The budget of requests


@pytest.mark.usefixtures("few")
def test_a_window_gives_its_tokens_once_and_the_next_window_begins_anew() -> None:
    """S4-22."""
    taken = [quota.take("sandbox", "sandbox", Family.METRICS, 1, NOON) for _ in range(4)]
    other = quota.take("sandbox", "sandbox", Family.POSTS, 3, NOON)
    late = quota.take("sandbox", "sandbox", Family.METRICS, 3, NOON + WINDOW)

    assert taken == [None, None, None, NOON + WINDOW]
    assert (other, late) == (None, None)


@pytest.mark.usefixtures("few")
def test_a_request_of_several_tokens_takes_all_or_none() -> None:
    assert quota.take("sandbox", "sandbox", Family.POSTS, 2, NOON) is None
    assert quota.take("sandbox", "sandbox", Family.POSTS, 2, NOON) == NOON + WINDOW
    assert quota.take("sandbox", "sandbox", Family.POSTS, 1, NOON) is None


@pytest.mark.usefixtures("few")
def test_a_look_takes_a_token_for_each_page_that_it_may_read() -> None:
    """S4-22: a look at Mastodon reads two pages."""
    publisher = Mock(blocked_until=None, **{"find_own.return_value": Absent()})
    metered = Metered(publisher, "sandbox", "sandbox", FixedClock())

    looks = [metered.find_own("text", None, "key", NOON) for _ in range(2)]

    assert looks == [Absent(), CannotTell(RATE_LIMITED)]
    assert mastodon._OWN_PAGES <= LOOK_REQUESTS


@pytest.mark.usefixtures("few")
def test_a_late_caller_of_an_old_window_does_not_set_the_new_one_back() -> None:
    for _ in range(3):
        assert quota.take("sandbox", "sandbox", Family.METRICS, 1, NOON + WINDOW) is None

    late = quota.take("sandbox", "sandbox", Family.METRICS, 1, NOON)

    assert late is not None
    assert quota.take("sandbox", "sandbox", Family.METRICS, 1, NOON + WINDOW) is not None


@pytest.mark.usefixtures("few")
def test_no_token_is_given_before_the_time_that_the_network_said() -> None:
    until = NOON + timedelta(minutes=7)
    quota.block("sandbox", Family.METRICS, until)

    assert quota.take("sandbox", "sandbox", Family.METRICS, 1, NOON) == until
    assert quota.take("sandbox", "sandbox", Family.METRICS, 1, until) is None
