"""The ledger: what an entry may be, what its transaction is conditioned on, and what a verification finds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pynamodb.connection import Connection

from sluice import journal, ledger
from sluice.dynamodb import Database, bind
from sluice.errors import Invalid, Unavailable
from sluice.journal import Balance, Budget, CurrencyMismatch, Entry, Insufficient, Kind, Leg, Unbalanced
from sluice.ledger import LedgerItem, LineItem
from tests.account import Account

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
SPONSORSHIP = "spn_01KAJ3W5V0SM0FKVYVXB9EQT6N"
OUTSIDE, ADA, NINA = journal.outside("USD"), journal.wallet("USD", "ada"), journal.wallet("USD", "nina")
BUDGET, RESERVED = journal.budget(SPONSORSHIP), journal.reserved(SPONSORSHIP)


class Books:
    """Posts entries, as contexts do."""

    def __init__(self, aws: Account) -> None:
        self._aws = aws
        self.database = Database(wait=lambda _seconds: None)
        bind(LedgerItem, aws.ref("LedgerTable"))

    def post(self, entry: Entry, balances: journal.Balances | None = None) -> bool:
        read = balances or ledger.read(leg.account for leg in entry.legs)
        return self.database.commit(lambda transaction: ledger.write(transaction, entry, read))

    def move(self, entry_id: str, kind: str, source: str, target: str, amount: int) -> bool:
        return self.post(a_transfer(id=entry_id, kind=kind, source=source, target=target, amount=amount))

    def deposit(self, amount: int, target: str = NINA, entry_id: str = "dep#1") -> bool:
        return self.move(entry_id, "deposit", OUTSIDE, target, amount)

    def amounts(self, *accounts: str) -> list[int]:
        return [balance.amount for balance in ledger.read(accounts).values()]

    def edit(self, account: str, line: str, **numbers: int) -> None:
        """By hand: no condition, and nothing beside it."""
        for name, value in numbers.items():
            self._aws.client("dynamodb").update_item(
                TableName=self._aws.ref("LedgerTable"),
                Key=_key(account, line),
                UpdateExpression="SET #n = :v",
                ExpressionAttributeNames={"#n": name},
                ExpressionAttributeValues={":v": {"N": str(value)}},
            )

    def rewrite(self, account: str, line: str, name: str, text: str) -> None:
        self._aws.client("dynamodb").update_item(
            TableName=self._aws.ref("LedgerTable"),
            Key=_key(account, line),
            UpdateExpression="SET #n = :v",
            ExpressionAttributeNames={"#n": name},
            ExpressionAttributeValues={":v": {"S": text}},
        )

    def remove(self, account: str, line: str) -> None:
        self._aws.client("dynamodb").delete_item(TableName=self._aws.ref("LedgerTable"), Key=_key(account, line))

    def copy(self, account: str, source: str, target: str) -> None:
        item = LineItem.get(account, source)
        item.line = target
        item.save()

    def items(self) -> list[dict[str, Any]]:
        return sorted(self._aws.items("LedgerTable"), key=lambda item: (item["account"], item["line"]))


def _key(account: str, line: str) -> dict[str, Any]:
    return {"account": {"S": account}, "line": {"S": line}}


def line(number: int) -> str:
    return f"line#{number:012d}"


def an_entry(legs: list[Leg], **values: Any) -> Entry:
    terms: dict[str, Any] = {"id": "pay#1", "kind": "pay", "currency": "USD", "cause": "spn_1 1", "actor": "ada"}
    return journal.entry(legs=legs, **terms | {"now": NOON} | values)


def a_transfer(**values: Any) -> Entry:
    terms: dict[str, Any] = {"id": "dep#1", "kind": "deposit", "currency": "USD", "source": OUTSIDE, "target": NINA}
    return journal.transfer(**terms | {"amount": 100, "cause": "wallet:nina 1", "actor": "ada", "now": NOON} | values)


@pytest.fixture
def books(aws: Account) -> Books:
    return Books(aws)


# What an entry may be


def test_legs_of_one_account_become_one() -> None:
    entry = an_entry([Leg(RESERVED, -330), Leg(NINA, 300), Leg(NINA, 20), Leg(ADA, 10)])

    assert entry.legs == (Leg(RESERVED, -330), Leg(NINA, 320), Leg(ADA, 10))


@pytest.mark.parametrize(
    "legs",
    [
        [],
        [Leg(NINA, 0)],
        [Leg(NINA, 5)],
        [Leg(NINA, 5), Leg(ADA, -4)],
        [Leg(NINA, 5), Leg(ADA, -5), Leg(RESERVED, 0)],
        [Leg(NINA, 5), Leg(NINA, -5)],
        [Leg(NINA, 5), Leg(NINA, -5), Leg(ADA, 1), Leg(RESERVED, -1)],
        [Leg(NINA, 5.0), Leg(ADA, -5)],  # type: ignore[arg-type]
        [Leg(NINA, True), Leg(ADA, -1)],
        [Leg(ADA, -40), *(Leg(f"wallet#USD#{number}", 1) for number in range(40))],
    ],
)
def test_legs_that_are_no_movement_are_refused(legs: list[Leg]) -> None:
    with pytest.raises(Unbalanced):
        an_entry(legs)


@pytest.mark.parametrize("amount", [0, -1, 1.0, True])
def test_a_transfer_moves_a_whole_amount_above_zero(amount: Any) -> None:
    with pytest.raises(Unbalanced):
        a_transfer(amount=amount)


def test_a_memo_is_short() -> None:
    assert a_transfer(memo={"reference": "x" * 480}).memo

    with pytest.raises(Unbalanced):
        a_transfer(memo={"reference": "x" * 490})


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="gift"):
        a_transfer(kind="gift")


@pytest.mark.parametrize("user", ["nina", "auth0|1", "nina@example.org", "!", "~", "x" * 128])
def test_any_visible_name_has_a_wallet(user: str) -> None:
    assert journal.wallet("USD", user) == f"wallet#USD#{user}"


@pytest.mark.parametrize("user", ["", "a#b", "a b", "é", "x" * 129, "a\n"])
def test_other_names_have_none(user: str) -> None:
    with pytest.raises(Invalid) as refused:
        journal.wallet("USD", user)

    assert refused.value.code == "user_invalid"


def test_the_hash_covers_everything() -> None:
    entry = a_transfer(memo={"reference": "wire 7"})
    others = [
        replace(entry, id="dep#2"),
        replace(entry, kind="refund"),
        replace(entry, currency="EUR"),
        replace(entry, legs=(Leg(OUTSIDE, -101), Leg(NINA, 101))),
        replace(entry, cause="wallet:nina 2"),
        replace(entry, actor="bob"),
        replace(entry, at="2026-11-27T12:00:01.000000Z"),
        replace(entry, memo={"reference": "wire 8"}),
    ]

    assert entry.hash == entry.digest()
    assert len({entry.hash, *(other.digest() for other in others)}) == 9


# What is written, and on which conditions


def test_an_entry_is_an_item_with_a_line_and_a_balance_for_each_leg(books: Books) -> None:
    entry = a_transfer(memo={"reference": "wire 7"})

    assert books.post(entry)

    assert [(item["account"], item["line"]) for item in books.items()] == [
        ("entry#dep#1", "entry"),
        (OUTSIDE, "balance"),
        (OUTSIDE, line(1)),
        (NINA, "balance"),
        (NINA, line(1)),
    ]
    assert ledger.find("dep#1") == entry
    assert ledger.read([NINA])[NINA] == Balance(NINA, "USD", 100, 1, "dep#1", {"deposit": 100})
    assert ledger.page(NINA, 10) == ([journal.Line(1, "dep#1", "deposit", 100, 100, entry.at, OUTSIDE)], None)


def test_write_returns_the_balances_as_they_will_be(books: Books) -> None:
    entry, found = a_transfer(), []

    books.database.commit(lambda each: found.append(ledger.write(each, entry, ledger.read([OUTSIDE, NINA]))))

    assert found[0] == ledger.read([OUTSIDE, NINA])


def test_an_account_that_was_never_used_has_nothing(books: Books) -> None:
    assert ledger.read([NINA]) == {NINA: Balance(NINA)}
    assert ledger.find("dep#1") is None
    assert ledger.page(NINA, 10) == ([], None)


def test_lines_are_dense_and_carry_the_balance_after_them(books: Books) -> None:
    books.deposit(100)
    books.move("wdr#1", "withdraw", NINA, OUTSIDE, 30)
    books.deposit(5, entry_id="dep#2")

    lines, _ = ledger.page(NINA, 10, newest_first=False)

    assert [(each.number, each.amount, each.after) for each in lines] == [(1, 100, 100), (2, -30, 70), (3, 5, 75)]


@pytest.mark.parametrize("newest_first", [True, False])
def test_lines_are_paged(books: Books, newest_first: bool) -> None:
    for number in range(1, 6):
        books.deposit(number, entry_id=f"dep#{number}")

    numbers, after = [], None
    while True:
        lines, after = ledger.page(NINA, 2, after, newest_first=newest_first)
        numbers += [each.number for each in lines]
        if after is None:
            break

    assert numbers == ([5, 4, 3, 2, 1] if newest_first else [1, 2, 3, 4, 5])


def test_a_line_names_the_largest_account_on_the_other_side(books: Books) -> None:
    books.deposit(1000, BUDGET)
    entry = an_entry([Leg(BUDGET, -330), Leg(NINA, 30), Leg(ADA, 300)], kind="refund", id="rf#1")
    books.post(entry)

    against = {account: ledger.page(account, 1)[0][0].against for account in (BUDGET, NINA, ADA)}

    assert against == {BUDGET: ADA, NINA: BUDGET, ADA: BUDGET}


def test_an_entry_is_posted_once(books: Books) -> None:
    assert books.deposit(100)

    assert not books.deposit(100)

    assert books.amounts(NINA, OUTSIDE) == [100, -100]


def test_an_account_has_one_currency(books: Books) -> None:
    books.deposit(100, BUDGET)

    for account in (BUDGET, NINA):
        euros = a_transfer(id="dep#2", currency="EUR", source=journal.outside("EUR"), target=account)
        with pytest.raises(CurrencyMismatch):
            books.post(euros)

    assert len(books.items()) == 5


def test_an_account_never_gives_more_than_it_has(books: Books) -> None:
    books.deposit(100)

    with pytest.raises(Insufficient) as refused:
        books.move("wdr#1", "withdraw", NINA, OUTSIDE, 101)

    assert (refused.value.account, refused.value.has, refused.value.needs) == (NINA, 100, 101)
    assert (refused.value.code, refused.value.message) == (
        "insufficient_funds",
        "wallet#USD#nina has 1.00 USD, and 1.01 USD are needed",
    )
    assert books.amounts(NINA) == [100]


def test_an_account_without_lines_gives_nothing(books: Books) -> None:
    with pytest.raises(Insufficient):
        books.move("wdr#1", "withdraw", NINA, OUTSIDE, 1)

    assert books.items() == []


def test_all_of_a_balance_can_be_taken(books: Books) -> None:
    books.deposit(100)

    assert books.move("wdr#1", "withdraw", NINA, OUTSIDE, 100)

    assert books.amounts(NINA, OUTSIDE) == [0, 0]


def test_a_unit_that_a_hand_takes_meanwhile_is_missed(books: Books) -> None:
    books.deposit(100)
    read = ledger.read([NINA, OUTSIDE])
    books.edit(NINA, "balance", amount=99)

    assert not books.post(a_transfer(id="wdr#1", kind="withdraw", source=NINA, target=OUTSIDE), read)

    assert books.amounts(NINA) == [99]


def test_an_entry_that_comes_between_is_seen(books: Books) -> None:
    books.deposit(100)
    read = ledger.read([NINA, OUTSIDE])
    books.deposit(50, entry_id="dep#2")

    assert not books.post(a_transfer(id="dep#3"), read)

    assert books.amounts(NINA) == [150]


def test_two_first_entries_of_an_account_do_not_overwrite_each_other(books: Books) -> None:
    read = ledger.read([NINA, OUTSIDE])
    books.deposit(50)

    assert not books.post(a_transfer(id="dep#2"), read)

    assert books.amounts(NINA, OUTSIDE) == [50, -50]


@pytest.mark.parametrize("hand", ["sets the number back", "takes the line away"])
def test_no_line_is_overwritten_whatever_a_hand_does(books: Books, hand: str) -> None:
    """Of two conditions each holds where the other is deceived: `lines` as read, and that there is no such line."""
    books.deposit(100)
    read = ledger.read([NINA, OUTSIDE])
    books.deposit(50, entry_id="dep#2")
    if hand == "sets the number back":
        for account in (NINA, OUTSIDE):
            books.edit(account, "balance", lines=1)
    else:
        for account in (NINA, OUTSIDE):
            books.remove(account, line(2))

    assert not books.post(a_transfer(id="dep#3"), read)

    assert ledger.find("dep#3") is None


def test_a_second_try_at_an_entry_does_the_same_at_another_time() -> None:
    entry = a_transfer(memo={"reference": "wire 7"})
    again = a_transfer(memo={"reference": "wire 7"}, now=NOON + timedelta(days=2), actor="bob", cause="wallet:nina 9")

    assert entry.does_as(again)


@pytest.mark.parametrize(
    "other",
    [
        {"amount": 101},
        {"kind": "refund"},
        {"target": ADA},
        {"memo": {"reference": "wire 8"}},
        {"currency": "EUR", "source": journal.outside("EUR")},
    ],
)
def test_an_entry_of_other_money_or_reason_does_something_else(other: dict[str, Any]) -> None:
    entry = a_transfer(memo={"reference": "wire 7"})

    assert not entry.does_as(a_transfer(**{"memo": {"reference": "wire 7"}} | other))


# The budget of a campaign


def sponsored(books: Books) -> None:
    """1000 deposited and funded, 330 reserved for nina."""
    books.deposit(1000, ADA)
    books.move("fund#1", "fund", ADA, BUDGET, 1000)
    books.move("rsv#1", "reserve", BUDGET, RESERVED, 330)


def test_a_budget_is_what_remains_is_reserved_is_paid_and_is_refunded(books: Books) -> None:
    sponsored(books)
    before = ledger.budget_of(SPONSORSHIP)
    books.move("pay#1", "pay", RESERVED, NINA, 330)
    paid = ledger.budget_of(SPONSORSHIP)
    books.move("clw#1", "clawback", NINA, BUDGET, 30)
    books.move("rf#1", "refund", BUDGET, ADA, 700)
    after = ledger.budget_of(SPONSORSHIP)

    assert before == Budget(funded=1000, remaining=670, reserved=330, paid=0, refunded=0)
    assert paid == Budget(funded=1000, remaining=670, reserved=0, paid=330, refunded=0)
    assert after == Budget(funded=1000, remaining=0, reserved=0, paid=300, refunded=700)


def test_the_rest_of_a_partial_pay_is_not_paid(books: Books) -> None:
    sponsored(books)

    books.post(an_entry([Leg(RESERVED, -330), Leg(NINA, 100), Leg(BUDGET, 230)]))

    assert ledger.budget_of(SPONSORSHIP) == Budget(funded=1000, remaining=900, reserved=0, paid=100, refunded=0)


def test_a_release_goes_back_to_the_budget(books: Books) -> None:
    sponsored(books)

    books.move("rel#1", "release", RESERVED, BUDGET, 330)

    assert ledger.budget_of(SPONSORSHIP) == Budget(funded=1000, remaining=1000, reserved=0, paid=0, refunded=0)


def test_an_unfunded_budget_can_be_funded_again(books: Books) -> None:
    books.deposit(100, ADA)
    books.move("fund#1", "fund", ADA, BUDGET, 100)
    books.move("unfund#1", "fund", BUDGET, ADA, 100)
    between = ledger.budget_of(SPONSORSHIP)
    books.move("fund#2", "fund", ADA, BUDGET, 100)

    assert between == Budget(0, 0, 0, 0, 0)
    assert ledger.budget_of(SPONSORSHIP) == Budget(funded=100, remaining=100, reserved=0, paid=0, refunded=0)


def test_a_campaign_that_was_never_funded_has_no_budget(books: Books) -> None:
    assert ledger.budget_of(SPONSORSHIP) == Budget(0, 0, 0, 0, 0)


def test_a_budget_that_a_hand_changed_is_an_error(books: Books) -> None:
    sponsored(books)
    books.edit(RESERVED, "balance", amount=331)

    with pytest.raises(Unbalanced):
        ledger.budget_of(SPONSORSHIP)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_the_budget_adds_up_after_every_entry_and_no_money_comes_from_nowhere(aws: Account, random: Random) -> None:
    """Also: a wallet is the sum of its lines, and nothing is negative but the world outside."""
    aws.forget_items()
    books = Books(aws)
    books.deposit(1000, ADA)
    routes: list[tuple[Kind, str, str]] = [
        (Kind.FUND, ADA, BUDGET),
        (Kind.FUND, BUDGET, ADA),
        (Kind.RESERVE, BUDGET, RESERVED),
        (Kind.RELEASE, RESERVED, BUDGET),
        (Kind.PAY, RESERVED, NINA),
        (Kind.CLAWBACK, NINA, BUDGET),
        (Kind.REFUND, BUDGET, ADA),
        (Kind.REFUND, RESERVED, ADA),
    ]

    for number in range(12):
        kind, source, target = random.choice(routes)
        amount = random.randint(1, 400)
        legs = [Leg(source, -amount), Leg(target, amount)]
        if kind is Kind.PAY:
            rest = random.randrange(amount)
            legs = [Leg(source, -amount), Leg(target, amount - rest), *([Leg(BUDGET, rest)] if rest else [])]
        try:
            books.post(an_entry(legs, id=f"e#{number}", kind=kind))
        except Insufficient:
            continue
        ledger.budget_of(SPONSORSHIP)

    assert ledger.conservation("USD") == 0
    accounts = [OUTSIDE, ADA, NINA, BUDGET, RESERVED]
    assert [ledger.verify(each) for each in accounts] == [None] * 5
    assert all(amount >= 0 for amount in books.amounts(*accounts[1:]))


def test_a_budget_is_read_again_when_a_transaction_holds_it(books: Books) -> None:
    sponsored(books)
    dispatch, held = Connection.dispatch, iter([True, True, False])
    calls = []

    def busy(connection: Connection, operation: str, arguments: dict[str, Any]) -> Any:
        calls.append(operation)
        if next(held):
            raise _cancelled("TransactionConflict")
        return dispatch(connection, operation, arguments)

    with patch.object(Connection, "dispatch", busy), patch("sluice.dynamodb.uniform", return_value=0):
        found = ledger.budget_of(SPONSORSHIP)

    assert (found.reserved, calls) == (330, ["TransactGetItems"] * 3)


def test_a_budget_that_stays_held_is_unavailable(books: Books) -> None:
    def busy(*_: Any) -> Any:
        raise _cancelled("TransactionConflict")

    with (
        patch.object(Connection, "dispatch", busy),
        patch("sluice.dynamodb.uniform", return_value=0),
        pytest.raises(Unavailable),
    ):
        ledger.budget_of(SPONSORSHIP)


def _cancelled(code: str) -> Exception:
    from pynamodb.exceptions import CancellationReason, VerboseClientError

    response: Any = {"Error": {"Code": "TransactionCanceledException", "Message": code}}
    return VerboseClientError(response, "TransactGetItems", cancellation_reasons=[CancellationReason(code=code)])


# Accounts, and their sum


def test_accounts_are_listed_by_currency_and_entries_are_not(books: Books) -> None:
    books.deposit(100)
    books.deposit(100, ADA, "dep#2")
    books.post(
        a_transfer(id="dep#3", currency="EUR", source=journal.outside("EUR"), target=journal.wallet("EUR", "nina"))
    )

    first, after = ledger.accounts("USD", 2)
    rest, end = ledger.accounts("USD", 2, after)

    assert (first, rest, end) == ([OUTSIDE, ADA], [NINA], None)
    assert ledger.accounts("EUR", 9)[0] == ["outside#EUR", "wallet#EUR#nina"]


def test_the_balances_of_a_currency_sum_to_zero(books: Books) -> None:
    sponsored(books)
    whole = ledger.conservation("USD")
    books.edit(NINA, "balance", amount=1)
    books.edit(RESERVED, "balance", amount=331)

    assert (whole, ledger.conservation("USD"), ledger.conservation("EUR")) == (0, 1, 0)


def test_a_sum_that_moves_is_no_sum(books: Books) -> None:
    books.deposit(100)
    numbers = iter(range(2, 99))

    def read_while_it_moves(accounts: Any) -> Any:
        found = read(accounts)
        books.deposit(1, entry_id=f"dep#{next(numbers)}")
        return found

    read = ledger.read
    with patch.object(ledger, "read", read_while_it_moves), patch.object(books, "post", _posting(books, read)):
        assert ledger.conservation("USD") is None


def _posting(books: Books, read: Callable[..., Any]) -> Callable[..., bool]:
    post = books.post
    return lambda entry: post(entry, read(leg.account for leg in entry.legs))


# Verification


def eleven(books: Books) -> None:
    """An account with ten lines of 10, and so many entries."""
    for number in range(1, 11):
        books.deposit(10, entry_id=f"dep#{number}")


def test_a_whole_account_is_found_whole(books: Books) -> None:
    eleven(books)

    assert [ledger.verify(each) for each in (NINA, OUTSIDE, ADA)] == [None, None, None]


def test_an_account_of_many_lines_is_verified_page_by_page(books: Books) -> None:
    for number in range(1, 206):
        books.deposit(1, entry_id=f"dep#{number}")
    whole = ledger.verify(NINA)
    books.edit(NINA, line(204), after=1)

    assert (whole, ledger.verify(NINA)) == (None, "line 204: after is 1, not 204")


type Hand = Callable[[Books], None]
EDITS: dict[str, Hand] = {
    "line 7 is missing": lambda books: books.remove(NINA, line(7)),
    "line 10 is missing": lambda books: books.remove(NINA, line(10)),
    "line 8: after is 120, not 80": lambda books: books.edit(NINA, line(8), after=120),
    "line 9: entry dep#9 has another amount": lambda books: books.edit(NINA, line(9), amount=11),
    "line 9: entry dep#9 is missing": lambda books: books.remove("entry#dep#9", "entry"),
    "line 9: entry dep#8 was edited": lambda books: (
        books.rewrite("entry#dep#8", "entry", "actor", "eve"),
        books.rewrite(NINA, line(9), "entry", "dep#8"),
        books.rewrite(NINA, line(8), "entry", "dep#9"),
    )[0],
    "line 3: entry dep#3 has another kind": lambda books: books.rewrite(NINA, line(3), "kind", "pay"),
    "line 1: entry dep#1 has another currency": lambda books: books.rewrite(NINA, "balance", "currency", "EUR"),
    "line 2: entry dep#2 was edited": lambda books: books.rewrite("entry#dep#2", "entry", "memo", '{"a": "b"}'),
    "the balance is 120, its lines sum to 100": lambda books: books.edit(NINA, "balance", amount=120),
    "the balance's total of deposit is 90, its lines sum to 100": lambda books: books.edit(
        NINA, "balance", k_deposit=90
    ),
    "the balance's total of pay is 5, its lines sum to 0": lambda books: books.edit(NINA, "balance", k_pay=5),
    "line 11 was added behind the balance": lambda books: books.copy(NINA, line(10), line(11)),
    "line 10 was added behind the balance": lambda books: books.edit(NINA, "balance", lines=9, amount=90, k_deposit=90),
    "the balance is missing": lambda books: books.remove(NINA, "balance"),
}


@pytest.mark.parametrize("difference", EDITS)
def test_a_verification_names_the_first_difference(books: Books, difference: str) -> None:
    eleven(books)
    EDITS[difference](books)

    assert ledger.verify(NINA) == difference


def test_an_entry_whose_amount_a_hand_changed_differs_from_its_line(books: Books) -> None:
    eleven(books)
    legs = '[{"account": "outside#USD", "amount": -11}, {"account": "wallet#USD#nina", "amount": 11}]'
    books.rewrite("entry#dep#9", "entry", "legs", legs)

    assert ledger.verify(NINA) == "line 9: entry dep#9 has another amount"


@pytest.mark.parametrize(
    ("account", "at", "name"),
    [(NINA, line(4), "amount"), (NINA, "balance", "last"), ("entry#dep#4", "entry", "legs")],
)
def test_a_row_that_cannot_be_read_is_named(books: Books, aws: Account, account: str, at: str, name: str) -> None:
    eleven(books)
    aws.client("dynamodb").update_item(
        TableName=aws.ref("LedgerTable"),
        Key=_key(account, at),
        UpdateExpression="REMOVE #n",
        ExpressionAttributeNames={"#n": name},
    )

    problem = ledger.verify(NINA)

    assert problem
    assert "cannot be read" in problem
    assert account in problem


def test_an_entry_that_is_written_meanwhile_is_no_difference(books: Books) -> None:
    eleven(books)
    page = ledger.page

    def page_and_write(*arguments: Any) -> Any:
        found = page(*arguments)
        books.deposit(10, entry_id="dep#11")
        return found

    with patch.object(ledger, "page", page_and_write):
        assert ledger.verify(NINA) is None

    assert ledger.verify(NINA) is None


# What others met: facts of public reports


def test_a_refund_after_the_payout_is_refused_and_breaks_nothing(books: Books) -> None:
    """polarsource/polar #4428: pay, withdraw all, then refund."""
    sponsored(books)
    books.move("pay#1", "pay", RESERVED, NINA, 330)
    books.move("wdr#1", "withdraw", NINA, OUTSIDE, 330)

    with pytest.raises(Insufficient):
        books.move("clw#1", "clawback", NINA, BUDGET, 330)

    books.move("rsv#2", "reserve", BUDGET, RESERVED, 330)
    assert books.move("pay#2", "pay", RESERVED, NINA, 330)
    assert (books.amounts(NINA), ledger.budget_of(SPONSORSHIP).paid) == ([330], 660)


def test_two_that_spend_one_balance_do_not_both_get_it(books: Books) -> None:
    """Azuriom/Plugin-Shop #285: ten read the same balance, enough for one, before any of them commits."""
    books.deposit(330, BUDGET)
    read = ledger.read([BUDGET, RESERVED])
    joins = [
        a_transfer(id=f"rsv#{number}", kind="reserve", source=BUDGET, target=RESERVED, amount=330)
        for number in range(10)
    ]

    committed = [books.post(each, read) for each in joins]

    assert committed == [True] + [False] * 9
    assert books.amounts(BUDGET, RESERVED) == [0, 330]
    with pytest.raises(Insufficient):
        books.post(joins[1])
