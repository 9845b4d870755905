"""The guard of requests to hosts that a user names: an adapter of `requests`, which the layers of its users bring.

A name is resolved once, each of its addresses is checked, and the connection goes to a checked address (ssrfguard): a
name that moves in between moves nothing. TLS verifies the name.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from ipaddress import ip_network
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from ssrfguard import AddressTable, Block, Policy, Reach, SSRFGuardError, Target, connect, resolve
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util.ssl_ import create_urllib3_context

MOST_BYTES = 1 << 20
"""An answer may have no more bytes, uncompressed."""


_EXCERPT_SECONDS = 1.0

_ADDRESSES = 2
"""Of a host's addresses, at most so many are tried."""

_PUBLIC = Policy(
    allowed_schemes=frozenset({"https"}), allowed_ports=frozenset({443}), max_connection_attempts=_ADDRESSES
)
_EVERYTHING = AddressTable(
    tuple(Block(ip_network(each), "not private", "PrivateRanges", Reach.DENIED) for each in ("0.0.0.0/0", "::/0"))
)


class NotSent(requests.ConnectionError):
    """Raised when nothing of a request was sent: no connection was made, or its certificate is not valid."""


class TooLate(NotSent):
    """Raised when a request's time was over before its first byte, however long the name or the connection took."""


class NotAllowed(requests.RequestException):
    """Raised when the guard forbids a request, or an answer (`was_sent`). The message says why."""

    def __init__(self, why: str, *, was_sent: bool = False) -> None:
        super().__init__(why)
        self.was_sent = was_sent


class Redirected(NotAllowed):
    """Raised when the answer is a redirect, which nobody follows."""

    def __init__(self, status: int, location: str) -> None:
        super().__init__(f"The answer is a redirect ({status}), which nobody follows", was_sent=True)
        self.status = status
        self.location = location
        """Not in the message, which is logged: it may have a secret in it."""


@dataclass(frozen=True)
class Hosts:
    """Where requests may go.

    `names`: hosts, which are reached by https at port 443. A host with a port, `127.0.0.1:4810`, is reached only at the
    addresses `private`, such as `127.0.0.0/8`, and by http: for a stack on one machine, and for tests.
    """

    names: frozenset[str]
    private: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: Iterable[str], private: Iterable[str] = ()) -> "Hosts":
        """Hosts by their names, in any case."""
        return cls(frozenset(name.lower() for name in names), tuple(private))

    def allows(self, name: str) -> bool:
        """Whether a host is among them; its addresses are checked when they are known."""
        try:
            self.check(base_url(name))
        except NotAllowed:
            return False
        return True

    def check(self, url: str) -> tuple[Target, Policy]:
        """Where a URL leads to, and what holds for its addresses. Raises NotAllowed."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip("."), parts.port
            if port and self.private and f"{host}:{port}" in self.names:
                policy = _only(self.private, port)
            elif host in self.names and ":" not in host and host.strip("0123456789."):
                policy = _PUBLIC
            else:
                raise NotAllowed(f"{host or 'The URL'} is not among the hosts that are allowed")
            return policy.check_url(url), policy
        except (SSRFGuardError, ValueError) as error:
            raise NotAllowed(str(error)) from error


def base_url(name: str) -> str:
    """The URL of a host, without a path."""
    return f"{'http' if ':' in name else 'https'}://{name.lower()}"


def _only(networks: Iterable[str], port: int) -> Policy:
    return Policy(
        allowed_ports=frozenset({port}),
        denied_networks=_EVERYTHING,
        allowed_networks=tuple(map(ip_network, networks)),
        on_partial_block="drop",  # localhost is ::1 too
        max_connection_attempts=_ADDRESSES,
    )


def resolved(hosts: Hosts, url: str) -> None:
    """Look a URL's name up, and check its addresses. Raises NotAllowed; not for a name without an address."""
    target, policy = hosts.check(url)
    try:
        resolve(target, policy=policy)
    except SSRFGuardError as error:
        raise NotAllowed(str(error)) from error
    except OSError:
        return


def session(
    hosts: Hosts, seconds: float, is_late: Callable[[], bool] = lambda: False, excerpt_bytes: int | None = None
) -> requests.Session:
    """A session whose requests go nowhere but to `hosts`, and end within `seconds`, each of them.

    It follows no redirect, retries nothing, keeps neither connections nor cookies, reads no proxy or netrc of the
    environment, and raises errors of `requests`. `is_late`: asked when a connection stands, before the first byte of a
    request; if so, TooLate is raised. A lookup of a name has no timeout, and a frozen function no time. Not for several
    threads. `excerpt_bytes`: the status decides, and of an answer at most so many bytes are read, for a second at most,
    as they come and not uncompressed, whatever breaks meanwhile; else all of it is read, or it is refused.
    """
    guarded = requests.Session()
    guarded.trust_env = False
    guarded.mount("http://", Guard(hosts, seconds, is_late, excerpt_bytes))
    guarded.mount("https://", Guard(hosts, seconds, is_late, excerpt_bytes))
    return guarded


class Guard(HTTPAdapter):
    """Sends each request on a connection of its own: a kept one may be dead, and then nobody knows what was sent."""

    def __init__(
        self,
        hosts: Hosts,
        seconds: float,
        is_late: Callable[[], bool] = lambda: False,
        excerpt_bytes: int | None = None,
    ) -> None:
        self._hosts = hosts
        self._seconds = seconds
        self._is_late = is_late
        self._excerpt_bytes = excerpt_bytes
        super().__init__(max_retries=0)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002 - an answer is read whole, or not at all
        timeout: Any = None,  # noqa: ARG002 - the guard's own is for the whole request
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002 - a proxy would resolve the name itself
    ) -> requests.Response:
        line = _Line(self._hosts, self._seconds, self._is_late)
        self.poolmanager.clear()
        self.poolmanager.pool_classes_by_scheme = line.pools()
        request.headers["Connection"] = "close"
        try:
            self._hosts.check(request.url or "")
            with line:
                answer = super().send(request, stream=True, timeout=self._seconds, verify=verify, cert=cert)
                if line.is_cut:  # a head ends wherever it is cut
                    raise requests.ReadTimeout
                if self._excerpt_bytes:
                    line.hurry()
                body = _read(answer, self._excerpt_bytes)
            if line.is_cut and not self._excerpt_bytes:  # an answer without a length ends wherever it is cut
                raise requests.ReadTimeout
        except SSRFGuardError as error:
            raise NotAllowed(str(error)) from error
        except NotAllowed:
            raise
        except Exception as error:
            raise self._translated(error, line) from error
        answer.raw = BytesIO(body)
        return answer

    def _translated(self, error: Exception, line: "_Line") -> requests.RequestException:
        if line.is_too_late:
            return TooLate("Its time was over before its first byte")
        if not line.is_sent:
            return NotSent(f"No connection: {error}")
        if line.is_cut or isinstance(error, requests.Timeout):  # a single read may end first
            return requests.ReadTimeout(f"No answer within {self._seconds:g} s")
        return requests.ConnectionError(str(error))


def _read(answer: requests.Response, excerpt_bytes: int | None) -> bytes:
    with answer:
        if answer.is_redirect:
            raise Redirected(answer.status_code, answer.headers["location"])
        if excerpt_bytes:
            return _begun(answer.raw, excerpt_bytes)
        body: bytes = answer.raw.read(MOST_BYTES + 1, decode_content=True)
    if len(body) > MOST_BYTES:
        raise NotAllowed(f"The answer has more than {MOST_BYTES} bytes", was_sent=True)
    return body


def _begun(raw: Any, most: int) -> bytes:
    found = b""
    with suppress(HTTPError, OSError):  # the status is there, and decides
        while len(found) < most and (more := raw.read1(most - len(found), decode_content=False)):
            found += more
    return found


@cache
def _trusting(ca_certs: str) -> ssl.SSLContext:
    """A context for the certificates of a file. Reading them takes 14 ms, which each connection would."""
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.load_verify_locations(ca_certs)
    return context


class _Line:
    """The connection of one request, cut when its time is over: urllib3's timeout is for each read, not for all.

    It is cut by a second descriptor of its socket, because TLS takes the first one over.
    """

    def __init__(self, hosts: Hosts, seconds: float, is_late: Callable[[], bool]) -> None:
        self.is_sent = False
        """Whether a byte of the request may have left."""
        self.is_cut = False
        self.is_too_late = False
        """Whether that was why nothing was sent."""
        self._is_late = is_late
        self._hosts = hosts
        self._connect_seconds = seconds / _ADDRESSES
        self._held: list[socket.socket] = []
        self._ends = time.monotonic() + seconds
        self._timer = self._cutting()

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        for each in self._held:
            each.close()

    def hurry(self) -> None:
        """Leave it within a second: nobody needs the rest, and others wait for who reads it."""
        self._timer.cancel()
        self._ends = min(self._ends, time.monotonic() + _EXCERPT_SECONDS)
        self._timer = self._cutting()
        self._timer.start()

    def _cutting(self) -> Timer:
        timer = Timer(max(self._ends - time.monotonic(), 0), self._cut)
        timer.daemon = True
        return timer

    def _cut(self) -> None:
        self.is_cut = True
        for each in self._held:
            with suppress(OSError):  # the other side was faster
                each.shutdown(socket.SHUT_RDWR)

    def begin(self) -> None:
        """Note that bytes of the request may leave from now on. Raises TimeoutError if it is too late for the first."""
        if not self.is_sent and (self.is_cut or self._is_late()):
            self.is_too_late = True
            raise TimeoutError
        self.is_sent = True

    def open(self, scheme: str, connection: HTTPConnection) -> socket.socket:
        """A socket to a checked address of the connection's host. Raises SSRFGuardError, OSError."""
        host = connection._dns_host
        target, policy = self._hosts.check(f"{scheme}://{f'[{host}]' if ':' in host else host}:{connection.port}/")
        addresses = resolve(target, policy=policy)
        made = connect(
            addresses, policy=policy, timeout=self._connect_seconds, socket_options=connection.socket_options
        )
        made.settimeout(None)  # the whole has a time
        self._held.append(made.dup())
        if self.is_cut:
            self._cut()
        return made

    def pools(self) -> dict[str, type[HTTPConnectionPool]]:
        """Pools whose connections are opened here."""
        line = self

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return line.open("http", self)

            def send(self, data: Any) -> None:
                if self.sock is None:
                    self.connect()
                line.begin()
                super().send(data)

        class Encrypted(HTTPSConnection):
            def __init__(self, *arguments: Any, ca_certs: str | None = None, **options: Any) -> None:
                if ca_certs:
                    options["ssl_context"] = _trusting(ca_certs)
                super().__init__(*arguments, **options)

            def _new_conn(self) -> socket.socket:
                return line.open("https", self)

            def send(self, data: Any) -> None:
                line.begin()  # it is connected, and its certificate verified, before anything is sent
                super().send(data)

        class Plains(HTTPConnectionPool):
            ConnectionCls = Plain

        class Encrypteds(HTTPSConnectionPool):
            ConnectionCls = Encrypted

        return {"http": Plains, "https": Encrypteds}
