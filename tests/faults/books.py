"""The ledger in the world: added up from its raw items, and what must hold of it at every moment."""

from collections import Counter, defaultdict
from typing import Any

from sluice import journal, ledger
from sluice.dynamodb import Database, bind
from tests.dynamo.expressions import plain
from tests.faults.world import START, Violation, World

LEDGER = "LedgerTable"


def items(world: World, table: str, **texts: str) -> list[dict[str, Any]]:
    """A table's items that have these texts, in the order of their keys."""
    wanted = {name: {"S": text} for name, text in texts.items()}
    found = (
        item
        for item in world.dynamo.tables[table].items.values()
        if all(item.get(name) == each for name, each in wanted.items())
    )
    return sorted(({name: plain(each) for name, each in item.items()} for item in found), key=_key)


def _key(item: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(item[name]) for name in ("id", "part", "account", "line") if name in item)


def deposit(world: World, user: str, amount: int) -> None:
    """Give a user money."""
    bind(ledger.LedgerItem, world.aws.ref(LEDGER))
    accounts = journal.outside("USD"), journal.wallet("USD", user)
    entry = journal.transfer(
        "dep#1", "deposit", "USD", *accounts, amount, cause=f"wallet:{user} 1", actor=user, now=START
    )
    assert Database().commit(lambda write: ledger.write(write, entry, ledger.read(leg.account for leg in entry.legs)))


class LedgerBooks:
    """The ledger, added up from its raw items."""

    def __init__(self, world: World) -> None:
        self.amounts: dict[str, int] = {}
        self.counted: dict[str, int] = {}
        """How many lines each balance says that it has."""
        self.lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.entries: dict[str, dict[str, Any]] = {}
        for (account, line), item in world.dynamo.tables[LEDGER].items.items():
            if line == "balance":
                self.amounts[account] = int(item["amount"]["N"])
                self.counted[account] = int(item["lines"]["N"])
            elif line == "entry":
                self.entries[account.removeprefix("entry#")] = {name: plain(each) for name, each in item.items()}
            elif line.startswith("line#"):
                self.lines[account].append({name: plain(each) for name, each in item.items()})

    def check_accounts(self) -> None:
        """Each balance is the sum of its lines and not below 0, and none has an entry twice. Raises Violation."""
        for account, amount in self.amounts.items():
            lines = self.lines[account]
            if sum(int(each["amount"]) for each in lines) != amount or len(lines) != self.counted[account]:
                raise Violation(f"{account} has {amount}, and its lines are {lines}")
            if amount < 0 and not account.startswith("outside#"):
                raise Violation(f"{account} is negative: {amount}")
            entries = Counter(each["entry"] for each in lines)
            if max(entries.values()) > 1:
                raise Violation(f"{account} has an entry twice: {entries}")
        if sum(self.amounts.values()):
            raise Violation(f"money came from nowhere: {self.amounts}")

    def check_budget(self, campaign: str) -> tuple[int, int, int, int, int]:
        """funded = remaining + reserved + paid + refunded, of lines alone: those. Raises Violation."""
        wallets: Counter[str] = Counter()
        for account, lines in self.lines.items():
            if account.startswith("wallet#"):
                for each in lines:
                    if campaign in each["entry"]:
                        wallets[each["kind"]] += int(each["amount"])
        funded, paid = -wallets["fund"], wallets["pay"] + wallets["clawback"]
        remaining, reserved = self.amounts.get(f"budget#{campaign}", 0), self.amounts.get(f"reserved#{campaign}", 0)
        found = remaining, reserved, paid, wallets["refund"]
        if funded != sum(found):
            raise Violation(
                f"{campaign} was funded with {funded}, and (remaining, reserved, paid, refunded) is {found}"
            )
        return funded, *found

    def check_statements(self, world: World) -> None:
        """Each account's own verification finds nothing wrong. Raises Violation."""
        bind(ledger.LedgerItem, world.aws.ref(LEDGER))
        for account in self.amounts:
            if difference := ledger.verify(account):
                raise Violation(f"{account}: {difference}")
