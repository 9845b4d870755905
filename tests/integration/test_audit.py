"""The audit trail, on its event files: what was logged, and whether it is still what was written."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from pynamodb.connection import Connection

from sluice import audit
from sluice.audit import Entry
from sluice.http.parameters import write_cursor
from tests.account import Account
from tests.factories import NOON
from tests.integration.console import EXAMPLE, Console, before_the_first
from tests.integration.harness import Answer, Functions

LIFE = ["CREATED", "STARTED", "PAUSED", "RESUMED", "CANCELLED"]
ENTRY = "aud_01KAJ3W5V0SM0FKVYVXB9EQT6N"
SPONSORSHIP = EXAMPLE.replace("bst", "spn")


@pytest.fixture
def console(aws: Account, functions: Functions) -> Iterator[Console]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Console(aws, functions, clock)


# --- List


def test_every_command_is_logged_newest_first_with_what_it_changed(console: Console) -> None:
    """S1-29, S1-36."""

    campaign_id = a_life(console)

    answer = listed(console)

    assert answer.status == 200
    assert [entry["action"] for entry in answer.body["items"]] == [f"FAKE_VIEWS_CAMPAIGN_{each}" for each in LIFE[::-1]]
    newest, oldest = answer.body["items"][0], answer.body["items"][-1]
    assert {name: newest[name] for name in ("entity", "number", "actor", "at", "before", "after")} == {
        "entity": campaign_id,
        "number": 5,
        "actor": "ada",
        "at": "2026-11-20T12:00:05.000000Z",
        "before": {"status": "running", "executed_count": 0},
        "after": {"status": "cancelled", "executed_count": 0},
    }
    assert oldest["before"] is None
    assert oldest["after"] == {
        "video_ids": ["abc123"],
        "total_count": 2500,
        "duration_days": 1,
        "pattern": "steady",
        "daily_limit": 5000,
        "status": "pending",
        "executed_count": 0,
    }
    assert newest["previous_hash"] == answer.body["items"][1]["hash"]


def test_who_gave_a_command_is_logged_and_the_worker_as_itself(console: Console) -> None:
    """S1-29."""

    campaign_id = console.create(total_count=10)
    console.clock.shift(1)
    console.send("boosts/api-execute", campaign_id, subject="bob")
    console.clock.shift(1)
    console.work(campaign_id, 1)

    entries = listed(console).body["items"]

    assert [(entry["action"].removeprefix("FAKE_VIEWS_CAMPAIGN_"), entry["actor"]) for entry in entries] == [
        ("COMPLETED", "worker"),
        ("STARTED", "bob"),
        ("CREATED", "ada"),
    ]


def test_the_list_is_twenty_long_unless_told(console: Console) -> None:
    """S1-36."""

    for _ in range(21):
        console.clock.shift(1)
        console.create()

    assert len(listed(console).body["items"]) == 20
    assert len(listed(console, limit=21).body["items"]) == 21


def test_the_event_file_as_it_stands_lists_what_the_source_queries(console: Console) -> None:
    """S1-40, S1-36."""

    a_life(console)
    put(console, an_entry(action="VIEWS_SYNCED"))

    answer = console.send("operations/audit-list")

    assert len(answer.body["items"]) == 5


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]),
        ({"action": "FAKE_VIEWS"}, [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]),
        ({"action": "FAKE_VIEWS_CAMPAIGN_PAUSED"}, [3, 3]),
        ({"action": "fake"}, []),
        ({"action": "CAMPAIGN"}, []),
        ({"entity": "second"}, [5, 4, 3, 2, 1]),
        ({"entity": "second", "action": "FAKE_VIEWS_CAMPAIGN_C"}, [5, 1]),
        ({"entity": "third"}, []),
    ],
)
def test_the_list_is_filtered_by_entity_and_prefix_of_action_page_by_page(
    console: Console, query: dict[str, str], numbers: list[int]
) -> None:
    """S1-36."""

    ids = {"second": lives(console, 2)[1], "third": EXAMPLE}
    if "entity" in query:
        query = query | {"entity": ids[query["entity"]]}

    pages = {limit: pages_of(console, query, limit) for limit in (1, 2, 3, 4, 200)}

    assert len(pages[200]) == 1
    for limit, found in pages.items():
        assert [entry["number"] for page in found for entry in page] == numbers
        assert len({entry["id"] for page in found for entry in page}) == len(numbers)
        assert all(len(page) <= limit for page in found)


@pytest.mark.parametrize("query", [{}, {"entity": EXAMPLE}])
def test_a_cursor_that_no_list_gave_is_refused_by_name(console: Console, query: dict[str, str]) -> None:
    cursors = [
        "",
        "x",
        urlsafe_b64encode(b"\xff\xfe").decode(),
        write_cursor({"campaign_id": EXAMPLE, "created_at": "2026-11-20T12:00:00.000000+0000"}),
        write_cursor({"id": "", "entity": EXAMPLE, "number": 1}),
        write_cursor({"id": EXAMPLE, "entity": EXAMPLE, "number": 1}),
        write_cursor({"id": ENTRY, "entity": "", "number": 1}),
        write_cursor({"id": ENTRY, "entity": "\ud800", "number": 1}),
        write_cursor({"id": ENTRY, "entity": "x" * 256, "number": 1}),
        write_cursor({"id": ENTRY, "entity": EXAMPLE, "number": 0}),
        write_cursor({"id": ENTRY, "entity": EXAMPLE, "number": 10**30}),
    ]

    answers = [listed(console, **query, cursor=cursor) for cursor in cursors]

    assert [(answer.status, answer.fields) for answer in answers] == [(400, ["cursor"])] * len(cursors)


def test_a_cursor_of_another_campaigns_list_is_refused_by_name(console: Console) -> None:
    first, second = lives(console, 2)
    cursor = listed(console, entity=first, limit=1).body["next_cursor"]

    answer = listed(console, entity=second, cursor=cursor)

    assert (answer.status, answer.fields) == (400, ["cursor"])


def test_a_wrong_parameter_is_refused_and_named(console: Console) -> None:
    wrong: list[tuple[str, object]] = [
        ("limit", 0),
        ("limit", 201),
        ("entity", ""),
        ("entity", "x" * 2049),
        ("action", ""),
        ("actions", "FAKE_VIEWS"),
    ]

    answers = [listed(console, **{name: value}) for name, value in wrong]

    assert [(answer.status, answer.fields) for answer in answers] == [(400, [name]) for name, _ in wrong]


@pytest.mark.parametrize("role", ["user", "service"])
def test_a_role_too_low_is_403(console: Console, role: str) -> None:
    answers = [console.send(f"operations/audit-{route}", role=role) for route in ("list", "verify")]

    assert [answer.status for answer in answers] == [403, 403]


TAMPERED: list[dict[str, Any]] = [
    {"actor": {"N": "7"}},
    {"action": {"NULL": True}},
    {"at": {"M": {}}},
    {"hash": {"BOOL": True}},
    {"previous_hash": {"L": []}},
    {"before": {"S": "not JSON"}},
    {"after": {"S": "[1]"}},
    {"after": {"N": "7"}},
]


@pytest.mark.parametrize("edit", TAMPERED)
@pytest.mark.parametrize("is_of_entity", [True, False])
def test_an_entry_that_was_tampered_with_is_listed_with_what_can_be_read_and_the_rest_is_named(
    console: Console, edit: dict[str, Any], is_of_entity: bool
) -> None:
    campaign_id = a_life(console)
    ((field, _),) = edit.items()
    whole = listed(console).body["items"]
    put_row(console, row_of(console, campaign_id, 3) | edit)

    answer = listed(console, **({"entity": campaign_id} if is_of_entity else {}))

    empty = None if field in ("before", "after") else ""
    assert answer.status == 200
    assert answer.body["items"][2] == whole[2] | {field: empty, "unreadable": [field]}
    assert answer.body["items"][:2] + answer.body["items"][3:] == whole[:2] + whole[3:]
    assert all(entry["unreadable"] == [] for entry in whole)
    assert verified(console, campaign_id).body["problem"] == "entry 3 was edited"


@pytest.mark.parametrize("field", ["action", "actor", "at", "hash", "previous_hash"])
def test_a_field_that_an_entry_lost_is_named_in_the_list(console: Console, field: str) -> None:
    campaign_id = a_life(console)
    row = row_of(console, campaign_id, 3)
    put_row(console, {name: value for name, value in row.items() if name != field})

    answer = listed(console)

    assert answer.body["items"][2]["unreadable"] == [field]


def test_an_entry_whose_id_was_tampered_with_is_still_listed_with_its_campaign(console: Console) -> None:
    campaign_id = a_life(console)
    put_row(console, row_of(console, campaign_id, 3) | {"id": {"S": "x"}})
    row = row_of(console, campaign_id, 4)
    put_row(console, {name: value for name, value in row.items() if name != "id"})

    answer = listed(console, entity=campaign_id)

    assert [(entry["id"], entry["unreadable"]) for entry in answer.body["items"][1:3]] == [("", ["id"]), ("x", [])]


# --- Verify


def test_a_chain_as_it_was_written_is_valid(console: Console) -> None:
    """S1-29."""

    campaign_id = a_life(console)

    answer = verified(console, campaign_id)

    assert answer.status == 200
    assert answer.body == {"entity": campaign_id, "valid": True, "entries": 5, "problem": None, "rolled_back": []}


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_whichever_field_of_an_entry_is_edited_that_entry_is_named(console: Console, number: int) -> None:
    campaign_id = a_life(console)
    row = row_of(console, campaign_id, number)
    edits: dict[str, Any] = {
        "log": {"S": "hidden"},
        "id": {"S": ENTRY},
        "action": {"S": "FAKE_VIEWS_CAMPAIGN_FORGED"},
        "actor": {"S": "mallory"},
        "at": {"S": "2026-11-20T11:00:00.000000Z"},
        "before": {"S": '{"executed_count": 7}'},
        "after": {"S": '{"executed_count": 7}'},
        "previous_hash": {"S": "0" * 64},
        "hash": {"S": "0" * 64},
    }
    problems = {}

    for field, value in edits.items():
        put_row(console, row | {field: value})
        problems[field] = verified(console, campaign_id).body["problem"]
        put_row(console, row)

    assert edits.keys() == row.keys() - {"entity", "number"} | {"before", "after"}
    assert problems == dict.fromkeys(edits, f"entry {number} was edited")
    assert verified(console, campaign_id).body["valid"]


@pytest.mark.parametrize(
    "edit", [{"actor": {"N": "7"}}, {"after": {"S": "not JSON"}}, {"action": {"NULL": True}}, {"at": {"M": {}}}]
)
def test_an_entry_that_can_no_longer_be_read_is_named(console: Console, edit: dict[str, Any]) -> None:
    campaign_id = a_life(console)
    put_row(console, row_of(console, campaign_id, 3) | edit)

    answer = verified(console, campaign_id)

    assert answer.body == {
        "entity": campaign_id,
        "valid": False,
        "entries": answer.body["entries"],
        "problem": "entry 3 was edited",
        "rolled_back": [],
    }


@pytest.mark.parametrize("field", ["actor", "before", "after", "hash", "previous_hash"])
def test_an_entry_that_lost_a_field_is_named(console: Console, field: str) -> None:
    campaign_id = a_life(console)
    row = row_of(console, campaign_id, 3)
    put_row(console, {name: value for name, value in row.items() if name != field})

    answer = verified(console, campaign_id)

    assert answer.body["problem"] == "entry 3 was edited"


@pytest.mark.parametrize(
    ("removed", "problem"),
    [
        ([1], "entry 1 was removed"),
        ([3], "entry 3 was removed"),
        ([3, 4], "entry 3 was removed"),
        ([5], "entry 5 was cut off"),
        ([4, 5], "entry 4 was cut off"),
        ([1, 2, 3, 4, 5], "entry 1 was cut off"),
    ],
)
def test_the_first_entry_that_was_removed_or_cut_off_is_named(
    console: Console, removed: list[int], problem: str
) -> None:
    campaign_id = a_life(console)
    for number in removed:
        remove(console, campaign_id, number)

    answer = verified(console, campaign_id)

    assert answer.body["valid"] is False
    assert answer.body["problem"] == problem


@pytest.mark.parametrize("number", [1, 3, 5])
def test_an_entry_replaced_by_another_with_a_hash_of_its_own_is_named(console: Console, number: int) -> None:
    campaign_id = a_life(console)
    before = audit.Head(number - 1, row_of(console, campaign_id, number)["previous_hash"]["S"])
    put(console, an_entry(before, entity=campaign_id, action="FAKE_VIEWS_CAMPAIGN_FORGED"))

    answer = verified(console, campaign_id)

    assert answer.body["problem"] == f"entry {number} was replaced"


def test_a_chain_rewritten_from_its_first_entry_is_named_by_its_head(console: Console) -> None:
    campaign_id = a_life(console)
    head = audit.Head()
    for _ in range(5):
        forged = an_entry(head, entity=campaign_id, action="FAKE_VIEWS_CAMPAIGN_FORGED")
        put(console, forged)
        head = forged.head

    answer = verified(console, campaign_id)

    assert answer.body["problem"] == "entry 5 was replaced"


def test_an_entry_that_was_added_at_the_end_is_named(console: Console) -> None:
    campaign_id = a_life(console)
    last = audit.Head(5, row_of(console, campaign_id, 5)["hash"]["S"])
    put(console, an_entry(last, entity=campaign_id))

    answer = verified(console, campaign_id)

    ahead = "entry 6 is ahead of the entity: it was restored to an earlier moment, or they were added"
    assert answer.body["problem"] == ahead


def test_an_entry_that_was_inserted_between_two_is_found(console: Console) -> None:
    campaign_id = a_life(console)
    put_row(console, row_of(console, campaign_id, 3) | {"number": {"N": "3.5"}})

    answer = verified(console, campaign_id)

    assert answer.body["valid"] is False


def test_a_forged_entry_is_not_overwritten_by_the_next_command_and_is_named_as_rolled_back(console: Console) -> None:
    """One that follows rightly looks as a restore does, for the hashes have no key: an alarm says so."""
    campaign_id = console.create()
    forged = an_entry(audit.Head(1, row_of(console, campaign_id, 1)["hash"]["S"]), entity=campaign_id)
    put(console, forged)

    answer = console.send("boosts/api-execute", campaign_id)

    assert answer.status == 200
    assert row_of(console, campaign_id, 2)["hash"]["S"] == forged.hash
    assert verified(console, campaign_id).body["rolled_back"] == [{"from": 2, "to": 2, "bridged_by": 3}]


def test_entries_of_other_campaigns_do_not_count(console: Console) -> None:
    first, second = lives(console, 2)
    remove(console, first, 3)

    answers = [verified(console, each).body["valid"] for each in (first, second)]

    assert answers == [False, True]


@pytest.mark.parametrize("call", ["get_item", "query"])
def test_a_chain_to_which_a_command_adds_while_it_is_verified_is_valid(console: Console, call: str) -> None:
    campaign_id = console.create()

    with before_the_first(call, lambda: console.command("execute", campaign_id)):
        answer = verified(console, campaign_id)

    assert answer.body == {"entity": campaign_id, "valid": True, "entries": 2, "problem": None, "rolled_back": []}


def test_a_chain_to_which_commands_add_before_and_after_its_entries_are_read_is_valid(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = console.create()
    query = Connection.query

    def in_between(self: Connection, *args: Any, **kwargs: Any) -> Any:
        monkeypatch.undo()
        console.command("execute", campaign_id)
        answer = query(self, *args, **kwargs)
        console.command("pause", campaign_id)
        return answer

    monkeypatch.setattr(Connection, "query", in_between)
    answer = verified(console, campaign_id)

    assert answer.body == {"entity": campaign_id, "valid": True, "entries": 2, "problem": None, "rolled_back": []}


@pytest.mark.parametrize("colon", [":", "%3A"])
def test_an_entity_with_a_suffix_is_verified_by_its_own_head(console: Console, colon: str) -> None:
    remember(console, an_entry(entity=f"{SPONSORSHIP}:nina"))

    answers = [verified(console, f"{SPONSORSHIP}{colon}{name}") for name in ("nina", "nino", "n%20")]

    assert [answer.status for answer in answers] == [200, 404, 404]
    assert answers[0].body["entity"] == f"{SPONSORSHIP}:nina"
    assert (answers[0].body["valid"], answers[0].body["entries"]) == (True, 1)


@pytest.mark.parametrize("entity", [SPONSORSHIP, SPONSORSHIP.replace("spn", "chk")])
def test_each_chain_of_a_table_has_its_own_trail(console: Console, entity: str) -> None:
    remember(console, an_entry(entity=entity))

    answer = verified(console, entity)

    assert (answer.status, answer.body["valid"], answer.body["entries"]) == (200, True, 1)


def test_what_is_no_campaign_is_404(console: Console) -> None:
    answers = [verified(console, other) for other in (EXAMPLE, EXAMPLE.replace("bst", "spn"), "usage%232026-11")]

    assert [answer.refusal for answer in answers] == [(404, "campaign_not_found", "Campaign not found")] * 3


def test_what_cannot_be_a_campaign_is_404_and_not_asked_of_dynamodb_which_takes_no_key_that_long(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "get_item", None)

    answers = [verified(console, other) for other in ("nonsense", "bst_", "bst_" + "x" * 3000)]

    assert [answer.refusal for answer in answers] == [(404, "campaign_not_found", "Campaign not found")] * 3


# --- What the tests above are made of


def a_life(console: Console) -> str:
    """The id of a campaign that was created, executed, paused, resumed and cancelled, a second apart."""
    return lives(console, 1)[0]


def lives(console: Console, number: int) -> list[str]:
    ids = []
    console.clock.shift(1)
    for _ in range(number):
        ids.append(console.create())
    for verb in ("execute", "pause", "execute", "cancel"):
        console.clock.shift(1)
        for campaign_id in ids:
            console.command(verb, campaign_id)
    return ids


def remember(console: Console, entry: Entry) -> None:
    """Log the entry of an entity, and let the entity remember it."""
    put(console, entry)
    texts = {"id": entry.entity, "part": "campaign", "status": "active", "audit_hash": entry.hash}
    numbers = {"step": 0, "audit_number": entry.number}
    item = {name: {"S": value} for name, value in texts.items()} | {n: {"N": str(each)} for n, each in numbers.items()}
    console.aws.client("dynamodb").put_item(TableName=console.aws.ref("SponsorshipsTable"), Item=item)


def listed(console: Console, **query: Any) -> Answer:
    return console.send("operations/audit-list", query=query)


def verified(console: Console, entity: str) -> Answer:
    return console.send("operations/audit-verify", entity)


def pages_of(console: Console, query: dict[str, Any], limit: int) -> list[list[dict[str, Any]]]:
    pages: list[list[dict[str, Any]]] = []
    cursor: str | None = None
    while cursor or not pages:
        answer = listed(console, **query, limit=limit, **({"cursor": cursor} if cursor else {}))
        assert answer.status == 200, answer.body
        pages.append(answer.body["items"])
        cursor = answer.body["next_cursor"]
        assert len(pages) < 50
    return pages


def an_entry(after: audit.Head | None = None, **changes: Any) -> Entry:
    """An entry with a hash that is right."""
    told = {"entity": EXAMPLE, "action": "FAKE_VIEWS_CAMPAIGN_CANCELLED", "actor": "mallory", "now": NOON}
    return audit.follow(after or audit.Head(), **(told | {"before": None, "after": None} | changes))


def put(console: Console, entry: Entry) -> None:
    values = {name: value for name, value in vars(entry).items() if value is not None and name != "number"}
    put_row(console, {name: {"S": value} for name, value in values.items()} | {"number": {"N": str(entry.number)}})


def put_row(console: Console, row: dict[str, Any]) -> None:
    console.aws.client("dynamodb").put_item(TableName=console.aws.ref("AuditTable"), Item=row)


def row_of(console: Console, campaign_id: str, number: int) -> dict[str, Any]:
    key = {"entity": {"S": campaign_id}, "number": {"N": str(number)}}
    row: dict[str, Any] = console.aws.client("dynamodb").get_item(TableName=console.aws.ref("AuditTable"), Key=key)
    return dict(row["Item"])


def remove(console: Console, campaign_id: str, number: int) -> None:
    key = {"entity": {"S": campaign_id}, "number": {"N": str(number)}}
    console.aws.client("dynamodb").delete_item(TableName=console.aws.ref("AuditTable"), Key=key)
