"""What `make sync` says, with an API that plays its part."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from local import sync as command
from local.errors import LocalError
from local.sync import SYNC, summary, sync


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch):
    monkeypatch.setattr(command, "_SECONDS_BETWEEN_LOOKS", 0)


def a_state(epoch: int = 7, phase: str = "paging", **more: Any) -> dict[str, Any]:
    counters = dict.fromkeys(("step", "pages", "contents", "views", "parked", "refusals", "folded"), 0)
    return {"epoch": epoch, "phase": phase, "failures": []} | counters | more


class Api:
    """Answers a start with `outcome`, and each look with the next of `states`; the last one stays."""

    def __init__(self, outcome: str, *states: dict[str, Any], epoch: int = 7) -> None:
        self.started = a_state(epoch, "opening") | {"outcome": outcome}
        self.states = list(states)
        self.bodies: list[Any] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.bodies.append(json.loads(request.content))
            return httpx.Response(202, json=self.started)
        if request.url.path != SYNC:
            return httpx.Response(200, json=a_state(int(request.url.path.rpartition("/")[2]), "done", views=5))
        return httpx.Response(200, json=self.states.pop(0) if len(self.states) > 1 else self.states[0])


def run(api: Callable[[httpx.Request], httpx.Response], *, force: bool = False, **more: Any) -> tuple[Any, list[str]]:
    told: list[str] = []
    with httpx.Client(transport=httpx.MockTransport(api), base_url="http://api") as http:
        return sync(http, force=force, tell=told.append, **more), told


def test_an_epoch_is_followed_until_it_is_done_and_each_state_told_once():
    page = a_state(pages=1, contents=500, views=1234)
    api = Api("opened", a_state(phase="opening"), page, page, a_state(phase="done", contents=600, views=2000))

    closed, told = run(api)

    assert api.bodies == [{"force": False}]
    assert told == [
        "Epoch 7 is open.",
        "  opening   0 pages, 0 contents, 0 views",
        "  paging    1 pages, 500 contents, 1,234 views",
    ]
    assert summary(closed) == (
        "Epoch 7 is done: 2,000 views of 600 contents moved, 0 from the time without Redis, 0 refusals."
    )


def test_nothing_pending_is_told_with_what_to_do():
    closed, told = run(Api("nothing_pending"))

    assert closed is None
    assert told == ["Nothing is pending. FORCE=1 opens an epoch all the same."]


def test_after_a_closed_epoch_the_next_is_followed():
    api = Api("waiting", a_state(7, "done"), a_state(8), a_state(8, "done"))

    closed, told = run(api, force=True)

    assert api.bodies == [{"force": True}]
    assert closed["epoch"] == 8
    assert told[0] == "Epoch 7 was closed a moment ago: epoch 8 opens by itself in a few seconds."


def test_the_first_sync_of_all_is_told_as_such():
    closed, told = run(Api("waiting", a_state(0, "done"), a_state(1, "done"), epoch=0))

    assert closed["epoch"] == 1
    assert told == ["This is the first sync: epoch 1 opens by itself in a few seconds."]


def test_an_epoch_that_another_has_followed_is_told_as_it_was_closed():
    closed, told = run(Api("running", a_state(9)))

    assert (closed["epoch"], closed["views"]) == (7, 5)
    assert told == ["Epoch 7 goes on."]


def test_contents_that_failed_are_named():
    failures = [
        {"content": "video:a", "failures": 3, "reason": "it is odd", "is_parked": True},
        {"content": "video:b", "failures": 1, "reason": "it was busy", "is_parked": False},
    ]

    closed, told = run(Api("opened", a_state(phase="done", parked=1, failures=failures)))

    assert told[1:] == [
        "  video:a failed 3 times (it is odd): moved aside until the next epoch",
        "  video:b failed 1 times (it was busy): applied later",
    ]
    assert summary(closed).endswith("0 refusals, 1 contents moved aside.")


def test_a_sync_that_stands_still_is_told_with_what_to_do():
    with pytest.raises(LocalError, match="stands still in step 4 of epoch 7. `make logs` says why"):
        run(Api("opened", a_state(step=4)), still_seconds=0.05)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (httpx.Response(503, json={"message": "Redis does not answer"}), "answered 503: Redis does not answer"),
        (httpx.Response(502, text="Bad gateway"), "answered 502: Bad gateway"),
        (httpx.Response(500, json=[]), r"answered 500: \[\]"),
    ],
)
def test_a_refusal_is_told(answer, told):
    with pytest.raises(LocalError, match=told):
        run(lambda request: answer)
