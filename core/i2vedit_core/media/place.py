"""Whether the edited frame lies where its plate does: programs and models crop, pad and scale, and every edge would count as painted."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.pixels import Picture

SUSPICIOUS_SHARE = 0.1
"""Below this share of painted pixels nothing can be out of place."""
QUIET_SHARE = 0.4
"""The share of the picture that must fit, once it is moved back: it may be repainted elsewhere."""
SMALLEST_PIXELS = 0.25
"""A smaller shift is the rounding of a conversion."""
SURE = 0.4
"""Moved back, what was not painted must differ from the plate by less than this part of what it did."""
LEAST_DIFFERENCE = 2 / 255
"""Where so much fits in place already, nothing is out of place."""
LARGEST_ZOOM = 0.1

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Displacement:
    """How the picture must have been moved: x' = zoom_x x + right, y' = zoom_y y + down, in pixels of the plate."""

    right: float
    down: float
    zoom_x: float = 1.0
    zoom_y: float = 1.0

    @property
    def matrix(self) -> Matrix:
        return np.array([[self.zoom_x, 0, self.right], [0, self.zoom_y, self.down]])

    @property
    def words(self) -> str:
        if max(abs(self.zoom_x - 1), abs(self.zoom_y - 1)) > 1e-4:
            return f"is larger or smaller than the plate ({self.zoom_x:.2%} across, {self.zoom_y:.2%} down)"
        sides = [f"{abs(self.right):.4g} px to the {'right' if self.right > 0 else 'left'}"] if abs(self.right) >= SMALLEST_PIXELS else []
        sides += [f"{abs(self.down):.4g} px {'down' if self.down > 0 else 'up'}"] if abs(self.down) >= SMALLEST_PIXELS else []
        return f"is shifted by {' and '.join(sides)}"


def check_place(name: str, plate: Picture, picture: Picture, painted: NDArray[np.bool_]) -> None:
    """Raises EDIT_SHIFTED where it is sure that the picture lies elsewhere than its plate, both [H, W, 3] in the working encoding."""
    if float(painted.mean()) < SUSPICIOUS_SHARE:
        return
    found = displacement(plate, picture)
    if found is None:
        return
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
    if before < LEAST_DIFFERENCE or min(here.shape) < 2 * _TILES:
        return None
    candidates = [found for found in (_shift(here, there), _shift_and_zoom(here, there)) if found is not None]
    after = [_unfit_moved(here, there, found) for found in candidates]
    best = int(np.argmin(after)) if after else 0
    return candidates[best] if after and after[best] < SURE * before else None


_TILES = 16


def _grey(picture: Picture) -> Picture:
    return np.ascontiguousarray(np.clip(picture, 0, 1).mean(axis=-1), np.float32)


def _unfit(here: Picture, there: Picture) -> float:
    """The difference that the best-fitting part of the detailed picture stays below; even areas fit anywhere and are left out."""
    detail = cv2.morphologyEx(here, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    detailed = detail > LEAST_DIFFERENCE
    return float(np.quantile(np.abs(there - here)[detailed], QUIET_SHARE)) if detailed.any() else 0.0


def _unfit_moved(here: Picture, there: Picture, found: Displacement) -> float:
    height, width = here.shape
    matrix = found.matrix
    whole = np.allclose(matrix, np.rint(matrix), atol=1e-6)
    flags = (cv2.INTER_NEAREST if whole else cv2.INTER_CUBIC) | cv2.WARP_INVERSE_MAP
    back = cv2.warpAffine(there, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    margin_x, margin_y = (min(round(abs(move)) + 2, size // 4) for move, size in ((found.right, width), (found.down, height)))
    inner = (slice(margin_y, height - margin_y), slice(margin_x, width - margin_x))
    return _unfit(here[inner], np.asarray(back, np.float32)[inner])


def _correlated(here: Picture, there: Picture) -> tuple[float, float]:
    window = cv2.createHanningWindow(here.shape[::-1], cv2.CV_32F)
    (right, down), _ = cv2.phaseCorrelate(np.ascontiguousarray(here), np.ascontiguousarray(there), window)
    return _settled(right), _settled(down)


def _settled(pixels: float) -> float:
    """Whole pixels where it is next to them: those are what crops and paddings make."""
    return float(round(pixels)) if abs(pixels - round(pixels)) < 0.15 else pixels


def _shift(here: Picture, there: Picture) -> Displacement | None:
    right, down = _correlated(here, there)
    return Displacement(right, down) if max(abs(right), abs(down)) >= SMALLEST_PIXELS else None


def _shift_and_zoom(here: Picture, there: Picture) -> Displacement | None:
    """From the shifts of the four quarters: what was cropped or padded and then scaled to the old size grows towards one side."""
    height, width = here.shape
    places, shifts = [], []
    for top in (0, height - height // 2):
        for left in (0, width - width // 2):
            quarter = (slice(top, top + height // 2), slice(left, left + width // 2))
            places.append((left + width / 4, top + height / 4))
            shifts.append(_correlated(here[quarter], there[quarter]))
    (zoom_x, right), (zoom_y, down) = (_line([p[axis] for p in places], [s[axis] for s in shifts]) for axis in (0, 1))
    found = Displacement(right, down, 1 + zoom_x, 1 + zoom_y)
    corner = max(abs(zoom_x) * width, abs(zoom_y) * height)
    return found if corner > SMALLEST_PIXELS and max(abs(zoom_x), abs(zoom_y)) < LARGEST_ZOOM else None


def _line(x: list[float], y: list[float]) -> tuple[float, float]:
    slope, offset = np.polyfit(x, y, 1)
    return float(slope), float(offset)
