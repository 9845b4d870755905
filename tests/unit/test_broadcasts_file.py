"""Files of recipients, as spreadsheets write them."""

import csv
import io
from collections.abc import Sequence
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts.csv_file import LONGEST, Options, Rejected, entries
from broadcasts.roll import Entry
from sluice.errors import Invalid

PHONE = "5511987654321"
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=20)
DIGITS = st.text("0123456789", min_size=10, max_size=15)


def read(content: str | bytes, **options: object) -> list[Entry | Rejected]:
    encoded = content.encode() if isinstance(content, str) else content
    return list(entries(io.BytesIO(encoded), Options(**options)))  # type: ignore[arg-type]


def rejected(content: str | bytes, **options: object) -> list[tuple[int, str, str]]:
    """The faults of the rejected rows: line, field and code."""
    return [
        (fault.line, fault.field, fault.code)
        for each in read(content, **options)
        if isinstance(each, Rejected)
        for fault in each.faults
    ]


def refusal(content: str | bytes, **options: object) -> tuple[str, str]:
    """The field and the code by which the file as a whole is refused."""
    with pytest.raises(Invalid) as caught:
        read(content, **options)
    return caught.value.errors[0].field, caught.value.code


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_file_of_any_spreadsheet_is_read(delimiter: str, end: str, mark: str) -> None:
    """S5-47."""
    rows = [["phone", "name", "company"], [PHONE, "Ana", "A, B; C"], ["5511912345678", "José", ""]]
    text = mark + "".join(delimiter.join(f'"{cell}"' for cell in row) + end for row in rows)

    assert read(text) == [
        Entry(2, PHONE, {"name": "Ana", "company": "A, B; C"}),
        Entry(3, "5511912345678", {"name": "José", "company": ""}),
    ]


@given(
    st.lists(st.tuples(DIGITS, CELLS, CELLS), min_size=1, max_size=8),
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_what_a_writer_of_csv_wrote_is_read(
    rows: Sequence[tuple[str, str, str]], delimiter: str, end: str, quoting: int
) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([("phone", "name", "company"), *rows])

    found = read(file.getvalue())

    assert [(each.phone, dict(each.variables)) for each in found if isinstance(each, Entry)] == [
        (phone, {"name": name, "company": company}) for phone, name, company in rows
    ]


@given(st.binary(max_size=300))
def test_no_file_breaks_the_reader(content: bytes) -> None:
    try:
        found = read(b"phone,name\n" + content)
    except Invalid:
        found = []

    assert all(isinstance(each, Entry | Rejected) for each in found)


@pytest.mark.parametrize("written", ["+55 (11) 98765-4321", "55.11.98765.4321", " 5511987654321 "])
def test_what_people_write_into_numbers_is_dropped(written: str) -> None:
    assert read(f"phone\n{written}\n") == [Entry(2, PHONE, {})]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("5.51198765432E+12", "phone_notation"),
        ("5511987654321.0", "phone_notation"),
        ("55119876x4321", "phone_characters"),
        ("123456789", "phone_length"),
        ("1234567890123456", "phone_length"),
    ],
)
def test_a_phone_is_never_guessed(written: str, code: str) -> None:
    assert rejected(f"phone\n{written}\n{PHONE}\n") == [(2, "phone", code)]


def test_a_row_of_other_bytes_is_rejected_and_the_next_is_read() -> None:
    content = f"phone,name\n{PHONE[:-1]}\xff,Ana\n{PHONE},Jos".encode("latin-1") + b"\xe9\n" + f"{PHONE},Ana".encode()

    found = read(content)

    assert rejected(content) == [(2, "phone", "not_utf8")]
    assert found[2] == Entry(4, PHONE, {"name": "Ana"})


def test_a_control_character_in_a_phone_is_not_dropped_as_a_space() -> None:
    assert rejected(f"phone\n55119\x1f87654321\n{PHONE}\x85\n") == [
        (2, "phone", "control_character"),
        (3, "phone", "control_character"),
    ]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_file_in_utf16_is_refused_as_a_whole(encoding: str) -> None:
    assert refusal(f"\ufeffphone\n{PHONE}\n".encode(encoding)) == ("file", "not_utf8")


def test_lines_are_those_of_the_file_with_blank_ones_and_breaks_in_quotes() -> None:
    text = f'\n\nphone;name\n{PHONE};"Ana\r\nMaria"\n\n;\n123;Jo\n{PHONE};Rui\n'

    assert read(text)[0] == Entry(4, PHONE, {"name": "Ana\nMaria"})
    assert rejected(text) == [(8, "phone", "phone_length")]
    assert read(text)[2] == Entry(9, PHONE, {"name": "Rui"})


def test_quotes_that_do_not_match_cost_their_lines_and_say_which() -> None:
    text = f'phone,name\n{PHONE},"Ana\n{PHONE},"Bo"\n{PHONE},Rui\n'

    first, second = read(text)

    assert isinstance(first, Rejected)
    assert first.faults[0].code == "quotes"
    assert "Lines 2 to 3" in first.faults[0].message
    assert second == Entry(4, PHONE, {"name": "Rui"})


@pytest.mark.parametrize(
    "row",
    ["x" * (LONGEST + 100), '"' + "x" * LONGEST + '"', '"a\n' * LONGEST, ",".join(['"\n"'] * LONGEST)],
    ids=["a long line", "a long field", "quotes that never close", "a record over many lines"],
)
def test_a_row_that_is_too_long_is_never_held(row: str) -> None:
    read_to = 0

    class Source(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal read_to
            read_to += size or 0
            return super().read(size)

    found = entries(io.BufferedReader(Source(f"phone\n{row}".encode())), Options())  # type: ignore[arg-type]
    first = next(found)

    assert isinstance(first, Rejected)
    assert first.faults[0].code in {"row_too_long", "quotes"}
    assert sum(1 for _ in islice(found, LONGEST * 2)) < LONGEST * 2


def test_a_row_with_more_fields_than_the_header_is_rejected_for_they_are_shifted() -> None:
    text = f"phone,name,company\n{PHONE},Silva, Ana,Acme\n{PHONE},Ana\n{PHONE},Ana,Acme,,\n"

    assert rejected(text) == [(2, "row", "too_many_fields")]
    assert read(text)[1:] == [
        Entry(3, PHONE, {"name": "Ana", "company": ""}),
        Entry(4, PHONE, {"name": "Ana", "company": "Acme"}),
    ]


def test_the_options_name_columns() -> None:
    """S5-9."""
    text = f"id;Telefone;Nome Completo;Fuso\n1;{PHONE};Ana;America/Manaus\n"

    found = read(
        text,
        phone_column="telefone",
        variable_columns={"name": "nome completo", "id": 1},
        time_zone_column="Fuso",
    )

    assert found == [Entry(2, PHONE, {"name": "Ana", "id": "1"}, "America/Manaus")]


def test_without_a_header_columns_are_numbers() -> None:
    """S5-9."""
    text = f"Ana;{PHONE}\nRui;5511912345678\n"

    assert read(text, has_header=False, phone_column=2, variable_columns={"name": 1}) == [
        Entry(1, PHONE, {"name": "Ana"}),
        Entry(2, "5511912345678", {"name": "Rui"}),
    ]
    assert read(f"{PHONE}\n", has_header=False) == [Entry(1, PHONE, {})]


def test_a_column_timezone_is_found_by_itself_and_is_no_variable() -> None:
    assert read(f"phone,timezone,name\n{PHONE},America/Manaus,Ana\n{PHONE},,Rui\n") == [
        Entry(2, PHONE, {"name": "Ana"}, "America/Manaus"),
        Entry(3, PHONE, {"name": "Rui"}, None),
    ]


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("", {}, ("file", "file_empty")),
        ("\n \n", {}, ("file", "file_empty")),
        ("number,name\n1,2\n", {}, ("phoneColumn", "column_missing")),
        ("phone,Phone\n1,2\n", {}, ("phoneColumn", "column_ambiguous")),
        ("phone," + ",".join(f"v{n}" for n in range(301)) + "\n1\n", {}, ("variableColumns", "too_many_columns")),
        ("phone,name\n1,2\n", {"variable_columns": {"company": "company"}}, ("variableColumns", "column_missing")),
        ("phone,name\n1,2\n", {"phone_column": 3}, ("phoneColumn", "column_missing")),
        ("phone,name\n1,2\n", {"time_zone_column": "zone"}, ("timezoneColumn", "column_missing")),
        ("1,2\n", {"has_header": False, "phone_column": "tel"}, ("phoneColumn", "column_missing")),
        ('"phone\n', {}, ("file", "quotes")),
    ],
)
def test_a_file_that_does_not_fit_its_options_is_refused_as_a_whole(
    text: str, options: dict[str, object], expected: tuple[str, str]
) -> None:
    assert refusal(text, **options) == expected
