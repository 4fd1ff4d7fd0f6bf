"""Reads the pictures of a sequence, one after the other, and writes what they hold to stdout.

Run by `sequence_clip` and `file_frames` in a process of its own, with a request as JSON on stdin: `{"task": "headers" | "pixels",
"paths": [...], "max_pixels": N}`. For each path it answers one line of JSON, which for `pixels` the samples follow: `[H, W, C]`, on the
display window, in the file's own type and this machine's byte order. A picture that cannot be used is a line
`{"failure": KIND, "detail": TEXT}`, and the last one; a crash is known by the lines that are missing.
"""

import json
import sys
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

SIGNATURES = {
    b"\x89PNG": "png",
    b"\xff\xd8\xff": "jpeg",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"II+\0": "tiff",
    b"MM\0+": "tiff",
    b"\x76\x2f\x31\x01": "exr",
    b"SDPX": "dpx",
    b"XPDS": "dpx",
}
ENDS = {"png": b"IEND", "jpeg": b"\xff\xd9"}
"""What the last bytes hold: a missing end shows without a decode, and libjpeg would fill it with grey and call that a success."""
TAIL_BYTES = 65536
COLOR_NAMES = {"i2vedit/colorspace": str, "colorInteropID": str, "oiio:ColorSpace": str, "acesImageContainerFlag": int}
"""Attributes of an EXR that say what its values are, and their types."""
TYPES = {"half": oiio.HALF, "float": oiio.FLOAT, "uint8": oiio.UINT8, "uint16": oiio.UINT16, "uint": oiio.UINT32}


class NotUsableError(Exception):
    """The picture was understood, and cannot be used: a kind that `sequence_clip` has a sentence for."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(kind)
        self.kind = kind
        self.detail = detail


def file_format(path: str) -> str:
    """The format by its first bytes; names lie."""
    with open(path, "rb") as file:
        head = file.read(8)
        if not head:
            raise NotUsableError("empty")
        kind = next((name for signature, name in SIGNATURES.items() if head.startswith(signature)), None)
        if kind is None:
            raise NotUsableError("not_a_picture")
        if kind in ENDS:
            file.seek(max(0, file.seek(0, 2) - TAIL_BYTES))
            if ENDS[kind] not in file.read():
                raise NotUsableError("truncated")
    return kind


def layers_of(names: list[str], views: list[str]) -> list[str]:
    """Prefixes under which R, G and B may lie, the likeliest first: the unnamed layer, then views, then layers as they come."""
    named = [name.rpartition(".")[0] + "." for name in names if "." in name]
    return list(dict.fromkeys(["", *(view + "." for view in views), *named]))


def choose_channels(names: list[str], views: list[str]) -> tuple[str, list[int]] | None:
    """The layer, and where its colour lies (three indexes, alike for grey), and then its alpha if there is one."""
    where = {name.casefold(): index for index, name in reversed(list(enumerate(names)))}
    for wanted in (("r", "g", "b"), ("y", "y", "y"), ("i", "i", "i")):
        for layer in layers_of(names, views):
            places = [where.get(layer.casefold() + channel) for channel in (*wanted, "a")]
            if None not in places[:3]:
                return layer.rstrip("."), [place for place in places if place is not None]
    return None


class Picture:
    """An open file, at the part of it that holds the picture."""

    def __init__(self, path: str, max_pixels: int) -> None:
        self.format = file_format(path)
        config = oiio.ImageSpec()
        # Colour and alpha as they were stored, neither multiplied nor divided.
        config.attribute("oiio:UnassociatedAlpha", 1)
        source = oiio.ImageInput.open(path, config)
        if source is None:
            raise NotUsableError("unreadable", said(oiio))
        self.source = source
        self.part = 0
        self.layer, self.channels = self._find_channels()
        spec = self.spec
        for width, height in ((spec.width, spec.height), (spec.full_width, spec.full_height)):
            if width * height > max_pixels:
                raise NotUsableError("too_large", f"{width}x{height}")

    @property
    def spec(self) -> Any:
        return self.source.spec()

    def _find_channels(self) -> tuple[str, list[int]]:
        seen: list[str] = []
        while self.source.seek_subimage(self.part, 0):
            spec = self.source.spec()
            names = list(spec.channelnames)
            seen += names
            if {"RY", "BY"} & {name.rpartition(".")[2] for name in names}:
                raise NotUsableError("luminance_chroma")
            found = choose_channels(names, views_of(spec))
            if found is not None and spec.deep:
                raise NotUsableError("deep")
            if found is not None:
                part = told(spec, "oiio:subimagename", str) if self.part else ""
                return found[0] or part or "", found[1]
            self.part += 1
        raise NotUsableError("no_rgb", ", ".join(seen[:8]))

    def type(self) -> str:
        """What the samples are, as TYPES calls it; formats that differ from channel to channel meet in the widest."""
        spec = self.spec
        formats = {str(spec.channelformat(channel)) for channel in self.channels}
        if len(formats) > 1:
            return "float"
        (only,) = formats
        if only not in TYPES:
            raise NotUsableError("sample_type", only)
        return only

    def check_ends(self) -> None:
        """Reads the first and the last row: a file that was cut off, or is still being written, lacks one of them."""
        spec = self.spec
        rows, columns = (spec.tile_height, spec.tile_width) if spec.tile_width else (1, spec.width)
        last_row = spec.y + (spec.height - 1) // rows * rows
        last_column = spec.x + (spec.width - 1) // columns * columns
        for x, y in ((spec.x, spec.y), (last_column, last_row)):
            right, bottom = min(x + columns, spec.x + spec.width), min(y + rows, spec.y + spec.height)
            if spec.tile_width:
                read = self.source.read_tiles(self.part, 0, x, right, y, bottom, 0, 1, 0, spec.nchannels, oiio.UNKNOWN)
            else:
                read = self.source.read_scanlines(self.part, 0, y, bottom, 0, 0, spec.nchannels, oiio.UNKNOWN)
            if read is None or self.source.has_error:
                raise NotUsableError("truncated", said(self.source))

    def header(self) -> dict[str, Any]:
        """What `sequence_clip` makes a ClipInfo of."""
        spec = self.spec
        self.check_ends()
        return {
            "format": self.format,
            "window": [spec.full_x, spec.full_y, spec.full_width, spec.full_height],
            "layer": self.layer,
            "has_alpha": len(self.channels) == 4,
            "straight": bool(spec.getattribute("oiio:UnassociatedAlpha")),
            "type": self.type(),
            "depth": spec.get_int_attribute("oiio:BitsPerSample", 0),
            "orientation": spec.get_int_attribute("Orientation", 1),
            "aspect": spec.get_float_attribute("PixelAspectRatio", 1.0),
            "rate": told(spec, "framesPerSecond", 2) or told(spec, "dpx:FrameRate", float),
            "label": told(spec, "i2vedit/timecode", str) or told(spec, "dpx:TimeCode", str),
            "timecode": told(spec, "smpte:TimeCode", 2),
            "chromaticities": told(spec, "chromaticities", 8),
            "color_names": {name: told(spec, name, kind) for name, kind in COLOR_NAMES.items()},
            "dpx_transfer": told(spec, "dpx:Transfer", str),
        }

    def samples(self) -> NDArray[Any]:
        """The picture `[H, W, C]` on its display window; what lies outside the data is zero."""
        spec = self.spec
        pixels = self.source.read_image(self.part, 0, min(self.channels), max(self.channels) + 1, TYPES[self.type()])
        if pixels is None or self.source.has_error:
            raise NotUsableError("truncated", said(self.source))
        picture = pixels.reshape(spec.height, spec.width, -1)[:, :, [c - min(self.channels) for c in self.channels]]
        return on_display_window(picture, spec)


def on_display_window(pixels: NDArray[Any], spec: Any) -> NDArray[Any]:
    """The data window `[h, w, C]` laid on the display window `[H, W, C]`."""
    left, top = spec.x - spec.full_x, spec.y - spec.full_y
    if (left, top, spec.width, spec.height) == (0, 0, spec.full_width, spec.full_height):
        return np.ascontiguousarray(pixels)
    canvas = np.zeros((spec.full_height, spec.full_width, pixels.shape[2]), pixels.dtype)
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + spec.width, spec.full_width), min(top + spec.height, spec.full_height)
    if x1 > x0 and y1 > y0:
        canvas[y0:y1, x0:x1] = pixels[y0 - top : y1 - top, x0 - left : x1 - left]
    return canvas


def told(spec: Any, name: str, kind: type | int) -> Any:
    """A header's attribute, if it is of that type or holds so many numbers; None otherwise: a damaged header may hold anything."""
    try:
        value = spec.getattribute(name)
    except UnicodeDecodeError:
        return None
    if isinstance(kind, type):
        return value if isinstance(value, kind) else None
    numbers = isinstance(value, tuple) and len(value) == kind and all(isinstance(each, int | float) for each in value)
    return value if numbers else None


def views_of(spec: Any) -> list[str]:
    """The views of a picture for more than one eye, the default first."""
    try:
        views = spec.getattribute("multiView")
    except UnicodeDecodeError:
        return []
    return [view for view in views if isinstance(view, str)] if isinstance(views, tuple) else []


def said(source: Any) -> str:
    """What OpenImageIO complained of; a damaged file may have it quote bytes that are no text."""
    try:
        return str(source.geterror())
    except UnicodeDecodeError:
        return "its header is damaged"


def answer(path: str, request: dict[str, Any]) -> None:
    """Writes what was asked for of one file. Raises NotUsableError."""
    picture = Picture(path, request["max_pixels"])
    if request["task"] == "headers":
        put(picture.header())
        return
    pixels = picture.samples()
    put({"shape": pixels.shape, "type": picture.type()})
    sys.stdout.buffer.write(pixels.data)
    sys.stdout.buffer.flush()


def put(line: dict[str, Any]) -> None:
    """One line, at once: if the next file brings this process down, the lines say which one it was."""
    sys.stdout.buffer.write(json.dumps(line).encode() + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    request = json.load(sys.stdin)
    for path in request["paths"]:
        try:
            answer(path, request)
        except (NotUsableError, MemoryError) as error:
            kind, detail = (error.kind, error.detail) if isinstance(error, NotUsableError) else ("too_large", "")
            put({"failure": kind, "detail": detail})
            return


if __name__ == "__main__":
    main()
