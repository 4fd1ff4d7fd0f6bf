"""The plate's grain, measured on the plate and drawn anew for pixels that have none."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from i2vedit_core.delivery.way import blurred
from i2vedit_core.media.flow import Plane
from i2vedit_core.media.pixels import Picture

FINE = 1.0
"""Grain is what a Gaussian of so many pixels takes away where the picture is smooth."""
WINDOW = 15
"""Pixels, the side of the window in which structure is told from grain: grain is the same everywhere, structure is not."""
QUIET_SHARE = 0.1
"""Of the places of one brightness, so many with the least in their window are where grain is measured."""
LEVELS = 8
"""Steps of brightness from 0 to 1 at which grain is measured."""
MOST = 3
"""Times the grain of the quieter levels: what seems to be more at some brightness is structure that nothing there is free of."""
FEWEST = 200
"""Pixels that say something about one level."""
TO_DEVIATION = 1.4826
"""Median absolute deviation to standard deviation, for a normal distribution."""
SOFTNESSES = (0.0, 0.4, 0.5, 0.6, 0.75, 1.0, 1.4)
"""Sizes of grain that are told apart: standard deviations in pixels of a Gaussian over white noise."""
LUMA = np.asarray((0.2126, 0.7152, 0.0722), np.float32)


@dataclass(frozen=True)
class Grain:
    """How a plate is grained."""

    deviations: Picture
    """[LEVELS, 3]: standard deviation of grain as drawn here, by brightness and channel."""
    mixing: Picture
    """[3, 3]: independent noise to noise that is alike in the channels as the plate's is."""
    softness: float
    """Size of a grain, one of SOFTNESSES."""

    @classmethod
    def of(cls, plate: Picture) -> "Grain":
        """Measured on a frame [H, W, 3] in 0..1."""
        residual, brightness = _fine(plate), _brightness(blurred(plate, 3 * FINE))  # a pixel's own grain must not choose its level
        quiet = _quiet_places(residual, brightness)
        softness = min(SOFTNESSES, key=lambda each: abs(_alikeness(_noise(each), None) - _alikeness(residual, quiet)))
        sample = _fine(_noise(softness))
        unit = _deviation(sample[_quiet_places(sample, np.full(sample.shape[:2], 0.5, np.float32))])
        deviations = _by_level(residual[quiet], brightness[quiet]) / unit
        return cls(np.minimum(deviations, MOST * np.quantile(deviations, 0.25, axis=0)), _mixing(residual[quiet]), softness)

    def over(self, picture: Picture, amount: Plane, seed: tuple[int, ...]) -> Picture:
        """`picture` [h, w, 3] with so much grain, `amount` [h, w] in 0..1. The same seed draws the same."""
        noise = _drawn(picture.shape[:2], self.softness, np.random.default_rng(seed)) @ self.mixing.T
        levels = np.linspace(0, 1, LEVELS, dtype=np.float32)
        brightness = _brightness(picture)
        for channel in range(3):
            noise[..., channel] *= np.interp(brightness, levels, self.deviations[:, channel]) * amount
        return np.asarray(picture + noise, np.float32)


def _brightness(picture: Picture) -> Plane:
    return np.asarray(np.clip(picture @ LUMA, 0, 1), np.float32)


def _quiet_places(residual: Picture, brightness: Plane) -> npt.NDArray[np.bool_]:
    """Where residuals [H, W, 3] are grain rather than structure, [H, W]. Black and white, where grain is cut off, are left out."""
    power = cv2.boxFilter(np.square(residual).mean(axis=-1), -1, (WINDOW, WINDOW), borderType=cv2.BORDER_REFLECT)
    between = (brightness > 0.02) & (brightness < 0.98)
    level = np.where(between, _level(brightness), -1)
    quiet = np.zeros(brightness.shape, np.bool_)
    for each in np.unique(level[between]):
        there = level == each
        quiet |= there & (power <= np.quantile(power[there], QUIET_SHARE))
    return quiet


def _level(brightness: Plane) -> npt.NDArray[np.intp]:
    return np.rint(brightness * (LEVELS - 1)).astype(np.intp)


def _by_level(residual: Picture, brightness: Plane) -> Picture:
    """[LEVELS, 3]: deviation of residuals [N, 3] at each level; a level that is not seen takes its neighbours'."""
    nearest = _level(brightness)
    seen = [level for level in range(LEVELS) if (nearest == level).sum() >= FEWEST]
    if not seen:
        return np.zeros((LEVELS, 3), np.float32)
    found = np.stack([_deviation(residual[nearest == level]) for level in seen])
    return np.stack([np.interp(range(LEVELS), seen, found[:, channel]) for channel in range(3)], axis=-1).astype(np.float32)


def _deviation(residual: Picture) -> Picture:
    """[3], robust against the structure among residuals [N, 3]."""
    return np.asarray(TO_DEVIATION * np.median(np.abs(residual), axis=0), np.float32)


def _mixing(residual: Picture) -> Picture:
    """[3, 3], a root of the correlation of the channels."""
    if len(residual) < FEWEST or not (residual.std(axis=0) > 0).all():
        return np.eye(3, dtype=np.float32)
    correlation = np.corrcoef(residual, rowvar=False) + 1e-3 * np.eye(3)
    root = np.linalg.cholesky(correlation)
    return np.asarray(root / np.linalg.norm(root, axis=1, keepdims=True), np.float32)


def _alikeness(residual: Picture, where: npt.NDArray[np.bool_] | None) -> float:
    """Correlation of the fine part with itself one pixel on: low for single pixels, high for large grain."""
    fine = (_fine(residual) if where is None else residual)[..., 1]
    here, there = fine[:, :-1], fine[:, 1:]
    chosen = np.ones_like(here, np.bool_) if where is None else where[:, :-1] & where[:, 1:]
    power = float(np.square(here[chosen]).mean()) if chosen.any() else 0.0
    return float((here * there)[chosen].mean()) / power if power > 0 else 0.0


def _fine(picture: Picture) -> Picture:
    return picture - blurred(picture, FINE)


def _noise(softness: float) -> Picture:
    """A sample to compare with: [128, 128, 3]."""
    return _drawn((128, 128), softness, np.random.default_rng(0))


def _drawn(size: tuple[int, int], softness: float, draw: np.random.Generator) -> Picture:
    """Noise [h, w, 3] of deviation 1."""
    noise = draw.standard_normal((*size, 3), dtype=np.float32)
    if softness == 0:
        return noise
    # The sum of squares of a Gaussian's weights is what it leaves of the variance.
    kernel = cv2.getGaussianKernel(2 * int(4 * softness + 1) + 1, softness)
    return np.asarray(cv2.sepFilter2D(noise, -1, kernel, kernel, borderType=cv2.BORDER_REFLECT) / np.square(kernel).sum(), np.float32)
