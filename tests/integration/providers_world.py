"""A provider for each adapter, which its tests drive alike: the sandbox in memory, the others over real HTTP."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from itertools import count
from queue import Queue
from typing import Any

from botocore.config import Config
from botocore.session import get_session
from ulid import ULID

from broadcasts.ports import Event, Message, Outcome, Provider, StatusEvent
from broadcasts.providers.aws import Aws
from broadcasts.providers.evolution import Evolution
from broadcasts.providers.meta import Meta
from broadcasts.providers.sandbox import Sandbox, Script
from broadcasts.providers.wire import Wire
from local.fakes.http import TOKEN, Answer, Served, send
from local.fakes.messages import FakeMessages, Fault
from local.fakes.webhooks import APP_SECRET, JWT_KEY
from local.fakes.whatsapp import FakeWhatsApp, Hook
from sluice.egress import Hosts
from sluice.outward import Seen
from tests.factories import FixedClock

PRIVATE = ("127.0.0.0/8",)
NUMBER = {
    "evolution": "shop",
    "meta": "106540352242922",
    "aws": "phone-number-id-976c72a700aa43d9b0c4a4a5b5e5d5f5",
}
"""The instance at each provider."""
_WAIT_SECONDS = 60.0
_SCRIPTS = {
    Fault.UNKNOWN_NUMBER: Script.REFUSED,
    Fault.LATER: Script.REFUSED_ONCE,
    Fault.TEMPLATE: Script.CAMPAIGN_REFUSED,
    Fault.TOKEN: Script.INSTANCE_REFUSED,
    Fault.THROTTLED: Script.THROTTLED,
    Fault.THROTTLED_BARE: Script.THROTTLED_BARE,
    Fault.HANG: Script.LOST_BEFORE,
    Fault.LOST: Script.LOST,
    Fault.WEBHOOK_FIRST: Script.WEBHOOK_FIRST,
    Fault.WEBHOOK_TWICE: Script.WEBHOOK_TWICE,
    Fault.WEBHOOK_NEVER: Script.WEBHOOK_NEVER,
    Fault.READ: Script.READ,
    Fault.WRONG_ORDER: Script.WRONG_ORDER,
}
_phones = count(5_511_900_000_000, 100_000)


@dataclass
class Monotonic:
    """A monotonic clock that stands where it is put."""

    time: float = 1_000.0

    def __call__(self) -> float:
        return self.time


class InMemory:
    """As `Memory`."""

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}

    def remember(self, attempt: str, message_id: str) -> None:
        self.ids.setdefault(attempt, message_id)

    def recall(self, attempt: str) -> str | None:
        return self.ids.get(attempt)


@dataclass
class World:
    """A provider, and what its other side had."""

    name: str
    provider: Provider
    clock: FixedClock
    monotonic: Monotonic
    accepted: Callable[[str], int]
    """How many messages to a phone were accepted."""
    fake: FakeWhatsApp | None = None
    messages: FakeMessages | None = None
    """What an HTTP fake, or one without, had."""
    told: "Queue[Event]" = field(default_factory=Queue)
    """The events of webhooks, as they came and were read."""

    def phone(self, *faults: Fault) -> str:
        """A phone, of which the next messages meet these faults."""
        phone = str(next(_phones))
        if self.messages:
            self.messages.script(*faults, to=phone)
            return phone
        return phone[:-5] + _SCRIPTS[faults[0]] if faults else phone

    def message(self, phone: str, attempt: str, text: str = "Hi Ana", **more: Any) -> Message:
        return Message(phone, text, callback=f"brd_x/g1/r03/17342/{attempt}", **more)

    def send(self, phone: str, attempt: str = "", seconds: float = 30, **more: Any) -> Outcome:
        attempt = attempt or new_attempt()
        return self.provider.send(self.message(phone, attempt, **more), attempt, self.monotonic() + seconds)

    def find(self, phone: str, attempt: str, taken: Sequence[str] = (), **more: Any) -> Seen:
        since, until = self.clock.time - timedelta(seconds=60), self.clock.time + timedelta(seconds=60)
        return self.provider.find(self.message(phone, attempt, **more), attempt, since, until, taken.__contains__)

    def next_events(self, number: int) -> list[StatusEvent]:
        """The next events that webhooks brought. Raises queue.Empty."""
        found = [self.told.get(timeout=_WAIT_SECONDS) for _ in range(number)]
        return [each for each in found if isinstance(each, StatusEvent)]


def new_attempt() -> str:
    return str(ULID())


class Receiver(Served):
    """Takes webhooks."""

    def __init__(self, receive: Callable[[bytes, dict[str, str]], None]) -> None:
        super().__init__()
        self._receive = receive

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["content-length"]))
        self._receive(body, dict(handler.headers.items()))
        send(handler, Answer(200, {}))


def hosts(fake: Served) -> Hosts:
    return Hosts.of([fake.host], PRIVATE)


@contextmanager
def over_http(name: str, clock: FixedClock, seconds: float = 30.0, token: str = TOKEN) -> Iterator[World]:
    """`seconds`: the longest that one request takes."""
    monotonic = Monotonic()
    told: Queue[Event] = Queue()

    def receive(body: bytes, headers: dict[str, str]) -> None:
        for each in provider.parse_events(body, headers, clock.now()):
            told.put(each)

    fake = FakeWhatsApp(clock, enqueue=lambda _, body: receive(body, {}))
    wire = Wire(hosts(fake), clock, monotonic, seconds)
    with fake.running() as host, Receiver(receive).running() as receiver:
        provider = provider_of(name, f"http://{host}", wire, monotonic, token)
        fake.hooks[name, NUMBER[name]] = Hook(f"http://{receiver}/")

        def accepted(phone: str) -> int:
            return len(fake.messages.accepted(phone))

        yield World(name, provider, clock, monotonic, accepted, fake, fake.messages, told)


def provider_of(name: str, url: str, wire: Wire, monotonic: Monotonic, token: str = TOKEN) -> Provider:
    match name:
        case "evolution":
            return Evolution(NUMBER[name], url, token, JWT_KEY, wire, monotonic=monotonic)
        case "meta":
            return Meta(NUMBER[name], token, APP_SECRET, wire, url)
        case "aws":
            return Aws(NUMBER[name], wire, client=lambda: aws_client(url))
    raise ValueError(name)


def aws_client(url: str) -> Any:
    """As `aws.connect`, with an endpoint and credentials of its own."""
    return get_session().create_client(
        "socialmessaging",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="fake",
        aws_secret_access_key="fake",
        config=Config(retries={"total_max_attempts": 1}),
    )


@contextmanager
def sandbox(clock: FixedClock) -> Iterator[World]:
    monotonic = Monotonic()
    memory = InMemory()
    told: Queue[Event] = Queue()
    sent: list[tuple[str, str]] = []

    def deliver(events: Sequence[Event], _: int) -> None:
        for each in events:
            told.put(each)

    def wait(seconds: float) -> None:
        monotonic.time += seconds

    class Noting(Sandbox):
        def send(self, message: Message, attempt: str, deadline: float) -> Outcome:
            sent.append((message.to, attempt))
            return super().send(message, attempt, deadline)

    def accepted(phone: str) -> int:
        return sum(to == phone and attempt in memory.ids for to, attempt in sent)

    provider = Noting(memory, deliver, clock, wait, monotonic)
    yield World("sandbox", provider, clock, monotonic, accepted, told=told)
