"""The plate's picture at a model's size and back: aspect kept, padded, never squashed."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import OpenImageIO as oiio

from i2vedit_core.media.pixels import Picture

DOWN_FILTER = "lanczos3"
UP_FILTER = "bspline"
"""Soft, but it neither rings nor leaves 0..1, and it returns a linear ramp exactly."""


@dataclass(frozen=True)
class Fit:
    """Where a plate lies inside a model's picture. All sizes in pixels."""

    plate_width: int
    plate_height: int
    width: int
    """The model's picture."""
    height: int
    content_width: int
    """The box inside it that shows the plate; what is around it repeats its edge."""
    content_height: int

    @property
    def left(self) -> int:
        return (self.width - self.content_width) // 2

    @property
    def top(self) -> int:
        return (self.height - self.content_height) // 2

    def to_model(self, frame: Picture) -> Picture:
        """A plate `[H, W, 3 or more]` -> `[h, w, 3] float32` in 0..1: antialiased, centred, padded with its edge."""
        small = np.clip(_resized(frame[:, :, :3], self.content_width, self.content_height), 0, 1)
        right = self.width - self.content_width - self.left
        bottom = self.height - self.content_height - self.top
        return np.pad(small, ((self.top, bottom), (self.left, right), (0, 0)), mode="edge")

    def to_plate(self, picture: Picture) -> Picture:
        """A model's picture `[h, w, C]` -> `[H, W, C] float32` at the plate's size, by the same geometry backwards."""
        box = picture[self.top : self.top + self.content_height, self.left : self.left + self.content_width]
        return _resized(box, self.plate_width, self.plate_height)


def plan_fit(clip_width: int, clip_height: int, pixel_aspect: Fraction, area: int, multiple: int) -> Fit:
    """The model size in which the plate, as displayed, gets the most pixels.

    `area` is the largest width x height of the model's picture, `multiple` divides both. Ties go to the smaller picture.
    """
    aspect = Fraction(clip_width, clip_height) * pixel_aspect
    width, height = max(_sizes(area, multiple), key=lambda size: (_content_area(size, aspect), -size[0] * size[1]))
    scale_by_width = aspect * height >= width
    content_width = width if scale_by_width else max(1, round(height * aspect))
    content_height = max(1, round(width / aspect)) if scale_by_width else height
    return Fit(clip_width, clip_height, width, height, min(content_width, width), min(content_height, height))


def _sizes(area: int, multiple: int) -> Iterator[tuple[int, int]]:
    """Every (width, height) in whole multiples that fits the area."""
    for width in range(multiple, area // multiple + 1, multiple):
        for height in range(multiple, area // width + 1, multiple):
            yield width, height


def _content_area(size: tuple[int, int], aspect: Fraction) -> Fraction:
    width, height = size
    content_width = min(Fraction(width), height * aspect)
    return content_width * content_width / aspect


def _resized(picture: Picture, width: int, height: int) -> Picture:
    rows, columns, channels = picture.shape
    if (columns, rows) == (width, height):
        return np.array(picture, np.float32)
    source = oiio.ImageBuf(np.ascontiguousarray(picture, np.float32))
    name = DOWN_FILTER if width * height < columns * rows else UP_FILTER
    resized = oiio.ImageBufAlgo.resize(source, filtername=name, roi=oiio.ROI(0, width, 0, height, 0, 1, 0, channels))
    if resized.has_error:
        raise ValueError(resized.geterror())
    return np.asarray(resized.get_pixels(oiio.FLOAT), np.float32)
