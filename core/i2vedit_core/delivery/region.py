"""A matte that the artist brings along: one picture says what of the painted frame counts, a clip says where the edit is in each frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.probe import ClipInfo, probe
from i2vedit_core.shot import Edit, Shot

LUMA = np.asarray((0.2126, 0.7152, 0.0722), np.float32)


@dataclass(frozen=True)
class Region:
    """A matte from a file: its alpha, or its brightness where it has none."""

    clip: ClipInfo
    start: int
    """The source frame that its first frame belongs to."""

    @classmethod
    def open(cls, path: Path, shot: Shot) -> "Region":
        """A picture, for the painted frame; or a clip with a frame for each of the whole plate's, or for each of the shot's alone.

        Raises BridgeError REGION_UNUSABLE.
        """
        plate, wanted = shot.clip, len(shot)
        try:
            clip = probe(path)
        except BridgeError as error:
            raise BridgeError(error.code, Reason.REGION_UNUSABLE, f"The region cannot be used: {error.sentence}") from error
        if (clip.width, clip.height) != (plate.width, plate.height):
            sizes = f"is {clip.width}x{clip.height}, the clip is {plate.width}x{plate.height}"
            raise _unusable(clip.path.name, f"{sizes}; save it at the size of the clip")
        if clip.frame_count not in (1, wanted) and clip.frame_count <= shot.last:
            counts = f"has {clip.frame_count} frames, the shot {wanted}"
            raise _unusable(clip.path.name, f"{counts}; give one picture, or a frame for each of the shot")
        return cls(clip, shot.first if clip.frame_count in (1, wanted) else 0)

    @property
    def moves(self) -> bool:
        """Whether it has a matte for every frame."""
        return self.clip.frame_count > 1

    def first(self, frame: int) -> Picture:
        """The matte [H, W] of the painted frame."""
        return next(self._mattes(frame, frame))

    def given(self, first: int, last: int) -> Iterator[Picture | None]:
        """The matte of each of these source frames; None where it is left to us."""
        return self._mattes(first, last) if self.moves else repeat(None, last - first + 1)

    def _mattes(self, first: int, last: int) -> Iterator[Picture]:
        for picture in decode_frames(self.clip, first - self.start, last - self.start):
            yield _plane(picture)


def _plane(picture: Picture) -> Picture:
    """What a picture [H, W, 3 or 4] says as a matte [H, W]; what is no number says nothing."""
    plane = picture[..., 3] if picture.shape[2] == 4 else picture @ LUMA
    return np.clip(np.nan_to_num(np.asarray(plane, np.float32), nan=0, posinf=1, neginf=0), 0, 1)


def open_region(edit: Edit, shot: Shot) -> Region | None:
    """The matte that came with an edit, if one did. Raises BridgeError REGION_UNUSABLE."""
    return Region.open(edit.region, shot) if edit.region else None


def _unusable(name: str, why: str) -> BridgeError:
    return BridgeError(Code.INVALID_ARGUMENT, Reason.REGION_UNUSABLE, f"The region '{name}' {why}.")
