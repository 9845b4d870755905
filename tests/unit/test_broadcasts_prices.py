"""What a message costs."""

from datetime import date

import pytest

from broadcasts.prices import Price, price_of

PRICES = (
    Price("BR", "marketing", 62_500, "2026-01-01"),
    Price("BR", "marketing", 70_000, "2026-11-01"),
    Price("BR", "utility", 8_000, "2026-01-01"),
    Price("BR", "utility", 7_000, "2026-06-01"),
)


@pytest.mark.parametrize(
    ("country", "category", "day", "expected"),
    [
        ("BR", "marketing", date(2026, 10, 31), 62_500),
        ("BR", "marketing", date(2026, 11, 1), 70_000),
        ("BR", "utility", date(2026, 12, 1), 7_000),
        ("BR", "marketing", date(2025, 12, 31), 9_000),
        ("PT", "marketing", date(2026, 11, 1), 9_000),
        (None, None, date(2026, 11, 1), 9_000),
    ],
)
def test_a_message_costs_what_the_table_says_on_its_day_else_what_every_message_costs(
    country: str | None, category: str | None, day: date, expected: int
) -> None:
    """S5-57."""

    assert price_of(PRICES, 9_000, country, category, day) == expected
    assert price_of(tuple(reversed(PRICES)), 9_000, country, category, day) == expected


def test_an_instance_without_prices_costs_nothing() -> None:
    assert price_of((), None, "BR", "marketing", date(2026, 11, 1)) == 0
