"""What the viewer can show of a frame, and how each of it is made from files."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from i2vedit_monitor.viewer.display import DisplayTransform, Halves, Rgb32, pack, unpack
from i2vedit_monitor.viewer.sequence import MATTE, Sequence

GAIN = 4
"""Differences are shown so many times as large."""
ONE = int(np.float16(1).view(np.uint16))
MATTE_COLOUR = np.array((235, 64, 52), np.float32)
MATTE_STRENGTH = 0.55


class Layer(StrEnum):
    """One picture of a frame."""

    RESULT = "result"
    BELOW = "below"
    """What the result is compared with: the plate, or another version."""
    DIFFERENCE = "difference"
    MATTE = "matte"
    EDITED = "edited"


@dataclass(frozen=True, slots=True)
class Key:
    """A picture in the cache. `stride` 2 leaves out every other pixel: enough while a large picture plays in a small window."""

    shot: int
    layer: Layer
    frame: int
    stride: int = 1


class NotThereYetError(OSError):
    """The file that the picture is made of does not exist yet."""


def read_channels(path: Path, stride: int = 1) -> tuple[NDArray[np.float16], list[str]]:
    """`[H, W, C]` half floats, every `stride`th pixel of every `stride`th row, and the channels' names.

    Raises NotThereYetError for what cannot be read.
    """
    source = oiio.ImageInput.open(str(path))
    pixels = source.read_image(0, 0, 0, source.spec().nchannels, oiio.HALF) if source is not None else None
    if source is None or pixels is None:
        oiio.geterror()
        raise NotThereYetError(path)
    return np.asarray(pixels, np.float16)[::stride, ::stride], list(source.spec().channelnames)


def straight(pixels: NDArray[np.float16], names: list[str]) -> Halves:
    """`[H, W, 3]` colour, unpremultiplied where the alpha is not 1 everywhere."""
    colour = pixels[..., :3] if len(names) >= 3 else np.repeat(pixels[..., :1], 3, axis=2)
    if "A" not in names:
        return colour
    alpha = pixels[..., names.index("A")]
    if (alpha.view(np.uint16) == ONE).all():  # comparing half floats themselves is slow
        return colour
    weight = alpha[..., None].astype(np.float32)
    return np.divide(colour, weight, out=np.zeros(colour.shape, np.float32), where=weight > 0).astype(np.float16)


@dataclass(frozen=True)
class Shot:
    """All that the viewer shows of one job."""

    number: int
    sequence: Sequence
    view: str
    below: "Sequence | None" = None
    """Another version; None: the plate, whose frames `plates` holds."""
    plates: Path | None = None
    """Folder of plate frames as `N.exr`."""
    plate_space: str = ""
    edited: Path | None = None

    def load(self, key: Key) -> Rgb32:
        """Makes a picture. Raises NotThereYetError."""
        match key.layer:
            case Layer.BELOW:
                return self._below(key)
            case Layer.DIFFERENCE:
                return _difference(self._result(key), self._below(key))
            case Layer.MATTE:
                return self._with_matte(key)
            case Layer.EDITED:
                return self._edited(key)
            case _:
                return self._result(key)

    def values(self, frame: int, x: int, y: int) -> dict[Layer, tuple[float, ...]]:
        """The pixel's own values in the files, before any display transform: result (R G B matte) and what is below (R G B)."""
        found = {}
        for layer, path in ((Layer.RESULT, self.sequence.path(frame)), (Layer.BELOW, self.below_path(frame))):
            pixel = _read_pixel(path, x, y) if path else None
            if pixel is not None:
                found[layer] = pixel
        return found

    def below_path(self, frame: int) -> Path | None:
        """Where the frame lies that the result is compared with, or will lie."""
        if self.below is not None:
            return self.below.path(frame)
        return self.plates / f"{frame}.exr" if self.plates else None

    def _result(self, key: Key) -> Rgb32:
        pixels, names = read_channels(self.sequence.path(key.frame), key.stride)
        result = DisplayTransform(self.sequence.space, self.view)(straight(pixels, names))
        if not self.sequence.is_patch:
            return result
        return _laid(result, self._below(key), pixels[..., names.index("A")])

    def _below(self, key: Key) -> Rgb32:
        path = self.below_path(key.frame)
        if path is None:
            raise NotThereYetError(key)
        pixels, names = read_channels(path, key.stride)
        space = self.below.space if self.below else self.plate_space or self.sequence.space
        return DisplayTransform(space, self.view)(straight(pixels, names))

    def _with_matte(self, key: Key) -> Rgb32:
        pixels, names = read_channels(self.sequence.path(key.frame), key.stride)
        screen = unpack(DisplayTransform(self.sequence.space, self.view)(straight(pixels, names))).astype(np.float32)
        matte = np.clip(pixels[..., names.index(MATTE if MATTE in names else "A")].astype(np.float32), 0, 1)[..., None]
        weight = matte * np.float32(MATTE_STRENGTH)
        return pack(np.rint(screen * (1 - weight) + MATTE_COLOUR * weight).astype(np.uint32))

    def _edited(self, key: Key) -> Rgb32:
        if self.edited is None:
            raise NotThereYetError(key)
        pixels, names = read_channels(self.edited, key.stride)
        return DisplayTransform(self.plate_space or self.sequence.space, self.view)(straight(pixels, names))


def _difference(one: Rgb32, other: Rgb32) -> Rgb32:
    """How far apart two pictures are on the screen, times GAIN; black where they are the same."""
    if one.shape != other.shape:
        raise NotThereYetError("another size")
    apart = np.abs(unpack(one) - unpack(other)).astype(np.uint32) * GAIN
    return pack(np.minimum(apart, 255))


def _laid(patch: Rgb32, plate: Rgb32, matte: NDArray[np.float16]) -> Rgb32:
    weight = np.clip(matte.astype(np.float32), 0, 1)[..., None]
    return pack(np.rint(unpack(patch) * weight + unpack(plate) * (1 - weight)).astype(np.uint32))


def _read_pixel(path: Path, x: int, y: int) -> tuple[float, ...] | None:
    source: Any = oiio.ImageInput.open(str(path))
    if source is None:
        oiio.geterror()
        return None
    spec = source.spec()
    if not (0 <= x < spec.width and 0 <= y < spec.height):
        return None
    line = source.read_scanlines(spec.y + y, spec.y + y + 1, 0, 0, spec.nchannels, oiio.FLOAT)
    if line is None:
        source.geterror()
        return None
    pixel = np.asarray(line).reshape(spec.width, spec.nchannels)[x]
    names = list(spec.channelnames)
    kept = [*range(min(3, spec.nchannels)), *([names.index(MATTE)] if MATTE in names else [])]
    return tuple(float(pixel[channel]) for channel in kept)
