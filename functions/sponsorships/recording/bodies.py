"""The bodies that recording takes, read without a framework; `sponsorships.recording.schemas` documents them."""

import re
from collections.abc import Mapping
from typing import Any

from sluice import envelope
from sluice.errors import FieldError, Invalid
from sponsorships.impressions import has_shape

MAX_TOKENS = 50

_STREAMER = re.compile(r"[A-Za-z0-9_-]{1,64}")


def streamer(text: str, headers: Mapping[str, str]) -> str:
    """`{"streamer_id": "nina"}`. Raises Invalid."""
    value = _only(text, headers, "streamer_id")
    if not isinstance(value, str) or not _STREAMER.fullmatch(value):
        raise Invalid.of("streamer_id", "Input should be 1 to 64 letters, digits, _ or -", "streamer_id_invalid")
    return value


def token(text: str, headers: Mapping[str, str], kind: str) -> str:
    """`{"token": "imp1...."}`. Raises Invalid for what is no token of that kind."""
    return _token(_only(text, headers, "token"), "token", kind)


def tokens(text: str, headers: Mapping[str, str], kind: str) -> list[str]:
    """`{"tokens": [...]}`. Raises Invalid."""
    values = _only(text, headers, "tokens")
    if not isinstance(values, list) or not 1 <= len(values) <= MAX_TOKENS:
        raise Invalid.of("tokens", f"Input should be a list of 1 to {MAX_TOKENS} tokens")
    return [_token(value, f"tokens.{place}", kind) for place, value in enumerate(values)]


def _token(value: object, at: str, kind: str) -> str:
    if not isinstance(value, str) or not has_shape(kind, value):
        raise Invalid.of(at, f"Input should be a token that begins with {kind}.", "token_invalid")
    return value


def _only(text: str, headers: Mapping[str, str], name: str) -> Any:
    """The value of a body's only field."""
    envelope.check_is_json(text, headers)
    body = envelope.parse(text)
    errors = [] if name in body else [FieldError(name, "Required")]
    errors += envelope.unknown((each for each in body if each != name), "Unknown field")
    if errors:
        raise envelope.named(errors)
    return body[name]
