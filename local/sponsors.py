"""What advertisers, streamers and the platform's server do with sponsorships on a stack, for the demo and the bench."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any

from local import tokens
from local.api import Api, Json
from local.errors import LocalError
from local.stack import EmbeddedStack

RATE = "1.65"
BATCH, FIRST, TOKENS = 50, 30, 100
"""The first batch is smaller, so that those after it jump over the milestones: 30, 80, 130, ..."""
SIDE_BY_SIDE = 2
DONE_WITHIN_SECONDS = 120
CAMPAIGNS = "/api/v1/campaigns"


@dataclass(frozen=True)
class Campaign:
    """A campaign that runs, by the path of its routes."""

    id: str
    pay: int

    @property
    def path(self) -> str:
        return f"{CAMPAIGNS}/{self.id}"

    def of(self, streamer: str, below: str = "") -> str:
        return f"{self.path}/participations/{streamer}{below}"


@dataclass
class Sponsors:
    """Those who have to do with the campaigns of an advertiser, `acme`: each calls with a token of its own."""

    stack: EmbeddedStack
    looks_per_second: float = 5
    _clients: dict[str, Api] = field(default_factory=dict)

    @cached_property
    def resources(self) -> dict[str, str]:
        return self.stack.deployed.resources()

    def api(self, subject: str, role: str = "user") -> Api:
        """The client of a subject."""
        if subject not in self._clients:
            token = tokens.mint(self.stack.deployed, role, subject, hours=1)
            self._clients[subject] = Api(self.stack.api_url, token)
        return self._clients[subject]

    def close(self) -> None:
        for each in self._clients.values():
            each.close()

    @property
    def admin(self) -> Api:
        return self.api("demo", "admin")

    @property
    def platform(self) -> Api:
        return self.api("platform", "service")

    def deposit(self, cents: int) -> None:
        self.admin.post("/api/v1/wallets/acme/deposits", {"amount": cents, "currency": "USD", "reference": "demo"})

    def start(self, target: int, budget: int, terms: Json, keys: list[str] | None = None) -> Campaign:
        """A campaign of acme's, with G-Keys, that runs."""
        acme = self.api("acme")
        price = {"name": "Demo", "target_impressions": target, "rate": RATE, "currency": "USD", "budget": budget}
        ends_at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        made = acme.post(CAMPAIGNS, {**price, "min_seconds": 0, "ends_at": ends_at, **terms})
        campaign = Campaign(made["id"], made["pay"])
        if keys:
            acme.post(f"{campaign.path}/gkeys", {"keys": keys})
        acme.post(f"{campaign.path}/start")
        return campaign

    def join(self, campaign: Campaign, streamer: str) -> None:
        self.api(streamer).post(f"{campaign.path}/join", {})

    def record(self, campaign: Campaign, streamer: str, target: int) -> tuple[int, list[Json]]:
        """`target` viewers of a streamer, in batches side by side: how many, and what becomes of one sent again."""
        viewers = [f"viewer {number}" for number in range(target)]

        def minted(start: int) -> list[str]:
            wanted = {"streamer_id": streamer, "viewers": viewers[start : start + TOKENS]}
            answer = self.platform.post(f"{campaign.path}/impressions/tokens", wanted)
            return [each["token"] for each in answer["tokens"]]

        sent = [token for start in range(0, target, TOKENS) for token in minted(start)]
        ends = [FIRST, *range(FIRST + BATCH, target, BATCH), target]
        first, *others, last = [sent[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        send = partial(self.send, campaign)
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            recorded = [send(first), *pool.map(send, others)]
        again = send(others[-1])
        recorded.append(send(last))
        refused = [each for answers in recorded for each in answers if not each["counted"]]
        if refused:
            raise LocalError(f"{len(refused)} impressions of {streamer} were refused: {refused[0]}")
        return len(recorded), again

    def send(self, campaign: Campaign, batch: list[str]) -> list[Json]:
        answer = self.platform.post(f"{campaign.path}/impressions/batch", {"tokens": batch})
        recorded: list[Json] = answer["impressions"]
        return recorded

    def participation(self, campaign: Campaign, streamer: str) -> Json:
        return self.api(streamer).get(campaign.of(streamer))

    def until_paid(self, campaign: Campaign, streamer: str) -> Json:
        return self.until(campaign.of(streamer), lambda seen: seen["status"] == "completed")

    def wallet(self, streamer: str) -> int:
        return sum(each["balance"] for each in self.api(streamer).get("/api/v1/wallets/me")["items"])

    def until(self, path: str, satisfied: Callable[[Json], bool]) -> Json:
        deadline = time.monotonic() + DONE_WITHIN_SECONDS
        while not satisfied(seen := self.admin.get(path)):
            if time.monotonic() >= deadline:
                raise LocalError(f"{path} is, after {DONE_WITHIN_SECONDS} s: {seen}")
            time.sleep(1 / self.looks_per_second)
        return seen

    def sweep(self) -> None:
        """As the schedule does every five minutes."""
        self.stack.deployed.client("lambda").invoke(
            FunctionName=self.resources["SponsorshipsMonitoringScheduleFunction"], Payload=b'{"kind": "light"}'
        )

    @contextmanager
    def detectors_off(self) -> Iterator[None]:
        events, functions = self.stack.deployed.client("events"), self.stack.deployed.client("lambda")
        rule = {
            "Name": self.resources["SponsorshipsChecksRule"].rpartition("|")[2],
            "EventBusName": self.resources["EventBus"],
        }
        stream = self.resources["SponsorshipsMonitoringStreamFunctionRows"]
        events.disable_rule(**rule)
        functions.update_event_source_mapping(UUID=stream, Enabled=False)
        try:
            yield
        finally:
            events.enable_rule(**rule)
            functions.update_event_source_mapping(UUID=stream, Enabled=True)

    def table(self, logical_id: str) -> Any:
        """boto3's Table: past all of Sluice's code."""
        session = self.stack.deployed.session
        resource = session.resource("dynamodb", endpoint_url=self.stack.endpoint_url)
        return resource.Table(self.resources[logical_id])
