"""The painted frame beside its plate: what was painted, and how exactly the picture can say it."""

from dataclasses import dataclass

import numpy as np

from i2vedit_core.matte import painted_difference, was_painted
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.edited import EIGHT_BIT, SIXTEEN_BIT, read_edited
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.working import AS_IT_IS, Working
from i2vedit_core.shot import Edit, Shot


@dataclass(frozen=True)
class Painted:
    """The painted frame beside its plate, both [H, W, 3] float32 in the plate's encoding."""

    plate: Picture
    picture: Picture
    """Exactly the plate where nothing was painted."""
    precision: float = SIXTEEN_BIT
    """The difference that the picture's own rounding may make."""
    working: Working = AS_IT_IS
    """In what they are compared."""

    @property
    def difference(self) -> Picture:
        """[H, W] float32, in the working encoding."""
        return painted_difference(self.working.encode(self.plate), self.working.encode(self.picture))

    @property
    def changed(self) -> bool:
        """Whether anything was painted at all."""
        precision = self.precision
        return was_painted(np.where(self.difference > precision, self.difference, 0), exact=precision < EIGHT_BIT)


def read_painted(edit: Edit, shot: Shot) -> Painted:
    """Raises BridgeError as `read_edited` and `decode_frames`."""
    (plate,) = decode_frames(shot.clip, shot.first, shot.first)
    edited = read_edited(edit.image, shot.clip, plate)
    return Painted(plate[..., :3], edited.pixels, edited.precision, Working.of(shot.clip.color_space))
