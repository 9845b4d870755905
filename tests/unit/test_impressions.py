"""Impression tokens, viewers, rows and clicks: what is believed of them, and what is not."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sluice.errors import Misconfigured, Untrusted
from sponsorships import impressions
from sponsorships.impressions import (
    Click,
    Impression,
    ImpressionKeys,
    NotUsable,
    Reason,
    Token,
    ViewerPeriod,
    by_service,
)

NOW = datetime(2026, 11, 27, 23, 59, 58, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
CAMPAIGN = "spn_01JD00000000000000000000AA"
P = f"{CAMPAIGN}:nina"
K1, K2, K3 = "1" * 32, "2" * 32, "3" * 32
KEYS = ImpressionKeys("k2", {"k1": K1, "k2": K2})
SALT = "a salt of this campaign"
VIEWER = impressions.registered(SALT, "ada")


def a_token(keys: ImpressionKeys = KEYS, viewer: str = VIEWER, by: str = "viewer") -> str:
    return impressions.mint(keys, P, viewer, NOW, by)


def verified(
    text: str, after: float = 5, keys: ImpressionKeys = KEYS, period: ViewerPeriod = ViewerPeriod.CAMPAIGN
) -> Impression:
    token = impressions.opened(text, keys)
    now = NOW + timedelta(seconds=after)
    return impressions.verify(token, now, min_seconds=5, token_seconds=600, period=period, zone=BERLIN)


def a_row(**changed: str) -> impressions.Row:
    return replace(impressions.row(KEYS, verified(a_token()), "2026-11-28T00:00:05.000000Z"), **changed)


def test_a_token_says_what_it_was_made_of() -> None:
    token = impressions.opened(a_token(by=by_service("platform|1")), KEYS)

    assert token == Token(P, VIEWER, NOW, token.nonce, "k2", "service:platform|1")
    assert (token.campaign_id, token.streamer, len(token.nonce)) == (CAMPAIGN, "nina", 16)


@pytest.mark.parametrize(("after", "reason"), [(4.9, Reason.TOO_EARLY), (600.1, Reason.TOKEN_EXPIRED)])
def test_a_token_is_refused_before_and_after_its_time(after: float, reason: Reason) -> None:
    with pytest.raises(NotUsable) as refused:
        verified(a_token(), after)

    assert refused.value.reason == reason
    assert refused.value.retry_after_seconds == (1 if reason is Reason.TOO_EARLY else None)


@pytest.mark.parametrize("after", [5, 600])
def test_a_token_is_good_from_its_first_second_to_its_last(after: float) -> None:
    assert verified(a_token(), after).viewer == VIEWER


def test_a_change_of_any_character_of_a_token_is_noticed() -> None:
    text = a_token()

    for at, character in enumerate(text):
        # 43 characters are 258 bits: the last character's lowest two bits say nothing, but the text is compared.
        forged = text[:at] + ("A" if character != "A" else "B") + text[at + 1 :]
        with pytest.raises(Untrusted):
            impressions.opened(forged, KEYS)


@pytest.mark.parametrize("text", ["", "imp1", "imp1..", "imp1.e30.", "clk1.e30." + "A" * 43, "imp1.W10." + "A" * 43])
def test_what_is_no_token_is_not_opened(text: str) -> None:
    with pytest.raises(Untrusted):
        impressions.opened(text, KEYS)


@pytest.mark.parametrize("claims", ["[]", "1", '"k"', "{}", '{"k": "k9"}', '{"k": ["k2"]}', "[" * 300])
def test_claims_that_nobody_signed_are_not_read(claims: str) -> None:
    text = f"imp1.{impressions._base64(claims.encode())}.{'A' * 43}"

    with pytest.raises(Untrusted):
        impressions.opened(text, KEYS)


def test_a_click_token_is_no_impression_token_and_the_other_way_round() -> None:
    click = impressions.mint_click(KEYS, Click(P, VIEWER, "00" * 8, 3), "2026-11-27T23:59:58.000000Z")

    with pytest.raises(Untrusted):
        impressions.opened(click, KEYS)
    with pytest.raises(Untrusted):
        impressions.verify_click(a_token(), KEYS, NOW)


def test_a_click_token_names_its_row_for_24_hours() -> None:
    click = Click(P, f"{VIEWER}#2026-11-27", "00" * 8, 3)
    text = impressions.mint_click(KEYS, click, "2026-11-27T23:59:58.000000Z")

    assert impressions.verify_click(text, KEYS, NOW + timedelta(hours=23, minutes=59)) == click
    assert click.id == f"imp#{P}#{VIEWER[0]}"
    with pytest.raises(NotUsable) as refused:
        impressions.verify_click(text, KEYS, NOW + timedelta(hours=24))
    assert refused.value.reason == Reason.TOKEN_EXPIRED


def test_a_viewer_is_the_same_in_one_campaign_and_another_one_in_the_next() -> None:
    assert impressions.registered(SALT, "ada") == VIEWER
    assert impressions.registered("another salt", "ada") != VIEWER
    assert len(VIEWER) == 32
    assert set(VIEWER) <= set(impressions.SLOTS)


def test_no_viewer_of_one_kind_is_one_of_another() -> None:
    kinds = [
        impressions.registered(SALT, "ada"),
        impressions.named_by("platform", SALT, "ada"),
        impressions.named_by("platfor", SALT, "mada"),
        impressions.named_by("another", SALT, "ada"),
        impressions.anonymous(SALT, "ada", ""),
    ]

    assert len(set(kinds)) == len(kinds)


def test_a_network_has_three_viewers_at_most_whatever_user_agents_it_invents() -> None:
    viewers = {impressions.anonymous(SALT, "192.0.2.1", f"Agent/{number}") for number in range(300)}

    assert len(viewers) == 3


def test_a_streamer_is_known_by_their_own_token_and_by_a_services_name() -> None:
    named = impressions.named_by("platform", SALT, "nina")

    assert impressions.is_own(SALT, "nina", impressions.registered(SALT, "nina"), "viewer")
    assert impressions.is_own(SALT, "nina", named, by_service("platform"))
    assert not impressions.is_own(SALT, "nina", named, by_service("another"))
    assert not impressions.is_own(SALT, "nina", VIEWER, "viewer")


def test_a_row_has_the_viewer_as_its_key_or_the_viewer_on_a_day() -> None:
    once, daily = verified(a_token()), verified(a_token(), period=ViewerPeriod.DAY)

    assert (once.id, once.part) == (f"imp#{P}#{VIEWER[0]}", VIEWER)
    # Issued at 23:59:58 in UTC: in Berlin it is the next day. When it arrives does not matter.
    assert (daily.id, daily.part) == (once.id, f"{VIEWER}#2026-11-28")
    assert verified(a_token(), 600, period=ViewerPeriod.DAY).part == daily.part


def test_a_row_that_recording_wrote_is_genuine_under_every_key_that_is_kept() -> None:
    rotated = ImpressionKeys("k3", {"k1": K1, "k2": K2, "k3": K3})

    assert impressions.is_genuine(KEYS, P, a_row())
    assert impressions.is_genuine(rotated, P, a_row())
    assert not impressions.is_genuine(ImpressionKeys("k3", {"k3": K3}), P, a_row())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", f"imp#{P}#{(int(VIEWER[0], 16) + 1) % 16:x}"),
        ("id", f"imp#{CAMPAIGN}:otto#{VIEWER[0]}"),
        ("part", VIEWER[0] + "0" * 31),
        ("part", f"{VIEWER}#2026-11-28"),
        ("nonce", "00" * 8),
        ("issued_at", "2026-11-27T23:59:57.000000Z"),
        ("accepted_at", "2026-11-28T00:00:06.000000Z"),
        ("by", "service:platform"),
        ("key_id", "k1"),
        ("key_id", "k9"),
        ("signature", "A" * 43),
        ("signature", ""),
        ("signature", "\u00e9"),
    ],
)
def test_a_row_that_a_hand_changed_is_not_genuine(field: str, value: str) -> None:
    assert not impressions.is_genuine(KEYS, P, a_row(**{field: value}))


def test_a_row_is_not_genuine_for_another_participation() -> None:
    moved = a_row(id=f"imp#{CAMPAIGN}:otto#{VIEWER[0]}")

    assert not impressions.is_genuine(KEYS, f"{CAMPAIGN}:otto", moved)


def test_the_signature_of_a_token_is_no_signature_of_a_row() -> None:
    assert not impressions.is_genuine(KEYS, P, a_row(signature=a_token().rpartition(".")[2]))


def test_recording_believes_the_current_key_the_one_before_it_and_those_after_it() -> None:
    keys = ImpressionKeys("k10", {"k10": K3, "k9": K2, "k2": K1, "k11": K1})

    assert set(keys.newest.keys) == {"k9", "k10", "k11"}
    assert set(ImpressionKeys("k1", {"k1": K1}).newest.keys) == {"k1"}


@pytest.mark.parametrize("secret", [{"current": "k1", "keys": {"k1": K1}}, {"current": "k1", "k1": K1}])
def test_keys_are_read_as_an_operator_and_as_cloudformation_write_them(secret: dict[str, object]) -> None:
    assert ImpressionKeys.parse(json.dumps(secret)) == ImpressionKeys("k1", {"k1": K1})


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "[]",
        '"k1"',
        '{"current": "k1"}',
        '{"current": "k1", "keys": []}',
        json.dumps({"current": ["k1"], "k1": K1}),
        json.dumps({"current": "k2", "keys": {"k1": K1}}),
        json.dumps({"current": "k1", "keys": {"k1": "too little"}}),
        json.dumps({"current": "first", "keys": {"first": K1}}),
    ],
)
def test_a_secret_that_cannot_sign_is_reported_without_being_quoted(secret: str) -> None:
    with pytest.raises(Misconfigured) as reported:
        ImpressionKeys.parse(secret)

    assert K1 not in str(reported.value)
    assert "too little" not in str(reported.value)


def test_refusals_are_counted_by_the_hour_in_utc() -> None:
    there = NOW.astimezone(BERLIN)

    assert impressions.refused_key(P, there, "bot") == (f"refused#{P}", "2026-11-27T23#bot")


def test_nothing_else_makes_an_impression() -> None:
    """No boosted, synced or imported number can become one."""
    functions = Path(impressions.__file__).parents[1]
    makers = [path.name for path in functions.rglob("*.py") for _ in re.findall(r"\bImpression\(", path.read_text())]

    assert makers == ["impressions.py"]
