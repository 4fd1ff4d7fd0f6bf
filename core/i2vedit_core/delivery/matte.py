"""The soft matte: where the edit changed the picture. Known exactly on the painted frame, and measured against it everywhere else."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from i2vedit_core.media.pixels import Picture

PAINTED = 4 / 255
"""A smoothed difference to the plate from which on something was painted; less is rounding, or another decoder's chroma."""
NOTHING = 1 / 64
"""Matte values below this are 0, so that the plate stays the plate."""
MAP_WEIGHT = 0.5
"""Share of the edit map in the evidence; the rest is the difference of the pixels."""
SMOOTHING = 0.7
"""Standard deviation, in the model's pixels, of the smoothing of the evidence."""
CANDIDATES = np.geomspace(0.02, 0.6, 40)


def painted_difference(plate: Picture, painted: Picture) -> Picture:
    """Largest difference over RGB between two frames [H, W, 3] of one size: [H, W] float32."""
    return np.asarray(np.abs(painted - plate[..., :3]).max(axis=-1), np.float32)


def was_painted(difference: Picture) -> bool:
    """Whether anything was painted at all, for a difference [H, W]: one stray code value here and there is not an edit."""
    return bool((gaussian_filter(difference, 1.0) > PAINTED).any())


def painted_matte(difference: Picture, precision: float) -> Picture:
    """The matte of the painted frame itself, [H, W]: 1 wherever the picture differs from the plate by more than its own precision."""
    return (difference > precision).astype(np.float32)


def evidence(edited: Picture, source: Picture, edit_map: Picture) -> Picture:
    """How much speaks for a change, [F, h, w] float32 from 0: edited and source as the model shows them [F, h, w, 3] in 0..1,
    and the edit map [F, h, w] of section 6."""
    difference = np.abs(edited - source).max(axis=-1)
    smooth = gaussian_filter(difference, (0, SMOOTHING, SMOOTHING))
    return np.asarray(smooth ** (1 - MAP_WEIGHT) * np.clip(edit_map, 0, 1) ** MAP_WEIGHT, np.float32)


@dataclass(frozen=True)
class Calibration:
    """The evidence from which on a pixel is part of the edit, as the painted frame taught it."""

    threshold: float

    @classmethod
    def of(cls, first_evidence: Picture, difference: Picture) -> "Calibration":
        """The threshold whose matte is most like what was painted: both [h, w] at the model's size (overlap over union)."""
        painted = np.clip(difference / (2 * PAINTED), 0, 1)
        return cls(float(max(CANDIDATES, key=lambda threshold: _overlap(cls(threshold).matte(first_evidence), painted))))

    def matte(self, found: Picture) -> Picture:
        """Evidence to matte, any shape: 0 up to half the threshold, 1 from the threshold on, smooth between."""
        t = np.clip(2 * found / self.threshold - 1, 0, 1)
        return np.asarray(t * t * (3 - 2 * t), np.float32)


def _overlap(matte: Picture, painted: Picture) -> float:
    return float(np.minimum(matte, painted).sum() / max(np.maximum(matte, painted).sum(), 1e-6))


def finish(matte: Picture) -> Picture:
    """A matte at the plate's size, [H, W]: within 0..1, and exactly 0 where it is next to nothing."""
    clipped = np.clip(matte, 0, 1)
    return np.where(clipped < NOTHING, 0, clipped).astype(np.float32)
