"""What is delivered of the frames that later chunks begin with, for the method to begin there (docs/decisions/0039)."""

from collections.abc import Mapping

import numpy as np

from i2vedit_core.delivery.patch import Patch
from i2vedit_core.media.fit import Fit
from i2vedit_core.media.flow import resized
from i2vedit_core.media.pixels import Picture
from i2vedit_core.method.chunks import Chunk
from i2vedit_core.method.propagation import Anchor
from i2vedit_core.pictures import to_pixels


class KeptAnchors:
    """Is shown the frames of a leg as they are made, and keeps one at a time."""

    def __init__(self, fit: Fit, starts: Mapping[int, int]) -> None:
        """`starts`: the first frame of each later chunk, by the chunk's index."""
        self._fit, self._starts = fit, starts
        self._kept: dict[int, Anchor] = {}

    def see(self, frame: int, plate: Picture, patch: Patch) -> None:
        """A frame is made: its plate [H, W, 3] in the working encoding, and what is laid over it."""
        if frame in self._starts.values():
            self._kept[frame] = anchor_of(self._fit, plate, patch)

    def take(self, chunk: Chunk) -> Anchor | None:
        """Of the frame that a chunk begins with; None where that was not seen."""
        return self._kept.pop(self._starts[chunk.index], None)


def anchor_of(fit: Fit, plate: Picture, patch: Patch) -> Anchor:
    """For a plate [H, W, 3] in the working encoding. Inside the matte it is known as far as it can be followed to what was painted."""
    matte = patch.matte[..., None]
    sure = resized(patch.sure, *plate.shape[:2])[..., None]
    picture = fit.shrink(np.asarray(plate + matte * (patch.new - plate), np.float32))
    weight = 1 - fit.shrink(np.asarray(matte * (1 - sure), np.float32))
    return Anchor(to_pixels(picture[None]), (to_pixels(weight[None]) + 1) / 2)
