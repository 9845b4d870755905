"""Phone numbers as they come in, and whose they are."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts.phones import BadPhone, contact_key, is_phone, person_of, phone_in

KEY = b"k" * 32
PHONES = st.text(string.digits, min_size=10, max_size=15)


@pytest.mark.parametrize("text", ["1234567890", "123456789012345", "5511987654321"])
def test_ten_to_fifteen_digits_are_a_phone(text: str) -> None:
    """S5-6, S5-43."""

    assert is_phone(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "123456789",
        "1234567890123456",
        "+5511987654321",
        "55 11987654321",
        "5511987654321\n",
        "١٢٣٤٥٦٧٨٩٠",
        "551198765432x",
    ],
)
def test_whatever_else_is_in_a_body_is_no_phone(text: str) -> None:
    """S5-6, S5-43."""

    assert not is_phone(text)


@pytest.mark.parametrize(
    "cell",
    [
        "5511987654321",
        "+55 (11) 98765-4321",
        " 55.11.98765.4321 ",
        "+55\u00a011\u00a098765\u00a04321",
        "'5511987654321"[1:],
    ],
)
def test_a_file_s_phone_is_read_as_people_write_it(cell: str) -> None:
    assert phone_in(cell) == "5511987654321"


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("", "phone_missing"),
        ("   ", "phone_missing"),
        ("5.51199E+12", "phone_notation"),
        ("5,51199e+12", "phone_notation"),
        ("5E12", "phone_notation"),
        ("5511987654321.0", "phone_notation"),
        ("5511987654321,00", "phone_notation"),
        ("55 11 CALL ME", "phone_characters"),
        ("5511987654321/22", "phone_characters"),
        ("١٢٣٤٥٦٧٨٩٠", "phone_characters"),
        ("()", "phone_length"),
        ("98765-4321", "phone_length"),
        ("1234567890123456", "phone_length"),
    ],
)
def test_a_cell_that_is_no_phone_is_rejected_with_its_reason(cell: str, code: str) -> None:
    found = phone_in(cell)

    assert isinstance(found, BadPhone)
    assert found.code == code
    assert found.message


@given(st.text())
def test_what_a_file_gives_is_a_phone_or_a_reason_without_the_cell(cell: str) -> None:
    found = phone_in(cell)

    assert isinstance(found, BadPhone) or is_phone(found)


@given(PHONES)
def test_a_phone_in_a_body_is_the_same_phone_in_a_file(phone: str) -> None:
    assert phone_in(phone) == phone


def test_a_brazilian_mobile_with_and_without_its_ninth_digit_is_one_person() -> None:
    assert person_of("551187654321") == person_of("5511987654321") == "5511987654321"
    assert contact_key("nina", "551187654321", KEY) == contact_key("nina", "5511987654321", KEY)


@pytest.mark.parametrize(
    "phone",
    [
        "551132654321",  # a landline
        "552087654321",  # no area
        "5511932654321",  # a mobile whose other digits would be a landline
        "351187654321",  # another country
        "551187654",
        "55118765432100",
    ],
)
def test_all_other_phones_are_themselves(phone: str) -> None:
    assert person_of(phone) == phone


@given(PHONES)
def test_a_person_is_its_own_person(phone: str) -> None:
    assert person_of(person_of(phone)) == person_of(phone)


def test_a_contact_s_key_depends_on_the_owner_and_on_the_secret_and_shows_no_phone() -> None:
    key = contact_key("nina", "5511987654321", KEY)

    assert len(key) == 32
    assert "87654321" not in key
    others = {contact_key("paul", "5511987654321", KEY), contact_key("nina", "5511987654321", b"j" * 32)}
    others.add(contact_key("nina", "5511987654322", KEY))
    assert len(others | {key}) == 4
