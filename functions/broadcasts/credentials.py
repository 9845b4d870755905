"""The secrets of instances, in Parameter Store: never in items, events, logs or answers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from broadcasts.instance import Instance
from sluice import aws
from sluice.clock import Clock
from sluice.errors import Unavailable

KEPT = timedelta(minutes=5)
AGAIN = timedelta(minutes=1)
"""An instance's secrets are read again at most so often, however many requests with a wrong one come (amendment 19)."""


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What a provider knows an instance by, and what proves that its webhooks are its own."""

    api_key: str | None = None
    access_token: str | None = None
    app_secret: str | None = None
    verify_token: str | None = None
    jwt_key: str | None = None

    @property
    def given(self) -> Mapping[str, str]:
        """Those that are there, by their names."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def __repr__(self) -> str:
        """Without the values: a log may hold it."""
        return f"Secrets({', '.join(self.given)})"


class Credentials:
    """SecureStrings under a path: `<path>/ins_x/<version>`. `connect` makes botocore's client of Parameter Store.

    A version is written once, before the instance's item names it, and deleted once the item names another.
    """

    def __init__(self, path: str, clock: Clock, connect: Callable[[], Any] | None = None) -> None:
        self._path = path
        self._clock = clock
        self._client = cache(connect or (lambda: aws.client("ssm")))
        self._read: dict[str, tuple[int, Secrets, datetime]] = {}

    def read(self, instance: Instance) -> Secrets:
        """The secrets of an instance, as they were at most five minutes ago; older while they cannot be read.

        Raises Unavailable when this version was never read, and when it is gone: then the item names another.
        """
        return self._within(instance, KEPT)

    def read_again(self, instance: Instance) -> Secrets:
        """The secrets, as they were at most a minute ago: for a provider, or a webhook, that found them wrong."""
        return self._within(instance, AGAIN)

    def write(self, instance_id: str, version: int, secrets: Secrets) -> bool:
        """Keep a version; False if somebody has written it already. Raises Unavailable."""
        name, value = self._name(instance_id, version), json.dumps(secrets.given)
        try:
            self._client().put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=False)
        except self._client().exceptions.ParameterAlreadyExists:
            return False
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error
        return True

    def delete(self, instance_id: str, version: int) -> bool:
        """Forget a version; False if it was not there. Raises Unavailable."""
        try:
            self._client().delete_parameter(Name=self._name(instance_id, version))
        except self._client().exceptions.ParameterNotFound:
            return False
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error
        return True

    def _within(self, instance: Instance, age: timedelta) -> Secrets:
        if not instance.credentials:
            return Secrets()
        now = self._clock.now()
        version, kept, at = self._read.get(instance.id, (0, Secrets(), now))
        is_same = version == instance.credentials
        if is_same and now - at < age:
            return kept
        try:
            found = self._get(instance.id, int(instance.credentials))
        except Unavailable:
            if is_same:
                return kept
            raise
        self._read[instance.id] = int(instance.credentials), found, now
        return found

    def _get(self, instance_id: str, version: int) -> Secrets:
        try:
            found = self._client().get_parameter(Name=self._name(instance_id, version), WithDecryption=True)
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error
        return Secrets(**json.loads(found["Parameter"]["Value"]))

    def _name(self, instance_id: str, version: int) -> str:
        return f"{self._path}/{instance_id}/{version}"


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable(aws.why("Parameter Store", error))
