"""`sluice token create`: the token alone on stdout, for a variable or a file of a shell."""

from tests.cli.api import Api, Played
from tests.cli.running import Shell

TOKENS = "/api/admin/tokens"
MINTED = {"token": "a.b.c", "subject": "ada", "role": "operator", "expires_at": "2027-01-31T09:00:00.000000Z"}
LINE = ("token", "create", "--role", "operator", "--subject", "ada")


def test_stdout_has_the_token_alone_and_stderr_for_whom_and_until_when(api: Api, shell: Shell) -> None:
    api.play("POST", TOKENS, MINTED)

    ended = shell.run(*LINE, "--hours", "8")

    assert (ended.code, ended.text) == (0, "a.b.c\n")
    assert ended.told.startswith("operator for ada until 2027-01-31 09:00:00 UTC.")
    assert "a.b.c" not in ended.told
    assert [each.json for each in api.asked] == [{"role": "operator", "subject": "ada", "hours": 8}]


def test_without_hours_the_api_says_how_long_it_lasts(api: Api, shell: Shell) -> None:
    api.play("POST", TOKENS, MINTED)

    shell.run(*LINE)

    assert [each.json for each in api.asked] == [{"role": "operator", "subject": "ada"}]


def test_as_json_it_is_the_apis_own_answer(api: Api, shell: Shell) -> None:
    body = b'{"token":"a.b.c",  "subject":"ada"}'
    api.play("POST", TOKENS, Played(body=body))

    ended = shell.run(*LINE, "--json")

    assert (ended.code, ended.out, ended.err) == (0, body + b"\n", b"")


def test_it_sends_no_key_and_is_not_repeated_because_a_stored_answer_would_hold_the_token(
    api: Api, shell: Shell
) -> None:
    api.play("POST", TOKENS, api.problem(503, "unavailable", "The token secret cannot be read"), MINTED)

    ended = shell.run(*LINE)

    assert (ended.code != 0, ended.out) == (True, b"")
    assert len(api.asked) == 1
    assert "idempotency-key" not in api.asked[0].headers


def test_verbose_output_never_shows_the_token(api: Api, shell: Shell) -> None:
    api.play("POST", TOKENS, MINTED)

    ended = shell.run(*LINE, "-v")

    assert "/api/admin/tokens 200" in ended.told
    assert "a.b.c" not in ended.told


def test_a_role_that_is_above_ones_own_ends_it_with_4(api: Api, shell: Shell) -> None:
    api.play("POST", TOKENS, api.problem(403, "forbidden", "This route needs the role admin; yours is operator"))

    ended = shell.run(*LINE)

    assert (ended.code, ended.out) == (4, b"")
    assert ended.told.startswith("error: This route needs the role admin")
