"""What `make stats` shows, of an API that plays its part."""

import io
from typing import Any

import httpx
import pytest
from rich.console import Console

from local.errors import LocalError
from local.stats import STATS, show, stats

SHARD = {
    "shard": 7,
    "epoch": 41,
    "pending_views": 1234,
    "pending_contents": 56,
    "syncing_contents": 78,
    "parked_contents": 9,
    "refused_fields": 10,
    "registry_complete": True,
}
FOUND: dict[str, Any] = {
    "max_views_per_session": 3,
    "max_daily_views_per_user": 100,
    "view_cooldown_minutes": 5,
    "session_duration_hours": 24,
    "total_view_keys": 2001,
    "total_session_keys": 3002,
    "total_daily_limit_keys": 4003,
    "used_memory_bytes": 3 * 2**20,
    "pending_views": 5004,
    "pending_contents": 2001,
    "syncing_contents": 6005,
    "oldest_pending_at": "2026-11-20T08:30:00.000000Z",
    "oldest_pending_seconds": 7006,
    "open_epoch": 41,
    "open_epoch_phase": "paging",
    "parked_contents": 8,
    "refused_fields": 9007,
    "shards": [SHARD],
}


def shown(**changes: Any) -> str:
    out = io.StringIO()
    show(FOUND | changes, Console(file=out, width=120))
    return out.getvalue()


def line(text: str, begins: str) -> str:
    return next(line.strip() for line in text.splitlines() if line.strip().startswith(begins))


def test_every_sum_and_each_shard_is_shown():
    """S2-28."""
    text = shown()

    assert line(text, "Views per session").endswith(" 3")
    assert line(text, "Views per viewer and day").endswith(" 100")
    assert line(text, "Cooldown").endswith(" 5")
    assert line(text, "Session in hours").endswith(" 24")
    assert line(text, "Contents with pending").endswith(" 2,001")
    assert line(text, "Sessions begun").endswith(" 3,002")
    assert line(text, "Viewers today").endswith(" 4,003")
    assert line(text, "Pending views").endswith(" 5,004")
    assert line(text, "Oldest pending").endswith(" 2026-11-20T08:30:00.000000Z (7,006 s ago)")
    assert line(text, "Open epoch").endswith(" 41 (paging)")
    assert line(text, "Contents being").endswith(" 6,005")
    assert line(text, "Contents moved").endswith(" 8")
    assert line(text, "Rows of").endswith(" 9,007")
    assert line(text, "Redis memory").endswith(" 3.0 MiB")
    of_shard = next(each for each in text.splitlines() if "1,234" in each)
    assert [cell.strip() for cell in of_shard.strip("│").split("│")] == [
        "7",
        "41",
        "1,234",
        "56",
        "78",
        "9",
        "10",
        "all",
    ]


def test_what_there_is_none_of_is_a_dash_and_a_rule_at_0_is_off():
    text = shown(
        max_views_per_session=0,
        used_memory_bytes=None,
        oldest_pending_at=None,
        oldest_pending_seconds=None,
        open_epoch=None,
        open_epoch_phase=None,
        shards=[SHARD | {"registry_complete": False}],
    )

    assert line(text, "Views per session").endswith(" off")
    assert [line(text, name)[-2:] for name in ("Oldest pending", "Open epoch", "Redis memory")] == [" -"] * 3
    assert "all" not in text


def test_the_stats_are_asked_for():
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path))
        return httpx.Response(200, json=FOUND)

    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://api") as http:
        found = stats(http)

    assert (asked, found) == ([("GET", STATS)], FOUND)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (httpx.Response(503, json={"message": "Redis does not answer"}), "answered 503: Redis does not answer"),
        (httpx.Response(502, text="Bad gateway"), "answered 502: Bad gateway"),
        (httpx.Response(500, json=[]), r"answered 500: \[\]"),
    ],
)
def test_a_refusal_is_told(answer, told):
    transport = httpx.MockTransport(lambda request: answer)
    with httpx.Client(transport=transport, base_url="http://api") as http, pytest.raises(LocalError, match=told):
        stats(http)
