"""Every error Sluice raises on purpose.

SluiceError
├── Refused                the answer says why, and what to do; an HTTP 4xx
│   ├── Invalid            400: a field is wrong; names it
│   ├── Unauthorized       401: nothing proves who sends a request to an open route
│   ├── Forbidden          403: the role is too low
│   ├── NotFound           404: no such thing, or it belongs to someone else
│   ├── Conflicting        409: the thing's state does not allow it
│   ├── TooLarge           413: the body is over the limit
│   └── Off                503: it was left out of the stack; trying again does not help
├── Unavailable            transient: try again; an HTTP 503
├── Untrusted              a token that is not valid; the answer does not say why
├── Unreadable             a message or a row that cannot be parsed: a message ends in the dead letters
└── Misconfigured          a setting is missing or wrong
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus


class SluiceError(Exception):
    """Base of the tree; never raised."""


@dataclass(frozen=True)
class FieldError:
    """An error in one field; `field` is a dotted path, such as `items.0.content_id`."""

    field: str
    message: str


class Refused(SluiceError):
    """Raised when a request cannot be executed. `code` is stable; `message` may be shown to a person."""

    status = HTTPStatus.BAD_REQUEST

    def __init__(self, message: str, code: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.errors = tuple(errors)


class Invalid(Refused):
    """Raised when a field's value is wrong."""

    @classmethod
    def of(cls, field: str, message: str, code: str = "invalid") -> "Invalid":
        """One wrong field; its message is also the error's."""
        return cls(message, code, [FieldError(field, message)])


class Unauthorized(Refused):
    """Raised when nothing proves who sends a request to a route without an authorizer."""

    status = HTTPStatus.UNAUTHORIZED


class Forbidden(Refused):
    """Raised when the caller's role is too low."""

    status = HTTPStatus.FORBIDDEN


class NotFound(Refused):
    """Raised when there is no such thing, or when it belongs to someone else."""

    status = HTTPStatus.NOT_FOUND


class Conflicting(Refused):
    """Raised when the state of a thing does not allow the request."""

    status = HTTPStatus.CONFLICT


class TooLarge(Refused):
    """Raised when a body is over the limit."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Off(Refused):
    """Raised when what is asked for was left out of the stack. The message says how to get it: not by trying again."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class Unavailable(SluiceError):
    """Raised when something failed that may succeed a moment later. The message says what."""

    def __init__(self, message: str, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Untrusted(SluiceError):
    """Raised when a token is not valid. The message is for the log, and quotes nothing of the token."""


class Unreadable(SluiceError):
    """Raised when a message or a row cannot be parsed. A message goes to the dead letters, for a person to read."""


class Misconfigured(SluiceError):
    """Raised when a setting is missing or wrong. The message names it."""
