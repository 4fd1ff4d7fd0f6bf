"""Rates that were rounded somewhere on their way come back exact; odd ones stay odd."""

from fractions import Fraction

import pytest

from i2vedit_core.media.rates import exact_rate


@pytest.mark.parametrize(
    ("told", "rate"),
    [
        (23.976, Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (Fraction(19001, 317), Fraction(60000, 1001)),
        (Fraction(2997, 100), Fraction(30000, 1001)),
        (Fraction(30000, 1001), Fraction(30000, 1001)),
        (Fraction(24), Fraction(24)),
        (119.88, Fraction(120000, 1001)),
        (12.5, Fraction(25, 2)),
        (Fraction(29917, 1000), Fraction(29917, 1000)),
        (Fraction(90000, 3001), Fraction(90000, 3001)),
        (Fraction(1, 2), Fraction(1, 2)),
        (0.0, None),
        (float("nan"), None),
        (-24.0, None),
        (1e9, None),
    ],
)
def test_rates(told: float, rate: Fraction | None) -> None:
    assert exact_rate(told) == rate
