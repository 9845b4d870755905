"""`sluice views sync` and `sluice views stats` (S2-15, S2-26, S2-28)."""

import json
from typing import Any

import pytest

from tests.cli.api import Api, Played
from tests.cli.running import Shell

SYNC = "/api/admin/views/sync"
STATS = "/api/admin/views/stats"
WATCH = ("views", "sync", "--watch", "--every", "0.05")
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


def an_epoch(epoch: int = 7, phase: str = "paging", **more: Any) -> dict[str, Any]:
    counters = dict.fromkeys(("step", "pages", "contents", "views", "parked", "refusals", "folded"), 0)
    return {"epoch": epoch, "phase": phase, "failures": []} | counters | more


def started(outcome: str, epoch: int = 7) -> Played:
    return Played(202, json.dumps(an_epoch(epoch, "opening") | {"outcome": outcome}).encode())


@pytest.mark.parametrize(("words", "body"), [((), {"force": False}), (("--force",), {"force": True})])
def test_a_sync_is_started_and_its_answer_shown(
    api: Api, shell: Shell, words: tuple[str, ...], body: dict[str, bool]
) -> None:
    """S2-15, S2-26: the one with --force opens an epoch even if nothing is pending."""
    api.play("POST", SYNC, started("opened"))

    ended = shell.run("views", "sync", *words)

    assert (ended.code, [(each.method, each.json) for each in api.asked]) == (0, [("POST", body)])
    assert "opened" in ended.text


def test_the_statistics_are_those_of_stats_and_start_nothing(api: Api, shell: Shell) -> None:
    """S2-26: --stats."""
    api.play("GET", STATS, FOUND)

    flagged = shell.run("views", "sync", "--stats")
    named = shell.run("views", "stats")

    assert flagged.code == 0
    assert flagged == named
    assert [(each.method, each.path) for each in api.asked] == [("GET", STATS)] * 2


def test_an_epoch_is_followed_until_it_is_done_and_each_state_told_once(api: Api, shell: Shell) -> None:
    page = an_epoch(pages=1, contents=500, views=1234)
    done = an_epoch(phase="done", contents=600, views=2000, folded=7, refusals=1, parked=2)
    api.play("POST", SYNC, started("opened"))
    api.play("GET", f"{SYNC}/7", an_epoch(phase="opening"), page, page, done)

    ended = shell.run(*WATCH)

    assert (ended.code, ended.err) == (0, b"")
    assert ended.text.splitlines() == [
        "opening  0  views of 0 contents",
        "paging  1,234  views of 500 contents",
        "done  2,000  views of 600 contents, 7 from the time without Redis, 1 refusal, 2 moved aside",
    ]


def test_as_json_an_epoch_is_the_apis_answers_a_line_each(api: Api, shell: Shell) -> None:
    page, done = an_epoch(pages=1), an_epoch(phase="done")
    api.play("POST", SYNC, started("running"))
    api.play("GET", f"{SYNC}/7", page, done)

    ended = shell.run(*WATCH, "--json")

    assert [json.loads(line) for line in ended.text.splitlines()] == [page, done]


def test_nothing_pending_is_told_with_what_to_do_and_is_no_failure(api: Api, shell: Shell) -> None:
    api.play("POST", SYNC, started("nothing_pending"))

    ended = shell.run(*WATCH)

    assert ended.code == 0
    assert ended.told == "Nothing is pending; --force opens an epoch all the same.\n"
    assert len(api.asked) == 1


def test_after_a_closed_epoch_the_next_is_followed(api: Api, shell: Shell) -> None:
    api.play("POST", SYNC, started("waiting"))
    api.play("GET", f"{SYNC}/8", api.problem(404, "not_found", "There is no epoch 8"), an_epoch(8, "done"))
    api.play("GET", SYNC, an_epoch(7, "done"))

    ended = shell.run(*WATCH)

    assert (ended.code, ended.text.splitlines()) == (
        0,
        ["waiting  0  epoch 8 opens by itself in a few seconds", "done  0  views of 0 contents"],
    )


def test_the_first_sync_of_all_is_followed_to_the_end_of_its_own_epoch(api: Api, shell: Shell) -> None:
    """Epoch 1 is going to open by itself, and is not there at the first look."""
    api.play("POST", SYNC, started("waiting", epoch=0))
    failures = [{"content": "story:1", "failures": 3, "reason": "throttled", "is_parked": True}]
    done = an_epoch(1, "done", views=12, contents=3, parked=1, failures=failures)
    api.play("GET", f"{SYNC}/1", api.problem(404, "not_found", "There is no epoch 1"), done)
    api.play("GET", SYNC, an_epoch(0, "done"))

    ended = shell.run(*WATCH)

    assert ended.code == 0
    assert ended.text.splitlines() == [
        "waiting  0  epoch 1 opens by itself in a few seconds",
        "done  12  views of 3 contents, 1 moved aside",
        "CONTENT  FAILURES  ASIDE  REASON",
        "story:1         3  yes    throttled",
    ]


def test_an_epoch_that_another_has_followed_is_told_as_it_was_closed(api: Api, shell: Shell) -> None:
    api.play("POST", SYNC, started("running"))
    api.play("GET", f"{SYNC}/7", an_epoch(phase="done", views=5))

    ended = shell.run(*WATCH)

    assert ended.text == "done  5  views of 0 contents\n"


def test_a_sync_that_stands_still_is_told_with_what_to_do(api: Api, shell: Shell) -> None:
    api.play("POST", SYNC, started("opened"))
    api.play("GET", f"{SYNC}/7", an_epoch(step=4))

    ended = shell.run(*WATCH, "--patience", "0.2")

    assert ended.code == 1
    assert ended.told.splitlines() == [
        "error: It stands still: paging  0  views of 0 contents",
        "`make logs` says why. When that is fixed, `sluice views sync --watch` goes on from here.",
    ]


def test_a_sync_that_moves_is_not_given_up(api: Api, shell: Shell) -> None:
    api.play("POST", SYNC, started("opened"))
    api.play("GET", f"{SYNC}/7", *(an_epoch(step=step) for step in range(12)), an_epoch(phase="done"))

    ended = shell.run(*WATCH, "--patience", "0.5")

    assert ended.code == 0


def test_ctrl_c_says_how_it_is_followed_again(api: Api, shell: Shell) -> None:
    api.play("POST", SYNC, started("opened"))
    api.play("GET", f"{SYNC}/7", an_epoch())

    ended = shell.interrupted(*WATCH, when=lambda: len(api.asked) > 3)

    assert (ended.code, ended.told.strip()) == (130, "still running; `sluice views sync --watch` goes on")


def test_every_sum_and_each_shard_is_shown(api: Api, shell: Shell) -> None:
    """S2-28."""
    api.play("GET", STATS, FOUND)

    text = shell.run("views", "stats").text

    for name, value in {
        "max views per session": "3",
        "max daily views per user": "100",
        "view cooldown minutes": "5",
        "session duration hours": "24",
        "total view keys": "2,001",
        "total session keys": "3,002",
        "total daily limit keys": "4,003",
        "pending views": "5,004",
        "oldest pending at": "2026-11-20 08:30:00 UTC",
        "oldest pending seconds": "7,006",
        "open epoch": "41",
        "open epoch phase": "paging",
        "syncing contents": "6,005",
        "parked contents": "8",
        "refused fields": "9,007",
        "used memory": "3.0 MiB",
    }.items():
        assert value_of(text, name) == value
    of_shard = next(line for line in text.splitlines() if "1,234" in line)
    assert of_shard.split() == ["7", "41", "1,234", "56", "78", "9", "10", "yes"]


def test_what_there_is_none_of_is_left_out_and_a_rule_at_0_is_off(api: Api, shell: Shell) -> None:
    nothing = dict.fromkeys(("used_memory_bytes", "oldest_pending_at", "oldest_pending_seconds", "open_epoch"))
    api.play("GET", STATS, FOUND | nothing | {"max_views_per_session": 0})

    text = shell.run("views", "stats").text

    assert value_of(text, "max views per session") == "off"
    for name in ("used memory", "oldest pending at", "oldest pending seconds", "open epoch"):
        assert f"{name}  " not in text


def value_of(text: str, name: str) -> str:
    return next(line.removeprefix(name).strip() for line in text.splitlines() if line.startswith(f"{name}  "))
