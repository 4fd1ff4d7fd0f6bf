"""The painted frame beside its plate: what was painted, and how exactly the picture can say it."""

from dataclasses import dataclass

import numpy as np

from i2vedit_core.matte import painted_difference, was_painted
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.still import read_still
from i2vedit_core.shot import Edit, Shot

EIGHT_BIT = 1.01 / 255
SIXTEEN_BIT = 2 / 65535
"""Photoshop's 16 bits are 15 bits and one value more."""


@dataclass(frozen=True)
class Painted:
    """The painted frame beside its plate, both [H, W, 3] float32 in the plate's encoding."""

    plate: Picture
    picture: Picture

    @property
    def difference(self) -> Picture:
        """[H, W] float32."""
        return painted_difference(self.plate, self.picture)

    @property
    def changed(self) -> bool:
        """Whether anything was painted at all."""
        precision = self.precision
        return was_painted(np.where(self.difference > precision, self.difference, 0), exact=precision == SIXTEEN_BIT)

    @property
    def precision(self) -> float:
        """The difference that the picture's own rounding may make."""
        # Beyond 0 and 1 stand the plate's own values, which no picture of whole numbers can hold.
        codes = self.picture[(self.picture >= 0) & (self.picture <= 1)] * 255
        return EIGHT_BIT if bool((np.abs(codes - np.rint(codes)) < 1e-3).all()) else SIXTEEN_BIT


def read_painted(edit: Edit, shot: Shot) -> Painted:
    """Raises BridgeError as `read_still` and `decode_frames`."""
    (plate,) = decode_frames(shot.clip, shot.first, shot.first)
    return Painted(plate[..., :3], read_still(edit.image, shot.clip, plate))
