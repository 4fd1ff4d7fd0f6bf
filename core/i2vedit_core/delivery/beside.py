"""What is delivered beside the EXR, for whoever cannot read that: ProRes 4444, 16-bit PNG, an MP4. All in the plate's own encoding."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from i2vedit_core.delivery.delivered import read_delivered, seen_frames
from i2vedit_core.delivery.movie import first_timecode, write_h264, write_prores
from i2vedit_core.delivery.sequence import frame_path
from i2vedit_core.media import tags
from i2vedit_core.media.picture_file import is_whole, write_picture
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.probe import ClipInfo
from i2vedit_core.settings import SideFormat
from i2vedit_core.shot import Shot

OnFrame = Callable[[int, int], None]
"""Called with each finished frame's place, from 0, and their number."""
_TRANSFER_CODES = {name: code for code, name in tags.TRANSFERS.items()}
_PRIMARY_CODES = {name: code for code, name in tags.PRIMARIES.items()}
UNSPECIFIED_CODE = 2


def beside_paths(stem: Path, side: SideFormat, first: int, last: int) -> dict[int, Path]:
    """The files of a format by the frame that they begin with; `stem` is the version's folder and name."""
    if side is SideFormat.PNG:
        return {frame: stem.with_name(f"{stem.name}.{frame:04}.png") for frame in range(first, last + 1)}
    ending = {SideFormat.PRORES: "mov", SideFormat.MP4: "mp4"}[side]
    return {first: stem.with_name(f"{stem.name}.{ending}")}


def write_beside(folder: Path, shot: Shot, side: SideFormat, on_frame: OnFrame) -> None:
    """Writes one format into a finished version folder. What is there and whole already stays.

    Raises BridgeError OUTPUT_NOT_WRITABLE, DISK_FULL, CLIP_UNREADABLE, and whatever `on_frame` raises.
    """
    paths = beside_paths(folder / folder.name, side, shot.first, shot.last)
    if side is SideFormat.PNG:
        _write_png(folder, shot, paths, on_frame)
        return
    (path,) = paths.values()
    if path.exists():
        return
    timecode = first_timecode(shot.clip, shot.first)
    if side is SideFormat.PRORES:
        write_prores(path, _counted((rgba for _, rgba in _layers(folder, shot)), len(shot), on_frame), shot.clip, timecode)
    else:
        pictures = (seen.result for seen in seen_frames(folder, shot))
        write_h264(path, _counted(pictures, len(shot), on_frame), shot.clip, timecode=timecode)


def _layers(folder: Path, shot: Shot) -> Iterator[tuple[int, Picture]]:
    """Every frame as `[H, W, 4] float32` with straight alpha, in the plate's encoding."""
    for frame in range(shot.first, shot.last + 1):
        delivered = read_delivered(frame_path(folder, frame), shot.clip.color_space, multiplied=True)
        yield frame, np.concatenate((delivered.colour, delivered.alpha[:, :, None]), axis=2)


def _counted(pictures: Iterator[Picture], count: int, on_frame: OnFrame) -> Iterator[Picture]:
    for step, picture in enumerate(pictures):
        on_frame(step, count)
        yield picture


def _write_png(folder: Path, shot: Shot, paths: dict[int, Path], on_frame: OnFrame) -> None:
    clip = shot.clip
    for step, (frame, rgba) in enumerate(_layers(folder, shot)):
        on_frame(step, len(shot))
        path = paths[frame]
        if not (path.is_file() and is_whole(path, clip.width, clip.height, 4)):
            codes = np.rint(np.clip(rgba, 0, 1) * np.float32(65535)).astype(np.uint16)
            write_picture(path, "png", _png_spec(clip), codes, replace=True)


def _png_spec(clip: ClipInfo) -> Any:
    spec = oiio.ImageSpec(clip.width, clip.height, 4, oiio.UINT16)
    spec.attribute("oiio:UnassociatedAlpha", 1)  # as PNG has it
    spec.attribute("PixelAspectRatio", float(clip.pixel_aspect))
    # Coding-independent code points (ITU-T H.273): primaries, transfer, RGB, full range.
    primaries, transfer = _PRIMARY_CODES.get(clip.primaries, UNSPECIFIED_CODE), _TRANSFER_CODES.get(clip.transfer, UNSPECIFIED_CODE)
    spec.attribute("CICP", oiio.TypeDesc("int[4]"), (primaries, transfer, 0, 1))
    return spec
