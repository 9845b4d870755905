"""The webhooks of providers, from their requests to the rows."""

import base64
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
import time_machine

from broadcasts.credentials import Credentials, Secrets
from broadcasts.instance import ProviderName
from broadcasts.items import NumberItem
from broadcasts.row import RowStatus
from local.fakes import webhooks
from local.fakes.messages import Call
from local.fakes.webhooks import APP_SECRET, JWT_KEY, Webhook
from sluice.clock import SystemClock
from tests.account import Account
from tests.broadcasts_world import INSTANCE, NOW, World
from tests.integration.harness import Answer, Functions, Harness, an_event

HEARING, APPLYING = "BroadcastsWebhooksApiFunction", "BroadcastsWebhooksWorkerFunction"
QUEUE = "BroadcastsEventsQueue"
VERIFY_TOKEN = "verify-me"


class Webhooks(Harness):
    """A number at a provider, with rows that are claimed, and with its secrets."""

    def __init__(self, aws: Account, functions: Functions, clock: Any, provider: ProviderName, rows: int) -> None:
        super().__init__(aws, functions, clock)
        environment = aws.environment(APPLYING)
        self.world = World(aws, provider, rows, (environment["BROADCASTS_TABLE"], environment["MESSAGES_TABLE"]))
        self.provider = provider
        instance = self.world.instance(INSTANCE, provider, credentials=1)
        credentials = Credentials(aws.environment(HEARING)["INSTANCES_PATH"], SystemClock())
        secrets = Secrets(jwt_key=JWT_KEY, app_secret=APP_SECRET, verify_token=VERIFY_TOKEN)
        assert credentials.write(instance.id, 1, secrets)

    def call(self, number: int, message_id: str) -> Call:
        row = self.world.first[number]
        return Call(str(self.provider), "shop", row.phone, "Hi", row.callback, {}, NOW, message_id=message_id)

    def status(self, number: int, word: str, message_id: str = "") -> Webhook:
        """What the provider says of a row's message."""
        return webhooks.status(self.call(number, message_id or f"m{number}"), word, datetime.now(UTC))

    def post(self, webhook: Webhook, file: str | None = None, *, is_base64: bool = False) -> Answer:
        event = an_event(f"broadcasts/webhooks/{file or f'api-tell{self.provider}'}")
        body = base64.b64encode(webhook.body).decode() if is_base64 else webhook.body.decode()
        event |= {"body": body, "isBase64Encoded": is_base64}
        event["headers"] |= {name.lower(): value for name, value in webhook.headers.items()}
        return Answer.of(self.functions.call(HEARING, event))

    def deliver(self) -> list[str]:
        """Hand over everything on the queue as one batch; the ids that were put back."""
        event = an_event("broadcasts/webhooks/worker-events")
        record = event["Records"][0]
        event["Records"] = [
            record | {"messageId": f"message-{number}", "body": body} for number, body in enumerate(self.take(QUEUE))
        ]
        return [each["itemIdentifier"] for each in self.functions.call(APPLYING, event)["batchItemFailures"]]

    def contacts(self) -> list[dict[str, Any]]:
        """The contacts that are suppressed."""
        items = self.aws.items(self.aws.environment(APPLYING)["MESSAGES_TABLE"])
        return [each for each in items if "suppressed_at" in each]


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def meta(aws: Account, functions: Functions, clock: Any) -> Webhooks:
    return Webhooks(aws, functions, clock, ProviderName.META, 200)


@pytest.fixture
def evolution(aws: Account, functions: Functions, clock: Any) -> Webhooks:
    return Webhooks(aws, functions, clock, ProviderName.EVOLUTION, 2)


@pytest.mark.parametrize("is_base64", [False, True])
def test_what_meta_tells_comes_to_the_row(meta: Webhooks, is_base64: bool) -> None:
    """S5-51. A gateway may pass the body on in base64: what is signed is what is in it."""
    answer = meta.post(meta.status(0, "delivered"), is_base64=is_base64)

    assert (answer.status, answer.body) == (200, {"events": 1})
    assert meta.deliver() == []
    assert meta.world.row(0).status is RowStatus.DELIVERED


@pytest.mark.parametrize("file", ["api-tellevolution", "api-tellevolutionevent"])
def test_what_an_evolution_server_tells_comes_to_the_row(evolution: Webhooks, file: str) -> None:
    """S5-51: also of a server that sends each event to a path of its own."""
    evolution.world.accept(0, "3EB0", meets=True)

    assert evolution.post(evolution.status(0, "read", "3EB0"), file).status == 200

    assert evolution.deliver() == []
    assert evolution.world.row(0).status is RowStatus.READ


def test_a_late_sent_after_delivered_takes_nothing_back(meta: Webhooks) -> None:
    """chatwoot#14529: delivered, sent, read, delivered, sent, and failed after read."""
    for word in ("delivered", "sent", "read", "delivered", "sent", "failed"):
        meta.post(meta.status(0, word))
        assert meta.deliver() == []

    counted = meta.world.counted()
    assert meta.world.row(0).status is RowStatus.READ
    assert (counted.sent, counted.delivered, counted.read, counted.failed) == (1, 1, 1, 0)


def test_statuses_that_come_before_the_calls_own_answer_count(evolution: Webhooks) -> None:
    """postmangovsg#2151, botpress#15029: known by id alone, told before the record, and never again."""
    for word in ("delivered", "read"):
        evolution.post(evolution.status(0, word, "3EB0"))
    assert evolution.deliver() == []

    evolution.world.accept(0, "3EB0", meets=True)

    assert evolution.world.row(0).status is RowStatus.READ
    evolution.world.check_counters()


def test_statuses_in_one_body_hold_up_no_inbound_message(meta: Webhooks) -> None:
    """botpress#15083: 200 statuses and a SAIR in one body."""
    values = [
        json.loads(meta.status(number, "delivered").body)["entry"][0]["changes"][0]["value"] for number in range(200)
    ]
    sair = webhooks.inbound("meta", "shop", meta.world.first[7].phone, "SAIR", NOW)
    one = json.loads(sair.body)
    one["entry"][0]["changes"][0]["value"]["statuses"] = [each["statuses"][0] for each in values]

    answer = meta.post(signed(one))

    assert (answer.status, answer.body) == (200, {"events": 201})
    assert meta.deliver() == []
    assert len(meta.contacts()) == 1
    assert meta.world.counted().delivered == 200


@pytest.mark.parametrize(
    ("text", "stops"), [("  Sair! ", True), ("STOP.", True), ("pare", True), ("stop, o Zé não vem", False)]
)
def test_stop_counts_if_it_is_the_whole_message(evolution: Webhooks, text: str, stops: bool) -> None:
    """capo-v1#182: STOP worked for one kind of user only."""
    evolution.post(webhooks.inbound("evolution", "shop", "5511987654321", text, NOW))

    assert evolution.deliver() == []
    assert len(evolution.contacts()) == int(stops)


def test_start_lifts_and_an_older_stop_that_comes_late_does_not_suppress_again(evolution: Webhooks) -> None:
    """capo-v1#182."""
    at = int(NOW.timestamp())
    for text, seconds in (("STOP", -30), ("START", -10), ("STOP", -20)):
        moment = datetime.fromtimestamp(at + seconds, UTC)
        webhook = webhooks.inbound("evolution", "shop", "5511987654321", text, moment)
        fresh = webhooks.inbound("evolution", "shop", "5511987654321", text, NOW)
        evolution.post(Webhook(fresh.headers, webhook.body))
        assert evolution.deliver() == []

    assert evolution.contacts() == []


def test_what_aws_tells_by_sns_comes_to_the_row(meta: Webhooks) -> None:
    """Raw, on the same queue: the message names the number."""
    NumberItem(*NumberItem.key(ProviderName.AWS, "phone-number-id-976c"), instance_id=INSTANCE).save()
    row = meta.world.first[0]
    call = Call("aws", "phone-number-id-976c", row.phone, "Hi", row.callback, {}, NOW, message_id="wamid.1")

    assert meta.hand_over("broadcasts/webhooks/worker-events", webhooks.status(call, "read", NOW).body.decode())

    assert meta.world.row(0).status is RowStatus.READ


def test_a_number_of_sns_that_nobody_has_is_dropped(meta: Webhooks) -> None:
    call = Call("aws", "phone-number-id-976c", "5511987654321", "Hi", "", {}, NOW, message_id="wamid.1")

    assert meta.hand_over("broadcasts/webhooks/worker-events", webhooks.status(call, "read", NOW).body.decode())


# What is refused


@pytest.mark.parametrize("provider", ["meta", "evolution"])
def test_a_wrong_signature_is_refused_with_one_line_without_the_body(
    request: pytest.FixtureRequest, provider: str, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    found: Webhooks = request.getfixturevalue(provider)
    webhook = webhooks.inbound(provider, "shop", "5511987654321", "SAIR", NOW, "another secret of 32 characters!!")
    log_lines()

    answer = found.post(webhook)

    assert answer.refusal == (401, "unauthorized", "Nothing proves that this is the provider's")
    (line,) = log_lines()
    assert (line["message"], line["status"], line["instance_id"]) == ("Refused", 401, INSTANCE)
    assert not [each for each in ("5511987654321", "SAIR", "apikey") if each in json.dumps(line)]
    assert found.take(QUEUE) == []


def test_an_instance_that_is_not_there_has_no_webhook(meta: Webhooks) -> None:
    event = an_event("broadcasts/webhooks/api-tellevolution")  # of a number that is at Meta

    assert Answer.of(meta.functions.call(HEARING, event)).status == 404


def test_a_body_of_three_megabytes_is_read_and_a_larger_one_is_refused(meta: Webhooks) -> None:
    """Amendment 18: Meta sends up to 3 MB at once."""
    body = {"object": "whatsapp_business_account", "entry": [], "rest": "x" * 3_000_000}
    assert meta.post(signed(body)).status == 200

    larger = meta.post(signed(body | {"rest": "x" * (3 * 1024 * 1024)}))

    assert larger.refusal[:2] == (413, "too_large")


@pytest.mark.parametrize(("token", "status"), [(VERIFY_TOKEN, 200), ("another", 401)])
def test_a_subscription_is_answered_with_the_challenge(meta: Webhooks, token: str, status: int) -> None:
    event = an_event("broadcasts/webhooks/api-subscribemeta")
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": token}
    event["rawQueryString"] = "&".join(f"{name}={value}" for name, value in query.items())
    event["queryStringParameters"] = query

    answer = Answer.of(meta.functions.call(HEARING, event))

    assert answer.status == status
    if status == 200:
        assert answer.headers["Content-Type"] == "text/plain"
        assert answer.body == "1158201444"


def test_the_function_that_hears_reads_no_table_but_the_instances_and_writes_none(meta: Webhooks) -> None:
    calls: list[tuple[str, Any]] = []
    with meta.world.before_each_call(lambda operation, arguments: calls.append((operation, arguments))):
        assert meta.post(meta.status(0, "read")).status == 200

    ((operation, arguments),) = calls
    (table,) = arguments["RequestItems"]
    assert operation == "BatchGetItem"
    assert table == meta.aws.environment(HEARING)["BROADCASTS_TABLE"]
    assert arguments["RequestItems"][table]["Keys"] == [{"id": {"S": INSTANCE}, "part": {"S": "campaign"}}]


def signed(body: dict[str, Any]) -> Webhook:
    """A body of Meta, with its signature."""
    content = json.dumps(body).encode()
    signature = hmac.new(APP_SECRET.encode(), content, sha256).hexdigest()
    return Webhook({"X-Hub-Signature-256": f"sha256={signature}"}, content)
