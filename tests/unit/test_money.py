"""Money: exponents, rates, and how an amount is shown to people."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from sluice import money
from sluice.errors import Invalid
from sluice.schemas import Amount, Currency, Rate


@pytest.mark.parametrize(("currency", "exponent"), [("JPY", 0), ("USD", 2), ("EUR", 2), ("KWD", 3), ("CLF", 4)])
def test_a_currency_has_the_decimal_places_of_iso_4217(currency: str, exponent: int) -> None:
    assert money.exponent(currency) == exponent


def test_the_table_lists_every_currency_once() -> None:
    listed = [currency for group in money._CURRENCIES.values() for currency in group.split()]

    assert len(listed) == len(money.EXPONENTS) == 165


@pytest.mark.parametrize("currency", ["XAU", "XAG", "XDR", "XTS", "XXX", "usd", "DEM", "US", "", "USD "])
def test_a_code_without_minor_units_is_no_currency(currency: str) -> None:
    with pytest.raises(Invalid) as refused:
        money.exponent(currency)

    assert (refused.value.code, refused.value.errors[0].field) == ("currency_unknown", "currency")


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (330_000, "USD", "3300.00 USD"),
        (5, "USD", "0.05 USD"),
        (-5, "USD", "-0.05 USD"),
        (-330_000, "USD", "-3300.00 USD"),
        (0, "USD", "0.00 USD"),
        (500, "JPY", "500 JPY"),
        (-500, "JPY", "-500 JPY"),
        (1_234, "KWD", "1.234 KWD"),
        (10**15 + 1, "USD", "10000000000000.01 USD"),
    ],
)
def test_an_amount_is_shown_in_major_units(amount: int, currency: str, text: str) -> None:
    assert money.shown(amount, currency) == text


@pytest.mark.parametrize("text", ["1.65", "0.000001", "1000000", "1000000.000000", "7"])
def test_a_rate_is_exactly_what_was_written(text: str) -> None:
    assert money.rate(text) == Decimal(text)


@pytest.mark.parametrize(
    "text",
    ["0", "0.0", "0.0000001", "1000000.000001", "1000001", "-1", "+1", "1e3", "1,5", ".5", "1.", "01", "\u0661", " 1"],
)
def test_a_rate_out_of_bounds_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        money.rate(text)


@pytest.mark.parametrize("given", [1.65, 2, Decimal("1.65"), None, True])
def test_a_rate_that_is_no_text_is_refused_by_its_type(given: Any) -> None:
    with pytest.raises(TypeError):
        money.rate(given)


@pytest.mark.parametrize("given", [0, -1, 10**15 + 1, 1.0, "1", True, None])
def test_an_amount_in_a_body_is_a_whole_number_of_minor_units(given: Any) -> None:
    amounts = TypeAdapter(Amount)

    with pytest.raises(ValidationError):
        amounts.validate_python(given)

    assert [amounts.validate_python(each) for each in (1, 10**15)] == [1, 10**15]


@pytest.mark.parametrize("given", [1.65, 2, "0", "x", None])
def test_a_rate_in_a_body_is_decimal_text(given: Any) -> None:
    rates = TypeAdapter(Rate)

    with pytest.raises((ValidationError, Invalid)):
        rates.validate_python(given)

    assert rates.validate_python("1.65") == Decimal("1.65")


def test_a_currency_in_a_body_is_refused_by_name() -> None:
    currencies = TypeAdapter(Currency)

    with pytest.raises(Invalid) as refused:
        currencies.validate_python("XAU")

    assert refused.value.code == "currency_unknown"
    assert currencies.validate_python("USD") == "USD"
