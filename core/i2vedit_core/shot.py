"""What goes in: a shot (a plate's frame range) and the edits painted on some of its frames."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
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
    """The painted picture, and the source frame that it was painted on: a key of the shot."""

    image: Path
    frame: int
    region: Path | None = None
    """A matte that the artist gives: a picture for the painted frame, or a clip with a frame for each of the shot."""
    notices: tuple[str, ...] = field(default=(), compare=False)
    """What was done to the picture to make it fit, for the artist."""

    @classmethod
    def open(cls, path: str | Path, shot: Shot, frame: int | None = None, region: str | Path | None = None) -> "Edit":
        """Reads the picture once and checks that it fits the plate of its frame, by default the shot's first. The region is looked at when
        it is used (`delivery.region`).

        Raises BridgeError (EDIT_NOT_FOUND, EDIT_UNREADABLE, EDIT_SIZE_MISMATCH, EDIT_SHIFTED, NOT_FINITE, RANGE_OUTSIDE_CLIP,
        CLIP_UNREADABLE).
        """
        frame = shot.first if frame is None else frame
        check_keys(shot, [frame])
        with ThreadPoolExecutor(1) as beside:  # each waits for a process of its own, and somebody for both
            decoding = beside.submit(lambda: list(decode_frames(shot.clip, frame, frame)))
            still = open_still(path)
            check_fits(still, shot.clip)
            (plate,) = decoding.result()
        notices = on_plate(still, shot.clip, repaired(plate)[0]).notices
        return cls(still.path, frame, Path(os.path.abspath(region)) if region else None, notices)


def check_keys(shot: Shot, frames: Iterable[int]) -> None:
    """Raises BridgeError RANGE_OUTSIDE_CLIP for a painted frame that the shot does not have."""
    for frame in frames:
        if not shot.first <= frame <= shot.last:
            sentence = (
                f"The edit was painted on frame {frame}, which is outside the shot's frames {shot.first} to {shot.last}; "
                "give the frame that was painted, or a range that holds it."
            )
            raise BridgeError(Code.OUT_OF_RANGE, Reason.RANGE_OUTSIDE_CLIP, sentence)


def in_order(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits of one shot by frame. Raises BridgeError EDIT_NOT_FOUND where there is none, EDIT_FRAME_TAKEN for two of one frame."""
    ordered = tuple(sorted(edits, key=lambda edit: edit.frame))
    if not ordered:
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.EDIT_NOT_FOUND, "No edited frame was given; give the picture that was painted.")
    for one, other in pairwise(ordered):
        if one.frame == other.frame:
            sentence = f"'{one.image.name}' and '{other.image.name}' were both painted on frame {one.frame}; give one of them."
            raise BridgeError(Code.INVALID_ARGUMENT, Reason.EDIT_FRAME_TAKEN, sentence)
    return ordered
