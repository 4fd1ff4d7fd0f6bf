"""How well a delivery came out: frame by frame, join by join, and in a few words."""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

FORMAT = 1
DIGITS = 4


@dataclass(frozen=True)
class FrameQuality:
    """One frame. None: nothing of the edit is in it, or nothing is known."""

    frame: int
    key: bool
    """Whether it was painted."""
    matte_area: float | None
    """Share of the picture, 0..1."""
    flicker: float | None
    flow_error: float | None
    confidence: float | None


@dataclass(frozen=True)
class JoinQuality:
    """Where two parts meet: chunks, what comes from two painted frames, or a painted frame and its neighbours."""

    frame: int
    """The later one; of a painted frame, itself."""
    key: bool
    """Whether it is a painted frame."""
    seam_ratio: float | None
    """Change across it over the median of the changes beside it; None where nothing of the edit can be compared."""
    delta_e: float | None
    """CIEDE2000 between the mean colours of the edit on both sides of it."""


@dataclass(frozen=True)
class Suggestion:
    """A frame to paint, too."""

    frame: int
    why: str


@dataclass(frozen=True)
class Note:
    """Something to look at. `severity`: `note` or `warning`."""

    frame: int | None
    severity: str
    text: str


@dataclass(frozen=True)
class Report:
    """All of it."""

    frames: tuple[FrameQuality, ...]
    joins: tuple[JoinQuality, ...]
    drift_delta_e: float | None
    """How far the model's colour outside the edit has moved at most since the painted frame's chunk, CIEDE2000; None for a single chunk."""
    suggested_keyframes: tuple[Suggestion, ...]
    notes: tuple[Note, ...]

    @property
    def worst_join(self) -> JoinQuality | None:
        """The one whose seam is most visible, if any is known."""
        known = [join for join in self.joins if join.seam_ratio is not None]
        return max(known, key=lambda join: join.seam_ratio or 0.0, default=None)

    def to_json(self) -> str:
        found = {
            "format": FORMAT,
            "frames": [asdict(frame) for frame in self.frames],
            "joins": [asdict(join) for join in self.joins],
            "drift_delta_e": self.drift_delta_e,
            "suggested_keyframes": [asdict(each) for each in self.suggested_keyframes],
            "notes": [asdict(note) for note in self.notes],
        }
        return json.dumps(_rounded(found), indent=1) + "\n"


def _rounded(value: Any) -> Any:
    """Numbers to DIGITS, so that the file is readable; what is no number becomes null."""
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    if isinstance(value, float):
        return round(value, DIGITS) if math.isfinite(value) else None
    return value
