"""Statements, evidence, proofs and verifications of participations, over the API."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import time_machine

from sluice.http.parameters import write_cursor
from sponsorships import impressions, merkle, rows
from tests.account import Account
from tests.factories import NOON
from tests.integration.harness import Functions
from tests.integration.sponsorships_world import TERMS, Sponsorships, leaf_of, viewer
from tests.template_reader import ROOT

HEADER = "viewer,nonce,issued_at,accepted_at,by,voided"


@pytest.fixture
def world(aws: Account, functions: Functions) -> Iterator[Sponsorships]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Sponsorships(aws, functions, clock)


def refused(world: Sponsorships, found_id: str, hour: str, reason: str, number: int) -> None:
    key = {"id": {"S": f"refused#{found_id}"}, "part": {"S": f"{hour}#{reason}"}, "n": {"N": str(number)}}
    world.aws.client("dynamodb").put_item(TableName=world.aws.ref("SponsorshipsTable"), Item=key)


# --- The statement


def test_2000_impressions_at_165_are_stated_paid_and_checked_offline(world: Sponsorships, tmp_path: Path) -> None:
    nina = world.joined(target_impressions=2000)
    world.see(nina, range(2000))

    world.settle(nina)

    body = world.statement(nina)
    assert body["status"] == "completed"
    assert body["pay"] == {"amount": 330000, "currency": "USD", "shown": "3300.00 USD"}
    assert {"account": "wallet#USD#nina", "amount": 330000} in body["entry"]["legs"]
    assert body["entry_id"] == body["entry"]["id"] == f"pay#{nina}"
    (tmp_path / "statement.json").write_text(json.dumps(body))
    (tmp_path / "evidence.csv").write_text(world.evidence(nina).body, newline="")
    program = [sys.executable, "-I", "-S", ROOT / "local" / "verify_statement.py"]
    files = [tmp_path / "statement.json", tmp_path / "evidence.csv"]
    checked = subprocess.run([*program, *files], capture_output=True, text=True, check=False)
    assert checked.stdout == f"OK 2000 impressions, 3300.00 USD, root {body['root']}\n"


@pytest.mark.parametrize(
    ("rate", "impressions", "currency", "amount"),
    [("0.1", 3, "USD", 30), ("1.15", 100, "USD", 11_500), ("0.00165", 2000, "USD", 330), ("1.65", 3, "JPY", 4)],
)
def test_the_statement_the_entry_and_the_wallet_name_the_same_whole_amount(
    world: Sponsorships, rate: str, impressions: int, currency: str, amount: int
) -> None:
    """Chinmayamission/CFF #77: sums and products that a float gets wrong."""
    nina = world.joined(target_impressions=impressions, rate=rate, currency=currency)
    world.see(nina, range(impressions))

    world.settle(nina)

    stated = world.statement(nina)
    wallet = next(each for each in world.aws.items("LedgerTable") if each["account"] == f"wallet#{currency}#nina")
    assert stated["pay"]["amount"] == wallet["amount"] == amount
    assert {"account": f"wallet#{currency}#nina", "amount": amount} in stated["entry"]["legs"]
    assert world.failing(world.path(nina)) == {}


def test_a_statement_says_on_which_terms_and_how_it_was_counted(world: Sponsorships) -> None:
    nina = world.joined()
    world.see(nina, range(25))
    world.done("POST", world.path(nina, "/void"), body={"viewers": [viewer(3), viewer(4)], "reason": "a farm"})
    refused(world, nina, "2026-11-19T23", "bot", 2)
    refused(world, nina, "2026-11-20T00", "bot", 3)
    refused(world, nina, "2026-11-20T11", "viewer_counted", 1)

    world.settle(nina)

    body = world.statement(nina, subject="nina")
    assert body["participation_id"] == nina
    assert body["terms"] == {
        "rate": "1.65",
        "currency": "USD",
        "exponent": 2,
        "target_impressions": 20,
        "pay": {"amount": 3300, "currency": "USD", "shown": "33.00 USD"},
        "at_end": "nothing",
        "hold_hours": 0,
        "viewer_period": "campaign",
        "min_seconds": 5,
        "token_seconds": 600,
    }
    assert {name: body[name] for name in ("impressions", "granted", "overshoot", "voided")} == {
        "impressions": 23,
        "granted": 0,
        "overshoot": 3,
        "voided": 2,
    }
    assert body["void_reasons"] == {"a farm": 2}
    assert body["refused"] == {"bot": 5, "viewer_counted": 1}
    assert body["refused_by_day"] == {"2026-11-19": {"bot": 2}, "2026-11-20": {"bot": 3, "viewer_counted": 1}}
    assert body["adjustments"] == []
    assert body["settled_at"] == "2026-11-20T12:00:00.000000Z"
    assert body["reserve"]["id"] == f"rsv#{nina}"
    assert body["rejection_reason"] is None


def test_the_terms_are_those_of_the_ledger_whatever_a_document_says_now(world: Sponsorships) -> None:
    nina = world.joined()
    world.see(nina, range(20))
    world.settle(nina)

    world.by_hand(nina.partition(":")[0], "campaign", rate="99", target_impressions=1)

    terms = world.statement(nina)["terms"]
    assert (terms["rate"], terms["target_impressions"]) == ("1.65", 20)


def test_there_is_no_statement_before_it_settled(world: Sponsorships) -> None:
    nina = world.joined()
    world.see(nina, range(20))

    answer = world.send("GET", world.path(nina, "/statement"))

    assert answer.refusal == (409, "statement_not_ready", "The participation has not settled")


def test_a_statement_is_none_while_a_person_reviews_what_was_held(world: Sponsorships) -> None:
    nina = world.joined(hold_hours=24)
    world.see(nina, range(20))
    world.settle(nina)

    world.by_hand(nina, "campaign", status="review")

    assert world.send("GET", world.path(nina, "/statement")).body["code"] == "statement_not_ready"
    assert world.done("GET", world.path(nina, f"/proof/{viewer(1)}"))["root_of"] == "rows"


def test_adjustments_stand_in_the_statement_in_order(world: Sponsorships) -> None:
    nina = world.joined()
    for step, state in ((10, "granted"), (9, "rejected")):
        item = {"id": nina, "part": f"adjustment#{step:06d}", "found_by": "stream", "state": state, "proposer": "ada"}
        item["made_at"] = "2026-11-20T12:00:00.000000Z"
        values: dict[str, Any] = {name: {"S": value} for name, value in item.items()}
        values |= {"before": {"S": '{"impressions": 5}'}, "after": {"S": '{"impressions": 9}'}, "delta": {"N": "4"}}
        values |= {"approvers": {"SS": ["bob", "ada"]}}
        world.aws.client("dynamodb").put_item(TableName=world.aws.ref("SponsorshipsTable"), Item=values)
    world.see(nina, range(20))
    world.settle(nina)

    found = world.statement(nina)["adjustments"]

    assert found[1] == {
        "number": 10,
        "delta": 4,
        "found_by": "stream",
        "state": "granted",
        "before": {"impressions": 5},
        "after": {"impressions": 9},
        "reason": None,
        "proposer": "ada",
        "approvers": ["ada", "bob"],
    }
    assert [each["number"] for each in found] == [9, 10]


def test_held_pay_is_stated_without_an_entry(world: Sponsorships) -> None:
    nina = world.joined(hold_hours=24)
    world.see(nina, range(20))

    world.settle(nina)

    body = world.statement(nina)
    assert (body["status"], body["pay"]["amount"], body["entry_id"], body["entry"]) == ("held", 3300, None, None)


def test_rejected_pay_is_stated_as_none_with_the_reason_and_the_release(world: Sponsorships) -> None:
    nina = world.joined(hold_hours=24)
    world.see(nina, range(20))
    world.settle(nina)
    world.done("POST", world.path(nina, "/reject"), body={"reason": "a farm"})
    world.done("POST", world.path(nina, "/reject"), body={"reason": "a farm"}, subject="ada", role="admin")

    body = world.statement(nina)

    assert (body["status"], body["pay"]["shown"], body["entry_id"]) == ("rejected", "0.00 USD", f"rel#{nina}")
    assert body["rejection_reason"] == "a farm"


@pytest.mark.parametrize("rest", ["/statement", "/statement/evidence", f"/proof/{viewer(3)}"])
def test_owner_streamer_and_operator_see_it_and_nobody_else(world: Sponsorships, rest: str) -> None:
    nina = world.joined()
    world.see(nina, range(20))
    world.settle(nina)

    callers = [("acme", "user"), ("nina", "user"), ("olga", "operator"), ("otto", "user"), ("shop", "service")]
    answers = [world.send("GET", world.path(nina, rest), subject=subject, role=role) for subject, role in callers]

    assert [answer.status for answer in answers] == [200, 200, 200, 404, 404]
    assert answers[-1].body["code"] == "participation_not_found"


@pytest.mark.parametrize("rest", ["/participations/nina/verify", "/verify"])
def test_owner_and_operator_verify_and_nobody_else(world: Sponsorships, rest: str) -> None:
    campaign = world.joined().partition(":")[0]

    callers = [("acme", "user"), ("olga", "operator"), ("nina", "user"), ("otto", "user")]
    answers = [world.send("GET", f"/{campaign}{rest}", subject=subject, role=role) for subject, role in callers]

    assert [answer.status for answer in answers] == [200, 200, 404, 404]


# --- The evidence


def test_the_evidence_is_in_order_and_its_pages_go_over_the_slots(world: Sponsorships) -> None:
    nina = world.joined()
    seen = world.see(nina, range(40))
    whole = world.evidence(nina).body

    pages, query = [], "limit=7"
    while query:
        page = world.evidence(nina, query)
        pages.append(page.body)
        link = page.headers.get("Link", "")
        query = link.partition("<?")[2].partition(">")[0]

    assert "".join(pages) == whole
    assert [len(page.splitlines()) for page in pages] == [8, 7, 7, 7, 7, 5]
    header, *lines = whole.splitlines()
    assert header == HEADER
    assert [line.partition(",")[0] for line in lines] == sorted(seen)
    assert (
        lines[0]
        == f"{min(seen)},{lines[0].split(',')[1]},2026-11-20T12:00:00.000000Z,2026-11-20T12:00:05.000000Z,viewer,"
    )


@pytest.mark.parametrize("limit", [1, 2, 39, 40])
def test_a_page_may_end_with_a_slot(world: Sponsorships, limit: int) -> None:
    nina = world.joined()
    seen = world.see(nina, range(40))

    viewers: list[str] = []
    query = f"limit={limit}"
    while query:
        page = world.evidence(nina, query)
        viewers += [line.partition(",")[0] for line in page.body.splitlines() if line != HEADER]
        query = page.headers.get("Link", "").partition("<?")[2].partition(">")[0]
        assert parse_qs(query).get("limit", [str(limit)]) == [str(limit)]

    assert viewers == sorted(seen)


def test_a_page_goes_on_in_its_own_slot_alone(world: Sponsorships, monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB refuses a start key that the condition on `part` does not hold for."""
    nina = world.joined()
    last = sorted(world.see(nina, range(40)))[20]
    real, asked = rows.page_of, []

    def page_of(model: Any, read: Any, partition: str, begin: str, limit: int, after: str | None) -> Any:
        asked.append((begin, after))
        return real(model, read, partition, begin, limit, after)

    monkeypatch.setattr(rows, "page_of", page_of)

    rows.page(nina, 100, last)

    assert asked[0] == (last[0], last)
    assert {after for _, after in asked[1:]} == {None}


def test_evidence_names_why_a_row_was_voided_and_leaves_out_what_a_hand_wrote(world: Sponsorships) -> None:
    nina = world.joined()
    world.see(nina, range(4))
    world.done("POST", world.path(nina, "/void"), body={"viewers": [viewer(2)], "reason": "=a farm"})

    world.by_hand(impressions.row_id(nina, viewer(1)), viewer(1), accepted_at="2026-11-20T12:00:06.000000Z")
    world.by_hand(impressions.row_id(nina, "f" * 32), "f" * 32, nonce="00")

    lines = world.evidence(nina).body.splitlines()[1:]
    assert {line.partition(",")[0]: line.rpartition(",")[2] for line in lines} == {
        viewer(0): "",
        viewer(2): "'=a farm",
        viewer(3): "",
    }


@pytest.mark.parametrize("place", [{"part": ""}, {"part": "zoo"}, {"part": "\ud800"}, {"part": "a" * 33}, {"id": "x"}])
def test_a_forged_cursor_of_the_evidence_is_refused(world: Sponsorships, place: dict[str, str]) -> None:
    nina = world.joined()

    answer = world.send("GET", world.path(nina, "/statement/evidence"), query={"cursor": write_cursor(dict(place))})

    assert (answer.status, answer.fields) == (400, ["cursor"])


# --- Proofs


def test_every_impression_is_proved_to_be_under_the_statements_root(world: Sponsorships) -> None:
    nina = world.joined()
    world.see(nina, range(21))
    world.settle(nina)
    root = world.statement(nina)["root"]

    for number in range(21):
        proof = world.done("GET", world.path(nina, f"/proof/{viewer(number)}"), subject="nina")

        leaf = leaf_of(nina, proof)
        path = [(each["side"], bytes.fromhex(each["hash"])) for each in proof["path"]]
        assert (proof["viewer"], proof["leaf"], proof["leaves"]) == (viewer(number), leaf.hex(), 21)
        assert merkle.climbed(leaf, path).hex() == proof["root"] == root
        assert proof["root_of"] == "statement"


def test_a_proof_before_it_settled_is_under_the_root_of_the_rows_now(world: Sponsorships) -> None:
    nina = world.joined()
    world.see(nina, [1])
    first = world.done("GET", world.path(nina, f"/proof/{viewer(1)}"))

    world.see(nina, [2])

    then = world.done("GET", world.path(nina, f"/proof/{viewer(1)}"))
    assert (first["root_of"], first["root"], first["path"]) == ("rows", first["leaf"], [])
    assert (then["root_of"], then["leaves"]) == ("rows", 2)
    assert then["root"] != first["root"]


def test_a_proof_is_not_said_to_be_the_statements_when_rows_were_changed_since(world: Sponsorships) -> None:
    nina = world.joined()
    world.see(nina, range(20))
    world.settle(nina)

    world.by_hand(impressions.row_id(nina, viewer(1)), viewer(1), nonce="0" * 16)

    assert world.done("GET", world.path(nina, f"/proof/{viewer(2)}"))["root_of"] == "rows"
    assert world.send("GET", world.path(nina, f"/proof/{viewer(1)}")).status == 404


def test_a_viewer_who_counts_once_a_day_is_proved_for_a_day(world: Sponsorships) -> None:
    nina = world.joined(viewer_period="day")
    world.see(nina, [1], day="2026-11-20")
    world.see(nina, [1], day="2026-11-21", at=NOON + timedelta(days=1))
    path = world.path(nina, f"/proof/{viewer(1)}")

    proof = world.done("GET", path, query=f"day={date(2026, 11, 21)}")

    assert proof["viewer"] == f"{viewer(1)}#2026-11-21"
    assert world.send("GET", path).refusal == (404, "impression_not_found", "No impression of this viewer counts")
    assert world.send("GET", path, query="day=tomorrow").status == 400


def test_a_voided_impression_is_not_proved(world: Sponsorships) -> None:
    nina = world.joined()
    world.see(nina, range(3))
    world.done("POST", world.path(nina, "/void"), body={"viewers": [viewer(1)], "reason": "a farm"})

    assert world.send("GET", world.path(nina, f"/proof/{viewer(1)}")).status == 404


# --- Verifying a participation


@pytest.mark.parametrize("settles", [False, True])
def test_what_the_product_wrote_holds(world: Sponsorships, settles: bool) -> None:
    nina = world.joined(gkeys="required")
    world.see(nina, range(20))
    if settles:
        world.settle(nina)

    assert world.failing(world.path(nina)) == {}
    assert world.failing(f"/{nina.partition(':')[0]}") == {}


@pytest.mark.parametrize(
    ("at_end", "step", "paid"),
    [("pro_rata", "close", 1155), ("pro_rata", "leave", 0), ("nothing", "close", 0), ("nothing", "leave", 0)],
)
def test_a_participation_below_its_target_that_ended_holds(
    world: Sponsorships, at_end: str, step: str, paid: int
) -> None:
    nina = world.joined(at_end=at_end, gkeys="required")
    world.see(nina, range(7))

    world.settle(nina, step)

    assert world.statement(nina)["pay"]["amount"] == paid
    assert world.failing(world.path(nina)) == {}
    assert world.failing(f"/{nina.partition(':')[0]}") == {}


def test_a_held_and_then_rejected_one_holds(world: Sponsorships) -> None:
    nina = world.joined(hold_hours=24)
    world.see(nina, range(20))
    world.settle(nina)
    held = world.failing(world.path(nina))
    world.done("POST", world.path(nina, "/reject"), body={"reason": "a farm"})
    world.done("POST", world.path(nina, "/reject"), body={"reason": "a farm"}, subject="ada", role="admin")

    assert held == {}
    assert world.failing(world.path(nina)) == {}
    assert world.failing(f"/{nina.partition(':')[0]}") == {}


def test_money_that_was_claimed_back_holds(world: Sponsorships) -> None:
    nina = world.joined()
    world.see(nina, range(20))
    world.settle(nina)
    refund, body, keyed = world.path(nina, "/refunds"), {"amount": 300, "reason": "a farm"}, {"Idempotency-Key": "one"}
    world.done("POST", refund, body=body, subject="ada", role="admin", headers=keyed)

    world.done("POST", f"{refund}/1/approve", subject="bob", role="admin")

    assert world.statement(nina)["clawed"]["shown"] == "3.00 USD"
    assert world.failing(world.path(nina)) == {}
    assert world.failing(f"/{nina.partition(':')[0]}") == {}


@pytest.mark.parametrize(
    ("part", "edit", "claims"),
    [
        ("campaign", {"impressions": 2000}, {"impressions = published_impressions", "impressions = rows + granted"}),
        ("campaign", {"clicks": 9}, {"clicks = published_clicks", "clicks = clicked rows"}),
        (
            "campaign",
            {"earnings": 9, "published_earnings": 9},
            {"earnings = what rows and grants earn"},
        ),
        (
            "campaign",
            {"status": "active"},
            {"status active: there is pay in the ledger (1: yes)", "status active: its key is unlocked (1: yes)"},
        ),
        (
            "campaign",
            {"earnings": 3300.5},
            {
                "earnings = published_earnings: 3300.5 is a whole number (1: yes)",
                "earnings = what rows and grants earn: 3300.5 is a whole number (1: yes)",
            },
        ),
        ("campaign", {"paid": 9}, {"paid = the ledger's entry"}),
        ("campaign", {"clawed": 9}, {"clawed = the ledger's entries"}),
        (
            "campaign",
            {"granted": 9},
            {"granted = the approved adjustments", "impressions = rows + granted"},
        ),
        (
            "statement",
            {"pay": 9},
            {"pay of the statement = the ledger's entry", "pay of the statement = what rows and grants earn"},
        ),
        ("statement", {"root": "00"}, {"root of the statement = root of the rows (1: yes)"}),
        ("statement", {"impressions": 9}, {"impressions of the statement = rows"}),
        ("statement", {"voided": 9}, {"voided of the statement = voided rows"}),
    ],
)
def test_an_edit_of_a_completed_participation_is_named_and_pays_nothing(
    world: Sponsorships, part: str, edit: dict[str, Any], claims: set[str]
) -> None:
    """An audited receipt that is edited in place moves no money (jishenghua/jshERP #167)."""
    nina = world.joined(gkeys="required")
    world.see(nina, range(20))
    world.settle(nina)
    before = world.aws.items("LedgerTable")

    world.by_hand(nina, part, **edit)
    world.work()

    assert set(world.failing(world.path(nina))) == claims
    assert world.aws.items("LedgerTable") == before


@pytest.mark.parametrize(
    ("edit", "claims"),
    [
        ({"rate": "99"}, {"rate of the campaign = rate in the ledger (1: yes)"}),
        ({"currency": "EUR"}, {"currency of the campaign = currency in the ledger (1: yes)"}),
        ({"target_impressions": 1}, {"target_impressions of the campaign = target in the ledger"}),
        ({"pay": 9}, {"pay of the campaign = what was set aside"}),
    ],
)
def test_an_edit_of_the_campaigns_terms_is_named(world: Sponsorships, edit: dict[str, Any], claims: set[str]) -> None:
    nina = world.joined()
    world.see(nina, range(20))
    world.settle(nina)

    world.by_hand(nina.partition(":")[0], "campaign", **edit)

    assert set(world.failing(world.path(nina))) == claims


def test_rows_and_tallies_that_a_hand_changed_are_named(world: Sponsorships) -> None:
    nina = world.joined()
    world.see(nina, range(5))

    world.by_hand(impressions.tally_id(nina, 0), "tally", impressions=50, clicks=51)
    world.by_hand(impressions.row_id(nina, viewer(1)), viewer(1), nonce="0" * 16)

    assert world.failing(world.path(nina)) == {
        "rows that recording did not write": (0, 1),
        "rows = tallies": (4, 50),
        "clicks above impressions": (0, 1),
    }


def test_a_participation_without_its_entry_in_the_ledger_is_named(world: Sponsorships) -> None:
    nina = world.joined()
    key = {"account": {"S": f"entry#rsv#{nina}"}, "line": {"S": "entry"}}

    world.aws.client("dynamodb").delete_item(TableName=world.aws.ref("LedgerTable"), Key=key)

    assert world.failing(world.path(nina)) == {"the ledger has the entry of its join (1: yes)": (1, 0)}


def test_an_edited_entry_is_named(world: Sponsorships) -> None:
    nina = world.joined()
    world.see(nina, range(20))
    world.settle(nina)

    in_ledger(world, f"entry#pay#{nina}", "entry", actor={"S": "otto"})

    assert world.failing(world.path(nina)) == {f"entry pay#{nina} is as it was written (1: yes)": (1, 0)}


def test_an_impression_that_comes_while_rows_are_read_is_no_difference(
    world: Sponsorships, monkeypatch: pytest.MonkeyPatch
) -> None:
    nina = world.joined()
    world.see(nina, range(5))
    real, more = rows.count, iter(range(5, 100))

    def count(*arguments: Any) -> Any:
        found = real(*arguments)
        world.see(nina, [next(more)])
        return found

    monkeypatch.setattr(rows, "count", count)

    assert world.failing(world.path(nina)) == {}


@pytest.mark.parametrize("digits", ["f" * 32, "0" * 32])
def test_a_row_that_a_hand_wrote_earns_nothing(world: Sponsorships, digits: str) -> None:
    nina = world.joined()
    world.see(nina, range(19))

    world.by_hand(
        impressions.row_id(nina, digits),
        digits,
        nonce="0" * 16,
        issued_at="2026-11-20T12:00:00.000000Z",
        accepted_at="2026-11-20T12:00:05.000000Z",
        key_id="k1",
        by="viewer",
        signature="A" * 43,
    )
    world.by_hand(impressions.tally_id(nina, 0), "tally", impressions=20)
    world.settle(nina)

    body = world.statement(nina)
    assert (body["status"], body["impressions"], body["pay"]["amount"]) == ("expired", 19, 0)


# --- Verifying a campaign


def in_ledger(world: Sponsorships, account: str, line: str, **values: dict[str, str]) -> None:
    """Someone edits the ledger in the console."""
    world.aws.client("dynamodb").update_item(
        TableName=world.aws.ref("LedgerTable"),
        Key={"account": {"S": account}, "line": {"S": line}},
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
        ExpressionAttributeNames={f"#{name}": name for name in values},
        ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
    )


def test_a_draft_has_no_money_to_verify(world: Sponsorships) -> None:
    campaign = world.done("POST", "", body=TERMS)["id"]

    assert world.done("GET", f"/{campaign}/verify")["checks"] == []


def test_what_a_hand_changes_in_a_campaigns_money_is_named(world: Sponsorships) -> None:
    nina = world.joined()
    campaign = nina.partition(":")[0]
    world.see(nina, range(20))
    world.settle(nina)

    world.by_hand(nina, "campaign", paid=1)
    world.by_hand(campaign, "campaign", budget=7)

    assert world.failing(f"/{campaign}") == {
        "funded = the budget of the campaign": (1_000_000, 7),
        "paid = paid of all participations - what came back to the budget": (3300, 1),
    }


def test_a_participation_that_a_hand_ended_is_named(world: Sponsorships) -> None:
    nina = world.joined()

    world.by_hand(nina, "campaign", status="completed")

    assert world.failing(f"/{nina.partition(':')[0]}") == {
        "reserved = the pay of participations that have not ended": (3300, 0)
    }


def test_an_edit_of_a_balance_is_named(world: Sponsorships) -> None:
    campaign = world.joined().partition(":")[0]

    in_ledger(world, f"reserved#{campaign}", "balance", k_reserve={"N": "1"})
    in_ledger(world, f"budget#{campaign}", "balance", amount={"N": "1"})

    assert world.failing(f"/{campaign}") == {
        f"budget#{campaign} is whole: the balance is 1, its lines sum to 996700": (0, 1),
        f"reserved#{campaign} is whole: the balance's total of reserve is 1, its lines sum to 3300": (0, 1),
        "funded = remaining + reserved + paid + refunded (1: yes)": (1, 0),
    }
