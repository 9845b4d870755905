"""Requests to providers, through the guard of hosts: each has one total time, and none leaves after its deadline."""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import timedelta

import requests

from broadcasts.ports import HOST_NOT_ALLOWED, TOO_LATE, UNREACHABLE, Refused, Scope
from broadcasts.providers.answers import Answer, Asked
from sluice.clock import Clock
from sluice.egress import Hosts, NotAllowed, NotSent, TooLate, session
from sluice.outward import Unknown

logger = logging.getLogger(f"sluice.{__name__}")

REQUEST_SECONDS = 10.0


class Wire:
    """Makes requests to `hosts`, from any thread; `__call__` is a `Post`."""

    def __init__(
        self,
        hosts: Hosts,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
        seconds: float = REQUEST_SECONDS,
    ) -> None:
        """`seconds`: the longest that one request takes."""
        self._hosts = hosts
        self._clock = clock
        self._monotonic = monotonic
        self._seconds = seconds

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes, deadline: float) -> Asked:
        """As `Post`."""
        left = deadline - self._monotonic()
        if left <= 0:
            return _TOO_LATE
        # The monotonic clock may stand still while a function is frozen, and the wall clock may be set.
        ends = self._clock.now() + timedelta(seconds=left)

        def is_late() -> bool:
            return self._monotonic() >= deadline or self._clock.now() >= ends

        try:
            with session(self._hosts, min(self._seconds, left), is_late) as guarded:
                answer = guarded.post(url, data=body, headers=dict(headers))
        except Exception as error:  # whatever it is: if it is not known that nothing was sent, nobody knows
            return _failed(error)
        named = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status_code, answer.content, named)


_TOO_LATE = Refused(Scope.RECIPIENT, False, TOO_LATE, "There was no time left")


def _failed(error: Exception) -> Refused | Unknown:
    match error:
        case TooLate():
            return _TOO_LATE
        case NotSent():
            return Refused(Scope.RECIPIENT, False, UNREACHABLE, "The provider cannot be reached")
        case NotAllowed(was_sent=False):
            return Refused(Scope.INSTANCE, True, HOST_NOT_ALLOWED, "The provider's host is not allowed")
        case (
            requests.exceptions.InvalidURL() | requests.exceptions.InvalidSchema() | requests.exceptions.MissingSchema()
        ):
            return Refused(Scope.INSTANCE, True, HOST_NOT_ALLOWED, "The provider's address is not valid")
        case requests.exceptions.InvalidHeader():
            return Refused(Scope.INSTANCE, True, "credentials", "A credential cannot be sent")
        case requests.Timeout():
            return Unknown("No answer in time")
        case NotAllowed():
            return Unknown("An answer that nobody reads: a redirect, or too long")
        case requests.RequestException():
            return Unknown("The connection was lost")
    logger.warning("A request ended in an unforeseen error", extra={"error": type(error).__name__})
    return Unknown(type(error).__name__)
