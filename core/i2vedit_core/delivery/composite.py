"""The promise that outside the matte every pixel is the plate's."""

import numpy as np

from i2vedit_core.media.pixels import Picture


def composite(plate: Picture, new: Picture, matte: Picture) -> Picture:
    """`new` over `plate` through a soft `matte`: `[H, W, 3]`, `[H, W, 3]`, `[H, W]` in 0..1 -> `[H, W, 3] float32`.

    Where the matte is 0 the plate's values are copied, bit for bit; where it is 1 the new ones are.
    """
    if plate.shape != new.shape or plate.shape[:2] != matte.shape or plate.shape[2:] != (3,):
        raise ValueError(f"Plate {plate.shape}, new {new.shape} and matte {matte.shape} do not belong together.")
    weight = np.asarray(matte, np.float32)[:, :, None]
    with np.errstate(invalid="ignore", over="ignore"):
        mixed = plate + weight * (new - plate)
    # Copied, not computed: `new` may hold what no arithmetic with 0 removes (inf, NaN), and 1 must give `new` exactly.
    return np.where(weight > 0, np.where(weight < 1, mixed, new), plate).astype(np.float32, copy=False)
