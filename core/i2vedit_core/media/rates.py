"""Frame rates as exact fractions: 23.976 means 24000/1001."""

from fractions import Fraction

MAX_RATE = 1000
NEAR = 1e-3
"""How far a rate that went through milliseconds or decimals lies from the one that it was."""


def exact_rate(told: Fraction | float, near: float = NEAR) -> Fraction | None:
    """The rate that a rounded one stands for: a whole number, or one of NTSC's (x * 1000/1001); else the rate as it is told.

    None for what is no rate.
    """
    if not 0 < told <= MAX_RATE:
        return None
    nominal = max(1, round(told))
    for rate in (Fraction(nominal), Fraction(nominal * 1000, 1001)):
        if abs(float(rate) - float(told)) < near:
            return rate
    return Fraction(told).limit_denominator(1_000_000)
