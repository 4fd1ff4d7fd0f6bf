"""The frames of a movie: ffmpeg finds and unpacks them, `pixels` turns them into RGB."""

import logging
import subprocess
import tempfile
from collections.abc import Iterator
from typing import IO, Any

import ffmpeg

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.clip import ClipInfo
from i2vedit_core.media.ffmpeg import file_url, find_ffmpeg, input_options
from i2vedit_core.media.frame_pipe import read_exactly
from i2vedit_core.media.pixels import Layout, Picture, to_rgb

SEEKABLE = ("mov", "matroska")
"""Containers whose index leads to a key frame reliably. Others are decoded from their beginning."""

_log = logging.getLogger(__name__)


def read_movie(clip: ClipInfo, first: int, last: int) -> Iterator[Picture]:
    """Frames `first` to `last`, counted from 0, each `[H, W, 3] float32` (4 with alpha) in display orientation.

    Raises BridgeError CLIP_UNREADABLE. ffmpeg ends with the generator.
    """
    layout = Layout.of(clip)
    command = _command(clip, first, last)
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said) as process,
    ):
        try:
            assert process.stdout is not None
            for frame in range(first, last + 1):
                raw = read_exactly(process, process.stdout, layout.frame_bytes)
                if len(raw) != layout.frame_bytes:
                    raise _short(clip, first, last, frame - first, said)
                yield to_rgb(raw, layout, clip)
        finally:
            process.kill()


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
    frames = source[str(clip.stream_index)]
    if clip.deinterlaced:
        # Before frames are chosen, since it looks at those on either side.
        frames = frames.filter("format", clip.planar_format).filter("bwdif", mode="send_frame", parity="auto", deint="all")
    frames = frames.filter("select", _selection(clip, first, last)).filter("format", clip.planar_format)
    target = frames.output("pipe:", format="rawvideo", fps_mode="passthrough", **{"frames:v": last - first + 1})
    return [str(argument) for argument in target.compile(cmd=find_ffmpeg())]
