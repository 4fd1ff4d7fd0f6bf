"""What goes in: a shot (a plate's frame range) and the edit painted on one of its frames."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.clip import ClipInfo
from i2vedit_core.media.decode import check_range, decode_frames
from i2vedit_core.media.edited import check_fits, on_plate
from i2vedit_core.media.repair import repaired
from i2vedit_core.media.source import ClipSource
from i2vedit_core.media.still import open_still


@dataclass(frozen=True)
class Shot:
    """A plate's frame range in source frame numbers: of a movie counted from 0, of a sequence those of its files. `last` is inclusive."""

    clip: ClipInfo
    first: int
    last: int

    @classmethod
    def open(cls, source: ClipSource | Path | str, first: int | None = None, last: int | None = None) -> "Shot":
        """Probes the clip and checks the range, by default all of it.

        Raises BridgeError (CLIP_*, RANGE_OUTSIDE_CLIP, FRAMES_MISSING, SETTING_INVALID).
        """
        clip = ClipSource.of(source).open()
        start, end = clip.first_frame if first is None else first, clip.last_frame if last is None else last
        check_range(clip, start, end)
        return cls(clip, start, end)

    def __len__(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True)
class Edit:
    """The painted picture and the source frame it was painted on (None: the first frame of the shot)."""

    image: Path
    frame: int | None = None
    region: Path | None = None
    """A matte that the artist gives: a picture for the painted frame, or a clip with a frame for each of the shot."""
    notices: tuple[str, ...] = field(default=(), compare=False)
    """What was done to the picture to make it fit, for the artist."""

    @classmethod
    def open(cls, path: str | Path, shot: Shot, frame: int | None = None, region: str | Path | None = None) -> "Edit":
        """Reads the picture once and checks that it fits the shot's plate. The region is looked at when it is used (`delivery.region`).

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
        notices = on_plate(still, shot.clip, repaired(plate)[0]).notices
        return cls(still.path, frame, Path(os.path.abspath(region)) if region else None, notices)
