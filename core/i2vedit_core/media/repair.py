"""Pixels that are not numbers: kept where the plate is copied, mended where somebody calculates with them."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from i2vedit_core.media.pixels import Picture


def broken_pixels(picture: Picture) -> NDArray[np.bool_]:
    """Where a picture `[H, W, C]` is NaN or infinite in any channel: `[H, W]`."""
    return np.asarray(~np.isfinite(picture).all(axis=2), np.bool_)


def repaired(picture: Picture, where: NDArray[np.bool_] | None = None) -> tuple[Picture, int]:
    """A picture `[H, W, C] float32` whose pixels are all numbers, and how many had to be mended.

    A pixel that is NaN or infinite in a channel takes that channel from the nearest pixel that is not; a channel without any becomes 0.
    `where` `[H, W]` narrows the repair: outside it every bit stays. A whole picture is given back as it is.
    """
    broken = ~np.isfinite(picture)
    if where is not None:
        broken &= where[:, :, None]
    if not broken.any():
        return picture, 0
    count = int(broken.any(axis=2).sum())
    mended = picture.copy()
    for channel in range(picture.shape[2]):
        _mend(mended[:, :, channel], broken[:, :, channel])
    return mended, count


def _mend(plane: Picture, broken: NDArray[np.bool_]) -> None:
    """One channel `[H, W]`, in place."""
    if not broken.any():
        return
    sound = np.isfinite(plane)
    if not sound.any():
        plane[broken] = 0
        return
    rows, columns = distance_transform_edt(~sound, return_distances=False, return_indices=True)[:, broken]
    plane[broken] = plane[rows, columns]
