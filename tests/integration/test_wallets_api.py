"""Wallets, on their event files: money in and out once, audited, and nobody sees another's."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from sluice import ledger
from tests.account import Account
from tests.factories import NOON
from tests.integration.console import answer_lost_of_the_first, before_the_first
from tests.integration.harness import Answer, Functions, Harness

BODY = {"amount": 330_000, "currency": "USD", "reference": "SEPA 42"}


class Bank(Harness):
    """An admin who moves money."""

    _keys = 0

    def move(self, verb: str, user: str = "nina", key: str | None = "new", **more: Any) -> Answer:
        """With a key of its own, if none is given."""
        options = {name: more.pop(name) for name in ("role", "subject") if name in more}
        if key == "new":
            self._keys += 1
            key = f"key-{self._keys}"
        body = more.pop("body", BODY | more)
        return self.request(f"wallets/api-{verb}", ("/nina/", f"/{user}/"), body=body, key=key, **options)

    def deposit(self, **more: Any) -> Answer:
        return self.move("deposit", **more)

    def withdraw(self, **more: Any) -> Answer:
        return self.move("withdraw", **more)

    def mine(self, subject: str = "nina", role: str = "user") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.done("wallets/api-mine", subject=subject, role=role)["items"]
        return found

    def statement(self, subject: str = "nina", **query: Any) -> Answer:
        return self.request("wallets/api-statement", query=query, subject=subject, role="user")

    def verify(self, account: str, role: str = "operator") -> Answer:
        return self.request("wallets/api-verify", query={"account": account}, role=role)

    def lines(self, account: str = "wallet#USD#nina") -> list[int]:
        items = [item for item in self.aws.items("LedgerTable") if item["account"] == account]
        return [int(item["amount"]) for item in items if item["line"].startswith("line#")]

    def entries_of(self, user: str = "nina") -> list[dict[str, Any]]:
        return [
            entry | {name: json.loads(entry[name]) for name in ("before", "after") if entry.get(name)}
            for entry in self.entries(f"wallet:{user}")
        ]


@pytest.fixture
def bank(aws: Account, functions: Functions) -> Iterator[Bank]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Bank(aws, functions, clock)


# Deposits and withdrawals


def test_a_deposit_is_answered_with_what_the_wallet_has(bank: Bank) -> None:
    bank.deposit(amount=5)

    answer = bank.deposit()

    assert answer.status == 201
    assert answer.body.pop("entry").startswith("dep#")
    assert answer.body == {
        "user": "nina",
        "kind": "deposit",
        "amount": 330_000,
        "currency": "USD",
        "exponent": 2,
        "reference": "SEPA 42",
        "actor": "ada",
        "at": "2026-11-20T12:00:00.000000Z",
        "balance": 330_005,
    }


def test_a_withdrawal_takes_from_the_wallet(bank: Bank) -> None:
    bank.deposit()

    answer = bank.withdraw(amount=30_000)

    assert (answer.status, answer.body["kind"], answer.body["balance"]) == (201, "withdraw", 300_000)
    assert answer.body["entry"].startswith("wdr#")
    assert bank.lines("outside#USD") == [-330_000, 30_000]


@pytest.mark.parametrize(("there", "text"), [(0, "0.00 USD"), (329_999, "3299.99 USD")])
def test_a_withdrawal_of_more_than_there_is_says_what_is_there(bank: Bank, there: int, text: str) -> None:
    if there:
        bank.deposit(amount=there)

    answer = bank.withdraw()

    message = f"wallet#USD#nina has {text}, and 3300.00 USD are needed"
    assert answer.refusal == (409, "insufficient_funds", message)
    assert sum(bank.lines()) == there


def test_of_two_withdrawals_at_once_one_is_refused(bank: Bank) -> None:
    bank.deposit()

    with before_the_first("transact_write_items", lambda: bank.withdraw(amount=300_000)):
        answer = bank.withdraw(amount=300_000)

    assert answer.refusal[:2] == (409, "insufficient_funds")
    assert answer.body["message"].startswith("wallet#USD#nina has 300.00 USD")


def test_a_deposit_that_another_overtakes_counts_from_what_that_left(bank: Bank) -> None:
    with before_the_first("transact_write_items", lambda: bank.deposit(amount=7)):
        answer = bank.deposit(amount=10)

    assert (answer.status, answer.body["balance"]) == (201, 17)
    assert bank.verified("wallet:nina")["valid"]
    assert [ledger.verify(each) for each in ("wallet#USD#nina", "outside#USD")] == [None, None]


# Keys


@pytest.mark.parametrize("verb", ["deposit", "withdraw"])
def test_money_is_not_moved_without_a_key(bank: Bank, verb: str) -> None:
    """blurifycom/openora PR #106: a client's retry after a timeout credited twice."""
    answer = bank.move(verb, key=None)

    assert (answer.status, answer.fields) == (400, ["Idempotency-Key"])
    assert bank.aws.items("LedgerTable") == []


def test_a_repeat_with_its_key_is_answered_the_same_and_moves_nothing(bank: Bank) -> None:
    first = bank.deposit(key="one")
    bank.deposit(amount=5)

    repeat = bank.deposit(key="one")
    other = bank.deposit(key="one", amount=1)

    assert (repeat.status, repeat.body) == (201, first.body)
    assert repeat.headers["Idempotency-Replayed"] == "true"
    assert other.refusal[:2] == (409, "idempotency_key_reused")
    assert bank.lines() == [330_000, 5]


def test_a_repeat_of_a_withdrawal_is_answered_even_when_nothing_is_left(bank: Bank) -> None:
    bank.deposit()
    first = bank.withdraw(key="one")

    repeat = bank.withdraw(key="one")

    assert (repeat.status, repeat.body) == (201, first.body)
    assert bank.lines() == [330_000, -330_000]


@pytest.mark.parametrize("verb", ["deposit", "withdraw"])
def test_a_repeat_after_its_answer_expired_is_done_and_moves_nothing(bank: Bank, verb: str) -> None:
    bank.deposit(amount=330_000)
    first = bank.move(verb, key="one")
    bank.clock.shift(timedelta(days=2))

    repeats = [bank.move(verb, key="one") for _ in range(2)]

    assert [(repeat.status, repeat.body) for repeat in repeats] == [(201, first.body)] * 2
    assert repeats[1].headers["Idempotency-Replayed"] == "true"
    assert len(bank.lines()) == 2
    assert len(bank.entries_of()) == 2


@pytest.mark.parametrize("other", [{"amount": 1}, {"user": "ivan"}, {"reference": "SEPA 43"}, {"currency": "EUR"}])
def test_a_key_names_one_movement_also_after_its_answer_expired(bank: Bank, other: dict[str, Any]) -> None:
    bank.deposit(key="one")
    bank.clock.shift(timedelta(days=2))

    answer = bank.deposit(key="one", **other)

    assert answer.refusal[:2] == (409, "idempotency_key_reused")
    assert bank.lines() == [330_000]


def test_two_admins_may_use_the_same_key(bank: Bank) -> None:
    bank.deposit(key="one")
    bank.deposit(key="one", subject="grace")

    assert bank.lines() == [330_000, 330_000]


def test_a_repeat_after_a_lost_answer_moves_nothing(bank: Bank) -> None:
    with pytest.raises(KeyboardInterrupt), answer_lost_of_the_first("transact_write_items"):
        bank.deposit(key="one")

    answer = bank.deposit(key="one")

    assert (answer.status, answer.body["balance"]) == (201, 330_000)
    assert bank.lines() == [330_000]


def test_two_deposits_at_once_with_one_key_are_one(bank: Bank) -> None:
    with before_the_first("transact_write_items", lambda: bank.deposit(key="one")):
        answer = bank.deposit(key="one")

    assert (answer.status, answer.headers["Idempotency-Replayed"]) == (201, "true")
    assert bank.lines() == [330_000]


# Audit and events


def test_a_movement_is_audited_with_the_hash_of_its_entry_and_told(bank: Bank) -> None:
    deposited = bank.deposit().body["entry"]
    withdrawn = bank.withdraw(amount=30_000, subject="grace").body["entry"]

    first, second = bank.entries_of()
    assert (first["action"], first["actor"]) == ("WALLET_DEPOSITED", "ada")
    assert (second["action"], second["actor"]) == ("WALLET_WITHDRAWN", "grace")
    entries = [ledger.find(each) for each in (deposited, withdrawn)]
    assert [entry and entry.cause for entry in entries] == ["wallet:nina 1", "wallet:nina 2"]
    assert [audited["after"]["hash"] for audited in (first, second)] == [entry and entry.hash for entry in entries]
    assert second["before"] == {"currency": "USD", "balance": 330_000}
    assert second["after"] | {"hash": ""} == {
        "currency": "USD",
        "balance": 300_000,
        "amount": 30_000,
        "reference": "SEPA 42",
        "entry": withdrawn,
        "hash": "",
    }
    events = {item["name"]: json.loads(item["data"]) for item in bank.aws.items("OutboxTable")}
    assert events.keys() == {"WalletDeposited", "WalletWithdrawn"}
    assert events["WalletWithdrawn"] == {
        "user": "nina",
        "amount": 30_000,
        "currency": "USD",
        "reference": "SEPA 42",
        "entry": withdrawn,
        "balance": 300_000,
        "actor": "grace",
    }


@pytest.mark.parametrize(
    "user", ["nina", "auth0|1", "nina@example.org", "a:b:c", "50%", "a%41", "~!$&'()*+,;=-._[]{}^<>"]
)
def test_a_users_log_is_verified_whatever_the_name(bank: Bank, user: str) -> None:
    """The gateway decodes a path before the function sees it."""
    assert bank.deposit(user=user).body["user"] == user
    bank.deposit(user=user, currency="EUR")

    assert bank.verified(f"wallet:{user}") == {
        "entity": f"wallet:{user}",
        "valid": True,
        "entries": 2,
        "problem": None,
        "rolled_back": [],
    }
    assert [each["currency"] for each in bank.mine(user)] == ["EUR", "USD"]


@pytest.mark.parametrize("entity", ["wallet:ivan", "wallet:", "wallet", "wallet:a b"])
def test_a_user_without_movements_has_no_log(bank: Bank, entity: str) -> None:
    bank.deposit()

    assert bank.verified(entity)["code"] in {"not_found", "campaign_not_found"}


def test_a_log_that_was_cut_off_is_found(bank: Bank) -> None:
    bank.deposit()
    bank.deposit()
    key = {"entity": {"S": "wallet:nina"}, "number": {"N": "2"}}
    bank.aws.client("dynamodb").delete_item(TableName=bank.aws.ref("AuditTable"), Key=key)

    assert bank.verified("wallet:nina")["problem"] == "entry 2 was cut off"


def test_a_head_that_another_moved_is_not_set_back(bank: Bank) -> None:
    """The other movement is of another currency, and a hand took its audit entry, which would stand in the way too."""

    def other() -> None:
        bank.deposit(currency="EUR")
        key = {"entity": {"S": "wallet:nina"}, "number": {"N": "1"}}
        bank.aws.client("dynamodb").delete_item(TableName=bank.aws.ref("AuditTable"), Key=key)

    with before_the_first("transact_write_items", other):
        assert bank.deposit().status == 201

    assert bank.verified("wallet:nina")["problem"] == "entry 1 was removed"
    assert [each["number"] for each in bank.entries_of()] == [2]


def test_after_a_restore_an_entry_names_the_audit_entry_that_came_behind_the_bridge(bank: Bank) -> None:
    assert bank.aws.dynamo
    bank.deposit()
    kept = dict(bank.aws.dynamo.tables["LedgerTable"].items)
    bank.deposit()
    bank.aws.dynamo.tables["LedgerTable"].items = kept

    entry = ledger.find(bank.deposit().body["entry"])

    assert entry
    assert [each["action"] for each in bank.entries_of()][2:] == ["WALLET_RESTORED", "WALLET_DEPOSITED"]
    assert (entry.cause, bank.entries_of()[3]["after"]["hash"]) == ("wallet:nina 4", entry.hash)
    assert bank.verified("wallet:nina")["valid"]


def test_a_keyed_movement_of_the_lost_time_is_done_again(bank: Bank) -> None:
    assert bank.aws.dynamo
    kept = dict(bank.aws.dynamo.tables["LedgerTable"].items)
    bank.deposit(key="one")
    bank.aws.dynamo.tables["LedgerTable"].items = kept

    answer = bank.deposit(key="one")

    assert (answer.status, "Idempotency-Replayed" in answer.headers) == (201, False)
    assert bank.lines() == [330_000]


# What is asked


@pytest.mark.parametrize("verb", ["deposit", "withdraw"])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        (BODY | {"amount": 0}, "amount"),
        (BODY | {"amount": -1}, "amount"),
        (BODY | {"amount": 10**15 + 1}, "amount"),
        (BODY | {"amount": 1.0}, "amount"),
        (BODY | {"amount": "1"}, "amount"),
        (BODY | {"amount": True}, "amount"),
        (BODY | {"currency": "usd"}, "currency"),
        (BODY | {"currency": "US"}, "currency"),
        (BODY | {"currency": 840}, "currency"),
        (BODY | {"reference": ""}, "reference"),
        (BODY | {"reference": "x" * 101}, "reference"),
        (BODY | {"reference": "two\nlines"}, "reference"),
        (BODY | {"note": "x"}, "note"),
        ({"amount": 1, "currency": "USD"}, "reference"),
    ],
)
def test_a_bad_movement_is_named_and_moves_nothing(bank: Bank, verb: str, body: Any, field: str) -> None:
    answer = bank.move(verb, body=body)

    assert (answer.status, answer.fields) == (400, [field])
    assert bank.aws.items("LedgerTable") == []


@pytest.mark.parametrize("currency", ["XAU", "XXX", "XDR", "ABC"])
def test_a_currency_that_is_no_money_is_unknown(bank: Bank, currency: str) -> None:
    answer = bank.deposit(currency=currency)

    assert (answer.refusal[:2], answer.fields) == ((400, "currency_unknown"), ["currency"])
    assert bank.statement(currency=currency).refusal[:2] == (400, "currency_unknown")


def test_the_longest_reference_fits_into_the_ledger(bank: Bank) -> None:
    assert bank.deposit(reference="\U0001f4b6" * 100).status == 201
    assert bank.deposit(reference='"' * 100).status == 201


@pytest.mark.parametrize("user", ["a#b", "a b", "é", "x" * 129, "a/b", "a?b", 'a"b', "a\\b", "a`b"])
def test_a_name_that_no_user_has_or_no_path_can_hold_is_refused(bank: Bank, user: str) -> None:
    answer = bank.deposit(user=user)

    assert answer.status in {400, 404}
    assert bank.aws.items("LedgerTable") == []


@pytest.mark.parametrize("role", ["user", "service", "operator"])
@pytest.mark.parametrize("verb", ["deposit", "withdraw"])
def test_only_an_admin_moves_money(bank: Bank, verb: str, role: str) -> None:
    assert bank.move(verb, role=role).refusal[:2] == (403, "forbidden")
    assert bank.aws.items("LedgerTable") == []


# Wallets and statements


def test_everybody_sees_the_wallets_of_the_own_subject_alone(bank: Bank) -> None:
    bank.deposit(user="nina")
    bank.deposit(user="nina", currency="JPY", amount=500)
    bank.deposit(user="ivan", amount=1)

    nina = [
        {"currency": "JPY", "exponent": 0, "balance": 500, "lines": 1},
        {"currency": "USD", "exponent": 2, "balance": 330_000, "lines": 1},
    ]
    assert bank.mine("nina") == nina
    assert bank.mine("nina", role="admin") == nina
    assert [each["balance"] for each in bank.mine("ivan")] == [1]
    assert bank.mine("ada", role="admin") == []


def test_a_statement_lists_the_newest_line_first(bank: Bank) -> None:
    entry = bank.deposit().body["entry"]
    bank.clock.shift(1)
    bank.withdraw(amount=30_000)

    answer = bank.statement()

    assert answer.body["items"][1] == {
        "number": 1,
        "entry": entry,
        "kind": "deposit",
        "amount": 330_000,
        "shown": "3300.00 USD",
        "after": 330_000,
        "at": "2026-11-20T12:00:00.000000Z",
        "against": "outside#USD",
    }
    assert [each["shown"] for each in answer.body["items"]] == ["-300.00 USD", "3300.00 USD"]
    rest = {name: value for name, value in answer.body.items() if name != "items"}
    assert rest == {"currency": "USD", "exponent": 2, "balance": 300_000, "next_cursor": None}


def test_a_statement_is_paged(bank: Bank) -> None:
    for amount in range(1, 6):
        bank.deposit(amount=amount)

    first = bank.statement(limit=2)
    second = bank.statement(limit=2, cursor=first.body["next_cursor"])
    third = bank.statement(limit=2, cursor=second.body["next_cursor"])

    amounts = [[each["amount"] for each in answer.body["items"]] for answer in (first, second, third)]
    assert (amounts, third.body["next_cursor"]) == ([[5, 4], [3, 2], [1]], None)


@pytest.mark.parametrize("number", [0, -1, 10**12])
def test_a_cursor_of_no_line_is_refused(bank: Bank, number: int) -> None:
    from sluice.http import write_cursor

    answer = bank.statement(cursor=write_cursor({"number": number}))

    assert (answer.status, answer.fields) == (400, ["cursor"])


def test_of_several_wallets_a_statement_names_one(bank: Bank) -> None:
    bank.deposit()
    bank.deposit(currency="EUR", amount=7)

    without, euros = bank.statement(), bank.statement(currency="EUR")

    assert without.refusal[:2] == (400, "currency_required")
    assert (euros.body["balance"], euros.body["currency"]) == (7, "EUR")


def test_a_user_without_a_wallet_has_an_empty_statement(bank: Bank) -> None:
    assert bank.statement().body == {
        "items": [],
        "next_cursor": None,
        "currency": None,
        "exponent": None,
        "balance": 0,
    }
    assert bank.statement(currency="EUR").body["items"] == []


# Verification


def test_an_account_is_verified(bank: Bank) -> None:
    bank.deposit()

    whole = bank.verify("wallet#USD#nina")
    bank.aws.client("dynamodb").update_item(
        TableName=bank.aws.ref("LedgerTable"),
        Key={"account": {"S": "wallet#USD#nina"}, "line": {"S": "balance"}},
        UpdateExpression="SET amount = :a",
        ExpressionAttributeValues={":a": {"N": "330001"}},
    )
    edited = bank.verify("wallet#USD#nina")

    assert whole.body == {"account": "wallet#USD#nina", "valid": True, "problem": None}
    assert (edited.body["valid"], edited.body["problem"]) == (
        False,
        "the balance is 330001, its lines sum to 330000",
    )


def test_an_account_that_nobody_used_cannot_be_verified(bank: Bank) -> None:
    assert bank.verify("wallet#USD#ivan").refusal[:2] == (404, "account_not_found")


@pytest.mark.parametrize("role", ["user", "service"])
def test_a_user_verifies_no_account(bank: Bank, role: str) -> None:
    assert bank.verify("wallet#USD#nina", role=role).refusal[:2] == (403, "forbidden")
