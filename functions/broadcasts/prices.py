"""What a message costs, in 1/1,000,000 of the instance's currency (S5-57). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Price:
    """A provider's price of a message: to a country (`BR`, of ISO 3166), in a category, from a day on."""

    country: str
    category: str
    price: int
    since: str
    """Such as `2026-11-01`."""


def price_of(
    prices: Sequence[Price], otherwise: int | None, country: str | None, category: str | None, day: date
) -> int:
    """The price of a message on a day: the newest of its country and category, else `otherwise`, else nothing."""
    known = [
        each
        for each in prices
        if (each.country, each.category) == (country, category) and date.fromisoformat(each.since) <= day
    ]
    if known:
        return max(known, key=lambda each: date.fromisoformat(each.since)).price
    return otherwise or 0
