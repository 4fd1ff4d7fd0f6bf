"""The painted frame beside its plate: what was painted, and how exactly the picture can say it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from i2vedit_core.delivery.region import open_region
from i2vedit_core.matte import finish, painted_difference, painted_matte, was_painted
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.flow import Plane
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.repair import repaired
from i2vedit_core.media.still import read_still
from i2vedit_core.shot import Edit, Shot

EIGHT_BIT = 1.01 / 255
SIXTEEN_BIT = 2 / 65535
"""Photoshop's 16 bits are 15 bits and one value more."""


@dataclass(frozen=True)
class Painted:
    """The painted frame beside its plate, both [H, W, 3] float32 in the plate's encoding, without pixels that are no numbers."""

    plate: Picture
    picture: Picture
    region: Plane | None = None
    """[H, W] in 0..1: a matte for it that the artist gave. What was painted elsewhere does not count."""
    region_stands: bool = False
    """Whether the given matte is the matte, also where nothing was painted."""

    @cached_property
    def difference(self) -> Plane:
        """[H, W] float32."""
        found = painted_difference(self.plate, self.picture)
        return found if self.region is None else np.where(self.region > 0, found, np.float32(0))

    @property
    def matte(self) -> Plane:
        """[H, W] in 0..1: of the painted frame itself."""
        if self.region is not None and self.region_stands:
            return self.region
        found = painted_matte(self.difference, self.precision)
        return found if self.region is None else np.where(found > 0, self.region, np.float32(0))

    @property
    def changed(self) -> bool:
        """Whether anything was painted at all."""
        precision = self.precision
        return was_painted(np.where(self.difference > precision, self.difference, 0), exact=precision == SIXTEEN_BIT)

    @cached_property
    def precision(self) -> float:
        """The difference that the picture's own rounding may make."""
        # Beyond 0 and 1 stand the plate's own values, which no picture of whole numbers can hold.
        codes = self.picture[(self.picture >= 0) & (self.picture <= 1)] * 255
        return EIGHT_BIT if bool((np.abs(codes - np.rint(codes)) < 1e-3).all()) else SIXTEEN_BIT


def read_painted(edit: Edit, shot: Shot) -> Painted:
    """Raises BridgeError as `read_still`, `decode_frames` and `Region.open`."""
    (plate,) = decode_frames(shot.clip, shot.first, shot.first)
    whole = repaired(plate)[0][..., :3]
    region = open_region(edit, shot)
    given = finish(region.first(shot.first)) if region else None
    return Painted(whole, read_still(edit.image, shot.clip, whole), given, bool(region and region.clip))
