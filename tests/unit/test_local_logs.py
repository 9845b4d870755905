"""Log lines for people, and which of them are shown."""

import json
from itertools import islice
from typing import Any

import pytest

from local import logs
from local.logs import follow, readable

AT = 1795163400250
"""2026-11-20 08:30:00 UTC, and a quarter of a second."""


def a_line(**entry: Any) -> str:
    return json.dumps({"level": "INFO", "message": "Step done"} | entry)


def an_event(message: str, at: int = AT, **changes: Any) -> dict[str, Any]:
    return {"logStreamName": "one", "timestamp": at, "message": message} | changes


class Pages:
    """A stack with two log groups, and CloudWatch's answers to one look after the other."""

    def __init__(self, *looks: dict[str, list[dict[str, Any]]]) -> None:
        self.looks = list(looks)
        self.asked: list[int] = []

    def resources(self) -> dict[str, str]:
        return {"WorkerLogs": "group-1", "ApiLogs": "group-2", "Api": "not a log group"}

    def client(self, service: str) -> "Pages":
        return self

    def get_paginator(self, operation: str) -> "Pages":
        return self

    def paginate(self, logGroupName: str, startTime: int) -> list[dict[str, Any]]:  # noqa: N803 (CloudWatch's names)
        self.asked.append(startTime)
        look = self.looks[0] if logGroupName == "group-1" else self.looks.pop(0)
        return [{"events": [event]} for event in look.get(logGroupName, []) if event["timestamp"] >= startTime]


@pytest.fixture(autouse=True)
def now(monkeypatch):
    """The clock stands one second after AT, and nobody waits."""
    monkeypatch.setattr(logs.time, "time", lambda: AT / 1000 + 1)
    monkeypatch.setattr(logs.time, "sleep", lambda seconds: None)


def test_a_line_has_its_time_its_function_its_level_its_message_and_the_rest():
    line = readable(AT, "BoostsWorker", a_line(campaign_id="bst_1", step=3, service="sluice", cold_start=True))

    assert line == "08:30:00  BoostsWorker            INFO    Step done  campaign_id=bst_1 step=3"


def test_what_is_null_is_left_out_and_what_is_nested_is_json():
    line = readable(AT, "BoostsApi", a_line(reason=None, caps={"day": 5}))

    assert line.endswith('Step done  caps={"day": 5}')


def test_an_exception_follows_on_lines_of_its_own():
    line = readable(AT, "BoostsApi", a_line(level="ERROR", exception="Traceback ...\nValueError: no"))

    assert line.splitlines()[0].endswith("ERROR   Step done")
    assert line.splitlines()[1:] == ["Traceback ...", "ValueError: no"]


@pytest.mark.parametrize("text", ["not json", "[1, 2]", "17"])
def test_what_is_no_json_object_is_shown_as_it_is(text):
    assert readable(AT, "BoostsApi", f"{text}\n") == f"08:30:00  BoostsApi               {text}"


@pytest.mark.parametrize(
    "message", ["", "\n", "START RequestId: 1", "END RequestId: 1", "REPORT RequestId: 1", '{"type": "platform.start"}']
)
def test_what_the_platform_adds_is_left_out(message):
    assert readable(AT, "BoostsApi", message) is None


def test_lines_of_all_functions_come_in_the_order_of_their_times():
    stack = Pages({"group-1": [an_event("second", AT + 2)], "group-2": [an_event("first", AT + 1)]})

    lines = list(follow(stack, minutes=1, forever=False))

    assert [line.split("  ")[1] for line in lines] == ["Api", "Worker"]


def test_a_line_is_shown_once_and_an_equal_one_beside_it_too():
    twice = {"group-1": [an_event("same"), an_event("same")]}
    stack = Pages(twice, twice, {"group-1": [*twice["group-1"], an_event("new", AT + 5)]})

    lines = list(islice(follow(stack, minutes=1), 3))

    assert [line.rpartition("  ")[2] for line in lines] == ["same", "same", "new"]


def test_a_line_that_comes_late_is_shown_all_the_same():
    early = an_event("early", AT)
    late = an_event("late", AT - 5_000)
    stack = Pages({"group-1": [early]}, {"group-1": [late, early]})

    lines = list(islice(follow(stack, minutes=1), 2))

    assert [line.rpartition("  ")[2] for line in lines] == ["early", "late"]


def test_the_first_look_goes_as_far_back_as_asked():
    stack = Pages({})

    list(follow(stack, minutes=5, forever=False))

    assert set(stack.asked) == {AT + 1000 - 5 * 60_000}
