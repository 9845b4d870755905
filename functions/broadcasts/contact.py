"""A person among an owner's contacts: may they be written to, and when were they. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

KEPT_SENDS = 10


@dataclass(frozen=True)
class Sent:
    """A message to a person: when its row was claimed, and which row: `brd_x/g1/r3/17342`."""

    at: datetime
    row: str


@dataclass(frozen=True, kw_only=True)
class Contact:
    """What is known of a person; of one without an item, nothing. `v` is one more with each write."""

    owner: str = ""
    key: str = ""
    """Of `phones.contact_key`."""
    v: int = 0
    suppressed_at: datetime | None = None
    suppressed_why: str | None = None
    changed_at: datetime | None = None
    """When they were suppressed, or that was lifted, by the clock of who said so: what is older does not count."""
    consent: str | None = None
    """Where their consent comes from; None without one."""
    sends: tuple[Sent, ...] = ()
    """The last 10, the latest at the end."""
    last_inbound_at: datetime | None = None

    def claimed(self, row: str, at: datetime) -> "Contact":
        """With a message of this row: a row that is claimed again replaces its own entry."""
        sends = (*(each for each in self.sends if each.row != row), Sent(at, row))
        return replace(self, sends=tuple(sorted(sends, key=lambda each: each.at))[-KEPT_SENDS:])

    def sends_of_others(self, row: str) -> Sequence[Sent]:
        """The last sends without those of this row, the latest first."""
        return sorted((each for each in self.sends if each.row != row), key=lambda each: each.at, reverse=True)


@dataclass(frozen=True)
class Suppressed:
    """An entry of an owner's list of people who are not written to."""

    contact: str
    phone: str
    why: str
    at: datetime
