"""Movements of money, before the ledger has them: entries, accounts and postings. Pure: `sluice.ledger` writes them.

Accounts: `wallet#<currency>#<user>`, `budget#<campaign>`, `reserved#<campaign>`, and `outside#<currency>`, the world
beyond the platform, which alone may be negative. Amounts are whole minor units, above 0 for what comes in.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from sluice.campaign import Chained, Change
from sluice.clock import rfc3339
from sluice.errors import Conflicting, Invalid
from sluice.money import shown

MOST_LEGS = 40
"""An entry is 1 + 2 x 40 actions of the 100 that a transaction may have."""
MOST_MEMO_BYTES = 500
MOST_USER_CHARACTERS = 128

_USER = re.compile(rf"[!-\"$-~]{{1,{MOST_USER_CHARACTERS}}}")


class Kind(StrEnum):
    """What an entry is for."""

    DEPOSIT = "deposit"
    WITHDRAW = "withdraw"
    FUND = "fund"
    RESERVE = "reserve"
    RELEASE = "release"
    PAY = "pay"
    CLAWBACK = "clawback"
    REFUND = "refund"


class Unbalanced(ValueError):
    """Raised for legs that are no entry, and for a budget that does not add up: a defect, never an answer."""


class Insufficient(Conflicting):
    """Raised when an account has less than an entry takes from it."""

    def __init__(self, account: str, has: int, needs: int, currency: str) -> None:
        super().__init__(
            f"{account} has {shown(has, currency)}, and {shown(needs, currency)} are needed", "insufficient_funds"
        )
        self.account, self.has, self.needs = account, has, needs


class CurrencyMismatch(Conflicting):
    """Raised when an account has another currency than the entry: it has one for ever."""

    def __init__(self, account: str, has: str, wanted: str) -> None:
        super().__init__(f"{account} has {has}, not {wanted}", "currency_mismatch")


@dataclass(frozen=True)
class Leg:
    """What one entry changes in one account: above 0 it comes in, below 0 it goes out."""

    account: str
    amount: int

    @property
    def is_bounded(self) -> bool:
        """Whether it takes from an account that is never negative."""
        return self.amount < 0 and not self.account.startswith("outside#")


@dataclass(frozen=True)
class Entry:
    """A movement of money. Its id says what it is for (`pay#spn_...:nina`), so that it can be written only once."""

    id: str
    kind: str
    currency: str
    legs: tuple[Leg, ...]
    cause: str
    """The audited entity and the number of its audit entry: `spn_01K...:nina 7`."""
    actor: str
    at: str
    memo: Mapping[str, str]
    hash: str = ""

    def digest(self) -> str:
        """SHA-256, in hex, of everything in the entry but its hash."""
        content = {name: value for name, value in vars(self).items() if name != "hash"}
        content |= {"legs": [vars(leg) for leg in self.legs], "memo": dict(self.memo)}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return sha256(text.encode()).hexdigest()

    def amount_in(self, account: str) -> int:
        """What it changes in an account; 0: nothing."""
        return next((leg.amount for leg in self.legs if leg.account == account), 0)

    def does_as(self, other: "Entry") -> bool:
        """Whether both move the same money for the same reason, whoever asked for it and when."""
        mine, its = ((each.kind, each.currency, set(each.legs), dict(each.memo)) for each in (self, other))
        return mine == its


@dataclass(frozen=True)
class Posting:
    """The money that a change moves. The store makes the entry of it, when it knows the audit entry that causes it.

    `legs` are amounts by account, which sum to 0. The id says what the entry is for, as an entry's does.
    """

    id: str
    kind: Kind
    currency: str
    legs: Mapping[str, int]
    actor: str
    memo: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def transfer(
        cls,
        id: str,  # noqa: A002 - the field's name
        kind: Kind,
        currency: str,
        source: str,
        target: str,
        amount: int,
        actor: str,
        memo: Mapping[str, str] | None = None,
    ) -> "Posting":
        """A posting of two legs."""
        return cls(id, kind, currency, {source: -amount, target: amount}, actor, memo or {})

    def entry(self, cause: str, now: datetime) -> Entry:
        """The entry of it, which `cause` (`spn_01K...:nina 7`) is the reason of. Raises Unbalanced."""
        legs = [Leg(account, amount) for account, amount in self.legs.items()]
        return entry(self.id, self.kind, self.currency, legs, cause=cause, actor=self.actor, now=now, memo=self.memo)


@dataclass(frozen=True)
class MoneyChange[C: Chained](Change[C]):
    """A change of a campaign, and the money that it moves."""

    posting: Posting | None = None


@dataclass(frozen=True)
class Balance:
    """What an account has. The balance of an account without lines: 0, and no currency."""

    account: str
    currency: str = ""
    amount: int = 0
    lines: int = 0
    """How many lines there are."""
    last: str = ""
    """The id of the last entry."""
    totals: Mapping[str, int] = field(default_factory=dict)
    """The sum of the lines of each kind."""


@dataclass(frozen=True)
class Line:
    """One leg of one entry, as its account lists it; `number` counts from 1."""

    number: int
    entry: str
    kind: str
    amount: int
    after: int
    """The balance then."""
    at: str
    against: str
    """The account on the other side; of several, the one with the largest amount."""


@dataclass(frozen=True)
class Budget:
    """The money of one campaign: `funded` is the sum of the others."""

    funded: int
    remaining: int
    reserved: int
    paid: int
    refunded: int


type Balances = Mapping[str, Balance]


def is_user(text: str) -> bool:
    """Whether a user of this name may have a wallet: 1 to 128 visible ASCII characters without `#`."""
    return _USER.fullmatch(text) is not None


def wallet(currency: str, user: str) -> str:
    """A user's account in a currency. Raises Invalid (`user_invalid`)."""
    if not is_user(user):
        raise Invalid.of("user", "A user is 1 to 128 visible ASCII characters without #", "user_invalid")
    return f"wallet#{currency}#{user}"


def outside(currency: str) -> str:
    """The world beyond the platform: where deposits come from, and withdrawals go to."""
    return f"outside#{currency}"


def budget(campaign_id: str) -> str:
    """What is left of a campaign's budget, and is promised to nobody."""
    return f"budget#{campaign_id}"


def reserved(campaign_id: str) -> str:
    """What is set aside for those to whom a campaign promised it."""
    return f"reserved#{campaign_id}"


def entry(
    id: str,  # noqa: A002 - the field's name
    kind: str,
    currency: str,
    legs: Sequence[Leg],
    *,
    cause: str,
    actor: str,
    now: datetime,
    memo: Mapping[str, str] | None = None,
) -> Entry:
    """An entry that can be written. The legs of one account become one leg.

    Raises Unbalanced for legs that do not sum to 0, a leg of 0, no legs or more than 40, an amount that is not an int,
    and a memo over 500 bytes; ValueError for an unknown kind.
    """
    if any(type(leg.amount) is not int for leg in legs):
        raise Unbalanced(f"{id}: an amount is an int, in minor units")
    amounts: Counter[str] = Counter()
    for leg in legs:
        amounts[leg.account] += leg.amount
    netted = tuple(Leg(account, amount) for account, amount in amounts.items())
    if not 1 < len(netted) <= MOST_LEGS or not all(leg.amount for leg in netted):
        raise Unbalanced(f"{id}: an entry has 2 to {MOST_LEGS} legs, none of them 0: {netted}")
    if off := sum(leg.amount for leg in netted):
        raise Unbalanced(f"{id}: the legs sum to {off}, not 0: {netted}")
    noted = dict(memo or {})
    if len(json.dumps(noted, ensure_ascii=False).encode()) > MOST_MEMO_BYTES:
        raise Unbalanced(f"{id}: the memo has more than {MOST_MEMO_BYTES} bytes")
    unsigned = Entry(id, Kind(kind).value, currency, netted, cause, actor, rfc3339(now), noted)
    return Entry(**(vars(unsigned) | {"hash": unsigned.digest()}))


def transfer(
    id: str,  # noqa: A002 - the field's name
    kind: str,
    currency: str,
    source: str,
    target: str,
    amount: int,
    *,
    cause: str,
    actor: str,
    now: datetime,
    memo: Mapping[str, str] | None = None,
) -> Entry:
    """The entry that moves an amount above 0 from one account to another. Raises Unbalanced."""
    if not amount > 0:
        raise Unbalanced(f"{id}: a transfer moves an amount above 0")
    legs = (Leg(source, -amount), Leg(target, amount))
    return entry(id, kind, currency, legs, cause=cause, actor=actor, now=now, memo=memo)


def after(entry: Entry, balances: Balances) -> dict[str, Balance]:
    """The balances of its accounts after an entry. Raises Insufficient, CurrencyMismatch."""
    return {leg.account: _then(balances[leg.account], leg, entry) for leg in entry.legs}


def _then(before: Balance, leg: Leg, entry: Entry) -> Balance:
    """The balance of an account after an entry. Raises Insufficient, CurrencyMismatch."""
    currency = before.currency or _named_currency(leg.account) or entry.currency
    if currency != entry.currency:
        raise CurrencyMismatch(leg.account, currency, entry.currency)
    if leg.is_bounded and before.amount + leg.amount < 0:
        raise Insufficient(leg.account, before.amount, -leg.amount, currency)
    totals = dict(before.totals) | {entry.kind: before.totals.get(entry.kind, 0) + leg.amount}
    return Balance(leg.account, currency, before.amount + leg.amount, before.lines + 1, entry.id, totals)


def _named_currency(account: str) -> str:
    """The currency that is part of an account's name; empty when there is none."""
    kind, *rest = account.split("#", 2)
    return rest[0] if kind in ("wallet", "outside") and rest else ""
