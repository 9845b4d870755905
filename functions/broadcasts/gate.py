"""Who may be written to, and when: the one way to a claim. Pure (design section 9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from broadcasts.contact import KEPT_SENDS, Contact
from broadcasts.texts import TextProblem, render
from broadcasts.windows import Windows, next_opening
from broadcasts.zones import Zones

_LONGEST_WAIT = timedelta(hours=24)


class Reason(StrEnum):
    """Why a row is skipped, or waits."""

    SUPPRESSED = "suppressed"
    NO_CONSENT = "no_consent"
    FREQUENCY_CAP = "frequency_cap"
    WINDOW = "window"


@dataclass(frozen=True)
class Cap:
    """An owner's frequency cap: a person gets at most `most` messages in `hours` hours, of all their campaigns."""

    most: int
    hours: int

    def __post_init__(self) -> None:
        # A contact remembers its last 10 sends: a cap above that could not be kept.
        if not 1 <= self.most <= KEPT_SENDS or self.hours < 1:
            raise ValueError(f"A cap is 1 to {KEPT_SENDS} messages in at least an hour")


@dataclass(frozen=True)
class Rules:
    """What an owner requires of every message."""

    consent_required: bool = False
    cap: Cap | None = None


@dataclass(frozen=True)
class Open:
    """It may be sent now, with this text."""

    text: str


@dataclass(frozen=True)
class Skip:
    """It is never sent: the row is SKIPPED."""

    reason: Reason


@dataclass(frozen=True)
class Fail:
    """It cannot be sent: the row is FAILED, and no retry changes that."""

    code: str
    text: str


@dataclass(frozen=True)
class Later:
    """It may be sent then. With the reason `window` the whole lane waits, else the row is due again."""

    at: datetime
    reason: Reason


type Verdict = Open | Skip | Fail | Later


def gate(
    text: str,
    variables: Mapping[str, str],
    row: str,
    contact: Contact,
    rules: Rules,
    windows: Windows | None,
    zones: Zones,
    now: datetime,
) -> Verdict:
    """Whether a row may be sent now. `row` is its name among the contact's sends; `zones` are its lane's.

    `variables` are the campaign's with the row's own above them. The order of the rules is part of it: what is never
    sent is not put off.
    """
    if contact.suppressed_at is not None:
        return Skip(Reason.SUPPRESSED)
    if rules.consent_required and not contact.consent:
        return Skip(Reason.NO_CONSENT)
    rendered = render(text, variables)
    if isinstance(rendered, TextProblem):
        return Fail(rendered.code, rendered.message)
    if rules.cap and (allowed_at := capped_until(rules.cap, contact, row, now)):
        if allowed_at > now + _LONGEST_WAIT:
            return Skip(Reason.FREQUENCY_CAP)
        return Later(allowed_at, Reason.FREQUENCY_CAP)
    opening = next_opening(windows, zones, now)
    if opening is None:
        return Skip(Reason.WINDOW)
    return Open(rendered) if opening <= now else Later(opening, Reason.WINDOW)


def capped_until(cap: Cap, contact: Contact, row: str, now: datetime) -> datetime | None:
    """When the cap allows a message of this row to the contact; None when it does now. Its own sends do not count."""
    sends = contact.sends_of_others(row)
    if len(sends) < cap.most:
        return None
    allowed_at = sends[cap.most - 1].at + timedelta(hours=cap.hours)
    return allowed_at if allowed_at > now else None
