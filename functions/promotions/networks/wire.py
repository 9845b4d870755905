"""What a network's answer means, judged by HTTP alone: a library's exceptions say less, and sometimes what is wrong.

Mastodon.py raises its rate-limit error for a post that was made, if a header is odd; tweepy lets errors of its session
out.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from requests.adapters import BaseAdapter

from promotions.ports import NOT_CONNECTED, RATE_LIMITED, NotReadable
from sluice.clock import Clock
from sluice.egress import NotAllowed, NotSent
from sluice.outward import CannotTell, Done, NotTaken, Outcome, Refused, Seen, Unknown

UNREACHABLE = "unreachable"
HOST_NOT_ALLOWED = "host_not_allowed"
_LIMITS = ("x-ratelimit", "x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour")
_LONGEST_WAIT = timedelta(days=1)
_REASON_LENGTH = 200


class Wire:
    """Makes calls of a library on its session, and translates what came of them. Not for several threads."""

    blocked_until: datetime | None = None
    """As `SocialPublisher.blocked_until`."""

    def __init__(
        self, session: requests.Session, clock: Clock, is_doubtful: Callable[[int, str], bool] = lambda *_: False
    ) -> None:
        """`is_doubtful`: whether a refusal, by its status and reason, may be of a post that was made."""
        self._clock = clock
        self._is_doubtful = is_doubtful
        self._last: requests.Response | None = None
        session.hooks["response"].append(self._hear)

    @property
    def status(self) -> int | None:
        """The status of the last answer; None if there was none."""
        return self._last.status_code if self._last is not None else None

    def json(self) -> Any:
        """The last answer's JSON, as it is. Raises ValueError."""
        if self._last is None:
            raise ValueError("There is no answer")
        return self._last.json()

    def listed(self) -> list[Any]:
        """The last answer's JSON, which must be a list: of anything else an absence would be no proof."""
        found = self.json()
        if not isinstance(found, list):
            raise ValueError("The answer is not a list")
        return found

    def outcome(self, call: Callable[[], Any]) -> Outcome:
        """The outcome of a call that returns an id: Done(id) if the id is not empty."""
        self._last = None
        try:
            found = call()
        except Exception as error:  # whatever it is: the answer says what happened, or nobody knows
            return self._failed(error)
        return Done(str(found)) if found else Unknown("The answer has no id")

    def seen(self, look: Callable[[], Seen]) -> Seen:
        """What a look saw."""
        self._last = None
        try:
            return look()
        except Exception as error:
            return CannotTell(self._failed(error).reason)

    def read[T](self, read: Callable[[], T]) -> T:
        """What a read answers. Raises NotReadable."""
        self._last = None
        try:
            return read()
        except Exception as error:
            failed = self._failed(error)
            retry_at = failed.retry_at if isinstance(failed, NotTaken) else None
            raise NotReadable(failed.reason, retry_at) from error

    def _hear(self, answer: requests.Response, *_: Any, **__: Any) -> None:
        self._last = answer
        spent = [
            reset
            for limit in _LIMITS
            if answer.headers.get(f"{limit}-remaining") == "0"
            and (reset := self._time(answer.headers.get(f"{limit}-reset")))
        ]
        self.blocked_until = max(spent, default=None)

    def _failed(self, error: Exception) -> Refused | NotTaken | Unknown:
        match self.status:
            case None:
                return _unanswered(error)
            case 401:
                return Refused(NOT_CONNECTED)
            case 429:
                return NotTaken(RATE_LIMITED, self._retry_at())
            case status:
                reason = _reason(self._last) or type(error).__name__
                is_refusal = 400 <= status < 500 and status not in (408, 409) and not self._is_doubtful(status, reason)
                return Refused(reason) if is_refusal else Unknown(f"{status}: {reason}")

    def _retry_at(self) -> datetime | None:
        if self.blocked_until:
            return self.blocked_until
        headers: Mapping[str, str] = self._last.headers if self._last is not None else {}
        after = headers.get("retry-after", "")
        if after.isdecimal():
            return self._clock.now() + min(timedelta(seconds=int(after[:6])), _LONGEST_WAIT)
        resets = (self._time(headers.get(f"{limit}-reset")) for limit in _LIMITS)
        return next((reset for reset in resets if reset), None)

    def _time(self, text: str | None) -> datetime | None:
        """A moment of a header, in seconds or as text, at most a day ahead; None for what is in the past or odd."""
        now = self._clock.now()
        try:
            found = datetime.fromtimestamp(int(text), UTC) if text and text.isdecimal() else _moment(text)
        except (OverflowError, ValueError, OSError):
            return None
        return min(found, now + _LONGEST_WAIT) if found and found > now else None


class Elsewhere(BaseAdapter):
    """Sends requests to another base URL: tweepy has its own in its code."""

    def __init__(self, base_url: str, adapter: BaseAdapter) -> None:
        super().__init__()
        self._base_url = base_url.rstrip("/")
        self._adapter = adapter

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        request.url = self._base_url + request.path_url
        return self._adapter.send(request, *arguments, **options)

    def close(self) -> None:
        self._adapter.close()


def _moment(text: str | None) -> datetime | None:
    found = datetime.fromisoformat(text) if text else None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


def _unanswered(error: Exception) -> Refused | NotTaken | Unknown:
    """What it means that there is no answer. A library may have wrapped the error of the session."""
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case NotSent():
                return NotTaken(UNREACHABLE)
            case NotAllowed(was_sent=False):
                return Refused(HOST_NOT_ALLOWED)
            case requests.Timeout():
                return Unknown("No answer in time")
        cause = cause.__cause__ or cause.__context__
    return Unknown(f"No answer: {type(error).__name__}")


def _reason(answer: requests.Response | None) -> str:
    """What a network says of a failure, for people: one line."""
    try:
        body = answer.json() if answer is not None else None
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    said = body.get("detail") or body.get("error") or first.get("message") or body.get("title") or ""
    return " ".join("".join(each if each.isprintable() else " " for each in str(said)).split())[:_REASON_LENGTH]
