"""A matte that the artist brings along: one picture says what of the painted frame counts, a clip says where the edit is in each frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.decode import decode_along
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.probe import ClipInfo, probe
from i2vedit_core.media.still import open_still
from i2vedit_core.shot import Edit, Shot

LUMA = np.asarray((0.2126, 0.7152, 0.0722), np.float32)
PICTURES = frozenset({".png", ".tif", ".tiff", ".exr", ".jpg", ".jpeg", ".psd"})


@dataclass(frozen=True)
class Region:
    """A matte from a file: its alpha, or its brightness where it has none. Either a picture or a clip."""

    picture: Picture | None = None
    """[H, W]: of the painted frame."""
    clip: ClipInfo | None = None
    start: int = 0
    """The source frame that the clip's first frame belongs to."""

    @classmethod
    def open(cls, path: Path, shot: Shot) -> "Region":
        """A picture, for the painted frame; or a clip with a frame for each of the whole plate's, or for each of the shot's alone.

        Raises BridgeError REGION_UNUSABLE.
        """
        try:
            return _of_picture(path, shot) if path.is_file() and path.suffix.lower() in PICTURES else _of_clip(path, shot)
        except BridgeError as error:
            if error.reason is Reason.REGION_UNUSABLE:
                raise
            why = error.sentence.replace("edited frame", "picture")  # what reads stills calls them so
            raise BridgeError(error.code, Reason.REGION_UNUSABLE, f"The region cannot be used: {why}") from error

    def first(self, frame: int) -> Picture:
        """The matte [H, W] of the painted frame."""
        return self.picture if self.picture is not None else next(self._mattes(range(frame, frame + 1)))

    def given(self, frames: range) -> Iterator[Picture | None]:
        """The matte of each of these source frames; None where it is left to us."""
        return repeat(None, len(frames)) if self.clip is None else self._mattes(frames)

    def _mattes(self, frames: range) -> Iterator[Picture]:
        assert self.clip is not None
        for picture in decode_along(self.clip, range(frames.start - self.start, frames.stop - self.start, frames.step)):
            yield _plane(picture[..., :3], picture[..., 3] if picture.shape[2] == 4 else None)


def _of_picture(path: Path, shot: Shot) -> Region:
    still = open_still(path)
    _check_size(still.path.name, still.size, shot)
    return Region(picture=_plane(still.pixels, still.alpha))


def _of_clip(path: Path, shot: Shot) -> Region:
    clip, wanted = probe(path), len(shot)
    _check_size(clip.path.name, (clip.width, clip.height), shot)
    if clip.frame_count != wanted and clip.frame_count <= shot.last:
        counts = f"has another number of frames than the shot: {clip.frame_count}, and not {wanted}"
        raise _unusable(clip.path.name, f"{counts}; give one picture, or a frame for each of the shot")
    return Region(clip=clip, start=shot.first if clip.frame_count == wanted else 0)


def _check_size(name: str, size: tuple[int, int], shot: Shot) -> None:
    plate = shot.clip
    if size != (plate.width, plate.height):
        sizes = f"is {size[0]}x{size[1]}, the clip is {plate.width}x{plate.height}"
        raise _unusable(name, f"{sizes}; save it at the size of the clip")


def _plane(colour: Picture, alpha: Picture | None) -> Picture:
    """What a picture [H, W, 3] with its alpha [H, W] says as a matte [H, W]; what is no number says nothing."""
    plane = np.asarray(colour @ LUMA if alpha is None else alpha, np.float32)
    return np.clip(np.nan_to_num(plane, nan=0, posinf=1, neginf=0), 0, 1)


def open_region(edit: Edit, shot: Shot) -> Region | None:
    """The matte that came with an edit, if one did. Raises BridgeError REGION_UNUSABLE."""
    return Region.open(edit.region, shot) if edit.region else None


def _unusable(name: str, why: str) -> BridgeError:
    return BridgeError(Code.INVALID_ARGUMENT, Reason.REGION_UNUSABLE, f"The region '{name}' {why}.")
