"""Places in lists, as cursors have them. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ThingPlace:
    """After this instance, or this template."""

    id: str


@dataclass(frozen=True)
class ContactPlace:
    """After this contact, by its key: a cursor has no phone, for it is in a URL."""

    contact: str
