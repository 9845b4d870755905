"""What is asked, and that nothing is where nobody can answer."""

import pytest

from tests.cli.api import Api
from tests.cli.running import Shell

CANCEL = ("boosts", "cancel", "bst_01")
ASKING = [
    CANCEL,
    ("stop", "--reason", "why"),
    ("stop", "--yes"),
    ("resume",),
    ("boosts", "revert", "bst_01", "--yes"),
    ("broadcasts", "cancel", "brd_01"),
    ("broadcasts", "delete", "brd_01"),
    ("broadcasts", "retry", "brd_01", "--unknown"),
    ("sponsorships", "close", "spn_01"),
    ("sponsorships", "void", "spn_01", "nina", "viewer7", "--reason", "why"),
    ("sponsorships", "reject", "spn_01", "nina", "--yes"),
    ("promotions", "publish", "prm_01"),
    ("promotions", "disconnect", "sandbox"),
    ("promotions", "unexcept", "sandbox", "nina"),
    ("instances", "delete", "ins_01"),
    ("templates", "delete", "tpl_01"),
    ("quotas", "set", "acme"),
    ("suppressions", "remove", "5511987654321"),
    ("consents", "remove", "5511987654321"),
    ("wallets", "withdraw", "nina", "--amount", "1", "--currency", "USD", "--reference", "r"),
    ("login", "--url", "http://127.0.0.1:1"),
]


@pytest.mark.parametrize("words", ASKING, ids=" ".join)
def test_without_a_terminal_it_names_the_flag_and_asks_nothing(api: Api, shell: Shell, words: tuple[str, ...]) -> None:
    ended = shell.run(*words, stdin=b"y\n")

    assert (ended.code, ended.out) == (2, b"")
    assert any(flag in ended.told for flag in ("--yes", "--reason", "--with-token"))
    assert api.asked == []


@pytest.mark.parametrize("flag", ["--json", "--no-input"])
def test_a_terminal_is_not_asked_when_told_so(api: Api, shell: Shell, flag: str) -> None:
    ended = shell.in_terminal(*CANCEL, flag, typed=b"y\n")

    assert ended.code == 2
    assert "--yes" in ended.told
    assert api.asked == []


def test_a_terminal_is_asked_on_stderr_and_yes_goes_on(api: Api, shell: Shell) -> None:
    ended = shell.in_terminal(*CANCEL, typed=b"y\n")

    assert ended.code == 0
    assert "Cancel bst_01?" in ended.told
    assert b"Cancel" not in ended.out
    assert [each.path for each in api.asked] == ["/api/admin/fake-views/bst_01/cancel"]


@pytest.mark.parametrize("typed", [b"n\n", b"\n"])
def test_no_and_nothing_change_nothing(api: Api, shell: Shell, typed: bytes) -> None:
    ended = shell.in_terminal(*CANCEL, typed=typed)

    assert ended.code == 1
    assert "Nothing was changed." in ended.told
    assert api.asked == []


def test_yes_skips_the_question(api: Api, shell: Shell) -> None:
    assert shell.run(*CANCEL, "--yes").code == 0
    assert len(api.asked) == 1


def test_a_reason_is_asked_for_in_a_terminal(api: Api, shell: Shell) -> None:
    ended = shell.in_terminal("stop", typed=b"wrong prices\ny\n")

    assert ended.code == 0
    assert api.asked[0].json == {"reason": "wrong prices"}


def test_sending_says_to_how_many_people(api: Api, shell: Shell) -> None:
    path = "/api/campaigns/brd_01"
    api.play("GET", path, api.like("GET", path, name="Winter", totalRecipients=1234))

    refused = shell.run("broadcasts", "start", "brd_01")
    sent = shell.in_terminal("broadcasts", "send", "brd_01", "--plan", "abc", typed=b"y\n")

    assert refused.code == 2
    assert "Send 'Winter' to 1,234 people?" in sent.told
    assert sent.code == 0
    assert [each.method for each in api.asked] == ["GET", "GET", "POST"]
    assert api.asked[-1].json == {"action": "start"}
    assert api.asked[-1].headers["if-match"] == "abc"
