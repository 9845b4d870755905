"""Which server the embedded stack takes: the user's, one on the PATH, or the one in the package."""

import os
import shutil
import socket
import subprocess
import threading

import pytest

from local import redis_server
from local.errors import LocalError


@pytest.fixture
def a_program(tmp_path, monkeypatch):
    """Makes executables in one directory that is the PATH and in one that is the package's."""
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.delenv("REDIS_SERVER", raising=False)
    monkeypatch.setattr(redis_server, "_packaged", lambda: str(tmp_path / "package" / "valkey-server"))

    def make(folder: str, name: str) -> str:
        file = tmp_path / folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
        return str(file)

    return make


@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_a_server_on_the_path_comes_before_the_packages(a_program, name):
    a_program("package", "valkey-server")
    file = a_program("path", name)

    assert redis_server.program() == file


def test_valkey_comes_before_redis(a_program):
    a_program("path", "redis-server")
    file = a_program("path", "valkey-server")

    assert redis_server.program() == file


def test_a_server_that_is_named_comes_before_all(a_program, monkeypatch):
    a_program("path", "valkey-server")
    file = a_program("elsewhere", "redis-server")
    monkeypatch.setenv("REDIS_SERVER", file)

    assert redis_server.program() == file


def test_the_packages_is_taken_when_the_machine_has_none(a_program):
    file = a_program("package", "valkey-server")

    assert redis_server.program() == file


def test_no_server_at_all_is_reported_with_the_way_out(a_program):
    with pytest.raises(LocalError, match="REDIS_URL=redis://localhost:6379"):
        redis_server.program()


@pytest.mark.skipif(
    any(map(shutil.which, ("valkey-server", "redis-server"))) or "REDIS_SERVER" in os.environ,
    reason="the package is installed where the machine has no server",
)
def test_the_package_has_a_valkey():
    version = subprocess.run([redis_server.program(), "--version"], capture_output=True, text=True, check=True).stdout

    assert version.startswith("Valkey server v=8.")


@pytest.mark.parametrize(
    ("given", "embedded", "taken"),
    [
        (None, None, ""),
        ("redis://mine:6379", None, "redis://mine:6379"),
        ("redis://127.0.0.1:4567", "redis://127.0.0.1:4567", ""),
        ("redis://mine:6379", "redis://127.0.0.1:4567", "redis://mine:6379"),
    ],
)
def test_a_redis_url_is_the_users_unless_it_came_from_the_env_file(monkeypatch, given, embedded, taken):
    for name, value in (("REDIS_URL", given), ("EMBEDDED_REDIS_URL", embedded)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)

    assert redis_server.given_url() == taken


@pytest.mark.parametrize(("said", "is_redis"), [(b"+PONG\r\n", True), (b"HTTP/1.1 400 Bad Request\r\n", False)])
def test_only_what_answers_a_ping_is_a_redis_server(said, is_redis):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(100)
                connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        found = redis_server.answers_ping(listening.getsockname()[1])
        thread.join()

    assert found is is_redis


def test_a_port_where_nothing_listens_is_no_redis_server():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))

        assert not redis_server.answers_ping(bound.getsockname()[1])
