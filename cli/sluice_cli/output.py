"""What is printed: tables and facts for people, the same with a terminal and without."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

NOTHING = "-"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)")
_OF_TIME = re.compile(r"(_at|At|_for|For|until|Until|since|hour|_time)$|^at$")
_MONEY = frozenset(
    (
        *("after", "amount", "balance", "budget", "clawed", "earnings", "funded", "max_per_participant", "paid"),
        *("pay", "promised", "refunded", "remaining", "reserved", "wallet"),
    )
)

_FIRST = ("id", "name", "title", "status")
_FINE_MONEY = frozenset(("budget", "cost", "price", "pricePerMessage", "reserved", "spent", "spentToday"))
"""Amounts of broadcasts, which are in 1/1,000,000 of the currency; beside them there is no exponent."""
_OTHERS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
EXPONENTS = {currency: exponent for exponent, group in _OTHERS.items() for currency in group.split()}
"""Decimal places of the currencies that have other than 2, for the answers that do not say."""


class Words:
    """How values are written: `utc` for moments in UTC instead of this machine's time zone."""

    def __init__(self, *, utc: bool) -> None:
        self._utc = utc

    def cell(self, value: object, key: str = "", around: dict[str, Any] | None = None) -> str:
        """One value in one line. `around` is the object that it is a part of, which may name a currency."""
        if value is None or value == [] or value == "":
            return NOTHING
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, int):
            money = self._money(value, key, around or {})
            return money or f"{value:,}"
        if isinstance(value, float):
            return f"{value:,.10g}"
        if isinstance(value, list):
            if all(isinstance(each, str | int) for each in value):
                return ", ".join(self.cell(each) for each in value)
            return f"{len(value):,}"
        if isinstance(value, dict):
            return ", ".join(f"{name} {self.cell(each, name)}" for name, each in value.items()) or NOTHING
        if _OF_TIME.search(key) and _MOMENT.fullmatch(str(value)):
            return self.moment(str(value))
        return visible(str(value))

    def moment(self, text: str) -> str:
        at = datetime.fromisoformat(text)
        return f"{at.astimezone(UTC if self._utc else None):%Y-%m-%d %H:%M:%S %Z}"

    def table(self, rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> list[str]:
        """Lines with aligned columns. A column is a key of the rows, `outer.inner` for a key inside, `key=heading`."""
        parted = [column.partition("=") for column in columns]
        headings = [label(heading or key.rpartition(".")[2]).upper() for key, _, heading in parted]
        values = [[_dig(row, key) for key, _, _ in parted] for row in rows]
        cells = [
            [self.cell(value, key.rpartition(".")[2], row) for value, (key, _, _) in zip(line, parted, strict=True)]
            for row, line in zip(rows, values, strict=True)
        ]
        is_number = [
            any(_is_number(line[at]) for line in values)
            and all(_is_number(line[at]) or line[at] is None for line in values)
            for at in range(len(parted))
        ]
        return aligned([headings, *cells], is_number)

    def facts(self, found: dict[str, Any], around: dict[str, Any] | None = None) -> list[str]:
        """A line for each value of an object and of the objects in it, but for those that are none; then its lists."""
        first = {key: found[key] for key in _FIRST if key in found}
        pairs, tables = self._pairs({**first, **found}, within_currency(around or {}, {}), "")
        width = max((len(name) for name, _ in pairs), default=0)
        lines = [f"{name:<{width}}  {value}" for name, value in pairs]
        for name, rows in tables:
            lines += [*[""] * bool(lines), f"{name}:", *rows]
        return lines

    def _pairs(
        self, found: dict[str, Any], around: dict[str, Any], within: str
    ) -> tuple[list[tuple[str, str]], list[tuple[str, list[str]]]]:
        pairs: list[tuple[str, str]] = []
        tables: list[tuple[str, list[str]]] = []
        around = within_currency(found, around)
        for key, value in found.items():
            name = label(f"{within} {key}".strip())
            if key == "exponent":
                continue  # the amounts are written by it
            if isinstance(value, dict) and value.keys() == {"amount", "currency", "shown"}:
                pairs.append((name, visible(value["shown"])))
            elif isinstance(value, dict) and value:
                inner_pairs, inner_tables = self._pairs(value, around, name)
                pairs += inner_pairs
                tables += inner_tables
            elif isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
                keys = list(dict.fromkeys(key for row in value for key in row))
                tables.append((name, self.table([{**around, **row} for row in value], keys)))
            elif isinstance(value, list) and any(" " in str(each) for each in value):
                pairs += [(name if at == 0 else "", self.cell(each)) for at, each in enumerate(value)]
            elif (told := self.cell(value, key, around)) != NOTHING:
                pairs.append((name, told))
        return pairs, tables

    def _money(self, value: int, key: str, around: dict[str, Any]) -> str:
        currency, exponent = around.get("currency"), around.get("exponent")
        if not isinstance(currency, str):
            return ""
        if isinstance(exponent, int) or key not in _FINE_MONEY:
            return money(value, currency, exponent) if key in _MONEY else ""
        return _fine_money(value, currency)


def within_currency(found: dict[str, Any], around: dict[str, Any]) -> dict[str, Any]:
    """The currency that the amounts inside an object are of."""
    return {**around, **{name: found[name] for name in ("currency", "exponent") if found.get(name) is not None}}


def money(amount: int, currency: str, exponent: int | None = None) -> str:
    """`3,300.00 USD`: an amount in minor units."""
    places = EXPONENTS.get(currency, 2) if exponent is None else exponent
    return f"{Decimal(amount).scaleb(-places):,.{places}f} {visible(currency)}"


def _fine_money(amount: int, currency: str) -> str:
    """`0.0625 USD`: an amount in 1/1,000,000, with no more digits than it has, but cents."""
    exact = Decimal(amount).scaleb(-6)
    places = max(2, -int(exact.normalize().as_tuple().exponent))
    return f"{exact:,.{places}f} {visible(currency)}"


def label(key: str) -> str:
    """`pendingCount` and `pending_count` as `pending count`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", visible(key)).replace("_", " ").lower()


def visible(text: str) -> str:
    """Without control characters: a name from the API must not move the cursor of a terminal."""
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)


def aligned(lines: Sequence[Sequence[str]], is_number: Sequence[bool]) -> list[str]:
    widths = [max(len(line[at]) for line in lines) for at in range(len(is_number))]
    return [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, is_number, strict=True)
        ).rstrip()
        for line in lines
    ]


def bar(done: int, total: int, *, ended: bool) -> str:
    """`40 %`, floored: 100 % only of what has ended."""
    percent = 100 if total <= 0 else done * 100 // total
    return f"{min(percent, 100 if ended else 99)} %"


def _dig(row: dict[str, Any], key: str) -> object:
    found: object = row
    for part in key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def counted(number: int, one: str, more: Iterable[str] = ()) -> str:
    """`1 boost`, `2 boosts`."""
    plural = next(iter(more), f"{one}s")
    return f"{number:,} {one if number == 1 else plural}"
