"""`sluice redrive`, and what a stop makes of other commands."""

import json

import pytest

from tests.cli.api import Api, Played
from tests.cli.running import Shell

REDRIVE = "/api/admin/redrive"
HEALTH = "/api/admin/health"
STOP = "/api/admin/stop"
STOPPED = {"status": "stopped", "reason": "wrong prices", "actor": "ada", "since": "2027-01-31T09:00:00Z"}


def redriven(queue: str, moved: int, left: int) -> dict[str, object]:
    return {"queue": queue, "moved": moved, "left": left}


def queues(api: Api) -> list[str]:
    """Those that were redriven, call by call."""
    return [each.json["queue"] for each in api.asked if each.path == REDRIVE]


def test_the_dead_letters_of_a_queue_are_put_back_until_none_is_left(api: Api, shell: Shell) -> None:
    api.play("POST", REDRIVE, redriven("boosts", 100, 105), redriven("boosts", 100, 5), redriven("boosts", 5, 0))

    ended = shell.run("redrive", "boosts")

    assert (ended.code, ended.text, ended.err) == (0, "boosts  205 moved, 0 left\n", b"")
    assert queues(api) == ["boosts"] * 3
    assert len({each.headers["idempotency-key"] for each in api.asked}) == 3


def test_without_a_queue_all_that_have_dead_letters_or_cannot_be_read_are_redriven(api: Api, shell: Shell) -> None:
    parts = dict.fromkeys(api.contract.answer("GET", HEALTH), 0)
    parts |= {"boosts_dead_letters": 3, "views_imports_dead_letters": None, "outbox_dead_letters": 7}
    api.play("GET", HEALTH, parts)
    api.play("POST", REDRIVE, redriven("boosts", 3, 0), redriven("views_imports", 0, 0))

    ended = shell.run("redrive")

    assert (ended.code, ended.text) == (0, "boosts  3 moved, 0 left\nviews_imports  0 moved, 0 left\n")
    assert queues(api) == ["boosts", "views_imports"]


def test_where_there_are_no_dead_letters_it_says_so(api: Api, shell: Shell) -> None:
    api.play("GET", HEALTH, dict.fromkeys(api.contract.answer("GET", HEALTH), 0))

    ended = shell.run("redrive")

    assert (ended.code, ended.out, ended.told) == (0, b"", "There are no dead letters.\n")


@pytest.mark.parametrize(
    ("answers", "calls"),
    [
        ([redriven("boosts", 3, 2), redriven("boosts", 0, 2)], 2),  # others hold them
        ([redriven("boosts", 100, 5), redriven("boosts", 100, 5)], 2),  # what was put back died again at once
    ],
)
def test_what_stays_ends_it_with_1_and_keeps_it_from_going_on_for_ever(
    api: Api, shell: Shell, answers: list[dict[str, object]], calls: int
) -> None:
    api.play("POST", REDRIVE, *answers)

    ended = shell.run("redrive", "boosts")

    assert (ended.code, len(api.asked)) == (1, calls)
    assert "dead letters left" in ended.told
    assert "run it again" in ended.told


def test_of_several_queues_the_others_are_redriven_though_one_keeps_some(api: Api, shell: Shell) -> None:
    parts = dict.fromkeys(api.contract.answer("GET", HEALTH), 0)
    api.play("GET", HEALTH, parts | {"boosts_dead_letters": 1, "views_dead_letters": 1})
    api.play("POST", REDRIVE, redriven("boosts", 0, 1), redriven("views", 1, 0))

    ended = shell.run("redrive")

    assert (ended.code, ended.text.splitlines()[1]) == (1, "views  1 moved, 0 left")


def test_as_json_a_redrive_is_the_apis_own_answers_with_a_terminal_and_without(api: Api, shell: Shell) -> None:
    bodies = [b'{"queue":"boosts", "moved":100,  "left":5}', b'{"queue":"boosts","moved":5,"left":0}']
    api.play("POST", REDRIVE, *map(played, bodies * 2))

    piped = shell.run("redrive", "boosts", "--json")
    in_terminal = shell.in_terminal("redrive", "boosts", "--json")

    assert (piped.code, piped.out) == (0, b"".join(body + b"\n" for body in bodies))
    assert in_terminal == piped


def played(body: bytes) -> Played:
    return Played(body=body)


@pytest.mark.parametrize(
    ("words", "route", "code"),
    [
        (("redrive", "boosts"), REDRIVE, "stopped"),
        (("stop", "--reason", "why", "--yes"), STOP, "platform_already_stopped"),
        (("api", "POST", "/v2/campaigns/prm_01/claims"), "/v2/campaigns/prm_01/claims", "platform_stopped"),
    ],
)
def test_what_the_stop_forbids_is_told_with_since_when_and_the_way_out(
    api: Api, shell: Shell, words: tuple[str, ...], route: str, code: str
) -> None:
    api.play("POST", route, api.problem(409, code, "The platform is stopped"))
    api.play("GET", STOP, STOPPED)

    ended = shell.run(*words)

    assert ended.code == 5
    assert ended.told.splitlines()[:2] == [
        f"error: The platform is stopped ({code})",
        'The platform is stopped since 2027-01-31 09:00:00 UTC by ada ("wrong prices"): sluice resume --reason TEXT',
    ]


@pytest.mark.parametrize("status", [403, 503])
def test_who_may_not_or_cannot_see_the_stop_is_told_the_way_out_all_the_same(
    api: Api, shell: Shell, status: int
) -> None:
    api.play("POST", REDRIVE, api.problem(409, "stopped", "The platform is stopped"))
    api.play("GET", STOP, Played(status, b'{"code": "forbidden"}', {"retry-after": "0"}))

    ended = shell.run("redrive", "boosts")

    assert ended.code == 5
    assert ended.told.splitlines()[1] == "The platform is stopped: sluice resume --reason TEXT"


def test_another_refusal_asks_nothing_of_the_stop(api: Api, shell: Shell) -> None:
    api.play("POST", REDRIVE, api.problem(409, "some_code", "It is so"))

    ended = shell.run("redrive", "boosts")

    assert (ended.code, [each.path for each in api.asked]) == (5, [REDRIVE])


def test_a_queue_that_there_is_not_is_2_and_named_by_the_api(api: Api, shell: Shell) -> None:
    told = [{"field": "queue", "message": "There is no such queue: give one of boosts, views"}]
    refused = api.problem(400, "invalid", "There is no such queue", errors=told)
    api.part = lambda asked: refused if json.loads(asked.body) == {"queue": "boots"} else None

    ended = shell.run("redrive", "boots")

    api.problems.clear()  # an enumeration: the contract has none of this name
    assert ended.code == 2
    assert ended.told.splitlines()[1] == "queue: There is no such queue: give one of boosts, views"
