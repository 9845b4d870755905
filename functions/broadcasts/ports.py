"""What broadcasts ask of providers of messages, and what these answer. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from broadcasts.row import Evidence
from sluice.outward import CannotTell, Found, Seen, Unknown

UNREACHABLE = "unreachable"
"""Code of a refusal: no connection was made, so nothing was sent. Five in a row are the instance's trouble."""
TOO_LATE = "too_late"
"""Code of a refusal: the deadline passed before the first byte, so nothing was sent."""
HOST_NOT_ALLOWED = "host_not_allowed"
"""Code of a refusal: the guard forbids the provider's host."""

LONGEST_ID = 512
"""Of an id or a callback. Providers' ids have up to 128; a longer one is nobody's, and would be no key of an item."""
LONGEST_CODE = 64
"""A provider's code is cut there: it stands in rows, events and the audit log."""
INBOUND_BYTES = 1024
"""An inbound text is cut there: an opt-out word is short."""
_NO_ID = "The message has an id that no item can have"


class MediaType(StrEnum):
    """What a message may carry. Audio has no caption: its text is not sent."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"


@dataclass(frozen=True)
class Media:
    """A file of a message: an https URL, which the provider reads."""

    url: str
    type: MediaType


@dataclass(frozen=True)
class TemplateCall:
    """A template that the provider has approved, with the values of its placeholders, in their order."""

    name: str
    language: str
    """`pt_BR`."""
    header: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Message:
    """One message to one person."""

    to: str
    """The phone in digits, with its country."""
    text: str
    """The rendered text, at most 4,096 characters; a caption if there is `media`; unused if there is `template`."""
    media: Media | None = None
    template: TemplateCall | None = None
    callback: str = ""
    """Sent along where a provider gives it back: `brd_x/g1/r03/17342/<attempt>`."""


class Scope(StrEnum):
    """Whom a refusal is about: this recipient, every recipient of the campaign, or every campaign of the instance."""

    RECIPIENT = "recipient"
    CAMPAIGN = "campaign"
    INSTANCE = "instance"


@dataclass(frozen=True)
class Accepted:
    """The provider has it, and knows it by this id."""

    message_id: str


@dataclass(frozen=True)
class Refused:
    """It was certainly not accepted; `is_final`: nor will it be, as it is. `text` is for people, in one line."""

    scope: Scope
    is_final: bool
    code: str
    text: str


@dataclass(frozen=True)
class Throttled:
    """It was certainly not accepted, because too much was sent; None: the provider does not say when to come again."""

    after_seconds: float | None = None


type Outcome = Accepted | Refused | Throttled | Unknown
"""What a call answers."""


def is_id(text: str) -> bool:
    """Whether a text may be an id of a message, or a callback."""
    return 0 < len(text) <= LONGEST_ID and text.isascii() and text.isprintable()


def answered(outcome: Outcome) -> Outcome:
    """An outcome as it can be recorded: a server of a user's own may answer an id, or a code, that no item can have."""
    match outcome:
        case Accepted(message_id) if not is_id(message_id):
            return Unknown(_NO_ID)
        case Refused(code=code) if len(code) > LONGEST_CODE:
            return replace(outcome, code=code[:LONGEST_CODE])
        case _:
            return outcome


def sighted(sight: Seen) -> Seen:
    """What a look answers, as it can be recorded."""
    return CannotTell(_NO_ID) if isinstance(sight, Found) and not is_id(sight.result) else sight


@dataclass(frozen=True)
class StatusEvent:
    """What became of a message. Known by its id, and by `callback` where the provider gives that back."""

    status: Evidence
    message_id: str
    callback: str | None
    at: datetime
    """By the provider's clock, and never in the future."""
    code: str | None = None
    text: str | None = None
    retryable: bool = False
    """Of a failure: whether a `retry` may send it again. Nothing sends it again by itself."""


@dataclass(frozen=True)
class InboundEvent:
    """What a person wrote to the instance's number."""

    sender: str
    """The phone in digits."""
    text: str
    """At most INBOUND_BYTES of it; empty if it was no text."""
    at: datetime
    message_id: str


type Event = StatusEvent | InboundEvent
"""What a webhook says."""


class Untrusted(Exception):
    """Raised for a webhook that nobody proves to be the provider's. The message holds nothing of it."""


@dataclass(frozen=True)
class Patience:
    """How long a provider is waited for, in seconds."""

    look_seconds: tuple[int, ...] = (30, 180, 600)
    """When an unknown outcome is looked up: after the record, or after the deadline of its claim."""
    unknown_seconds: int = 900
    """After these, an unknown outcome is given up."""
    block_seconds: int = 30
    """The first block of an instance; each further one is twice as long."""
    empty_step_seconds: int = 30
    """The longest wait of a step that found nothing to send."""


PATIENT = Patience()
QUICK = Patience(look_seconds=(2, 4, 8), unknown_seconds=10, block_seconds=2, empty_step_seconds=2)
"""For the sandbox, and for fakes on the same machine."""


class Provider(Protocol):
    """One instance at a provider. Several threads may use it at once."""

    patience: Patience
    can_be_asked: bool
    """Whether `find` ever answers more than CannotTell."""
    absence_is_proof: bool
    """Whether Absent alone means not sent. Else it does only after `find` has found a message that is known to be sent
    within the last 24 h: the provider may keep no messages.
    """

    def send(self, message: Message, attempt: str, deadline: float) -> Outcome:
        """Send a message, once. Never raises, never retries.

        `attempt`: a ULID, the message's own. `deadline`: seconds of `time.monotonic`; no byte of the request leaves
        after it, by that clock and by the wall clock, since a frozen function may wake up hours later.
        """

    def find(
        self, message: Message, attempt: str, since: datetime, until: datetime, is_taken: Callable[[str], bool]
    ) -> Seen:
        """Look a message up that was sent between `since` and `until`, by the provider's clock: leave it some slack.

        `Found` has the message's id. Whether `Absent` is proof: `absence_is_proof`.

        `is_taken`: whether a message id is known to be another row's. Raises nothing but what that raises. Begins no
        request after 10 s, and each takes 10 s at most.
        """

    def parse_events(self, body: bytes, headers: Mapping[str, str], now: datetime) -> list[Event]:
        """What a webhook says: events that are of no use, or that nobody can read, are left out. Pure.

        `body`: as it came, after base64. `headers`: by any case. Raises Untrusted.
        """


class Memory(Protocol):
    """What the sandbox accepted, for a day. Raises Unavailable."""

    def remember(self, attempt: str, message_id: str) -> None:
        """Keep the id of an attempt; a repeat changes nothing."""

    def recall(self, attempt: str) -> str | None:
        """The id of an attempt; None if it was not accepted."""


class Deliver(Protocol):
    """Puts events where webhooks put theirs."""

    def __call__(self, events: Sequence[Event], delay_seconds: int) -> None:
        """Deliver events of the sandbox, after a delay of up to 900 s. Raises Unavailable."""
