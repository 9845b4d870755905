"""The rules of the Hedera escrow: a transaction id takes effect at most once, and never after it has expired. Pure.

The id is made, and committed, before the call. Whether a call whose answer was lost took effect is read at the receipt
and at a mirror node. It is absent only when its id has expired and the mirror, which has all up to then, has no such
transaction: only then another id may be used.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import randbelow
from typing import Protocol

from sluice.clock import Clock
from sluice.errors import Unavailable
from sluice.outward import Absent, CannotTell, Done, Found, Outcome, Seen, Unknown

type Arguments = Mapping[str, str | int]

FUNCTIONS = {
    "createCampaign": ("title", "budget"),
    "closeCampaign": ("id", "rewarded", "refunded"),
    "expireCampaign": ("id", "refunded"),
}
"""The functions of the contract, with their arguments in order: a text is a `string`, a number a `uint256`."""
VALID = timedelta(seconds=120)
"""How long after its start a transaction may be executed."""
DUPLICATE = "DUPLICATE_TRANSACTION"
_MARGIN = timedelta(seconds=60)
SETTLED = VALID + _MARGIN
"""How long after its call a transaction may be executed, or be missing at the mirror nodes."""
_EARLIER = timedelta(seconds=5)
"""A node refuses an id that starts in its future, and clocks differ."""

_REF = re.compile(r"\d+\.\d+\.\d+@\d+\.\d{1,9}")


@dataclass(frozen=True)
class Executed:
    """A call of a contract that succeeded, as a mirror node shows it."""

    memo: str
    contract: str
    """Such as `0.0.5005`."""
    parameters: str
    """The function's selector and its arguments: `0x` and hexadecimal digits."""


class Contract(Protocol):
    """The contract, through the network's nodes."""

    def submit(self, ref: str, function: str, arguments: Arguments) -> Outcome:
        """Call a function once; the memo is the argument `id`. Unknown(DUPLICATE): the network knows that id."""

    def expected(self, function: str, arguments: Arguments) -> Executed:
        """What a mirror node shows of a call that succeeded."""

    def has_receipt(self, ref: str) -> bool:
        """Whether a node says that it succeeded. Nodes forget after 3 minutes."""


class Mirror(Protocol):
    """A mirror node. Its methods raise Unavailable."""

    def executed(self, ref: str) -> Executed | None:
        """The call with this id, if it succeeded."""

    def has_all_until(self, moment: datetime) -> bool:
        """Whether it has everything that the network executed up to then."""


def new_ref(account: str, now: datetime) -> str:
    """A transaction id: `0.0.1001@<seconds>.<nanoseconds>`; mirror nodes want 9 digits (hiero-sdk-js#1564)."""
    return f"{account}@{int((now - _EARLIER).timestamp())}.{randbelow(10**9):09}"


def is_ref(text: str) -> bool:
    """Whether a text is a transaction id."""
    return _REF.fullmatch(text) is not None


def expires_at(ref: str) -> datetime:
    """From when on, by the network's clock, a transaction id cannot be executed."""
    started, _, nanoseconds = ref.partition("@")[2].partition(".")
    return datetime.fromtimestamp(int(started), UTC) + timedelta(microseconds=int(nanoseconds) // 1000) + VALID


@dataclass(frozen=True)
class Hedera:
    """Calls the contract, and finds out what became of a call. It records a campaign, and moves no token."""

    contract: Contract
    mirror: Mirror
    functions: frozenset[str]
    """The functions that the deployed contract has: a call of another one is left out, as if it was done."""
    clock: Clock

    def submit(self, ref: str, function: str, arguments: Arguments) -> Outcome:
        """Call a function once: Done(ref). A duplicate is done only if it is this very call."""
        if function not in self.functions:
            return Done(ref)
        outcome = self.contract.submit(ref, function, arguments)
        if outcome == Unknown(DUPLICATE) and isinstance(self.outcome(ref, function, arguments), Found):
            return Done(ref)
        return outcome

    def outcome(self, ref: str, function: str, arguments: Arguments) -> Seen:
        """What became of a call: Found(ref) only if memo, contract, function and arguments are those of this call."""
        if function not in self.functions:
            return Found(ref)
        has_receipt = self.contract.has_receipt(ref)
        expires = expires_at(ref)
        try:
            if self.mirror.executed(ref) == self.contract.expected(function, arguments):
                return Found(ref)
            if has_receipt:
                return CannotTell("A node has its receipt, and the mirror node does not show it")
            if self.clock.now() < expires + _MARGIN or not self.mirror.has_all_until(expires):
                return CannotTell("It may still be executed, or be shown")
        except Unavailable as error:
            return CannotTell(str(error))
        return Absent()
