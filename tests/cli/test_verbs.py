"""What the declared verbs send: fields, files, secrets, and more than one request."""

import json

import pytest

from sluice.money import EXPONENTS
from sluice_cli import output
from tests.cli.api import TOKEN, UPLOAD, Api, Played
from tests.cli.running import Shell

INSTANCE = ("--name", "Support", "--provider", "evolution", "--address", "support")
SECRETS = {"apiKey": "hush-1", "jwtKey": "hush-2-of-thirty-two-signs-at-least"}
SPOKEN = {"changed": 0, "unchanged": 0, "refused": []}


def test_a_change_names_what_is_given_and_is_null_where_something_is_cleared(api: Api, shell: Shell) -> None:
    ended = shell.run("promotions", "update", "prm_01", "--title", "Spring", "--clear", "max-each")

    assert ended.code == 0
    assert api.asked[0].json == {"title": "Spring", "max_per_participant": None}


def test_a_field_is_set_by_one_option_only(api: Api, shell: Shell) -> None:
    (shell.home / "people.json").write_text("[]")

    words = ("--name", "n", "--instance", "i", "--message", "m", "--to", "5511987654321", "--recipients", "people.json")
    ended = shell.run("broadcasts", "create", *words)

    assert (ended.code, ended.out, api.asked) == (2, b"", [])
    assert "--to or --recipients" in ended.told


def test_options_become_the_apis_objects(api: Api, shell: Shell) -> None:
    words = ("--weight", "like=3", "--weight", "quote=5", "--close-at", "likes=100", "--text", "a #ad", "--text", "b")
    terms = ("--title", "t", "--network", "sandbox", "--budget", "1", "--currency", "USD", "--minutes", "5")

    shell.run("promotions", "create", *terms, *words)
    shell.run("instances", "update", "ins_01", "--price", "BR,marketing,62500,2026-11-01")
    shell.run("quotas", "set", "acme", "--cap", "2/168", "--yes")

    promotion, instance, quota = (each.json for each in api.asked)
    assert promotion["weights"] == {"like": 3, "quote": 5}
    assert promotion["auto_close"] == [{"metric": "likes", "at_least": 100}]
    assert promotion["texts"] == ["a #ad", "b"]
    price = {"country": "BR", "category": "marketing", "price": 62500, "from": "2026-11-01"}
    assert instance == {"prices": [price]}
    assert quota == {"frequencyCap": {"count": 2, "hours": 168}}


@pytest.mark.parametrize(
    "words",
    [
        ("promotions", "update", "prm_01", "--weight", "like"),
        ("promotions", "update", "prm_01", "--close-at", "likes=many"),
        ("instances", "update", "ins_01", "--price", "BR,marketing"),
        ("quotas", "set", "acme", "--cap", "2", "--yes"),
        ("broadcasts", "update", "brd_01", "--window", "all day"),
        ("instances", "update", "ins_01", "--credentials", "missing.json"),
    ],
    ids=" ".join,
)
def test_what_has_another_form_is_2_and_says_which(api: Api, shell: Shell, words: tuple[str, ...]) -> None:
    ended = shell.run(*words)

    assert (ended.code, api.asked) == (2, [])
    assert "Traceback" not in ended.told


def test_an_owner_of_a_write_stands_in_the_query(api: Api, shell: Shell) -> None:
    ended = shell.run("instances", "create", *INSTANCE, "--owner", "acme")

    assert ended.code == 0
    assert api.asked[0].query == {"owner": "acme"}
    assert "owner" not in api.asked[0].json


@pytest.mark.parametrize("source", ["file", "stdin", "environment"])
def test_credentials_come_from_where_no_process_list_shows_them(api: Api, shell: Shell, source: str) -> None:
    content = json.dumps(SECRETS).encode()
    (shell.home / "secrets.json").write_bytes(content)
    words = {
        "file": ("--credentials", "secrets.json"),
        "stdin": ("--credentials", "-"),
        "environment": ("--credentials-from-env",),
    }[source]
    named = {"SLUICE_API_KEY": "hush-1", "SLUICE_JWT_KEY": SECRETS["jwtKey"]} if source == "environment" else {}

    ended = shell.run("-v", "instances", "create", *INSTANCE, *words, stdin=content, **named)

    assert ended.code == 0
    assert api.asked[0].json["credentials"] == SECRETS
    assert b"hush" not in ended.out + ended.err


def test_an_environment_without_credentials_is_2(api: Api, shell: Shell) -> None:
    ended = shell.run("instances", "update", "ins_01", "--credentials-from-env")

    assert (ended.code, api.asked) == (2, [])
    assert "SLUICE_API_KEY" in ended.told


def test_a_networks_token_comes_from_stdin_or_is_typed_unseen(api: Api, shell: Shell) -> None:
    connect = ("promotions", "connect", "sandbox")
    refused = shell.run(*connect, stdin=b"hush\n")
    read = shell.run(*connect, "--with-token", stdin=b"hush\n")
    typed = shell.in_terminal(*connect, typed=b"hush\n", prompt=b"Token at sandbox: ")

    assert (refused.code, read.code, typed.code) == (2, 0, 0)
    assert "--with-token" in refused.told
    assert [each.json for each in api.asked] == [{"token": "hush"}, {"token": "hush"}]
    assert b"hush" not in read.out + read.err + typed.out + typed.err


def test_phones_go_by_the_thousand_and_a_refused_one_is_named(api: Api, shell: Shell) -> None:
    (shell.home / "blocked.csv").write_text("phone,reason\n" + "".join(f"55119{n:08d},old\n" for n in range(1001)))
    refused = {"row": 0, "code": "phone_short", "message": "The phone is too short"}
    answers = [{**SPOKEN, "changed": 999, "unchanged": 1}, {**SPOKEN, "refused": [refused]}]
    api.play("POST", "/api/suppressions/import", *answers)

    ended = shell.run("suppressions", "import", "blocked.csv", "--reason", "old")

    first, second = api.asked
    assert [len(each.json["phones"]) for each in api.asked] == [1000, 1]
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]
    assert ended.code == 1
    assert [line.split() for line in ended.text.splitlines()[:2]] == [["changed", "999"], ["unchanged", "1"]]
    assert ended.text.splitlines()[-1] == "5511900001000  The phone is too short"


def test_many_answers_are_json_lines(api: Api, shell: Shell) -> None:
    (shell.home / "blocked.csv").write_text("".join(f"55119{n:08d}\n" for n in range(1001)))
    api.play("POST", "/api/suppressions/import", {**SPOKEN, "changed": 1000}, {**SPOKEN, "changed": 1})

    ended = shell.run("suppressions", "import", "blocked.csv", "--reason", "old", "--json")

    assert [json.loads(line)["changed"] for line in ended.text.splitlines()] == [1000, 1]


def test_consents_are_named_or_come_from_a_file(api: Api, shell: Shell) -> None:
    api.play("POST", "/api/consents", SPOKEN)
    words = ("consents", "add", "--source", "a form")

    both = shell.run(*words, "5511987654321", "--file", "-", stdin=b"5511987654322\n")
    none = shell.run(*words)

    assert (both.code, none.code) == (0, 2)
    assert [each.json["phones"] for each in api.asked] == [["5511987654321", "5511987654322"]]


def test_keys_go_by_45_and_a_file_of_none_is_2(api: Api, shell: Shell) -> None:
    many = shell.run("sponsorships", "gkeys", "spn_01", "-", stdin=b"".join(b"KEY-%d\n" % n for n in range(46)))
    none = shell.run("sponsorships", "gkeys", "spn_01", "-", stdin=b"\n")

    assert (many.code, none.code) == (0, 2)
    assert [len(each.json["keys"]) for each in api.asked] == [45, 1]


def test_a_file_is_uploaded_as_what_it_is_and_without_the_token(api: Api, shell: Shell) -> None:
    api.play("POST", "/api/media", api.like("POST", "/api/media", url=api.origin + UPLOAD, fields={"key": "k"}))
    (shell.home / "winter.png").write_bytes(b"a picture")
    (shell.home / "winter").write_bytes(b"a picture")

    known = shell.run("media", "upload", "winter.png")
    unknown = shell.run("media", "upload", "winter")

    asked, upload = api.asked
    assert (known.code, unknown.code) == (0, 2)
    assert asked.json == {"contentType": "image/png", "bytes": 9}
    assert b"Content-Type: image/png\r\n\r\na picture\r\n" in upload.body
    assert TOKEN not in str(upload.headers)
    assert "--type" in unknown.told


def test_a_simulation_is_of_a_new_broadcast_or_of_one_that_is_there(api: Api, shell: Shell) -> None:
    new = ("--instance", "ins_01", "--message", "Hi")

    assert shell.run("broadcasts", "simulate", *new, "--line", "60").code == 0
    assert shell.run("broadcasts", "simulate", "brd_01", "--line", "60").code == 0
    assert shell.run("broadcasts", "simulate", "brd_01", *new).code == 2
    assert [each.path for each in api.asked] == ["/api/campaigns/simulate", "/api/campaigns/brd_01/simulate"]
    assert [each.json.get("lines") for each in api.asked] == [[60], [60]]


def test_an_import_shows_its_progress_on_a_terminal_and_the_same_result_in_a_pipe(api: Api, shell: Shell) -> None:
    path = "/api/campaigns/brd_01/imports/imp_01"
    going = api.like("GET", path, status="IMPORTING", rows=1000, accepted=400, rejected=0, duplicates=0)
    ended = {**going, "status": "DONE", "accepted": 1000}
    words = ("broadcasts", "imported", "brd_01", "imp_01", "--watch", "--every", "0.05")

    api.play("GET", path, going, ended)
    drawn = shell.in_terminal(*words, COLUMNS="120")
    piped = shell.run(*words)

    assert "IMPORTING" in drawn.told
    assert "400 of 1,000  40 %" in drawn.told
    assert (drawn.code, drawn.out) == (0, piped.out)
    assert piped.err == b""


@pytest.mark.parametrize(("works", "code"), [(True, 0), (None, 0), (False, 1)])
def test_credentials_that_do_not_work_are_1(api: Api, shell: Shell, works: bool | None, code: int) -> None:
    api.play("POST", "/api/instances/ins_01/test", {"works": works, "message": "m"})

    assert shell.run("instances", "test", "ins_01").code == code


def test_a_test_message_is_followed_by_its_own_broadcast(api: Api, shell: Shell) -> None:
    api.play("POST", "/api/campaigns/brd_01/test", api.like("POST", "/api/campaigns/brd_01/test", id="brd_02"))
    progress = "/api/campaigns/brd_02/progress"
    api.play("GET", progress, api.like("GET", progress, status="COMPLETED"))

    ended = shell.run("broadcasts", "test", "brd_01", "5511987654321", "--variable", "name=Mia", "--watch")

    assert ended.code == 0
    assert api.asked[0].json == {"phone": "5511987654321", "variables": {"name": "Mia"}}
    assert api.asked[-1].path == progress


def test_a_reason_is_needed_before_the_question(api: Api, shell: Shell) -> None:
    ended = shell.in_terminal("sponsorships", "reject", "spn_01", "nina", typed=b"bought views\ny\n")

    assert ended.code == 0
    assert api.asked[0].json == {"reason": "bought views"}


def test_the_queues_of_health_are_one_table(api: Api, shell: Shell) -> None:
    path = "/api/admin/health"
    queue = {"waiting": 7, "in_flight": 0, "delayed": 0}
    found = {"status": "ok", "boosts_queue": queue, "boosts_dead_letters": 3, "outbox_dead_letters": 4}
    api.play("GET", path, Played(body=json.dumps(found).encode()))

    ended = shell.run("health")

    assert ended.text.splitlines() == [
        "status               ok",
        "outbox dead letters  4",
        "",
        "queues:",
        "QUEUE   WAITING  IN FLIGHT  DELAYED  DEAD",
        "boosts        7          0        0     3",
    ]


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        ({"spent": 62500, "currency": "USD"}, ["spent     0.0625 USD", "currency  USD"]),
        ({"spent": 5_000_000, "currency": "USD"}, ["spent     5.00 USD", "currency  USD"]),
        ({"earnings": 8250, "currency": "USD"}, ["earnings  82.50 USD", "currency  USD"]),
        ({"earnings": 8250, "currency": "JPY"}, ["earnings  8,250 JPY", "currency  JPY"]),
        ({"budget": 8250, "currency": "USD", "exponent": 2}, ["budget    82.50 USD", "currency  USD"]),
        ({"pay": {"amount": 1, "currency": "USD", "shown": "0.01 USD"}}, ["pay  0.01 USD"]),
        ({"currency": "USD", "legs": [{"amount": -5}]}, ["currency  USD", "", "legs:", "   AMOUNT", "-0.05 USD"]),
        ({"a": None, "b": [], "status": "ok", "id": "x"}, ["id      x", "status  ok"]),
        ({"texts": ["one text", "two"]}, ["texts  one text", "       two"]),
    ],
    ids=str,
)
def test_an_object_is_lines_of_what_it_has(found: dict[str, object], lines: list[str]) -> None:
    assert output.Words(utc=True).facts(found) == lines


def test_the_decimal_places_are_those_that_the_platform_counts_by() -> None:
    assert {currency: places for currency, places in EXPONENTS.items() if places != 2} == output.EXPONENTS
