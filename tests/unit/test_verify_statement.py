"""A statement is checked offline by `local/verify_statement.py`, run as anyone would: without packages."""

import ast
import csv
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from sluice import exports, money
from sluice.clock import rfc3339
from sluice.paying import entry_of
from sponsorships import earnings, impressions, merkle, participation, rows
from sponsorships.campaign import AtEnd
from sponsorships.export import COLUMNS
from sponsorships.impressions import Impression, ImpressionKeys, Row, ViewerPeriod
from sponsorships.participation import Count, Offer, ParticipationStatus, Why
from sponsorships.schemas import StatementResource
from sponsorships.shown import Shown
from tests.factories import NOON, a_participation, a_sponsorship
from tests.template_reader import ROOT

PROGRAM = ROOT / "local" / "verify_statement.py"
KEYS = ImpressionKeys("k1", {"k1": "x" * 64})
VIEWER, NONCE, ISSUED, ACCEPTED, BY, VOIDED = range(6)

type Line = list[str]


@dataclass
class Papers:
    """A statement and its evidence, as they were downloaded."""

    statement: dict[str, Any]
    lines: list[Line]

    def written(self, folder: Path, *, pages: int = 1) -> list[Path]:
        """The files, the evidence in so many pages."""
        statement = folder / "statement.json"
        statement.write_text(json.dumps(self.statement))
        size = -(-len(self.lines) // pages) or 1
        files = [folder / f"evidence{page}.csv" for page in range(pages)]
        for page, file in enumerate(files):
            text = exports.text_of(COLUMNS, self.lines[page * size :][:size], with_header=page == 0)
            file.write_text(text, newline="")
        return [statement, *files]


def some_rows(found_id: str, number: int, *, period: ViewerPeriod = ViewerPeriod.CAMPAIGN) -> list[Row]:
    """Rows of so many viewers, in order, as recording writes them."""
    day = NOON.date().isoformat() if period is ViewerPeriod.DAY else ""
    viewers = sorted(sha256(str(each).encode()).hexdigest()[:32] for each in range(number))
    issued, accepted = rfc3339(NOON), rfc3339(NOON + timedelta(seconds=5))
    seen = (
        Impression(found_id, viewer, impressions.row_part(viewer, day), f"{at:016x}", issued, "k1", "viewer")
        for at, viewer in enumerate(viewers)
    )
    return [impressions.row(KEYS, each, accepted) for each in seen]


def some_papers(
    number: int = 20,
    *,
    target: int = 20,
    rate: str = "1.65",
    currency: str = "USD",
    voided: int = 0,
    granted: int = 0,
    why: Why = Why.TARGET,
    at_end: AtEnd = AtEnd.NOTHING,
    hold_hours: int = 0,
    period: ViewerPeriod = ViewerPeriod.CAMPAIGN,
) -> Papers:
    """What the product says of a participation with so many rows that count, and `voided` others before them."""
    exponent = money.exponent(currency)
    pay = earnings.pay(rate, exponent, target, target)
    campaign = a_sponsorship(
        target_impressions=target,
        rate=rate,
        currency=currency,
        pay=pay,
        at_end=at_end,
        viewer_period=period,
        hold_hours=hold_hours,
    )
    offer = Offer.of(campaign)
    joining = a_participation(campaign_id=campaign.id)
    reserve = entry_of(participation.join(campaign, joining, offer, NOON, "nina"), 1)
    assert reserve

    found = some_rows(joining.id, voided + number, period=period)
    root = merkle.root(rows.leaf(joining.id, row) for row in found[voided:]).hex()
    count = Count(number, voided, 0, root)
    settling = a_participation(
        id=joining.id, campaign_id=campaign.id, status=ParticipationStatus.SETTLING, why=why, granted=granted
    )
    change = participation.decide(settling, offer, count, NOON, 0, date.min)
    assert change.statement
    shown = Shown(campaign, change.after, offer, change.statement, reserve, entry_of(change, 1), {}, {}, [])

    lines = [
        [row.part, row.nonce, row.issued_at, row.accepted_at, row.by, "fraud" if at < voided else ""]
        for at, row in enumerate(found)
    ]
    return Papers(json.loads(StatementResource.of(shown).model_dump_json()), lines)


def run(*files: Path) -> tuple[int, str]:
    """The exit code, and what was printed. Isolated: nothing but the standard library can be imported."""
    found = subprocess.run([sys.executable, "-I", "-S", PROGRAM, *files], capture_output=True, text=True, check=False)
    return found.returncode, found.stdout.strip() or found.stderr.strip()


def test_the_program_needs_no_package_and_no_network() -> None:
    tree = ast.parse(PROGRAM.read_text())

    names = {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported = {name.partition(".")[0] for name in names}

    assert imported <= sys.stdlib_module_names
    assert not imported & {
        "asyncio",
        "ftplib",
        "http",
        "importlib",
        "os",
        "smtplib",
        "socket",
        "ssl",
        "subprocess",
        "urllib",
    }


def test_2000_impressions_at_165_are_3300_dollars(tmp_path: Path) -> None:
    papers = some_papers(2000, target=2000)

    code, printed = run(*papers.written(tmp_path))

    assert (code, printed) == (0, f"OK 2000 impressions, 3300.00 USD, root {papers.statement['root']}")


def test_the_pages_of_the_evidence_are_checked_as_one(tmp_path: Path) -> None:
    code, printed = run(*some_papers().written(tmp_path, pages=3))

    assert code == 0
    assert printed.startswith("OK 20 impressions, 33.00 USD")


@pytest.mark.parametrize(
    ("papers", "line"),
    [
        (some_papers(25), "OK 25 impressions, 33.00 USD"),
        (some_papers(voided=3), "OK 20 impressions, 33.00 USD"),
        (some_papers(hold_hours=24), "OK 20 impressions, 33.00 USD"),
        (some_papers(period=ViewerPeriod.DAY), "OK 20 impressions, 33.00 USD"),
        (some_papers(19, why=Why.END), "OK 19 impressions, 0.00 USD"),
        (some_papers(19, why=Why.END, at_end=AtEnd.PRO_RATA), "OK 19 impressions, 31.35 USD"),
        (some_papers(19, why=Why.LEFT, at_end=AtEnd.PRO_RATA), "OK 19 impressions, 0.00 USD"),
        (some_papers(0, why=Why.END, at_end=AtEnd.PRO_RATA), "OK 0 impressions, 0.00 USD"),
        # The sums and products that a float gets wrong (Chinmayamission/CFF #77).
        (some_papers(3, target=3, rate="0.1"), "OK 3 impressions, 0.30 USD"),
        (some_papers(100, target=100, rate="1.15"), "OK 100 impressions, 115.00 USD"),
        (some_papers(2000, target=2000, rate="0.00165"), "OK 2000 impressions, 3.30 USD"),
        (some_papers(3, target=3, rate="0.333333"), "OK 3 impressions, 0.99 USD"),
        (some_papers(3, target=3, rate="1.65", currency="JPY"), "OK 3 impressions, 4 JPY"),
        (some_papers(7, target=7, rate="0.0015", currency="KWD"), "OK 7 impressions, 0.010 KWD"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_outcome_of_a_participation_checks(tmp_path: Path, papers: Papers, line: str) -> None:
    code, printed = run(*papers.written(tmp_path))

    assert (code, printed) == (0, f"{line}, root {papers.statement['root']}")


def test_impressions_that_two_people_granted_are_named_beside_the_rows(tmp_path: Path) -> None:
    papers = some_papers(15, granted=5)
    papers.statement["adjustments"] = [{"number": 3, "delta": 5, "state": "granted"}]

    code, printed = run(*papers.written(tmp_path))

    assert code == 0
    assert printed.startswith("OK 15 impressions and 5 granted, 33.00 USD")


def in_line(at: int, column: int, value: str) -> Callable[[Papers], None]:
    def edit(papers: Papers) -> None:
        papers.lines[at][column] = value

    return edit


def added(papers: Papers) -> None:
    papers.lines.append(["f" * 32, *papers.lines[-1][1:]])


def added_as_voided(papers: Papers) -> None:
    papers.lines.append(["f" * 32, *papers.lines[-1][1:5], "fraud"])


def removed(papers: Papers) -> None:
    del papers.lines[3]


def reordered(papers: Papers) -> None:
    papers.lines[3], papers.lines[4] = papers.lines[4], papers.lines[3]


def doubled(papers: Papers) -> None:
    papers.lines.insert(4, list(papers.lines[3]))


def counted_again_by_a_day(papers: Papers) -> None:
    viewer, *rest = papers.lines[-1]
    papers.lines.append([f"{viewer}#2026-11-21", *rest])


def replaced(papers: Papers) -> None:
    """As many rows, and another viewer."""
    papers.lines[-1][VIEWER] = "f" * 32


def short(papers: Papers) -> None:
    papers.lines[5].pop()


@pytest.mark.parametrize(
    ("tamper", "printed"),
    [
        (in_line(3, NONCE, "f" * 16), "statement: root is "),
        (in_line(3, ISSUED, rfc3339(NOON - timedelta(seconds=1))), "statement: root is "),
        (in_line(3, ACCEPTED, rfc3339(NOON + timedelta(seconds=6))), "statement: root is "),
        (in_line(3, ACCEPTED, rfc3339(NOON + timedelta(seconds=4))), "evidence0.csv: line 5: accepted 4 s after"),
        (in_line(3, ACCEPTED, rfc3339(NOON + timedelta(seconds=601))), "evidence0.csv: line 5: accepted 601 s after"),
        (in_line(3, ISSUED, "yesterday"), "evidence0.csv: line 5: issued_at and accepted_at are no times"),
        (in_line(3, ISSUED, "2026-11-20"), "evidence0.csv: line 5: issued_at and accepted_at are no times"),
        (in_line(3, VOIDED, "fraud"), "statement: impressions is 20, but rows that are not voided: 19"),
        (in_line(0, VIEWER, "ada"), "evidence0.csv: line 3: viewer "),
        (in_line(19, VIEWER, "zada"), "evidence0.csv: line 21: zada is no viewer of the period campaign"),
        (replaced, "statement: root is "),
        (added, "statement: impressions is 20, but rows that are not voided: 21"),
        (added_as_voided, "statement: voided is 0, but voided rows: 1"),
        (removed, "statement: impressions is 20, but rows that are not voided: 19"),
        (reordered, "evidence0.csv: line 6: viewer "),
        (doubled, "evidence0.csv: line 6: viewer "),
        (counted_again_by_a_day, "evidence0.csv: line 22: "),
        (short, "evidence0.csv: line 7: 5 columns, not 6"),
    ],
)
def test_tampered_evidence_is_found(tmp_path: Path, tamper: Callable[[Papers], None], printed: str) -> None:
    papers = some_papers()

    tamper(papers)

    code, found = run(*papers.written(tmp_path))
    assert code == 1
    assert found.startswith(printed)


def at(*path: str | int) -> Callable[[Any, Any], None]:
    """Sets a value somewhere in a statement."""

    def edit(statement: Any, value: Any) -> None:
        *way, last = path
        for name in way:
            statement = statement[name]
        statement[last] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "value", "printed"),
    [
        (at("root"), "0" * 64, "statement: root is "),
        (at("impressions"), 21, "statement: impressions is 21"),
        (at("granted"), 1, "statement: granted is 1"),
        (at("overshoot"), 1, "statement: overshoot is 1"),
        (at("pay", "amount"), 3301, "statement: pay is 3301, but 1.65 x min(20, 20): 3300"),
        (at("pay", "shown"), "33.01 USD", "statement: pay is 33.01 USD, but its amount: 33.00 USD"),
        (at("pay", "currency"), "EUR", "statement: pay is EUR"),
        (at("status"), "expired", "statement: status is expired"),
        (at("status"), "held", "statement: entry is "),
        (at("status"), "rejected", "statement: pay is 3300"),
        (at("streamer"), "otto", "statement: streamer is otto"),
        (at("campaign_id"), "spn_other", "statement: campaign_id is spn_other"),
        (at("terms", "rate"), "1.66", "statement: terms: rate is 1.66"),
        (at("terms", "target_impressions"), 19, "statement: terms: target is 19"),
        (at("terms", "exponent"), 3, "statement: terms.pay is 3300"),
        (at("terms", "at_end"), "pro_rata", "statement: terms: at_end is pro_rata"),
        (at("terms", "pay", "amount"), 3301, "statement: terms.pay is 3301"),
        (at("entry", "legs", 1, "amount"), 3301, "statement: entry.hash is "),
        (at("entry", "legs", 1, "account"), "wallet#USD#otto", "statement: entry.hash is "),
        (at("entry", "at"), "2026-11-21T12:00:00.000000Z", "statement: entry.hash is "),
        (at("entry", "hash"), "0" * 64, "statement: entry.hash is "),
        (at("entry", "id"), "pay#other", "statement: entry.id is pay#other"),
        (at("entry_id"), "pay#other", "statement: entry_id is pay#other"),
        (at("entry"), None, "statement: entry.id is None"),
        (at("reserve", "memo", "rate"), "1.66", "statement: reserve.hash is "),
        (at("reserve", "legs", 1, "amount"), 1, "statement: reserve.hash is "),
    ],
)
def test_an_edited_statement_is_found(
    tmp_path: Path, edit: Callable[[Any, Any], None], value: object, printed: str
) -> None:
    papers = some_papers()

    edit(papers.statement, value)

    code, found = run(*papers.written(tmp_path))
    assert code == 1
    assert found.startswith(printed)


@pytest.mark.parametrize("name", ["entry", "reserve"])
def test_an_entry_with_other_money_and_a_hash_to_match_is_found(tmp_path: Path, name: str) -> None:
    papers = some_papers()
    entry = papers.statement[name]
    entry["legs"] = [leg | {"amount": leg["amount"] * 2} for leg in entry["legs"]]
    content = {field: value for field, value in entry.items() if field != "hash"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    entry["hash"] = sha256(text.encode()).hexdigest()

    code, found = run(*papers.written(tmp_path))

    assert code == 1
    assert found.startswith(f"statement: {name}.legs is ")


@pytest.mark.parametrize("name", ["root", "terms", "reserve", "pay"])
def test_a_statement_without_a_part_is_found(tmp_path: Path, name: str) -> None:
    papers = some_papers()
    del papers.statement[name]

    assert run(*papers.written(tmp_path)) == (1, f"statement: '{name}' is missing")


def test_evidence_with_other_columns_is_found(tmp_path: Path) -> None:
    statement, evidence = some_papers().written(tmp_path)
    header, *lines = csv.reader(evidence.read_text().splitlines())
    evidence.write_text(exports.text_of(header[::-1], lines, with_header=True))

    code, printed = run(statement, evidence)

    assert (code, printed) == (1, f"evidence0.csv: line 1: the columns are not {','.join(COLUMNS)}")


def test_files_that_cannot_be_read_are_no_difference(tmp_path: Path) -> None:
    statement, evidence = some_papers().written(tmp_path)
    other = tmp_path / "other.json"
    other.write_text("no JSON")

    assert [run(statement)[0], run(statement, tmp_path / "missing.csv")[0], run(other, evidence)[0]] == [2, 2, 2]
