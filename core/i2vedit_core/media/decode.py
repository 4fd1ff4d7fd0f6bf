"""Frame-exact decode of a range, whatever the clip is made of."""

from collections.abc import Iterator
from itertools import islice

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.clip import ClipInfo
from i2vedit_core.media.file_frames import read_pictures
from i2vedit_core.media.movie_frames import read_movie
from i2vedit_core.media.pixels import Picture

BACKWARD_BYTES = 10**9
"""What decoded frames may take at once while a clip is read backwards, which no decoder can: group by group."""
PIXEL_BYTES = 16


def decode_frames(clip: ClipInfo, first: int, last: int) -> Iterator[Picture]:
    """Source frames `first` to `last` (inclusive), one at a time, each `[H, W, 3] float32` (4 with alpha) in display orientation.

    Values are the plate's own encoding with black at 0 and white at 1; what lies beyond is kept (see `pixels.to_rgb`), and so are the NaN
    and infinities of float pictures. Raises BridgeError RANGE_OUTSIDE_CLIP, FRAMES_MISSING or CLIP_UNREADABLE.
    """
    check_range(clip, first, last)
    return read_pictures(clip, first, last) if clip.files is not None else read_movie(clip, first, last)


def decode_along(clip: ClipInfo, frames: range) -> Iterator[Picture]:
    """As `decode_frames`, in the order of `frames`, which may leave frames out and may go back in time."""
    if not frames:
        return
    if frames.step > 0:
        yield from islice(decode_frames(clip, frames[0], frames[-1]), None, None, frames.step)
        return
    count = max(1, BACKWARD_BYTES // (clip.width * clip.height * PIXEL_BYTES))
    for start in range(0, len(frames), count):
        group = list(decode_along(clip, frames[start : start + count][::-1]))
        while group:
            yield group.pop()


def check_range(clip: ClipInfo, first: int, last: int) -> None:
    """Raises BridgeError RANGE_OUTSIDE_CLIP or FRAMES_MISSING for a range that the clip does not have."""
    if not clip.first_frame <= first <= last <= clip.last_frame:
        sentence = f"Frames {first} to {last} were asked for; '{clip.path.name}' has frames {clip.first_frame} to {clip.last_frame}."
        raise BridgeError(Code.OUT_OF_RANGE, Reason.RANGE_OUTSIDE_CLIP, sentence)
    missing = clip.files.missing_words(first, last) if clip.files is not None else ""
    if missing:
        sentence = f"'{clip.path.name}' lacks {missing}; render what is missing, or give a --range without it."
        raise BridgeError(Code.FAILED_PRECONDITION, Reason.FRAMES_MISSING, sentence)
