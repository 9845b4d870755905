"""An agency: promotions over HTTP, at the sandbox, with the real worker behind its queue."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sluice import journal, ledger
from sluice.clock import rfc3339
from sluice.dynamodb import Database, bind
from sluice.ledger import LedgerItem
from tests.integration.harness import Answer, Harness

EXAMPLE = "prm_01KAJ3W5V0SM0FKVYVXB9EQT6N"
LINK = "lnk_01KAJ3W5V0SM0FKVYVXB9EQT6N"
QUEUE = "PromotionsQueue"
TERMS: dict[str, Any] = {
    "title": "Winter",
    "network": "sandbox",
    "texts": ["Look at this #ad", "All of it is here"],
    "budget": 10_000,
    "currency": "USD",
    "duration_minutes": 60,
}
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


class Agency(Harness):
    """Promotions of acme's, an operator olga, and participants."""

    def ask(self, name: str, campaign_id: str = EXAMPLE, *path: tuple[str, str], **more: Any) -> Answer:
        """Send the request of events/promotions/api-<name>.json, by default as acme."""
        who = {"subject": "acme", "role": "user"} | more
        return self.request(f"promotions/api-{name}", (EXAMPLE, campaign_id), *path, **who)

    def told(
        self, name: str, campaign_id: str = EXAMPLE, *path: tuple[str, str], status: int = 200, **more: Any
    ) -> Any:
        """The body of an answer that is no refusal."""
        answer = self.ask(name, campaign_id, *path, **more)
        assert answer.status == status, answer.body
        return answer.body

    def deposit(self, amount: int, user: str = "acme") -> None:
        """Money from outside."""
        bind(LedgerItem, self.aws.ref("LedgerTable"))
        entry = journal.transfer(
            f"dep#{len(self.aws.items('LedgerTable'))}",
            journal.Kind.DEPOSIT,
            "USD",
            "outside#USD",
            f"wallet#USD#{user}",
            amount,
            cause=f"wallet:{user} 1",
            actor="ada",
            now=datetime.now(UTC),
        )
        accounts = [leg.account for leg in entry.legs]
        assert Database().commit(lambda write: ledger.write(write, entry, ledger.read(accounts)) and None)

    def connect(self, user: str = "acme") -> dict[str, Any]:
        """Connect the sandbox as the account of the user's name."""
        return dict(self.told("connect", body={"token": user}, subject=user))

    def draft(self, **terms: Any) -> str:
        """The id of a draft."""
        return str(self.told("create", body=TERMS | terms, status=201)["id"])

    def ready(self, **terms: Any) -> str:
        """The id of a draft that can be published."""
        self.connect()
        self.deposit((TERMS | terms)["budget"])
        return self.draft(**terms)

    def published(self, **terms: Any) -> str:
        """The id of a promotion that is being published."""
        made = self.ready(**terms)
        self.told("publish", made, status=202)
        return made

    def running(self, **terms: Any) -> str:
        """The id of a promotion that runs."""
        made = self.published(**terms)
        self.work()
        assert self.get(made)["status"] == "CampaignRunning"
        return made

    def work(self) -> None:
        """Work off the steps that a queue has, in the order of their times."""
        for _ in range(60):
            steps = self.steps(QUEUE)
            if not steps:
                return
            for step in steps:
                self.clock.shift(self._due_in(step["campaign_id"]))
                assert self.hand_over("promotions/worker-steps", step)
        raise AssertionError("there was no end of steps")

    def _due_in(self, campaign_id: str) -> timedelta:
        """Until its next step is due, if that is less than the queue can delay."""
        wake_at = self.item(campaign_id).get("wake_at")
        left = datetime.fromisoformat(wake_at) - datetime.now(UTC) if wake_at else timedelta()
        return max(left, timedelta()) if left <= timedelta(minutes=15) else timedelta()

    def get(self, campaign_id: str) -> dict[str, Any]:
        return dict(self.told("get", campaign_id))

    def health(self) -> dict[str, Any]:
        """The health of the platform, as an operator sees it."""
        return dict(self.request("operations/health-get", subject="olga", role="operator").body)

    def item(self, campaign_id: str) -> dict[str, Any]:
        items = self.aws.items("PromotionsTable")
        return next(each for each in items if (each["id"], each["part"]) == (campaign_id, "campaign"))

    def posts(self) -> list[dict[str, Any]]:
        """The posts of the sandbox that can be seen."""
        items = self.aws.items("PromotionsTable")
        return [
            each for each in items if each["id"].startswith("sandbox#") and "text" in each and "deleted_at" not in each
        ]

    def wallet(self, user: str = "acme") -> int:
        (purse,) = self.told("wallet", subject=user)["items"]
        return int(purse["balance"])

    def events(self) -> list[str]:
        """The names of a promotion's events, in the order in which they were put."""
        rows = [each for each in self.aws.items("OutboxTable") if "seq" in each["data"]]
        return [each["name"] for each in sorted(rows, key=lambda each: int(json.loads(each["data"])["seq"]))]

    def operator(self, name: str, campaign_id: str = EXAMPLE, *path: tuple[str, str], **more: Any) -> Answer:
        return self.ask(name, campaign_id, *path, **{"subject": "olga", "role": "operator"} | more)

    def link(self, user: str) -> None:
        """A participant proves the account of that name."""
        made = self.told("ask", body={"network": "sandbox", "handle": user}, subject=user, status=201)
        self.profile(user, note=f"Hello! {made['code']}")
        self.told("prove", EXAMPLE, (LINK, made["id"]), subject=user)

    def profile(self, handle: str, **more: Any) -> None:
        """Set an account of the sandbox: an old one, and a person's."""
        body = {"created_at": rfc3339(datetime(2020, 1, 1, tzinfo=UTC)), "followers": 10, "following": 5} | more
        assert self.operator("setaccount", EXAMPLE, ("/nina", f"/{handle}"), body=body).status == 200

    def engage(self, post_id: str, **kinds: Any) -> None:
        answer = self.operator("setengagement", EXAMPLE, ("/sbx0123", f"/{post_id}"), body=kinds)
        assert answer.status == 200, answer.body

    def upload(self, campaign_id: str, content: bytes = PNG, media_type: str = "image/png") -> str:
        """Upload a picture by the form that the API gives, as S3 takes it: the id."""
        body = {"type": media_type, "bytes": len(content)}
        made = self.told("upload", campaign_id, body=body, status=201)
        self.aws.client("s3").put_object(
            Bucket=self.aws.ref("PromotionsMediaBucket"),
            Key=made["fields"]["key"],
            Body=content,
            ContentType=made["fields"]["Content-Type"],
        )
        return str(made["media_id"])

    def kept(self) -> list[str]:
        """The keys of the pictures that are kept for a publish."""
        found = self.aws.client("s3").list_objects_v2(Bucket=self.aws.ref("PromotionsMediaBucket"), Prefix="media/")
        return [each["Key"] for each in found.get("Contents", [])]

    def parameters(self) -> list[str]:
        """The names of the tokens that are kept."""
        found = self.aws.client("ssm").describe_parameters(MaxResults=50)["Parameters"]
        return [each["Name"] for each in found]
