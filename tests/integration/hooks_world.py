"""The hooks' functions, an event bus, and a receiver, for tests."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import time_machine

from hooks.wire import Wire
from local.fakes.http import Served
from sluice.chained import PART
from sluice.clock import SystemClock
from tests.account import Account
from tests.factories import NOON
from tests.integration.harness import Functions, Harness, an_event

EXAMPLE, DELIVERY = "hok_01KAJ3W5V0SM0FKVYVXB9EQT6N", "dlv_01KAJ3W5V0SM0FKVYVXB9EQT6N"
EVENT = "evt_01KAJ3W5V0SM0FKVYVXB9EQT6N"


class Receiver(Served):
    """Keeps each request, and answers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        self.headers: dict[str, str] = {}
        self.text = b""
        self.url = f"http://{self.host}/hooks"

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.requests.append((dict(handler.headers), body))
        handler.send_response(self.status)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(self.text)))
        handler.end_headers()
        handler.wfile.write(self.text)


class Hooked(Harness):
    """An admin at the hooks' API, an event bus, and a receiver."""

    receiver: Receiver

    def __init__(self, aws: Account, functions: Functions, clock: Any) -> None:
        super().__init__(aws, functions, clock)
        self._relayed: set[str] = set()

    def hook(self, file: str, hook_id: str = EXAMPLE, status: int = 200, **more: Any) -> Any:
        return self.done(f"hooks/api-{file}", (EXAMPLE, hook_id), status=status, **more)

    def create(self, *events: str) -> dict[str, Any]:
        body = {"url": self.receiver.url, "events": list(events)}
        created: dict[str, Any] = self.hook("create", status=201, body=body)
        return created

    def tell(self, name: str = "BoostCompleted", event_id: str = EVENT, at: datetime | None = None) -> None:
        """An event comes to the fan-out."""
        body = json.loads(an_event("hooks/fanout-events")["Records"][0]["body"])
        body["detail-type"], body["detail"]["id"] = name, event_id
        if at:
            body["detail"]["at"] = at.isoformat()
        assert self.hand_over("hooks/fanout-events", body)

    def a_delivery(self, *events: str) -> str:
        """The id of a delivery to a new endpoint: due, and its step is on the queue."""
        hook = self.create(*events)
        self.tell()
        [made] = self.deliveries(hook["id"])
        return str(made["id"])

    def relay(self) -> None:
        """What is in the outbox and was not relayed yet comes to the fan-out, and so does the rest of long replays."""
        for row in sorted(self.aws.items("OutboxTable"), key=lambda row: str(row["id"])):
            if row["id"] not in self._relayed:
                self._relayed.add(str(row["id"]))
                detail = {"id": row["id"], "at": row["created_at"], "data": json.loads(str(row["data"]))}
                body = {"source": "sluice", "detail-type": row["name"], "detail": detail}
                assert self.hand_over("hooks/fanout-events", body)
        while messages := self.take("HooksEventsQueue"):
            for each in messages:
                assert self.hand_over("hooks/fanout-events", each)

    def relay_again(self) -> None:
        """The bus delivers at least once."""
        self._relayed.clear()
        self.relay()

    def work(self) -> int:
        """Run the steps that are on the queue; returns how many."""
        found = self.steps("HooksQueue")
        for each in found:
            assert self.hand_over("hooks/worker-steps", each)
        return len(found)

    def go_on(self, delivery_id: str) -> dict[str, Any]:
        """Run a delivery's next step when it is due; returns the delivery as it is then."""
        self.take("HooksQueue")
        found = self.delivery(delivery_id)
        if found["wake_at"] and self.clock_time < (due := datetime.fromisoformat(found["wake_at"])):
            self.clock.move_to(due)
        assert self.hand_over("hooks/worker-steps", self.step_of(delivery_id))
        return self.delivery(delivery_id)

    @property
    def clock_time(self) -> datetime:
        return SystemClock().now()

    def step_of(self, delivery_id: str) -> dict[str, Any]:
        """The message of a delivery's next step."""
        [item] = [each for each in self.aws.items("HooksTable") if (each["id"], each["part"]) == (delivery_id, PART)]
        return {"campaign_id": delivery_id, "step": int(item["step"])}

    def delivery(self, delivery_id: str) -> dict[str, Any]:
        """A delivery with its attempts, as the API shows it."""
        [item] = [each for each in self.aws.items("HooksTable") if (each["id"], each["part"]) == (delivery_id, PART)]
        found: dict[str, Any] = self.done(
            "hooks/api-delivery", (EXAMPLE, str(item["hook_id"])), (DELIVERY, delivery_id)
        )
        return found

    def replay(self, delivery_id: str, hook_id: str, **more: Any) -> Any:
        return self.done("hooks/api-replay", (EXAMPLE, hook_id), (DELIVERY, delivery_id), **more)

    @contextmanager
    def posting(
        self, before: Callable[[], Any] | None = None, after: Callable[[], Any] | None = None
    ) -> Iterator[None]:
        """Others act when the fence is passed and before a request leaves, or when its answer is there."""
        real = Wire.post

        def post(wire: Wire, *arguments: Any) -> Any:
            if before:
                before()
            answer = real(wire, *arguments)
            if after:
                after()
            return answer

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Wire, "post", post)
            yield

    def kept_until(self, delivery_id: str) -> dict[str, int | None]:
        """When DynamoDB may delete each item of a delivery, in seconds; None for those that stay."""
        rows = [each for each in self.aws.items("HooksTable") if each["id"] == delivery_id]
        return {str(each["part"]): int(each["expires_at"]) if each.get("expires_at") else None for each in rows}

    def deliveries(self, hook_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.hook("deliveries", hook_id)["items"]
        return found


@contextmanager
def hooked(aws: Account, functions: Functions, private: str = "127.0.0.0/8") -> Iterator[Hooked]:
    """The world, with a receiver on this machine, which only `private` lets the hooks reach."""
    aws.choose(PrivateRanges=private)
    receiver = Receiver()
    with time_machine.travel(NOON, tick=False) as clock, receiver.running():
        world = Hooked(aws, functions, clock)
        world.receiver = receiver
        yield world
