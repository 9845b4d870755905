"""What a fake of a provider of messages holds: its calls, its messages, and the script of what goes wrong."""

from collections import deque
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from threading import Lock
from typing import Any

from sluice.clock import Clock


class Fault(StrEnum):
    """How a call goes wrong, or its webhooks."""

    UNKNOWN_NUMBER = "unknown-number"
    """Nothing happens: the number is not on WhatsApp."""
    LATER = "later"
    """Nothing happens, and not for good: too many messages to this person. Meta alone says so."""
    TEMPLATE = "template"
    """Nothing happens: the template is paused. Meta alone says so."""
    TOKEN = "token"
    """Nothing happens: the token is not valid."""
    THROTTLED = "throttled"
    """Nothing happens; 429, and when to come again."""
    THROTTLED_BARE = "throttled-bare"
    """Nothing happens; 429 alone."""
    HANG = "hang"
    """Nothing happens, and no answer comes."""
    DROPPED = "dropped"
    """Nothing happens, and the connection is dropped."""
    NO_ID = "no-id"
    """Nothing happens, and the answer has the status of success and no id: Evolution's, for an error of Meta."""
    LOST = "lost"
    """It happens, and the connection is dropped."""
    SLOW = "slow"
    """It happens, and no answer comes."""
    FAILED = "failed"
    """It happens, and the answer is 500."""
    GATEWAY = "gateway"
    """It happens, and the answer is 502."""
    BAD_REQUEST = "bad-request"
    """It happens, and the answer is a 400 that proves nothing."""
    GARBAGE = "garbage"
    """It happens, and the answer is success with HTML."""
    WEBHOOK_FIRST = "webhook-first"
    """The webhooks come before the answer."""
    WEBHOOK_TWICE = "webhook-twice"
    WEBHOOK_NEVER = "webhook-never"
    READ = "read"
    """The message is read, too."""
    WRONG_ORDER = "wrong-order"
    """Read, delivered, sent."""


WITHOUT_EFFECT = frozenset(
    {
        Fault.UNKNOWN_NUMBER,
        Fault.LATER,
        Fault.TEMPLATE,
        Fault.TOKEN,
        Fault.THROTTLED,
        Fault.THROTTLED_BARE,
        Fault.HANG,
        Fault.DROPPED,
        Fault.NO_ID,
    }
)
RETRY_SECONDS = 2


@dataclass
class Call:
    """A request to send a message."""

    provider: str
    instance: str
    to: str
    """In digits."""
    text: str
    callback: str
    body: dict[str, Any]
    began_at: datetime
    fault: Fault | None = None
    message_id: str = ""
    """Empty if nothing happened."""
    answered_at: datetime | None = None
    """None while no answer was sent, and if none ever is."""


class FakeMessages:
    """The calls of all providers, in their order. For several threads."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.calls: list[Call] = []
        self.jids: dict[str, str] = {}
        """By phone, how Evolution knows a person, if not by the phone: `123@lid`."""
        self._script: dict[str, deque[Fault | None]] = {}
        self._lock = Lock()

    def script(self, *faults: Fault | None, to: str = "") -> None:
        """The next calls, to a phone if given, go wrong like this, in their order; None: one goes well."""
        with self._lock:
            self._script.setdefault(to, deque()).extend(faults)

    def take(self, call: Call, message_id: str) -> Call:
        """Note a call with the fault that it meets; it has the id if it has an effect."""
        with self._lock:
            script = self._script.get(call.to) or self._script.get("")
            call.fault = script.popleft() if script else None
            if call.fault not in WITHOUT_EFFECT:
                call.message_id = message_id
            self.calls.append(call)
            return call

    def accepted(self, to: str | None = None) -> list[Call]:
        """The calls that had an effect, of a phone if given."""
        with self._lock:
            return [each for each in self.calls if each.message_id and to in (None, each.to)]

    def made(self, to: str | None = None) -> int:
        """How many calls there were, for a phone if given."""
        with self._lock:
            return sum(to in (None, each.to) for each in self.calls)

    def get(self, message_id: str) -> Call | None:
        """The call of a message."""
        return next((each for each in self.accepted() if each.message_id == message_id), None)

    def shown(self) -> list[dict[str, Any]]:
        """All calls, for people."""
        with self._lock:
            return [asdict(each) for each in self.calls]

    def forget(self) -> None:
        """Forget all calls and the script."""
        with self._lock:
            self.calls.clear()
            self._script.clear()
