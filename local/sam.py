"""Runs the AWS SAM CLI, tuned for latency: `python -m local.sam deploy ...`. It does what `sam` does."""

import sys
from typing import Any

from samtranslator.open_api import open_api  # type: ignore[import-untyped]


def shared(written: Any) -> Any:
    """In place of the copies that SAM makes of all routes, twice for each: three quarters of a translation.

    tests/template/test_rules.py shows that a translation with it is the same.
    """
    return written


def share_routes() -> None:
    """Let SAM share routes in this process."""
    open_api._deepcopy = shared


def main() -> None:
    from samcli.cli.main import cli  # type: ignore[import-untyped]

    share_routes()
    sys.exit(cli())


if __name__ == "__main__":
    main()
