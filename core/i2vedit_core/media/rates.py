"""Frame rates as exact fractions: 23.976 means 24000/1001."""

from fractions import Fraction

NEAR = Fraction(1, 1000)
"""How far a decimal rate may lie from the exact one that it stands for."""
MAX_RATE = 1000


def exact_rate(told: Fraction | float) -> Fraction | None:
    """The rate that a rounded number means: a whole one, or one of NTSC's (x * 1000/1001); else the number itself.

    None for what is no rate.
    """
    if not 0 < told <= MAX_RATE:
        return None
    near = round(told * 1001 / 1000) or 1
    for rate in (Fraction(round(told) or 1), Fraction(near * 1000, 1001)):
        if abs(rate - Fraction(told)) < NEAR * 5:
            return rate
    return Fraction(told).limit_denominator(100_000)
