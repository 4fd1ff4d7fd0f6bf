"""Stills: the edited frame coming in from a paint program, and a frame of the plate going out to one."""

import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
from PIL import ImageCms

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.files import check_folder
from i2vedit_core.media.child import Child, ChildFailedError
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.limits import MEGAPIXEL, limits
from i2vedit_core.media.picture_file import write_picture
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.probe import ClipInfo

READ_SECONDS = 120.0
FORMATS = {".tif": "tiff", ".tiff": "tiff", ".png": "png", ".exr": "openexr"}

_WHY = {
    "empty": "is empty (0 bytes); save it again",
    "not_a_picture": "is not a picture; give a PNG, JPEG, TIFF, EXR or PSD file",
    "truncated": "is cut off or damaged; save it again",
    "unreadable": "cannot be read as a picture; save it again as PNG, TIFF, EXR or PSD",
    "no_rgb": "has no R, G and B channels (but {detail}); save it as RGB",
    "too_large": "is too large ({detail}); save it at the size of the clip",
    "color_mode": "is in {detail} mode; convert it to RGB in Photoshop and save it again",
    "no_preview": "holds layers alone; save it with 'Maximize Compatibility' on, or as TIFF or PNG",
}


@dataclass(frozen=True)
class Still:
    """A picture as painted: `pixels` is `[H, W, 3] float32` in the encoding it was saved in."""

    path: Path
    pixels: Picture
    clipped: bool
    """Saved as whole numbers, which end at 0 and 1; EXR and float TIFF do not."""
    alpha: Picture | None = None
    """`[H, W]` in 0..1; None where it has none."""

    @property
    def size(self) -> tuple[int, int]:
        return self.pixels.shape[1], self.pixels.shape[0]


def open_still(path: str | Path) -> Still:
    """Reads PNG, JPEG, TIFF (8 or 16 bits, float), EXR or PSD.

    Raises BridgeError EDIT_NOT_FOUND, EDIT_UNREADABLE or NOT_FINITE.
    """
    picture = _existing_file(Path(path))
    try:
        answer = Child("read_picture.py", READ_SECONDS).run(str(picture), str(limits().picture_megapixels * MEGAPIXEL))
        head, _, body = answer.partition(b"\n")
        found = json.loads(head)
    except (ChildFailedError, ValueError) as error:
        raise _unreadable(picture, "is damaged: its reader gave up; save it again") from error
    if "failure" in found:
        raise _unreadable(picture, _WHY[found["failure"]].format(detail=found["detail"] or "its size"))
    pixels = np.load(io.BytesIO(body), allow_pickle=False)
    if not np.isfinite(pixels).all():
        sentence = f"The edited frame '{picture.name}' holds pixels that are not numbers (NaN or infinite); save it again without them."
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.NOT_FINITE, sentence)
    return Still(picture, pixels[:, :, :3], found["clipped"], pixels[:, :, 3] if pixels.shape[2] == 4 else None)


def check_fits(still: Still, clip: ClipInfo) -> None:
    """Raises EDIT_SIZE_MISMATCH unless the picture has the plate's size, or its shape within the rounding of a pixel."""
    (width, height), clip_size = still.size, (clip.width, clip.height)
    smallest = max((width - 0.5) / clip.width, (height - 0.5) / clip.height)
    largest = min((width + 0.5) / clip.width, (height + 0.5) / clip.height)
    if smallest > largest:
        sentence = (
            f"The edited frame '{still.path.name}' is {width}x{height}, the clip is {clip_size[0]}x{clip_size[1]}; "
            "its shape must be the clip's. Export the frame again and paint on that."
        )
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.EDIT_SIZE_MISMATCH, sentence)


def read_still(path: str | Path, clip: ClipInfo, plate: Picture) -> Picture:
    """The edited frame at the plate's size and in its encoding: `[H, W, 3] float32`.

    `plate` is the frame it was painted on, `[H, W, 3 or 4]`. A picture of another size but the same shape is scaled. Whole
    numbers cannot hold what the plate has below 0 and above 1: where picture and plate lie at the same end, the plate's
    value stands, so that an untouched frame comes back as the plate. Raises as `open_still` and `check_fits`.
    """
    still = open_still(path)
    check_fits(still, clip)
    pixels = still.pixels
    if pixels.shape[:2] != plate.shape[:2]:
        pixels = _scaled(pixels, clip.width, clip.height)
    if not still.clipped:
        return pixels
    colour = plate[:, :, :3]
    beyond = ((pixels <= 0) & (colour < 0)) | ((pixels >= 1) & (colour > 1))
    return np.where(beyond, colour, pixels)


def _scaled(pixels: Picture, width: int, height: int) -> Picture:
    source = oiio.ImageBuf(np.ascontiguousarray(pixels))
    scaled = oiio.ImageBufAlgo.resize(source, roi=oiio.ROI(0, width, 0, height, 0, 1, 0, 3))
    return np.asarray(scaled.get_pixels(oiio.FLOAT), np.float32)


def export_frame(clip: ClipInfo, frame: int, output_path: str | Path) -> Path:
    """Writes one frame for painting: `.tif` and `.png` with 16 bits and an ICC profile, `.exr` with the plate's own values.

    An existing file is never overwritten. Returns the absolute path. Raises BridgeError RANGE_OUTSIDE_CLIP,
    SETTING_INVALID, OUTPUT_NOT_WRITABLE, DISK_FULL or CLIP_UNREADABLE.
    """
    final = Path(os.path.abspath(output_path))
    file_format = FORMATS.get(final.suffix.lower())
    if file_format is None:
        sentence = f"A frame is written as .tif, .png or .exr; '{final.name}' ends otherwise."
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.SETTING_INVALID, sentence)
    if final.exists():
        sentence = f"'{final}' exists already and is not overwritten; choose another name."
        raise BridgeError(Code.FAILED_PRECONDITION, Reason.OUTPUT_NOT_WRITABLE, sentence)
    check_folder(final.parent)
    (pixels,) = decode_frames(clip, frame, frame)
    spec, values = _for_painting(pixels, clip) if file_format != "openexr" else _as_it_is(pixels)
    spec.attribute("PixelAspectRatio", float(clip.pixel_aspect))
    write_picture(final, file_format, spec, values)
    return final


def _for_painting(pixels: Picture, clip: ClipInfo) -> tuple[Any, Any]:
    values = np.rint(np.clip(pixels, 0, 1) * np.float32(65535)).astype(np.uint16)
    spec = oiio.ImageSpec(clip.width, clip.height, pixels.shape[2], oiio.UINT16)
    spec.attribute("compression", "zip")
    # Painted values must come back as they are, so alpha stays apart from them.
    spec.attribute("oiio:UnassociatedAlpha", 1)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    spec.attribute("ICCProfile", oiio.TypeDesc(f"uint8[{len(profile)}]"), np.frombuffer(profile, np.uint8))
    return spec, values


def _as_it_is(pixels: Picture) -> tuple[Any, Any]:
    height, width, channels = pixels.shape
    spec = oiio.ImageSpec(width, height, channels, oiio.FLOAT)
    spec.attribute("compression", "zip")
    return spec, pixels


def _existing_file(path: Path) -> Path:
    picture = Path(os.path.abspath(path))
    try:
        if not picture.exists():
            sentence = f"There is no edited frame at '{picture}'; check the path."
            raise BridgeError(Code.NOT_FOUND, Reason.EDIT_NOT_FOUND, sentence)
        if not picture.is_file():
            raise _unreadable(picture, "is not a file; give a picture")
        with picture.open("rb") as file:
            file.read(1)
    except (OSError, ValueError) as error:
        raise _unreadable(picture, f"cannot be opened: {error}") from error
    return picture


def _unreadable(picture: Path, why: str) -> BridgeError:
    return BridgeError(Code.INVALID_ARGUMENT, Reason.EDIT_UNREADABLE, f"The edited frame '{picture.name}' {why}.")
