"""The working encoding: how the model sees a plate, how a plate is handed out for painting, and in what both are compared.

What is encoded already, display-referred or log, stays as it is: 0 and 1 are its ends, and equal steps look about equally large.
Scene-linear values have no end, so they are brought to a log curve; `decode` brings them back.
"""

from dataclasses import dataclass

import numpy as np

from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.spaces import is_linear

KNEE = 0.02
"""Scene-linear light below which the curve is nearly a straight line, so that black stays 0 and noise around it is not spread."""
PEAK = 64.0
"""Scene-linear light that becomes 1: six stops above diffuse white. Mid grey (0.18) becomes 0.33 and white 0.53, much as PQ has them."""
LARGEST = 65504.0
"""The largest half float: what an infinite value is taken for."""


@dataclass(frozen=True)
class Working:
    """The working encoding of one plate."""

    is_log: bool = False
    """Whether the plate is scene-linear."""

    @classmethod
    def of(cls, space: str) -> "Working":
        """For a plate in this OCIO space."""
        return cls(is_linear(space))

    def encode(self, picture: Picture) -> Picture:
        """[H, W, C] in the plate's encoding -> about 0..1, float32 and finite; what lies beyond keeps its place there.

        No value is clipped but the infinite ones; NaN becomes 0.
        """
        found = finite(picture, LARGEST if self.is_log else 1.0)
        return np.asarray(np.arcsinh(np.asarray(found, np.float64) / KNEE) / _SCALE, np.float32) if self.is_log else found

    def decode(self, picture: Picture) -> Picture:
        """The inverse of `encode`, within the rounding of float32."""
        return np.asarray(np.sinh(np.asarray(picture, np.float64) * _SCALE) * KNEE, np.float32) if self.is_log else picture


AS_IT_IS = Working()
"""Of plates that are not scene-linear."""

_SCALE = float(np.arcsinh(PEAK / KNEE))


def finite(picture: Picture, largest: float = LARGEST) -> Picture:
    """The same array where all of it is finite; else NaN becomes 0, and infinite values the largest and smallest there are."""
    if np.isfinite(picture).all():
        return picture
    smallest = -largest if largest > 1 else 0.0
    return np.asarray(np.nan_to_num(picture, nan=0.0, posinf=largest, neginf=smallest), np.float32)
