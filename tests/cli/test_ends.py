"""How a command ends: exit codes, nonsense, Ctrl-C, a reader that goes away."""

import pytest

from tests.cli.api import Api, Played
from tests.cli.running import Shell

BOOSTS = "/api/admin/fake-views"
BOOST = f"{BOOSTS}/bst_01"
SHOW = ("boosts", "show", "bst_01")


@pytest.mark.parametrize(
    ("status", "code"), [(400, 2), (401, 4), (403, 4), (404, 3), (409, 5), (413, 2), (422, 5), (500, 1)]
)
def test_an_answer_of_the_api_has_its_exit_code(api: Api, shell: Shell, status: int, code: int) -> None:
    api.play("GET", BOOST, api.problem(status, "some_code", "It is so", errors=[{"field": "id", "message": "is odd"}]))

    ended = shell.run(*SHOW)

    assert (ended.code, ended.out) == (code, b"")
    lines = ended.told.splitlines()
    assert lines[:2] == ["error: It is so (some_code)", "id: is odd"]
    assert lines[-1] == "request: req-1"


def test_the_gateways_own_refusal_says_what_to_do(api: Api, shell: Shell) -> None:
    api.play("GET", BOOST, Played(401, b'{"message":"Unauthorized"}'))

    ended = shell.run(*SHOW)

    assert ended.code == 4
    assert ended.told.splitlines()[0] == "error: Unauthorized (401)"
    assert "SLUICE_TOKEN" in ended.told


def test_an_api_that_is_not_reached_is_6(shell: Shell) -> None:
    ended = shell.run(
        "boosts",
        "create",
        "--video",
        "a",
        "--total",
        "1",
        "--days",
        "1",
        "--daily-limit",
        "1",
        "--url",
        "http://127.0.0.1:1",
    )

    assert ended.code == 6
    assert ended.told.startswith("error: 127.0.0.1:1 was not reached")


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"", b"[]", b"\xff\xfe"])
def test_what_is_no_api_is_said_to_be_none(api: Api, shell: Shell, body: bytes) -> None:
    api.play("GET", BOOST, Played(body=body))

    ended = shell.run(*SHOW)

    assert (ended.code, ended.out) == (1, b"")
    assert "is the address that of Sluice's API?" in ended.told


def test_a_redirect_is_not_followed(api: Api, shell: Shell) -> None:
    api.play("GET", BOOST, Played(302, headers={"location": f"{api.origin}/elsewhere"}))

    ended = shell.run(*SHOW)

    assert ended.code == 1
    assert [each.path for each in api.asked] == [BOOST]


@pytest.mark.parametrize(
    ("words", "route", "answer"),
    [
        (("boosts", "verify", "bst_01"), f"{BOOST}/verify", {"valid": False}),
        (("audit", "verify", "bst_01"), "/api/admin/audit/bst_01/verify", {"valid": False}),
        (("health",), "/api/admin/health", {"status": "degraded"}),
        (("boosts", "watch", "bst_01"), BOOST, {"status": "failed"}),
        (("broadcasts", "watch", "brd_01"), "/api/campaigns/brd_01/progress", {"status": "FAILED"}),
    ],
)
def test_what_does_not_hold_is_1_and_is_still_shown(
    api: Api, shell: Shell, words: tuple[str, ...], route: str, answer: dict[str, object]
) -> None:
    api.play("GET", route, api.like("GET", route, **answer))

    ended = shell.run(*words)

    assert ended.code == 1
    assert ended.out


@pytest.mark.parametrize(
    "words",
    [
        ("boosts", "show", ""),
        ("boosts", "show", ".."),
        ("boosts", "show", "a/b"),
        ("boosts", "show", "a?b=c"),
        ("boosts", "show", "a\nb"),
        ("boosts", "show"),
        ("boosts", "show", "a", "b"),
        ("boosts", "create", "--video", "a", "--total", "many", "--days", "1", "--daily-limit", "1"),
        ("boosts", "create", "--video", "a", "--total", "0", "--days", "1", "--daily-limit", "1"),
        ("boosts", "create", "--total", "1"),
        ("boosts", "list", "--limit", "-1"),
        ("boosts", "list", "--status", "odd"),
        ("boosts", "list", "--nonsense"),
        ("boosts", "list", "--url", "ftp://host"),
        ("boosts", "list", "--url", "nonsense"),
        ("boosts", "list", "--url", "http://"),
        ("boosts", "list", "--token", "two words"),
        ("boosts", "list", "--token", "a\r\nX-Evil: yes"),
        ("broadcasts", "create", "--name", "a", "--instance", "b", "--window", "always"),
        ("broadcasts", "import", "brd_01", "there-is-no-such-file.csv"),
        ("views", "export", "history", "video"),
        ("api", "GET", "no-slash"),
        ("api", "GET", "/../../../elsewhere"),
        ("api", "POST", "/api/views", "-f", "no-equals"),
        ("api", "STEAL", "/api/views"),
        ("completion", "tcsh"),
        ("login", "--profile", "../x", "--with-token"),
        (),
        ("boosts",),
        ("--json",),
    ],
)
def test_nonsense_is_2_in_a_sentence_and_asks_nothing(api: Api, shell: Shell, words: tuple[str, ...]) -> None:
    ended = shell.run(*words)

    assert (ended.code, ended.out) == (2, b"")
    assert ended.told
    assert "Traceback" not in ended.told
    assert api.asked == []


def test_a_choice_that_is_missing_is_named_in_one_line(shell: Shell) -> None:
    """click lists what there is to choose from below each other, with tabs."""
    ended = shell.run("token", "create", "--subject", "ada")

    line, _ = ended.told.splitlines()
    assert line == "error: Missing option '--role'. Choose from: user, service, operator, admin"


def test_an_unknown_command_names_the_nearest(shell: Shell) -> None:
    assert "Did you mean 'boosts'?" in shell.run("boots").told
    assert "Did you mean 'pause'?" in shell.run("boosts", "puase", "bst_01").told


def test_without_an_address_it_says_how_to_give_one(shell: Shell) -> None:
    ended = shell.run("health", SLUICE_URL="", SLUICE_TOKEN="")

    assert ended.code == 2
    assert "SLUICE_URL" in ended.told
    assert "sluice login" in ended.told


def test_a_reader_that_goes_away_ends_it_quietly_with_141(api: Api, shell: Shell) -> None:
    api.play("GET", f"{BOOST}/export", Played(body=b"a,b\r\n" * 200_000, headers={"link": '<?cursor=c>; rel="next"'}))
    process = shell.start("boosts", "export", "bst_01")
    assert process.stdout is not None
    assert process.stderr is not None

    first = process.stdout.readline()
    process.stdout.close()

    assert first == b"a,b\r\n"
    assert process.wait(timeout=300) == 141
    assert process.stderr.read() == b""
    process.stderr.close()


def test_ctrl_c_while_watching_says_that_it_goes_on(api: Api, shell: Shell) -> None:
    api.play("GET", BOOST, api.like("GET", BOOST, status="running", executed_count=1))

    ended = shell.interrupted("boosts", "watch", "bst_01", "--every", "0.05", when=lambda: len(api.asked) > 2)

    assert ended.code == 130
    assert ended.told.strip() == "still running; `sluice boosts watch bst_01` goes on"


def test_a_file_that_cannot_be_written_is_said(api: Api, shell: Shell) -> None:
    ended = shell.run("boosts", "export", "bst_01", "-o", "no/such/folder.csv")

    assert ended.code == 2
    assert "no/such/folder.csv" in ended.told
    assert "Traceback" not in ended.told


def test_a_full_disk_is_1_in_a_sentence(api: Api, shell: Shell) -> None:
    ended = shell.run("boosts", "export", "bst_01", "-o", "/dev/full")

    assert ended.code == 1
    assert ended.told.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in ended.told
