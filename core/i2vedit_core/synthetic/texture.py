"""Textures as functions of the plane: the same texture at any size, with nothing stored but a few numbers."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]
Color = tuple[float, float, float]
"""Display-referred RGB in 0..1."""

_LATTICE = 32


class Pattern(StrEnum):
    """How the two colours of a texture are mixed over the plane."""

    FLAT = "flat"
    CLOUDS = "clouds"
    STRIPES = "stripes"
    CHECKS = "checks"
    DOTS = "dots"
    RAMP = "ramp"


@dataclass(frozen=True)
class Texture:
    """Two colours mixed by a pattern. Colours are display-referred RGB in 0..1; `frequency` is in cycles per picture height."""

    pattern: Pattern
    first: Color
    second: Color
    frequency: float
    angle: float
    seed: int

    def color(self, u: Plane, v: Plane) -> npt.NDArray[np.float32]:
        """RGB `[H, W, 3]` at the plane coordinates `u`, `v` `[H, W]`, both in picture heights."""
        cosine, sine = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        scale = np.float32(self.frequency)
        x, y = (u * cosine + v * sine) * scale, (v * cosine - u * sine) * scale
        mix = _mix(self.pattern, x, y, self.seed)[..., None]
        return np.asarray(self.first, np.float32) * (1 - mix) + np.asarray(self.second, np.float32) * mix


def _mix(pattern: Pattern, x: Plane, y: Plane, seed: int) -> Plane:
    """Weight of the second colour in 0..1. Edges are soft (a sine through a steep curve), so that small pictures do not alias."""
    if pattern is Pattern.CLOUDS:
        return np.asarray((clouds(x, y, seed) * 2 + clouds(2 * x + 7, 2 * y + 3, seed + 1)) / 3, np.float32)
    if pattern is Pattern.STRIPES:
        return _soft_step(np.sin(2 * np.pi * x))
    if pattern is Pattern.CHECKS:
        return _soft_step(np.sin(np.pi * x) * np.sin(np.pi * y) * 1.5)
    if pattern is Pattern.DOTS:
        return _soft_step(np.cos(2 * np.pi * x) + np.cos(2 * np.pi * y) - 0.8)
    if pattern is Pattern.RAMP:
        return np.asarray(0.5 + 0.5 * np.sin(np.pi * x * 0.5), np.float32)
    return np.zeros_like(x)


def _soft_step(wave: Plane) -> Plane:
    return np.asarray(0.5 + 0.5 * np.tanh(2.5 * wave), np.float32)


def clouds(x: Plane, y: Plane, seed: int) -> Plane:
    """Value noise in 0..1: a seeded lattice, one random number a cell corner, blended smoothly between corners."""
    lattice = np.random.default_rng(seed).random((_LATTICE, _LATTICE), dtype=np.float32)
    column, row = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    fx, fy = _smooth(x - column), _smooth(y - row)
    left, right, top, bottom = column % _LATTICE, (column + 1) % _LATTICE, row % _LATTICE, (row + 1) % _LATTICE
    upper = lattice[top, left] * (1 - fx) + lattice[top, right] * fx
    lower = lattice[bottom, left] * (1 - fx) + lattice[bottom, right] * fx
    return np.asarray(upper * (1 - fy) + lower * fy, np.float32)


def _smooth(t: npt.NDArray[np.floating]) -> Plane:
    return np.asarray(t * t * (3 - 2 * t), np.float32)
