"""Every provider keeps the promises of `Provider`: one suite, on the sandbox and over real HTTP.

The numbers of public reports are those of the facts on broadcasts.
"""

import hmac
import json
import socket
from base64 import b64decode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import jwt
import pytest

from broadcasts.meanings import blocks_instance, suppresses
from broadcasts.ports import (
    HOST_NOT_ALLOWED,
    INBOUND_BYTES,
    PATIENT,
    QUICK,
    TOO_LATE,
    UNREACHABLE,
    Accepted,
    InboundEvent,
    Media,
    MediaType,
    Message,
    Refused,
    Scope,
    StatusEvent,
    TemplateCall,
    Throttled,
    Untrusted,
)
from broadcasts.providers.aws import Aws, numbers_of
from broadcasts.providers.evolution import Evolution, is_same_person
from broadcasts.providers.meta import Meta, challenge
from broadcasts.providers.sandbox import Script
from broadcasts.providers.wire import Wire
from broadcasts.row import Evidence
from local.fakes import webhooks
from local.fakes.http import TOKEN
from local.fakes.messages import Call, Fault
from local.fakes.webhooks import APP_SECRET, JWT_KEY
from sluice import egress
from sluice.egress import Hosts
from sluice.outward import Absent, CannotTell, Found, Unknown
from tests.factories import NOON, FixedClock
from tests.integration import providers_world as worlds
from tests.integration.providers_world import NUMBER, Monotonic, World, new_attempt

EVERY = ["sandbox", "evolution", "meta", "aws"]
OVER_HTTP = ["evolution", "meta", "aws"]
CLOUD = ["meta", "aws"]
MADE_WITHOUT_ANSWER = (Fault.LOST, Fault.FAILED, Fault.GATEWAY, Fault.BAD_REQUEST, Fault.GARBAGE)
DELIVERED = [Evidence.SENT, Evidence.DELIVERED]


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    name: str = request.param
    clock = FixedClock()
    with ExitStack() as stack:
        making = worlds.sandbox(clock) if name == "sandbox" else worlds.over_http(name, clock)
        yield stack.enter_context(making)


def on(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("world", names, indirect=True)


@on(*EVERY)
def test_a_message_is_accepted_once(world: World) -> None:
    """S5-50: over HTTP, by each provider."""
    phone = world.phone()

    outcome = world.send(phone)

    assert isinstance(outcome, Accepted)
    assert outcome.message_id
    assert world.accepted(phone) == 1


@on(*EVERY)
def test_messages_of_several_threads_do_not_mix(world: World) -> None:
    phones = [world.phone() for _ in range(12)]

    with ThreadPoolExecutor(6) as threads:
        outcomes = list(threads.map(world.send, phones))

    assert len({each.message_id for each in outcomes if isinstance(each, Accepted)}) == len(phones)
    assert [world.accepted(each) for each in phones] == [1] * len(phones)


@on(*EVERY)
def test_a_number_that_is_not_on_whatsapp_is_refused_for_good(world: World) -> None:
    phone = world.phone(Fault.UNKNOWN_NUMBER)

    outcome = world.send(phone)

    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.is_final) == (Scope.RECIPIENT, True)
    assert outcome.code
    assert outcome.text
    assert world.accepted(phone) == 0


@on("sandbox", "meta")
def test_a_recipient_that_is_refused_for_now_is_accepted_later(world: World) -> None:
    phone = world.phone(Fault.LATER)

    first = world.send(phone)
    second = world.send(phone)

    assert isinstance(first, Refused)
    assert (first.scope, first.is_final) == (Scope.RECIPIENT, False)
    assert isinstance(second, Accepted)
    assert world.accepted(phone) == 1


@on("sandbox", "meta")
def test_a_paused_template_is_refused_with_its_campaign(world: World) -> None:
    phone = world.phone(Fault.TEMPLATE)

    outcome = world.send(phone)

    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.code) == (Scope.CAMPAIGN, "132015")
    assert world.accepted(phone) == 0


@on(*EVERY)
def test_a_token_that_is_not_valid_is_refused_with_its_instance(world: World) -> None:
    phone = world.phone(Fault.TOKEN)

    outcome = world.send(phone)

    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.is_final) == (Scope.INSTANCE, True)
    assert world.accepted(phone) == 0


@pytest.mark.parametrize("name", ["evolution", "meta"])
def test_nothing_is_sent_with_another_token(name: str) -> None:
    with worlds.over_http(name, FixedClock(), token="another") as world:
        phone = world.phone()

        outcome = world.send(phone)

        assert isinstance(outcome, Refused)
        assert outcome.scope is Scope.INSTANCE
        assert TOKEN not in outcome.text
        assert world.accepted(phone) == 0


@on(*EVERY)
@pytest.mark.parametrize(("fault", "after"), [(Fault.THROTTLED, 2.0), (Fault.THROTTLED_BARE, None)])
def test_a_throttled_message_is_not_accepted_and_may_come_again(
    world: World, fault: Fault, after: float | None
) -> None:
    """Report 5: a throttle is no failure."""
    phone = world.phone(fault)

    first = world.send(phone)
    second = world.send(phone)

    assert first == Throttled(after)
    assert isinstance(second, Accepted)
    assert world.accepted(phone) == 1


@on(*OVER_HTTP)
@pytest.mark.parametrize("fault", MADE_WITHOUT_ANSWER)
def test_a_message_that_was_accepted_without_a_good_answer_is_unknown_and_sent_once(world: World, fault: Fault) -> None:
    phone = world.phone(fault)

    outcome = world.send(phone)

    assert isinstance(outcome, Unknown)
    assert world.fake
    assert world.fake.messages.made(phone) == 1
    assert world.accepted(phone) == 1


@pytest.mark.parametrize("name", OVER_HTTP)
@pytest.mark.parametrize(("fault", "accepted"), [(Fault.HANG, 0), (Fault.SLOW, 1)])
def test_a_call_that_is_not_answered_in_time_is_unknown_and_made_once(name: str, fault: Fault, accepted: int) -> None:
    """evolution-api#2192: one slow request was sent several times."""
    with worlds.over_http(name, FixedClock(), seconds=1.5) as world:
        phone = world.phone(fault)

        outcome = world.send(phone)

        assert outcome == Unknown("No answer in time")
        assert world.fake
        assert world.fake.messages.made(phone) == 1
        assert world.accepted(phone) == accepted


@on(*OVER_HTTP)
def test_a_connection_that_is_reset_leaves_the_outcome_unknown(world: World) -> None:
    phone = world.phone(Fault.DROPPED)

    outcome = world.send(phone)

    assert isinstance(outcome, Unknown)
    assert world.fake
    assert world.fake.messages.made(phone) == 1


@on("sandbox", "evolution")
def test_a_message_whose_answer_was_lost_is_found(world: World) -> None:
    phone, attempt = world.phone(Fault.LOST), new_attempt()

    outcome = world.send(phone, attempt)
    seen = world.find(phone, attempt)

    assert isinstance(outcome, Unknown)
    assert isinstance(seen, Found)
    assert world.accepted(phone) == 1


@pytest.mark.parametrize("name", ["sandbox", "evolution"])
def test_a_message_that_was_not_accepted_is_absent(name: str) -> None:
    making = worlds.sandbox(FixedClock()) if name == "sandbox" else worlds.over_http(name, FixedClock(), seconds=1.5)
    with making as world:
        phone, attempt = world.phone(Fault.HANG), new_attempt()

        outcome = world.send(phone, attempt)

        assert isinstance(outcome, Unknown)
        assert world.find(phone, attempt) == Absent()


@on("sandbox", "evolution")
def test_a_message_that_nobody_called_for_is_absent(world: World) -> None:
    """Amendment 12: a crash between the claim and the call."""
    phone = world.phone(Fault.READ)

    assert world.provider.can_be_asked
    assert world.find(phone, new_attempt()) == Absent()


@on(*CLOUD)
def test_a_provider_that_keeps_no_messages_cannot_tell(world: World) -> None:
    phone, attempt = world.phone(), new_attempt()
    world.send(phone, attempt)

    assert not world.provider.can_be_asked
    assert isinstance(world.find(phone, attempt), CannotTell)


@on("sandbox")
def test_an_attempt_of_the_sandbox_is_found_by_itself_alone(world: World) -> None:
    phone, attempt = world.phone(), new_attempt()
    sent = world.send(phone, attempt)

    assert isinstance(sent, Accepted)
    assert world.find(phone, attempt) == Found(sent.message_id)
    assert world.find(phone, new_attempt()) == Absent()
    assert world.provider.absence_is_proof


@on("sandbox")
def test_a_slow_sandbox_answers_if_there_is_time(world: World) -> None:
    phone = f"55119999{Script.SLOW}"

    in_time = world.send(phone, seconds=30)
    too_slow = world.send(phone, seconds=1)

    assert isinstance(in_time, Accepted)
    assert isinstance(too_slow, Unknown)
    assert world.accepted(phone) == 2


@on("sandbox")
def test_the_sandbox_answers_stop_for_a_person_and_suppresses_another(world: World) -> None:
    world.send(f"55119999{Script.STOPS}")
    *_, stop = [world.told.get(timeout=5) for _ in range(3)]
    world.send(f"55119999{Script.OPTED_OUT}")
    opted_out = world.told.get(timeout=5)

    assert isinstance(stop, InboundEvent)
    assert (stop.sender, stop.text) == (f"55119999{Script.STOPS}", "STOP")
    assert isinstance(opted_out, StatusEvent)
    assert (opted_out.status, suppresses(str(opted_out.code))) == (Evidence.FAILED, True)


@on("sandbox")
def test_a_message_that_the_sandbox_loses_for_good_is_never_known(world: World) -> None:
    phone, attempt = f"55119999{Script.LOST_FOR_GOOD}", new_attempt()

    assert isinstance(world.send(phone, attempt), Unknown)
    assert isinstance(world.find(phone, attempt), CannotTell)
    assert world.told.empty()


# What is sent when


@pytest.mark.parametrize("name", OVER_HTTP)
def test_a_provider_that_nobody_can_reach_has_got_nothing(name: str) -> None:
    with worlds.over_http(name, FixedClock()) as world:
        phone = world.phone()

    outcome = world.send(phone)

    assert outcome == Refused(Scope.RECIPIENT, False, UNREACHABLE, "The provider cannot be reached")


@on(*OVER_HTTP)
def test_nothing_is_sent_after_the_deadline(world: World) -> None:
    phone = world.phone()

    outcome = world.send(phone, seconds=0)

    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.is_final, outcome.code) == (Scope.RECIPIENT, False, TOO_LATE)
    assert world.fake
    assert world.fake.messages.made() == 0


def monotonic_passes(world: World) -> None:
    world.monotonic.time += 90


def wall_clock_passes(world: World) -> None:
    """The function was frozen, and its monotonic clock with it."""
    world.clock.time += timedelta(hours=3)


@pytest.mark.parametrize("name", OVER_HTTP)
@pytest.mark.parametrize("passes", [monotonic_passes, wall_clock_passes])
def test_nothing_is_sent_when_the_name_server_answers_after_the_deadline(
    name: str, passes: Callable[[World], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Amendment 8: a lookup has no timeout, and a thread that is frozen in it thaws hours later."""
    with worlds.over_http(name, FixedClock()) as world:
        assert world.fake
        world.fake.hooks.clear()  # it would look its own names up
        _, port = world.fake.host.split(":")
        hosts = Hosts.of([f"localhost:{port}"], worlds.PRIVATE)
        wire = Wire(hosts, world.clock, world.monotonic)
        world.provider = worlds.provider_of(name, f"http://localhost:{port}", wire, world.monotonic)
        answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", int(port)))]
        slow: list[str] = []

        def lookup(host: str, *_: Any, **__: Any) -> Any:
            slow.append(host)
            if len(slow) > 1:
                passes(world)
            return answer

        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        in_time = world.send("5511987654321")
        too_late = world.send("5511987654322")

        assert isinstance(in_time, Accepted)
        assert slow == ["localhost", "localhost"]
        assert isinstance(too_late, Refused)
        assert (too_late.is_final, too_late.code) == (False, TOO_LATE)
        assert world.fake.messages.made() == 1


@on(*OVER_HTTP)
@pytest.mark.parametrize("passes", [monotonic_passes, wall_clock_passes])
def test_nothing_is_sent_when_the_connection_stands_after_the_deadline(
    world: World, passes: Callable[[World], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = egress.connect

    def slowly(*arguments: Any, **options: Any) -> socket.socket:
        made = connect(*arguments, **options)
        passes(world)
        return made

    monkeypatch.setattr(egress, "connect", slowly)

    outcome = world.send(world.phone())

    assert isinstance(outcome, Refused)
    assert (outcome.is_final, outcome.code) == (False, TOO_LATE)
    assert world.fake
    assert world.fake.messages.made() == 0


@pytest.mark.parametrize("name", OVER_HTTP)
def test_a_private_address_is_refused_with_its_instance(name: str) -> None:
    with worlds.over_http(name, FixedClock()) as world:
        assert world.fake
        wire = Wire(Hosts.of([world.fake.host]), world.clock, world.monotonic)
        world.provider = worlds.provider_of(name, f"http://{world.fake.host}", wire, world.monotonic)

        outcome = world.send(world.phone())

        assert isinstance(outcome, Refused)
        assert (outcome.scope, outcome.code) == (Scope.INSTANCE, HOST_NOT_ALLOWED)
        assert world.fake.messages.made() == 0


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1"])
def test_a_name_of_a_private_address_is_refused_with_its_instance(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    monotonic = Monotonic()
    wire = Wire(Hosts.of(["evolution.example"]), FixedClock(), monotonic)
    provider = Evolution("shop", "https://evolution.example", TOKEN, JWT_KEY, wire, monotonic=monotonic)

    outcome = provider.send(a_message(), new_attempt(), 1_030.0)

    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.code) == (Scope.INSTANCE, HOST_NOT_ALLOWED)


@pytest.mark.parametrize("url", ["", "no url", "ftp://evolution.example", "https://", "https://[half"])
def test_an_address_that_is_no_url_is_refused_with_its_instance(url: str) -> None:
    monotonic = Monotonic()
    wire = Wire(Hosts.of(["evolution.example"]), FixedClock(), monotonic)
    provider = Evolution("shop", url, TOKEN, JWT_KEY, wire, monotonic=monotonic)

    outcome = provider.send(a_message(), new_attempt(), 1_030.0)

    assert isinstance(outcome, Refused)
    assert outcome.scope is Scope.INSTANCE


def test_a_credential_that_is_no_header_is_refused_without_saying_it() -> None:
    with worlds.over_http("meta", FixedClock(), token="secret\r\nX-More: 1") as world:
        outcome = world.send(world.phone())

        assert isinstance(outcome, Refused)
        assert outcome.scope is Scope.INSTANCE
        assert "secret" not in outcome.text


def a_message(to: str = "5511987654321", text: str = "Hi Ana") -> Message:
    return Message(to, text, callback="brd_x/g1/r03/17342/01J")


def test_each_thread_that_asks_aws_has_its_own_deadline() -> None:
    client, both = worlds.aws_client("http://127.0.0.1:9"), Barrier(2, timeout=60)
    deadlines: dict[str, float] = {}

    def post(_: str, __: object, body: bytes, deadline: float) -> Unknown:
        sent = json.loads(b64decode(json.loads(body)["message"]))
        deadlines[sent["to"]] = deadline
        return Unknown("no answer")

    client.meta.events.register("before-sign.socialmessaging", lambda **_: both.wait() and None)
    provider = Aws(NUMBER["aws"], post, client=lambda: client)

    def send(number: int) -> Any:
        return provider.send(a_message(str(number)), new_attempt(), float(number))

    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(send, (5511900000001, 5511900000002)))

    assert outcomes == [Unknown("no answer")] * 2
    assert deadlines == {"+5511900000001": 5511900000001.0, "+5511900000002": 5511900000002.0}


# What is sent


@on("evolution")
@pytest.mark.parametrize("media", [None, Media("https://shop.example/a%20b.pdf", MediaType.DOCUMENT)])
def test_evolution_is_asked_to_type_for_a_second_at_most(world: World, media: Media | None) -> None:
    """evolution-api#2192: a `delay` of 31 s was sent several times."""
    world.send(world.phone(), media=media)

    assert world.fake
    assert 0 <= world.fake.messages.calls[0].body["delay"] <= 1_000


@on("evolution")
def test_evolution_is_sent_a_text_or_media_with_it(world: World) -> None:
    text, picture = world.phone(), world.phone()

    world.send(text, text="Olá 🎉\nbye")
    world.send(picture, text="Look", media=Media("https://shop.example/a%20b.png", MediaType.IMAGE))

    assert world.fake
    first, second = world.fake.messages.calls
    assert first.body == {"number": text, "text": "Olá 🎉\nbye", "delay": 0, "linkPreview": False}
    assert second.body == {
        "number": picture,
        "mediatype": "image",
        "media": "https://shop.example/a%20b.png",
        "caption": "Look",
        "fileName": "a b.png",
        "delay": 0,
    }


@on(*CLOUD)
def test_the_cloud_api_is_sent_a_text_with_our_callback(world: World) -> None:
    phone, attempt = world.phone(), new_attempt()

    world.send(phone, attempt, text="Olá 🎉\nbye")

    assert world.fake
    assert world.fake.messages.calls[0].body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": f"+{phone}",
        "biz_opaque_callback_data": f"brd_x/g1/r03/17342/{attempt}",
        "type": "text",
        "text": {"preview_url": False, "body": "Olá 🎉\nbye"},
    }


@on(*CLOUD)
def test_the_cloud_api_is_sent_media_by_its_url(world: World) -> None:
    for media in (
        Media("https://shop.example/a.png", MediaType.IMAGE),
        Media("https://shop.example/a.mp3", MediaType.AUDIO),
        Media("https://shop.example/x/price%20list.pdf?v=2", MediaType.DOCUMENT),
    ):
        world.send(world.phone(), text="Look", media=media)

    assert world.fake
    picture, sound, document = (each.body for each in world.fake.messages.calls)
    assert picture["image"] == {"link": "https://shop.example/a.png", "caption": "Look"}
    assert sound["audio"] == {"link": "https://shop.example/a.mp3"}
    assert document["document"] == {
        "link": "https://shop.example/x/price%20list.pdf?v=2",
        "caption": "Look",
        "filename": "price list.pdf",
    }


@on(*CLOUD)
def test_the_cloud_api_is_sent_a_template_with_its_values(world: World) -> None:
    picture = Media("https://shop.example/a.png", MediaType.IMAGE)

    world.send(world.phone(), template=TemplateCall("launch", "pt_BR", ("Ana",), ("10 %", "today")))
    world.send(world.phone(), template=TemplateCall("launch", "pt_BR", (), ("10 %",)), media=picture)
    world.send(world.phone(), template=TemplateCall("plain", "en"))

    assert world.fake
    texts, with_picture, plain = (each.body for each in world.fake.messages.calls)
    assert texts["type"] == "template"
    assert texts["template"] == {
        "name": "launch",
        "language": {"code": "pt_BR"},
        "components": [
            {"type": "header", "parameters": [{"type": "text", "text": "Ana"}]},
            {"type": "body", "parameters": [{"type": "text", "text": "10 %"}, {"type": "text", "text": "today"}]},
        ],
    }
    assert with_picture["template"]["components"][0] == {
        "type": "header",
        "parameters": [{"type": "image", "image": {"link": "https://shop.example/a.png"}}],
    }
    assert plain["template"] == {"name": "plain", "language": {"code": "en"}}


# Answers without an id


@on("evolution")
def test_a_message_of_evolution_without_a_key_is_refused_by_the_code_of_meta(world: World) -> None:
    phone = world.phone(Fault.NO_ID)

    outcome = world.send(phone)

    assert outcome == Refused(Scope.RECIPIENT, True, "131047", "(#131047) Re-engagement message")


@on(*CLOUD)
def test_an_answer_of_the_cloud_api_without_an_id_is_unknown(world: World) -> None:
    assert isinstance(world.send(world.phone(Fault.NO_ID)), Unknown)


# Looking up


def sent_by_evolution(world: World, phone: str, **more: Any) -> str:
    outcome = world.send(phone, **more)
    assert isinstance(outcome, Accepted)
    return outcome.message_id


@on("evolution")
def test_a_message_is_not_taken_for_another_persons_or_another_text(world: World) -> None:
    ana, bia = world.phone(), world.phone()
    of_ana = sent_by_evolution(world, ana, text="Hi")

    assert world.find(bia, new_attempt(), text="Hi") == Absent()
    assert world.find(ana, new_attempt(), text="Hi!") == Absent()
    assert world.find(ana, new_attempt(), text="Hi") == Found(of_ana)


@on("evolution")
def test_a_message_that_another_row_has_is_not_taken(world: World) -> None:
    ana = world.phone()
    earlier = sent_by_evolution(world, ana, text="Hi")

    assert world.find(ana, new_attempt(), [earlier], text="Hi") == Absent()
    later = sent_by_evolution(world, ana, text="Hi")
    assert world.find(ana, new_attempt(), [earlier], text="Hi") == Found(later)


@on("evolution")
@pytest.mark.parametrize("knows_windows", [True, False])
def test_a_message_outside_its_window_is_not_taken(world: World, knows_windows: bool) -> None:
    assert world.fake
    world.fake.knows_windows = knows_windows
    ana = world.phone()
    sent_by_evolution(world, ana, text="Hi")
    world.clock.time += timedelta(seconds=61)

    assert world.find(ana, new_attempt(), text="Hi") == Absent()


@on("evolution")
def test_a_caption_is_found(world: World) -> None:
    ana, media = world.phone(), Media("https://shop.example/a.png", MediaType.IMAGE)
    sent = sent_by_evolution(world, ana, text="Look", media=media)

    assert world.find(ana, new_attempt(), text="Look", media=media) == Found(sent)


@on("evolution")
def test_a_brazilian_mobile_is_found_without_its_ninth_digit(world: World) -> None:
    assert world.fake
    world.fake.messages.jids["5511987654321"] = "551187654321@s.whatsapp.net"
    sent = sent_by_evolution(world, "5511987654321")

    assert world.find("5511987654321", new_attempt()) == Found(sent)


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("5511987654321", "551187654321", True),
        ("551187654321", "5511987654321", True),
        ("5511987654321", "5511987654321", True),
        ("5511987654321", "551187654322", False),
        ("351911234567", "35111234567", False),
    ],
)
def test_two_phones_are_of_one_person(one: str, other: str, are_same: bool) -> None:
    assert is_same_person(one, other) is are_same


@on("evolution")
def test_nobody_can_tell_whose_a_message_to_an_anonymous_id_is(world: World) -> None:
    """To take it for absent would send it twice."""
    assert world.fake
    ana = world.phone()
    world.fake.messages.jids[ana] = "71738291@lid"
    sent_by_evolution(world, ana, text="Hi")

    assert isinstance(world.find(ana, new_attempt(), text="Hi"), CannotTell)
    assert world.find(ana, new_attempt(), text="Other") == Absent()


@on("evolution")
def test_a_message_is_found_on_a_later_page(world: World) -> None:
    ana, others = world.phone(), world.phone()
    sent = sent_by_evolution(world, ana, text="Hi")
    for _ in range(100):
        sent_by_evolution(world, others, text="Hi")

    assert world.find(ana, new_attempt(), text="Hi") == Found(sent)


@on("evolution")
def test_nobody_can_tell_among_too_many_messages(world: World) -> None:
    assert world.fake
    ana, others = world.phone(), world.phone()
    template = Call("evolution", NUMBER["evolution"], others, "Hi", "", {"text": "Hi"}, NOON, message_id="3EB0")
    sent_by_evolution(world, ana, text="Hi")
    world.fake.messages.calls += [template] * 1_000

    assert isinstance(world.find(ana, new_attempt(), text="Hi"), CannotTell)


@on("evolution")
def test_the_search_ends_where_the_messages_are_older(world: World) -> None:
    """A server that looks up by no time has months of them."""
    assert world.fake
    world.fake.knows_windows = False
    old = Call("evolution", NUMBER["evolution"], "5511900000001", "Hi", "", {"text": "Hi"}, NOON, message_id="3EB0")
    for number in range(2_000):
        world.fake.messages.calls.append(replace(old, began_at=NOON - timedelta(seconds=4_000 - number)))

    assert world.find(world.phone(), new_attempt(), text="Hi") == Absent()


@on("evolution")
def test_a_server_that_keeps_no_messages_proves_nothing(world: World) -> None:
    assert world.fake
    world.fake.keeps_messages = False
    ana = world.phone()
    sent_by_evolution(world, ana)

    assert world.find(ana, new_attempt()) == Absent()
    assert not world.provider.absence_is_proof


def test_a_look_that_is_not_answered_well_cannot_tell() -> None:
    with worlds.over_http("evolution", FixedClock(), token="another") as world:
        phone = world.phone()
        refused = world.find(phone, new_attempt())
    unreachable = world.find(phone, new_attempt())

    assert isinstance(refused, CannotTell)
    assert isinstance(unreachable, CannotTell)


# Webhooks


@on(*EVERY)
@pytest.mark.parametrize(
    ("faults", "statuses"),
    [
        ((), DELIVERED),
        ((Fault.WEBHOOK_FIRST,), DELIVERED),
        ((Fault.WEBHOOK_TWICE,), [Evidence.SENT, Evidence.SENT, Evidence.DELIVERED, Evidence.DELIVERED]),
        ((Fault.READ,), [*DELIVERED, Evidence.READ]),
        ((Fault.WRONG_ORDER,), [Evidence.READ, Evidence.DELIVERED, Evidence.SENT]),
    ],
)
def test_what_becomes_of_a_message_is_told(world: World, faults: tuple[Fault, ...], statuses: list[Evidence]) -> None:
    phone, attempt = world.phone(*faults), new_attempt()

    outcome = world.send(phone, attempt)
    events = world.next_events(len(statuses))

    assert isinstance(outcome, Accepted)
    assert [each.status for each in events] == statuses
    callback = None if world.name == "evolution" else f"brd_x/g1/r03/17342/{attempt}"
    assert {(each.message_id, each.callback) for each in events} == {(outcome.message_id, callback)}
    assert not any(each.retryable or each.code for each in events)


@on(*EVERY)
def test_a_webhook_may_come_before_the_answer(world: World) -> None:
    """Report 11: known by its id alone, and dropped."""
    phone = world.phone(Fault.WEBHOOK_FIRST)

    world.send(phone)

    # All that came first is there when the answer is.
    assert world.told.qsize() == len(DELIVERED)


@on(*OVER_HTTP)
def test_an_answer_may_be_lost_and_the_webhooks_come(world: World) -> None:
    phone, attempt = world.phone(Fault.LOST), new_attempt()

    outcome = world.send(phone, attempt)
    events = world.next_events(2)

    assert isinstance(outcome, Unknown)
    assert [each.status for each in events] == DELIVERED


@on("sandbox")
def test_no_webhook_comes_if_none_should(world: World) -> None:
    outcome = world.send(world.phone(Fault.WEBHOOK_NEVER))

    assert isinstance(outcome, Accepted)
    assert world.told.empty()


@on("sandbox")
def test_the_sandbox_trusts_no_webhook(world: World) -> None:
    with pytest.raises(Untrusted):
        world.provider.parse_events(b"{}", {}, NOON)


def a_call(name: str, message_id: str = "wamid.1") -> Call:
    return Call(name, NUMBER[name], "5511987654321", "Hi", "brd_x/g1/r03/17342/01J", {}, NOON, message_id=message_id)


def a_provider(name: str, app_secret: str = APP_SECRET, jwt_key: str = JWT_KEY) -> Any:
    """One that only reads webhooks."""

    def post(*_: object) -> Any:
        raise AssertionError("a request was made")

    match name:
        case "evolution":
            return Evolution(NUMBER[name], "https://evolution.example", TOKEN, jwt_key, post)
        case "meta":
            return Meta(NUMBER[name], TOKEN, app_secret, post)
        case _:
            return Aws(NUMBER[name], post, client=lambda: worlds.aws_client("http://127.0.0.1:9"))


@pytest.mark.parametrize("name", OVER_HTTP)
@pytest.mark.parametrize(
    ("word", "status"),
    [("sent", Evidence.SENT), ("delivered", Evidence.DELIVERED), ("read", Evidence.READ), ("failed", Evidence.FAILED)],
)
def test_a_status_is_read(name: str, word: str, status: Evidence) -> None:
    webhook = webhooks.status(a_call(name), word, NOON)

    (event,) = a_provider(name).parse_events(webhook.body, webhook.headers, NOON)

    callback = None if name == "evolution" else "brd_x/g1/r03/17342/01J"
    assert (event.status, event.message_id, event.callback, event.at) == (status, "wamid.1", callback, NOON)
    assert bool(event.code) is (status is Evidence.FAILED)


@pytest.mark.parametrize("name", OVER_HTTP)
@pytest.mark.parametrize("word", ["PENDING", "DELETED", "warning", ""])
def test_a_status_that_says_nothing_is_left_out(name: str, word: str) -> None:
    webhook = webhooks.status(a_call(name), word, NOON)

    assert a_provider(name).parse_events(webhook.body, webhook.headers, NOON) == []


@pytest.mark.parametrize("word", ["PLAYED", "SENT", "DELIVERED", "READ", "FAILED"])
def test_a_status_of_evolution_for_a_business_is_read(word: str) -> None:
    webhook = webhooks.status(a_call("evolution"), word, NOON)

    assert len(a_provider("evolution").parse_events(webhook.body, webhook.headers, NOON)) == 1


@pytest.mark.parametrize("name", CLOUD)
@pytest.mark.parametrize(
    ("code", "retryable", "is_objection", "blocks"),
    [
        (131026, False, False, False),
        (131047, False, False, False),
        (131048, True, False, True),
        (131049, True, False, False),
        (131050, False, True, False),
        (131053, True, False, False),
        (132015, True, False, False),
        (190, True, False, True),
        (130429, True, False, False),
        (999999, True, False, False),
        ("odd", True, False, False),
    ],
)
def test_a_failure_after_acceptance_is_read_by_its_code(
    name: str, code: object, retryable: bool, is_objection: bool, blocks: bool
) -> None:
    webhook = webhooks.status(a_call(name), "failed", NOON, code=code)

    (event,) = a_provider(name).parse_events(webhook.body, webhook.headers, NOON)

    assert (event.status, event.code, event.text) == (Evidence.FAILED, str(code), "Message Undeliverable.")
    assert event.retryable == retryable
    assert (suppresses(str(event.code)), blocks_instance(str(event.code))) == (is_objection, blocks)


@pytest.mark.parametrize("name", OVER_HTTP)
def test_an_inbound_text_is_read_and_cut(name: str) -> None:
    webhook = webhooks.inbound(name, NUMBER[name], "5511987654321", "é" * 1_000, NOON)

    (event,) = a_provider(name).parse_events(webhook.body, webhook.headers, NOON)

    assert isinstance(event, InboundEvent)
    assert (event.sender, event.at) == ("5511987654321", NOON)
    assert event.text == "é" * (INBOUND_BYTES // 2)


@pytest.mark.parametrize("name", OVER_HTTP)
def test_a_clock_that_is_ahead_does_not_date_a_word_into_the_future(name: str) -> None:
    """The later of STOP and START wins."""
    webhook = webhooks.inbound(name, NUMBER[name], "5511987654321", "STOP", NOON + timedelta(seconds=50))

    (event,) = a_provider(name).parse_events(webhook.body, webhook.headers, NOON)

    assert event.at == NOON


@pytest.mark.parametrize("name", CLOUD)
def test_events_that_nobody_can_read_leave_the_others_alone(name: str) -> None:
    """Report 12: many statuses beside the one word that matters."""
    odd: list[Any] = [None, 7, {}, {"id": 3, "status": []}, {"id": "wamid.2", "status": "sent", "timestamp": "soon"}]
    statuses = [{"id": f"wamid.{number}", "status": "sent", "timestamp": "1759466063"} for number in range(200)]
    inbound = {"from": "5511987654321", "id": "in", "timestamp": "1759466063", "text": {"body": "SAIR"}}
    value = {"statuses": [*odd, *statuses], "messages": [{"from": "a"}, "odd", inbound]}
    webhook = webhooks._cloud(name, NUMBER[name], value, NOON, "")

    events = a_provider(name).parse_events(webhook.body, webhook.headers, NOON)

    assert len(events) == 202
    assert events[-1].text == "SAIR"


def test_evolutions_word_about_a_group_or_about_messages_of_others_is_left_out() -> None:
    group = {"key": {"remoteJid": "1203@g.us", "fromMe": False, "id": "1"}, "message": {"conversation": "STOP"}}
    own = {"key": {"remoteJid": "5511@s.whatsapp.net", "fromMe": True, "id": "2"}, "message": {"conversation": "STOP"}}
    read = {"keyId": "3", "remoteJid": "5511@s.whatsapp.net", "fromMe": False, "status": "READ"}
    found = []
    for event, said in (("messages.upsert", group), ("messages.upsert", own), ("messages.update", read)):
        webhook = webhooks._evolution(event, "shop", said, NOON, "")
        found += a_provider("evolution").parse_events(webhook.body, webhook.headers, NOON)

    assert found == []


def test_evolutions_anonymous_person_is_known_by_the_other_id() -> None:
    key = {"remoteJid": "717@lid", "remoteJidAlt": "5511987654321:7@s.whatsapp.net", "fromMe": False, "id": "1"}
    said = [{"key": key, "message": {"conversation": "STOP"}, "messageTimestamp": int(NOON.timestamp())}]
    webhook = webhooks._evolution("MESSAGES_UPSERT", "shop", said, NOON, "")  # type: ignore[arg-type]

    (event,) = a_provider("evolution").parse_events(webhook.body, webhook.headers, NOON)

    assert (event.sender, event.text) == ("5511987654321", "STOP")


@pytest.mark.parametrize("name", OVER_HTTP)
@pytest.mark.parametrize("body", [b"", b"garbage", b"[]", b"7", b"[" * 100_000, b'{"entry": 3}', b'{"event": 1}'])
def test_a_body_that_nobody_can_read_says_nothing(name: str, body: bytes) -> None:
    headers = webhooks.status(a_call("evolution"), "sent", NOON).headers
    if name == "meta":
        headers = {"x-hub-signature-256": signature(body)}

    assert a_provider(name).parse_events(body, headers, NOON) == []


def signature(body: bytes, secret: str = APP_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()


def test_a_webhook_of_meta_with_another_signature_is_not_trusted() -> None:
    webhook = webhooks.status(a_call("meta"), "delivered", NOON)
    signed = webhook.headers["X-Hub-Signature-256"]
    provider = a_provider("meta")

    for body, headers in (
        (webhook.body, {}),
        (webhook.body, {"X-Hub-Signature-256": ""}),
        (webhook.body, {"X-Hub-Signature-256": "sha256="}),
        (webhook.body, {"X-Hub-Signature-256": signed.removeprefix("sha256=")}),
        (webhook.body, {"X-Hub-Signature-256": signature(webhook.body, "another")}),
        (webhook.body, {"X-Hub-Signature-256": "sha256=é"}),
        (webhook.body + b" ", {"X-Hub-Signature-256": signed}),
    ):
        with pytest.raises(Untrusted):
            provider.parse_events(body, headers, NOON)

    assert len(provider.parse_events(webhook.body, {"x-hub-signature-256": signed}, NOON)) == 1


def test_a_number_without_an_app_secret_trusts_no_webhook() -> None:
    webhook = webhooks.status(a_call("meta"), "delivered", NOON)
    headers = {"x-hub-signature-256": signature(webhook.body, "")}

    with pytest.raises(Untrusted):
        a_provider("meta", app_secret="").parse_events(webhook.body, headers, NOON)


def a_token(key: str = JWT_KEY, algorithm: str | None = "HS256", **changes: Any) -> str:
    claims = {"iat": NOON, "exp": NOON + timedelta(minutes=10), "app": "evolution", "action": "webhook"} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key if algorithm else None, algorithm)  # type: ignore[arg-type]


ANOTHER_KEY = "another-key-of-webhooks-with-32-bytes"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer garbage",
        JWT_KEY,
        f"Bearer {a_token(ANOTHER_KEY)}",
        f"Bearer {a_token(algorithm=None)}",
        f"Bearer {a_token(app='another')}",
        f"Bearer {a_token(app=None)}",
        f"Bearer {a_token(exp=None)}",
        f"Bearer {a_token(exp=NOON - timedelta(seconds=61))}",
        f"Bearer {a_token(exp=NOON + timedelta(seconds=661))}",
    ],
    ids=["none", "empty", "garbage", "key", "other key", "unsigned", "other app", "no app", "no end", "old", "long"],
)
def test_a_webhook_of_evolution_with_another_token_is_not_trusted(authorization: str) -> None:
    webhook = webhooks.status(a_call("evolution"), "delivered", NOON)

    with pytest.raises(Untrusted) as refused:
        a_provider("evolution").parse_events(webhook.body, {"Authorization": authorization}, NOON)

    assert JWT_KEY not in str(refused.value)


@pytest.mark.parametrize(("seconds", "is_trusted"), [(0, True), (659, True), (661, False)])
def test_a_token_of_evolution_lives_ten_minutes_by_our_clock(seconds: int, is_trusted: bool) -> None:
    webhook = webhooks.status(a_call("evolution"), "delivered", NOON)
    now = NOON + timedelta(seconds=seconds)

    if is_trusted:
        assert len(a_provider("evolution").parse_events(webhook.body, webhook.headers, now)) == 1
    else:
        with pytest.raises(Untrusted):
            a_provider("evolution").parse_events(webhook.body, webhook.headers, now)


@pytest.mark.parametrize("key", ["", "short"])
def test_an_instance_without_a_long_key_trusts_no_webhook(key: str) -> None:
    webhook = webhooks.status(a_call("evolution"), "delivered", NOON)

    with pytest.raises(Untrusted):
        a_provider("evolution", jwt_key=key).parse_events(webhook.body, webhook.headers, NOON)


def test_a_subscription_of_meta_is_answered_with_its_challenge() -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": "ours", "hub.challenge": "1158201444"}

    assert challenge(query, "ours") == "1158201444"
    for wrong, token in (
        (query | {"hub.verify_token": "theirs"}, "ours"),
        (query | {"hub.mode": "unsubscribe"}, "ours"),
        ({}, "ours"),
        (query | {"hub.verify_token": ""}, ""),
    ):
        with pytest.raises(Untrusted):
            challenge(wrong, token)


def test_a_message_of_sns_says_which_numbers_it_is_about() -> None:
    webhook = webhooks.status(a_call("aws"), "delivered", NOON)

    assert numbers_of(webhook.body) == [NUMBER["aws"]]
    assert numbers_of(json.dumps({"context": {"MetaPhoneNumberIds": [{}, 3]}}).encode()) == []


def test_the_sandbox_is_waited_for_less_than_a_provider() -> None:
    assert (PATIENT.look_seconds, PATIENT.unknown_seconds) == ((30, 180, 600), 900)
    assert (PATIENT.block_seconds, PATIENT.empty_step_seconds) == (30, 30)
    assert (QUICK.look_seconds, QUICK.block_seconds, QUICK.empty_step_seconds) == ((2, 4, 8), 2, 2)
    with worlds.sandbox(FixedClock()) as world:
        assert world.provider.patience == QUICK
    assert a_provider("meta").patience == PATIENT
