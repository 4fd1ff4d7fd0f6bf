"""Pixels of a plate that are no numbers, so that what is computed from its neighbours is."""

import numpy as np
from scipy.ndimage import distance_transform_edt

from i2vedit_core.media.pixels import Picture


def repair(picture: Picture) -> tuple[Picture, int]:
    """`[H, W, C]` with NaN and infinity replaced by the nearest pixel that has neither, and how many pixels that were.

    The same array where there are none.
    """
    broken = ~np.isfinite(picture).all(axis=-1)
    count = int(broken.sum())
    if count == 0:
        return picture, 0
    if broken.all():
        return np.zeros_like(picture), count
    nearest = distance_transform_edt(broken, return_distances=False, return_indices=True)
    return picture[tuple(nearest)], count
