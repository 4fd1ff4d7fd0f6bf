"""Whether the edited frame lies where its plate does: programs and models crop, pad and scale, and every edge would count as painted."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.pixels import Picture

SUSPICIOUS_SHARE = 0.1
"""Below this share of painted pixels nothing can be out of place."""
QUIET_SHARE = 0.4
"""The share of the picture that must fit, once it is moved back: it may be repainted elsewhere."""
SMALLEST_PIXELS = 0.25
"""A smaller shift is the rounding of a conversion."""
REFUSED_PIXELS = 0.9
"""From here on it is a crop or a padding, and no image model's rounding."""
SURE = 0.4
"""Moved back, what was not painted must differ from the plate by less than this part of what it did."""
LEAST_DIFFERENCE = 2 / 255
"""Where so much fits in place already, nothing is out of place."""
LARGEST_ZOOM = 0.1
STEPS = 8
SMALLEST_PICTURE = 32
"""Pixels of the shorter side: correlation of less says nothing."""
LEAST_SLOPE = 0.5 / 255
"""Of grey from one pixel to the next: less says nothing about where it lies."""
LEAST_PIXELS, MOST_PIXELS = 64, 50_000

Matrix = NDArray[np.float64]


@dataclass(frozen=True, order=True)
class Displacement:
    """How the picture must have been moved: x' = zoom_x x + right, y' = zoom_y y + down, in pixels of the plate."""

    right: float
    down: float
    zoom_x: float = 1.0
    zoom_y: float = 1.0

    @property
    def in_whole_pixels(self) -> "Displacement":
        """The nearest move without a zoom."""
        return Displacement(float(round(self.right)), float(round(self.down)))

    @property
    def matrix(self) -> Matrix:
        return np.array([[self.zoom_x, 0, self.right], [0, self.zoom_y, self.down]])

    def reach(self, width: int, height: int) -> float:
        """The longest way, in pixels, that a corner has gone."""
        ends = (self.right, self.down, self.right + (self.zoom_x - 1) * width, self.down + (self.zoom_y - 1) * height)
        return max(abs(end) for end in ends)

    @property
    def words(self) -> str:
        if max(abs(self.zoom_x - 1), abs(self.zoom_y - 1)) > 1e-4:
            return f"is larger or smaller than the plate ({self.zoom_x:.2%} across, {self.zoom_y:.2%} down)"
        sides = [f"{abs(self.right):.4g} px to the {'right' if self.right > 0 else 'left'}"] if abs(self.right) >= SMALLEST_PIXELS else []
        sides += [f"{abs(self.down):.4g} px {'down' if self.down > 0 else 'up'}"] if abs(self.down) >= SMALLEST_PIXELS else []
        return f"is shifted by {' and '.join(sides)}"


def check_place(name: str, plate: Picture, picture: Picture, painted: NDArray[np.bool_]) -> tuple[str, ...]:
    """A notice where the picture lies a part of a pixel beside its plate, as those of image models do. Both are [H, W, 3], encoded.

    Raises EDIT_SHIFTED where it is sure that it lies further off.
    """
    found = displacement(plate, picture) if float(painted.mean()) >= SUSPICIOUS_SHARE else None
    if found is None:
        return ()
    if found.reach(plate.shape[1], plate.shape[0]) < REFUSED_PIXELS:
        return (f"The picture {found.words}: less than a pixel, but its edges may count as painted.",)
    sentence = (
        f"The edited frame '{name}' {found.words}: something has cropped, padded or moved it on its way. Move it back, or "
        "export the frame again and paint on that."
    )
    raise BridgeError(Code.INVALID_ARGUMENT, Reason.EDIT_SHIFTED, sentence)


def displacement(plate: Picture, picture: Picture) -> Displacement | None:
    """By how much a picture is out of place, by phase correlation; None where it is in place, or nobody can be sure.

    It is sure only if what was not painted fits far better once it is moved back.
    """
    here, there = _grey(plate), _grey(picture)
    before = _unfit(here, there)
    if before < LEAST_DIFFERENCE or min(here.shape) < SMALLEST_PICTURE:
        return None
    for guess in (_shift, _shift_and_zoom, _nowhere):
        start = guess(here, there)
        # Crops and paddings move by whole pixels: that is taken where it fits better.
        candidates = (start.in_whole_pixels, _refined(here, there, start))
        unfit, best = min((_unfit(*_moved_back(here, there, each)), each) for each in candidates)
        if best.reach(*here.shape[::-1]) >= SMALLEST_PIXELS and unfit < SURE * before:
            return best
    return None


def _grey(picture: Picture) -> Picture:
    red, green, blue = (np.clip(picture[..., channel], 0, 1) for channel in range(3))
    return (red + green + blue) / np.float32(3)


def _unfit(here: Picture, there: Picture) -> float:
    """The difference that the best-fitting part of the detailed picture stays below; even areas fit anywhere and are left out."""
    detail = cv2.morphologyEx(here, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    detailed = detail > LEAST_DIFFERENCE
    return float(np.quantile(np.abs(there - here)[detailed], QUIET_SHARE)) if detailed.any() else 0.0


def _moved_back(here: Picture, there: Picture, found: Displacement) -> tuple[Picture, Picture]:
    """Both pictures where they overlap, the second one moved back."""
    height, width = here.shape
    matrix = found.matrix
    if np.array_equal(matrix, np.rint(matrix)):
        back = np.roll(there, (-int(found.down), -int(found.right)), axis=(0, 1))
    else:
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        back = np.asarray(cv2.warpAffine(there, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)
    left, top = (int(max(-move, 0)) + 2 for move in (found.right, found.down))
    right = int(max(found.right + (found.zoom_x - 1) * width, 0)) + 2
    bottom = int(max(found.down + (found.zoom_y - 1) * height, 0)) + 2
    inner = (slice(min(top, height // 4), height - min(bottom, height // 4)), slice(min(left, width // 4), width - min(right, width // 4)))
    return here[inner], back[inner]


def _refined(here: Picture, there: Picture, start: Displacement) -> Displacement:
    """Gauss and Newton's way to the best fit, each step by those pixels alone that fit well already: paint does not pull."""
    found = start
    slopes: Any = np.gradient(here)  # a list for two axes, which its stub does not know
    down_slope, right_slope = slopes
    detailed = np.flatnonzero(np.hypot(right_slope, down_slope) > LEAST_SLOPE)
    if len(detailed) < LEAST_PIXELS:
        return start
    rows, columns = np.unravel_index(detailed[:: 1 + len(detailed) // MOST_PIXELS], here.shape)
    x, y, grey = right_slope[rows, columns], down_slope[rows, columns], here[rows, columns]
    terms = np.stack([x, x * columns, y, y * rows], axis=-1)
    for _ in range(STEPS):
        places = [found.zoom_y * rows + found.down, found.zoom_x * columns + found.right]
        apart = map_coordinates(there, places, order=1, mode="nearest") - grey
        used = np.abs(apart) <= np.quantile(np.abs(apart), QUIET_SHARE)
        solution: NDArray[np.float64] = np.linalg.lstsq(terms[used], -apart[used], rcond=None)[0]
        right, zoom_x, down, zoom_y = (float(each) for each in solution)
        found = Displacement(found.right + right, found.down + down, found.zoom_x + zoom_x, found.zoom_y + zoom_y)
        if max(abs(found.zoom_x - 1), abs(found.zoom_y - 1)) > LARGEST_ZOOM:
            return start
    return _settled(found, here)


def _settled(found: Displacement, here: Picture) -> Displacement:
    """A zoom of less than a part of a pixel is none."""
    height, width = here.shape
    if max(abs(found.zoom_x - 1) * width, abs(found.zoom_y - 1) * height) >= 2 * SMALLEST_PIXELS:
        return found
    right, down = found.right + (found.zoom_x - 1) * width / 2, found.down + (found.zoom_y - 1) * height / 2
    return Displacement(right, down)


def _correlated(here: Picture, there: Picture) -> tuple[float, float]:
    window = cv2.createHanningWindow(here.shape[::-1], cv2.CV_32F)
    (right, down), _ = cv2.phaseCorrelate(here.copy(), there.copy(), window)  # it writes its window into what it is given
    return right, down


def _nowhere(here: Picture, there: Picture) -> Displacement:
    return Displacement(0.0, 0.0)


def _shift(here: Picture, there: Picture) -> Displacement:
    return Displacement(*_correlated(here, there))


def _shift_and_zoom(here: Picture, there: Picture) -> Displacement:
    """From the shifts of the four quarters: what was cropped or padded and then scaled to the old size grows towards one side."""
    height, width = here.shape
    places, shifts = [], []
    for top in (0, height - height // 2):
        for left in (0, width - width // 2):
            quarter = (slice(top, top + height // 2), slice(left, left + width // 2))
            places.append((left + width / 4, top + height / 4))
            shifts.append(_correlated(here[quarter], there[quarter]))
    (zoom_x, right), (zoom_y, down) = (_line([p[axis] for p in places], [s[axis] for s in shifts]) for axis in (0, 1))
    if max(abs(zoom_x), abs(zoom_y)) > LARGEST_ZOOM:
        return Displacement(0.0, 0.0)
    return Displacement(right, down, 1 + zoom_x, 1 + zoom_y)


def _line(x: list[float], y: list[float]) -> tuple[float, float]:
    slope, offset = np.polyfit(x, y, 1)
    return float(slope), float(offset)
