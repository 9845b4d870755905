"""The one error of this package: a failure whose message tells a person what to do next."""

import sys
from collections.abc import Callable


class LocalError(Exception):
    """Printed as it is, without a stack trace."""


def run(command: Callable[[], int | None]) -> None:
    """Runs a command as the whole program: its answer is the exit status, a `LocalError` is told and is 1."""
    try:
        sys.exit(command() or 0)
    except LocalError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
