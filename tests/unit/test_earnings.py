"""What impressions earn, exactly."""

import pytest

from sponsorships.earnings import crossed, pay


@pytest.mark.parametrize(
    ("rate", "exponent", "impressions", "target", "earned"),
    [
        ("1.65", 2, 2000, 2000, 330_000),
        ("1.65", 2, 2001, 2000, 330_000),
        ("1.65", 2, 1999, 2000, 329_835),
        ("0.1", 2, 3, 3, 30),
        ("1.15", 2, 100, 100, 11_500),
        ("0.00165", 2, 2000, 2000, 330),
        ("0.000001", 2, 9999, 100_000, 0),
        ("0.000001", 2, 10_000, 100_000, 1),
        ("1.65", 0, 2000, 2000, 3300),
        ("0.99", 0, 1, 10, 0),
        ("1.0005", 3, 1, 10, 1000),
        ("1000000", 3, 100_000, 100_000, 10**14),
    ],
)
def test_pay_is_exact_in_whole_minor_units_and_rounds_down(
    rate: str, exponent: int, impressions: int, target: int, earned: int
) -> None:
    """2,000 impressions at 1.65 are 3300.00, and the 2,001st earns nothing (S3-10, decision 24)."""
    assert pay(rate, exponent, impressions, target) == earned


def test_a_float_is_no_rate() -> None:
    with pytest.raises(TypeError):
        pay(1.65, 2, 2000, 2000)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reached", "total", "found"),
    [(0, 49, ()), (0, 50, (50,)), (50, 50, ()), (49, 120, (50, 100)), (100, 2010, (500, 2000)), (2000, 3000, ())],
)
def test_a_jump_crosses_every_threshold_between(reached: int, total: int, found: tuple[int, ...]) -> None:
    """Milestones are crossings, not equalities: a batch may jump over them (S3-3, decision 23)."""
    assert crossed((100, 50, 500, 2000), reached, total) == found
