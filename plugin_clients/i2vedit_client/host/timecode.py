"""Rates as people and hosts write them, and SMPTE labels.

What the core writes into its frames it counts itself: a client may not import it, and this is all that a client counts.
"""

import re
from fractions import Fraction

from i2vedit_client.errors import BadInput

NTSC_RATES = (12, 15, 24, 30, 48, 60, 72, 90, 96, 120)
NTSC_TOLERANCE = 0.006
"""Hosts write 23.976, 23.98 and 23.976023989 for 24000/1001."""
WHOLE_TOLERANCE = 1e-4
LARGEST_DENOMINATOR = 10_000
LARGEST_RATE = 1000
_LABEL = re.compile(r"(\d{2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})")

RateLike = str | int | float | list[int] | Fraction


def parse_rate(given: RateLike) -> Fraction:
    """The exact rate that is meant: 24000/1001 for `23.976`, `23.98`, `24000/1001` or `[24000, 1001]`. Raises BadInput."""
    try:
        rate = _read_rate(given)
    except (ValueError, ZeroDivisionError, TypeError, OverflowError):
        raise BadInput(f"The rate {given!r} is not understood. Write frames a second, like 25 or 24000/1001.") from None
    if not 0 < rate <= LARGEST_RATE:
        raise BadInput(f"The rate {given!r} is no rate of a clip. Write frames a second, like 25 or 24000/1001.")
    return rate


def _read_rate(given: RateLike) -> Fraction:
    if isinstance(given, Fraction | int) and not isinstance(given, bool):
        return Fraction(given)
    if isinstance(given, list):
        numerator, denominator = given
        return Fraction(numerator, denominator)
    if isinstance(given, str) and "/" in given:
        return Fraction(given.replace(" ", ""))
    # Resolve writes "29.97 DF" for a timeline with drop-frame labels.
    return _meant(float(str(given).upper().removesuffix("DF").strip()))


def _meant(number: float) -> Fraction:
    """The fraction behind a decimal that some host has rounded."""
    if abs(number - round(number)) < WHOLE_TOLERANCE:
        return Fraction(round(number))
    for nominal in NTSC_RATES:
        rate = Fraction(nominal * 1000, 1001)
        if abs(number - float(rate)) < NTSC_TOLERANCE:
            return rate
    return Fraction(number).limit_denominator(LARGEST_DENOMINATOR)


def nominal(rate: Fraction) -> int:
    """Frames that a second of timecode counts: 30 for 30000/1001."""
    return max(1, round(rate))


def can_drop(rate: Fraction) -> bool:
    """Drop-frame exists for 29.97 and its multiples."""
    return nominal(rate) % 30 == 0 and rate == Fraction(nominal(rate) * 1000, 1001)


def frame_of(label: str, rate: Fraction) -> int:
    """Frames between 00:00:00:00 and a label; `;` before the frames means drop-frame. Raises BadInput."""
    match = _LABEL.fullmatch(label.strip())
    fps = nominal(rate)
    if match is None:
        raise BadInput(f"'{label}' is not a timecode. Write it like 01:00:00:00.")
    hours, minutes, seconds, frames = (int(match[group]) for group in (1, 2, 3, 5))
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= fps:
        raise BadInput(f"'{label}' is not a timecode at {float(rate):g} frames a second.")
    count = ((hours * 60 + minutes) * 60 + seconds) * fps + frames
    if match[4] == ":" or not can_drop(rate):
        return count
    dropped, whole_minutes = fps // 15, hours * 60 + minutes
    if seconds == 0 and minutes % 10 and frames < dropped:
        raise BadInput(f"'{label}' does not exist in drop-frame timecode.")
    return count - dropped * (whole_minutes - whole_minutes // 10)


def label_of(frame: int, rate: Fraction, drop: bool = False) -> str:
    """The inverse of `frame_of`; goes around after 24 hours."""
    fps, drop = nominal(rate), drop and can_drop(rate)
    if drop:
        dropped = fps // 15
        per_minute, per_ten = fps * 60 - dropped, fps * 600 - 9 * dropped
        tens, rest = divmod(frame % (per_ten * 144), per_ten)
        minutes = 0 if rest < fps * 60 else 1 + (rest - fps * 60) // per_minute
        frame = frame % (per_ten * 144) + dropped * (9 * tens + minutes)
    seconds, frames = divmod(frame, fps)
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{';' if drop else ':'}{frames:02}"


def later(label: str, frames: int, rate: Fraction) -> str:
    """The label so many frames after another, in the same way of counting."""
    return label_of(frame_of(label, rate) + frames, rate, drop=label.strip()[8] != ":")
