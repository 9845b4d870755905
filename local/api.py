"""A stack's HTTP API by the command line's client, so that one thing is shown and tested."""

import uuid
from typing import Any

from local.errors import LocalError
from sluice_cli.client import Answer, Client, checked
from sluice_cli.errors import CliError

Json = dict[str, Any]


class Api:
    """The client of one bearer."""

    def __init__(self, url: str, token: str) -> None:
        self._client = Client(url, token, lambda _: None)

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, **query: str) -> Json:
        return self._answer("GET", path, query=query).json

    def text(self, path: str, **query: str) -> str:
        """A body that is no JSON."""
        return self._answer("GET", path, query=query).body.decode()

    def post(self, path: str, body: Json | None = None) -> Json:
        return self._answer("POST", path, body=body, key=str(uuid.uuid4()) if body else "").json

    def put(self, path: str, body: Json) -> Json:
        return self._answer("PUT", path, body=body).json

    def _answer(self, method: str, path: str, **request: Any) -> Answer:
        try:
            return checked(self._client.call(method, path, **request))
        except CliError as error:
            raise LocalError(f"{method} {path}: {'; '.join((error.message, *error.more))}") from error
