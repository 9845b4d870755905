"""The examples of docs/broadcasts.md: each request is sent to the real functions, in the document's order.

An example is a request, a blank line, and a response of which the shown fields must be so. `<name>` stands for an id:
the first response that has it gives it. Time passes before a GET and a retry alone: then all steps are worked off.
"""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import parse_qsl

import pytest
import time_machine

from broadcasts import api, breaker, bucket, csv_file, roll, texts
from broadcasts.campaign import CLOSES_AFTER, LATE
from broadcasts.contact import KEPT_SENDS
from broadcasts.lanes import MOST_LANES
from broadcasts.lists.asking import ProviderAsker
from broadcasts.lists.commands import OWN_RATE
from broadcasts.lists.ports import Approved
from broadcasts.optouts import START_WORDS, STOP_WORDS
from broadcasts.pacing import MOST_AT_ONCE, Pace
from broadcasts.ports import PATIENT, QUICK
from broadcasts.providers.evolution import LEAST_KEY_BYTES
from broadcasts.providers.sandbox import Script
from broadcasts.providers.wire import REQUEST_SECONDS
from broadcasts.recipients import MOST_IN_A_REQUEST
from broadcasts.sending import SETTLES_AFTER, WORKER_SECONDS
from broadcasts.webhooks import api as hearing
from tests.account import Account
from tests.factories import NOON
from tests.integration.broadcasts_world import OPERATOR, OWNER, Broadcaster
from tests.integration.harness import NOTHING, Functions, an_event
from tests.template_reader import ROOT, source

DOCUMENT = (ROOT / "docs/broadcasts.md").read_text()
PROSE = " ".join(DOCUMENT.split())
_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_PLACE = re.compile(r"<(\w+)>")


@dataclass(frozen=True)
class Example:
    """A block of the document."""

    kind: str
    text: str

    @property
    def request(self) -> str:
        return self.text.partition("\n")[0]

    @property
    def is_operators(self) -> bool:
        return "\n# operator\n" in self.text


EXAMPLES = [Example(found[2], re.sub(rf"^{found[1]}", "", found[3], flags=re.M)) for found in _BLOCK.finditer(DOCUMENT)]


class Reader(Broadcaster):
    """Sends the examples, and remembers the ids that it was given."""

    def __init__(self, aws: Account, functions: Functions, clock: Any) -> None:
        super().__init__(aws, functions, clock)
        self.ids: dict[str, str] = {}
        self.files = _files()

    def read(self, example: Example) -> None:
        """Send an example's request, and compare the response."""
        asked, _, answered = example.text.replace("# operator\n", "").partition("\n\n")
        line, _, body = self.filled(asked).partition("\n")
        method, _, target = line.partition(" ")
        path, _, query = target.partition("?")
        self.clock.shift(timedelta(seconds=1))
        if method == "GET" or '"retry"' in body:
            self.work_off()
        event, file = self._event(method, path)
        real = event["rawPath"]
        who = {"subject": OPERATOR, "role": "operator"} if example.is_operators else {"subject": OWNER, "role": "user"}
        status, _, expected = answered.partition("\n")
        sent = self.request(file, (real, path), body=body or NOTHING, query=dict(parse_qsl(query)), **who)
        assert sent.status == int(status), (line, sent.body)
        self.compare(json.loads(expected), sent.body, line)

    def _event(self, method: str, path: str) -> tuple[dict[str, Any], str]:
        for route, file in self.files.items():
            wanted, _, pattern = route.partition(" ")
            if wanted == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path):
                return an_event(file), file
        raise AssertionError(f"There is no route {method} {path}")

    def filled(self, text: str) -> str:
        return _PLACE.sub(lambda found: self.ids.get(found[1], found[0]), text)

    def compare(self, expected: Any, found: Any, where: str) -> None:
        """Whether all that is expected is there; a new `<name>` takes its value."""
        match expected:
            case dict():
                for name, each in expected.items():
                    assert name in found, f"{where}: {name} is not in {found}"
                    self.compare(each, found[name], f"{where}: {name}")
            case list():
                assert len(found) >= len(expected), f"{where}: {found}"
                for one, other in zip(expected, found, strict=False):
                    self.compare(one, other, where)
            case str() if (place := _PLACE.fullmatch(expected)) and place[1] not in self.ids:
                self.ids[place[1]] = found
            case str():
                assert self.filled(expected) == found, where
            case int() if isinstance(found, str):
                assert str(expected) == found, where
            case _:
                assert expected == found, where

    def upload(self, text: str) -> None:
        """What POSTing the form of the import does."""
        key = f"imports/{self.ids['filed']}/{self.ids['import']}/file.csv"
        bucket = self.aws.environment("BroadcastsApiFunction")["BROADCASTS_BUCKET"]
        self.aws.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())

    def work_off(self) -> None:
        """Work off the checks of files, the steps, and what the sandbox says."""
        for body in self.take("BroadcastsImportsQueue"):
            assert self.hand_over("broadcasts/imports/worker-checks", body)
        self.work()


def _files() -> dict[str, str]:
    """The event files of the API, by their routes; those with fewer places first."""
    files = [path.relative_to(ROOT / "events").with_suffix("") for path in (ROOT / "events/broadcasts").rglob("api-*")]
    routes = {an_event(str(file))["routeKey"]: str(file) for file in files}
    return dict(sorted(routes.items(), key=lambda each: each[0].count("{")))


@pytest.fixture
def reader(aws: Account, functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """Meta itself is the one party that nothing stands for here: it has approved the template."""
    monkeypatch.setattr(ProviderAsker, "template", lambda *_: Approved("APPROVED", "marketing", "pt_BR"))
    with time_machine.travel(NOON, tick=False) as clock:
        yield Reader(aws, functions, clock)


def test_every_example_of_the_document_is_so_and_leaves_no_phone_where_none_may_be(
    reader: Reader, log_lines: Any
) -> None:
    for example in EXAMPLES:
        match example.kind:
            case "http":
                reader.read(example)
            case "csv":
                reader.upload(example.text)

    left = [each for each in reader.aws.items("MessagesTable") if each["id"].startswith(reader.ids["filed"])]
    assert left == []
    names = [
        (each["id"], each["part"]) for table in ("BroadcastsTable", "MessagesTable") for each in reader.aws.items(table)
    ]
    said = json.dumps([log_lines(), reader.entries(), reader.aws.items("OutboxTable"), names], default=str)
    assert not re.search(r"5511[89]\d{7,8}|351912345678", said)
    assert {each.kind for each in EXAMPLES} == {"http", "csv", "json"}


def test_the_document_has_an_example_for_each_of_the_words_it_uses_most() -> None:
    """Nothing of what is run is left out by a slip of its fences."""
    assert sum(each.kind == "http" for each in EXAMPLES) == DOCUMENT.count("```http") > 20


def test_the_numbers_of_the_document_are_those_of_the_code() -> None:
    pace, minute = Pace(60, 60), timedelta(minutes=1)
    seconds = PATIENT.look_seconds
    most = round((minute + pace.slack) / pace.instance_interval + pace.width)

    for text in (
        f"looked up after {seconds[0]} s, {seconds[1] // 60} min and {seconds[2] // 60} min",
        f"After {PATIENT.unknown_seconds // 60} min it is given up",
        f"after {QUICK.look_seconds[0]}, {QUICK.look_seconds[1]} and {QUICK.look_seconds[2]} s",
        f"no answer within {REQUEST_SECONDS:.0f} s",
        f"is `UNKNOWN` {SETTLES_AFTER.seconds} s after the claim: the worker's timeout of {WORKER_SECONDS} s",
        f"{(SETTLES_AFTER + CLOSES_AFTER) // minute} minutes and {(SETTLES_AFTER + CLOSES_AFTER).seconds % 60} seconds",
        f"({minute.seconds} + {pace.slack.seconds}) / 1 + 1 = {most} messages",
        f"more than {LATE // timedelta(hours=1)} hours late",
        f"and {MOST_AT_ONCE} at most",
        f"of at least {breaker.LEAST} rows, half",
        f"blocked for {breaker.BLOCK.seconds} s",
        f"(1 to {KEPT_SENDS}) messages",
        f"There are {MOST_LANES} lanes",
        f"1 to {MOST_IN_A_REQUEST:,} recipients and a body of up to {api.MOST_BYTES >> 20} MiB",
        f"| {bucket.MOST_BYTES >> 20} MiB, which S3 checks",
        f"up to {csv_file.LONGEST:,} characters",
        f"at most {texts.LONGEST:,} characters",
        f"at most {roll.MOST_BYTES >> 10} KB of variables",
        f"has up to {hearing.MAX_BODY_BYTES >> 20} MiB",
        f"The rate that owners may set is {OWN_RATE} a minute",
    ):
        assert text in PROSE


def test_what_the_document_says_of_the_stack_is_in_its_template(aws: Account) -> None:
    parameters = source()["Parameters"]
    declared = {name: each["Properties"] for name, each in aws.resources.items() if "Properties" in each}
    check = declared["BroadcastsImportsWorkerFunction"]
    queues = [declared[f"Broadcasts{each}Queue"] for each in ("", "Imports", "Events")]
    days = {
        each["Prefix"]: each["ExpirationInDays"]
        for each in declared["BroadcastsBucket"]["LifecycleConfiguration"]["Rules"]
    }

    assert f"`WorkerConcurrency` ({parameters['WorkerConcurrency']['Default']})" in PROSE
    assert f"`MaxRatePerMinute` ({parameters['MaxRatePerMinute']['Default']})" in PROSE
    assert f"up to {parameters['MaxRatePerMinute']['MaxValue']:,}" in PROSE
    most = parameters["MaxRecipients"]
    assert f"`MaxRecipients` ({most['Default']:,} by default, {most['MaxValue']:,} at most)" in PROSE
    assert (check["Timeout"], check["MemorySize"]) == (15 * 60, 1769)
    assert days == {"imports/": 7, "lists/": 30, "media/": 30}
    assert {each["RedrivePolicy"]["maxReceiveCount"] for each in queues} == {5}
    assert {each["MessageRetentionPeriod"] for each in queues} == {14 * 24 * 3600}


def test_the_words_of_the_document_are_the_words_that_count() -> None:
    (words,) = re.findall(r"^    (STOP .*)$", DOCUMENT, re.MULTILINE)

    assert words.split() == list(STOP_WORDS)
    assert " or ".join(f"`{each}`" for each in START_WORDS) in DOCUMENT


def test_the_document_names_every_script_of_the_sandbox() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \|", DOCUMENT, re.MULTILINE)

    assert ", ".join(rows).split(", ") == [each.value for each in Script]


def test_the_webhooks_that_an_evolution_server_is_told_to_send_are_those_that_are_read() -> None:
    (told,) = [json.loads(each.text)["webhook"] for each in EXAMPLES if each.kind == "json"]

    assert told["events"] == ["MESSAGES_UPDATE", "MESSAGES_UPSERT"]
    assert len(told["headers"]["jwt_key"].encode()) >= LEAST_KEY_BYTES


def test_the_file_of_the_document_is_one_of_a_spreadsheet() -> None:
    (text,) = [each.text for each in EXAMPLES if each.kind == "csv"]

    assert [len(row) for row in csv.reader(StringIO(text), delimiter=";")] == [3] * 6
