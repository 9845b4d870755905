"""Broadcasts on the embedded stack: steps, webhooks, files and credentials, with each function's own permissions."""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from broadcasts.bucket import MOST_BYTES
from broadcasts.providers.sandbox import Script
from local.fakes import webhooks
from local.fakes.http import TOKEN
from local.fakes.messages import Fault
from local.fakes.webhooks import JWT_KEY
from local.fakes.whatsapp import FakeWhatsApp, Hook
from sluice.clock import SystemClock
from tests.deadlines import PATIENCE
from tests.deployed import StackUnderTest
from tests.e2e.test_boosts import eventually

CAMPAIGNS = "/api/campaigns"
PDF = b"%PDF-1.7\n" + bytes(200)

Json = dict[str, Any]


def checked(answer: httpx.Response, status: int = 200) -> Json:
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    return body


def phone(number: int, script: Script | None = None) -> str:
    """A mobile in Brazil: the last digits are the sandbox's script."""
    return f"55119{number:03d}{script}" if script else f"55119{number:03d}10000"


@dataclass
class Shop:
    """An owner of its own, who sends campaigns."""

    stack: StackUnderTest
    owner: str = field(default_factory=lambda: f"shop-{uuid4().hex[:12]}")

    @contextmanager
    def http(self) -> Iterator[httpx.Client]:
        with self.stack.http("user", self.owner) as http:
            yield http

    def get(self, path: str) -> Json:
        with self.http() as http:
            return checked(http.get(path))

    def post(self, path: str, body: Json, status: int = 201) -> Json:
        with self.http() as http:
            return checked(http.post(path, json=body), status)

    def instance(self, **terms: Any) -> str:
        """The id of a new instance, at the sandbox unless another provider is named."""
        about = {"name": "Shop", "provider": "sandbox", "address": self.owner} | terms
        return str(self.post("/api/instances", about)["id"])

    def campaign(self, instance: str, **terms: Any) -> str:
        """The path of a new campaign."""
        made = self.post(CAMPAIGNS, {"name": "Winter", "instanceId": instance} | terms)
        return f"{CAMPAIGNS}/{made['id']}"

    def start(self, path: str) -> None:
        self.post(f"{path}/actions", {"action": "start"}, 200)

    def until(self, path: str, holds: Callable[[Json], bool]) -> Json:
        """The progress of a campaign, once it is so."""
        return eventually(lambda: self.get(f"{path}/progress"), holds)

    def until_completed(self, path: str) -> Json:
        seen = self.until(path, lambda seen: seen["status"] in ("COMPLETED", "FAILED", "PAUSED"))
        assert seen["status"] == "COMPLETED", seen
        return seen

    def report(self, path: str) -> list[dict[str, str]]:
        with self.http() as http:
            answer = http.get(f"{path}/report.csv")
        assert answer.status_code == 200, answer.text
        return list(csv.DictReader(StringIO(answer.text)))


@pytest.fixture
def shop(stack: StackUnderTest) -> Shop:
    return Shop(stack)


def test_a_campaign_at_the_sandbox_is_sent_and_delivered_and_who_answers_stop_is_suppressed(shop: Shop) -> None:
    """S5-7, S5-34, S5-53: every function of it, with its own rights and nothing more."""
    template = shop.post("/api/templates", {"name": "Hello", "text": "Hello {{name|friend}}", "language": "en"})
    leaver = phone(5, Script.STOPS)
    people = [phone(1), phone(2), phone(3, Script.LOST), phone(4, Script.THROTTLED), leaver]
    listed = [{"phone": each, "variables": {"name": f"friend {at}"}} for at, each in enumerate(people)]
    path = shop.campaign(shop.instance(), templateId=template["id"], recipients=listed)

    shop.start(path)
    shop.until_completed(path)
    seen = shop.until(path, lambda seen: seen["deliveredCount"] == len(people))
    suppressed = eventually(lambda: shop.get("/api/suppressions")["items"], bool)

    assert (seen["percent"], seen["sentCount"], seen["failedCount"], seen["unknownCount"]) == (100, len(people), 0, 0)
    assert [each["phone"] for each in suppressed] == [leaver]
    report = shop.report(path)
    assert {each["phone"]: each["status"] for each in report} == dict.fromkeys(people, "DELIVERED")
    assert {each["message_id"] for each in report} == {f"sbx{each['message_id'][3:]}" for each in report}
    assert shop.get(f"{CAMPAIGNS}/stats")["totalMessagesSent"] == len(people)


def test_who_answered_stop_gets_nothing_of_the_next_campaign(shop: Shop) -> None:
    instance, leaver = shop.instance(), phone(1)
    shop.post("/api/suppressions", {"phone": leaver, "reason": "wrote to us"})
    people = [{"phone": leaver}, {"phone": phone(2)}]
    path = shop.campaign(instance, message="Hello", recipients=people)

    shop.start(path)
    seen = shop.until_completed(path)

    assert (seen["sentCount"], seen["skippedCount"]) == (1, 1)
    assert {each["phone"]: each["status"] for each in shop.report(path)}[leaver] == "SKIPPED"


def test_recipients_come_as_a_file_that_storage_takes_only_in_its_size(shop: Shop, tmp_path: Path) -> None:
    """S5-9, S5-24: the upload goes to S3 itself, which refuses a larger one."""
    path = shop.campaign(shop.instance(), message="Hello {{name}}")
    form = shop.post(f"{path}/recipients/import", {})
    upload = form["upload"]
    file = f"phone,name\n{phone(1)},Ana\n+55 (11) 9002-10000,Bia\nnobody,Eva\n{phone(1)},Ana\n".encode()

    with (tmp_path / "larger.csv").open("w+b") as larger:
        larger.truncate(MOST_BYTES + 1)
        refused = httpx.post(upload["url"], data=upload["fields"], files={"file": larger}, timeout=PATIENCE)
    right = httpx.post(upload["url"], data=upload["fields"], files={"file": file})
    shop.post(f"{path}/imports/{form['id']}/start", {}, 202)
    standing = eventually(
        lambda: shop.get(f"{path}/imports/{form['id']}"), lambda seen: seen["status"] in ("DONE", "FAILED")
    )
    shop.start(path)
    seen = shop.until_completed(path)

    assert refused.status_code in (400, 413)
    assert right.status_code in (200, 201, 204), right.text
    assert (standing["status"], standing["accepted"], standing["rejected"], standing["duplicates"]) == ("DONE", 2, 1, 1)
    assert (seen["sentCount"], seen["totalRecipients"]) == (2, 2)
    faults = csv.DictReader(StringIO(httpx.get(standing["errorsUrl"]).text))
    assert [(each["line"], each["code"]) for each in faults] == [("4", "phone_characters"), ("5", "duplicate")]


def test_a_file_of_a_message_is_uploaded_as_it_was_declared(shop: Shop) -> None:
    form = shop.post("/api/media", {"contentType": "application/pdf", "bytes": len(PDF)})

    larger = httpx.post(form["url"], data=form["fields"], files={"file": PDF + bytes(1)})
    right = httpx.post(form["url"], data=form["fields"], files={"file": PDF})

    assert larger.status_code in (400, 413)
    assert right.status_code in (200, 201, 204), right.text


@pytest.fixture
def whatsapp() -> Iterator[FakeWhatsApp]:
    """An Evolution API on this machine, as one server of everybody."""
    fake = FakeWhatsApp(SystemClock())
    with fake.running():
        yield fake


def test_an_answer_that_evolution_loses_makes_no_second_message(shop: Shop, whatsapp: FakeWhatsApp) -> None:
    """Over HTTP, with credentials in Parameter Store and signed webhooks."""
    people = [phone(1), phone(2), phone(3)]
    whatsapp.messages.script(Fault.LOST, to=people[1])
    keys = {"apiKey": TOKEN, "jwtKey": JWT_KEY}
    instance = shop.instance(provider="evolution", baseUrl=f"http://{whatsapp.host}", credentials=keys)
    hook = f"{shop.stack.api_url}/webhooks/evolution/{instance}"
    whatsapp.hooks["evolution", shop.owner] = Hook(hook, JWT_KEY)
    path = shop.campaign(instance, message="Hello", recipients=[{"phone": each} for each in people])

    shop.start(path)
    shop.until_completed(path)
    shop.until(path, lambda seen: seen["deliveredCount"] == len(people))

    assert sorted(each.to for each in whatsapp.messages.accepted()) == people
    assert {each["status"] for each in shop.report(path)} == {"DELIVERED"}
    assert shop.post(f"/api/instances/{instance}/test", {}, 200)["works"] is True


def test_a_webhook_that_is_not_signed_by_the_instances_key_is_refused(shop: Shop, anyone: httpx.Client) -> None:
    """S5-51."""
    keys = {"apiKey": TOKEN, "jwtKey": JWT_KEY}
    instance = shop.instance(provider="evolution", baseUrl="http://127.0.0.1:1", credentials=keys)

    def tell(key: str, path: str = f"/webhooks/evolution/{instance}") -> httpx.Response:
        said = webhooks.inbound("evolution", shop.owner, phone(1), "Sair!", datetime.now(UTC), key)
        return anyone.post(path, content=said.body, headers=said.headers)

    wrong, absent = tell(f"another-{JWT_KEY}"), tell(JWT_KEY, f"/webhooks/evolution/ins_{'0' * 26}")
    right = tell(JWT_KEY)

    assert (wrong.status_code, absent.status_code) == (401, 404)
    assert checked(right) == {"events": 1}
    suppressed = eventually(lambda: shop.get("/api/suppressions")["items"], bool)
    assert [each["phone"] for each in suppressed] == [phone(1)]
