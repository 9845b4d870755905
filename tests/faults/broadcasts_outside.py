"""What is outside of the broadcasts: providers in memory, which count every message that they ever accepted."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from broadcasts.instance import Instance, ProviderName
from broadcasts.ports import (
    PATIENT,
    UNREACHABLE,
    Accepted,
    Event,
    InboundEvent,
    Message,
    Outcome,
    Refused,
    Scope,
    StatusEvent,
    Throttled,
)
from broadcasts.providers.factory import ProviderFactory
from broadcasts.row import Evidence
from broadcasts.webhooks.messages import bodies
from sluice.outward import Absent, CannotTell, Found, Seen, Unknown
from tests.faults.world import World

EVENTS = "BroadcastsEventsQueue"
_SETTLES = timedelta(seconds=20)
"""A call whose answer was lost may have its effect so much later: the first look comes after that."""


class Wrong(StrEnum):
    """How a call goes wrong."""

    FINAL = "131026"
    PASSES = UNREACHABLE
    CAMPAIGN = "132015"
    INSTANCE = "190"
    THROTTLED = "throttled, with a time"
    BARE = "throttled, without one"
    LOST = "accepted, and the answer is lost"
    LATER = "accepted some seconds after the answer is lost"
    HIDDEN = "accepted, the answer is lost, and no look finds it"
    NEVER = "not accepted, and there is no answer"


class Tells(StrEnum):
    """What webhooks tell of a message that was accepted."""

    NOTHING = "nothing"
    USUAL = "sent, delivered"
    FIRST = "sent, delivered, before the answer"
    BESIDE = "sent, with the answer"
    TWICE = "sent, delivered, each twice"
    BACKWARDS = "read, delivered, sent"
    FAILS = "sent, failed"
    PASSES = "failed, for a reason that passes"
    STOPS = "failed: the person wants no messages"
    BLOCKS = "failed: the number is in trouble"
    ARRIVES = "failed, then delivered all the same"


_CODES: Mapping[Tells, str] = {Tells.STOPS: "131050", Tells.BLOCKS: "131048"}
_SAID: Mapping[Tells, tuple[Evidence, ...]] = {
    Tells.NOTHING: (),
    Tells.USUAL: (Evidence.SENT, Evidence.DELIVERED),
    Tells.FIRST: (Evidence.SENT, Evidence.DELIVERED),
    Tells.BESIDE: (Evidence.SENT,),
    Tells.TWICE: (Evidence.SENT, Evidence.SENT, Evidence.DELIVERED, Evidence.DELIVERED),
    Tells.BACKWARDS: (Evidence.READ, Evidence.DELIVERED, Evidence.SENT),
    Tells.FAILS: (Evidence.SENT, Evidence.FAILED),
    Tells.PASSES: (Evidence.FAILED,),
    Tells.STOPS: (Evidence.FAILED,),
    Tells.BLOCKS: (Evidence.FAILED,),
    Tells.ARRIVES: (Evidence.FAILED, Evidence.DELIVERED),
}
_REFUSALS: Mapping[Wrong, Outcome] = {
    Wrong.FINAL: Refused(Scope.RECIPIENT, True, Wrong.FINAL, "The number is not on WhatsApp"),
    Wrong.PASSES: Refused(Scope.RECIPIENT, False, Wrong.PASSES, "The provider cannot be reached"),
    Wrong.CAMPAIGN: Refused(Scope.CAMPAIGN, True, Wrong.CAMPAIGN, "The template is paused"),
    Wrong.INSTANCE: Refused(Scope.INSTANCE, True, Wrong.INSTANCE, "The token is not valid"),
    Wrong.THROTTLED: Throttled(30.0),
    Wrong.BARE: Throttled(),
    Wrong.NEVER: Unknown("No answer in time"),
}


@dataclass(frozen=True)
class Sent:
    """A message that a provider accepted."""

    campaign_id: str
    row: str
    attempt: str
    phone: str
    text: str
    id: str

    @property
    def callback(self) -> str:
        return f"{self.campaign_id}/{self.row}/{self.attempt}"


@dataclass
class Outside:
    """The providers. They know no attempts, so whatever is sent twice is accepted twice."""

    sent: list[Sent] = field(default_factory=list)
    told: dict[tuple[str, str], list[tuple[str, Evidence]]] = field(default_factory=lambda: defaultdict(list))
    """Of each campaign and row, which attempt what was told of."""
    wrong: dict[str, deque[Wrong | None]] = field(default_factory=lambda: defaultdict(deque))
    """How the next calls to a phone go wrong; None: one goes well."""
    tells: dict[str, Tells] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    """Attempts that no look finds."""
    cannot_tell: int = 0
    """How many of the next looks come to nothing."""
    calls: int = 0

    def became(self, other: "Outside") -> None:
        """Let this be as another one was."""
        vars(self).update(vars(deepcopy(other)))

    def copy(self) -> "Outside":
        return deepcopy(self)

    def goes_wrong(self, phone: str, *wrong: Wrong | None) -> None:
        self.wrong[phone].extend(wrong)

    def accepted(self, campaign_id: str) -> Counter[str]:
        """How often each row of a campaign was accepted."""
        return Counter(each.row for each in self.sent if each.campaign_id == campaign_id)

    def next_wrong(self, phone: str) -> Wrong | None:
        found = self.wrong[phone]
        return found.popleft() if found else None


type Called = Callable[[Instance, str, str, str, str], None]
"""Called with the instance, campaign, row, attempt and phone of a call, before it has an effect."""


@dataclass
class Messenger:
    """As `Provider`, of one instance: each request is a call to somebody outside, whose answer may be lost.

    The sandbox's names the row in each status, and can be asked. Evolution's names the message alone. Meta's names the
    row, and cannot be asked.
    """

    world: World
    outside: Outside
    called: Called
    instance: Instance

    patience = PATIENT

    @property
    def can_be_asked(self) -> bool:
        return self.instance.provider is not ProviderName.META

    @property
    def absence_is_proof(self) -> bool:
        return self.instance.provider is ProviderName.SANDBOX

    def send(self, message: Message, attempt: str, deadline: float) -> Outcome:
        def call() -> Outcome:
            return self._send(message, attempt)

        try:
            outcome: Outcome = self.world.outside("Call", call)
        except TimeoutError:
            return Unknown("timeout")
        return outcome

    def _send(self, message: Message, attempt: str) -> Outcome:
        campaign_id, _, rest = message.callback.partition("/")
        row = rest.rpartition("/")[0]
        self.called(self.instance, campaign_id, row, attempt, message.to)
        self.outside.calls += 1
        wrong = self.outside.next_wrong(message.to)
        if wrong in _REFUSALS:
            return _REFUSALS[wrong]
        sent = Sent(campaign_id, row, attempt, message.to, message.text, f"wamid.{self.outside.calls}")
        if wrong is Wrong.LATER:
            self.world.after(_SETTLES, lambda: self._accept(sent), "an effect that comes late")
            return Unknown("No answer in time")
        self._accept(sent)
        if wrong is Wrong.HIDDEN:
            self.outside.hidden.add(attempt)
        return Unknown("The answer was lost") if wrong else Accepted(sent.id)

    def _accept(self, sent: Sent) -> None:
        self.outside.sent.append(sent)
        tells = self.outside.tells.get(sent.phone, Tells.USUAL)
        is_early = tells in (Tells.FIRST, Tells.BESIDE)
        for number, status in enumerate(_SAID[tells]):
            self.tell(sent, status, timedelta() if is_early else timedelta(seconds=1 + number), tells)
        if tells is Tells.FIRST:
            self.world.others()

    def tell(self, sent: Sent, status: Evidence, delay: timedelta, tells: Tells = Tells.USUAL) -> None:
        """Tell what became of a message, by the queue of events."""
        self.outside.told[sent.campaign_id, sent.row].append((sent.attempt, status))
        names_row = self.instance.provider is not ProviderName.EVOLUTION
        at = self.world.now() + delay
        event = StatusEvent(status, sent.id, sent.callback if names_row else None, at)
        if status is Evidence.FAILED:
            event = StatusEvent(
                status,
                sent.id,
                event.callback,
                at,
                _CODES.get(tells, "131049"),
                "Not delivered",
                retryable=tells is Tells.PASSES,
            )
        put(self.world, self.instance.id, [event], delay)

    def find(
        self, message: Message, attempt: str, since: datetime, until: datetime, is_taken: Callable[[str], bool]
    ) -> Seen:
        def look() -> Seen:
            if self.outside.cannot_tell:
                self.outside.cannot_tell -= 1
                return CannotTell("no answer")
            return self._find(message, attempt)

        try:
            found: Seen = self.world.outside("LookUp", look)
        except TimeoutError:
            return CannotTell("no answer")
        # What it asks the tables is not within the call.
        if isinstance(found, Found) and self.instance.provider is ProviderName.EVOLUTION and is_taken(found.result):
            return Absent()
        return found

    def _find(self, message: Message, attempt: str) -> Seen:
        if attempt in self.outside.hidden or not self.can_be_asked:
            return CannotTell("no answer")
        for each in self.outside.sent:
            is_it = each.attempt == attempt
            if self.instance.provider is ProviderName.EVOLUTION:
                is_it = (each.phone, each.text) == (message.to, message.text)
            if is_it:
                return Found(each.id)
        return Absent()

    def parse_events(self, body: bytes, headers: Mapping[str, str], now: datetime) -> list[Event]:
        raise NotImplementedError


def put(world: World, instance_id: str, events: Iterable[Event], delay: timedelta = timedelta()) -> None:
    """Put events on the queue, as a webhook does."""
    for body in bodies(instance_id, events):
        world.send(EVENTS, body, delay, Counter())


def writes(world: World, instance_id: str, phone: str, text: str) -> None:
    """A person writes to an instance."""
    put(world, instance_id, [InboundEvent(phone, text, world.now(), "wamid.inbound")])


def factory(world: World, outside: Outside, called: Called) -> type[ProviderFactory]:
    """The providers, in memory."""

    class Providers(ProviderFactory):
        def provider(self, instance: Instance, credentials: Mapping[str, str]) -> Any:
            return Messenger(world, outside, called, instance)

    return Providers


def of_rows(told: Sequence[tuple[str, Evidence]], attempt: str) -> Evidence:
    """The highest that was told of a row; of an earlier attempt that failed only that a person has the message."""
    failed = {of for of, status in told if of != attempt and status is Evidence.FAILED}
    said = [status for of, status in told if of not in failed or status > Evidence.FAILED]
    return max(said, default=Evidence.NONE)
