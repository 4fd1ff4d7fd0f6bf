"""What a clip is: size, rate, every frame's time, colour tags, timecode. Read without ffprobe, in a process of its own."""

import json
import os
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media import tags, timecode
from i2vedit_core.media.child import Child, ChildFailedError
from i2vedit_core.media.diagnose import why_unreadable
from i2vedit_core.media.ffmpeg import DEMUXERS
from i2vedit_core.media.limits import MEGAPIXEL, limits

PROBE_SECONDS = 60.0
READ_BYTES_PER_SECOND = 20e6
"""Every packet is read once; a slow network share must not run into the time limit."""
DEFAULT_RATE = Fraction(25)
FULL_RANGE = 2
UNTIMED = ("avi",)
"""Containers that store the order of decoding alone; their frames are found by counting."""


@dataclass(frozen=True)
class Orientation:
    """How stored pixels lie on the screen: x' = a x + c y, y' = b x + d y, each a sign."""

    a: int = 1
    b: int = 0
    c: int = 0
    d: int = 1

    @property
    def swaps_axes(self) -> bool:
        return self.a == 0

    @property
    def flips_x(self) -> bool:
        return (self.c if self.swaps_axes else self.a) < 0

    @property
    def flips_y(self) -> bool:
        return (self.b if self.swaps_axes else self.d) < 0

    @property
    def rotation(self) -> int:
        """Degrees clockwise, mirroring aside."""
        return {(1, 0): 0, (0, 1): 90, (-1, 0): 180, (0, -1): 270}[self.a, self.b]


@dataclass(frozen=True)
class ClipInfo:
    """A clip as its file describes it. Frames count from 0 in the order in which they are shown."""

    path: Path
    width: int
    """Pixels across the screen, after rotation; not widened for non-square pixels."""
    height: int
    rate: Fraction
    """Frames a second; the nominal rate where frame times vary."""
    frame_count: int
    codec: str
    pixel_format: str
    """As ffmpeg names it: yuv420p, yuv422p10le, ..."""
    planar_format: str
    """The planar format in which ffmpeg hands the frames over without loss."""
    bit_depth: int
    full_range: bool
    matrix: str
    """As ffmpeg names it; `gbr` for RGB. For untagged streams the one that is assumed."""
    primaries: str
    transfer: str
    pixel_aspect: Fraction
    """Width of a pixel over its height, after rotation."""
    start_timecode: str | None
    has_alpha: bool
    orientation: Orientation
    stream_index: int
    container: str
    time_base: Fraction
    timestamps: tuple[int, ...] = field(repr=False)
    """Presentation time of every frame in units of `time_base`; empty where the container has none to rely on."""
    keyframes: tuple[int, ...] = field(repr=False)
    """Presentation times of the key frames, hidden ones included."""
    named_space: str = ""
    """OCIO name of the space that somebody who knows better than the file has given this clip; empty: by the file's tags."""

    @property
    def rotation(self) -> int:
        return self.orientation.rotation

    @property
    def stored_size(self) -> tuple[int, int]:
        """(width, height) before rotation."""
        return (self.height, self.width) if self.orientation.swaps_axes else (self.width, self.height)

    @property
    def color_space(self) -> str:
        """OCIO name of the plate's own encoding."""
        return self.named_space or tags.ocio_space(self.primaries, self.transfer)


def probe(path: str | Path) -> ClipInfo:
    """Opens a clip. Raises BridgeError CLIP_NOT_FOUND, CLIP_UNREADABLE or CLIP_UNSUPPORTED."""
    clip = _existing_file(Path(path))
    found = _scan(clip)
    _check_whole(clip, found)
    _check_supported(clip, found)
    return _clip_info(clip, found)


def _unreadable(sentence: str) -> BridgeError:
    return BridgeError(Code.INVALID_ARGUMENT, Reason.CLIP_UNREADABLE, sentence)


def _unsupported(sentence: str) -> BridgeError:
    return BridgeError(Code.UNIMPLEMENTED, Reason.CLIP_UNSUPPORTED, sentence)


def _existing_file(path: Path) -> Path:
    """The absolute path of a readable, ordinary, non-empty file."""
    if "\0" in str(path):
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.CLIP_NOT_FOUND, "The name of the clip holds a NUL character.")
    clip = Path(os.path.abspath(path))
    try:
        if clip.is_dir():
            raise _unreadable(f"'{clip.name}' is a folder; give a movie file.")
        if not clip.exists():
            raise BridgeError(Code.NOT_FOUND, Reason.CLIP_NOT_FOUND, f"There is no clip at '{clip}'; check the path.")
        if not clip.is_file():
            raise _unreadable(f"'{clip.name}' is not an ordinary file; give a movie file.")
        with clip.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise _unreadable(f"'{clip}' cannot be opened: {error.strerror}; check its permissions.") from error
    return clip


def _scan(clip: Path) -> dict[str, Any]:
    if clip.stat().st_size == 0:
        raise _unreadable(why_unreadable(clip))
    seconds = PROBE_SECONDS + clip.stat().st_size / READ_BYTES_PER_SECOND
    try:
        found: dict[str, Any] = json.loads(Child("scan_clip.py", seconds).run(str(clip), DEMUXERS))
    except (ChildFailedError, ValueError) as error:
        raise _unreadable(f"'{clip.name}' is damaged: its reader gave up; export the clip again.") from error
    if "failure" in found:
        raise _refusal(clip, found["failure"], found["detail"])
    return found


def _refusal(clip: Path, kind: str, detail: str) -> BridgeError:
    name = clip.name
    if kind == "no_video":
        return _unsupported(f"'{name}' has no video stream; give a clip with a picture.")
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
    return Fraction(*found["rate"]) if found["rate"] else DEFAULT_RATE


def _matrix(found: dict[str, Any]) -> str:
    if found["is_rgb"]:
        return "gbr"
    tagged = tags.MATRICES.get(found["matrix"], tags.UNSPECIFIED)
    return tagged if tagged in tags.LUMA_WEIGHTS else tags.assumed_matrix(found["stored_width"], found["stored_height"])


def _start_timecode(text: str | None, rate: Fraction) -> str | None:
    """The file's timecode in canonical form; None where it has none or an impossible one."""
    if text is None:
        return None
    try:
        return str(timecode.Timecode.parse(text, rate))
    except ValueError:
        return None


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
        start_timecode=_start_timecode(found["timecode"], rate),
        has_alpha=found["has_alpha"],
        orientation=orientation,
        stream_index=found["stream_index"],
        container=found["container"],
        time_base=Fraction(*found["time_base"]) if found["time_base"] else 1 / rate,
        timestamps=tuple(found["timestamps"]) if is_timed else (),
        keyframes=tuple(found["keyframes"]) if is_timed else (),
    )
