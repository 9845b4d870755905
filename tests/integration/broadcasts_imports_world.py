"""Campaigns that get recipients: the commands on the account's tables, and the check's function on its event file."""

import csv
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from broadcasts import campaign as broadcasts
from broadcasts.bucket import list_bucket
from broadcasts.campaign import Broadcast, BroadcastStatus, Change, Terms, Text
from broadcasts.checks_queue import checks_queue
from broadcasts.csv_file import Options
from broadcasts.import_store import ImportStore
from broadcasts.importing import Import
from broadcasts.items import BroadcastsItem, MessagesItem
from broadcasts.row import Row
from broadcasts.uploading import Imports, Standing
from sluice.clock import SystemClock
from sluice.commit import CommitSettings, database
from sluice.dynamodb import bind
from sluice.ids import new_id
from sluice.requests import Answer, Keyed, KeyedRequest, Requester, RequestItem
from tests.account import Account
from tests.integration.harness import Functions, Harness

API, CHECK = "BroadcastsApiFunction", "BroadcastsImportsWorkerFunction"
OWNER = "ada"
ANA, RUI, EVA = "5511987654321", "5511912345678", "5592987654321"


class Importer(Harness):
    """An owner with a draft."""

    def __init__(self, aws: Account, functions: Functions, clock: Any) -> None:
        super().__init__(aws, functions, clock)
        self.variables = aws.environment(API)
        for model, name in ((BroadcastsItem, "BROADCASTS"), (MessagesItem, "MESSAGES"), (RequestItem, "REQUESTS")):
            bind(model, self.variables[f"{name}_TABLE"])
        self.store = ImportStore(database(CommitSettings("AuditTable", "OutboxTable")))
        self.bucket = list_bucket(self.variables["BROADCASTS_BUCKET"])
        queue = checks_queue(self.variables["BROADCASTS_IMPORTS_QUEUE_URL"])
        self.imports = Imports(self.store, self.bucket, queue, SystemClock())
        self.campaign_id = self.a_draft()

    def a_draft(self, text: str = "Hello {{name|friend}}", **terms: Any) -> str:
        values = Terms(name="Winter", instance_id=new_id("ins", self.now), rate_limit=60, time_zone="Europe/Lisbon")
        campaign_id = new_id(broadcasts.PREFIX, self.now)
        made = broadcasts.create(campaign_id, OWNER, replace(values, **terms), Text(1, text), "USD", self.now)
        self.commit(made)
        return campaign_id

    @property
    def now(self) -> Any:
        return SystemClock().now()

    def commit(self, change: Change) -> None:
        assert self.store.commit(change, OWNER, self.now)

    @property
    def campaign(self) -> Broadcast:
        found = self.store.get(self.campaign_id)
        assert found
        return found

    def put(self, **changes: Any) -> None:
        """Give the campaign other values, whatever its rules say."""
        before = self.campaign
        self.commit(Change(before, replace(before.commanded(self.now), **changes)))

    def edit(self, text: str) -> None:
        before = self.campaign
        kept = {each: getattr(before, each) for each in Terms.__dataclass_fields__}
        self.commit(broadcasts.edit(before, Terms(**kept), Text(before.text_version + 1, text), self.now))

    def runs(self, *, accepted: int = 0) -> None:
        """The campaign runs, as one that was started before it had rows."""
        self.put(status=BroadcastStatus.RUNNING, wake_at=self.now, running_since=self.now, accepted=accepted)

    # Imports

    def begin(self, **options: Any) -> str:
        return self.imports.begin(self.campaign, Options(**options), OWNER)[0].id

    def upload(self, import_id: str, content: str | bytes) -> None:
        """What POSTing the form does."""
        key = f"imports/{self.campaign_id}/{import_id}/file.csv"
        body = content.encode() if isinstance(content, str) else content
        self.s3.put_object(Bucket=self.variables["BROADCASTS_BUCKET"], Key=key, Body=body)

    def start(self, import_id: str, key: str | None = None) -> Import | Answer:
        request = KeyedRequest.of(OWNER, key, "start")
        keyed: Keyed[Import] | None = Keyed(request, lambda made: Answer(200, {"id": made.id})) if request else None
        return self.imports.start(self.campaign, import_id, Requester(OWNER, "request-1", keyed))

    def uploaded(self, content: str | bytes, **options: Any) -> str:
        """The id of an import that was started."""
        import_id = self.begin(**options)
        self.upload(import_id, content)
        self.start(import_id)
        return import_id

    def imported(self, content: str | bytes, **options: Any) -> Standing:
        """An import that was checked."""
        import_id = self.uploaded(content, **options)
        assert self.check(import_id)
        assert self.asked() != []
        return self.find(import_id)

    def check(self, import_id: str) -> bool:
        """Whether the check's function acknowledged its message."""
        body = {"campaign_id": self.campaign_id, "import_id": import_id}
        return self.hand_over("broadcasts/imports/worker-checks", body)

    def find(self, import_id: str) -> Standing:
        return self.imports.find(self.campaign, import_id)

    def asked(self) -> list[dict[str, str]]:
        """Take all checks off their queue."""
        return self._taken("BROADCASTS_IMPORTS_QUEUE_URL")

    def steps_sent(self) -> list[dict[str, Any]]:
        """Take all steps off the campaigns' queue."""
        return self._taken("BROADCASTS_QUEUE_URL")

    def work_off(self) -> None:
        """Run the campaign's steps until none is sent any more."""
        while steps := self.steps_sent():
            for step in steps:
                assert self.hand_over("broadcasts/worker-steps", step)

    def _taken(self, queue: str) -> list[dict[str, Any]]:
        sqs, url = self.aws.client("sqs"), self.variables[queue]
        found = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    # What lies in the bucket

    @property
    def s3(self) -> Any:
        return self.aws.client("s3")

    def rows(self) -> list[Row]:
        """The rows of the campaign's list, as the chain reads them."""
        campaign = self.campaign
        objects = -(-campaign.accepted // 2000)
        return [row for number in range(objects) for row in self.bucket.rows(campaign, number)]

    def phones(self) -> list[str]:
        return [row.phone for row in self.rows()]

    def errors(self, import_id: str) -> list[Mapping[str, str]]:
        """All errors of an import, from its file."""
        key = f"imports/{self.campaign_id}/{import_id}/errors.csv"
        body = self.s3.get_object(Bucket=self.variables["BROADCASTS_BUCKET"], Key=key)["Body"].read()
        return list(csv.DictReader(body.decode().splitlines()))
