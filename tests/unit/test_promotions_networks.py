"""What the adapters of networks count and judge, without a server."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from promotions.networks.policies import POLICIES, X, mastodon_length, x_length
from promotions.networks.posting import is_same, post_with, without_markup
from promotions.networks.wire import Wire
from promotions.ports import NOT_CONNECTED, RATE_LIMITED, Media
from sluice.outward import Done, NotTaken, Outcome, Refused, Unknown
from tests.factories import NOON, FixedClock

PICTURE = Media("image/png", b"...")


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("plain", 5),
        ("schön", 5),
        ("安い", 4),
        ("🎉", 2),
        ("see https://shop.example/a/very/long/path/that/nobody/wants/to/read", 27),
        ("https://a.co https://b.co", 47),
        ("see a.co", 27),
        ("see https://intranet/which/has/no/domain", 40),
        ("see HTTPS://shop.example/a/very/long/path/that/nobody/wants/to/read", 27),
        ("see 安い安い安い安い安い安い安い.example", 4 + 36),
        ("- 1.5 is a number", 17),
    ],
)
def test_x_weighs_a_text(text: str, length: int) -> None:
    assert x_length(text) == length


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("Look at this #ad", "0.015"),
        ("- 1.5 is a number. So it is", "0.015"),
        ("All of it: https://shop.example/x", "0.200"),
        ("All of it: HTTPS://shop.example", "0.200"),
        ("All of it: shop.example", "0.200"),
        ("All of it: пример.рф", "0.200"),
        ("(shop.example/x?y=1)", "0.200"),
    ],
)
def test_x_takes_more_for_a_text_that_it_reads_as_a_url(text: str, price: str) -> None:
    assert X.price(text) == Decimal(price)
    assert POLICIES["mastodon"].price(text) == 0


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("plain", 5),
        ("安い", 2),
        ("see https://shop.example/a/very/long/path", 27),
        ("https://shop.example、安い", 26),
        ("hi @nina@home.example !", 10),
        ("e\u0301e\u0301", 2),
        ("مَرْحَبًا", 5),
        ("\u2764\ufe0f", 1),
        ("\n\u0301", 2),
        ("👨\u200d👩\u200d👧", 3),
    ],
)
def test_mastodon_counts_a_text(text: str, length: int) -> None:
    assert mastodon_length(text) == length


def test_rewards_are_off_on_x_alone() -> None:
    assert {name for name, policy in POLICIES.items() if not policy.rewards} == {"x"}
    assert not X.kinds


def answered(status: int, body: bytes = b"{}", clock: FixedClock | None = None, **headers: str) -> tuple[Outcome, Wire]:
    """What comes of a call that is answered so."""
    session = requests.Session()
    wire = Wire(session, clock or FixedClock(), lambda status, reason: status == 403 and "twice" in reason)
    answer = requests.Response()
    answer.status_code = status
    answer._content = body
    answer.headers.update({name.replace("_", "-"): value for name, value in headers.items()})

    def call() -> Any:
        for hear in session.hooks["response"]:
            hear(answer)
        answer.raise_for_status()
        return answer.json().get("id")

    return wire.outcome(call), wire


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b'{"id": 7}', Done("7")),
        (200, b"{}", Unknown("The answer has no id")),
        (200, b"<html>", Unknown("200: JSONDecodeError")),
        (400, b'{"title": "Invalid", "detail": "Too  long\\n"}', Refused("Too long")),
        (401, b"", Refused(NOT_CONNECTED)),
        (403, b'{"error": "Not here"}', Refused("Not here")),
        (403, b'{"detail": "You said it twice"}', Unknown("403: You said it twice")),
        (404, b'{"errors": [{"message": "No such post"}]}', Refused("No such post")),
        (408, b"", Unknown("408: HTTPError")),
        (409, b'{"error": "It exists"}', Unknown("409: It exists")),
        (422, b"[]", Refused("HTTPError")),
        (429, b"", NotTaken(RATE_LIMITED, None)),
        (500, b'{"error": "Oops"}', Unknown("500: Oops")),
        (504, b"<html>", Unknown("504: HTTPError")),
    ],
)
def test_an_answer_is_judged_by_its_status(status: int, body: bytes, outcome: Outcome) -> None:
    found, _ = answered(status, body)

    assert found == outcome


@pytest.mark.parametrize(
    ("headers", "retry_at"),
    [
        ({"x_rate_limit_reset": str(int(NOON.timestamp()) + 60)}, NOON + timedelta(seconds=60)),
        ({"x_ratelimit_reset": "2026-11-20T12:05:00.000Z"}, NOON + timedelta(minutes=5)),
        ({"x_ratelimit_reset": "2026-11-20T12:05:00"}, NOON + timedelta(minutes=5)),
        ({"retry_after": "30"}, NOON + timedelta(seconds=30)),
        ({"retry_after": "99999999999"}, NOON + timedelta(days=1)),
        ({"x_rate_limit_reset": "99999999999"}, NOON + timedelta(days=1)),
        ({"x_rate_limit_reset": "9" * 40}, None),
        ({"x_rate_limit_reset": "1"}, None),
        ({"x_rate_limit_reset": "soon"}, None),
        (
            {"x_rate_limit_reset": "1", "x_app_limit_24hour_remaining": "0", "x_app_limit_24hour_reset": "1795176060"},
            datetime.fromtimestamp(1795176060, UTC),
        ),
    ],
)
def test_a_limited_call_waits_as_long_as_the_network_says_and_at_most_a_day(
    headers: dict[str, str], retry_at: datetime | None
) -> None:
    found, _ = answered(429, **headers)

    assert found == NotTaken(RATE_LIMITED, retry_at)


def test_the_latest_of_the_limits_that_are_spent_blocks() -> None:
    first, second = (str(int((NOON + timedelta(minutes=each)).timestamp())) for each in (5, 60))

    _, wire = answered(
        200,
        x_rate_limit_remaining="0",
        x_rate_limit_reset=first,
        x_app_limit_24hour_remaining="0",
        x_app_limit_24hour_reset=second,
    )

    assert wire.blocked_until == NOON + timedelta(hours=1)


def test_a_limit_that_is_not_spent_blocks_nothing() -> None:
    later = str(int((NOON + timedelta(hours=1)).timestamp()))

    _, wire = answered(200, x_rate_limit_remaining="1", x_rate_limit_reset=later)

    assert wire.blocked_until is None


def test_texts_are_the_same_but_for_white_space_entities_and_hosts_of_mentions() -> None:
    assert is_same("Fish &amp; chips\n\nfor @nina", "Fish & chips for @nina@home.example")
    assert not is_same("Fish and chips sl-q3k7za", "Fish and chips sl-q3k7zb")


def test_a_text_that_a_network_composed_anew_is_found_again() -> None:
    """Else a look would see nothing, and the post would be made twice."""
    assert is_same("Cafe\u0301 \u200f\u05d0 sl-q3k7za", "Caf\u00e9 \u05d0 sl-q3k7za")
    assert is_same("\U0001f468\u200d\U0001f373 #ad", "\U0001f468\U0001f373 #ad")


def test_a_profile_has_no_markup() -> None:
    assert without_markup("<p>I am<br>Nina &amp; co</p><p>sluice-4711</p>") == "I am\nNina & co\nsluice-4711"


def test_no_request_begins_when_the_pictures_took_too_long() -> None:
    times = iter([0.0, 5.0, 12.5])
    asked = []

    def upload(picture: Media) -> Outcome:
        asked.append("upload")
        return Done("1")

    def post(media_ids: list[str]) -> Outcome:
        asked.append("post")
        return Done("2")

    outcome = post_with([PICTURE] * 3, upload, post, 12.0, lambda: next(times))

    assert outcome == NotTaken("The pictures took too long to upload")
    assert asked == ["upload", "upload"]
