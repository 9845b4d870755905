"""What is printed, with a terminal and without."""

import json

import pytest

from tests.cli.api import Api, Played
from tests.cli.running import Shell

BOOSTS = "/api/admin/fake-views"
BOOST = f"{BOOSTS}/bst_01"


def a_boost(api: Api, done: int, status: str = "running", **changes: object) -> dict[str, object]:
    return api.like("GET", BOOST, id="bst_01", status=status, executed_count=done, total_count=3000, **changes)


def test_json_is_the_apis_own_answer_byte_for_byte_with_a_terminal_and_without(api: Api, shell: Shell) -> None:
    body = b'{"id":"bst_01",  "name": "caf\xc3\xa9 \\u00e9\\u001b[31m", "n":1.50, "big":12345678901234567890}'
    api.play("GET", BOOST, Played(body=body))

    piped = shell.run("boosts", "show", "bst_01", "--json")
    in_terminal = shell.in_terminal("--json", "boosts", "show", "bst_01")

    assert (piped.code, piped.out, piped.err) == (0, body + b"\n", b"")
    assert in_terminal == piped


def test_people_read_the_same_with_a_terminal_and_without(api: Api, shell: Shell) -> None:
    piped = shell.run("boosts", "list")
    in_terminal = shell.in_terminal("boosts", "list")

    assert piped.code == 0
    assert piped.out.startswith(b"ID")
    assert in_terminal == piped


def test_a_table_has_aligned_columns_numbers_at_the_right_and_whole_ids(api: Api, shell: Shell) -> None:
    boosts = [a_boost(api, 5, video_ids=["a"]), a_boost(api, 1234, video_ids=["abc", "d"])]
    api.play("GET", BOOSTS, {"items": boosts, "next_cursor": "more"})

    ended = shell.run("boosts", "list", "--utc")

    assert ended.text.splitlines() == [
        "ID      STATUS   VIDEOS   DONE  TOTAL  PATTERN  CREATED AT",
        "bst_01  running  a           5  3,000  steady   2027-01-31 09:00:00 UTC",
        "bst_01  running  abc, d  1,234  3,000  steady   2027-01-31 09:00:00 UTC",
    ]
    assert ended.told == "There is more: --cursor more\n"


def test_moments_are_in_this_machines_time_zone_or_in_utc(api: Api, shell: Shell) -> None:
    here = shell.run("boosts", "show", "bst_01", TZ="America/Sao_Paulo")
    there = shell.run("boosts", "show", "bst_01", "--utc", TZ="America/Sao_Paulo")

    assert "2027-01-31 06:00:00 -03" in here.text
    assert "2027-01-31 09:00:00 UTC" in there.text


def test_money_is_in_its_currency(api: Api, shell: Shell) -> None:
    api.play(
        "GET",
        "/api/v1/wallets/me",
        {"user": "nina", "items": [{"balance": 8250, "currency": "USD", "exponent": 2, "lines": 1}]},
    )

    ended = shell.run("wallets", "list")

    assert ended.text.splitlines()[1].split() == ["USD", "82.50", "USD", "1"]


def test_a_name_cannot_move_the_cursor_of_a_terminal(api: Api, shell: Shell) -> None:
    api.play("GET", BOOST, a_boost(api, 1, failure_reason="\x1b[2Jgone\rback\u202e"))

    ended = shell.in_terminal("boosts", "show", "bst_01")

    assert b"\\x1b[2Jgone\\x0dback\\x202e" in ended.out
    assert b"\x1b" not in ended.out


def test_an_empty_list_says_so_beside_the_data(api: Api, shell: Shell) -> None:
    api.play("GET", BOOSTS, {"items": [], "next_cursor": None})

    ended = shell.run("boosts", "list")

    assert (ended.code, ended.out, ended.told) == (0, b"", "There is nothing to list.\n")


def test_watching_in_a_pipe_is_a_line_for_each_change(api: Api, shell: Shell) -> None:
    """100 % only when it has ended: all is delivered in the third look, and it is still running."""
    running = [a_boost(api, 1000), a_boost(api, 1000), a_boost(api, 3000)]
    api.play("GET", BOOST, *running, a_boost(api, 3000, "completed"))

    ended = shell.run("boosts", "watch", "bst_01", "--every", "0.05")

    lines = [line.split("  waits")[0] for line in ended.text.splitlines()]
    assert lines == ["running  1,000 of 3,000  33 %", "running  3,000 of 3,000  99 %", lines[2]]
    assert lines[2].startswith("completed  3,000 of 3,000  100 %")
    assert (ended.code, ended.err) == (0, b"")


def test_watching_as_json_is_the_apis_answers_a_line_each(api: Api, shell: Shell) -> None:
    answers = [a_boost(api, 1000), a_boost(api, 1000), a_boost(api, 3000, "completed")]
    api.play("GET", BOOST, *answers)

    ended = shell.run("boosts", "watch", "bst_01", "--every", "0.05", "--json")

    assert ended.text == "".join(json.dumps(each) + "\n" for each in answers[1:])


def test_watching_in_a_terminal_draws_a_bar_and_leaves_the_last_line(api: Api, shell: Shell) -> None:
    api.play("GET", BOOST, a_boost(api, 1000), a_boost(api, 2000), a_boost(api, 3000, "completed", failure_reason=None))

    ended = shell.in_terminal("boosts", "watch", "bst_01", "--every", "0.05", COLUMNS="120")

    assert ended.text == "completed  3,000 of 3,000  100 %\n"
    assert "1,000 of 3,000  33 %" in ended.told
    assert "2,000 of 3,000  66 %" in ended.told
    assert "━" in ended.told


@pytest.mark.parametrize("plain", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_bar_and_no_colour_where_they_are_not_wanted(api: Api, shell: Shell, plain: dict[str, str]) -> None:
    api.play("GET", BOOST, a_boost(api, 1000), a_boost(api, 3000, "completed"))

    ended = shell.in_terminal("boosts", "watch", "bst_01", "--every", "0.05", **plain)

    assert len(ended.text.splitlines()) == 2
    assert b"\x1b" not in ended.out + ended.err


def test_a_csv_is_followed_over_its_pages(api: Api, shell: Shell) -> None:
    following = {"link": '<?limit=2&cursor=c2>; rel="next"'}
    api.play("GET", f"{BOOST}/export", Played(body=b"a,b\r\n1,2\r\n", headers=following), Played(body=b"3,4\r\n"))

    ended = shell.run("boosts", "export", "bst_01", "-o", "batches.csv")

    assert (shell.home / "batches.csv").read_bytes() == b"a,b\r\n1,2\r\n3,4\r\n"
    assert (ended.out, ended.told) == (b"", "3 lines\n")
    assert [each.query for each in api.asked] == [{}, {"limit": "2", "cursor": "c2"}]
