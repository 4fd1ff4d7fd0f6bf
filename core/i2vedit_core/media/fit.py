"""The plate's picture at a model's size and back: aspect kept, padded, never squashed, in the working encoding."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.repair import repaired
from i2vedit_core.media.working import AS_IT_IS, Working

LANCZOS_LOBES = 3
SPLINE_RADIUS = 2
EVERYTHING = slice(None)


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
    working: Working = AS_IT_IS
    """How the model sees the plate's values."""

    @property
    def left(self) -> int:
        return (self.width - self.content_width) // 2

    @property
    def top(self) -> int:
        return (self.height - self.content_height) // 2

    def to_model(self, frame: Picture) -> Picture:
        """A plate `[H, W, 3 or more]` -> `[h, w, 3] float32` in 0..1, working encoding: antialiased, centred, padded with its edge.

        Pixels that are not numbers are mended on the way: one of them would spread over the whole picture.
        """
        sound, _ = repaired(frame[:, :, :3])
        return self.shrink(self.working.encode(sound))

    def shrink(self, picture: Picture) -> Picture:
        """`to_model` for what is in the working encoding already: `[H, W, C]` -> `[h, w, C]` in 0..1."""
        small = np.clip(_resized(picture, self.content_width, self.content_height), 0, 1)
        right = self.width - self.content_width - self.left
        bottom = self.height - self.content_height - self.top
        return np.pad(small, ((self.top, bottom), (self.left, right), (0, 0)), mode="edge")

    @property
    def enlargement(self) -> float:
        """How many of the plate's pixels lie in one of the model's, along the side where they are more."""
        return max(self.plate_width / self.content_width, self.plate_height / self.content_height)

    def to_plate(self, picture: Picture, rows: slice = EVERYTHING, columns: slice = EVERYTHING) -> Picture:
        """A model's picture `[h, w, C]` -> `[H, W, C] float32` at the plate's size, by the same geometry backwards; or a part of it."""
        return _resized(self._box(picture), self.plate_width, self.plate_height, rows, columns)

    def to_size(self, picture: Picture, height: int, width: int) -> Picture:
        """As `to_plate`, at another size of the plate."""
        return _resized(self._box(picture), width, height)

    def _box(self, picture: Picture) -> Picture:
        return picture[self.top : self.top + self.content_height, self.left : self.left + self.content_width]


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


def same_size(height: int, width: int) -> Fit:
    """A model's picture that is the plate."""
    return Fit(width, height, width, height, width, height)


def _sizes(area: int, multiple: int) -> Iterator[tuple[int, int]]:
    """Every (width, height) in whole multiples that fits the area."""
    for width in range(multiple, area // multiple + 1, multiple):
        for height in range(multiple, area // width + 1, multiple):
            yield width, height


def _content_area(size: tuple[int, int], aspect: Fraction) -> Fraction:
    width, height = size
    content_width = min(Fraction(width), height * aspect)
    return content_width * content_width / aspect


def _resized(picture: Picture, width: int, height: int, rows: slice = EVERYTHING, columns: slice = EVERYTHING) -> Picture:
    """`[h, w, C]` at another size, one axis after the other; each is a product with a matrix of weights. `rows` and `columns`: of the
    result, what is wanted of it."""
    down, right, channels = picture.shape
    vertical, horizontal = _weights(down, height)[rows], _weights(right, width)[columns]
    tall = vertical @ np.ascontiguousarray(picture, np.float32).reshape(down, right * channels)
    across = tall.reshape(len(vertical), right, channels).transpose(1, 0, 2).reshape(right, len(vertical) * channels)
    found = (horizontal @ across).reshape(len(horizontal), len(vertical), channels)
    return np.ascontiguousarray(found.transpose(1, 0, 2))


@functools.lru_cache(maxsize=32)
def _weights(source: int, target: int) -> Picture:
    """What every source sample gives to every target sample: `[target, source] float32`, rows that sum to 1.

    Pixels are areas, so sample i lies at i + 1/2. Beyond the border the edge goes on. Smaller: a Lanczos window as wide as
    a target pixel, against aliasing. Larger: a cubic B-spline, which is soft, but neither rings nor leaves 0..1.
    """
    if source == target:
        return np.eye(source, dtype=np.float32)
    scale = source / target
    width = max(scale, 1.0)
    border = int(np.ceil((LANCZOS_LOBES if target < source else SPLINE_RADIUS) * width)) + 1
    centres = (np.arange(target) + 0.5) * scale - 0.5
    distances = (np.arange(-border, source + border)[None, :] - centres[:, None]) / width
    reach = _lanczos(distances) if target < source else _b_spline(distances)
    weights = reach[:, border:-border].copy()
    weights[:, 0] += reach[:, :border].sum(axis=1)
    weights[:, -1] += reach[:, -border:].sum(axis=1)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def _lanczos(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.abs(x) < LANCZOS_LOBES, np.sinc(x) * np.sinc(x / LANCZOS_LOBES), 0.0)


def _b_spline(x: NDArray[np.float64]) -> NDArray[np.float64]:
    near = np.abs(x)
    return np.where(near < 1, 2 / 3 - near**2 + near**3 / 2, np.where(near < SPLINE_RADIUS, (SPLINE_RADIUS - near) ** 3 / 6, 0.0))
