"""The ledger: double entry. Each movement of money is one entry, which is written once and sums to zero.

| account           | line              |                                                                              |
|-------------------|-------------------|------------------------------------------------------------------------------|
| entry#pay#spn_... | entry             | an entry: its legs, and what caused it                                       |
| wallet#USD#nina   | balance           | what the account has, its number of lines, and a total per kind of entry     |
| wallet#USD#nina   | line#000000000042 | one leg of one entry: the amount, and the balance after it                   |
| wallet#nina       | head              | the last audit entry of what was paid in and out: `sluice.ledger.HeadItem`   |

What accounts and entries are: `sluice.journal`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from itertools import batched
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.transactions import TransactWrite

from sluice.audit import HeadAttributes
from sluice.dynamodb import Bound, snapshot, transient_as_unavailable, unreadable
from sluice.errors import Unreadable
from sluice.journal import (
    Balance,
    Balances,
    Budget,
    Entry,
    Kind,
    Leg,
    Line,
    Unbalanced,
    after,
    budget,
    reserved,
    wallet,
)
from sluice.money import EXPONENTS

_LINE = "line#"
_BALANCE = "balance"
_ENTRY = "entry"
_PREFIX = "entry#"
_HEAD = "head"
_LOOKS = 5
# As many as a batch read takes.
_LINES = 100


class LedgerItem(Bound):
    """An item of the ledger's table."""

    class Meta(Bound.Meta):
        pass

    account = UnicodeAttribute(hash_key=True)
    line = UnicodeAttribute(range_key=True)


class LedgerEntryItem(LedgerItem):
    """`entry#pay#spn_...`, `entry`: one entry."""

    kind = UnicodeAttribute()
    currency = UnicodeAttribute()
    legs = JSONAttribute()
    cause = UnicodeAttribute()
    actor = UnicodeAttribute()
    at = UnicodeAttribute()
    memo = JSONAttribute()
    hash = UnicodeAttribute()


class _Accounts(GlobalSecondaryIndex["BalanceItem"]):
    class Meta:
        index_name = "accounts"
        projection = KeysOnlyProjection()

    listed = UnicodeAttribute(hash_key=True)
    account = UnicodeAttribute(range_key=True)


class BalanceItem(LedgerItem):
    """`wallet#USD#nina`, `balance`. `listed` is its currency, and lists it alone: entries have a currency too."""

    listed = UnicodeAttribute()
    currency = UnicodeAttribute()
    amount = NumberAttribute()
    lines = NumberAttribute()
    last = UnicodeAttribute()
    k_deposit = NumberAttribute(null=True)
    k_withdraw = NumberAttribute(null=True)
    k_fund = NumberAttribute(null=True)
    k_reserve = NumberAttribute(null=True)
    k_release = NumberAttribute(null=True)
    k_pay = NumberAttribute(null=True)
    k_clawback = NumberAttribute(null=True)
    k_refund = NumberAttribute(null=True)
    accounts = _Accounts()


class LineItem(LedgerItem):
    """`wallet#USD#nina`, `line#000000000042`: one leg of one entry."""

    entry = UnicodeAttribute()
    kind = UnicodeAttribute()
    amount = NumberAttribute()
    after = NumberAttribute()
    at = UnicodeAttribute()
    against = UnicodeAttribute()


class HeadItem(HeadAttributes, LedgerItem):
    """`wallet#nina`, `head`: the last audit entry of what came to a user's wallets from outside, or went there."""

    @staticmethod
    def key(user: str) -> tuple[str, str]:
        return f"wallet#{user}", _HEAD


def read(accounts: Iterable[str]) -> dict[str, Balance]:
    """The balance of each account, by consistent batch reads; 0 for an account without lines. Raises Unavailable."""
    wanted = list(dict.fromkeys(accounts))
    with transient_as_unavailable():
        items = list(BalanceItem.batch_get([(each, _BALANCE) for each in wanted], consistent_read=True))
    found = {item.account: _balance(item) for item in items}
    return {each: found.get(each) or Balance(each) for each in wanted}


def wallets_of(user: str) -> list[Balance]:
    """The wallets that a user has, in the order of their currencies: of every currency that is known, in two reads."""
    balances = read(wallet(currency, user) for currency in sorted(EXPONENTS))
    return [balance for balance in balances.values() if balance.lines]


def write(transaction: TransactWrite, entry: Entry, balances: Balances) -> dict[str, Balance]:
    """Write an entry in a transaction, by 1 + 2 x legs actions: the balances as they are then.

    On condition that there is no entry of this id, and that each account has the lines that were read. Raises
    Insufficient and CurrencyMismatch before it adds an action.
    """
    then = after(entry, balances)
    transaction.save(_entry_item(entry), condition=LedgerEntryItem.account.does_not_exist())
    for leg in entry.legs:
        balance = then[leg.account]
        line = LineItem(leg.account, _line_key(balance.lines), entry=entry.id, kind=entry.kind, amount=leg.amount)
        line.after, line.at, line.against = balance.amount, entry.at, _against(leg, entry)
        transaction.save(line, condition=LineItem.account.does_not_exist())
        item = BalanceItem(leg.account, _BALANCE)
        transaction.update(item, _moves(leg, entry, balance), _as_read(balances[leg.account], leg))
    return then


def find(entry_id: str) -> Entry | None:
    """An entry, by a consistent read. Raises Unavailable, Unreadable."""
    return find_all([entry_id]).get(entry_id)


def find_all(ids: Iterable[str]) -> dict[str, Entry]:
    """Entries by their ids, without missing ones, by consistent batch reads. Raises Unavailable, Unreadable."""
    with transient_as_unavailable():
        items = list(LedgerEntryItem.batch_get(map(entry_key, ids), consistent_read=True))
    return {found.id: found for found in map(_entry, items)}


def page(
    account: str, limit: int, after: int | None = None, *, newest_first: bool = True
) -> tuple[list[Line], int | None]:
    """At most `limit` lines of an account, from after the line of a number; and the number to go on after, if any.

    By a consistent read. Raises Unavailable, Unreadable.
    """
    last = {"account": {"S": account}, "line": {"S": _line_key(after)}} if after is not None else None
    with transient_as_unavailable():
        rows = LineItem.query(
            account,
            LineItem.line.startswith(_LINE),
            scan_index_forward=not newest_first,
            limit=limit,
            last_evaluated_key=last,
            consistent_read=True,
        )
        lines = [_line(row) for row in rows]
        following = rows.last_evaluated_key
    return lines, lines[-1].number if lines and following else None


def budget_of(campaign_id: str) -> Budget:
    """The money of a campaign at one moment, by one TransactGetItems. Raises Unbalanced when it does not add up.

    `paid` is what the streamers got and was not clawed back; a release, and the rest of a partial pay, are none of it.
    """
    accounts = budget(campaign_id), reserved(campaign_id)
    items = snapshot(*((BalanceItem, (each, _BALANCE)) for each in accounts))
    left, promised = (_balance(item) if item else Balance(name) for name, item in zip(accounts, items, strict=True))
    totals = Counter(left.totals)
    totals.update(promised.totals)
    found = Budget(
        funded=left.totals.get(Kind.FUND, 0),
        remaining=left.amount,
        reserved=promised.amount,
        paid=-totals[Kind.PAY] - left.totals.get(Kind.CLAWBACK, 0),
        refunded=-totals[Kind.REFUND],
    )
    if found.funded != found.remaining + found.reserved + found.paid + found.refunded:
        raise Unbalanced(f"The budget of {campaign_id} does not add up: {found}")
    return found


def accounts(currency: str, limit: int, after: str | None = None) -> tuple[list[str], str | None]:
    """At most `limit` accounts of a currency in the order of their names, from after one; and the one to go on after.

    By the index, which lags behind the table by moments.
    """
    last = None
    if after is not None:
        last = {"listed": {"S": currency}, "account": {"S": after}, "line": {"S": _BALANCE}}
    with transient_as_unavailable():
        rows = BalanceItem.accounts.query(currency, limit=limit, last_evaluated_key=last)
        found = [str(row.account) for row in rows]
        following = rows.last_evaluated_key
    return found, following["account"]["S"] if following else None


def conservation(currency: str) -> int | None:
    """The sum of all balances of a currency: 0, or money came from nowhere. None: they never stood still.

    A sum counts only between two readings in which every account has the same lines.
    """
    before: dict[str, Balance] | None = None
    for _ in range(_LOOKS):
        balances = read(_all_accounts(currency))
        lines = {each.account: each.lines for each in balances.values()}
        if before is not None and lines == {each.account: each.lines for each in before.values()}:
            return sum(each.amount for each in balances.values())
        before = balances
    return None


def verify(account: str) -> str | None:
    """The first difference between an account's lines, their entries and its balance, in words; None if it is whole.

    It reads all lines. Entries that are written meanwhile are no difference.
    """
    try:
        # Before the balance: a line that is written after this read is no difference.
        newest, _ = page(account, 1)
        balance = read([account])[account]
        return _difference(balance) or _behind(balance, newest)
    except Unreadable as error:
        return str(error)


def _difference(balance: Balance) -> str | None:
    total, totals, number = 0, Counter[str](), 0
    for lines in batched(_lines_of(balance), _LINES, strict=False):
        entries = find_all({line.entry for line in lines})
        for line in lines:
            number += 1
            total += line.amount
            totals[line.kind] += line.amount
            if line.number != number:
                return f"line {number} is missing"
            if problem := _fault(balance, line, entries.get(line.entry), total):
                return f"line {number}: {problem}"
    if number < balance.lines:
        return f"line {number + 1} is missing"
    if balance.amount != total:
        return f"the balance is {balance.amount}, its lines sum to {total}"
    for kind in Kind:
        if (found := balance.totals.get(kind, 0)) != totals[kind]:
            return f"the balance's total of {kind} is {found}, its lines sum to {totals[kind]}"
    return None


def _fault(balance: Balance, line: Line, of: Entry | None, total: int) -> str | None:
    """What is wrong with a line of an account."""
    if of is None:
        return f"entry {line.entry} is missing"
    if of.amount_in(balance.account) != line.amount:
        return f"entry {of.id} has another amount"
    if of.currency != balance.currency:
        return f"entry {of.id} has another currency"
    if of.kind != line.kind:
        return f"entry {of.id} has another kind"
    if of.hash != of.digest():
        return f"entry {of.id} was edited"
    if line.after != total:
        return f"after is {line.after}, not {total}"
    return None


def _behind(balance: Balance, newest: list[Line]) -> str | None:
    """What stands behind the last line that the balance knows."""
    if not newest or newest[0].number <= balance.lines:
        return None
    if not balance.lines:
        return "the balance is missing"
    return f"line {newest[0].number} was added behind the balance"


def _lines_of(balance: Balance) -> Iterator[Line]:
    """The lines that a balance counts, oldest first."""
    span = LineItem.line.between(_line_key(0), _line_key(balance.lines))
    with transient_as_unavailable():
        yield from map(_line, LineItem.query(balance.account, span, consistent_read=True))


def _all_accounts(currency: str) -> Iterator[str]:
    after: str | None = None
    while True:
        found, after = accounts(currency, _LINES, after)
        yield from found
        if after is None:
            return


def _moves(leg: Leg, entry: Entry, after: Balance) -> list[Action]:
    total: Any = getattr(BalanceItem, f"k_{entry.kind}")
    moves = [
        BalanceItem.amount.add(leg.amount),
        total.add(leg.amount),
        BalanceItem.lines.set(after.lines),
        BalanceItem.last.set(entry.id),
    ]
    if after.lines == 1:
        moves += [BalanceItem.currency.set(after.currency), BalanceItem.listed.set(after.currency)]
    return moves


def _as_read(before: Balance, leg: Leg) -> Condition:
    """The account has the lines that were read, and still has what is taken: a hand may have changed the amount."""
    if not before.lines:
        new: Condition = BalanceItem.account.does_not_exist()
        return new
    as_read: Condition = BalanceItem.lines == before.lines
    return as_read & (BalanceItem.amount >= -leg.amount) if leg.is_bounded else as_read


def _against(leg: Leg, entry: Entry) -> str:
    return max((each for each in entry.legs if each.amount * leg.amount < 0), key=lambda each: abs(each.amount)).account


def entry_key(entry_id: str) -> tuple[str, str]:
    """The key of an entry's item."""
    return f"{_PREFIX}{entry_id}", _ENTRY


def _line_key(number: int) -> str:
    return f"{_LINE}{number:012d}"


def _entry_item(entry: Entry) -> LedgerEntryItem:
    values = dict(vars(entry)) | {"legs": [vars(leg) for leg in entry.legs], "memo": dict(entry.memo)}
    return LedgerEntryItem(*entry_key(values.pop("id")), **values)


def _readable[M: LedgerItem, T](make: Callable[[M], T]) -> Callable[[M], T]:
    """`make`, which raises Unreadable, naming the row, for a row that a hand took values from."""

    @wraps(make)
    def made(item: M) -> T:
        attributes = type(item).get_attributes()
        if any(getattr(item, name) is None for name, each in attributes.items() if not each.null):
            raise unreadable(type(item), item.attribute_values)
        try:
            return make(item)
        except (KeyError, TypeError, ValueError) as error:
            raise unreadable(type(item), item.attribute_values) from error

    return made


@_readable
def _entry(item: LedgerEntryItem) -> Entry:
    legs = tuple(Leg(each["account"], each["amount"]) for each in item.legs)
    values = {name: getattr(item, name) for name in ("kind", "currency", "cause", "actor", "at", "memo", "hash")}
    return Entry(id=item.account.removeprefix(_PREFIX), legs=legs, **values)


@_readable
def _balance(item: BalanceItem) -> Balance:
    found = {kind.value: getattr(item, f"k_{kind}") for kind in Kind}
    totals = {kind: int(total) for kind, total in found.items() if total is not None}
    return Balance(item.account, item.currency, int(item.amount), int(item.lines), item.last, totals)


@_readable
def _line(item: LineItem) -> Line:
    number = int(item.line.removeprefix(_LINE))
    return Line(number, item.entry, item.kind, int(item.amount), int(item.after), item.at, item.against)
