"""Phone numbers as they come in, and whose they are. Pure.

A phone is text of 10 to 15 digits that begins with the country's code. No message of this module quotes one.
"""

import hmac
import re
from dataclasses import dataclass
from hashlib import sha256

from broadcasts.zones import BRAZIL_AREAS

_PHONE = re.compile(r"\d{10,15}", re.ASCII)
_DROPPED = re.compile(r"[+().\-\s]")
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d*)?[eE][+-]?\d+", re.ASCII)
_DECIMAL = re.compile(r"\+?\d{10,}[.,]0+", re.ASCII)
_BRAZIL_MOBILE = re.compile(r"55(\d\d)([6-9]\d{7})", re.ASCII)


@dataclass(frozen=True)
class BadPhone:
    """Why a cell is no phone: a stable code, and a sentence for the report."""

    code: str
    message: str


_MISSING = BadPhone("phone_missing", "The phone is empty")
_NOTATION = BadPhone(
    "phone_notation",
    "The phone is a number that a spreadsheet has reformatted; format the column as text and export again",
)
_CHARACTERS = BadPhone("phone_characters", "The phone has characters other than digits, spaces and + ( ) - .")
_LENGTH = BadPhone("phone_length", "The phone must have 10 to 15 digits, with the country's code first")


def is_phone(text: str) -> bool:
    """Whether a recipient of a JSON body is a phone, to the letter of S5-6: `^\\d{10,15}$`."""
    return _PHONE.fullmatch(text) is not None


def phone_in(cell: str) -> str | BadPhone:
    """The phone in a cell of a CSV file, as digits, or why there is none.

    A spreadsheet writes a long number as `5.51199E+12` or `5511987654321.0`. Digits are lost in the first; without its
    dot, the second is another person's number. So both are rejected.
    """
    text = cell.strip()
    if not text:
        return _MISSING
    if _SCIENTIFIC.fullmatch(text) or _DECIMAL.fullmatch(text):
        return _NOTATION
    digits = _DROPPED.sub("", text)
    if not (digits.isascii() and digits.isdigit()) and digits:
        return _CHARACTERS
    return digits if is_phone(digits) else _LENGTH


def person_of(phone: str) -> str:
    """The identity of a phone: a Brazilian mobile with and without its ninth digit is one person.

    Mobiles of 8 digits begin with 6 to 9 and have got a 9 in front; what begins with 2 to 5 is a landline (ANATEL,
    resolution 553/2010). Messages go to the phone as it was given, never to this one.
    """
    found = _BRAZIL_MOBILE.fullmatch(phone)
    return f"55{found[1]}9{found[2]}" if found and found[1] in BRAZIL_AREAS else phone


def contact_key(owner: str, phone: str, key: bytes) -> str:
    """The name of a person among an owner's contacts: 128 bits in hex.

    By a keyed hash, because phones are few enough to try all of them.
    """
    return hmac.new(key, f"{owner}\0{person_of(phone)}".encode(), sha256).hexdigest()[:32]
