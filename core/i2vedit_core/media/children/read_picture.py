"""Reads one still picture and writes it to stdout: a line of JSON, then the bytes of `[H, W, 3 or 4] float32`, the fourth being alpha.

Run by `still` in a process of its own: `python read_picture.py PATH MAX_PIXELS`, or without arguments, which then come as a line of JSON
on stdin when they are known. A failure that is understood is a JSON line `{"failure": KIND, "detail": TEXT}` alone. The first line is
filled up with blanks, so that the numbers behind it lie where a processor reads them fast.
"""

import base64
import json
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIGNATURES = {
    b"\x89PNG": "png",
    b"\xff\xd8\xff": "jpeg",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"II+\0": "tiff",
    b"MM\0+": "tiff",
    b"\x76\x2f\x31\x01": "exr",
    b"8BPS": "psd",
}
JPEG_END = b"\xff\xd9"
JPEG_TAIL_BYTES = 65536
ALIGNMENT = 64
FOREIGN_MODES = ("CMYK", "YCCK", "color separated", "CIELAB", "ICCLAB", "ITULAB", "LOGLUV", "LOGL")
"""Colour models that OpenImageIO would turn into RGB after a fashion."""
ICC_RESOURCE = 1039
"""Of a Photoshop file."""


class NotUsableError(Exception):
    """The picture was understood, and cannot be used: a kind that `still` has a sentence for."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(kind)
        self.kind = kind
        self.detail = detail


def _format(path: str) -> str:
    """The format by its first bytes; names lie."""
    with open(path, "rb") as file:
        head = file.read(8)
        if not head:
            raise NotUsableError("empty")
        kind = next((name for signature, name in SIGNATURES.items() if head.startswith(signature)), None)
        if kind is None:
            raise NotUsableError("not_a_picture")
        if kind == "jpeg":
            # libjpeg fills what is missing with grey and calls that a success.
            file.seek(max(0, file.seek(0, 2) - JPEG_TAIL_BYTES))
            if JPEG_END not in file.read():
                raise NotUsableError("truncated")
    return kind


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise NotUsableError("too_large", f"{width}x{height}")


@dataclass(frozen=True)
class Found:
    """A picture as it was saved."""

    pixels: NDArray[np.float32]
    depth: int
    """Bits of a number that says something: 8, 16, 11 for half floats, 24 for floats."""
    clipped: bool
    """Its numbers end at 0 and 1: whole numbers do, floats do not."""
    premultiplied: bool
    profile: bytes
    """ICC, or empty."""

    def head(self) -> dict[str, Any]:
        profile = base64.b64encode(self.profile).decode()
        return {
            "shape": self.pixels.shape,
            "depth": self.depth,
            "clipped": self.clipped,
            "premultiplied": self.premultiplied,
            "profile": profile,
        }


def _channels(names: tuple[str, ...], alpha: int) -> list[int]:
    """Those of R, G, B and, where there is one, alpha."""
    fourth = [alpha] if alpha >= 0 else []
    if all(name in names for name in "RGB"):
        return [*(names.index(name) for name in "RGB"), *fourth]
    if names[0] in ("Y", "I") and len(names) <= 2:
        return [0, 0, 0, *fourth]
    raise NotUsableError("no_rgb", ", ".join(names[:8]))


def _on_display_window(pixels: NDArray[np.float32], spec: Any) -> NDArray[np.float32]:
    """An EXR's data window laid on its display window; what lies outside the data is black."""
    if (spec.width, spec.height, spec.x, spec.y) == (spec.full_width, spec.full_height, spec.full_x, spec.full_y):
        return pixels
    canvas = np.zeros((spec.full_height, spec.full_width, pixels.shape[2]), np.float32)
    left, top = spec.x - spec.full_x, spec.y - spec.full_y
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + spec.width, spec.full_width), min(top + spec.height, spec.full_height)
    if x1 > x0 and y1 > y0:
        canvas[y0:y1, x0:x1] = pixels[y0 - top : y1 - top, x0 - left : x1 - left]
    return canvas


def _read_with_openimageio(path: str, max_pixels: int) -> Found:
    import OpenImageIO as oiio

    config = oiio.ImageSpec()
    # The colours as they were painted, not multiplied by an alpha.
    config.attribute("oiio:UnassociatedAlpha", 1)
    source = oiio.ImageInput.open(path, config)
    if source is None:
        raise NotUsableError("unreadable", oiio.geterror())
    spec = source.spec()
    _check_size(spec.width, spec.height, max_pixels)
    _check_size(spec.full_width, spec.full_height, max_pixels)
    _check_mode(spec)
    channels = _channels(tuple(spec.channelnames), spec.alpha_channel)
    pixels = source.read_image(0, 0, 0, spec.nchannels, oiio.FLOAT)
    if pixels is None:
        raise NotUsableError("truncated", source.geterror())
    profile, basetype = spec.getattribute("ICCProfile"), spec.format.basetype
    return Found(
        _on_display_window(np.ascontiguousarray(pixels[:, :, channels]), spec),
        depth={oiio.HALF: 11, oiio.FLOAT: 24, oiio.DOUBLE: 24, oiio.UINT8: 8, oiio.INT8: 8}.get(basetype, 16),
        clipped=basetype not in (oiio.HALF, oiio.FLOAT, oiio.DOUBLE),
        premultiplied=not spec.get_int_attribute("oiio:UnassociatedAlpha"),
        profile=b"" if profile is None else np.asarray(profile, np.uint8).tobytes(),
    )


def _check_mode(spec: Any) -> None:
    for name in ("tiff:ColorSpace", "jpeg:ColorSpace"):
        mode = spec.get_string_attribute(name)
        if mode in FOREIGN_MODES:
            raise NotUsableError("color_mode", mode)


def _read_psd(path: str, max_pixels: int) -> Found:
    """The merged picture that Photoshop stores beside the layers, its transparency with it; 16 bits are kept."""
    from psd_tools import PSDImage

    try:
        document = PSDImage.open(path)
        _check_size(document.width, document.height, max_pixels)
        if document.color_mode.name not in ("RGB", "GRAYSCALE"):
            raise NotUsableError("color_mode", document.color_mode.name)
        if not document.has_preview():
            raise NotUsableError("no_preview")
        colour, alpha = document.numpy("color"), document.numpy("shape")
        profile = document.image_resources.get_data(ICC_RESOURCE, b"")
    except (ValueError, AssertionError, EOFError, OSError, KeyError, TypeError) as error:
        # psd-tools has no error class of its own; these are what a damaged file makes it raise.
        raise NotUsableError("truncated", str(error)) from error
    channels = [0, 1, 2] if colour.shape[2] >= 3 else [0, 0, 0]
    pixels = np.concatenate([colour[:, :, channels], alpha], axis=2, dtype=np.float32)
    depth = {8: 8, 16: 16, 32: 24}.get(document.depth, 8)
    return Found(np.ascontiguousarray(pixels), depth, document.depth != 32, premultiplied=False, profile=profile)


def read(path: str, max_pixels: int) -> Found:
    """Raises NotUsableError."""
    if _format(path) == "psd":
        return _read_psd(path, max_pixels)
    return _read_with_openimageio(path, max_pixels)


def _awaited() -> list[str]:
    """The arguments, once somebody has a picture; by then the library is there."""
    import OpenImageIO as oiio

    oiio.ImageSpec()
    line = sys.stdin.readline()
    if not line:
        sys.exit()
    words: list[str] = json.loads(line)
    return words


def main() -> None:
    path, max_pixels = sys.argv[1:] or _awaited()
    try:
        found = read(path, int(max_pixels))
    except (NotUsableError, MemoryError) as error:
        kind, detail = (error.kind, error.detail) if isinstance(error, NotUsableError) else ("too_large", "")
        sys.stdout.write(json.dumps({"failure": kind, "detail": detail}) + "\n")
        return
    head = json.dumps(found.head()).encode()
    sys.stdout.buffer.write(head + b" " * (-(len(head) + 1) % ALIGNMENT) + b"\n")
    sys.stdout.buffer.write(np.ascontiguousarray(found.pixels, np.float32).data)


if __name__ == "__main__":
    main()
