"""The painted frame beside its plate: what was painted, and how exactly the picture can say it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat

import numpy as np

from i2vedit_core.delivery.region import Region, open_region
from i2vedit_core.matte import finish, painted_matte, was_painted
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.edited import EIGHT_BIT, SIXTEEN_BIT, read_edited
from i2vedit_core.media.flow import Plane
from i2vedit_core.media.pixels import Picture, largest_difference
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
    frame: int = 0
    """Source frame number."""
    region: Region | None = None
    """A matte that the artist gave. What was painted elsewhere does not count."""

    @cached_property
    def given(self) -> Plane | None:
        """[H, W] in 0..1: the artist's matte of the painted frame."""
        return finish(self.region.first(self.frame)) if self.region else None

    @cached_property
    def difference(self) -> Plane:
        """[H, W] float32, in the working encoding."""
        found = largest_difference(self.working.encode(self.plate), self.working.encode(self.picture))
        return found if self.given is None else np.where(self.given > 0, found, np.float32(0))

    @property
    def matte(self) -> Plane:
        """[H, W] in 0..1: of the painted frame itself."""
        if self.given is not None and self.region is not None and self.region.clip is not None:
            return self.given  # a clip says where the edit is, also where nothing was painted
        found = painted_matte(self.difference, self.precision)
        return found if self.given is None else np.where(found > 0, self.given, np.float32(0))

    def mattes(self, frames: range) -> Iterator[Plane | None]:
        """The artist's matte of each of these source frames; None where it is left to us."""
        given = repeat(None, len(frames)) if self.region is None else self.region.given(frames)
        return (None if matte is None else finish(matte) for matte in given)

    @property
    def changed(self) -> bool:
        """Whether anything was painted at all."""
        precision = self.precision
        return was_painted(np.where(self.difference > precision, self.difference, 0), exact=precision < EIGHT_BIT)


def read_painted(edit: Edit, shot: Shot) -> Painted:
    """Raises BridgeError as `read_edited`, `decode_frames` and `Region.open`."""
    (plate,) = decode_frames(shot.clip, edit.frame, edit.frame)
    whole = repaired(plate)[0]
    edited, working = read_edited(edit.image, shot.clip, whole), Working.of(shot.clip.color_space)
    return Painted(whole[..., :3], edited.pixels, edited.precision, working, edit.frame, open_region(edit, shot))
