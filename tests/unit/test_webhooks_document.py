"""docs/webhooks.md: its receivers are run, and what it lists is what there is."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from hooks.backoff import DELAYS
from hooks.messages import MOST_BYTES, event
from hooks.signature import derived, headers
from hooks.types import TEST, is_filter
from local.paths import ROOT
from tests.unit.test_hooks_types import TYPES

DOCUMENT = (ROOT / "docs" / "webhooks.md").read_text()
SECRET = derived("m" * 64, "hok_1", 1)
SECONDS = 30
COMPLETED = event("evt_1", "boost.completed", "2026-11-28T00:53:20.000000Z", {"id": "bst_1", "name": "Café"})


def found(pattern: str, flags: int = re.MULTILINE) -> str:
    """The first that is like it: the group, or all of it."""
    match = re.search(pattern, DOCUMENT, flags)
    assert match, pattern
    return match[match.re.groups]


def code(language: str) -> str:
    """The first piece of code in a language."""
    return found(rf"^```{language}\n(.+?)^```$", re.MULTILINE | re.DOTALL)


def signed(event_id: str = "evt_1", age: timedelta = timedelta(), secret: str = SECRET) -> Mapping[str, str]:
    """The headers of an attempt, as the worker makes them."""
    return headers(event_id, datetime.now(UTC) - age, COMPLETED.body.encode(), [secret])


class Running:
    """The document's Python receiver, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        (folder / "receiver.py").write_text(code("python"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        environment = {"PATH": os.environ["PATH"], "PORT": str(self._port), "WEBHOOK_SECRET": SECRET}
        self._printed = (folder / "printed").open("w+")
        self._process = subprocess.Popen(
            [sys.executable, "receiver.py"], cwd=folder, env=environment, stdout=self._printed, stderr=subprocess.STDOUT
        )

    def post(self, headers: Mapping[str, str], body: str = COMPLETED.body) -> int:
        with httpx.Client(trust_env=False, transport=httpx.HTTPTransport(), timeout=SECONDS) as http:
            answer = http.post(f"http://127.0.0.1:{self._port}/", content=body.encode(), headers=dict(headers))
        return answer.status_code

    @property
    def printed(self) -> str:
        self._printed.seek(0)
        return self._printed.read()

    def wait(self) -> None:
        until = time.monotonic() + SECONDS
        while True:
            assert self._process.poll() is None, self.printed
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            assert time.monotonic() < until, self.printed

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._printed.close()


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("receiver"))
    try:
        running.wait()
        yield running
    finally:
        running.end()


def test_the_python_receiver_takes_what_sluice_signs_and_handles_it_once(receiver: Running) -> None:
    first, again = receiver.post(signed()), receiver.post(signed())
    other = receiver.post(signed("evt_2"))

    assert (first, again, other) == (204, 204, 204)
    assert receiver.printed.count("boost.completed {'id': 'bst_1', 'name': 'Café'}") == 2


@pytest.mark.parametrize(
    ("given", "body"),
    [
        (signed("evt_3", secret=derived("m" * 64, "hok_2", 1)), COMPLETED.body),
        (signed("evt_3"), COMPLETED.body + "\n"),
        (signed("evt_3", timedelta(minutes=6)), COMPLETED.body),
        ({**signed("evt_3"), "webhook-id": "evt_4"}, COMPLETED.body),
        ({**signed("evt_3"), "webhook-signature": "garbage"}, COMPLETED.body),
        ({}, COMPLETED.body),
    ],
    ids=["another secret", "another body", "an old one", "another id", "no signature", "no headers"],
)
def test_the_python_receiver_refuses_what_sluice_did_not_sign(
    receiver: Running, given: Mapping[str, str], body: str
) -> None:
    before = receiver.printed.count("boost.completed")

    status = receiver.post(given, body)

    assert status == 401
    assert receiver.printed.count("boost.completed") == before


def test_the_node_receiver_is_a_module_that_node_can_read(tmp_path: Path) -> None:
    """Not run: its library comes from a registry, which tests do not ask."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node here")
    (tmp_path / "receiver.mjs").write_text(code("js"))

    ended = subprocess.run([node, "--check", "receiver.mjs"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_table_of_types_has_each_type_once() -> None:
    table = DOCUMENT.split("| Type | When |")[1].split("\n\n")[0]
    named = [kind for row in table.splitlines()[2:] for kind in re.findall(r"`([^`]+)`", row.split("|")[1])]

    assert sorted(named) == sorted([*TYPES, TEST])
    assert all(map(is_filter, named))


def test_the_schedule_and_the_size_are_those_of_the_code() -> None:
    said = "at once, then after 5 seconds, 5 minutes, 30 minutes, 2, 5, 10, 14, 20 and 24 hours"

    assert said in DOCUMENT
    assert f"{MOST_BYTES:,} bytes" in DOCUMENT
    assert [each.total_seconds() for each in DELAYS] == [
        0,
        5,
        5 * 60,
        30 * 60,
        *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24)),
    ]


def test_the_example_is_what_sluice_sends_and_its_signature_holds() -> None:
    body, secret = found(r"^\{\"type\".+$"), found(r"`(whsec_[^`.]+)`")
    told = json.loads(body)
    lines = {name: found(rf"^{name}: (.+)$") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    at = datetime.fromtimestamp(int(lines["webhook-timestamp"]), UTC)

    assert body == event("evt_1", told["type"], told["timestamp"], told["data"]).body
    assert lines == headers(lines["webhook-id"], at, body.encode(), [secret])
    assert all(f"--{name} {lines[f'webhook-{name}']}" in DOCUMENT for name in ("id", "timestamp"))
    assert f"--signature '{lines['webhook-signature']}'" in DOCUMENT
