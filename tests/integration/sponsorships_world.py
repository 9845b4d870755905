"""Sponsorships over their API and their worker; impressions are put as recording puts them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sluice import journal, ledger
from sluice.clock import rfc3339
from sluice.dynamodb import Database, bind
from sluice.ledger import LedgerItem
from sponsorships import impressions
from sponsorships.impressions import Impression, ImpressionKeys
from sponsorships.items import SponsorshipsItem
from tests.account import Account, secret_of
from tests.factories import NOON
from tests.gateway import a_request
from tests.integration.harness import Answer, Functions

KEYS = ImpressionKeys("k1", {"k1": secret_of("ImpressionSecret")})
TABLE = "SponsorshipsTable"
TERMS: dict[str, Any] = {
    "name": "Winter",
    "target_impressions": 20,
    "rate": "1.65",
    "currency": "USD",
    "budget": 1_000_000,
    "ends_at": rfc3339(NOON + timedelta(days=30)),
}


def viewer(number: int) -> str:
    """A viewer: each begins with a digit of its own."""
    return sha256(str(number).encode()).hexdigest()[:32]


@dataclass
class Sponsorships:
    """An advertiser `acme`, streamers, and the staff."""

    aws: Account
    functions: Functions
    clock: Any
    made: int = field(default=0)

    def __post_init__(self) -> None:
        bind(SponsorshipsItem, self.aws.ref(TABLE))
        bind(LedgerItem, self.aws.ref("LedgerTable"))

    def send(self, method: str, path: str, *, subject: str = "acme", role: str = "user", **more: Any) -> Answer:
        """A request; `path` stands under the campaigns."""
        event = a_request(method, f"/api/v1/campaigns{path}", subject=subject, role=role, **more)
        return Answer.of(self.functions.call("SponsorshipsApiFunction", event))

    def done(self, method: str, path: str, **more: Any) -> Any:
        """The body of an answer that is no refusal."""
        answer = self.send(method, path, **more)
        assert answer.status < 300, answer.body
        return answer.body

    def deposit(self, user: str, amount: int, currency: str) -> None:
        """Money comes from outside."""
        self.made += 1
        source, target = journal.outside(currency), journal.wallet(currency, user)
        entry = journal.transfer(
            f"dep#{self.made}", "deposit", currency, source, target, amount, cause="test", actor="ada", now=NOON
        )
        assert Database().commit(lambda transaction: _write(transaction, entry))

    def started(self, **terms: Any) -> str:
        """The id of a campaign that runs."""
        wanted = TERMS | terms
        self.deposit("acme", wanted["budget"], wanted["currency"])
        campaign = self.done("POST", "", body=wanted)["id"]
        if wanted.get("gkeys") == "required":
            self.done("POST", f"/{campaign}/gkeys", body={"keys": ["AAAA-1111", "BBBB-2222"]})
        self.done("POST", f"/{campaign}/start")
        return str(campaign)

    def joined(self, streamer: str = "nina", **terms: Any) -> str:
        """The id of an active participation in a campaign of its own."""
        campaign = self.started(**terms)
        self.done("POST", f"/{campaign}/join", subject=streamer, body={})
        return f"{campaign}:{streamer}"

    def see(self, found_id: str, numbers: Iterable[int], *, day: str = "", at: datetime = NOON) -> list[str]:
        """So many viewers see the advertisement: the rows' `part`s."""
        made = [
            Impression(
                found_id,
                viewer(each),
                impressions.row_part(viewer(each), day),
                f"{each:016x}",
                rfc3339(at),
                "k1",
                "viewer",
            )
            for each in numbers
        ]
        accepted = rfc3339(at + timedelta(seconds=5))
        items = [
            {name: {"S": value} for name, value in vars(impressions.row(KEYS, each, accepted)).items()}
            | {"k": {"N": "0"}}
            for each in made
        ]
        client, table = self.aws.client("dynamodb"), self.aws.ref(TABLE)
        for each in items:
            client.put_item(TableName=table, Item=each)
        client.update_item(
            TableName=table,
            Key={"id": {"S": impressions.tally_id(found_id, 0)}, "part": {"S": "tally"}},
            UpdateExpression="ADD impressions :n SET last_at = :at",
            ExpressionAttributeValues={":n": {"N": str(len(items))}, ":at": {"S": accepted}},
        )
        return [each.part for each in made]

    def settle(self, found_id: str, step: str = "leave") -> None:
        """The streamer leaves, or the campaign closes; then the worker does what is due."""
        campaign, _, streamer = found_id.partition(":")
        if step == "leave":
            self.done("POST", f"/{campaign}/leave", subject=streamer)
        else:
            self.done("POST", f"/{campaign}/{step}")
        self.work()

    def work(self) -> None:
        """Run the steps on the queue until there are none."""
        sqs = self.aws.client("sqs")
        while messages := self.aws.messages("SponsorshipsQueue"):
            for message in messages:
                record = {
                    "messageId": message["MessageId"],
                    "receiptHandle": message["ReceiptHandle"],
                    "body": message["Body"],
                    "attributes": {"ApproximateReceiveCount": "1"},
                    "messageAttributes": {},
                    "eventSource": "aws:sqs",
                    "eventSourceARN": self.aws.arn("SponsorshipsQueue"),
                    "awsRegion": "us-east-1",
                }
                answer = self.functions.call("SponsorshipsWorkerFunction", {"Records": [record]})
                assert answer == {"batchItemFailures": []}
                sqs.delete_message(QueueUrl=self.aws.ref("SponsorshipsQueue"), ReceiptHandle=message["ReceiptHandle"])

    def by_hand(self, id: str, part: str, **values: Any) -> None:
        """Someone edits an item in the console."""
        names = {f"#{name}": name for name in values}
        self.aws.client("dynamodb").update_item(
            TableName=self.aws.ref(TABLE),
            Key={"id": {"S": id}, "part": {"S": part}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={f":{name}": _wire(value) for name, value in values.items()},
        )

    def path(self, found_id: str, rest: str = "") -> str:
        campaign, _, streamer = found_id.partition(":")
        return f"/{campaign}/participations/{streamer}{rest}"

    def statement(self, found_id: str, **more: Any) -> Any:
        return self.done("GET", self.path(found_id, "/statement"), **more)

    def evidence(self, found_id: str, query: str = "") -> Answer:
        answer = self.send("GET", self.path(found_id, "/statement/evidence"), query=query)
        assert answer.status == 200, answer.body
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        return answer

    def failing(self, path: str) -> dict[str, tuple[int, int]]:
        """What `verify` finds wrong: expected and found, by claim."""
        body = self.done("GET", f"{path}/verify")
        wrong = {each["claim"]: (each["expected"], each["found"]) for each in body["checks"] if not each["holds"]}
        assert body["valid"] == (not wrong)
        assert body["checks"]
        return wrong


def leaf_of(found_id: str, proof: dict[str, Any]) -> bytes:
    """A leaf as the documentation describes it."""
    fields = (found_id, *(proof[name] for name in ("viewer", "nonce", "issued_at", "accepted_at")))
    return sha256(b"\x00" + "|".join(fields).encode()).digest()


def _write(transaction: Any, entry: journal.Entry) -> None:
    ledger.write(transaction, entry, ledger.read(leg.account for leg in entry.legs))


def _wire(value: Any) -> dict[str, Any]:
    if isinstance(value, int | float):
        return {"N": str(value)}
    return {"S": value if isinstance(value, str) else json.dumps(value)}
