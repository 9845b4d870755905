"""What impressions earn, and which thresholds a number of them crossed. Pure; amounts are whole minor units."""

from collections.abc import Iterable
from decimal import ROUND_FLOOR, Context, Decimal

_EXACT = Context(prec=60, rounding=ROUND_FLOOR)


def pay(rate: str, exponent: int, impressions: int, target: int) -> int:
    """`floor(rate x 10^exponent x min(impressions, target))` minor units (S3-10, decision 24).

    `rate`: decimal text, in major units per impression; `exponent`: that of the currency, 2 for USD. So 2000 x 1.65 USD
    are 330000. Impressions above the target earn nothing.
    """
    if not isinstance(rate, str):
        raise TypeError("a rate is decimal text: a float is not exact")
    exact = _EXACT.multiply(Decimal(rate), Decimal(min(impressions, target)).scaleb(exponent))
    return int(exact.to_integral_value(ROUND_FLOOR))


def crossed(thresholds: Iterable[int], reached: int, total: int) -> tuple[int, ...]:
    """The thresholds above `reached` that `total` reaches, in order: a batch may jump over several (decision 23)."""
    return tuple(sorted({each for each in thresholds if reached < each <= total}))
