"""Where an address and a token come from, and who may read them."""

import stat
from pathlib import Path

import pytest

from tests.cli.api import Api, Played
from tests.cli.running import Shell

NOWHERE = {"SLUICE_URL": "", "SLUICE_TOKEN": ""}
LIST = ("wallets", "list")


def config(shell: Shell, text: str, mode: int = 0o600) -> Path:
    file = shell.home / "config" / "sluice" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)
    return file


def bearers(api: Api) -> list[str | None]:
    return [each.headers.get("authorization") for each in api.asked]


def test_a_login_is_kept_for_its_owner_alone_and_used_afterwards(api: Api, shell: Shell) -> None:
    kept = shell.run("login", "--url", api.url, "--with-token", stdin=b"tok-1\n", **NOWHERE)
    used = shell.run(*LIST, **NOWHERE)

    file = shell.home / "config" / "sluice" / "config.toml"
    assert (kept.code, used.code) == (0, 0)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["config.toml"]
    assert bearers(api) == ["Bearer tok-1", "Bearer tok-1"]
    assert b"tok-1" not in kept.out + kept.err


def test_a_login_asks_for_the_token_and_does_not_show_it(api: Api, shell: Shell) -> None:
    ended = shell.in_terminal("login", "--url", api.url, typed=b"tok-2\n", prompt=b"Token: ", **NOWHERE)

    assert ended.code == 0
    assert b"tok-2" not in ended.out + ended.err
    assert bearers(api) == ["Bearer tok-2"]


def test_a_token_that_the_api_does_not_know_is_not_kept(api: Api, shell: Shell) -> None:
    api.play("GET", "/api/v1/wallets/me", Played(401, b'{"message":"Unauthorized"}'))

    ended = shell.run("login", "--url", api.url, "--with-token", stdin=b"wrong", **NOWHERE)

    assert ended.code == 4
    assert not (shell.home / "config").exists()


def test_a_good_token_whose_role_has_no_wallet_is_kept(api: Api, shell: Shell) -> None:
    api.play("GET", "/api/v1/wallets/me", api.problem(403, "forbidden", "Not for this role"))

    assert shell.run("login", "--url", api.url, "--with-token", stdin=b"tok", **NOWHERE).code == 0


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused_in_a_sentence(api: Api, shell: Shell, mode: int) -> None:
    file = config(shell, f'default = "a"\n[profiles.a]\nurl = "{api.url}"\ntoken = "t"\n', mode)

    ended = shell.run(*LIST, **NOWHERE)

    assert ended.code == 4
    assert ended.told.splitlines() == [f"error: Others can read {file}, and it may hold a token.", f"chmod 600 {file}"]
    assert api.asked == []


def test_a_profile_is_named_by_option_or_environment_and_the_option_goes_first(api: Api, shell: Shell) -> None:
    config(shell, "".join(f'[profiles.{name}]\nurl = "{api.url}"\ntoken = "tok-{name}"\n' for name in "abc"))

    shell.run(*LIST, **NOWHERE, SLUICE_PROFILE="b")
    shell.run(*LIST, "--profile", "c", **NOWHERE, SLUICE_PROFILE="b")
    shell.run(*LIST, "--profile", "c")
    shell.run(*LIST, SLUICE_PROFILE="b")
    unknown = shell.run(*LIST, "--profile", "d")

    assert bearers(api) == ["Bearer tok-b", "Bearer tok-c", "Bearer tok-c", "Bearer a-token-of-the-tests"]
    assert unknown.code == 2
    assert "a, b, c" in unknown.told


def test_a_token_goes_only_to_the_address_that_it_belongs_to(api: Api, shell: Shell) -> None:
    """A profile's token stays with the profile's address, and ADMIN_TOKEN with API_URL."""
    config(shell, 'default = "a"\n[profiles.a]\nurl = "https://elsewhere.invalid"\ntoken = "secret"\n')

    shell.run(*LIST, "--url", api.url, "--profile", "a", **NOWHERE)
    shell.run(*LIST, SLUICE_TOKEN="", SLUICE_PROFILE="a", API_URL="https://elsewhere.invalid", ADMIN_TOKEN="secret")

    assert bearers(api) == [None, None]


def test_the_names_of_the_stack_on_this_machine_are_taken(api: Api, shell: Shell) -> None:
    assert shell.run(*LIST, **NOWHERE, API_URL=api.url, ADMIN_TOKEN="tok-admin").code == 0
    assert bearers(api) == ["Bearer tok-admin"]


def test_a_profile_can_hold_a_command_that_prints_the_token(api: Api, shell: Shell) -> None:
    config(shell, f"default = 'a'\n[profiles.a]\nurl = '{api.url}'\ntoken_command = 'printf tok-%s vault'\n")

    assert shell.run(*LIST, **NOWHERE).code == 0
    assert bearers(api) == ["Bearer tok-vault"]


def test_a_command_that_fails_is_not_repeated_in_the_error(api: Api, shell: Shell) -> None:
    config(shell, f"default = 'a'\n[profiles.a]\nurl = '{api.url}'\ntoken_command = 'false --password=hunter2'\n")

    ended = shell.run(*LIST, **NOWHERE)

    assert ended.code == 4
    assert "hunter2" not in ended.told
    assert api.asked == []


@pytest.mark.parametrize(
    "text", ["not toml", "default = 1\n", "[profiles.a]\n", "profiles = 3", '[profiles.a]\nurl="u"\nodd="x"']
)
def test_a_file_of_another_form_is_2_in_a_sentence(shell: Shell, text: str) -> None:
    file = config(shell, text)

    ended = shell.run(*LIST, **NOWHERE)

    assert ended.code == 2
    assert str(file) in ended.told
    assert "Traceback" not in ended.told


def test_profiles_are_listed_without_their_tokens(api: Api, shell: Shell) -> None:
    config(shell, f'default = "a"\n[profiles.a]\nurl = "{api.url}"\ntoken = "secret"\n')

    ended = shell.run("profiles")

    assert ended.text.splitlines()[1].split() == ["a", api.url, "kept", "yes"]
    assert "secret" not in ended.text
