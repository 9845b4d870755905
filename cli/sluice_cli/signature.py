"""Signatures by Standard Webhooks: whether one holds, and what is probably wrong when it does not."""

import base64
import binascii
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from sluice_cli.errors import WrongUse

TOLERANCE_SECONDS = 300
"""As the libraries of Standard Webhooks have it, into the past and into the future."""
_PREFIX = "whsec_"


@dataclass(frozen=True)
class Request:
    """A request as it came: three headers, and the bytes of its body."""

    id: str
    timestamp: str
    signature: str
    body: bytes

    @property
    def seconds(self) -> int:
        """The timestamp. Raises WrongUse."""
        if not (self.timestamp.isascii() and self.timestamp.isdecimal()):
            raise WrongUse(f"webhook-timestamp is seconds since 1970: {self.timestamp!r}")
        return int(self.timestamp)


@dataclass(frozen=True)
class Judgement:
    """`problem` is empty if the signature holds."""

    problem: str = ""
    advice: tuple[str, ...] = ()


def judged(request: Request, secret: str, now: float | None) -> Judgement:
    """Judge a request; its age too, unless `now` is None. Raises WrongUse for what is no secret or no header."""
    key, age = _key(secret), None if now is None else int(now) - request.seconds
    given = [value for version, _, value in _parted(request.signature) if version == "v1"]
    if not given:
        raise WrongUse("webhook-signature has no v1,...: give the whole header, such as 'v1,abc= v1,def='")
    if not _fits(request, request.body, key, given):
        return _unlike(request, key, given)
    if age is not None and abs(age) > TOLERANCE_SECONDS:
        return _too_old(age)
    return Judgement()


def _unlike(request: Request, key: bytes, given: list[str]) -> Judgement:
    for change, body in _others(request.body):
        if _fits(request, body, key, given):
            return Judgement(
                f"The secret is right, and the body was changed: {change}.",
                ("Check the bytes as they came, before a framework parses them and writes them again.",),
            )
    return Judgement(
        "No signature fits: the secret is another one, or the body, the id or the timestamp was changed.",
        (
            "The secret: each endpoint has its own, and `sluice hooks rotate` ends an old one after its overlap. "
            "Nobody can look it up; `sluice hooks rotate` makes a new one.",
            "The body: give the bytes as they came, not what a parser made of them.",
            "The headers: webhook-id and webhook-timestamp are signed too, and each attempt has its own timestamp.",
        ),
    )


def _too_old(age: int) -> Judgement:
    when = f"{age:,} s ago" if age > 0 else f"{-age:,} s in the future"
    return Judgement(
        f"The signature fits, and its timestamp is {when}: more than {TOLERANCE_SECONDS} s.",
        (
            "Compare this machine's clock with the true time. Each attempt of Sluice is signed when it is made, so an "
            "old one was kept or sent again by somebody else: refuse it.",
            "To check a request that you recorded: --any-age.",
        ),
    )


def _fits(request: Request, body: bytes, key: bytes, given: list[str]) -> bool:
    signed = f"{request.id}.{request.timestamp}.".encode() + body
    right = base64.b64encode(hmac.new(key, signed, sha256).digest())
    return any(hmac.compare_digest(right, each.encode()) for each in given)


def _others(body: bytes) -> Iterator[tuple[str, bytes]]:
    """What a body may have been before something changed it."""
    yield "it has a line's end that it came without", body.rstrip(b"\r\n")
    yield "its line ends are others", body.replace(b"\r\n", b"\n")
    try:
        found = json.loads(body)
    except ValueError:
        return
    again = "it was parsed and written again"
    yield again, json.dumps(found, separators=(",", ":"), ensure_ascii=False).encode()
    if isinstance(found, dict) and found.keys() >= {"type", "timestamp", "data"}:
        ordered = {name: found[name] for name in ("type", "timestamp", "data")}
        yield again, json.dumps(ordered, separators=(",", ":"), ensure_ascii=False).encode()


def _parted(header: str) -> list[tuple[str, str, str]]:
    return [each.partition(",") for each in header.split()]


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise WrongUse("The secret is not base64 behind whsec_: copy it whole.") from error
    if not key:
        raise WrongUse("The secret is empty.")
    return key
