"""Servers that outlive the command that started them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.errors import LocalError
from local.processes import Server, wait_until

ENVIRONMENT = {"PATH": os.environ["PATH"]}
FOREVER = ["sh", "-c", "echo up; exec sleep 60"]
STUBBORN = ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done"]


@pytest.fixture
def server(tmp_path):
    made = Server("server", tmp_path)
    yield made
    if made.is_running():
        os.killpg(int((tmp_path / "server.pid").read_text()), signal.SIGKILL)
        made.stop()


def start(server: Server, command: list[str], seconds: float = 600) -> None:
    """Ready when it has said that it is up."""
    server.start(command, ENVIRONMENT, lambda: "up" in server.log.read_text(), seconds)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_server_runs_from_start_to_stop_and_leaves_no_process(server):
    before = server.is_running()
    start(server, FOREVER)
    pid, during = int((server.directory / "server.pid").read_text()), server.is_running()
    server.stop()

    assert (before, during, server.is_running()) == (False, True, False)
    assert not is_alive(pid)


def test_another_process_finds_the_server_and_stops_it(server):
    start(server, FOREVER)
    code = (
        "import sys; from pathlib import Path; from local.processes import Server\n"
        "server = Server('server', Path(sys.argv[1])); print(server.is_running()); server.stop()"
    )

    told = subprocess.run(
        [sys.executable, "-c", code, server.directory],
        env=ENVIRONMENT | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout == "True\n"
    assert not server.is_running()
    server.stop()


def test_a_pid_file_that_nobody_holds_is_no_running_server_and_its_process_is_left_alone(server):
    (server.directory / "server.pid").write_text(str(os.getpid()))

    server.stop()

    assert not server.is_running()


def test_a_second_start_is_refused(server):
    start(server, FOREVER)

    with pytest.raises(LocalError, match="server already runs in .*make down"):
        start(server, FOREVER)


def test_a_server_that_ends_while_starting_is_told_with_the_end_of_its_log(server):
    command = ["sh", "-c", "seq 100; echo no room; exit 3"]

    with pytest.raises(LocalError) as told:
        start(server, command)

    lines = str(told.value).splitlines()
    assert lines[0] == "server ended with status 3 while starting."
    assert lines[-1] == "  no room"
    assert len(lines) == 2 + 25
    assert not server.is_running()


def test_a_server_that_is_not_ready_in_time_is_stopped(server):
    with pytest.raises(LocalError, match=r"server was not ready within 0 s"):
        start(server, ["sleep", "60"], seconds=0.1)

    assert not server.is_running()


def test_a_server_that_does_not_end_when_asked_is_killed_and_that_is_told(server):
    start(server, STUBBORN)

    with pytest.raises(LocalError, match=r"did not end within 0 s and was killed"):
        server.stop(seconds=0.2)

    assert not server.is_running()


def test_a_server_is_killed_with_every_process_that_it_started(server):
    """As long as its child runs, the lock is held."""
    start(server, ["sh", "-c", "trap '' TERM; sleep 60 & echo up; wait"])

    server.kill()

    assert not server.is_running()


def test_a_server_that_was_killed_is_not_running_and_starts_again(server):
    start(server, FOREVER)
    os.kill(int((server.directory / "server.pid").read_text()), signal.SIGKILL)

    assert wait_until(lambda: not server.is_running(), 600)
    server.stop()
    start(server, FOREVER)

    assert server.is_running()
    server.stop()


def test_waiting_ends_as_soon_as_it_is_so_and_at_the_deadline_at_the_latest():
    answers = iter([False, False, True])

    assert wait_until(lambda: next(answers), seconds=600, every=0.001)
    assert not wait_until(lambda: False, seconds=0.01, every=0.001)
