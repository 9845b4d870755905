"""Requests of the hooks go to public addresses alone, at save, test and delivery, and end in time."""

import json
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from gzip import compress
from typing import Any

import pytest
from urllib3 import response

from hooks.wire import Wire
from sluice import egress
from sluice.clock import SystemClock
from tests.account import Account
from tests.addresses import ADDRESSES, SPELLINGS, URLS, found
from tests.integration.harness import Functions
from tests.integration.hooks_world import Hooked, hooked
from tests.integration.test_egress import ANSWER, dripping, saying, serving

PUBLIC = "93.184.216.34"
PRIVATE = ("127.0.0.0/8",)


@pytest.fixture
def world(aws: Account, functions: Functions) -> Iterator[Hooked]:
    """As on AWS: no private address is allowed."""
    with hooked(aws, functions, private="") as world:
        yield world


class Names:
    """A name server whose answers move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.address = PUBLIC
        self.connected: list[str] = []
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found(self.address))
        monkeypatch.setattr(egress, "connect", self._connect)

    def _connect(self, addresses: Any, **_: Any) -> socket.socket:
        self.connected += [str(each.ip) for each in addresses]
        raise OSError("nobody is there")


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return Names(monkeypatch)


def post(url: str, seconds: float = 60.0, private: tuple[str, ...] = PRIVATE) -> Any:
    now = SystemClock().now()
    return Wire(private, SystemClock(), seconds).post(url, {"webhook-id": "evt_1"}, b"{}", now + timedelta(seconds=60))


@pytest.mark.parametrize("url", [*URLS, *SPELLINGS])
def test_a_url_that_is_no_public_name_is_refused_when_it_is_saved(url: str, world: Hooked) -> None:
    answer = world.request("hooks/api-create", body={"url": url})

    assert (answer.status, answer.fields, answer.body["code"]) == (400, ["url"], "url_not_allowed")


@pytest.mark.parametrize(
    "url", ["https://shöp.example/", "https://shop.example/ä", "https://shop.example/a b", "https://shop.\nexample/"]
)
def test_a_url_that_is_not_as_it_is_sent_is_refused_when_it_is_saved(url: str, world: Hooked, names: Names) -> None:
    """Each request would write it otherwise, and the guard would find another host than the one that was saved."""
    answer = world.request("hooks/api-create", body={"url": url})

    assert (answer.status, answer.fields) == (400, ["url"])


@pytest.mark.parametrize(
    "url",
    [
        "HTTPS://Shop.Example/hooks",
        "https://shop.example:443/hooks",
        "https://shop.example./hooks",
        "https://shop.example?token=1",
        "https://xn--shp-sna.example/",
    ],
)
def test_any_spelling_of_a_public_name_is_saved_and_asked(url: str, world: Hooked, names: Names) -> None:
    assert world.request("hooks/api-create", body={"url": url}).status == 201

    assert post(url, private=()).outcome == "refused"
    assert names.connected == [PUBLIC]


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example:0/",
        "https://shop.example:99999/",
        "https://shop.example:443:443/",
        "https://shop.example:80/",
        "https://@shop.example/",
        "https://:@shop.example/",
        "https://shop.example/#part",
        "https://shop.example\\@127.0.0.1/",
        "https://127.0.0.1\\.shop.example/",
        "https://%31%32%37.0.0.1/",
        "https://127.0.0.1%2eshop.example/",
        "https://[fe80::1%25eth0]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[",
        "https:///hooks",
        "https:shop.example",
        "//shop.example/",
        "shop.example",
        "javascript:alert(1)",
        "https://shop..example/",
        "https://shop.example../",
        f"https://{'a' * 64}.example/",
        f"https://{'a.' * 130}example/",
        "https://shop.example/" + "a" * 2000,
    ],
)
def test_a_url_that_is_none_is_refused_and_never_an_error(url: str, world: Hooked, names: Names) -> None:
    """Whatever the name server would say."""
    answer = world.request("hooks/api-create", body={"url": url})

    assert (answer.status, answer.fields) == (400, ["url"])
    assert post(url, private=()).outcome in ("blocked", "refused")
    assert set(names.connected) <= {PUBLIC}


@pytest.mark.parametrize(
    ("url", "private", "problem"),
    [
        ("shop.example/hooks", (), "url must begin with https:// and the name of a host"),
        ("ftp://shop.example/", PRIVATE, "url must begin with https:// and the name of a host"),
        ("https://me:secret@shop.example/", (), "url must have no credentials and no fragment"),
        ("http://shop.example/", (), "url must be https"),
        ("http://shop.example/", PRIVATE, "url must be https"),
        ("https://shop.example:8443/", (), "url must be on port 443"),
        ("https://93.184.216.34/", (), "url must name its host, not an address"),
        ("https://[2606:2800:220:1::1]/", PRIVATE, "url must name its host, not an address"),
        ("http://shop.example:99999/", PRIVATE, "url is not a valid URL"),
        (
            "http://93.184.216.34:8000/",
            PRIVATE,
            "url has a port, so it must lead to an address within PrivateRanges, 127.0.0.0/8",
        ),
        (
            "https://intern.example/",
            PRIVATE,
            "url must lead to public addresses alone: 10.0.0.7 is not permitted: 10.0.0.0/8 is Private-Use (RFC1918)",
        ),
        ("https://shop.example/", (), None),
        ("http://127.0.0.1:8000/", PRIVATE, None),
    ],
)
def test_a_refusal_says_what_is_wrong_with_a_url(
    url: str, private: tuple[str, ...], problem: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = {"intern.example": "10.0.0.7", "127.0.0.1": "127.0.0.1"}
    monkeypatch.setattr(socket, "getaddrinfo", lambda name, *_, **__: found(addresses.get(name, PUBLIC)))

    assert Wire(private, SystemClock()).problem(url) == problem


@pytest.mark.parametrize("url", [*URLS, *SPELLINGS])
def test_a_url_that_is_no_public_name_is_not_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it were saved: by an older release, or when its name was another's."""

    def nobody(*_: object, **__: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(egress, "connect", nobody)

    assert post(url, private=()).outcome in ("blocked", "refused")


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_name_of_an_address_that_is_not_public_is_refused_at_save_test_and_delivery(
    address: str, world: Hooked, names: Names
) -> None:
    """S1-62. A name may move after each check."""
    body = {"url": "https://shop.example/hooks"}
    names.address = address
    refused = world.request("hooks/api-create", body=body)
    names.address = PUBLIC
    hook = world.hook("create", status=201, body=body)
    world.tell()
    names.address = address
    changed = world.request("hooks/api-edit", ("hok_01KAJ3W5V0SM0FKVYVXB9EQT6N", hook["id"]), body=body)
    tested = world.request("hooks/api-sendtest", ("hok_01KAJ3W5V0SM0FKVYVXB9EQT6N", hook["id"]))

    world.work()

    assert [answer.status for answer in (refused, changed, tested)] == [400] * 3
    assert names.connected == []
    [made] = world.deliveries(hook["id"])
    assert world.delivery(made["id"])["log"][0]["outcome"] == "blocked"


def test_a_public_address_is_asked(world: Hooked, names: Names) -> None:
    hook = world.hook("create", status=201, body={"url": "https://shop.example/hooks"})
    world.tell()

    world.work()

    assert names.connected == [PUBLIC]
    [made] = world.deliveries(hook["id"])
    assert world.delivery(made["id"])["log"][0]["outcome"] == "refused"


def test_the_checked_address_is_the_one_that_is_asked(world: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that moves between check and connection moves nothing: it is looked up once for each request."""
    asked: list[str] = []
    answers = iter([PUBLIC, "127.0.0.1"])

    def lookup(*_: Any, **__: Any) -> Any:
        return found(next(answers))

    def connect(addresses: Any, **_: Any) -> Any:
        asked.extend(str(each.ip) for each in addresses)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(egress, "connect", connect)

    post("https://shop.example/hooks", private=())

    assert asked == [PUBLIC]


def test_a_name_without_an_address_is_saved_and_checked_when_it_has_one(
    world: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)

    assert world.request("hooks/api-create", body={"url": "https://shop.example/"}).status == 201
    assert post("https://shop.example/", private=()).outcome == "refused"


def test_a_redirect_to_a_private_address_is_not_followed() -> None:
    asked: list[bytes] = []

    def inner(connection: socket.socket, _: Any) -> None:
        asked.append(b"asked")
        connection.sendall(ANSWER)

    with serving(inner) as private:
        head = f"HTTP/1.1 302 Found\r\nLocation: http://{private}/\r\nContent-Length: 0\r\n\r\n".encode()
        with serving(saying(head)) as host:
            answered = post(f"http://{host}/")

    assert (answered.outcome, asked) == ("302", [])
    assert answered.excerpt == f"A redirect, which is not followed, to http://{private}/"


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"", b""),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
        (b"HTTP/1.1 100 Continue\r\n", b"\r\nHTTP/1.1 100 Continue\r\n"),
    ],
    ids=["silence", "head", "never a final status"],
)
def test_a_receiver_without_a_whole_head_is_left_at_the_total_deadline(head: bytes, drop: bytes) -> None:
    with serving(dripping(head, drop)) as host:
        assert post(f"http://{host}/", seconds=0.4).outcome == "timeout"


@pytest.mark.parametrize("status", ["200", "500"])
@pytest.mark.parametrize(
    ("more", "drop"),
    [
        (b"Content-Length: 1000\r\n\r\n", b"a"),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (b"\r\n", b"a"),
    ],
    ids=["body", "chunks", "without a length"],
)
def test_a_receiver_that_drips_after_its_status_has_answered_and_is_left(
    status: str, more: bytes, drop: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the event: another request would be a repeat. And a few of its kind would hold all workers."""
    monkeypatch.setattr(egress, "_EXCERPT_SECONDS", 0.2)
    begun = time.monotonic()

    with serving(dripping(f"HTTP/1.1 {status} Any\r\n".encode() + more, drop)) as host:
        answered = post(f"http://{host}/", seconds=60)

    assert answered.outcome == status
    assert set(answered.excerpt) == {"a"}
    assert time.monotonic() - begun < 30


def test_a_body_is_not_waited_for_beyond_the_total_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "_EXCERPT_SECONDS", 60)
    begun = time.monotonic()

    with serving(dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"a")) as host:
        assert post(f"http://{host}/", seconds=0.4).outcome == "200"

    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    "broken",
    [
        b"Content-Length: 1000\r\n\r\nhalf",
        b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
    ],
    ids=["cut off", "no chunk"],
)
def test_a_body_that_breaks_off_changes_no_status(broken: bytes) -> None:
    with serving(saying(b"HTTP/1.1 200 OK\r\n" + broken)) as host:
        answered = post(f"http://{host}/")

    assert (answered.outcome, answered.excerpt) == ("200", "half")


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b"no gzip"),
        ("gzip", compress(bytes(1 << 20))),
        ("gzip, gzip, gzip", compress(compress(compress(bytes(1 << 24))))),
    ],
    ids=["broken", "bomb", "bomb in a bomb"],
)
def test_a_compressed_answer_is_not_unpacked(encoding: str, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker has little memory, and nobody asked for it."""

    def unpack(*_: object) -> None:
        raise AssertionError("it was unpacked")

    monkeypatch.setattr(response, "_get_decoder", unpack)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    with serving(saying(head + body)) as host:
        answered = post(f"http://{host}/")

    assert (answered.outcome, answered.excerpt) == ("200", "")


def test_of_an_answer_that_never_ends_two_kibibytes_are_read() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    with serving(dripping(head, b"400\r\n" + b"a" * 1024 + b"\r\n")) as host:
        answered = post(f"http://{host}/")

    assert (answered.outcome, len(answered.excerpt)) == ("200", 512)


def test_nothing_leaves_after_the_deadline() -> None:
    with serving(saying(ANSWER)) as host:
        late = Wire(PRIVATE, SystemClock()).post(f"http://{host}/", {}, b"{}", SystemClock().now())

    assert late.outcome == "timeout"


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("120", 120),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Fri, 01 Jan 1999 00:00:00 GMT", 0),
        ("soon", None),
        ("Fri, 31 Dec 99999999999999999999 23:59:59 GMT", None),
        ("Fri, 31 Dec 2027 23:59:59", None),
    ],
)
def test_a_wait_is_asked_for_by_seconds_or_by_a_date(asked: str, seconds: int | None) -> None:
    head = f"HTTP/1.1 429 Too Many\r\nRetry-After: {asked}\r\nContent-Length: 0\r\n\r\n".encode()

    with serving(saying(head)) as host:
        waits = post(f"http://{host}/").retry_after

    assert waits == (None if seconds is None else timedelta(seconds=seconds))


def test_no_error_says_what_was_sent(world: Hooked, log_lines: Any, names: Names) -> None:
    hook = world.hook("create", status=201, body={"url": "https://shop.example/hooks"})
    rotated = world.hook("rotate", hook["id"], body={})
    world.tell()
    world.work()

    said = json.dumps(log_lines()) + str(
        [world.aws.items(each) for each in ("HooksTable", "AuditTable", "OutboxTable")]
    )

    assert hook["secret"] != rotated["secret"]
    for secret in (hook["secret"], rotated["secret"]):
        assert secret.removeprefix("whsec_") not in said
    assert "v1," not in said
