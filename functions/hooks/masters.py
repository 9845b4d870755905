"""The numbered masters of `HooksSecret`, from which endpoints' secrets are derived: `{"1": "...", "2": "..."}`.

A new one is used by what is created or rotated after it; an old one is taken out when no endpoint names it.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from botocore import exceptions as vendor

from sluice import aws
from sluice.clock import Clock
from sluice.errors import Misconfigured, Unavailable
from sluice.keyring import long_enough

_READ_AGAIN = timedelta(minutes=1)


class Masters:
    """The secret of that ARN, read once a minute, or when a newer master is asked for.

    `connect` makes botocore's client of Secrets Manager.
    """

    def __init__(self, arn: str, clock: Clock, connect: Callable[[], Any] | None = None) -> None:
        self._arn = arn
        self._clock = clock
        self._client = cache(connect or (lambda: aws.client("secretsmanager", read_seconds=1.0, attempts=2)))
        self._read_at: datetime | None = None
        self._found: dict[int, str] = {}

    def newest(self) -> int:
        """The number of the master that new secrets are derived from. Raises Unavailable, Misconfigured."""
        return max(self._all())

    def master(self, number: int) -> str:
        """A master by its number. Raises Misconfigured when it was taken out, Unavailable."""
        if number > max(self._all()):  # another function has read it already
            self._read_at = None
        found = self._all().get(number)
        if found is None:
            raise Misconfigured(
                f"HooksSecret has no master {number}: put it back, or rotate the endpoints that name it"
            )
        return found

    def _all(self) -> dict[int, str]:
        now = self._clock.now()
        if self._read_at is None or now - self._read_at >= _READ_AGAIN:
            try:
                text = self._client().get_secret_value(SecretId=self._arn)["SecretString"]
            except (vendor.ClientError, vendor.BotoCoreError) as error:
                raise Unavailable(aws.why("Secrets Manager", error)) from error
            self._found, self._read_at = parsed(text), now
        return self._found


def parsed(text: str) -> dict[int, str]:
    """The masters in the secret's text, by their numbers. Raises Misconfigured."""
    try:
        given = {int(number): secret for number, secret in dict(json.loads(text)).items()}
    except (ValueError, TypeError) as error:
        raise Misconfigured('HooksSecret must be JSON of numbered masters: {"1": "..."}') from error
    if not given:
        raise Misconfigured("HooksSecret has no master")
    return {number: long_enough(str(number), secret, "masters of hooks") for number, secret in given.items()}
