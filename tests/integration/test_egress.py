"""The guard of requests goes nowhere but where it may, and never for longer than it may."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from gzip import compress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from sluice import egress
from sluice.egress import MOST_BYTES, Hosts, NotAllowed, NotSent, TooLate
from tests.addresses import ADDRESSES, MORE_ADDRESSES, URLS, found

PRIVATE = ("127.0.0.0/8",)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


@contextmanager
def serving(serve: Callable[[socket.socket, Event], None]) -> Iterator[str]:
    """A server that reads a request's head and does the rest as told; gives its host."""
    closing = Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                try:
                    serve(connection, closing)
                except OSError:
                    continue

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        closing.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def saying(*parts: bytes) -> Callable[[socket.socket, Event], None]:
    return lambda connection, _: [connection.sendall(each) for each in parts] and None


def get(host: str, path: str = "/", seconds: float = 8.0, scheme: str = "http") -> requests.Response:
    return egress.session(Hosts.of([host], PRIVATE), seconds).get(f"{scheme}://{host}{path}")


def test_an_answer_is_read_whole() -> None:
    with serving(saying(ANSWER)) as host:
        answer = get(host)

    assert (answer.status_code, answer.text) == (200, "OK")


def test_a_redirect_is_not_followed() -> None:
    with (
        serving(saying(ANSWER)) as other,
        serving(
            saying(f"HTTP/1.1 302 Found\r\nLocation: http://{other}/\r\nContent-Length: 0\r\n\r\n".encode())
        ) as host,
        pytest.raises(NotAllowed, match="redirect") as redirected,
    ):
        egress.session(Hosts.of([host, other], PRIVATE), 8.0).get(f"http://{host}/")

    assert redirected.value.was_sent


@pytest.mark.parametrize("headers", [b"", b"Content-Encoding: gzip\r\n"], ids=["plain", "gzip"])
def test_an_answer_of_more_than_a_mebibyte_is_refused(headers: bytes) -> None:
    body = b"x" * (MOST_BYTES + 1)
    sent = compress(body) if headers else body
    head = b"HTTP/1.1 200 OK\r\n" + headers + f"Content-Length: {len(sent)}\r\n\r\n".encode()

    with serving(saying(head, sent)) as host, pytest.raises(NotAllowed, match="more than 1048576 bytes"):
        get(host)


def test_an_answer_of_a_mebibyte_is_read() -> None:
    body = compress(b"x" * MOST_BYTES)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    with serving(saying(head, body)) as host:
        assert len(get(host).content) == MOST_BYTES


def dripping(head: bytes, drop: bytes) -> Callable[[socket.socket, Event], None]:
    """A byte or so in each hundredth of a second: no single read takes long."""

    def serve(connection: socket.socket, closing: Event) -> None:
        connection.sendall(head)
        while not closing.wait(0.01):
            connection.sendall(drop)

    return serve


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"a"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"a"),
    ],
    ids=["head", "body", "chunks", "without a length"],
)
def test_an_answer_that_drips_is_cut_in_time(head: bytes, drop: bytes) -> None:
    with serving(dripping(head, drop)) as host, pytest.raises(requests.ReadTimeout):
        get(host, seconds=0.4)


def test_a_read_that_ends_before_the_whole_is_cut_is_a_timeout_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both may take as long, so either may be first."""
    monkeypatch.setattr(egress._Line, "_cut", lambda _: None)

    with serving(lambda _, closing: closing.wait() and None) as host, pytest.raises(requests.ReadTimeout):
        get(host, seconds=0.2)


def test_a_handshake_that_never_ends_has_sent_nothing() -> None:
    with serving(lambda _, closing: closing.wait() and None) as host, pytest.raises(NotSent):
        get(host, seconds=0.4, scheme="https")


def test_a_server_without_tls_has_got_nothing() -> None:
    with serving(saying(ANSWER)) as host, pytest.raises(NotSent):
        get(host, scheme="https")


def test_of_an_answer_without_an_end_an_excerpt_is_read() -> None:
    """And the rest is left: it takes no longer than its first bytes."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    with serving(dripping(head, b"400\r\n" + b"a" * 1024 + b"\r\n")) as host:
        answer = egress.session(Hosts.of([host], PRIVATE), 60.0, excerpt_bytes=2048).get(f"http://{host}/")

    assert answer.content == b"a" * 2048


@contextmanager
def serving_tls(folder: Path, name: str) -> Iterator[tuple[str, str, list[bytes]]]:
    """A server that signed its own certificate; gives its host, the file of the certificate, and what it received."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, key_pem = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key_pem)
    received: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError), context.wrap_socket(connection, server_side=True) as encrypted:
                received.append(encrypted.recv(65536))
                encrypted.sendall(ANSWER)

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"localhost:{listener.getsockname()[1]}", str(pem), received
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_a_server_whose_certificate_is_trusted_is_asked(tmp_path: Path) -> None:
    with serving_tls(tmp_path, "localhost") as (host, certificate, _):
        session = egress.session(Hosts.of([host], PRIVATE), 8.0)
        session.verify = certificate

        answers = [session.get(f"https://{host}/").text for _ in range(2)]

    assert answers == ["OK", "OK"]


@pytest.mark.parametrize(("name", "is_trusted"), [("localhost", False), ("another.example", True)])
def test_a_server_with_another_certificate_has_got_nothing(tmp_path: Path, name: str, is_trusted: bool) -> None:
    with serving_tls(tmp_path, name) as (host, certificate, received):
        session = egress.session(Hosts.of([host], PRIVATE), 8.0)
        session.verify = certificate if is_trusted else True

        with pytest.raises(NotSent):
            session.get(f"https://{host}/")

    assert [each for each in received if each] == []


def test_nothing_is_sent_when_it_is_late_once_the_connection_stands() -> None:
    with serving(saying(ANSWER)) as host:
        session = egress.session(Hosts.of([host], PRIVATE), 8.0, lambda: True)

        with pytest.raises(TooLate):
            session.get(f"http://{host}/")


@pytest.fixture
def slow_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that answers when a request's time is over: it has no timeout."""
    over = Event()
    resolve = egress.resolve

    def slowly(*arguments: Any, **options: Any) -> Any:
        assert over.wait(60)
        return resolve(*arguments, **options)

    cut = egress._Line._cut

    def note(line: Any) -> None:
        cut(line)
        over.set()

    monkeypatch.setattr(egress, "resolve", slowly)
    monkeypatch.setattr(egress._Line, "_cut", note)


def test_a_request_whose_first_byte_has_left_is_never_too_late() -> None:
    """Whoever hears that nothing was sent sends it again."""
    is_late = iter([False])
    line = egress._Line(Hosts.of(["mastodon.example"]), 8.0, lambda: next(is_late, True))

    line.begin()
    line.begin()

    assert (line.is_sent, line.is_too_late) == (True, False)


@pytest.mark.usefixtures("slow_names")
def test_nothing_is_sent_when_the_time_is_over_before_the_first_byte() -> None:
    with serving(saying(ANSWER)) as host, pytest.raises(TooLate):
        get(host, seconds=0.2)


@pytest.mark.usefixtures("slow_names")
def test_a_connection_that_comes_when_the_time_is_over_is_left_at_once() -> None:
    """A handshake has no time of its own: it would be waited for until the function is ended."""
    left = Event()

    def wait(connection: socket.socket, _: Event) -> None:
        connection.settimeout(10)
        if not connection.recv(1):
            left.set()

    with serving(wait) as host:
        with pytest.raises(NotSent):
            get(host, seconds=0.2, scheme="https")
        assert left.wait(5)


def test_all_tries_to_connect_end_in_the_time_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no socket yet that could be cut."""
    tried: list[float] = []

    def connect(_: Any, *, policy: Any, timeout: float, **__: Any) -> socket.socket:
        tried.append(policy.max_connection_attempts * timeout)
        raise TimeoutError

    monkeypatch.setattr(egress, "connect", connect)

    with pytest.raises(NotSent):
        get("127.0.0.1:4810", seconds=6.0)

    assert tried == [6.0]


def test_nothing_is_sent_where_nobody_listens() -> None:
    with serving(saying(ANSWER)) as host:
        pass

    with pytest.raises(NotSent):
        get(host)


def test_each_request_has_a_connection_of_its_own() -> None:
    """A server may close a kept one, and then nobody knows whether a post arrived."""
    with serving(saying(ANSWER)) as host:
        session = egress.session(Hosts.of([host], PRIVATE), 8.0)

        answers = [session.post(f"http://{host}/").text for _ in range(3)]

    assert answers == ["OK"] * 3


@pytest.mark.parametrize("url", [*URLS, "https://other.example/", "https://mastodon.example.evil.example/"])
def test_a_url_that_is_not_allowed_is_not_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise AssertionError("a name was looked up, or a connection made")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    monkeypatch.setattr(socket, "socket", nobody)
    session = egress.session(Hosts.of(["mastodon.example", "8.8.8.8", "2606:4700::1111", "2130706433"]), 8.0)

    with pytest.raises((NotAllowed, requests.exceptions.InvalidSchema)):
        session.get(url)


@pytest.mark.parametrize("address", [*ADDRESSES, *MORE_ADDRESSES])
def test_a_name_of_an_address_that_is_not_public_is_not_asked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    session = egress.session(Hosts.of(["mastodon.example"]), 8.0)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found(address))

    with pytest.raises(NotAllowed) as refused:
        session.get("https://mastodon.example/")

    assert not refused.value.was_sent


def test_a_name_with_one_address_that_is_not_public_is_not_asked_at_its_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found("93.184.216.34") + found("10.0.0.1"))
    monkeypatch.setattr(egress, "connect", nobody)

    with pytest.raises(NotAllowed):
        egress.session(Hosts.of(["mastodon.example"]), 8.0).get("https://mastodon.example/")


def test_a_host_with_a_port_is_reached_in_the_private_ranges_alone() -> None:
    with serving(saying(ANSWER)) as host:
        without = Hosts.of([host])
        elsewhere = Hosts.of([host], ("10.0.0.0/8",))

        for hosts in (without, elsewhere):
            with pytest.raises(NotAllowed):
                egress.session(hosts, 8.0).get(f"http://{host}/")

    assert not Hosts.of(["localhost:4810"]).allows("localhost:4810")
    assert not without.allows(host)
    assert not elsewhere.allows("example.com:443")


def test_a_host_with_a_port_is_not_reached_at_a_public_address(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 4810))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)

    with pytest.raises(NotAllowed):
        egress.session(Hosts.of(["shop.example:4810"], PRIVATE), 8.0).get("http://shop.example:4810/")


def test_private_ranges_open_no_other_host() -> None:
    hosts = Hosts.of(["127.0.0.1:4810", "mastodon.example"], PRIVATE)

    assert hosts.allows("127.0.0.1:4810")
    assert hosts.allows("Mastodon.Example")
    assert not hosts.allows("127.0.0.1:4811")
    assert not hosts.allows("127.0.0.1")
    assert not hosts.allows("other.example")


def test_the_environment_sends_nothing_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(saying(ANSWER)) as host:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

        assert get(host).text == "OK"
