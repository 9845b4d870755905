"""Requests to receivers, through the kernel's guard: https to public addresses, no redirects, one total time."""

import re
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

import requests

from hooks.backoff import LONGEST
from hooks.ports import BLOCKED, LOST, REFUSED, TIMEOUT, Answered
from sluice.clock import Clock
from sluice.egress import Hosts, NotAllowed, NotSent, Redirected, TooLate, resolved, session

SECONDS = 15.0
_EXCERPT = 512
_READ_BYTES = 2048
_ASKS_FOR_A_WAIT = (429, 503)
_SAYS = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "sluice-hooks"}
_URL = re.compile(r"[!-~]+")
_DIGITS = re.compile(r"[0-9]{1,9}")


class Wire:
    """Sends requests; `private`: address ranges that are allowed by http too, for a stack on one machine."""

    def __init__(self, private: tuple[str, ...], clock: Clock, seconds: float = SECONDS) -> None:
        self._private = private
        self._clock = clock
        self._seconds = seconds

    def problem(self, url: str) -> str | None:
        """As `Sink.problem`: by the URL and the addresses of its name now, which each request checks again."""
        if not _URL.fullmatch(url):
            return "url must be ASCII without spaces: write its host as xn--..., and the rest percent-encoded"
        try:
            parts = urlsplit(url)
            is_private = bool(self._private and parts.port)
            if problem := _problem_of(parts, is_private=is_private):
                return problem
            resolved(self._hosts(url), url)
        except NotAllowed as error:
            if is_private:
                return f"url has a port, so it must lead to an address within PrivateRanges, {', '.join(self._private)}"
            return f"url must lead to public addresses alone: {error}"
        except ValueError:
            return "url is not a valid URL"
        return None

    def post(self, url: str, headers: Mapping[str, str], body: bytes, deadline: datetime) -> Answered:
        """As `Sink.post`."""
        begun = time.monotonic()

        def took() -> int:
            return int((time.monotonic() - begun) * 1000)

        try:
            hosts, is_late = self._hosts(url), lambda: self._clock.now() >= deadline
            with session(hosts, self._seconds, is_late, _READ_BYTES) as guarded:
                answer = guarded.post(url, data=body, headers={**headers, **_SAYS})
        except (requests.RequestException, ValueError) as error:
            return Answered(_kind(error), took(), _said(error))
        wait = _wait(answer, self._clock.now()) if answer.status_code in _ASKS_FOR_A_WAIT else None
        return Answered(str(answer.status_code), took(), _excerpt(answer), wait)

    def _hosts(self, url: str) -> Hosts:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        return Hosts.of([f"{host}:{parts.port}" if parts.port and self._private else host], self._private)


def _problem_of(parts: SplitResult, *, is_private: bool) -> str | None:
    """What is wrong with a URL as it is written; the guard checks it again, and where it leads."""
    if parts.scheme not in ("https", "http") or not parts.hostname:
        return "url must begin with https:// and the name of a host"
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "url must have no credentials and no fragment"
    if is_private:
        return None
    if parts.scheme != "https":
        return "url must be https"
    if parts.port not in (None, 443):
        return "url must be on port 443"
    if not parts.hostname.strip("0123456789.") or ":" in parts.hostname:
        return "url must name its host, not an address"
    return None


def _kind(error: Exception) -> str:
    match error:
        case Redirected(status=status):
            return str(status)
        case NotAllowed(was_sent=True):
            return LOST
        case NotAllowed():
            return BLOCKED
        case TooLate():
            return TIMEOUT
        case NotSent():
            return REFUSED
        case requests.Timeout():
            return TIMEOUT
        case requests.exceptions.InvalidURL() | requests.exceptions.InvalidSchema() | ValueError():
            return BLOCKED
    return LOST


def _said(error: Exception) -> str:
    """What the log shows where there is no answer to show."""
    match error:
        case Redirected(location=location):
            return _visible(f"A redirect, which is not followed, to {location}")
        case NotAllowed():
            return _visible(str(error))
    return ""


def _excerpt(answer: requests.Response) -> str:
    """The first characters of an answer; none of a compressed one, which nobody asked for."""
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        return ""
    return _visible(answer.content.decode(errors="replace"))


def _visible(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)[:_EXCERPT]


def _wait(answer: requests.Response, now: datetime) -> timedelta | None:
    """What `Retry-After` asks for, by seconds or by a date; None if it cannot be read."""
    text = answer.headers.get("Retry-After", "")
    try:
        seconds = int(text) if _DIGITS.fullmatch(text) else (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):  # no date, one without a zone, or one of no calendar
        return None
    return timedelta(seconds=min(max(seconds, 0), LONGEST.total_seconds()))
