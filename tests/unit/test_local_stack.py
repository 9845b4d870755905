"""The embedded stack's own bookkeeping, with nothing started. What it does when it runs is in tests/e2e."""

import json
import socket
import subprocess

import pytest

from local import stack
from local.errors import LocalError
from local.stack import DEFAULT_PORT, EmbeddedStack, temporary


class Shown:
    """A stack as far as the env file is concerned."""

    def __init__(self, **values: str) -> None:
        self.values = values

    def environment(self) -> dict[str, str]:
        return self.values


@pytest.mark.parametrize("value", ["plain", "", "it's", '$HOME `id` "x" \\ ; # é', "two\nlines"])
def test_what_the_env_file_says_comes_out_of_a_shell_unchanged(tmp_path, value):
    stack.write_env(Shown(VALUE=value), tmp_path / "env")

    shown = subprocess.run(
        ["sh", "-ceu", '. "$1"; printf %s "$VALUE"', "sh", tmp_path / "env"], env={}, capture_output=True, check=True
    )

    assert shown.stdout.decode() == value
    assert (tmp_path / "env").read_text().startswith("export VALUE='")


def test_the_env_file_is_for_its_owner_alone_and_replaced_as_a_whole(tmp_path):
    file = tmp_path / "env"
    file.write_text("export OLD='1'\n")

    stack.write_env(Shown(TOKEN="secret"), file)

    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text() == "export TOKEN='secret'\n"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_the_console_s_link_is_told_to_a_terminal_alone(tmp_path, monkeypatch, capsys, is_terminal):
    file = tmp_path / "console"
    file.write_text("of an older stack\n")
    monkeypatch.setattr(stack.tokens, "mint", lambda _stack, role, hours: f"{role}-{hours}")
    monkeypatch.setattr(stack.sys.stdout, "isatty", lambda: is_terminal, raising=False)

    stack.tell_link(EmbeddedStack.at(tmp_path), "http://127.0.0.1:4566/console", file)

    printed = capsys.readouterr().out
    assert ("#token=admin-12" in printed) == is_terminal
    assert file.exists() != is_terminal
    if not is_terminal:
        assert file.read_text() == "http://127.0.0.1:4566/console#token=admin-12\n"
        assert file.stat().st_mode & 0o777 == 0o600
        assert str(file) in printed


def test_a_stack_comes_back_at_the_ports_it_had(tmp_path):
    first = EmbeddedStack.at(tmp_path)
    (tmp_path / "ports.json").write_text(json.dumps({"port": 4700, "redis_port": 4701}))
    again, moved = EmbeddedStack.at(tmp_path), EmbeddedStack.at(tmp_path, 4800)

    assert (first.port, first.redis_port) == (DEFAULT_PORT, 0)
    assert (again.port, again.redis_port) == (4700, 4701)
    assert (moved.port, moved.redis_port) == (4800, 4701)


def test_a_stack_keeps_the_parameters_that_it_was_deployed_with(tmp_path):
    (tmp_path / "parameters.json").write_text(json.dumps({"WithLive": "false"}))

    again = EmbeddedStack.at(tmp_path)

    assert again.parameters["WithLive"] == "false"
    assert EmbeddedStack.at(tmp_path / "another").overrides == {}


def test_parameters_are_read_as_a_shell_reads_words():
    text = """OidcRoles=ops=operator,admins=admin OidcScope="openid groups" OidcOrigins= LogLevel=DEBUG"""

    assert stack.parameters_of(text) == {
        "OidcRoles": "ops=operator,admins=admin",
        "OidcScope": "openid groups",
        "OidcOrigins": "",
        "LogLevel": "DEBUG",
    }
    assert stack.parameters_of("") == {}


@pytest.mark.parametrize("text", ["WithLive", "=false", "WithLive = false", 'OidcScope="openid'])
def test_parameters_that_cannot_be_read_are_told(text):
    with pytest.raises(LocalError, match="PARAMETERS="):
        stack.parameters_of(text)


def test_a_users_redis_is_the_stacks(tmp_path, monkeypatch):
    monkeypatch.delenv("EMBEDDED_REDIS_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    own = EmbeddedStack(tmp_path, 4700, 4701).redis_url
    monkeypatch.setenv("REDIS_URL", "redis://mine:6379")

    assert own == "redis://127.0.0.1:4701"
    assert EmbeddedStack(tmp_path, 4700, 4701).redis_url == "redis://mine:6379"


def test_the_functions_are_told_of_the_stacks_redis_or_of_the_users(tmp_path, monkeypatch):
    for name in ("EMBEDDED_REDIS_URL", "REDIS_URL", "REDIS_MODE"):
        monkeypatch.delenv(name, raising=False)
    own = EmbeddedStack(tmp_path, 4700, 4701).parameters
    monkeypatch.setenv("REDIS_MODE", "cluster")
    own_still = EmbeddedStack(tmp_path, 4700, 4701).parameters
    monkeypatch.setenv("REDIS_URL", "redis://mine:6379")
    theirs = EmbeddedStack(tmp_path, 4700, 4701).parameters

    assert (own["RedisUrl"], own["RedisMode"]) == ("redis://127.0.0.1:4701", "single")
    assert own_still == own
    assert (theirs["RedisUrl"], theirs["RedisMode"]) == ("redis://mine:6379", "cluster")


def test_the_functions_get_nothing_of_the_users_environment_that_could_lead_them_astray(tmp_path, monkeypatch):
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "PYTHONSTARTUP", "POWERTOOLS_LOG_LEVEL", "REDIS_URL"):
        monkeypatch.setenv(name, "theirs")
    monkeypatch.setenv("LANG", "C.UTF-8")

    environment = EmbeddedStack(tmp_path, 4700, 4701)._ministack_environment()

    assert "theirs" not in environment.values()
    assert environment["LANG"] == "C.UTF-8"
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4700"


def test_a_taken_port_is_told_with_a_free_one(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(LocalError, match=rf"Port {port} is taken .*make up PORT=\d+"):
            EmbeddedStack.at(tmp_path / "stack", port).start()


def test_temporary_stacks_of_one_name_have_directories_of_their_own_and_leave_none(tmp_path, monkeypatch):
    monkeypatch.setattr(stack, "LOCAL", tmp_path)

    with temporary("demo") as one, temporary("demo") as two:
        names = [one.directory.name, two.directory.name]
        one.directory.mkdir()

    assert names == ["demo", "demo-2"]
    assert not one.directory.exists()
