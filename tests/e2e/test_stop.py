"""The global stop and the health on the embedded stack, with each function's own permissions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from local.stack import temporary
from tests.deployed import StackUnderTest
from tests.e2e.conftest import RESUME, STOP
from tests.e2e.test_boosts import Boosts, eventually, rows, terms
from tests.template.project import real


@pytest.fixture
def boosts(stopping: httpx.Client) -> Boosts:
    return Boosts(stopping)


def test_a_stop_in_mid_campaign_holds_everything_until_the_resume(stack: StackUnderTest, boosts: Boosts) -> None:
    campaign = boosts.create(total_count=8000, daily_limit=8000)
    boosts.command("execute", campaign["id"])
    boosts.until(campaign["id"], lambda seen: seen["executed_count"] >= 2000)

    stopped = boosts.http.post(STOP, json={"reason": "Something looks wrong"})
    at_stop = boosts.get(campaign["id"])
    # Its step is put back by a worker that finds the platform stopped.
    put_back = eventually(lambda: delayed(stack), lambda seen: seen == 1)
    still = [boosts.get(campaign["id"])["executed_count"] for _ in range(20)]
    health = boosts.http.get("/api/admin/health").json()
    resumed = boosts.http.post(RESUME, json={"reason": "All is well"})
    completed = boosts.until_completed(campaign["id"])

    assert (stopped.status_code, resumed.status_code) == (200, 200)
    assert (at_stop["status"], at_stop["progress"]["waiting_for"]) == ("running", "stop")
    assert set(still) == {at_stop["executed_count"]}
    assert put_back == 1
    assert (health["status"], health["platform"], health["boosts_dead_letters"]) == ("degraded", "stopped", 0)
    assert completed["executed_count"] == 8000
    assert rows(stack, campaign["id"]) == [1000] * 8
    verified = boosts.http.get("/api/admin/audit/platform/verify").json()
    assert (verified["valid"], verified["problem"]) == (True, None)


def test_a_healthy_stack_says_so(stack: StackUnderTest, boosts: Boosts) -> None:
    with stack.http(role=None) as anonymous:
        alive = anonymous.get("/health")
        refused = anonymous.get("/api/admin/health")

    # Events of the tests before may still be on their way.
    health = eventually(lambda: boosts.http.get("/api/admin/health").json(), lambda seen: seen["status"] == "ok")

    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert refused.status_code == 401
    assert (health["problems"], health["database_reachable"], health["platform"]) == ([], True, "open")
    assert None not in (health["boosts_queue"], health["boosts_dead_letters"], health["outbox_dead_letters"])


def test_deleting_the_stack_leaves_no_schedule_behind_and_keeps_the_tables() -> None:
    with temporary("test-deleted") as embedded:
        embedded.start()
        embedded.deploy()
        stack = StackUnderTest(embedded, embedded.api_url, embedded.deployed.resources())
        with stack.http("admin") as http:
            # Two views in two days: one now, and one by a schedule at midnight. The other begins in a month.
            campaign = http.post("/api/admin/fake-views", json=terms(total_count=2, duration_days=2)).json()
            http.post(f"/api/admin/fake-views/{campaign['id']}/execute").raise_for_status()
            scheduled = http.post("/api/admin/fake-views", json=terms(scheduled_for=a_month_ahead())).json()
            boosts = Boosts(http)
            boosts.until(campaign["id"], lambda seen: seen["progress"]["waiting_for"] == "next_day")
        scheduler, cloudformation = stack.client("scheduler"), stack.client("cloudformation")
        group = stack.resources["ScheduleGroup"]
        # Close to midnight the second view waits on the queue.
        expected = {scheduled["id"]} | ({campaign["id"]} if datetime.now(UTC).hour < 23 else set())
        eventually(
            lambda: {
                each["Name"].rpartition("-")[0] for each in scheduler.list_schedules(GroupName=group)["Schedules"]
            },
            lambda seen: expected <= seen,
        )

        cloudformation.delete_stack(StackName=embedded.deployed.name)
        waiter = cloudformation.get_waiter("stack_delete_complete")
        waiter.wait(StackName=embedded.deployed.name, WaiterConfig={"Delay": 1, "MaxAttempts": 900})

        assert scheduler.list_schedules()["Schedules"] == []
        assert [group["Name"] for group in scheduler.list_schedule_groups()["ScheduleGroups"]] == ["default"]
        tables = {name for name in stack.resources if name.endswith("Table")}
        assert tables == set(real().tables)
        assert {stack.resources[name] for name in tables} <= set(stack.client("dynamodb").list_tables()["TableNames"])
        kept = stack.table("BoostsTable").get_item(Key={"id": campaign["id"], "part": "campaign"})["Item"]
        assert kept["executed_count"] == 1


def delayed(stack: StackUnderTest) -> int:
    """Steps that wait on the queue for their time."""
    answer: dict[str, Any] = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.resources["BoostsQueue"], AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessagesDelayed"])


def a_month_ahead() -> str:
    return (datetime.now(UTC) + timedelta(days=30)).isoformat()
