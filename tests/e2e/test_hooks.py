"""Webhooks on the embedded stack, with each function's own permissions (S1-62)."""

import json

import httpx
from standardwebhooks import Webhook

from local.fakes.receiver import Receiver
from tests.deployed import StackUnderTest
from tests.e2e.test_boosts import Boosts, eventually

HOOKS = "/api/admin/hooks"
SECONDS = 120


def test_an_event_reaches_a_receiver_that_checks_its_signature(stack: StackUnderTest, admin: httpx.Client) -> None:
    """S1-62."""
    receiver = Receiver(503)
    with receiver.running():
        hook = admin.post(HOOKS, json={"url": receiver.url, "events": ["boost.created"]}).json()
        path = f"{HOOKS}/{hook['id']}"
        boost = Boosts(admin).create()

        first, second = receiver.wait(2, SECONDS)

        logged = eventually(
            lambda: admin.get(f"{path}/deliveries").json()["items"], lambda seen: seen[0]["status"] == "delivered"
        )
        said = stack.sluice("hooks", "delivery", hook["id"], logged[0]["id"])
        deleted = admin.delete(path)

    told = Webhook(hook["secret"]).verify(second.body, dict(second.headers))
    assert (told["type"], told["data"]["campaign_id"]) == ("boost.created", boost["id"])
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert [(each["event_id"], each["attempts"]) for each in logged] == [(second.headers["webhook-id"], 2)]
    assert json.dumps(told["data"]["campaign_id"]) in said
    assert deleted.status_code == 200
    assert len(receiver.requests) == 2
