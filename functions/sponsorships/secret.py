"""The keys of impressions, read from Secrets Manager when they are first needed, and again every five minutes."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from botocore import exceptions as vendor

from sluice import aws
from sluice.clock import Clock
from sluice.errors import Unavailable
from sponsorships.impressions import ImpressionKeys

KEPT = timedelta(minutes=5)


class ImpressionSecret:
    """The secret of that ARN. `connect` makes botocore's client of Secrets Manager."""

    def __init__(self, arn: str, clock: Clock, connect: Callable[[], Any] | None = None) -> None:
        self._arn = arn
        self._clock = clock
        self._client = cache(connect or (lambda: aws.client("secretsmanager", read_seconds=1.0, attempts=2)))
        self._read: tuple[ImpressionKeys, datetime] | None = None

    def keys(self) -> ImpressionKeys:
        """All keys, as they were at most five minutes ago; older while the secret cannot be read.

        Raises Unavailable when they were never read, Misconfigured when the secret holds none.
        """
        now = self._clock.now()
        if self._read and now - self._read[1] < KEPT:
            return self._read[0]
        try:
            text = self._client().get_secret_value(SecretId=self._arn)["SecretString"]
        except (vendor.ClientError, vendor.BotoCoreError) as error:
            if self._read is None:
                raise Unavailable(aws.why("Secrets Manager", error)) from error
            return self._read[0]
        self._read = ImpressionKeys.parse(text), now
        return self._read[0]
