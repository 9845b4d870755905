"""Which role the groups of an ID token have, and which tokens are none for this platform."""

from collections.abc import Callable
from typing import Any

import jwt
import pytest
import time_machine

from operations.vouching import Client, Vouched, roles_of
from sluice.clock import SystemClock
from sluice.errors import Forbidden, Misconfigured
from sluice.roles import Role
from tests.factories import NOON

ISSUER = "https://id.example.com/realms/team"
NOW = int(NOON.timestamp())
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "248289761001",
    "aud": "sluice-console",
    "iat": NOW,
    "exp": NOW + 3600,
    "groups": ["sluice-ops"],
}


@pytest.fixture(autouse=True)
def _noon() -> Any:
    with time_machine.travel(NOON, tick=False):
        yield


def a_client(claim: str = "groups", roles: str = "sluice-ops=operator,sluice-admins=admin") -> Client:
    return Client(ISSUER, "sluice-console", claim, roles_of(roles), SystemClock())


def a_token(**claims: Any) -> str:
    """The gateway checks who signed it, so the function does not: any key will do."""
    kept = {name: value for name, value in (CLAIMS | claims).items() if value is not None}
    return jwt.encode(kept, "k" * 32, "HS256")


def vouched(client: Client | None = None, **claims: Any) -> Vouched:
    checked = {name: str(value) for name, value in (CLAIMS | claims).items()}
    return (client or a_client()).vouched(f"Bearer {a_token(**claims)}", checked)


def refused(ask: Callable[[], Any]) -> str:
    with pytest.raises(Forbidden) as raised:
        ask()
    return raised.value.code


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (["sluice-ops"], Role.OPERATOR),
        (["everybody", "sluice-admins"], Role.ADMIN),
        (["sluice-admins", "sluice-ops"], Role.ADMIN),
        (["sluice-ops", "sluice-admins"], Role.ADMIN),
        ("sluice-ops", Role.OPERATOR),
        (["sluice-ops", 7, None, ["sluice-admins"]], Role.OPERATOR),
    ],
)
def test_of_several_groups_the_one_with_the_highest_role_counts(groups: Any, role: Role) -> None:
    assert vouched(groups=groups) == Vouched("248289761001", role)


@pytest.mark.parametrize(
    "groups",
    [
        None,
        [],
        "",
        ["everybody"],
        ["Sluice-Ops"],
        ["my sluice-admins"],
        "everybody sluice-admins",
        "sluice-ops,sluice-admins",
        {"sluice-admins": True},
        True,
    ],
)
def test_who_is_in_no_group_with_a_role_is_refused_and_told_which_groups_have_one(groups: Any) -> None:
    """A group `my sluice-admins`, which somebody may have made, is one group, though the gateway writes
    `[my sluice-admins]` of it as of two.
    """
    with pytest.raises(Forbidden) as raised:
        vouched(groups=groups)

    assert raised.value.code == "no_role"
    assert raised.value.message.endswith("Those that have one: sluice-admins (admin), sluice-ops (operator)")


def test_the_claim_may_have_any_name_and_the_groups_any_characters() -> None:
    client = a_client("https://sluice.example/roles", "Team = Blue=user, ops=service")

    found = vouched(client, **{"https://sluice.example/roles": ["Team = Blue"], "groups": ["ops"]})

    assert found.role is Role.USER


@pytest.mark.parametrize("text", ["", "ops", "ops=", "=admin", "ops=root", "ops=admin,", "ops=Admin"])
def test_roles_that_cannot_be_read_are_an_error_of_the_deployment(text: str) -> None:
    with pytest.raises(Misconfigured, match="OidcRoles"):
        roles_of(text)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-client"},
        {"aud": None, "client_id": "sluice-console"},
        {"aud": ["another-client", "sluice-console"], "azp": "another-client"},
        {"iss": "https://id.example.com/realms/other"},
        {"exp": NOW - 60},
        {"exp": None},
        {"iat": None},
        {"iat": NOW + 600},
        {"iat": "soon"},
        {"sub": None},
        {"sub": 5},
    ],
    ids=str,
)
def test_what_is_no_id_token_for_this_platform_is_refused_though_the_gateway_let_it_in(claims: dict[str, Any]) -> None:
    """Such as an access token, of which the gateway takes the client_id for the audience."""
    assert refused(lambda: vouched(**claims)) == "not_an_id_token"


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer x.y.z", "Basic abc", f"Bearer {'x' * 20_000}"])
def test_what_is_no_token_at_all_is_refused(authorization: str) -> None:
    assert refused(lambda: a_client().vouched(authorization, {"iss": ISSUER, "sub": "1"})) == "not_an_id_token"


@pytest.mark.parametrize("checked", [{}, {"iss": ISSUER}, {"iss": ISSUER, "sub": "another"}])
def test_a_token_that_the_gateway_did_not_check_is_refused(checked: dict[str, str]) -> None:
    assert refused(lambda: a_client().vouched(f"Bearer {a_token()}", checked)) == "not_checked"


def test_a_token_opens_a_session_for_five_minutes() -> None:
    assert vouched(iat=NOW - 300)
    assert refused(lambda: vouched(iat=NOW - 301)) == "token_too_old"


@pytest.mark.parametrize("subject", ["ada lovelace", "a#b", "é", "x" * 129])
def test_a_subject_that_cannot_stand_in_the_audit_trail_is_refused(subject: str) -> None:
    assert refused(lambda: vouched(sub=subject)) == "subject_unusable"
