"""The restore of the tables on the embedded stack, which copies them back while everything is deployed."""

from datetime import UTC, datetime

import httpx
import pytest

from local.restore import RESTORED, Restore, restore
from tests.deployed import StackUnderTest
from tests.e2e.conftest import RESUME, STOP
from tests.e2e.test_boosts import Boosts


@pytest.fixture
def boosts(stopping: httpx.Client) -> Boosts:
    return Boosts(stopping)


def test_a_campaign_that_was_restored_in_mid_run_completes_and_its_numbers_add_up(
    stack: StackUnderTest, boosts: Boosts
) -> None:
    """S1-47, S1-50: backups. The whole procedure, with each function's own permissions."""
    campaign = boosts.create(total_count=4000, daily_limit=8000)
    boosts.command("execute", campaign["id"])
    boosts.until(campaign["id"], lambda seen: seen["executed_count"] >= 1000)
    boosts.command("pause", campaign["id"])
    paused = boosts.get(campaign["id"])
    made = Restore(stack.embedded.deployed, print, pause=lambda _seconds: None)
    suffix = made.make(datetime.now(UTC))
    boosts.command("execute", campaign["id"])
    boosts.until_completed(campaign["id"])
    later = boosts.create(total_count=1)

    restore(made, suffix, lambda: boosts.http.post(STOP, json={"reason": "A restore"}).raise_for_status())
    restored = boosts.get(campaign["id"])
    platform = boosts.http.get(STOP).json()["status"]
    boosts.http.post(RESUME, json={"reason": "It was restored"}).raise_for_status()
    boosts.command("execute", campaign["id"])
    completed = boosts.until_completed(campaign["id"])

    assert (restored["status"], restored["executed_count"]) == ("paused", paused["executed_count"])
    assert platform == "stopped"
    assert completed["executed_count"] == 4000
    assert boosts.http.get(f"/api/admin/fake-views/{campaign['id']}/verify").json()["valid"]
    assert boosts.http.get(f"/api/admin/fake-views/{later['id']}").status_code == 404
    trail = boosts.http.get(f"/api/admin/audit/{campaign['id']}/verify").json()
    assert (trail["valid"], trail["rolled_back"]) == (True, [{"from": 4, "to": 5, "bridged_by": 6}])
    assert boosts.http.get("/api/admin/audit/platform/verify").json()["valid"]
    for table in RESTORED:
        stack.client("dynamodb").delete_table(TableName=stack.resources[table] + suffix)
