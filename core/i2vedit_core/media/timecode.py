"""SMPTE timecode: frame numbers to labels and back, drop-frame included, and the BCD words of EXR's `timeCode`."""

import re
from dataclasses import dataclass
from fractions import Fraction

_LABEL = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})")
_DROP_FRAME_BIT = 1 << 6
_FIELD_BIT = 1 << 15
MAX_LABEL_RATE = 30
"""SMPTE ST 12 counts up to 30 frames a second; faster rates label pairs of frames."""


def nominal_rate(rate: Fraction) -> int:
    """Frames that a second of timecode counts: 30 for 30000/1001."""
    return max(1, round(rate))


def _can_drop(rate: Fraction) -> bool:
    """Drop-frame exists for 29.97 and its multiples only."""
    return nominal_rate(rate) % 30 == 0 and rate == Fraction(nominal_rate(rate) * 1000, 1001)


def _dropped_per_minute(rate: Fraction) -> int:
    return nominal_rate(rate) // 15


def _bcd(number: int) -> int:
    return (number // 10) << 4 | number % 10


def _from_bcd(digits: int) -> int:
    return (digits >> 4) * 10 + (digits & 0xF)


@dataclass(frozen=True)
class Timecode:
    """A label `hh:mm:ss:ff`, with `;` before the frames for drop-frame."""

    hours: int
    minutes: int
    seconds: int
    frames: int
    drop: bool = False

    @classmethod
    def parse(cls, text: str, rate: Fraction) -> "Timecode":
        """Reads a label. Raises ValueError for what is not one at this rate."""
        match = _LABEL.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"'{text}' is not a timecode.")
        hours, minutes, seconds, frames = (int(match[i]) for i in (1, 2, 3, 5))
        if hours > 23 or minutes > 59 or seconds > 59 or frames >= nominal_rate(rate):
            raise ValueError(f"'{text}' is not a timecode at {float(rate):g} frames a second.")
        drop = match[4] != ":" and _can_drop(rate)
        if drop and seconds == 0 and minutes % 10 and frames < _dropped_per_minute(rate):
            raise ValueError(f"'{text}' does not exist in drop-frame timecode.")
        return cls(hours, minutes, seconds, frames, drop)

    @classmethod
    def from_frame(cls, frame: int, rate: Fraction, drop: bool = False) -> "Timecode":
        """The label of a frame counted from 00:00:00:00; wraps after 24 hours."""
        fps = nominal_rate(rate)
        drop = drop and _can_drop(rate)
        if drop:
            skipped = _dropped_per_minute(rate)
            ten_minutes = fps * 600 - 9 * skipped
            tens, rest = divmod(frame % (ten_minutes * 144), ten_minutes)
            frame = frame % (ten_minutes * 144) + 9 * skipped * tens
            if rest >= fps * 60:
                frame += skipped * ((rest - fps * 60) // (fps * 60 - skipped) + 1)
        seconds, frames = divmod(frame, fps)
        return cls(seconds // 3600 % 24, seconds // 60 % 60, seconds % 60, frames, drop)

    def to_frame(self, rate: Fraction) -> int:
        """Frames since 00:00:00:00; the inverse of `from_frame`."""
        fps = nominal_rate(rate)
        minutes = self.hours * 60 + self.minutes
        frame = (minutes * 60 + self.seconds) * fps + self.frames
        return frame - _dropped_per_minute(rate) * (minutes - minutes // 10) if self.drop else frame

    def plus(self, frames: int, rate: Fraction) -> "Timecode":
        """The label so many frames later."""
        return self.from_frame(self.to_frame(rate) + frames, rate, self.drop)

    @classmethod
    def from_bcd(cls, word: int, rate: Fraction) -> "Timecode":
        """The label in an EXR's or a stream's time word; the inverse of `bcd`. Raises ValueError for what is none at this rate."""
        hours, minutes, seconds = (_from_bcd(word >> shift & mask) for shift, mask in ((24, 0x3F), (16, 0x7F), (8, 0x7F)))
        group = -(-nominal_rate(rate) // MAX_LABEL_RATE)
        frames = _from_bcd(word & 0x3F) * group + (1 if group == 2 and word & _FIELD_BIT else 0)
        mark = ";" if word & _DROP_FRAME_BIT else ":"
        return cls.parse(f"{hours:02}:{minutes:02}:{seconds:02}{mark}{frames:02}", rate)

    def bcd(self, rate: Fraction) -> tuple[int, int]:
        """(time and flags, user data) as EXR's `timeCode` stores them; above 30 fps the label of the frame pair."""
        group = -(-nominal_rate(rate) // MAX_LABEL_RATE)
        label, within = divmod(self.frames, group)
        word = _bcd(label) | _bcd(self.seconds) << 8 | _bcd(self.minutes) << 16 | _bcd(self.hours) << 24
        word |= _DROP_FRAME_BIT if self.drop else 0
        word |= _FIELD_BIT if group == 2 and within else 0
        return word, 0

    def __str__(self) -> str:
        return f"{self.hours:02}:{self.minutes:02}:{self.seconds:02}{';' if self.drop else ':'}{self.frames:02}"
