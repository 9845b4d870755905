"""An admin who imports counts, a queue that is worked off by hand, and what stands in the tables."""

import json
from datetime import timedelta
from itertools import count
from typing import Any

from tests.account import Account
from tests.integration.conftest import Functions
from tests.integration.console import Answer, an_event

EXAMPLE = "imp_01KAJ3W5V0SM0FKVYVXB9EQT6N"
REASON = "Our own tests"
_requests = count(1)


def a_row(content_id: str, views: int = 5, content_type: str = "video") -> dict[str, Any]:
    return {"content_type": content_type, "content_id": content_id, "count": views}


def some_rows(number: int, *, first: int = 1, views: int = 5) -> list[dict[str, Any]]:
    """So many rows of as many videos: v1, v2, ..."""
    return [a_row(f"v{each}", views) for each in range(first, first + number)]


class World:
    """Speaks with the function over its event files."""

    def __init__(self, aws: Account, functions: Functions, clock: Any) -> None:
        self.aws = aws
        self.functions = functions
        self.clock = clock

    def send(
        self,
        file: str,
        *path: tuple[str, str],
        wing: str = "imports",
        body: Any = None,
        text: str | None = None,
        query: dict[str, str] | None = None,
        role: str = "admin",
        subject: str = "ada",
        key: str | None = None,
    ) -> Answer:
        """A request of `events/views/<wing>/api-<file>.json`; `path` are replacements in its path."""
        event = an_event(f"views/{wing}/api-{file}")
        for old, new in path:
            event["rawPath"] = event["rawPath"].replace(old, new)
        event["requestContext"]["http"]["path"] = event["rawPath"]
        event["requestContext"]["requestId"] = f"request-{next(_requests)}"
        event["requestContext"]["authorizer"] = {"lambda": {"subject": subject, "role": role}}
        event["headers"].pop("idempotency-key", None)
        if key is not None:
            event["headers"]["idempotency-key"] = key
        if body is not None or text is not None:
            event["body"] = text if text is not None else json.dumps(body)
        if query:
            event["queryStringParameters"] = query
            event["rawQueryString"] = "&".join(f"{name}={value}" for name, value in query.items())
        answer = self.functions.call(f"Views{wing.title()}ApiFunction", event)
        return Answer(answer["statusCode"], json.loads(answer["body"]), answer["headers"])

    def create(self, name: str = "counts.csv") -> str:
        answer = self.send("create", body={"name": name})
        assert answer.status == 201, answer.body
        return str(answer.body["id"])

    def put(self, import_id: str, number: int | str, rows: Any, **more: Any) -> Answer:
        path = ((EXAMPLE, import_id), ("/rows/1", f"/rows/{number}"))
        return self.send("put", *path, body={"rows": rows}, **more)

    def execute(self, import_id: str, **more: Any) -> Answer:
        return self.send("execute", (EXAMPLE, import_id), **more)

    def get(self, import_id: str) -> dict[str, Any]:
        answer = self.send("get", (EXAMPLE, import_id))
        assert answer.status == 200, answer.body
        body: dict[str, Any] = answer.body
        return body

    def skipped(self, import_id: str) -> list[tuple[int, str, str]]:
        items = self.send("skipped", (EXAMPLE, import_id)).body["items"]
        return [(each["number"], each["content_id"], each["reason"]) for each in items]

    def running(self, *chunks: list[dict[str, Any]]) -> str:
        """The id of an import of these chunks that was executed; its message is taken off the queue."""
        import_id = self.create()
        for number, rows in enumerate(chunks, 1):
            answer = self.put(import_id, number, rows)
            assert answer.status == 200, answer.body
        answer = self.execute(import_id)
        assert answer.status == 200, answer.body
        self.take()
        return import_id

    def deliver(self, import_id: str, step: int, message_id: str | None = None) -> list[Any]:
        """The batch item failures of a delivery."""
        event = an_event("views/imports/worker-steps")
        event["Records"][0]["body"] = json.dumps({"campaign_id": import_id, "step": step})
        event["Records"][0]["messageId"] = message_id or f"message-{next(_requests)}"
        failures: list[Any] = self.functions.call("ViewsImportsWorkerFunction", event)["batchItemFailures"]
        return failures

    def take(self) -> list[dict[str, Any]]:
        """Takes all messages off the queue, those with a delay too."""
        sqs, url = self.aws.client("sqs"), self.aws.ref("ViewsImportsQueue")
        found = []
        self.clock.shift(timedelta(minutes=15))
        while messages := self.aws.messages("ViewsImportsQueue"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        self.clock.shift(timedelta(minutes=-15))
        return found

    def work_off(self, import_id: str) -> None:
        """Runs an import to its end, message by message."""
        messages = [{"campaign_id": import_id, "step": self.item(import_id)["step"]}]
        while messages:
            for message in messages:
                assert self.deliver(message["campaign_id"], int(message["step"])) == []
            messages = self.take()

    def item(self, import_id: str) -> dict[str, Any]:
        """An import's item, as it is stored."""
        items = self.aws.items("ViewsTable")
        return next(item for item in items if (item["id"], item["part"]) == (import_id, "campaign"))

    def sweeps(self, table: str) -> list[int]:
        """How often each campaign of a table was swept since it moved."""
        return [int(item["sweeps"]) for item in self.aws.items(table) if item["part"] == "campaign"]

    def totals(self) -> dict[str, int]:
        """The counters by their keys."""
        return {item["key"]: int(item["views"]) for item in self.aws.items("TotalsTable")}

    def adjust(self, views: Any, content_id: str = "abc123", *, reason: str = REASON, **more: Any) -> Answer:
        body = {"views": views, "reason": reason}
        more.setdefault("key", f"adjust-{next(_requests)}")
        return self.send("adjust", ("abc123", content_id), wing="adjustments", body=body, **more)

    def actions(self, entity: str) -> list[str]:
        """The actions in an entity's audit log, oldest first."""
        entries = [item for item in self.aws.items("AuditTable") if item["entity"] == entity]
        return [entry["action"] for entry in sorted(entries, key=lambda entry: int(entry["number"]))]

    def events(self) -> list[str]:
        """The names of all events in the outbox, in their order."""
        return [item["name"] for item in sorted(self.aws.items("OutboxTable"), key=lambda item: str(item["id"]))]

    def verified(self, entity: str) -> dict[str, Any]:
        """What the audit trail says of an entity's chain."""
        event = an_event("operations/audit-verify")
        path = f"/api/admin/audit/{entity}/verify"
        event["rawPath"] = event["requestContext"]["http"]["path"] = path
        answer = self.functions.call("OperationsAuditFunction", event)
        body: dict[str, Any] = json.loads(answer["body"])
        return body | {"status": answer["statusCode"]}

    def turn(self, command: str) -> None:
        """Stop or resume the platform."""
        assert (
            self.functions.call("OperationsStopFunction", an_event(f"operations/stop-{command}"))["statusCode"] == 200
        )

    def sweep(self) -> int:
        return int(self.functions.call("OperationsSweeperFunction", an_event("operations/sweeper-period"))["woken"])
