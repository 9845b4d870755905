"""Calls of the API, repeated where a repeat cannot apply twice. urllib3 is imported at the first call, not before."""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode, urljoin, urlsplit
from uuid import uuid4

from sluice_cli import VERSION
from sluice_cli.errors import CliError, NotReached, WrongUse, of_status

ATTEMPTS = 4
MOST_WAIT_SECONDS = 30
_CONNECT_SECONDS = 10
_READ_SECONDS = 40  # API Gateway ends a request after 30
_REPEATABLE = (429, 502, 503, 504)
_HINTS = {
    401: "The token is missing, wrong or expired: set SLUICE_TOKEN, or keep one by `sluice login`.",
    403: "The token's role does not allow this: use a token of a higher role.",
}

Json = dict[str, Any]
Query = Mapping[str, object]


@dataclass(frozen=True)
class Answer:
    """A response: its body as it came, so that `--json` prints what the API said."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    url: str

    @property
    def json(self) -> Json:
        """Raises CliError when the body is no JSON object: something that is not Sluice has answered."""
        try:
            found = json.loads(self.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise CliError(f"The answer ({self.status}) is not JSON: is the address that of Sluice's API?")
        return found

    @property
    def code(self) -> str:
        """The code of a refusal in the API's envelope; "" for any other answer."""
        return str(self.problem.get("code") or "") if self.status >= 400 else ""

    @property
    def problem(self) -> Json:
        """The body of a refusal, as far as it is one of the API's."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def next_url(self) -> str:
        """The whole address of the page that the `Link` header names; "" for none."""
        for link in self.headers.get("link", "").split(","):
            address, _, parameters = link.partition(";")
            if 'rel="next"' in parameters or "rel=next" in parameters:
                return urljoin(self.url, address.strip().strip("<>"))
        return ""


class Client:
    """Calls of one API with one token. `tell` takes what `-v` prints: never a token, a query or a body."""

    def __init__(self, url: str, token: str, tell: Callable[[str], None]) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise WrongUse(f"{url!r} is not the address of an API: it begins with https:// (or http://) and a host.")
        if not token.isascii() or not token.isprintable() or " " in token:
            raise WrongUse("The token has characters that no token has: is there a line break or a space in it?")
        self._base = url.rstrip("/") + "/"
        self._token = token
        self._tell = tell
        self._pool: Any = None

    def close(self) -> None:
        """Give the connections back, for a process that goes on; a command ends with its process."""
        if self._pool is not None:
            self._pool.clear()

    def call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Query | None = None,
        key: str = "",
        if_match: str = "",
    ) -> Answer:
        """The answer, of any status. `key` is the Idempotency-Key: with it a write is repeated too, else only a GET is.

        Raises NotReached.
        """
        headers = {"User-Agent": f"sluice-cli/{VERSION}", "Accept": "application/json, text/csv"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if if_match:
            headers["If-Match"] = if_match
        if key:
            headers["Idempotency-Key"] = key
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body, ensure_ascii=False).encode()
        return self._repeated(method, self._url(path, query or {}), headers, content, method == "GET" or bool(key))

    def _repeated(self, method: str, url: str, headers: dict[str, str], content: bytes | None, again: bool) -> Answer:
        attempts = ATTEMPTS if again else 1
        for attempt in range(1, attempts + 1):
            wait = random.uniform(0.5, 1) * 0.4 * 2**attempt
            try:
                answer = self._send(method, url, headers, content)
            except NotReached:
                if attempt == attempts:
                    raise
            else:
                if answer.status not in _REPEATABLE or attempt == attempts:
                    return answer
                wait = _retry_after(answer, wait)
            time.sleep(wait)
        raise AssertionError("the last attempt answers or raises")

    def upload(self, url: str, fields: Mapping[str, str], file: Path, kind: str = "text/csv") -> None:
        """POST a form with a file as its last field, piece by piece, to where the API said: without the token.

        Raises NotReached; CliError when the store answers otherwise than 2xx, or the file changes meanwhile.
        """
        import urllib3

        boundary = uuid4().hex
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        head += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n'
        parts = (f"{head}Content-Type: {kind}\r\n\r\n".encode(), f"\r\n--{boundary}--\r\n".encode())
        length = file.stat().st_size
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(parts[0]) + length + len(parts[1])),
        }
        timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=300)
        try:
            with file.open("rb") as opened, urllib3.PoolManager(timeout=timeout, retries=False) as pool:
                got = pool.request("POST", url, headers=headers, body=_pieces(parts, opened, length), redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise NotReached(
                f"The file was not uploaded to {urlsplit(url).netloc} ({type(error).__name__})."
            ) from error
        self._tell(f"POST {urlsplit(url).path} {got.status}")
        if not 200 <= got.status < 300:
            raise CliError(f"The upload was answered {got.status}: is the file larger than the form allows?")

    def _url(self, path: str, query: Query) -> str:
        url = path if path.startswith(self._base) else urljoin(self._base, path.lstrip("/"))
        if not url.startswith(self._base):
            raise WrongUse(f"{path!r} leads away from {self._base}")
        pairs = [(name, value) for name, value in query.items() if value is not None]
        return f"{url}{'&' if '?' in url else '?'}{urlencode(pairs, doseq=True)}" if pairs else url

    def _send(self, method: str, url: str, headers: dict[str, str], content: bytes | None) -> Answer:
        import urllib3

        if self._pool is None:
            timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS)
            self._pool = urllib3.PoolManager(timeout=timeout, retries=False)
        path, began = urlsplit(url).path, time.monotonic()
        try:
            got = self._pool.request(method, url, headers=headers, body=content, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            self._tell(f"{method} {path}: {type(error).__name__}")
            raise NotReached(
                f"{urlsplit(url).netloc} was not reached ({type(error).__name__}).",
                "Is the address right (SLUICE_URL, --url), and does the API run (`make up`, `sluice health`)?",
            ) from error
        told = {name.lower(): value for name, value in got.headers.items()}
        answer = Answer(got.status, got.data, told, url)
        milliseconds = (time.monotonic() - began) * 1000
        self._tell(f"{method} {path} {answer.status} {milliseconds:.0f} ms {_request_id(answer)}".rstrip())
        return answer


def checked(answer: Answer, hint: str = "") -> Answer:
    """The answer, if it is a good one. Raises the CliError of its status, with a hint of what to do."""
    if 200 <= answer.status < 300:
        return answer
    problem = answer.problem
    message = str(problem.get("message") or f"The API answered {answer.status}")
    code = f" ({problem['code']})" if problem.get("code") else f" ({answer.status})"
    more = [
        f"{each.get('field')}: {each.get('message')}"
        for each in problem.get("errors") or []
        if isinstance(each, dict) and str(each.get("message")) not in message
    ]
    if 300 <= answer.status < 400:
        more.append("That is a redirect, which is not followed: is the address that of Sluice's API?")
    # API Gateway's own 403 has no code: the token itself is not accepted, whatever its role.
    status = 401 if answer.status == 403 and not answer.code else answer.status
    if hint := hint or _HINTS.get(status, ""):
        more.append(hint)
    if request := _request_id(answer):
        more.append(f"request: {request}")
    raise of_status(answer.status)(message + code, *more)


def _pieces(parts: tuple[bytes, bytes], file: IO[bytes], length: int) -> Iterator[bytes]:
    yield parts[0]
    while length:
        piece = file.read(min(length, 1 << 20))
        if not piece:
            raise CliError("The file became shorter while it was uploaded.")
        length -= len(piece)
        yield piece
    yield parts[1]


def _retry_after(answer: Answer, otherwise: float) -> float:
    told = answer.headers.get("retry-after", "")
    return min(float(told), MOST_WAIT_SECONDS) if told.isdecimal() and told.isascii() else otherwise


def _request_id(answer: Answer) -> str:
    for name in ("x-request-id", "apigw-requestid", "x-amzn-requestid"):
        if found := answer.headers.get(name):
            return found
    return ""
