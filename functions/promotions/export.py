"""The statement of a promotion's money, and as CSV (RFC 4180)."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from heapq import merge

from sluice import exports, journal, ledger, money
from sluice.journal import Line


@dataclass(frozen=True)
class StatementPlace:
    """A place in a statement: after these lines of the promotion's two accounts."""

    budget: int
    reserved: int

    @property
    def is_line(self) -> bool:
        """Whether there may be such lines: a cursor may be forged."""
        return min(self.budget, self.reserved) >= 0 and max(self.budget, self.reserved) < 10**12


BEGIN = StatementPlace(0, 0)


def statement(
    promotion_id: str, limit: int, after: StatementPlace
) -> tuple[list[tuple[str, Line]], StatementPlace | None]:
    """At most `limit` lines of a promotion's accounts, oldest first, each with its account; and where it goes on."""
    budget, reserved = journal.budget(promotion_id), journal.reserved(promotion_id)
    numbers = {budget: after.budget, reserved: after.reserved}
    # Merged, and not sorted: the lines of one account stay in their order, whatever the clocks of their writers said.
    found = list(merge(*(_lines(account, limit, number) for account, number in numbers.items()), key=_at))
    page = found[:limit]
    numbers |= {account: line.number for account, line in page}
    return page, StatementPlace(numbers[budget], numbers[reserved]) if len(found) >= limit else None


def _lines(account: str, limit: int, after: int) -> list[tuple[str, Line]]:
    return [(account, line) for line in ledger.page(account, limit, after or None, newest_first=False)[0]]


def _at(line: tuple[str, Line]) -> str:
    return line[1].at


def statement_csv(lines: Iterable[tuple[str, Line]], currency: str, *, with_header: bool) -> str:
    """Lines as CSV: one of each movement, its amounts in minor units and for people."""
    columns = ("account", *(each.name for each in fields(Line)), "shown")
    rows = ([account, *vars(line).values(), money.shown(line.amount, currency)] for account, line in lines)
    return exports.text_of(columns, rows, with_header=with_header)
