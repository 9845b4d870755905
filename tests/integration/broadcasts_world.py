"""An owner of broadcasts: campaigns over HTTP, with the real worker behind its queue, at the sandbox."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.integration.harness import Answer, Harness, an_event

CAMPAIGN = "brd_01KAJ3W5V0SM0FKVYVXB9EQT6N"
INSTANCE = "ins_01KAJ3W5V0SM0FKVYVXB9EQT6N"
TEMPLATE = "tpl_01KAJ3W5V0SM0FKVYVXB9EQT6N"
IMPORT = "imp_01KAJ3W5V0SM0FKVYVXB9EQT6N"
QUEUE = "BroadcastsQueue"
TABLE = "BroadcastsTable"
OWNER, OPERATOR = "acme", "olga"


def phones(count: int) -> list[str]:
    """Phones of Sao Paulo, of as many people."""
    return [f"55119{80_000_000 + number:08d}" for number in range(count)]


def people(count: int, **variables: str) -> list[dict[str, Any]]:
    """Recipients, each with a name of its own."""
    return [
        {"phone": phone, "variables": {"name": f"Person {number}"} | variables}
        for number, phone in enumerate(phones(count))
    ]


class Broadcaster(Harness):
    """Campaigns of acme's, and an operator olga."""

    def ask(self, name: str, campaign_id: str = CAMPAIGN, *path: tuple[str, str], **more: Any) -> Answer:
        """Send the request of events/broadcasts/api-<name>.json, by default as acme, without its query.

        `headers` are sent besides.
        """
        who = {"subject": OWNER, "role": "user", "query": {}} | more
        headers = who.pop("headers", None)
        if headers:
            return self._with_headers(name, headers, campaign_id, *path, **who)
        return self.request(f"broadcasts/api-{name}", (CAMPAIGN, campaign_id), *path, **who)

    def told(
        self, name: str, campaign_id: str = CAMPAIGN, *path: tuple[str, str], status: int = 200, **more: Any
    ) -> Any:
        """The body of an answer that is no refusal."""
        answer = self.ask(name, campaign_id, *path, **more)
        assert answer.status == status, answer.body
        return answer.body

    def _with_headers(self, name: str, headers: dict[str, str], *path: Any, **more: Any) -> Answer:
        """The same request, with more headers: as a file of its own has it."""
        campaign_id, *others = path
        real = self.invoke

        def invoke(file: str, event: dict[str, Any] | None = None) -> Any:
            event = event or an_event(file)
            event["headers"] |= headers
            return real(file, event)

        self.invoke = invoke  # type: ignore[method-assign]
        try:
            return self.request(f"broadcasts/api-{name}", (CAMPAIGN, campaign_id), *others, **more)
        finally:
            del self.invoke

    # What campaigns need

    def instance(self, subject: str = OWNER, role: str = "user", **more: Any) -> str:
        """The id of an instance at the sandbox, in Sao Paulo."""
        number = len(self.aws.items(TABLE))
        body = {"name": "Demo", "provider": "sandbox", "address": f"demo-{number}", "timeZone": "America/Sao_Paulo"}
        made = self.done(
            "broadcasts/lists/api-createinstance", body=body | more, status=201, subject=subject, role=role
        )
        return str(made["id"])

    def template(self, subject: str = OWNER, **more: Any) -> str:
        """The id of a template."""
        body = {"name": "Winter", "text": "Hello {{name}}, from a template", "language": "pt_BR"} | more
        made = self.done("broadcasts/lists/api-createtemplate", body=body, status=201, subject=subject, role="user")
        return str(made["id"])

    def lets_go(self, kind: str, made: str) -> None:
        """Delete an instance or a template."""
        sample = {"instance": INSTANCE, "template": TEMPLATE}[kind]
        answer = self.request(f"broadcasts/lists/api-delete{kind}", (sample, made), subject=OWNER, role="user")
        assert answer.status == 200, answer.body

    def suppress(self, *numbers: str) -> None:
        """These people do not want to be written to."""
        for phone in numbers:
            body = {"phone": phone, "reason": "asked by telephone"}
            assert self.request("broadcasts/lists/api-suppress", body=body, subject=OWNER, role="user").status < 300

    # Campaigns

    def body(self, recipients: int | list[dict[str, Any]] = 3, **terms: Any) -> dict[str, Any]:
        """The body of a create; an instance is made if none is named."""
        made = {"name": "Winter", "message": "Hello {{name}}!", "rateLimit": 60}
        if recipients:
            made["recipients"] = people(recipients) if isinstance(recipients, int) else recipients
        if "instanceId" not in terms:
            made["instanceId"] = self.instance()
        return {name: value for name, value in (made | terms).items() if value is not None}

    def campaign(self, recipients: int | list[dict[str, Any]] = 3, **terms: Any) -> str:
        """The id of a draft, or of a scheduled campaign, whose rows are being stored."""
        return str(self.told("create", body=self.body(recipients, **terms), status=201)["id"])

    def ready(self, recipients: int | list[dict[str, Any]] = 3, **terms: Any) -> str:
        """The id of a draft whose rows are stored."""
        made = self.campaign(recipients, **terms)
        self.work(until=lambda: not self.get(made)["importing"])
        return made

    def act(self, action: str, campaign_id: str, **more: Any) -> Answer:
        """What an action answers."""
        flags = {name: more.pop(name) for name in ("include_unknown", "include_final") if name in more}
        return self.ask("act", campaign_id, body={"action": action} | flags, **more)

    def start(self, campaign_id: str, **more: Any) -> dict[str, Any]:
        answer = self.act("start", campaign_id, **more)
        assert answer.status == 200, answer.body
        return dict(answer.body)

    def running(self, recipients: int | list[dict[str, Any]] = 3, **terms: Any) -> str:
        """The id of a campaign that was started, and has sent nothing yet."""
        made = self.ready(recipients, **terms)
        self.start(made)
        return made

    def finished(self, recipients: int | list[dict[str, Any]] = 3, **terms: Any) -> str:
        """The id of a campaign that is COMPLETED."""
        made = self.running(recipients, **terms)
        self.work(until=lambda: self.get(made)["status"] == "COMPLETED")
        return made

    def get(self, campaign_id: str, **more: Any) -> dict[str, Any]:
        return dict(self.told("get", campaign_id, **more))

    def progress(self, campaign_id: str, **more: Any) -> dict[str, Any]:
        return dict(self.told("progress", campaign_id, **more))

    def recipients(self, campaign_id: str, **query: Any) -> list[dict[str, Any]]:
        """The rows of one page."""
        return list(self.told("recipients", campaign_id, query=query)["items"])

    def statuses(self, campaign_id: str) -> list[str]:
        """The status of each recipient, by its line."""
        rows = self.recipients(campaign_id, limit=200)
        return [each["status"] for each in sorted(rows, key=lambda each: int(each["line"]))]

    def item(self, campaign_id: str) -> dict[str, Any]:
        """A campaign's item in the table."""
        found = [each for each in self.aws.items(TABLE) if (each["id"], each["part"]) == (campaign_id, "campaign")]
        return found[0]

    def hand(self, campaign_id: str, **values: str | int) -> None:
        """Set attributes of a campaign's item, as a person in the console does."""
        wire = {f":{name}": {"S": each} if isinstance(each, str) else {"N": str(each)} for name, each in values.items()}
        self.aws.client("dynamodb").update_item(
            TableName=self.aws.ref(TABLE),
            Key={"id": {"S": campaign_id}, "part": {"S": "campaign"}},
            UpdateExpression=f"SET {', '.join(f'#{name} = :{name}' for name in values)}",
            ExpressionAttributeNames={f"#{name}": name for name in values},
            ExpressionAttributeValues=wire,
        )

    # The worker

    def work(self, until: Any = None, most: int = 400) -> None:
        """Work off the steps that the queue has, at their times, until there is none, or something is so."""
        for _ in range(most):
            if until and until():
                return
            steps = self.steps(QUEUE)
            if not steps:
                assert not until, "there are no more steps, and it is not so"
                return
            for step in steps:
                self.clock.shift(self._due_in(step["campaign_id"]))
                assert self.hand_over("broadcasts/worker-steps", step)
            self.hear()
        raise AssertionError("there was no end of steps")

    def hear(self) -> None:
        """Work off what the sandbox tells."""
        for body in self.take("BroadcastsEventsQueue", ahead=timedelta(0)):
            self.hand_over("broadcasts/webhooks/worker-events", body)

    def _due_in(self, campaign_id: str) -> timedelta:
        wake_at = self.item(campaign_id).get("wake_at")
        left = datetime.fromisoformat(wake_at) - datetime.now(UTC) if wake_at else timedelta()
        return max(left, timedelta()) if left <= timedelta(minutes=15) else timedelta()

    def events(self, name: str) -> list[dict[str, Any]]:
        """The data of the events of that name."""
        return [json.loads(each["data"]) for each in self.aws.items("OutboxTable") if each["name"] == name]
