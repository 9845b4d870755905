"""Who wrote STOP, and who wrote START: the whole message must be the word. Pure."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from unicodedata import category, normalize

from broadcasts.contact import Contact

STOP_WORDS = (
    "STOP",
    "STOPALL",
    "UNSUBSCRIBE",
    "END",
    "QUIT",
    "REVOKE",
    "OPTOUT",
    "SAIR",
    "PARAR",
    "PARE",
    "CANCELAR",
    "REMOVER",
    "BAJA",
)
START_WORDS = ("START", "VOLTAR")
BY_WORD = "word"
"""Why a contact is suppressed who wrote one of the words."""


class Wish(StrEnum):
    """What a person asks for."""

    STOP = "stop"
    START = "start"


def wish_in(message: str, stop: Collection[str] = STOP_WORDS, start: Collection[str] = START_WORDS) -> Wish | None:
    """What a message asks for by being one of the words; case, accents, spaces and punctuation do not count.

    `stop, o Zé não vem` is no such message.
    """
    word = folded(message)
    if not word:
        return None
    if word in {folded(each) for each in stop}:
        return Wish.STOP
    return Wish.START if word in {folded(each) for each in start} else None


def folded(text: str) -> str:
    """A text's letters and digits, without case and accents: `Stop, all!` is `stopall`."""
    return "".join(each for each in normalize("NFKD", text.casefold()) if category(each)[0] in "LN")


def wished(contact: Contact, wish: Wish, at: datetime) -> Contact | None:
    """The contact after a wish of that time, by the provider's clock; None when it changes nothing.

    The later wish stands, whichever arrives first; of two in the same second, STOP.
    """
    if contact.changed_at and (at < contact.changed_at or (at == contact.changed_at and wish is Wish.START)):
        return None
    if wish is Wish.STOP:
        after = replace(contact, suppressed_at=at, suppressed_why=BY_WORD, changed_at=at)
    else:
        after = replace(contact, suppressed_at=None, suppressed_why=None, changed_at=at)
    return None if after == contact else after
