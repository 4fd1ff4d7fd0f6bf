"""A soft matte brought to the plate's size along the plate's own edges."""

import cv2
import numpy as np

from i2vedit_core.media.flow import Plane, resized
from i2vedit_core.media.pixels import Picture

EVENNESS = 1e-4
"""Variance of the plate below which it has no edges: the filter then only averages (epsilon of the guided filter)."""
SKIRT = 0.1
"""What the filter leaves below this, or above 1 minus this, is its own haze."""


def along_edges(matte: Plane, guide: Picture, large: Picture, radius: int) -> Plane:
    """A matte [h, w] in 0..1 at the size of `large` [H, W, 3], the plate of which `guide` [h, w, 3] is the small picture.

    The guided filter (He, Sun and Tang 2013): within a window of `radius` pixels the matte is the linear function of the plate's
    colour that fits best. Its coefficients are found at the small size and used at the large one (He and Sun 2015).
    """
    height, width = large.shape[:2]
    slopes, offset = _coefficients(matte, guide, radius)
    found = resized(offset, height, width)
    for channel in range(3):
        found += resized(slopes[..., channel], height, width) * large[..., channel]
    return np.asarray(np.clip((found - SKIRT) / (1 - 2 * SKIRT), 0, 1), np.float32)


def _coefficients(matte: Plane, guide: Picture, radius: int) -> tuple[Picture, Plane]:
    """Slope [h, w, 3] and offset [h, w] of the matte over the guide's colour, each the mean over the windows that hold the pixel."""
    mean_guide, mean_matte = _mean(guide, radius), _mean(matte, radius)
    shared = _mean(guide * matte[..., None], radius) - mean_guide * mean_matte[..., None]
    slopes = np.linalg.solve(_covariance(guide, mean_guide, radius), shared[..., None])[..., 0]
    offset = mean_matte - (slopes * mean_guide).sum(axis=-1)
    return _mean(np.asarray(slopes, np.float32), radius), _mean(np.asarray(offset, np.float32), radius)


def _covariance(guide: Picture, mean: Picture, radius: int) -> Picture:
    """[h, w, 3, 3] of the guide's colour within each window, with EVENNESS on the diagonal."""
    found = np.empty((*guide.shape[:2], 3, 3), np.float32)
    for i in range(3):
        for j in range(i, 3):
            found[..., i, j] = found[..., j, i] = _mean(guide[..., i] * guide[..., j], radius) - mean[..., i] * mean[..., j]
    return np.asarray(found + EVENNESS * np.eye(3), np.float32)


def _mean(picture: Picture, radius: int) -> Picture:
    side = 2 * radius + 1
    return np.asarray(cv2.boxFilter(picture, -1, (side, side), borderType=cv2.BORDER_REPLICATE), np.float32)
