"""Tokens, and the gate that decides on them."""

import base64
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from sluice.auth import Gate
from sluice.errors import Misconfigured, Untrusted
from sluice.keyring import usable
from sluice.roles import Principal, Role
from sluice.tokens import WrongSignature, mint, verify, viewer_of

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
SECRET = "current-secret-of-more-than-32-bytes-0001"
OLD_SECRET = "previous-secret-of-more-than-32-bytes-0000"
OTHER_SECRET = "nobody-knows-this-secret-of-32-bytes-0002"
AUDIENCE = "sluice"
HOUR = timedelta(hours=1)
STORED = json.dumps({"current": SECRET, "previous": OLD_SECRET})


@pytest.fixture(autouse=True)
def _frozen_time():
    with time_machine.travel(NOW, tick=False):
        yield


class StoppedClock:
    moment = NOW

    def now(self) -> datetime:
        return self.moment


class Vault:
    """A secret that can be rotated behind a cache, and how often it was fetched past that cache."""

    def __init__(self, stored: str = STORED) -> None:
        self.stored = self.cached = stored
        self.fetches = 0

    def fetch(self, fresh: bool) -> str:
        if fresh:
            self.fetches += 1
            self.cached = self.stored
        return self.cached


def a_token(secret: str = SECRET, role: Role = Role.OPERATOR, audience: str = AUDIENCE) -> str:
    return mint(secret, "ada", role, audience, HOUR, NOW)


def a_signed(secret: str = SECRET, algorithm: str = "HS256", drop: str = "", **changed: object) -> str:
    claims = {"sub": "ada", "role": "admin", "aud": AUDIENCE, "exp": NOW + HOUR} | changed
    return jwt.encode({name: value for name, value in claims.items() if name != drop}, secret, algorithm)


def a_gate(vault: Vault, clock: StoppedClock | None = None) -> Gate:
    return Gate(vault.fetch, AUDIENCE, clock or StoppedClock())


@pytest.mark.parametrize("role", Role)
def test_a_minted_token_names_its_bearer(role):
    token = a_token(role=role)

    principal = verify(token, (SECRET,), AUDIENCE)

    assert principal == Principal("ada", role)


def test_a_token_signed_with_the_previous_secret_is_still_good():
    token = a_token(OLD_SECRET)

    principal = verify(token, (SECRET, OLD_SECRET), AUDIENCE)

    assert principal.subject == "ada"


def test_a_token_signed_with_another_secret_is_refused():
    token = a_token(OTHER_SECRET)

    with pytest.raises(WrongSignature):
        verify(token, (SECRET, OLD_SECRET), AUDIENCE)


def test_a_token_is_good_to_the_end_of_its_lifetime_and_refused_after_it():
    token = a_token()

    with time_machine.travel(NOW + HOUR - timedelta(seconds=1), tick=False):
        verify(token, (SECRET,), AUDIENCE)

    with time_machine.travel(NOW + HOUR + timedelta(seconds=11), tick=False), pytest.raises(Untrusted, match="Expired"):
        verify(token, (SECRET,), AUDIENCE)


def _unsigned(**header: object) -> str:
    claims = jwt.encode({"sub": "ada", "role": "admin", "aud": AUDIENCE, "exp": NOW + HOUR}, SECRET).split(".")[1]
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return f"{head}.{claims}."


def _nested_header() -> str:
    return base64.urlsafe_b64encode(b"[" * 2900).decode().rstrip("=") + ".e30.e30"


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        pytest.param(_unsigned(alg="none", typ="JWT"), "InvalidAlgorithm", id="alg none"),
        pytest.param(_unsigned(alg="HS256"), "neither", id="no signature"),
        pytest.param(_unsigned(typ="JWT"), "InvalidAlgorithm", id="no alg"),
        pytest.param(a_signed("x" * 64, "HS512"), "InvalidAlgorithm", id="another hash"),
        pytest.param(a_signed(aud="another"), "InvalidAudience", id="wrong audience"),
        pytest.param(a_signed(nbf=NOW + HOUR), "Immature", id="not yet valid"),
        pytest.param(a_signed(iat=NOW + HOUR), "Immature", id="from the future"),
        pytest.param(a_signed(drop="exp"), "MissingRequired", id="no exp"),
        pytest.param(a_signed(drop="sub"), "MissingRequired", id="no sub"),
        pytest.param(a_signed(drop="aud"), "MissingRequired", id="no aud"),
        pytest.param(a_signed(drop="role"), "role", id="no role"),
        pytest.param(mint(SECRET, "ada", None, AUDIENCE, HOUR, NOW), "role", id="a viewer's, were its audience ours"),
        pytest.param(a_signed(role="root"), "role", id="unknown role"),
        pytest.param(a_signed(role=["admin"]), "role", id="a list of roles"),
        pytest.param(a_signed(sub=""), "subject", id="empty subject"),
        pytest.param(a_signed(exp=float("inf")), "DecodeError", id="infinite exp"),
        pytest.param(a_signed(name="x" * 4096), "too long", id="over-long"),
        pytest.param("ä" + a_signed(), "not ASCII", id="not ASCII"),
        pytest.param(_nested_header(), "DecodeError", id="nested header"),
        pytest.param("", "DecodeError", id="empty"),
        pytest.param("a.b.c", "DecodeError", id="no base64"),
    ],
)
def test_a_token_that_is_not_to_be_believed_is_refused_with_the_reason(token, reason):
    secrets = (SECRET, OLD_SECRET)

    with pytest.raises(Untrusted, match=reason) as caught:
        verify(token, secrets, AUDIENCE)

    assert len(token) < 3 or token not in str(caught.value)


def test_a_viewers_token_names_its_viewer_for_its_own_audience_alone():
    token = mint(SECRET, "ada", None, f"{AUDIENCE}-viewer", HOUR, NOW)

    assert viewer_of(token, (SECRET,), f"{AUDIENCE}-viewer") == "ada"
    for secret, audience in ((SECRET, AUDIENCE), (OTHER_SECRET, f"{AUDIENCE}-viewer")):
        with pytest.raises(Untrusted):
            viewer_of(token, (secret,), audience)


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", fullmatch=True))
def test_no_text_is_taken_for_a_token_and_none_breaks_the_check(text):
    with pytest.raises(Untrusted):
        verify(text, (SECRET,), AUDIENCE)


@pytest.mark.parametrize(
    ("stored", "secrets"),
    [
        ({"current": SECRET, "previous": OLD_SECRET}, (SECRET, OLD_SECRET)),
        ({"current": SECRET, "previous": ""}, (SECRET,)),
        ({"current": SECRET}, (SECRET,)),
    ],
)
def test_the_current_secret_comes_first_and_the_previous_one_may_be_left_out(stored, secrets):
    assert usable(json.dumps(stored)) == secrets


@pytest.mark.parametrize(
    ("stored", "named"),
    [
        ('{"current": "short", "previous": ""}', "current"),
        (json.dumps({"current": "x" * 31}), "current"),
        (json.dumps({"current": SECRET, "previous": "short"}), "previous"),
        (json.dumps({"previous": OLD_SECRET}), "current"),
        ('{"current": 1}', "current"),
        ("[]", "current"),
        ("3", "JSON"),
        ("not json", "JSON"),
    ],
)
def test_a_secret_that_is_short_or_malformed_is_a_setting_error_that_says_what_to_do(stored, named):
    with pytest.raises(Misconfigured, match=named) as caught:
        usable(stored)

    assert SECRET not in str(caught.value)


def test_a_token_cannot_be_minted_with_a_short_secret():
    with pytest.raises(Misconfigured, match="shorter than 32 bytes"):
        mint("short", "ada", Role.ADMIN, AUDIENCE, HOUR, NOW)


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
def test_the_gate_lets_a_bearer_in_however_the_scheme_is_written(scheme):
    gate = a_gate(Vault())

    assert gate.admit(scheme + a_token()) == Principal("ada", Role.OPERATOR)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", f"Basic {a_token()}", a_token(), "Bearer x y"])
def test_the_gate_refuses_what_is_no_bearer_token(header):
    assert a_gate(Vault()).admit(header) is None


def test_a_rotation_works_at_once_though_the_secret_is_cached():
    vault = Vault(json.dumps({"current": OLD_SECRET}))
    vault.stored = STORED

    principal = a_gate(vault).admit(f"Bearer {a_token(SECRET)}")

    assert principal is not None
    assert vault.fetches == 1


def test_bad_signatures_fetch_the_secret_once_in_thirty_seconds():
    vault, clock = Vault(), StoppedClock()
    gate = a_gate(vault, clock)

    for _ in range(5):
        assert gate.admit(f"Bearer {a_token(OTHER_SECRET)}") is None
    in_one_moment = vault.fetches
    clock.moment = NOW + timedelta(seconds=30)
    gate.admit(f"Bearer {a_token(OTHER_SECRET)}")

    assert (in_one_moment, vault.fetches) == (1, 2)


def test_an_expired_token_fetches_nothing():
    vault = Vault()

    a_gate(vault).admit(f"Bearer {a_signed(exp=NOW - HOUR)}")

    assert vault.fetches == 0


def test_with_a_short_secret_nobody_is_let_in_and_the_log_says_what_to_do(caplog):
    short = "short"
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = a_signed(short)

    admitted = a_gate(Vault(json.dumps({"current": short}))).admit(f"Bearer {token}")

    assert admitted is None
    assert any(record.levelname == "ERROR" and "put a longer" in record.reason for record in caplog.records)
