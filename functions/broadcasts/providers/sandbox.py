"""The sandbox: a provider without a network, for demos and tests. It knows a message by its attempt, exactly.

The last five digits of the phone are its script; any other phone's message is accepted, and then sent and delivered.
"Once" is once a row: the next attempt is accepted.

| digits | what happens                                                                                   |
|--------|------------------------------------------------------------------------------------------------|
| 90001  | refused for good: not on WhatsApp                                                              |
| 90002  | refused once, and not for good: the provider cannot be reached                                 |
| 90003  | refused each time, and not for good                                                            |
| 90004  | throttled once, for 2 s                                                                        |
| 90005  | throttled once, without a time                                                                 |
| 90006  | refused with the whole campaign: the template is paused                                        |
| 90007  | refused with the whole instance: the token is not valid                                        |
| 90008  | accepted, and the answer is lost; a look finds it                                              |
| 90009  | not accepted once, and the answer is lost; a look finds it absent                              |
| 90010  | accepted, and the answer is lost; no webhook comes, and a look cannot tell                     |
| 90011  | accepted after 2 s                                                                             |
| 90012  | accepted, and the webhooks come before the answer                                              |
| 90013  | accepted, and each webhook comes twice                                                         |
| 90014  | accepted, and no webhook comes                                                                 |
| 90015  | accepted, delivered and read                                                                   |
| 90016  | accepted, and read, delivered, sent in this order                                              |
| 90017  | accepted, and failed: not on WhatsApp                                                          |
| 90018  | accepted and delivered, and the person answers STOP                                            |
| 90019  | accepted, and failed: the person wants no marketing (suppresses)                               |
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from broadcasts.ports import (
    QUICK,
    UNREACHABLE,
    Accepted,
    Deliver,
    Event,
    InboundEvent,
    Memory,
    Message,
    Outcome,
    Patience,
    Refused,
    Scope,
    StatusEvent,
    Throttled,
    Untrusted,
)
from broadcasts.row import Evidence
from sluice.clock import Clock
from sluice.errors import Unavailable
from sluice.outward import Absent, CannotTell, Found, Seen, Unknown

RETRY_SECONDS = 2
SLOW_SECONDS = 2.0


class Script(StrEnum):
    """The last digits of a phone; the module says what they do."""

    REFUSED = "90001"
    REFUSED_ONCE = "90002"
    REFUSED_ALWAYS = "90003"
    THROTTLED = "90004"
    THROTTLED_BARE = "90005"
    CAMPAIGN_REFUSED = "90006"
    INSTANCE_REFUSED = "90007"
    LOST = "90008"
    LOST_BEFORE = "90009"
    LOST_FOR_GOOD = "90010"
    SLOW = "90011"
    WEBHOOK_FIRST = "90012"
    WEBHOOK_TWICE = "90013"
    WEBHOOK_NEVER = "90014"
    READ = "90015"
    WRONG_ORDER = "90016"
    FAILED = "90017"
    STOPS = "90018"
    OPTED_OUT = "90019"


_ONCE = frozenset({Script.REFUSED_ONCE, Script.THROTTLED, Script.THROTTLED_BARE, Script.LOST_BEFORE})
_REFUSALS: Mapping[Script, Outcome] = {
    Script.REFUSED: Refused(Scope.RECIPIENT, True, "131026", "The number is not on WhatsApp"),
    Script.REFUSED_ONCE: Refused(Scope.RECIPIENT, False, UNREACHABLE, "The provider cannot be reached"),
    Script.REFUSED_ALWAYS: Refused(Scope.RECIPIENT, False, UNREACHABLE, "The provider cannot be reached"),
    Script.CAMPAIGN_REFUSED: Refused(Scope.CAMPAIGN, True, "132015", "The template is paused"),
    Script.INSTANCE_REFUSED: Refused(Scope.INSTANCE, True, "190", "The token is not valid"),
    Script.THROTTLED: Throttled(float(RETRY_SECONDS)),
    Script.THROTTLED_BARE: Throttled(),
}
_EVENTS: Mapping[Script, tuple[Evidence, ...]] = {
    Script.WEBHOOK_NEVER: (),
    Script.LOST_FOR_GOOD: (),
    Script.READ: (Evidence.SENT, Evidence.DELIVERED, Evidence.READ),
    Script.WRONG_ORDER: (Evidence.READ, Evidence.DELIVERED, Evidence.SENT),
    Script.FAILED: (Evidence.SENT, Evidence.FAILED),
    Script.OPTED_OUT: (Evidence.FAILED,),
}
_USUAL = (Evidence.SENT, Evidence.DELIVERED)


class Sandbox:
    """As `Provider`."""

    can_be_asked = True
    absence_is_proof = True

    def __init__(
        self,
        memory: Memory,
        deliver: Deliver,
        clock: Clock,
        wait: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        patience: Patience = QUICK,
    ) -> None:
        """`wait`: for so many seconds, as a slow provider does."""
        self.patience = patience
        self._memory = memory
        self._deliver = deliver
        self._clock = clock
        self._wait = wait
        self._monotonic = monotonic

    def send(self, message: Message, attempt: str, deadline: float) -> Outcome:
        """As `Provider.send`; see the module for scripts."""
        try:
            return self._send(message, attempt, deadline)
        except Unavailable as error:
            return Unknown(str(error))

    def _send(self, message: Message, attempt: str, deadline: float) -> Outcome:
        script = script_of(message.to)
        if script in _ONCE and not self._is_first(script, message):
            script = None
        if script and script in _REFUSALS:
            return _REFUSALS[script]
        if script is Script.LOST_BEFORE:
            return Unknown("No answer in time")
        message_id = id_of(attempt)
        if script is Script.WEBHOOK_FIRST:
            self._tell(script, message, message_id)
        self._memory.remember(attempt, message_id)
        if script is not Script.WEBHOOK_FIRST:
            self._tell(script, message, message_id)
        if script is Script.SLOW:
            self._wait(max(0.0, min(SLOW_SECONDS, deadline - self._monotonic())))
            if self._monotonic() >= deadline:
                return Unknown("No answer in time")
        if script in (Script.LOST, Script.LOST_FOR_GOOD):
            return Unknown("The answer was lost")
        return Accepted(message_id)

    def _is_first(self, script: Script, message: Message) -> bool:
        """Whether a script of a row has had no effect yet; then it has."""
        row = message.callback.rpartition("/")[0] or message.to
        key = f"{row}#{script.name.lower()}"
        if self._memory.recall(key):
            return False
        self._memory.remember(key, script.value)
        return True

    def _tell(self, script: Script | None, message: Message, message_id: str) -> None:
        """Deliver what becomes of a message: each thing a second after the one before, or all at once and first."""
        for number, status in enumerate(_EVENTS.get(script, _USUAL) if script else _USUAL):
            delay = 0 if script is Script.WEBHOOK_FIRST else number
            event = self._status(script, status, message, message_id, delay)
            self._deliver([event], delay)
            if script is Script.WEBHOOK_TWICE:
                self._deliver([event], delay)
        if script is Script.STOPS:
            at = self._clock.now() + timedelta(seconds=2)
            self._deliver([InboundEvent(message.to, "STOP", at, f"{message_id}in")], 2)

    def _status(
        self, script: Script | None, status: Evidence, message: Message, message_id: str, delay: int
    ) -> StatusEvent:
        at = self._clock.now() + timedelta(seconds=delay)
        if status is not Evidence.FAILED:
            return StatusEvent(status, message_id, message.callback, at)
        is_opt_out = script is Script.OPTED_OUT
        code, text = ("131050", "The person stopped marketing") if is_opt_out else ("131026", "Not on WhatsApp")
        return StatusEvent(status, message_id, message.callback, at, code, text)

    def find(
        self,
        message: Message,
        attempt: str,
        since: datetime,  # noqa: ARG002
        until: datetime,  # noqa: ARG002
        is_taken: Callable[[str], bool],  # noqa: ARG002
    ) -> Seen:
        """As `Provider.find`, by the attempt."""
        if script_of(message.to) is Script.LOST_FOR_GOOD:
            return CannotTell("The number is one that is never found")
        try:
            message_id = self._memory.recall(attempt)
        except Unavailable as error:
            return CannotTell(str(error))
        return Found(message_id) if message_id else Absent()

    def parse_events(self, body: bytes, headers: Mapping[str, str], now: datetime) -> list[Event]:  # noqa: ARG002
        """As `Provider.parse_events`: its events come by `Deliver`, and none by a webhook."""
        raise Untrusted("The sandbox sends no webhooks")


def script_of(phone: str) -> Script | None:
    """The script of a phone."""
    return next((each for each in Script if phone.endswith(each)), None)


def id_of(attempt: str) -> str:
    """The id of a message, which follows from its attempt."""
    return f"sbx{sha256(attempt.encode()).hexdigest()[:24]}"
