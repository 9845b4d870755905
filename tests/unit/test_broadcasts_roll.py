"""Lists of recipients: who is on them once, and which rows are wrong."""

import tracemalloc
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts import regions
from broadcasts.campaign import TemplateText, Text
from broadcasts.recipients import CleanRow
from broadcasts.roll import MOST_BYTES, Entry, Fault, Plans, Roll, line_of, row_of
from broadcasts.row import RowKey
from broadcasts.zones import Zones

KEY = b"k" * 32
PHONE = "5511987654321"
HELLO = Text(1, "Hello {{name|friend}}")


class NoPlans:
    """No country is known."""

    def zones_of(self, phone: str, /) -> Zones:
        return ()

    def warning_of(self, phone: str, /) -> str | None:
        return None


def a_roll(text: Text | None = HELLO, owner: str = "ada", plans: Plans = regions) -> Roll:
    return Roll(owner, KEY, text, "Europe/Lisbon", plans)


def an_entry(phone: str = PHONE, line: int = 1, zone: str | None = None, **variables: str) -> Entry:
    return Entry(line, phone, variables, zone)


def codes(taken: CleanRow | tuple[Fault, ...] | None) -> list[tuple[str, str]]:
    assert isinstance(taken, tuple)
    return [(each.field, each.code) for each in taken]


@pytest.mark.parametrize(("first", "second"), [(PHONE, PHONE), (PHONE, "551187654321"), ("551187654321", PHONE)])
def test_a_person_is_on_a_list_once(first: str, second: str) -> None:
    roll = a_roll()

    taken = roll.take(an_entry(first))

    assert isinstance(taken, CleanRow)
    assert taken.phone == first
    assert roll.take(an_entry(second, 2)) is None
    assert (roll.rows, roll.accepted, roll.duplicates) == (2, 1, 1)


def test_zeros_in_front_make_another_phone() -> None:
    roll = a_roll(plans=NoPlans())

    assert isinstance(roll.take(an_entry("1234567890")), CleanRow)
    assert isinstance(roll.take(an_entry("01234567890")), CleanRow)


def test_a_rejected_row_does_not_stand_in_the_way_of_the_person() -> None:
    roll = a_roll(Text(1, "Hello {{name}}"))

    assert codes(roll.take(an_entry())) == [("variables.name", "variable_missing")]
    assert isinstance(roll.take(an_entry(line=2, name="Ana")), CleanRow)


def test_a_contact_is_a_person_among_an_owners() -> None:
    found = [a_roll().contact(an_entry(PHONE)), a_roll().contact(an_entry("551187654321"))]

    assert found[0] == found[1]
    assert found[0] != a_roll(owner="bob").contact(an_entry(PHONE))
    assert PHONE not in found[0]


@pytest.mark.parametrize("phone", ["123456789", "1234567890123456", "+5511987654321", "55119876x4321", ""])
def test_a_phone_has_10_to_15_digits(phone: str) -> None:
    """S5-6, S5-43."""
    assert codes(a_roll().take(an_entry(phone))) == [("phone", "phone_length")]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"name": "a\x00b"}, ("variables.name", "control_character")),
        ({"name": "a\udcffb"}, ("variables.name", "not_utf8")),
        ({"name": "a\ud83d"}, ("variables.name", "not_utf8")),
        ({"Name": "a"}, ("variables", "variable_name")),
        ({"name": "x" * MOST_BYTES}, ("variables", "variables_too_large")),
    ],
)
def test_variables_are_small_readable_texts(variables: dict[str, str], expected: tuple[str, str]) -> None:
    assert codes(a_roll().take(Entry(1, PHONE, variables))) == [expected]


def test_the_size_of_variables_is_that_of_their_bytes() -> None:
    most = MOST_BYTES - len('{"name":""}')

    assert isinstance(a_roll().take(an_entry(name="é" * (most // 2))), CleanRow)
    assert codes(a_roll().take(an_entry(name="é" * (most // 2 + 1)))) == [("variables", "variables_too_large")]


def test_line_breaks_and_tabs_may_be_in_a_variable() -> None:
    assert isinstance(a_roll().take(an_entry(name="Ana\nMaria\t\u2028")), CleanRow)


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        (Text(1, "{{name}} of {{company}}"), {"name": " "}, ["variables.name", "variables.company"]),
        (Text(1, "x" * 4090 + "{{name}}"), {"name": "1234567"}, ["variables"]),
        (
            Text(1, "{{name}}", TemplateText("t", "pt", "MARKETING", ("{{code}}",), ("{{name}}", "{{day}}"))),
            {"name": "Ana"},
            ["variables.code", "variables.day"],
        ),
    ],
)
def test_a_row_that_its_text_cannot_be_made_for_is_named_by_its_fields(
    text: Text, variables: Mapping[str, str], expected: list[str]
) -> None:
    """S5-43."""
    taken = a_roll(text).take(Entry(7, PHONE, variables))

    assert isinstance(taken, tuple)
    assert [each.field for each in taken] == expected
    assert {each.line for each in taken} == {7}
    assert isinstance(a_roll(None).take(Entry(7, PHONE, variables)), CleanRow)


def test_rows_lie_in_lanes_of_their_zones() -> None:
    roll = a_roll()
    phones = ["5511987654321", "5592987654321", "5511912345678", "351912345678", "5511911111111"]

    zones = [None, None, None, None, "America/Manaus"]
    rows = [roll.take(an_entry(phone, at, zone)) for at, (phone, zone) in enumerate(zip(phones, zones, strict=True), 1)]

    assert [(row.lane, row.number) for row in rows if isinstance(row, CleanRow)] == [
        (0, 0),
        (1, 0),
        (0, 1),
        (2, 0),
        (1, 1),
    ]
    assert [(lane.zones, lane.rows) for lane in roll.lanes()][:2] == [
        (("America/Sao_Paulo",), 2),
        (("America/Manaus",), 2),
    ]


def test_whose_zone_nobody_knows_has_the_campaigns() -> None:
    roll = a_roll(plans=NoPlans())
    roll.take(an_entry())

    assert [lane.zones for lane in roll.lanes()] == [("Europe/Lisbon",)]


def test_a_zone_that_does_not_exist_is_a_fault() -> None:
    assert codes(a_roll().take(an_entry(zone="Brazil/Nowhere"))) == [("time_zone", "time_zone_unknown")]


def test_a_phone_that_no_plan_has_is_doubtful_and_stays() -> None:
    roll = a_roll()

    row = roll.take(an_entry("99999999999"))

    assert isinstance(row, CleanRow)
    assert (found := roll.warning(row)) is not None
    assert "99999999999" not in found.message
    assert roll.warning(a_clean_row(roll)) is None


def a_clean_row(roll: Roll, **values: Any) -> CleanRow:
    row = roll.take(an_entry(**values))
    assert isinstance(row, CleanRow)
    return row


def test_a_text_is_rendered_as_it_will_be_sent() -> None:
    roll = a_roll()

    assert roll.rendered(a_clean_row(roll, name="Ana")) == "Hello Ana"
    assert roll.rendered(a_clean_row(roll, phone="5511912345678")) == "Hello friend"


@given(
    st.text("0123456789", min_size=10, max_size=15),
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True),
        st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), max_size=20),
        max_size=3,
    ),
)
def test_a_clean_row_is_read_as_it_was_written(phone: str, variables: dict[str, str]) -> None:
    clean = a_roll(None, plans=NoPlans()).take(Entry(3, phone, variables))
    assert isinstance(clean, CleanRow)

    line = line_of(clean)
    row = row_of(line, "brd_x", 2)

    assert "\n" not in line
    assert (row.campaign_id, row.key, row.line) == ("brd_x", RowKey(2, 0, 0), 3)
    assert (row.phone, row.contact, row.variables) == (phone, clean.contact, variables)


@given(st.lists(st.tuples(st.text("0123456789x", min_size=8, max_size=12), st.sampled_from(["", "Ana"])), max_size=20))
def test_every_row_is_accepted_rejected_or_a_duplicate(rows: list[tuple[str, str]]) -> None:
    roll = a_roll(Text(1, "{{name}}"), plans=NoPlans())

    taken = [roll.take(an_entry(phone, line, name=name)) for line, (phone, name) in enumerate(rows, 1)]

    assert roll.rows == len(rows)
    assert roll.accepted == sum(isinstance(each, CleanRow) for each in taken)
    assert roll.rejected == sum(isinstance(each, tuple) for each in taken)
    assert roll.duplicates == sum(each is None for each in taken)
    assert sum(lane.rows for lane in roll.lanes()) == roll.accepted


def test_a_person_takes_at_most_100_bytes_of_memory() -> None:
    rows = 10_000
    roll = a_roll(None, plans=NoPlans())
    tracemalloc.start()
    try:
        for number in range(rows):
            roll.take(Entry(number, str(5511900000000 + number), {}))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert roll.accepted == rows
    assert peak / rows < 100
