"""Reads the headers, packet times and first frame of a clip with PyAV and writes them to stdout as JSON.

Run by `probe` in a process of its own: `python scan_clip.py PATH DEMUXERS NUMBER`, or without arguments, which then come as a line of
JSON on stdin when they are known. A failure that is understood is written as
`{"failure": KIND, "detail": TEXT}`; anything else shows as a non-zero exit.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import av
from av.container import InputContainer
from av.sidedata.sidedata import Type as SideDataType
from av.stream import Disposition
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

PLANAR_DEPTHS = (8, 9, 10, 12, 14, 16)
SUBSAMPLINGS = {(1, 1): "444", (2, 1): "422", (2, 2): "420", (1, 2): "440", (4, 1): "411", (4, 4): "410"}
FIRST_FRAME_PACKETS = 600
"""How many packets may go by before the first picture must have come out."""
LOOKED_AT = 4
"""Frames that are decoded for what they say of themselves."""
MATRIX_NOISE = 1000
"""In 1/65536: sines and cosines below this are zeros that were rounded."""


class NotUsableError(Exception):
    """The file was understood, and cannot be used: a kind that `probe` has a sentence for."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(kind)
        self.kind = kind
        self.detail = detail


def _open(path: str, demuxers: str) -> InputContainer:
    # `file:` keeps a colon or a percent sign in the name from being read as a protocol or a pattern.
    return av.open(f"file:{path}", options={"protocol_whitelist": "file", "format_whitelist": demuxers})


def _video_streams(container: InputContainer) -> list[VideoStream]:
    """Those that are not cover art, in file order."""
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise NotUsableError("no_video")
    return streams


def _chosen(streams: list[VideoStream], number: int) -> int:
    """The number, from 1, of the stream to read: the wanted one, else the first that the file calls its default, else the first."""
    if number > len(streams) or number < 0:
        raise NotUsableError("no_such_stream", str(len(streams)))
    default = next((place for place, s in enumerate(streams, start=1) if s.disposition & Disposition.default), 1)
    chosen = number or default
    if streams[chosen - 1].codec_context is None:
        raise NotUsableError("no_decoder")
    return chosen


def _packets(container: InputContainer, stream: VideoStream) -> Iterator[Any]:
    """The packets that hold data, up to the end or to where the file breaks off."""
    try:
        for packet in container.demux(stream):
            if packet.size:
                yield packet
    except av.error.FFmpegError:
        return


def _first_frames(container: InputContainer, stream: VideoStream) -> list[VideoFrame]:
    """Up to LOOKED_AT frames, one at least: the first may be flagged otherwise than those that follow."""
    stream.codec_context.thread_count = 1
    found: list[VideoFrame] = []
    for number, packet in enumerate(container.demux(stream)):
        try:
            found += [frame for frame in packet.decode() if isinstance(frame, VideoFrame)]
        except (av.error.InvalidDataError, av.error.EOFError):
            continue
        if len(found) >= LOOKED_AT or number > FIRST_FRAME_PACKETS:
            break
    if not found:
        raise NotUsableError("undecodable", stream.codec_context.name)
    return found[:LOOKED_AT]


def _planar_name(pixels: VideoFormat) -> str:
    """The planar little-endian format that holds these pixels without loss; ffmpeg hands frames over in it."""
    alpha = "a" if any(c.is_alpha for c in pixels.components) else ""
    bits = max(c.bits for c in pixels.components)
    depth = next((d for d in PLANAR_DEPTHS if d >= bits), None)
    if pixels.is_bayer or depth is None or pixels.name.startswith("xyz") or "f16" in pixels.name or "f32" in pixels.name:
        raise NotUsableError("pixel_format", pixels.name)
    end = "" if depth == 8 else f"{depth}le"
    if pixels.is_rgb or pixels.has_palette:
        return f"gbr{alpha}p{end}"
    if len(pixels.components) == 1:
        return f"gray{end}"
    factors = (64 // max(pixels.chroma_width(64), 1), 64 // max(pixels.chroma_height(64), 1))
    if factors not in SUBSAMPLINGS:
        raise NotUsableError("pixel_format", pixels.name)
    if pixels.name.startswith("yuvj"):
        # Asking for plain yuv here would make ffmpeg squeeze full range into limited.
        return pixels.name
    return f"yuv{alpha}{SUBSAMPLINGS[factors]}p{end}"


def _display_matrix(frame: VideoFrame) -> list[int]:
    """The linear part (a, b, c, d) of the display matrix as signs: x' = a x + c y, y' = b x + d y."""
    side_data: Any = frame.side_data  # its stub says `str` for the keys; they are SideDataType
    side = side_data.get(SideDataType.DISPLAYMATRIX)
    if side is None:
        return [1, 0, 0, 1]
    numbers = memoryview(bytes(side)).cast("i")
    signs = [(v > 0) - (v < 0) if abs(v) > MATRIX_NOISE else 0 for v in (numbers[0], numbers[1], numbers[3], numbers[4])]
    upright = signs.count(0) == 2 and (signs[0] == 0) == (signs[3] == 0)
    return signs if upright else [1, 0, 0, 1]


def _timecodes(container: InputContainer, stream: VideoStream, frame: VideoFrame) -> list[str]:
    """Every label that is written somewhere, the likeliest first: the stream's own, a timecode track's, the file's header.

    Last come the picture's: MPEG-2's before a group of pictures, H.264's and HEVC's in SEI messages. ffmpeg reads all of them.
    """
    holders = (stream, *container.streams, container, frame)
    return list(dict.fromkeys(str(holder.metadata["timecode"]) for holder in holders if "timecode" in holder.metadata))


def _times(path: str, demuxers: str, index: int) -> dict[str, object]:
    """Presentation times of the frames that will be shown (edit lists respected), in presentation order."""
    times: list[int | None] = []
    keys: list[int] = []
    seen = 0
    with _open(path, demuxers) as container:
        stream = container.streams[index]
        assert isinstance(stream, VideoStream)
        for packet in _packets(container, stream):
            seen += 1
            if packet.is_keyframe and packet.pts is not None:
                keys.append(packet.pts)
            if not packet.is_discard:
                times.append(packet.pts)
    known = [t for t in times if t is not None]
    unique = len(known) == len(times) == len(set(known))
    return {
        "frame_count": len(times),
        "packet_count": seen,
        "timestamps": sorted(known) if unique else [],
        "keyframes": sorted(keys) if unique else [],
    }


def scan(path: str, demuxers: str, number: int) -> dict[str, object]:
    """Everything that ClipInfo is made of, in plain JSON values."""
    with _open(path, demuxers) as container:
        streams = _video_streams(container)
        chosen = _chosen(streams, number)
        stream = streams[chosen - 1]
        frames = _first_frames(container, stream)
        frame = frames[0]
        rate = stream.guessed_rate or stream.average_rate
        aspect = stream.sample_aspect_ratio
        pixels = frame.format
        index = stream.index
        found: dict[str, object] = {
            "container": container.format.name,
            "stream_index": index,
            "promised_frames": stream.frames,
            "stored_width": frame.width,
            "stored_height": frame.height,
            "rate": [rate.numerator, rate.denominator] if rate else None,
            "time_base": [stream.time_base.numerator, stream.time_base.denominator] if stream.time_base else None,
            "codec": stream.codec_context.name,
            "pixel_format": pixels.name,
            "planar_format": _planar_name(pixels),
            "bit_depth": max(c.bits for c in pixels.components),
            "has_alpha": any(c.is_alpha for c in pixels.components),
            "is_rgb": bool(pixels.is_rgb or pixels.has_palette),
            "color_range": int(frame.color_range),
            "matrix": int(frame.colorspace),
            "primaries": int(frame.color_primaries),
            "transfer": int(frame.color_trc),
            "pixel_aspect": [aspect.numerator, aspect.denominator] if aspect else None,
            "orientation": _display_matrix(frame),
            "timecodes": _timecodes(container, stream, frame),
            "interlaced": any(each.interlaced_frame for each in frames),
            "field_order": stream.codec_context.field_order,
            "video_stream": chosen,
            "video_stream_count": len(streams),
        }
    found.update(_times(path, demuxers, index))
    return found


def _awaited() -> list[str]:
    """The arguments, once somebody has a clip."""
    line = sys.stdin.readline()
    if not line:
        sys.exit()
    words: list[str] = json.loads(line)
    return words


def main() -> None:
    path, demuxers, number = sys.argv[1:] or _awaited()
    try:
        found = scan(path, demuxers, int(number))
    except NotUsableError as refused:
        found = {"failure": refused.kind, "detail": refused.detail}
    except (av.error.FFmpegError, MemoryError) as error:
        found = {"failure": "unreadable", "detail": str(error)}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
