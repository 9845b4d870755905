"""A client of a stack's HTTP API that says which call was refused, and how."""

import uuid
from typing import Any

import httpx

from local.errors import LocalError

Json = dict[str, Any]


class Api:
    """The client of one bearer."""

    def __init__(self, url: str, token: str) -> None:
        # A user agent of our own: recording refuses bots, and HTTP libraries are among them.
        headers = {"authorization": f"Bearer {token}", "user-agent": "Sluice-demo/1.0"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False)

    def get(self, path: str, **query: str) -> Json:
        body: Json = self._answer("GET", path, params=query).json()
        return body

    def text(self, path: str, **query: str) -> str:
        """A body that is no JSON."""
        return self._answer("GET", path, params=query).text

    def post(self, path: str, body: Json | None = None) -> Json:
        headers = {"idempotency-key": str(uuid.uuid4())} if body else {}
        answer: Json = self._answer("POST", path, json=body, headers=headers).json()
        return answer

    def put(self, path: str, body: Json) -> Json:
        answer: Json = self._answer("PUT", path, json=body).json()
        return answer

    def _answer(self, method: str, path: str, **request: Any) -> httpx.Response:
        answer = self._http.request(method, path, **request)
        if answer.is_error:
            raise LocalError(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        return answer
