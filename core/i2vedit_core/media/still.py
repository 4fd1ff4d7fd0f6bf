"""Stills: the edited frame coming in from a paint program, and a frame of the plate going out to one."""

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.files import check_folder
from i2vedit_core.media.child import ChildFailedError, ReadyChild
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.exported_profile import profile_bytes
from i2vedit_core.media.limits import MEGAPIXEL, limits
from i2vedit_core.media.picture_file import write_picture
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.probe import ClipInfo
from i2vedit_core.media.spaces import is_display_referred
from i2vedit_core.media.working import Working, finite

READ_SECONDS = 120.0
EIGHT_BITS, SIXTEEN_BITS, HALF_BITS = 8, 16, 11
BANDS = 16
"""Pictures are looked at in so many bands where the first one mostly decides."""
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
    clipped: bool = True
    """Saved as whole numbers, which end at 0 and 1; EXR and float TIFF do not."""
    depth: int = 16
    """Bits in which a number differs: 8, 16, 11 for half floats, 24 for floats."""
    alpha: Picture | None = None
    """`[H, W]` in 0..1; None where every pixel is opaque."""
    premultiplied: bool = False
    profile: bytes = b""
    """ICC, or empty."""

    @property
    def size(self) -> tuple[int, int]:
        return self.pixels.shape[1], self.pixels.shape[0]


_READER = ReadyChild("read_picture.py")


def expect_stills() -> None:
    """Somebody paints, and will wait for the next picture to be read."""
    _READER.keep_ready()


def open_still(path: str | Path) -> Still:
    """Reads PNG, JPEG, TIFF (8 or 16 bits, float), EXR or PSD. Raises BridgeError EDIT_NOT_FOUND or EDIT_UNREADABLE."""
    picture = _existing_file(Path(path))
    try:
        answer = _READER.run(READ_SECONDS, str(picture), str(limits().picture_megapixels * MEGAPIXEL))
        start = answer.index(b"\n") + 1
        found = json.loads(answer[:start])
    except (ChildFailedError, ValueError) as error:
        raise unreadable(picture, "is damaged: its reader gave up; save it again") from error
    if "failure" in found:
        raise unreadable(picture, _WHY[found["failure"]].format(detail=found["detail"] or "its size"))
    pixels = np.frombuffer(answer, np.float32, offset=start).reshape(found["shape"])
    colour, alpha = pixels[:, :, :3], _transparency(pixels)
    depth = EIGHT_BITS if found["depth"] == SIXTEEN_BITS and _says_eight_bits(colour) else found["depth"]
    return Still(picture, colour, found["clipped"], depth, alpha, found["premultiplied"], base64.b64decode(found["profile"]))


def _transparency(pixels: Picture) -> Picture | None:
    if pixels.shape[2] < 4 or bool((pixels[:, :, 3] >= 1).all()):
        return None
    return np.clip(np.nan_to_num(pixels[:, :, 3]), 0, 1)


def _says_eight_bits(pixels: Picture) -> bool:
    """Programs that work in eight bits save them as sixteen, too."""
    return all(_are_whole(rows * 255) for rows in np.array_split(pixels, BANDS))


def _are_whole(numbers: Picture) -> bool:
    return bool((np.abs(numbers - np.rint(numbers)) < 1e-3).all())


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
    spec, values = _for_painting(pixels, clip) if file_format != "openexr" else _as_it_is(pixels, clip)
    spec.attribute("PixelAspectRatio", float(clip.pixel_aspect))
    write_picture(final, file_format, spec, values)
    return final


def painting_notices(clip: ClipInfo, output_path: str | Path) -> tuple[str, ...]:
    """What an artist should know about the picture that `export_frame` writes."""
    space = clip.color_space
    if Path(output_path).suffix.lower() == ".exr" or is_display_referred(space):
        return ()
    kept = "a log curve of it" if Working.of(space).is_log else "its own code values"
    return (
        f"The plate is '{space}', brighter than a display can show: the picture holds {kept}, and its profile shows highlights darker "
        "than they are. Keep the profile; what is not painted comes back as it was.",
    )


def _for_painting(pixels: Picture, clip: ClipInfo) -> tuple[Any, Any]:
    """In the working encoding, with the profile that shows it."""
    shown = np.concatenate([Working.of(clip.color_space).encode(pixels[:, :, :3]), pixels[:, :, 3:]], axis=2)
    values = np.rint(np.clip(finite(shown, 1.0), 0, 1) * np.float32(65535)).astype(np.uint16)
    spec = oiio.ImageSpec(clip.width, clip.height, pixels.shape[2], oiio.UINT16)
    spec.attribute("compression", "zip")
    # Painted values must come back as they are, so alpha stays apart from them.
    spec.attribute("oiio:UnassociatedAlpha", 1)
    profile = profile_bytes(clip.color_space)
    if profile is not None:
        spec.attribute("ICCProfile", oiio.TypeDesc(f"uint8[{len(profile)}]"), np.frombuffer(profile, np.uint8))
    return spec, values


def _as_it_is(pixels: Picture, clip: ClipInfo) -> tuple[Any, Any]:
    height, width, channels = pixels.shape
    spec = oiio.ImageSpec(width, height, channels, oiio.FLOAT)
    spec.attribute("compression", "zip")
    spec.attribute("i2vedit/colorspace", clip.color_space)
    return spec, pixels


def _existing_file(path: Path) -> Path:
    picture = Path(os.path.abspath(path))
    try:
        if not picture.exists():
            sentence = f"There is no edited frame at '{picture}'; check the path."
            raise BridgeError(Code.NOT_FOUND, Reason.EDIT_NOT_FOUND, sentence)
        if not picture.is_file():
            raise unreadable(picture, "is not a file; give a picture")
        with picture.open("rb") as file:
            file.read(1)
    except (OSError, ValueError) as error:
        raise unreadable(picture, f"cannot be opened: {error}") from error
    return picture


def unreadable(picture: Path, why: str) -> BridgeError:
    """The error of a picture that exists and cannot be taken; `why` goes on after its name."""
    return BridgeError(Code.INVALID_ARGUMENT, Reason.EDIT_UNREADABLE, f"The edited frame '{picture.name}' {why}.")
