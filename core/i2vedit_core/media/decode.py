"""Frame-exact decode of a range: ffmpeg finds and unpacks the frames, `pixels` turns them into RGB."""

import logging
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from typing import IO, Any

import ffmpeg

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.ffmpeg import file_url, find_ffmpeg, input_options
from i2vedit_core.media.pixels import Layout, Picture, to_rgb
from i2vedit_core.media.probe import ClipInfo

FRAME_SECONDS = 120.0
"""How long one frame may take, the decode of what lies before it included."""
SEEKABLE = ("mov", "matroska")
"""Containers whose index leads to a key frame reliably. Others are decoded from their beginning."""

_log = logging.getLogger(__name__)


def decode_frames(clip: ClipInfo, first: int, last: int) -> Iterator[Picture]:
    """Frames `first` to `last` (inclusive), one at a time, each `[H, W, 3] float32` (4 with alpha) in display orientation.

    Values are the plate's own encoding with black at 0 and white at 1; see `pixels.to_rgb` for what lies beyond.
    Raises BridgeError RANGE_OUTSIDE_CLIP or CLIP_UNREADABLE. ffmpeg ends with the generator.
    """
    if not 0 <= first <= last < clip.frame_count:
        raise outside(clip, first, last)
    return _decode(clip, first, last)


def outside(clip: ClipInfo, first: int, last: int) -> BridgeError:
    """The error for a range that the clip does not have."""
    return BridgeError(
        Code.OUT_OF_RANGE,
        Reason.RANGE_OUTSIDE_CLIP,
        f"Frames {first} to {last} were asked for; '{clip.path.name}' has frames 0 to {clip.frame_count - 1}.",
    )


def _decode(clip: ClipInfo, first: int, last: int) -> Iterator[Picture]:
    layout = Layout.of(clip)
    command = _command(clip, first, last)
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said) as process,
    ):
        try:
            assert process.stdout is not None
            for frame in range(first, last + 1):
                raw = _read_frame(process, process.stdout, layout.frame_bytes)
                if len(raw) != layout.frame_bytes:
                    raise _short(clip, first, last, frame - first, said)
                yield to_rgb(raw, layout, clip)
        finally:
            process.kill()


def _read_frame(process: subprocess.Popen[bytes], pipe: IO[bytes], size: int) -> bytes:
    """One frame, or less at the end; a decoder that hangs is killed, which shows as less."""
    watchdog = threading.Timer(FRAME_SECONDS, process.kill)
    watchdog.daemon = True
    watchdog.start()
    try:
        return pipe.read(size)
    finally:
        watchdog.cancel()


def _short(clip: ClipInfo, first: int, last: int, decoded: int, said: IO[bytes]) -> BridgeError:
    said.seek(0)
    _log.warning("ffmpeg on %s: %s", clip.path.name, said.read(2000).decode(errors="replace").strip())
    return BridgeError(
        Code.DATA_LOSS,
        Reason.CLIP_UNREADABLE,
        f"Of the frames {first} to {last} of '{clip.path.name}' only {decoded} can be decoded; the clip is damaged there. "
        "Export it again or choose another range.",
    )


def _selection(clip: ClipInfo, first: int, last: int) -> str:
    """The frames as a `select` expression: by time where every frame has one of its own, else by count."""
    if not clip.timestamps:
        return f"between(n,{first},{last})"
    # Half a tick to each side: no other frame can lie there, and no rounding can lose the ones that are meant.
    start = float((clip.timestamps[first] * 2 - 1) * clip.time_base / 2)
    end = float((clip.timestamps[last] * 2 + 1) * clip.time_base / 2)
    return f"between(t,{start:.9f},{end:.9f})"


def _seek_options(clip: ClipInfo, first: int) -> dict[str, Any]:
    """Starts at the key frame before the one that is needed: leading frames of an open group need that much."""
    if not clip.timestamps or not any(name in clip.container.split(",") for name in SEEKABLE):
        return {}
    before = [k for k in clip.keyframes if k <= clip.timestamps[first]]
    if len(before) < 3:
        return {}
    start = float((before[-2] * 2 + 1) * clip.time_base / 2)
    return {"seek_timestamp": 1, "noaccurate_seek": None, "ss": f"{start:.6f}"}


def _command(clip: ClipInfo, first: int, last: int) -> list[str]:
    source = ffmpeg.input(
        file_url(clip.path),
        nostdin=None,
        hide_banner=None,
        loglevel="error",
        copyts=None,
        noautorotate=None,
        **input_options(),
        **_seek_options(clip, first),
    )
    frames = source[str(clip.stream_index)].filter("select", _selection(clip, first, last)).filter("format", clip.planar_format)
    target = frames.output("pipe:", format="rawvideo", fps_mode="passthrough", **{"frames:v": last - first + 1})
    return [str(argument) for argument in target.compile(cmd=find_ffmpeg())]
