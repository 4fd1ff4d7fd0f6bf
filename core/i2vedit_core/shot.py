"""What goes in: a shot (a plate's frame range) and the edit painted on one of its frames."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.decode import decode_frames, outside
from i2vedit_core.media.edited import check_fits, on_plate
from i2vedit_core.media.probe import ClipInfo, probe
from i2vedit_core.media.spaces import find_space
from i2vedit_core.media.still import open_still


@dataclass(frozen=True)
class Shot:
    """A plate's frame range. Frames are source frame numbers counted from 0; `last` is inclusive."""

    clip: ClipInfo
    first: int
    last: int

    @classmethod
    def open(cls, path: str | Path, first: int = 0, last: int | None = None, color_space: str = "") -> "Shot":
        """Probes the clip and checks the range. `color_space`: an OCIO name for clips that do not say, or say wrongly, what they are.

        Raises BridgeError (CLIP_*, RANGE_OUTSIDE_CLIP, SETTING_INVALID).
        """
        clip = in_space(probe(path), color_space)
        end = clip.frame_count - 1 if last is None else last
        if not 0 <= first <= end < clip.frame_count:
            raise outside(clip, first, end)
        return cls(clip, first, end)

    def __len__(self) -> int:
        return self.last - self.first + 1


def in_space(clip: ClipInfo, color_space: str) -> ClipInfo:
    """The clip, taken for what an OCIO name or a host's name says; an empty one leaves it to its tags. Raises SETTING_INVALID."""
    return replace(clip, named_space=find_space(color_space)) if color_space else clip


@dataclass(frozen=True)
class Edit:
    """The painted picture and the source frame it was painted on (None: the first frame of the shot)."""

    image: Path
    frame: int | None = None
    notices: tuple[str, ...] = field(default=(), compare=False)
    """What was done to the picture to make it fit, for the artist."""

    @classmethod
    def open(cls, path: str | Path, shot: Shot, frame: int | None = None) -> "Edit":
        """Reads the picture once and checks that it fits the shot's plate.

        Raises BridgeError (EDIT_NOT_FOUND, EDIT_UNREADABLE, EDIT_SIZE_MISMATCH, EDIT_SHIFTED, EDIT_FRAME_UNSUPPORTED, NOT_FINITE,
        RANGE_OUTSIDE_CLIP, CLIP_UNREADABLE).
        """
        if frame is not None and not shot.first <= frame <= shot.last:
            sentence = f"The edit was painted on frame {frame}, which is outside the shot's frames {shot.first} to {shot.last}."
            raise BridgeError(Code.OUT_OF_RANGE, Reason.RANGE_OUTSIDE_CLIP, sentence)
        if frame not in (None, shot.first):
            sentence = f"The edit was painted on frame {frame}; for now it must be the first of the range, which begins at {shot.first}."
            raise BridgeError(Code.UNIMPLEMENTED, Reason.EDIT_FRAME_UNSUPPORTED, sentence)
        still = open_still(path)
        check_fits(still, shot.clip)
        (plate,) = decode_frames(shot.clip, shot.first, shot.first)
        return cls(still.path, frame, on_plate(still, shot.clip, plate).notices)
