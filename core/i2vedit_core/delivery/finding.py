"""What a look at a delivered sequence tells: how far it is, what it finds, and what it comes to."""

from dataclasses import dataclass
from enum import StrEnum


class Check(StrEnum):
    """What was looked at. Scripts compare these, so a name that has been released never changes."""

    TICKET = "ticket"
    FRAMES = "frames"
    """Whether every number of the range is there, and no other."""
    READABLE = "readable"
    HEADER = "header"
    MATTE = "matte"
    ALPHA = "alpha"
    PLATE = "plate"
    """Whether every pixel outside the matte is the plate's."""
    PAINTED = "painted"
    """Whether the painted frame is as it was painted."""
    PIXELS = "pixels"
    """Whether two deliveries hold the same."""
    SIDE = "side"
    """What was asked for beside the EXR."""


class Kind(StrEnum):
    FAULT = "fault"
    UNCHECKED = "unchecked"
    """Could not be looked at. It says nothing against the sequence."""
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing to tell, in a sentence that names the frame where there is one."""

    kind: Kind
    check: Check
    sentence: str
    frame: int | None = None


@dataclass(frozen=True)
class Looked:
    """So many of the frames have been looked at."""

    count: int
    of: int


@dataclass(frozen=True)
class Verdict:
    """What `verify` came to."""

    first: int
    last: int
    faults: int
    unchecked: int
    lossy: bool
    largest_difference: float
    """To the plate, outside the matte, over all frames; 0 where every pixel is the plate's or none was compared."""

    @property
    def is_true(self) -> bool:
        return self.faults == 0


@dataclass(frozen=True)
class Comparison:
    """How two deliveries of one shot differ."""

    frames: int
    differing_frames: int
    pixels: int
    differing_pixels: int
    largest_difference: float
    """Of any channel, matte included."""

    @property
    def is_identical(self) -> bool:
        return self.differing_frames == 0
