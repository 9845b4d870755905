"""`sluice hooks`: secrets that are shown once, what is held, and the check of a signature."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from tests.cli.api import Api
from tests.cli.running import Ended, Shell

HOOKS = "/api/admin/hooks"
ONE = f"{HOOKS}/hok_01"
SECRET = "whsec_YSBtYXN0ZXIgb2YgdGhlIHRlc3RzLCAzMiBieXRlcyE="
BODY = '{"type":"boost.completed","timestamp":"2026-11-28T00:53:20.000000Z","data":{"name":"Café"}}'
FACTS = {"created_at": "2026-11-01T09:00:00.000000Z", "updated_at": "2026-11-28T09:00:00.000000Z", "held": 3}


@pytest.mark.parametrize(("name", "words"), [("create", ("https://example.com/",)), ("rotate", ("hok_01",))])
def test_a_secret_is_printed_with_what_to_do_with_it(api: Api, shell: Shell, name: str, words: tuple[str, ...]) -> None:
    path = HOOKS if name == "create" else f"{ONE}/rotate"
    until = None if name == "create" else "2027-01-31T09:00:00Z"
    api.play("POST", path, api.like("POST", path, secret=SECRET, old_signs_until=until))

    ended = shell.run("-v", "hooks", name, *words)

    assert ended.code == 0
    assert ["secret", SECRET] in [line.split() for line in ended.text.splitlines()]
    assert SECRET not in ended.told
    assert "not shown again" in ended.told
    assert ("signs too until 2027-01-31 09:00:00 UTC" in ended.told) == (name == "rotate")
    assert not any(SECRET in file.read_text() for file in shell.home.rglob("*") if file.is_file())


def test_a_repeated_answer_without_its_secret_says_why(api: Api, shell: Shell) -> None:
    api.play("POST", f"{ONE}/rotate", api.like("POST", f"{ONE}/rotate", secret=None))

    ended = shell.run("hooks", "rotate", "hok_01")

    assert "no longer signs" in ended.told


def test_the_list_names_the_masters_that_are_in_use(api: Api, shell: Shell) -> None:
    api.play("GET", HOOKS, {"items": [api.like("GET", ONE, id="hok_01")], "masters_in_use": [1, 3]})

    ended = shell.run("hooks", "list")

    assert ended.text.splitlines()[1].startswith("hok_01")
    assert ended.told == "Masters of HooksSecret in use: 1, 3\n"


@pytest.mark.parametrize("verb", ["show", "disable"])
def test_an_endpoint_without_a_filter_gets_all_events(api: Api, shell: Shell, verb: str) -> None:
    hook = api.like("GET", ONE, id="hok_01", events=[], old_signs_until="2020-01-31T09:00:00Z")
    for method in ("GET", "PATCH"):
        api.play(method, ONE, hook)
    api.play("GET", HOOKS, {"items": [hook], "masters_in_use": []})

    shown, listed = shell.run("hooks", verb, "hok_01"), shell.run("hooks", "list")

    assert ["events", "all"] in [line.split() for line in shown.text.splitlines()]
    assert " all " in listed.text.splitlines()[1]
    assert "old signs until" not in shown.text
    assert json.loads(shell.run("--json", "hooks", verb, "hok_01").text) == hook


def test_a_rotation_without_an_overlap_says_that_the_old_secret_is_over(api: Api, shell: Shell) -> None:
    path = f"{ONE}/rotate"
    api.play("POST", path, api.like("POST", path, secret=SECRET, old_signs_until="2020-01-31T09:00:00Z"))

    ended = shell.run("hooks", "rotate", "hok_01", "--overlap", "0")

    assert "The secret before signs nothing any more." in ended.told
    assert "old signs until" not in ended.text


def test_all_events_again_are_an_empty_filter(api: Api, shell: Shell) -> None:
    shell.run("hooks", "update", "hok_01", "--all-events")
    both = shell.run("hooks", "update", "hok_01", "--all-events", "--event", "boost.*")

    assert [each.json for each in api.asked] == [{"events": []}]
    assert (both.code, "--event or --all-events" in both.told) == (2, True)


def test_a_description_is_taken_away_by_an_empty_one(api: Api, shell: Shell) -> None:
    shell.run("hooks", "update", "hok_01", "--description", "")

    assert [each.json for each in api.asked] == [{"description": ""}]


def test_what_is_held_is_shown(api: Api, shell: Shell) -> None:
    api.play("GET", ONE, api.like("GET", ONE, held=12_345))

    assert "12,345" in shell.run("hooks", "show", "hok_01").text


def test_what_was_held_is_named_and_sent_on_wish_alone(api: Api, shell: Shell) -> None:
    api.play("POST", f"{ONE}/enable", api.like("POST", f"{ONE}/enable", **FACTS))

    named = shell.run("hooks", "enable", "hok_01")
    before = len(api.asked)
    sent = shell.run("hooks", "enable", "hok_01", "--replay-held")

    asked = {"from": "1970-01-01T00:00:00Z", "to": FACTS["updated_at"], "status": "held"}
    assert (named.code, sent.code, before) == (0, 0, 1)
    assert f"hooks replay-range hok_01 --from {asked['from']} --to {asked['to']} --status held" in named.told
    assert [(each.path, each.json if each.body else None) for each in api.asked[1:]] == [
        (f"{ONE}/enable", None),
        (f"{ONE}/replay", asked),
    ]
    assert api.asked[1].headers["idempotency-key"] != api.asked[2].headers["idempotency-key"]


@pytest.mark.parametrize(
    ("held", "says"),
    [(1, "1 delivery is on the way."), (1_000, "1,000 deliveries are on the way."), (1_001, "run it again")],
)
def test_how_many_were_sent_is_said(api: Api, shell: Shell, held: int, says: str) -> None:
    api.play("POST", f"{ONE}/enable", api.like("POST", f"{ONE}/enable", **{**FACTS, "held": held}))

    ended = shell.run("hooks", "enable", "hok_01", "--replay-held")

    assert says in ended.told


def test_where_nothing_is_held_nothing_is_replayed(api: Api, shell: Shell) -> None:
    api.play("POST", f"{ONE}/enable", api.like("POST", f"{ONE}/enable", **{**FACTS, "held": 0}))

    ended = shell.run("hooks", "enable", "hok_01", "--replay-held")

    assert (ended.code, len(api.asked), ended.told) == (0, 1, "")


def test_a_delivery_is_shown_with_its_attempts(api: Api, shell: Shell) -> None:
    path = f"{ONE}/deliveries/dlv_01"
    log = [{"number": 1, "at": "2027-01-31T09:00:00Z", "outcome": "503", "milliseconds": 12, "excerpt": "\x1b[2Jbusy"}]
    api.play("GET", path, api.like("GET", path, body=BODY, log=log))

    ended = shell.run("hooks", "delivery", "hok_01", "dlv_01")

    assert BODY in ended.text
    assert "2027-01-31 09:00:00 UTC  503" in ended.text
    assert "\x1b" not in ended.text


class Signed:
    """A request as Sluice sends it, and the command that checks it."""

    def __init__(self, shell: Shell, age: timedelta = timedelta(), secret: str = SECRET) -> None:
        at = datetime.now(UTC) - age
        self._shell = shell
        self.id, self.seconds = "evt_01", str(int(at.timestamp()))
        self.signature = Webhook(secret).sign(self.id, at, BODY)
        (shell.home / "secret.txt").write_text(f"{SECRET}\n")

    def check(self, *more: str, body: str = BODY, **changed: str) -> Ended:
        headers = {"id": self.id, "timestamp": self.seconds, "signature": self.signature, **changed}
        words = [word for name, value in headers.items() for word in (f"--{name}", value)]
        secret = () if "--secret" in more else ("--secret", "secret.txt")
        return self._shell.run("hooks", "verify-signature", "-", *words, *secret, *more, stdin=body.encode())


def test_a_signature_of_now_holds(shell: Shell) -> None:
    signed = Signed(shell)

    assert (signed.check().code, signed.check().told) == (0, "")


def test_a_file_that_is_no_text_is_no_secret(shell: Shell) -> None:
    signed = Signed(shell)
    (shell.home / "secret.bin").write_bytes(b"\xff\xfe")

    ended = signed.check("--secret", "secret.bin")

    assert (ended.code, ended.told) == (2, "error: secret.bin is no text: a secret begins with whsec_\n")


def test_one_of_two_signatures_is_enough(shell: Shell) -> None:
    signed = Signed(shell)
    other = Signed(shell, secret="whsec_b3RoZXI=").signature

    assert signed.check(signature=f"{other} {signed.signature} v1a,x").code == 0
    assert signed.check(signature=other).code == 1


@pytest.mark.parametrize("minutes", [6, -6])
def test_an_old_timestamp_is_named_and_can_be_allowed(shell: Shell, minutes: int) -> None:
    signed = Signed(shell, timedelta(minutes=minutes))

    refused, allowed = signed.check(), signed.check("--any-age")

    assert (refused.code, allowed.code) == (1, 0)
    assert "The signature fits, and its timestamp is" in refused.text
    assert "clock" in refused.told


@pytest.mark.parametrize(
    ("body", "change"),
    [
        (BODY + "\n", "line's end"),
        (json.dumps(json.loads(BODY)), "parsed and written again"),
        (json.dumps(json.loads(BODY), indent=2, sort_keys=True), "parsed and written again"),
    ],
)
def test_a_body_that_was_written_again_is_recognised(shell: Shell, body: str, change: str) -> None:
    ended = Signed(shell).check(body=body)

    assert ended.code == 1
    assert "The secret is right, and the body was changed" in ended.text
    assert change in ended.text


@pytest.mark.parametrize("changed", ["secret", "body", "id", "timestamp"])
def test_what_else_does_not_fit_is_1_and_says_where_to_look(shell: Shell, changed: str) -> None:
    signed = Signed(shell)
    (shell.home / "other.txt").write_text("whsec_b3RoZXI=")
    ended = {
        "secret": lambda: signed.check("--secret", "other.txt"),
        "body": lambda: signed.check(body=BODY.replace("Café", "Tea")),
        "id": lambda: signed.check(id="evt_02"),
        "timestamp": lambda: signed.check(timestamp=str(int(signed.seconds) - 1)),
    }[changed]()

    assert ended.code == 1
    assert "No signature fits" in ended.text
    assert [line.partition(":")[0] for line in ended.told.splitlines()] == ["The secret", "The body", "The headers"]


def test_as_json_it_is_one_object(shell: Shell) -> None:
    ended = Signed(shell).check("--json", body="{}")

    found = json.loads(ended.out)
    assert (ended.code, found["valid"], found["problem"].startswith("No signature fits")) == (1, False, True)


@pytest.mark.parametrize("source", ["environment", "typed"])
def test_the_secret_comes_from_where_no_process_list_shows_it(shell: Shell, source: str) -> None:
    signed = Signed(shell)
    (shell.home / "body.json").write_text(BODY)
    words = ("hooks", "verify-signature", "body.json", "--id", signed.id, "--timestamp", signed.seconds)
    words += ("--signature", signed.signature)

    if source == "environment":
        ended = shell.run(*words, SLUICE_HOOK_SECRET=SECRET)
    else:
        ended = shell.in_terminal(*words, typed=f"{SECRET}\n".encode(), prompt=b"Secret: ")
    neither = shell.run(*words)

    assert (ended.code, neither.code) == (0, 2)
    assert SECRET.encode() not in ended.out + ended.err


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [("timestamp", "yesterday", "seconds since 1970"), ("signature", "abc", "has no v1"), ("secret", "hush", "base64")],
)
def test_what_is_no_header_or_no_secret_is_2(shell: Shell, tmp_path: Path, name: str, value: str, says: str) -> None:
    signed = Signed(shell)
    if name == "secret":
        (tmp_path / "secret.txt").write_text("hush!")
        ended = signed.check()
    else:
        ended = signed.check(**{name: value})

    assert (ended.code, says in ended.told) == (2, True)
    assert "hush" not in ended.told
