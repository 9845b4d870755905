"""Runs the AWS SAM CLI, tuned for latency: `python -m local.sam deploy ...`. It does what `sam` does."""

import sys

from samtranslator.open_api import open_api  # type: ignore[import-untyped]


def share_routes() -> None:
    """SAM copies all routes twice for each: three quarters of a translation. tests/template/test_rules.py shows that
    nothing else changes.
    """
    open_api._deepcopy = lambda written: written


def main() -> None:
    from samcli.cli.main import cli  # type: ignore[import-untyped]

    share_routes()
    sys.exit(cli())


if __name__ == "__main__":
    main()
