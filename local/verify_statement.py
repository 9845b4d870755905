"""Check a statement offline: python verify_statement.py statement.json evidence.csv [evidence2.csv ...]

Python 3.11 or newer, without packages or network. `statement.json` is the answer of
`GET .../statement`, the CSV files are the pages of `GET .../statement/evidence` in their order. It prints
`OK 2000 impressions, 3300.00 USD, root 9f2c...`, or the first difference, and then exits with 1.
"""

import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, Context, Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

COLUMNS = ["viewer", "nonce", "issued_at", "accepted_at", "by", "voided"]
_VIEWER = re.compile(r"[0-9a-f]{32}(?:#(\d{4}-\d\d-\d\d))?")
_EXACT = Context(prec=60, rounding=ROUND_FLOOR)


class Differs(Exception):
    """Raised for the first thing that is not as the statement says."""


class Row(NamedTuple):
    """A line of the evidence, and where it stands."""

    place: str
    viewer: str
    nonce: str
    issued_at: str
    accepted_at: str
    by: str
    voided: str


def check(statement: dict[str, Any], files: Iterable[Path]) -> str:
    """The line that says what was checked. Raises Differs."""
    terms = _terms(statement)
    rows = list(_rows(files))
    _check_order(rows)
    counted = [row for row in rows if not row.voided]
    for row in counted:
        _check_row(row, terms)
    _equal("impressions", statement["impressions"], len(counted), "rows that are not voided")
    _equal("voided", statement["voided"], len(rows) - len(counted), "voided rows")
    root = _root([_leaf(statement["participation_id"], row) for row in counted]).hex()
    _equal("root", statement["root"], root, "the root of the rows")
    _check_pay(statement, terms, len(counted))
    granted = f" and {statement['granted']} granted" if statement["granted"] else ""
    return f"OK {len(counted)} impressions{granted}, {statement['pay']['shown']}, root {root}"


def _terms(statement: Mapping[str, Any]) -> dict[str, Any]:
    """The terms, which are those of the ledger's entry of the join."""
    terms: dict[str, Any] = statement["terms"]
    reserve, participation = statement["reserve"], statement["participation_id"]
    campaign, _, streamer = participation.partition(":")
    _equal("campaign_id", statement["campaign_id"], campaign, "the participation's")
    _equal("streamer", statement["streamer"], streamer, "the participation's")
    _check_entry("reserve", reserve)
    _equal("reserve.id", reserve["id"], f"rsv#{participation}", "that of the participation")
    _equal("terms.currency", terms["currency"], reserve["currency"], "the entry's")
    memo = {"rate": terms["rate"], "target": str(terms["target_impressions"])}
    memo |= {"hold_hours": str(terms["hold_hours"]), "at_end": terms["at_end"]}
    for name, value in memo.items():
        _equal(f"terms: {name}", value, reserve["memo"].get(name), "the entry's")
    _equal("terms.pay", terms["pay"]["amount"], _earned(terms, terms["target_impressions"]), "floor(rate x target)")
    legs = {f"budget#{campaign}": -terms["pay"]["amount"], f"reserved#{campaign}": terms["pay"]["amount"]}
    _equal("reserve.legs", _legs(reserve), legs, "what was set aside")
    return terms


def _rows(files: Iterable[Path]) -> Iterator[Row]:
    """The lines of all files. The first file begins with the names of the columns."""
    for number, path in enumerate(files):
        with path.open(newline="", encoding="utf-8") as text:
            lines = csv.reader(text)
            if number == 0 and next(lines, None) != COLUMNS:
                raise Differs(f"{path.name}: line 1: the columns are not {','.join(COLUMNS)}")
            for line in lines:
                place = f"{path.name}: line {lines.line_num}"
                if len(line) != len(COLUMNS):
                    raise Differs(f"{place}: {len(line)} columns, not {len(COLUMNS)}")
                yield Row(place, *line)


def _check_order(rows: Iterable[Row]) -> None:
    """Each viewer (with a day, where it counts once a day) has one row, and they are in order."""
    before = ""
    for row in rows:
        if row.viewer == before:
            raise Differs(f"{row.place}: viewer {row.viewer} is counted twice")
        if row.viewer < before:
            raise Differs(f"{row.place}: viewer {row.viewer} is out of order")
        before = row.viewer


def _check_row(row: Row, terms: Mapping[str, Any]) -> None:
    """The viewer has the form that the terms ask for, and the token was used in its time."""
    form = _VIEWER.fullmatch(row.viewer)
    if form is None or (form[1] is not None) != (terms["viewer_period"] == "day"):
        raise Differs(f"{row.place}: {row.viewer} is no viewer of the period {terms['viewer_period']}")
    try:
        issued, accepted = (datetime.fromisoformat(text) for text in (row.issued_at, row.accepted_at))
        age = accepted - issued
        # In the platform's time zone, which is at most 14 hours from UTC.
        is_of_day = form[1] is None or abs(date.fromisoformat(form[1]) - issued.date()) <= timedelta(days=1)
    except (ValueError, TypeError):
        raise Differs(f"{row.place}: issued_at and accepted_at are no times") from None
    if not is_of_day:
        raise Differs(f"{row.place}: the token was not issued on {form[1]}")
    if not timedelta(seconds=terms["min_seconds"]) <= age <= timedelta(seconds=terms["token_seconds"]):
        allowed = f"{terms['min_seconds']} to {terms['token_seconds']} s"
        raise Differs(f"{row.place}: accepted {age.total_seconds():g} s after the token was issued, not {allowed}")


def _check_pay(statement: Mapping[str, Any], terms: Mapping[str, Any], counted: int) -> None:
    """The pay is what rows and grants earn, and the ledger's entry moved exactly that."""
    total, status, currency = counted + statement["granted"], statement["status"], terms["currency"]
    granted = sum(each["delta"] for each in statement["adjustments"] if each["state"] == "granted")
    _equal("granted", statement["granted"], granted, "what the approved adjustments grant")
    is_complete = total >= terms["target_impressions"]
    _equal("overshoot", statement["overshoot"], max(0, total - terms["target_impressions"]), "what is above the target")
    if status in ("completed", "expired"):
        _equal("status", status, "completed" if is_complete else "expired", "what the rows come to")
    is_paid = is_complete or (statement["why"] == "end" and terms["at_end"] == "pro_rata")
    pay = _earned(terms, total) if is_paid and status != "rejected" else 0
    _equal("pay", statement["pay"]["amount"], pay, f"{terms['rate']} x min({total}, {terms['target_impressions']})")
    _equal("pay", statement["pay"]["currency"], currency, "the terms' currency")
    _equal("pay", statement["pay"]["shown"], _shown(pay, currency, terms["exponent"]), "its amount")
    if status == "held":
        _equal("entry", statement["entry"], None, "nothing until the hold is over")
    else:
        _check_paid(statement, terms["pay"]["amount"], pay)


def _check_paid(statement: Mapping[str, Any], set_aside: int, pay: int) -> None:
    """The entry moved what was set aside: the pay to the streamer's wallet, and the rest back to the budget."""
    entry, campaign = statement["entry"] or {}, statement["campaign_id"]
    wanted = f"{'pay' if pay else 'rel'}#{statement['participation_id']}"
    _equal("entry.id", entry.get("id"), wanted, "that of the participation")
    _equal("entry_id", statement["entry_id"], wanted, "the entry's")
    _check_entry("entry", entry)
    _equal("entry.currency", entry["currency"], statement["terms"]["currency"], "the terms' currency")
    wallet = f"wallet#{entry['currency']}#{statement['streamer']}"
    legs = {f"reserved#{campaign}": -set_aside, wallet: pay, f"budget#{campaign}": set_aside - pay}
    _equal("entry.legs", _legs(entry), {account: amount for account, amount in legs.items() if amount}, "the pay")


def _check_entry(name: str, entry: Mapping[str, Any]) -> None:
    """Its hash is that of everything else in it."""
    content = {field: value for field, value in entry.items() if field != "hash"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    _equal(f"{name}.hash", entry["hash"], sha256(text.encode()).hexdigest(), "the hash of the entry")


def _legs(entry: Mapping[str, Any]) -> dict[str, int]:
    return {leg["account"]: leg["amount"] for leg in entry["legs"]}


def _earned(terms: Mapping[str, Any], impressions: int) -> int:
    """floor(rate x 10^exponent x min(impressions, target)), in minor units."""
    number = Decimal(min(impressions, terms["target_impressions"])).scaleb(terms["exponent"])
    return int(_EXACT.multiply(Decimal(terms["rate"]), number).to_integral_value(ROUND_FLOOR))


def _shown(amount: int, currency: str, exponent: int) -> str:
    return f"{Decimal(amount).scaleb(-exponent):.{exponent}f} {currency}"


def _leaf(participation: str, row: Row) -> bytes:
    text = "|".join((participation, row.viewer, row.nonce, row.issued_at, row.accepted_at))
    return sha256(b"\x00" + text.encode()).digest()


def _root(level: list[bytes]) -> bytes:
    """The root of the Merkle tree of RFC 6962 over hashed leaves: an odd last node is promoted."""
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [sha256(b"\x01" + left + right).digest() for left, right in pairs] + level[len(level) // 2 * 2 :]
    return level[0] if level else sha256(b"").digest()


def _equal(name: str, stated: object, found: object, what: str) -> None:
    if stated != found:
        raise Differs(f"statement: {name} is {stated}, but {what}: {found}")


def main(arguments: list[str]) -> int:
    """The exit code: 0 if all is as the statement says, 1 if not, 2 for what cannot be read."""
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    statement, *evidence = map(Path, arguments)
    try:
        print(check(json.loads(statement.read_text(encoding="utf-8")), evidence))
    except Differs as difference:
        print(difference)
        return 1
    except KeyError as missing:
        print(f"statement: {missing} is missing")
        return 1
    except (OSError, ValueError) as error:
        print(f"not readable: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
