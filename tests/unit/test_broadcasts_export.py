"""The report of a campaign as CSV."""

import csv
from io import StringIO
from typing import Any

from broadcasts.export import COLUMNS, Part, decimal, report
from broadcasts.lanes import Lane
from broadcasts.row import Attempt, Evidence, Failure, Row, RowKey, Work
from broadcasts.selection import RowPlace
from tests.factories import NOON, a_broadcast, a_recipient

ZONES = ("America/Sao_Paulo",)


def rows_in(*lanes: int, **changes: Any) -> dict[int, list[Row]]:
    """So many rows in each lane."""
    return {
        lane: [a_recipient(number, key=RowKey(1, lane, number), **changes) for number in range(count)]
        for lane, count in enumerate(lanes)
    }


def part_of(rows: dict[int, list[Row]], after: RowPlace | None = None, **more: Any) -> Part:
    lanes = tuple(Lane(lane, ZONES, len(some)) for lane, some in rows.items())
    campaign = a_broadcast(lanes=lanes)
    # Two rows a read, as chunks end in the middle of a lane.
    return report(campaign, lambda lane, number: rows[lane][number : number + 2], after, **more)


def lines_of(part: Part) -> list[list[str]]:
    return list(csv.reader(StringIO(part.text)))


def test_a_report_has_all_rows_of_all_lanes() -> None:
    part = part_of(rows_in(3, 2))

    header, *lines = lines_of(part)
    assert header == list(COLUMNS)
    assert [line[0] for line in lines] == ["1", "2", "3", "1", "2"]
    assert part.following is None


def test_a_row_says_what_became_of_it() -> None:
    failure = Failure("131026", "no WhatsApp, sorry")
    sent = {"attempt": "a2", "sent_at": NOON, "history": (Attempt("a1", NOON, "timeout"),), "price": 62_500}
    row = a_recipient(evidence=Evidence.FAILED, error=failure, failed_at=NOON, message_id="m1", **sent)

    (_, line) = lines_of(part_of({0: [row]}))

    found = dict(zip(COLUMNS, line, strict=True))
    assert (found["status"], found["error_code"], found["error"]) == ("FAILED", "131026", "no WhatsApp, sorry")
    assert (found["attempts"], found["price"], found["currency"], found["message_id"]) == ("2", "0.0625", "USD", "m1")
    assert (found["sent_at"], found["delivered_at"]) == ("2026-11-20T12:00:00.000000Z", "")


def test_formulas_are_text() -> None:
    row = a_recipient(work=Work.FAILED, error=Failure("=1+1", "@SUM(A1)"), message_id="-2")

    (_, line) = lines_of(part_of({0: [row]}))

    found = dict(zip(COLUMNS, line, strict=True))
    assert (found["error_code"], found["error"], found["message_id"]) == ("'=1+1", "'@SUM(A1)", "'-2")


def test_parts_follow_each_other_without_a_gap() -> None:
    rows = rows_in(3, 0, 4)
    parts = [part_of(rows, most_rows=2)]
    while parts[-1].following:
        parts.append(part_of(rows, parts[-1].following, most_rows=2))

    assert [len(lines_of(each)) for each in parts] == [3, 2, 2, 1]
    assert "".join(each.text for each in parts) == part_of(rows).text


def test_a_part_ends_before_it_is_too_large() -> None:
    rows = rows_in(4)
    size = len(part_of(rows).text.encode())

    part = part_of(rows, most_bytes=size // 2)

    assert 0 < len(lines_of(part)) - 1 < 4
    assert part.following == RowPlace(1, 0, len(lines_of(part)) - 1)


def test_a_row_that_is_too_large_alone_is_a_part() -> None:
    part = part_of(rows_in(2), most_bytes=1)

    assert len(lines_of(part)) == 2
    assert part.following == RowPlace(1, 0, 1)


def test_a_place_of_another_list_begins_anew() -> None:
    part = part_of(rows_in(3), RowPlace(7, 0, 2))

    assert len(lines_of(part)) == 3


def test_rows_that_are_not_stored_yet_are_left_out() -> None:
    campaign = a_broadcast(lanes=(Lane(0, ZONES, 5),))

    part = report(campaign, lambda lane, number: rows_in(2)[0][number:], None)

    assert len(lines_of(part)) == 3
    assert part.following is None


def test_money_is_shown_without_needless_zeros() -> None:
    assert [decimal(each) for each in (62_500, 1_000_000, 1, 10_000_000)] == ["0.0625", "1", "0.000001", "10"]
