"""The soft matte: where the edit changed the picture. Known exactly on the painted frame, and judged by its measure everywhere else."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from i2vedit_core.media.pixels import Picture, largest_difference

PAINTED = 4 / 255
"""A smoothed difference to the plate from which on something was painted with eight bits; less is rounding, or another decoder's chroma."""
NOTHING = 1 / 64
"""Matte values below this are 0, so that the plate stays the plate."""
MAP_SHARE = 0.5
"""How much of the evidence the edit map decides; the rest is the difference of the pixels alone."""
SMOOTHING = 0.7
"""Standard deviation, in the model's pixels, of the smoothing of differences."""
WITNESS_OCTAVES = 2
"""By how many powers of two a sure witness lowers or raises the threshold."""
EAGER = 0.4
"""Share of the threshold that is enough where there is a witness: it keeps out what a low threshold would let in."""
OUTLINE = 1.5
"""Pixels over which the matte falls at a carried outline."""
SETTLED = (0.25, 0.75)
"""Where evidence is mixed, what lies below the first of these is none, and what lies above the second is all."""
TOLD_APART = 1e-3
"""A smaller step of the edit map between inside and outside is rounding."""
CANDIDATES = np.geomspace(0.02, 0.6, 40)


def was_painted(difference: Picture, exact: bool) -> bool:
    """Whether anything was painted at all, for a difference [H, W] beyond the picture's own precision.

    An `exact` picture (16 bits and more) was exported by us: any difference is paint. One of eight bits may come from another
    decoder, where one stray code value here and there is not an edit.
    """
    return bool(difference.any() if exact else (gaussian_filter(difference, 1.0) > PAINTED).any())


def painted_matte(difference: Picture, precision: float) -> Picture:
    """The matte of the painted frame itself, [H, W]: 1 wherever the picture differs from the plate by more than its own precision."""
    return (difference > precision).astype(np.float32)


def change(edited: Picture, source: Picture) -> Picture:
    """How far two pictures or chunks [..., h, w, 3] are apart, [..., h, w] float32, slightly smoothed."""
    return np.asarray(gaussian_filter(largest_difference(edited, source), SMOOTHING, axes=(-2, -1)), np.float32)


@dataclass(frozen=True)
class Calibration:
    """What the painted frame teaches about the others."""

    map_outside: float
    """The edit map where nothing was painted: LoRA and guidance move attention there, too (METHOD section 6)."""
    map_inside: float
    """The edit map where something was."""
    threshold: float
    """The evidence from which on a pixel is wholly part of the edit."""

    @classmethod
    def of(cls, changed: Picture, edit_map: Picture, difference: Picture) -> "Calibration":
        """From the painted frame at the model's size, all [h, w]: its `change`, its edit map, and the true difference to the plate."""
        return cls.fit(changed, edit_map, np.asarray(np.clip(difference / (2 * PAINTED), 0, 1), np.float32))

    @classmethod
    def fit(cls, changed: Picture, edit_map: Picture, painted: Picture) -> "Calibration":
        """As `of`, for any measure of change: `painted` says how surely each place was painted, 0..1.

        The threshold is the one whose matte overlaps best with what was painted (intersection over union). Where nothing was
        painted, no change is an edit.
        """
        outside, inside = _mean(edit_map, 1 - painted, 0.0), _mean(edit_map, painted, 1.0)
        if not painted.any():
            return cls(outside, inside, np.inf)
        candidates = [cls(outside, inside, float(threshold)) for threshold in CANDIDATES]
        return max(candidates, key=lambda each: _overlap(each.matte(changed, edit_map), painted))

    def matte(self, changed: Picture, edit_map: Picture) -> Picture:
        """`change` and edit map to matte, of one shape: 0 up to half the threshold, 1 from the threshold on, smooth between."""
        return _ramp(self._evidence(changed, edit_map), start=0.5)

    def witnessed(self, changed: Picture, edit_map: Picture, witness: Picture) -> Picture:
        """As `matte`, beside a witness [h, w] in -1..1 that says how surely a pixel belongs to the edit (1) or does not (-1).

        With it little change is enough inside, and outside much is needed. The ramp is half an octave, that is half as wide.
        """
        return _ramp(self._evidence(changed, edit_map) * 2 ** (WITNESS_OCTAVES * witness) / EAGER, start=2**-0.5)

    def _evidence(self, changed: Picture, edit_map: Picture) -> Picture:
        """Change that the edit map supports, as a share of the threshold."""
        return changed * self._trust(edit_map) / np.float32(self.threshold)

    def _trust(self, edit_map: Picture) -> Picture:
        """How much the edit map supports a change; a map that cannot tell inside from outside supports all alike."""
        if self.map_inside <= self.map_outside + TOLD_APART:
            return np.ones_like(edit_map)
        support = np.clip((edit_map - self.map_outside) / (self.map_inside - self.map_outside), 0, 1)
        return np.asarray(1 - MAP_SHARE + MAP_SHARE * support, np.float32)


def _mean(values: Picture, weights: Picture, otherwise: float) -> float:
    total = float(weights.sum())
    return float((values * weights).sum()) / total if total > 1 else otherwise


def _overlap(matte: Picture, painted: Picture) -> float:
    return float(np.minimum(matte, painted).sum() / max(np.maximum(matte, painted).sum(), 1e-6))


def _ramp(evidence: Picture, start: float) -> Picture:
    """0 up to `start`, 1 from 1 on, smooth between."""
    t = np.clip((evidence - start) / (1 - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def outline(depth: Picture) -> Picture:
    """A matte [h, w] for distances in pixels to an outline, positive inside: 1 inside, 0 outside, falling over OUTLINE pixels."""
    return np.asarray(np.clip(0.5 + depth / OUTLINE, 0, 1), np.float32)


def settled(matte: Picture) -> Picture:
    """Mixed evidence as a matte: little of it is none, much of it all, smooth between."""
    low, high = SETTLED
    return _ramp(matte / np.float32(high), start=low / high)


def finish(matte: Picture) -> Picture:
    """A matte at the plate's size, [H, W]: within 0..1, and exactly 0 where it is next to nothing."""
    clipped = np.clip(matte, 0, 1)
    return np.where(clipped < NOTHING, 0, clipped).astype(np.float32)
