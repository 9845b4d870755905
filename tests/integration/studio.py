"""A streamer's studio: sponsorships over HTTP, viewers in front, detectors behind, and hands in the database."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from botocore.client import BaseClient

from sluice import journal, ledger
from sluice.clock import rfc3339
from sluice.dynamodb import Database, bind
from sluice.ledger import LedgerItem
from sluice.wake import schedule_name
from sponsorships import impressions
from sponsorships.impressions import ImpressionKeys
from tests.account import secret_of
from tests.dynamo.model import refusal
from tests.integration.harness import Answer, Harness

EXAMPLE = "spn_01KAJ3W5V0SM0FKVYVXB9EQT6N"
EXAMPLE_RUN = "chk_01KAJ3W5V0SM0FKVYVXB9EQT6N"
TABLE = "SponsorshipsTable"
KEYS = ImpressionKeys("k1", {"k1": secret_of("ImpressionSecret")})
TERMS = {"name": "Winter", "target_impressions": 3, "rate": "1.65", "currency": "USD", "budget": 10_000}
"""A streamer earns 495 at 3 impressions."""
CHECKS, STEPS = "SponsorshipsChecksQueue", "SponsorshipsQueue"


class Studio(Harness):
    """Sponsorships: one advertiser, acme, and the streamers who joined."""

    def deposit(self, amount: int, currency: str = "USD") -> None:
        """Money of acme's from outside."""
        bind(LedgerItem, self.aws.ref("LedgerTable"))
        number = len(self.aws.items("LedgerTable"))
        entry = journal.transfer(
            f"dep#{number}",
            journal.Kind.DEPOSIT,
            currency,
            f"outside#{currency}",
            f"wallet#{currency}#acme",
            amount,
            cause="wallet:acme 1",
            actor="ada",
            now=datetime.now(UTC),
        )
        accounts = [leg.account for leg in entry.legs]
        assert Database().commit(lambda write: ledger.write(write, entry, ledger.read(accounts)) and None)

    def campaign(self, **terms: Any) -> str:
        """The id of a campaign that runs."""
        body = {"ends_at": rfc3339(datetime.now(UTC) + timedelta(days=30)), "milestones": []} | TERMS | terms
        self.deposit(body["budget"], body["currency"])
        made = self.done("sponsorships/api-create", body=body, status=201, subject="acme", role="user")
        self.done("sponsorships/api-start", (EXAMPLE, made["id"]), body={}, subject="acme", role="user")
        return str(made["id"])

    def join(self, campaign_id: str, streamer: str = "nina") -> str:
        """The id of a participation."""
        path = (EXAMPLE, campaign_id)
        self.done("sponsorships/api-join", path, body={}, subject=streamer, role="user", status=201)
        return f"{campaign_id}:{streamer}"

    def joined(self, **terms: Any) -> str:
        """The id of nina's participation in a new campaign."""
        return self.join(self.campaign(**terms))

    def see(self, found: str, viewers: Iterable[object], k: int = 0) -> None:
        """Record the impressions of viewers as recording does; and die before the totals are read."""
        dynamo, now = self.aws.client("dynamodb"), datetime.now(UTC)
        for some in batched(viewers, 50, strict=False):
            tally = {
                "TableName": self.aws.ref(TABLE),
                "Key": {"id": {"S": impressions.tally_id(found, k)}, "part": {"S": "tally"}},
                "UpdateExpression": "ADD impressions :some SET last_at = :at",
                "ConditionExpression": "attribute_not_exists(closed)",
                "ExpressionAttributeValues": {":some": {"N": str(len(some))}, ":at": {"S": rfc3339(now)}},
            }
            puts = [{"Put": self._row(found, str(each), k, now)} for each in some]
            dynamo.transact_write_items(TransactItems=[*puts, {"Update": tally}])

    def _row(self, found: str, viewer: str, k: int, now: datetime) -> dict[str, Any]:
        minted = impressions.mint(KEYS, found, impressions.registered("salt", viewer), now)
        token, period = impressions.opened(minted, KEYS), impressions.ViewerPeriod.CAMPAIGN
        proved = impressions.verify(token, now, min_seconds=0, token_seconds=9, period=period, zone=ZoneInfo("UTC"))
        row = vars(impressions.row(KEYS, proved, rfc3339(now)))
        return {
            "TableName": self.aws.ref(TABLE),
            "Item": {name: {"S": value} for name, value in row.items()} | {"k": {"N": str(k)}},
            "ConditionExpression": "attribute_not_exists(id)",
        }

    def tokens(self, found: str, viewers: Iterable[object]) -> list[str]:
        """A service asks for the tokens of viewers, 100 at most, and waits until they can be used."""
        campaign_id, _, streamer = found.partition(":")
        body = {"streamer_id": streamer, "viewers": [f"viewer {each}" for each in viewers]}
        path = (EXAMPLE, campaign_id)
        minted = self.done("sponsorships/api-tokens", path, body=body, subject="page", role="service")["tokens"]
        self.clock.shift(timedelta(seconds=5))
        return [each["token"] for each in minted]

    def recorded(self, found: str, tokens: list[str]) -> list[dict[str, Any]]:
        """What the recording function answers of each token of a batch."""
        elsewhere = ("spn_01KB28QHY00000000000000000", found.partition(":")[0])
        return list(self.done("sponsorships/recording/api-batch", elsewhere, body={"tokens": tokens})["impressions"])

    def record_batch(self, found: str, viewers: Iterable[object]) -> None:
        """A service sends the tokens of viewers at once, through the recording function."""
        answers = self.recorded(found, self.tokens(found, viewers))
        assert all(each["counted"] for each in answers), answers

    def spoil_entry(self, entry_id: str) -> None:
        """A hand takes the currency of a ledger's entry away."""
        self.aws.client("dynamodb").update_item(
            TableName=self.aws.ref("LedgerTable"),
            Key={"account": {"S": f"entry#{entry_id}"}, "line": {"S": "entry"}},
            UpdateExpression="REMOVE currency",
        )

    def enrich(self, account: str, amount: int) -> None:
        """A hand adds to a balance."""
        self.aws.client("dynamodb").update_item(
            TableName=self.aws.ref("LedgerTable"),
            Key={"account": {"S": account}, "line": {"S": "balance"}},
            UpdateExpression="ADD amount :more",
            ExpressionAttributeValues={":more": {"N": str(amount)}},
        )

    def hand(self, row: str, part: str = "campaign", **values: Any) -> None:
        """Edit an item as a person in the console does: these attributes and nothing else; None takes one away."""
        sets = {name: value for name, value in values.items() if value is not None}
        gone = [f"#{name}" for name, value in values.items() if value is None]
        text = f"SET {', '.join(f'#{name} = :{name}' for name in sets)}" if sets else ""
        text += f" REMOVE {', '.join(gone)}" if gone else ""
        wire = {f":{name}": {"S": v} if isinstance(v, str) else {"N": str(v)} for name, v in sets.items()}
        self.aws.client("dynamodb").update_item(
            TableName=self.aws.ref(TABLE),
            Key={"id": {"S": row}, "part": {"S": part}},
            UpdateExpression=text,
            ExpressionAttributeNames={f"#{name}": name for name in values},
            **({"ExpressionAttributeValues": wire} if wire else {}),
        )

    # Detectors.

    def ask(self, found: str, source: str = "api", **more: Any) -> bool:
        """Deliver the event that asks for a check, as the bus does; whether it was acknowledged."""
        campaign_id, _, streamer = found.partition(":")
        data = {"campaign_id": campaign_id, "streamer": streamer, "thresholds": [3], "total": 3, "source": source}
        return self.hand_over("sponsorships/monitoring/worker-checks", data | more)

    def record(self, row: str, part: str = "campaign", name: str = "MODIFY", at: datetime | None = None) -> Any:
        """Hand the stream function a record of the table; what it reports."""
        stream = {"Keys": {"id": {"S": row}, "part": {"S": part}}, "SequenceNumber": "1"}
        stream["ApproximateCreationDateTime"] = int((at or datetime.now(UTC)).timestamp())
        event = {"Records": [{"eventID": "1", "eventName": name, "eventSource": "aws:dynamodb", "dynamodb": stream}]}
        return self.invoke("sponsorships/monitoring/stream-rows", event)["batchItemFailures"]

    def look(self, found: str) -> None:
        """The stream brings a change of a participation's document, and a worker looks at it."""
        assert self.record(found) == []
        self.work_off_checks()

    def work_off_checks(self) -> None:
        """Work off the queue of checks, and what the outbox puts on it."""
        for body in [*self.take(CHECKS), *self._asked()]:
            assert self.hand_over("sponsorships/monitoring/worker-checks", body)

    def _asked(self) -> list[str]:
        """The events that ask for a check, which the relay and the bus bring: each once."""
        bodies = []
        for item in self.aws.items("OutboxTable"):
            if item["name"] == "campaign.completion.check" and item["status"] == "pending":
                bodies.append(str(item["data"]))
                self.aws.client("dynamodb").update_item(
                    TableName=self.aws.ref("OutboxTable"),
                    Key={"id": {"S": item["id"]}},
                    UpdateExpression="SET #s = :done",
                    ExpressionAttributeNames={"#s": "status"},
                    ExpressionAttributeValues={":done": {"S": "processed"}},
                )
        return bodies

    def work(self) -> None:
        """Work off the steps that are due."""
        for _ in range(50):
            steps = self.steps(STEPS)
            if not steps:
                return
            for step in steps:
                assert self.hand_over("sponsorships/worker-steps", step)
        raise AssertionError("there was no end of steps")

    def settle(self) -> None:
        """Work off the checks, and then the steps that they begin."""
        self.work_off_checks()
        self.work()

    def sweep_all(self, *, deep: bool = False) -> dict[str, Any]:
        """The schedule begins a run, which is worked off: what has come of it."""
        name = "deep" if deep else "sweep"
        run = self.invoke(f"sponsorships/monitoring/schedule-{name}")["run"]
        self.work()
        return self.run(run)

    def run(self, run_id: str) -> dict[str, Any]:
        return dict(self.done("sponsorships/monitoring/api-check", (EXAMPLE_RUN, run_id), role="operator"))

    def full_check(self, *, deep: bool = False) -> str:
        """An operator starts a run, or finds the one that is going: its id."""
        answer = self.request("sponsorships/monitoring/api-fullcheck", body={"deep": deep}, role="operator")
        assert answer.status in (200, 202)
        return str(answer.body["id"])

    # Over HTTP.

    def get(self, found: str) -> dict[str, Any]:
        """A participation."""
        campaign_id, _, streamer = found.partition(":")
        return dict(self.done("sponsorships/api-participation", (EXAMPLE, campaign_id), ("/nina", f"/{streamer}")))

    def status(self) -> dict[str, Any]:
        return dict(self.done("sponsorships/monitoring/api-status", role="operator"))

    def adjustments(self, found: str) -> list[dict[str, Any]]:
        campaign_id, _, streamer = found.partition(":")
        path = (EXAMPLE, campaign_id), ("/nina", f"/{streamer}")
        return list(self.done("sponsorships/monitoring/api-listed", *path)["items"])

    def propose(self, found: str, impressions_more: int = 1, **more: Any) -> Answer:
        who = {"subject": "acme", "role": "user"} | more
        body = {"impressions": impressions_more, "reason": "The page was down"}
        return self.request("sponsorships/monitoring/api-propose", (EXAMPLE, found.partition(":")[0]), body=body, **who)

    def decide(self, verb: str, found: str, number: int, subject: str, **more: Any) -> Answer:
        path = (EXAMPLE, found.partition(":")[0]), ("/7/", f"/{number}/")
        body = {"reason": "Nothing shows it"} if verb == "reject" else None
        return self.request(f"sponsorships/monitoring/api-{verb}", *path, body=body, subject=subject, **more)

    # What is there.

    def item(self, found: str) -> dict[str, Any]:
        return next(each for each in self.aws.items(TABLE) if (each["id"], each["part"]) == (found, "campaign"))

    def tallied(self, found: str) -> int:
        mine = [each for each in self.aws.items(TABLE) if each["id"].startswith(f"tally#{found}#")]
        return sum(int(each["impressions"]) for each in mine)

    def wallet(self, streamer: str = "nina", currency: str = "USD") -> int:
        name = f"wallet#{currency}#{streamer}"
        found = [each for each in self.aws.items("LedgerTable") if (each["account"], each["line"]) == (name, "balance")]
        return int(found[0]["amount"]) if found else 0

    def pays(self) -> list[str]:
        """The entries that paid a streamer."""
        return [each["account"] for each in self.aws.items("LedgerTable") if each["account"].startswith("entry#pay#")]

    def scheduled(self, found: str) -> set[int]:
        """The steps of a participation that a schedule will bring."""
        schedules = self.aws.client("scheduler").list_schedules()["Schedules"]
        names = {schedule_name(found, step): step for step in range(20)}
        return {names[each["Name"]] for each in schedules if each["Name"] in names}

    def events(self, name: str) -> list[dict[str, Any]]:
        """The data of the events of that name."""
        return [json.loads(each["data"]) for each in self.aws.items("OutboxTable") if each["name"] == name]


@contextmanager
def before_the_first(operation: str, act: Callable[[], object], where: str = "") -> Iterator[None]:
    """Let others act before the first call of an operation whose arguments name `where`."""
    real, acted = BaseClient._make_api_call, []

    def call(client: Any, name: str, arguments: dict[str, Any]) -> Any:
        if name == operation and where in json.dumps(arguments, default=str) and not acted:
            acted.append(True)
            act()
        return real(client, name, arguments)

    with patch.object(BaseClient, "_make_api_call", call):
        yield
    assert acted


@contextmanager
def refusing(operation: str, where: str) -> Iterator[None]:
    """Let AWS refuse each call of an operation whose arguments name `where`."""
    real = BaseClient._make_api_call

    def call(client: Any, name: str, arguments: dict[str, Any]) -> Any:
        if name == operation and where in json.dumps(arguments, default=str):
            raise refusal(name, "ServiceUnavailable")
        return real(client, name, arguments)

    with patch.object(BaseClient, "_make_api_call", call):
        yield
