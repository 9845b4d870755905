"""`sponsorships.recording.api`, called as Lambda calls it, with viewers in front and the account behind."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import time_machine
from botocore.client import BaseClient
from botocore.exceptions import ReadTimeoutError

from sluice import tokens
from sponsorships import impressions
from sponsorships.impressions import ImpressionKeys
from sponsorships.recording import api
from tests.account import Account, secret_of
from tests.dynamo.model import refusal
from tests.gateway import Context, a_request
from tests.integration.harness import Answer

FUNCTION = "SponsorshipsRecordingApiFunction"
TABLE = "SponsorshipsTable"
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
CAMPAIGN = "spn_01KB28QHY00000000000000000"
OTHER = "spn_01KB28QHY00000000000000001"
P = f"{CAMPAIGN}:nina"
SALT = "the salt of this campaign"
KEYS = ImpressionKeys("k1", {"k1": secret_of("ImpressionSecret")})
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def a_campaign(**changed: Any) -> dict[str, Any]:
    """A running campaign, in DynamoDB's own form; a change to None takes an attribute away."""
    item = {
        "id": CAMPAIGN,
        "part": "campaign",
        "kind": "campaign",
        "status": "running",
        "target_impressions": 2000,
        "rate": "1.65",
        "currency": "USD",
        "milestones": [50, 100, 500],
        "viewers": "registered",
        "viewer_period": "campaign",
        "min_seconds": 5,
        "token_seconds": 600,
        "viewer_salt": SALT,
        "ends_at": "2026-12-27T12:00:00.000000+0000",
    }
    return in_wire_form(item | changed)


def a_participation(**changed: Any) -> dict[str, Any]:
    """An active participation of nina's, in DynamoDB's own form."""
    item = {
        "id": P,
        "part": "campaign",
        "kind": "participation",
        "status": "active",
        "campaign_id": CAMPAIGN,
        "streamer": "nina",
        "shards": 1,
    }
    return in_wire_form(item | changed)


def in_wire_form(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _wire(value) for name, value in item.items() if value is not None}


def _wire(value: Any) -> dict[str, Any]:
    match value:
        case int():
            return {"N": str(value)}
        case list():
            return {"L": [_wire(each) for each in value]}
    return {"S": value}


def impression_token(viewer: str = "ada", at: datetime = NOON, participation: str = P) -> str:
    """A token of a registered viewer, minted as the function mints it."""
    return impressions.mint(KEYS, participation, impressions.registered(SALT, viewer), at)


@dataclass
class Recording:
    """One environment of the function; `changes` to its settings by name."""

    aws: Account
    changes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._function: api.Recording | None = None
        self._keys: ImpressionKeys | None = None
        self._seconds: Callable[[], float] | None = None
        self.waits: list[float] = []

    def rotate(self, keys: ImpressionKeys) -> None:
        """Let these be what the secret holds."""
        self._keys = keys

    def clock_of_tries(self, seconds: Callable[[], float]) -> None:
        """Let this be the clock by which a call ends."""
        self._seconds = seconds

    def join(self, campaign: Mapping[str, Any] | None = None, participation: Mapping[str, Any] | None = None) -> None:
        self.put(campaign or a_campaign())
        self.put(participation or a_participation())

    def put(self, item: Mapping[str, Any]) -> None:
        self.aws.client("dynamodb").put_item(TableName=self.aws.ref(TABLE), Item=dict(item))

    def set(self, id: str, part: str, **values: Any) -> None:
        """As a hand in the console does."""
        (found,) = [each for each in self.aws.items(TABLE) if (each["id"], each["part"]) == (id, part)]
        self.put(in_wire_form({name: _plain(value) for name, value in found.items()} | values))

    def token(self, streamer: Any = "nina", subject: str | None = "ada", at: datetime = NOON, **request: Any) -> Answer:
        headers = {"authorization": f"Bearer {a_viewers_token(subject, at)}"} if subject else {}
        return self.post("/impressions/token", {"streamer_id": streamer}, at=at, headers=headers, **request)

    def record(self, token: Any, at: datetime = NOON + timedelta(seconds=5), **request: Any) -> Answer:
        return self.post("/impressions", {"token": token}, at=at, **request)

    def batch(self, *tokens: Any, at: datetime = NOON + timedelta(seconds=5), **request: Any) -> Answer:
        return self.post("/impressions/batch", {"tokens": list(tokens)}, at=at, **request)

    def click(self, token: Any, at: datetime = NOON + timedelta(seconds=6), **request: Any) -> Answer:
        return self.post("/clicks", {"token": token}, at=at, **request)

    def post(
        self,
        route: str,
        body: object,
        *,
        at: datetime = NOON,
        campaign: str = CAMPAIGN,
        agent: str = BROWSER,
        address: str = "203.0.113.77",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        path = f"/api/v1/campaigns/{campaign}{route}"
        event = a_request("POST", path, body=body, role=None, headers={"user-agent": agent, **(headers or {})})
        event["requestContext"]["http"] |= {"sourceIp": address, "userAgent": agent}
        return Answer.of(self.call(event, at))

    def call(self, event: dict[str, Any], at: datetime = NOON) -> dict[str, Any]:
        environment = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        with (
            patch.dict("os.environ", environment | self.aws.environment(FUNCTION) | self.changes, clear=True),
            time_machine.travel(at, tick=False),
            patch.object(api, "recording", self._recording),
        ):
            return api.handler(json.loads(json.dumps(event)), Context())

    def _recording(self) -> api.Recording:
        """Each of these is an environment of its own, and never sleeps."""
        if self._function is None:
            self._function = api.recording_of_environment()
            recorder = self._function.recorder
            recorder._wait = self.waits.append
            recorder._seconds = self._seconds or recorder._seconds
            recorder._keys = (lambda keys=self._keys: keys) if self._keys else recorder._keys
        return self._function

    # What is in the table.

    def rows(self) -> list[dict[str, Any]]:
        return [each for each in self.aws.items(TABLE) if each["id"].startswith("imp#")]

    def tallies(self) -> dict[str, dict[str, Any]]:
        return {each["id"]: each for each in self.aws.items(TABLE) if each["part"] == "tally"}

    def counted(self) -> int:
        """The sum of the tallies, which is the number of rows at every moment."""
        total = int(sum(each.get("impressions", 0) for each in self.tallies().values()))
        assert total == len(self.rows())
        return total

    def clicks(self) -> int:
        return int(sum(each.get("clicks", 0) for each in self.tallies().values()))

    def participation(self) -> dict[str, Any]:
        (found,) = [each for each in self.aws.items(TABLE) if (each["id"], each["part"]) == (P, "campaign")]
        return found

    def refusals(self) -> dict[str, int]:
        found: Counter[str] = Counter()
        for each in self.aws.items(TABLE):
            if each["id"] == f"refused#{P}":
                found[each["part"]] += int(each["n"])
        return dict(found)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(each["data"]) for each in self.aws.items("OutboxTable")]


def a_viewers_token(subject: str, at: datetime) -> str:
    return tokens.mint(secret_of("ViewerTokenSecret"), subject, None, "sluice-viewer", timedelta(days=1), at)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value if isinstance(value, str) else int(value)


type Trouble = Callable[[], None]


@dataclass
class Calls:
    """The calls of DynamoDB that were made: their operations and arguments."""

    made: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def names(self) -> list[str]:
        return [name for name, _ in self.made]

    def tallies(self) -> list[str]:
        """The tallies of transactions, in their order."""
        return [
            action["Update"]["Key"]["id"]["S"]
            for _, arguments in self.made
            for action in arguments.get("TransactItems", [])
            if "Update" in action and action["Update"]["Key"]["part"]["S"] == "tally"
        ]


@contextmanager
def troubled(operation: str, *troubles: str, before: Trouble | None = None) -> Iterator[Calls]:
    """The first calls of an operation go wrong, each in its way: conflict, lost (with its effect), unsent, busy, ok.

    `before` runs once, in front of the first of them: as another environment, in the middle of this one's call.
    """
    real, calls = BaseClient._make_api_call, Calls()
    left, pending = list(troubles), [before] if before else []

    def call(client: Any, name: str, arguments: dict[str, Any]) -> Any:
        if name == operation and pending:
            pending.pop()()
        calls.made.append((name, arguments))
        trouble = left.pop(0) if name == operation and left else "ok"
        match trouble:
            case "conflict":
                reasons = [{"Code": "None"} for _ in arguments["TransactItems"]]
                reasons[-1] = {"Code": "TransactionConflict"}
                raise refusal(name, "TransactionCanceledException", CancellationReasons=reasons)
            case "busy":
                raise refusal(name, "ProvisionedThroughputExceededException")
            case "unsent":
                raise ReadTimeoutError(endpoint_url="https://dynamodb")
        answer = real(client, name, arguments)
        if trouble == "lost":
            raise ReadTimeoutError(endpoint_url="https://dynamodb")
        return answer

    with patch.object(BaseClient, "_make_api_call", call):
        yield calls
