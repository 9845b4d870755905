"""The key of the contacts' hashes: `current` of its secret, read when it is first needed, and kept: it never changes.

With another key every contact would be a stranger, with no opt-out and no sends. So it has no rotation.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from botocore import exceptions as vendor

from sluice import aws
from sluice.errors import Unavailable
from sluice.keyring import usable


class ContactsSecret:
    """The secret of that ARN. `connect` makes botocore's client of Secrets Manager."""

    def __init__(self, arn: str, connect: Callable[[], Any] | None = None) -> None:
        self._arn = arn
        self._client = cache(connect or (lambda: aws.client("secretsmanager", read_seconds=1.0, attempts=2)))
        self._key: bytes | None = None

    def key(self) -> bytes:
        """The key. Raises Unavailable while it cannot be read, Misconfigured when it is shorter than 32 bytes."""
        if self._key is None:
            try:
                text = self._client().get_secret_value(SecretId=self._arn)["SecretString"]
            except (vendor.ClientError, vendor.BotoCoreError) as error:
                raise Unavailable(aws.why("Secrets Manager", error)) from error
            self._key = usable(text, "contacts' secret")[0].encode()
        return self._key
