"""The private key of the operator on Hedera, in Secrets Manager. It is read for each call, and kept nowhere."""

from collections.abc import Callable
from functools import cache
from typing import Any

from botocore import exceptions as vendor

from sluice import aws
from sluice.errors import Unavailable


class OperatorKey:
    """The secret of that ARN. `connect` makes botocore's client of Secrets Manager."""

    def __init__(self, arn: str, connect: Callable[[], Any] | None = None) -> None:
        self._arn = arn
        self._client = cache(connect or (lambda: aws.client("secretsmanager", read_seconds=1.0, attempts=2)))

    def __call__(self) -> str:
        """The key. Raises Unavailable, also while nobody has put one there."""
        try:
            return str(self._client().get_secret_value(SecretId=self._arn)["SecretString"]).strip()
        except (vendor.ClientError, vendor.BotoCoreError) as error:
            raise Unavailable(aws.why("Secrets Manager", error)) from error
