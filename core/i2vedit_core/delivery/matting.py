"""The mattes of a shot, frame after frame: what the model changed, beside what the plate's own motion says of the painted region."""

from dataclasses import dataclass

from i2vedit_core.delivery.carry import Carry
from i2vedit_core.matte import Calibration, change
from i2vedit_core.media.pixels import Picture
from i2vedit_core.settings import EditKind


@dataclass(frozen=True)
class ChunkPictures:
    """A finished chunk at the model's size: edited and source [F, h, w, 3] in 0..1, edit map [F, h, w] in [0, 1]."""

    edited: Picture
    source: Picture
    """The source by the same way through the autoencoder, so that its errors cancel (METHOD section 8)."""
    edit_map: Picture

    def part(self, part: slice) -> "ChunkPictures":
        return ChunkPictures(self.edited[part], self.source[part], self.edit_map[part])


class Matting:
    """Learns from the painted frame, then makes the mattes of all frames after it, in their order and none left out."""

    def __init__(self, plate: Picture, difference: Picture, kind: EditKind, first: ChunkPictures) -> None:
        """The painted frame at the model's size: its plate [h, w, 3], the difference that was painted [h, w], and the chunk that
        begins with it."""
        self._calibration = Calibration.of(change(first.edited[0], first.source[0]), first.edit_map[0], difference)
        self._carry = Carry(plate, difference, kind)

    def follow(self, plate: Picture, edited: Picture, source: Picture, edit_map: Picture) -> Picture:
        """The matte of the next frame, [h, w] in 0..1: its plate as it is, and a frame of `ChunkPictures`."""
        return self._calibration.witnessed(change(edited, source), edit_map, self._carry.follow(plate))
