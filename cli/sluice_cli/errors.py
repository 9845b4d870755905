"""What ends a command early, with its exit code.

CliError            1  something failed
  WrongUse          2  usage, or an input that the API rejects (400, 413)
  NotFound          3  (404)
  NotAllowed        4  no token, a wrong token, a role that is too low (401, 403)
  Refused           5  the state of things forbids it (409, 422)
  NotReached        6  no answer: no connection, a timeout, or 429, 502, 503, 504 after all repeats
"""


class CliError(Exception):
    """A sentence for stderr, and perhaps lines that say more or what to do."""

    exit_code = 1

    def __init__(self, message: str, *more: str) -> None:
        super().__init__(message)
        self.message = message
        self.more = more


class WrongUse(CliError):
    exit_code = 2


class NotFound(CliError):
    exit_code = 3


class NotAllowed(CliError):
    exit_code = 4


class Refused(CliError):
    exit_code = 5


class NotReached(CliError):
    exit_code = 6


_BY_STATUS: dict[int, type[CliError]] = {
    400: WrongUse,
    413: WrongUse,
    401: NotAllowed,
    403: NotAllowed,
    404: NotFound,
    409: Refused,
    422: Refused,
    429: NotReached,
    502: NotReached,
    503: NotReached,
    504: NotReached,
}


def of_status(status: int) -> type[CliError]:
    return _BY_STATUS.get(status, CliError)


class Interrupted(Exception):
    """Ctrl-C while watching, which ends with 130: what is watched goes on, or does when the command is run again."""

    def __init__(self, again: str, state: str = "still running") -> None:
        super().__init__(f"{state}; `{again}` goes on")
