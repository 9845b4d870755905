"""The fake of WhatsApp's providers obeys its control routes, and sends webhooks as the providers do."""

import json
import subprocess
import sys
from collections.abc import Iterator
from queue import Queue
from time import monotonic
from typing import Any

import pytest
import urllib3

from broadcasts.instance import Instance, ProviderName
from broadcasts.ports import PATIENT, QUICK, Accepted, Message, Throttled
from broadcasts.providers.factory import ProviderFactory
from local.fakes.http import TOKEN
from local.fakes.webhooks import APP_SECRET, JWT_KEY
from local.fakes.whatsapp import FakeWhatsApp
from sluice.outward import Unknown
from tests.factories import NOON, FixedClock
from tests.integration.providers_world import InMemory, Receiver, new_attempt


class Control:
    """The fake, by its control routes, as curl would ask them."""

    def __init__(self, host: str) -> None:
        self.url = f"http://{host}"
        self._pool = urllib3.PoolManager(retries=False)

    def __call__(self, method: str, path: str, **body: Any) -> Any:
        answer = self._pool.request(method, f"{self.url}/_fake/{path}", json=body or None)
        assert answer.status == 200, answer.data
        return answer.json()

    def status(self, method: str, path: str, **body: Any) -> int:
        return self._pool.request(method, f"{self.url}/_fake/{path}", json=body).status


@pytest.fixture
def control() -> Iterator[Control]:
    with FakeWhatsApp(FixedClock()).running() as host:
        yield Control(host)


def a_factory() -> ProviderFactory:
    return ProviderFactory(InMemory(), lambda _: lambda *_: None, FixedClock(), ("127.0.0.0/8",))


def an_instance(provider: ProviderName, url: str | None = None) -> Instance:
    return Instance(
        id="ins_x",
        owner="alice",
        name="Shop",
        provider=provider,
        address="phone-number-id-976c" if provider is ProviderName.AWS else "shop",
        base_url=url,
        created_at=NOON,
        updated_at=NOON,
    )


KEYS = {"api_key": TOKEN, "jwt_key": JWT_KEY, "access_token": TOKEN, "app_secret": APP_SECRET, "verify_token": "v"}


def send(provider: Any, phone: str) -> Any:
    attempt = new_attempt()
    return provider.send(Message(phone, "Hi", callback=f"brd_x/g1/r00/1/{attempt}"), attempt, monotonic() + 30)


@pytest.mark.parametrize("name", list(ProviderName))
def test_the_factory_makes_a_client_of_each_provider(
    name: ProviderName, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SOCIALMESSAGING", control.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "fake")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "fake")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    provider = a_factory().provider(an_instance(name, control.url), KEYS)

    outcome = send(provider, "5511987654321")

    assert isinstance(outcome, Accepted)
    assert provider.patience == QUICK
    expected = 0 if name is ProviderName.SANDBOX else 1
    assert control("GET", "count?to=5511987654321") == {"calls": expected, "accepted": expected}


def test_aws_is_asked_once_when_it_fails(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """By default botocore sends a message again after a 502."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SOCIALMESSAGING", control.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "fake")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "fake")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    control("PUT", "faults", faults=["gateway"])
    provider = a_factory().provider(an_instance(ProviderName.AWS), KEYS)

    outcome = send(provider, "5511987654321")

    assert isinstance(outcome, Unknown)
    assert control("GET", "count") == {"calls": 1, "accepted": 1}


def test_a_provider_elsewhere_is_waited_for_longer() -> None:
    provider = a_factory().provider(an_instance(ProviderName.EVOLUTION, "https://evolution.example"), KEYS)

    assert provider.patience == PATIENT


def test_the_factory_allows_public_hosts_and_the_private_ones_it_was_given() -> None:
    factory = a_factory()
    without = ProviderFactory(factory.memory, factory.deliver, factory.clock)

    assert factory.allows("https://evolution.example/path")
    assert factory.allows("http://127.0.0.1:8080")
    assert without.allows("https://evolution.example/path")
    for url in ("http://127.0.0.1:8080", "http://evolution.example", "https://evolution.example:8443", "", "https://"):
        assert not without.allows(url)


def test_an_instance_without_credentials_is_refused_by_its_provider(control: Control) -> None:
    provider = a_factory().provider(an_instance(ProviderName.META, control.url), {})

    assert not isinstance(send(provider, "5511987654321"), Accepted)


def test_a_script_is_obeyed_for_a_phone_and_for_all(control: Control) -> None:
    provider = a_factory().provider(an_instance(ProviderName.EVOLUTION, control.url), KEYS)
    control("PUT", "faults", faults=["throttled"], to="5511987654321")
    control("PUT", "faults", faults=[None, "lost"])

    outcomes = [send(provider, phone) for phone in ("5511987654321", "5511900000001", "5511900000002", "5511900000003")]

    assert [type(each) for each in outcomes] == [Throttled, Accepted, Unknown, Accepted]
    calls = control("GET", "calls")
    assert [each["fault"] for each in calls] == ["throttled", None, "lost", None]
    assert [bool(each["message_id"]) for each in calls] == [False, True, True, True]
    assert [bool(each["answered_at"]) for each in calls] == [True, True, False, True]
    assert {each["to"] for each in calls} >= {"5511987654321"}
    assert control("GET", "count") == {"calls": 4, "accepted": 3}
    control("DELETE", "calls")
    assert control("GET", "count") == {"calls": 0, "accepted": 0}


@pytest.mark.parametrize("name", [ProviderName.EVOLUTION, ProviderName.META])
def test_a_status_and_a_word_are_sent_when_somebody_says_so(name: ProviderName, control: Control) -> None:
    provider = a_factory().provider(an_instance(name, control.url), KEYS)
    came: Queue[tuple[bytes, dict[str, str]]] = Queue()
    secret = JWT_KEY if name is ProviderName.EVOLUTION else APP_SECRET
    control("PUT", "faults", faults=["webhook-never"])
    sent = send(provider, "5511987654321")
    with Receiver(lambda body, headers: came.put((body, headers))).running() as receiver:
        control("PUT", "webhooks", provider=name, instance="shop", url=f"http://{receiver}/hook", secret=secret)

        control("POST", "statuses", message_id=sent.message_id, status="read")
        control("POST", "inbound", provider=name, instance="shop", **{"from": "5511987654321", "text": "SAIR"})

        status, inbound = (provider.parse_events(*came.get(timeout=60), NOON)[0] for _ in range(2))
    assert (status.message_id, status.status.name) == (sent.message_id, "READ")
    assert (inbound.sender, inbound.text) == ("5511987654321", "SAIR")


def test_what_the_fake_does_not_know_is_said(control: Control) -> None:
    assert control.status("POST", "statuses", message_id="none", status="read") == 404
    assert control.status("POST", "inbound", provider="meta", instance="none", **{"from": "1", "text": "x"}) == 404
    assert control.status("GET", "nothing") == 404


def test_a_client_that_reads_webhooks_alone_loads_no_library_of_requests() -> None:
    """The function of webhooks has no layer for it."""
    code = (
        "import sys\n"
        "from broadcasts.providers import evolution, meta, factory\n"
        "print([name for name in ('requests', 'ssrfguard', 'botocore') if name in sys.modules])"
    )
    environment = {"PYTHONPATH": "functions:layers/kernel", "PATH": ""}

    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment, timeout=120
    )

    assert json.loads(answer.stdout.replace("'", '"')) == []
