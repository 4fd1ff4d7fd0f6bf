"""The painted frame beside its plate: what was painted, and how exactly the picture can say it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from i2vedit_core.delivery.region import open_region
from i2vedit_core.matte import finish, painted_difference, painted_matte, was_painted
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.edited import EIGHT_BIT, SIXTEEN_BIT, read_edited
from i2vedit_core.media.flow import Plane
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.repair import repaired
from i2vedit_core.media.working import AS_IT_IS, Working
from i2vedit_core.shot import Edit, Shot


@dataclass(frozen=True)
class Painted:
    """The painted frame beside its plate, both [H, W, 3] float32 in the plate's encoding, without pixels that are no numbers."""

    plate: Picture
    picture: Picture
    """Exactly the plate where nothing was painted."""
    precision: float = SIXTEEN_BIT
    """The difference that the picture's own rounding may make, in the working encoding."""
    working: Working = AS_IT_IS
    """In what they are compared."""
    region: Plane | None = None
    """[H, W] in 0..1: a matte for it that the artist gave. What was painted elsewhere does not count."""
    region_stands: bool = False
    """Whether the given matte is the matte, also where nothing was painted."""

    @cached_property
    def difference(self) -> Plane:
        """[H, W] float32, in the working encoding."""
        found = painted_difference(self.working.encode(self.plate), self.working.encode(self.picture))
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
        return was_painted(np.where(self.difference > precision, self.difference, 0), exact=precision < EIGHT_BIT)


def read_painted(edit: Edit, shot: Shot) -> Painted:
    """Raises BridgeError as `read_edited`, `decode_frames` and `Region.open`."""
    (plate,) = decode_frames(shot.clip, shot.first, shot.first)
    whole = repaired(plate)[0]
    region = open_region(edit, shot)
    given = finish(region.first(shot.first)) if region else None
    edited, working = read_edited(edit.image, shot.clip, whole), Working.of(shot.clip.color_space)
    return Painted(whole[..., :3], edited.pixels, edited.precision, working, given, bool(region and region.clip))
