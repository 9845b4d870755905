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
        *("pay", "promised", "refunded", "remaining", "reserved"),
    )
)


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
        headings = [(heading or key.rpartition(".")[2]).replace("_", " ").upper() for key, _, heading in parted]
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

    def facts(self, found: dict[str, Any], around: dict[str, Any] | None = None, within: str = "") -> list[str]:
        """A line for each value of an object and of the objects in it; then a table for each list of objects."""
        pairs, tables = self._pairs(found, around or {}, within)
        width = max((len(name) for name, _ in pairs), default=0)
        lines = [f"{name:<{width}}  {value}" for name, value in pairs]
        for name, rows in tables:
            keys = list(dict.fromkeys(key for row in rows for key in row))
            lines += ["", f"{name}:", *self.table(rows, keys)]
        return lines

    def _pairs(
        self, found: dict[str, Any], around: dict[str, Any], within: str
    ) -> tuple[list[tuple[str, str]], list[tuple[str, list[dict[str, Any]]]]]:
        pairs: list[tuple[str, str]] = []
        tables: list[tuple[str, list[dict[str, Any]]]] = []
        around = {**around, **{name: found[name] for name in ("currency", "exponent") if found.get(name) is not None}}
        for key, value in found.items():
            name = label(f"{within} {key}".strip())
            if isinstance(value, dict) and value:
                inner_pairs, inner_tables = self._pairs(value, around, name)
                pairs += inner_pairs
                tables += inner_tables
            elif isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
                tables.append((name, value))
            else:
                pairs.append((name, self.cell(value, key, around)))
        return pairs, tables

    def _money(self, value: int, key: str, around: dict[str, Any]) -> str:
        exponent, currency = around.get("exponent"), around.get("currency")
        if key not in _MONEY or not isinstance(exponent, int) or not isinstance(currency, str):
            return ""
        return f"{Decimal(value).scaleb(-exponent):,.{exponent}f} {visible(currency)}"


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
