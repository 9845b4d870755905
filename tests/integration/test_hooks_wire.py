"""Requests of the hooks go to public addresses alone, at save, test and delivery, and end in time."""

import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

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


_TERMS = "url must be https, with a host, and without credentials or a fragment"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://user:word@shop.example/", _TERMS),
        ("https://shop.example/#part", _TERMS),
        ("https:///hooks", _TERMS),
        ("http://shop.example/", "url must be https"),
    ],
)
def test_a_refusal_says_what_a_url_must_be_and_repeats_no_credentials(
    url: str, said: str, world: Hooked, names: Names
) -> None:
    answer = world.request("hooks/api-create", body={"url": url})

    assert (answer.status, [each["message"] for each in answer.body["errors"]]) == (400, [said])
    assert "word" not in json.dumps(answer.body)


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
            assert post(f"http://{host}/").outcome == "302"

    assert asked == []


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"", b""),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"a"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"a"),
    ],
    ids=["silence", "head", "body", "chunks", "without a length"],
)
def test_a_receiver_that_drips_is_left_at_the_total_deadline(head: bytes, drop: bytes) -> None:
    with serving(dripping(head, drop)) as host:
        assert post(f"http://{host}/", seconds=0.4).outcome == "timeout"


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
    [("120", 120), ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400), ("Fri, 01 Jan 1999 00:00:00 GMT", 0), ("soon", None)],
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
