"""What a clip is: size, rate, every frame's time, colour tags, timecode. Read without ffprobe, in a process of its own."""

import contextlib
import json
import os
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media import tags, timecode
from i2vedit_core.media.child import ChildFailedError, ReadyChild
from i2vedit_core.media.clip import ClipInfo, FieldOrder, Orientation
from i2vedit_core.media.diagnose import why_unreadable
from i2vedit_core.media.ffmpeg import DEMUXERS
from i2vedit_core.media.frame_files import is_sequence
from i2vedit_core.media.limits import MEGAPIXEL, Limits, limits
from i2vedit_core.media.rates import exact_rate
from i2vedit_core.media.sequence_clip import probe_sequence

__all__ = ["ClipInfo", "Orientation", "probe"]

PROBE_SECONDS = 60.0
READ_BYTES_PER_SECOND = 20e6
"""Every packet is read once; a slow network share must not run into the time limit."""
SCANS = 16
"""Clips whose scan is remembered."""
DEFAULT_RATE = Fraction(25)
FULL_RANGE = 2
FIELD_ORDERS = {2: FieldOrder.TOP_FIRST, 3: FieldOrder.BOTTOM_FIRST, 4: FieldOrder.BOTTOM_FIRST, 5: FieldOrder.TOP_FIRST}
"""By ffmpeg's AVFieldOrder, which tells the field that is coded first from the one that is shown first."""
UNTIMED = ("avi",)
"""Containers that store the order of decoding alone; their frames are found by counting."""


def probe(path: str | Path, video_stream: int = 0) -> ClipInfo:
    """Opens a movie, or a sequence of pictures by its folder, its pattern or one of its files.

    `video_stream` counts a movie's video streams from 1; 0: the one that the file itself prefers. Raises BridgeError CLIP_NOT_FOUND,
    CLIP_UNREADABLE, CLIP_UNSUPPORTED, or SETTING_INVALID for a stream that is not there.
    """
    if "\0" in str(path):
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.CLIP_NOT_FOUND, "The name of the clip holds a NUL character.")
    clip = Path(os.path.abspath(path))
    if is_sequence(clip):
        return probe_sequence(clip)
    _check_file(clip)
    found = _scan(clip, video_stream)
    _check_whole(clip, found)
    _check_supported(clip, found)
    return _clip_info(clip, found)


def _unreadable(sentence: str) -> BridgeError:
    return BridgeError(Code.INVALID_ARGUMENT, Reason.CLIP_UNREADABLE, sentence)


def _unsupported(sentence: str) -> BridgeError:
    return BridgeError(Code.UNIMPLEMENTED, Reason.CLIP_UNSUPPORTED, sentence)


def _check_file(clip: Path) -> None:
    """Raises BridgeError unless this is a readable, ordinary file."""
    try:
        if not clip.exists():
            raise BridgeError(Code.NOT_FOUND, Reason.CLIP_NOT_FOUND, f"There is no clip at '{clip}'; check the path.")
        if not clip.is_file():
            raise _unreadable(f"'{clip.name}' is not an ordinary file; give a movie file.")
        with clip.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise _unreadable(f"'{clip}' cannot be opened: {error.strerror}; check its permissions.") from error


_SCANNER = ReadyChild("scan_clip.py")


def expect_probes() -> None:
    """Somebody will soon wait for a clip to be looked at."""
    _SCANNER.keep_ready()


def _scan(clip: Path, video_stream: int) -> dict[str, Any]:
    """What the reader of clips tells, once for each state of the file: somebody waits for it with every job."""
    found = clip.stat()
    return _scan_once(clip, video_stream, (found.st_size, found.st_mtime_ns, found.st_ino), limits())


@lru_cache(maxsize=SCANS)
def _scan_once(clip: Path, video_stream: int, state: tuple[int, int, int], within: Limits) -> dict[str, Any]:
    """`state`: size, time of the last change and number of the file; `within`: what its reader may take."""
    size = state[0]
    if size == 0:
        raise _unreadable(why_unreadable(clip))
    seconds = PROBE_SECONDS + size / READ_BYTES_PER_SECOND
    try:
        found: dict[str, Any] = json.loads(_SCANNER.run(seconds, str(clip), DEMUXERS, str(video_stream)))
    except (ChildFailedError, ValueError) as error:
        raise _unreadable(f"'{clip.name}' is damaged: its reader gave up; export the clip again.") from error
    if "failure" in found:
        raise _refusal(clip, found["failure"], found["detail"])
    return found


def _refusal(clip: Path, kind: str, detail: str) -> BridgeError:
    name = clip.name
    if kind == "no_video":
        return _unsupported(f"'{name}' has no video stream; give a clip with a picture.")
    if kind == "no_such_stream":
        streams = f"{detail} video streams" if detail != "1" else "1 video stream"
        sentence = f"'{name}' has {streams}; choose one of them by its number, from 1."
        return BridgeError(Code.INVALID_ARGUMENT, Reason.SETTING_INVALID, sentence)
    if kind == "no_decoder":
        return _unsupported(f"'{name}' is in a codec that ffmpeg cannot decode; export it as ProRes, DNxHR or H.264.")
    if kind == "pixel_format":
        return _unsupported(f"'{name}' has pixels of the kind '{detail}', which are not supported; export it as ProRes, DNxHR or H.264.")
    if kind == "undecodable":
        return _unreadable(f"No picture could be decoded from '{name}' ({detail}); the clip is damaged, export it again.")
    return _unreadable(why_unreadable(clip))


def _check_whole(clip: Path, found: dict[str, Any]) -> None:
    if found["frame_count"] < 1:
        raise _unreadable(f"'{clip.name}' holds no frames; export the clip again.")
    promised, there = found["promised_frames"], found["packet_count"]
    if "mov" in found["container"].split(",") and there < promised:
        raise _unreadable(f"'{clip.name}' is cut off: it promises {promised} frames and holds {there}; copy or export it again.")


def _check_supported(clip: Path, found: dict[str, Any]) -> None:
    _check_extent(clip, found)
    matrix = tags.MATRICES.get(found["matrix"], tags.UNSPECIFIED)
    if not found["is_rgb"] and matrix not in (tags.UNSPECIFIED, "gbr", *tags.LUMA_WEIGHTS):
        raise _unsupported(
            f"'{clip.name}' is encoded with the colour matrix '{matrix}', which is not supported; export it as BT.709 or BT.2020."
        )


def _check_extent(clip: Path, found: dict[str, Any]) -> None:
    """Size and length, by the limits of this process."""
    largest = limits()
    width, height = found["stored_width"], found["stored_height"]
    if max(width, height) > largest.side_pixels or width * height > largest.clip_megapixels * MEGAPIXEL:
        raise _unsupported(
            f"'{clip.name}' is {width}x{height}; clips of up to {largest.side_pixels} pixels a side and "
            f"{largest.clip_megapixels} megapixels are supported."
        )
    if found["frame_count"] > largest.clip_frames:
        sentence = f"'{clip.name}' has {found['frame_count']} frames, {largest.clip_frames} are supported; cut the shot out of it first."
        raise _unsupported(sentence)
    hours = found["frame_count"] / _rate(found) / 3600
    if hours > largest.clip_hours:
        sentence = f"'{clip.name}' lasts {float(hours):.3g} hours, {largest.clip_hours:g} are supported; cut the shot out of it first."
        raise _unsupported(sentence)


def _rate(found: dict[str, Any]) -> Fraction:
    told = exact_rate(Fraction(*found["rate"])) if found["rate"] else None
    return told or DEFAULT_RATE


def _matrix(found: dict[str, Any]) -> str:
    if found["is_rgb"]:
        return "gbr"
    tagged = tags.MATRICES.get(found["matrix"], tags.UNSPECIFIED)
    return tagged if tagged in tags.LUMA_WEIGHTS else tags.assumed_matrix(found["stored_width"], found["stored_height"])


def _start_timecode(found: dict[str, Any], rate: Fraction) -> str | None:
    """The file's timecode in canonical form, from the first place that has a possible one; None where none has."""
    for text in found["timecodes"]:
        with contextlib.suppress(ValueError):
            return str(timecode.Timecode.parse(text, rate))
    return None


def _field_order(found: dict[str, Any]) -> FieldOrder:
    """By the frames' own flags; the stream's header says which field is first."""
    if not found["interlaced"]:
        return FieldOrder.PROGRESSIVE
    return FIELD_ORDERS.get(found["field_order"], FieldOrder.UNKNOWN)


def _clip_info(clip: Path, found: dict[str, Any]) -> ClipInfo:
    orientation = Orientation(*found["orientation"])
    width, height = found["stored_width"], found["stored_height"]
    aspect = Fraction(*found["pixel_aspect"]) if found["pixel_aspect"] else Fraction(1)
    aspect = aspect if aspect > 0 else Fraction(1)
    if orientation.swaps_axes:
        width, height, aspect = height, width, 1 / aspect
    rate = _rate(found)
    is_timed = found["container"] not in UNTIMED
    return ClipInfo(
        path=clip,
        width=width,
        height=height,
        rate=rate,
        frame_count=found["frame_count"],
        codec=found["codec"],
        pixel_format=found["pixel_format"],
        planar_format=found["planar_format"],
        bit_depth=found["bit_depth"],
        full_range=found["is_rgb"] or found["color_range"] == FULL_RANGE,
        matrix=_matrix(found),
        primaries=tags.PRIMARIES.get(found["primaries"], tags.UNSPECIFIED),
        transfer=tags.TRANSFERS.get(found["transfer"], tags.UNSPECIFIED),
        pixel_aspect=aspect,
        start_timecode=_start_timecode(found, rate),
        has_alpha=found["has_alpha"],
        orientation=orientation,
        stream_index=found["stream_index"],
        container=found["container"],
        time_base=Fraction(*found["time_base"]) if found["time_base"] else 1 / rate,
        timestamps=tuple(found["timestamps"]) if is_timed else (),
        keyframes=tuple(found["keyframes"]) if is_timed else (),
        field_order=_field_order(found),
        video_stream=found["video_stream"],
        video_stream_count=found["video_stream_count"],
    )
