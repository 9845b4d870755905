"""An admin who imports counts, a queue that is worked off by hand, and what stands in the tables."""

from itertools import count
from typing import Any

from tests.integration.harness import Answer, Harness

EXAMPLE = "imp_01KAJ3W5V0SM0FKVYVXB9EQT6N"
REASON = "Our own tests"
_requests = count(1)


def a_row(content_id: str, views: int = 5, content_type: str = "video") -> dict[str, Any]:
    return {"content_type": content_type, "content_id": content_id, "count": views}


def some_rows(number: int, *, first: int = 1, views: int = 5) -> list[dict[str, Any]]:
    """So many rows of as many videos: v1, v2, ..."""
    return [a_row(f"v{each}", views) for each in range(first, first + number)]


class Importer(Harness):
    """Imports and corrections over their event files."""

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
        sent = body if text is None else text
        file = f"views/{wing}/api-{file}"
        return self.request(file, *path, body=sent, query=query, role=role, subject=subject, key=key)

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
        self.waiting()
        return import_id

    def deliver(self, import_id: str, step: int, message_id: str | None = None) -> bool:
        """Whether the worker acknowledged a step."""
        return self.hand_over("views/imports/worker-steps", {"campaign_id": import_id, "step": step}, message_id)

    def waiting(self) -> list[dict[str, Any]]:
        """Takes all steps off the queue, those with a delay too."""
        return self.steps("ViewsImportsQueue")

    def work_off(self, import_id: str) -> None:
        """Runs an import to its end, message by message."""
        messages = [{"campaign_id": import_id, "step": self.item(import_id)["step"]}]
        while messages:
            for message in messages:
                assert self.deliver(message["campaign_id"], int(message["step"]))
            messages = self.waiting()

    def item(self, import_id: str) -> dict[str, Any]:
        """An import's item, as it is stored."""
        items = self.aws.items("ViewsTable")
        return next(item for item in items if (item["id"], item["part"]) == (import_id, "campaign"))

    def sweeps(self, table: str) -> list[int]:
        """How often each campaign of a table was swept since it moved."""
        return [int(item["sweeps"]) for item in self.aws.items(table) if item["part"] == "campaign"]

    def adjust(self, views: Any, content_id: str = "abc123", *, reason: str = REASON, **more: Any) -> Answer:
        body = {"views": views, "reason": reason}
        more.setdefault("key", f"adjust-{next(_requests)}")
        return self.send("adjust", ("abc123", content_id), wing="adjustments", body=body, **more)

    def events(self) -> list[str]:
        """The names of all events in the outbox, in their order."""
        return [item["name"] for item in sorted(self.aws.items("OutboxTable"), key=lambda item: str(item["id"]))]
