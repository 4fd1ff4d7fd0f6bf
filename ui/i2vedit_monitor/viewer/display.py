"""From a picture's own encoding to the screen, by OpenImageIO's OCIO config (docs/decisions/0031)."""

import functools
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

OCIO_CONFIG = "ocio://studio-config-v4.0.0_aces-v2.0_ocio-v2.5"
"""As the delivered frames name it."""
DISPLAY = "sRGB - Display"
UNTONED = "Un-tone-mapped"
"""Video is display-referred already: it is shown as it is, not graded another time."""
TONED = "ACES 2.0 - SDR 100 nits (Rec.709)"

Halves = NDArray[np.float16]
Rgb32 = NDArray[np.uint32]
"""`[H, W]`, 0xffRRGGBB: what Qt paints fastest."""

OPAQUE = np.uint32(0xFF000000)
SHIFTS = (16, 8, 0)
PROBES = np.array([[0.0, 0.0, 0.0], [0.9, 0.1, 0.3], [0.2, 0.7, 0.5], [4.0, 0.02, 1.0]], np.float32)
ROWS = 16
ALIKE = 1e-4
"""Far below one code of the screen."""


def views() -> list[str]:
    """The names of the views of a plain screen, the one for video first."""
    names = [str(name) for name in _config().getViewNames(DISPLAY)]
    return sorted(names, key=lambda name: name != UNTONED)


@functools.cache
def _config() -> Any:
    return oiio.ColorConfig(OCIO_CONFIG)


def shown(pixels: NDArray[np.float32], space: str, view: str) -> NDArray[np.float32]:
    """`[H, W, 3]` in an OCIO space as the screen wants it, about 0 to 1. A space that the config lacks is shown as it is."""
    picture = oiio.ImageBuf(np.ascontiguousarray(pixels, np.float32))
    result = oiio.ImageBufAlgo.ociodisplay(picture, DISPLAY, view, fromspace=space, unpremult=False, colorconfig=OCIO_CONFIG)
    if result.has_error:
        result.geterror()
        return pixels
    return np.asarray(result.get_pixels(oiio.FLOAT), np.float32)


def codes(pixels: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Screen codes 0 to 255 of values that end at 0 and 1; what is not a number is black."""
    return np.rint(np.clip(np.nan_to_num(pixels, nan=0.0, posinf=1.0, neginf=0.0), 0, 1) * 255).astype(np.uint32)


class DisplayTransform:
    """One space through one view. Where the channels do not mix, as from video to a screen, half floats are looked up in a table
    with an entry for each of their 65,536 values: the same codes, twenty times as fast."""

    def __init__(self, space: str, view: str) -> None:
        self.space, self.view = space, view
        self._tables = _tables(space, view)

    @property
    def is_table(self) -> bool:
        return self._tables is not None

    def __call__(self, pixels: Halves) -> Rgb32:
        """`[H, W, 3]` half floats as screen codes."""
        if self._tables is None:
            return pack(codes(shown(pixels.astype(np.float32), self.space, self.view)))
        bits = pixels.view(np.uint16)
        packed = np.empty(bits.shape[:2], np.uint32)
        red, green, blue = self._tables
        # A few rows at a time stay in the processor's cache, which makes this three times as fast.
        for top in range(0, len(bits), ROWS):
            rows, into = bits[top : top + ROWS], packed[top : top + ROWS]
            red.take(rows[..., 0], out=into, mode="clip")
            into |= green.take(rows[..., 1], mode="clip")
            into |= blue.take(rows[..., 2], mode="clip")
        return packed


def pack(screen: NDArray[np.uint32]) -> Rgb32:
    """`[H, W, 3]` codes 0 to 255 in one number each."""
    red, green, blue = SHIFTS
    packed = (screen[..., 0] << red) | (screen[..., 1] << green) | (screen[..., 2] << blue)
    return packed.astype(np.uint32) | OPAQUE


def unpack(packed: Rgb32) -> NDArray[np.int16]:
    """`[H, W, 3]` codes 0 to 255."""
    return np.stack([(packed >> shift & 0xFF).astype(np.int16) for shift in SHIFTS], axis=-1)


@functools.lru_cache(maxsize=16)
def _tables(space: str, view: str) -> tuple[Rgb32, Rgb32, Rgb32] | None:
    if not _is_separable(space, view):
        return None
    every = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)
    every = np.nan_to_num(every, nan=0.0, posinf=65504.0, neginf=-65504.0)
    screen = codes(shown(np.repeat(every[None, :, None], 3, axis=2), space, view))[0]
    red, green, blue = ((screen[:, channel] << shift).astype(np.uint32) for channel, shift in enumerate(SHIFTS))
    return red | OPAQUE, green, blue


def _is_separable(space: str, view: str) -> bool:
    """Whether each channel depends on itself alone, looked at with colours that lie far apart."""
    together = shown(PROBES[None], space, view)[0]
    for channel in range(3):
        alone = shown(np.repeat(PROBES[None, :, channel, None], 3, axis=2), space, view)[0]
        if np.abs(alone[:, channel] - together[:, channel]).max() > ALIKE:
            return False
    return True
