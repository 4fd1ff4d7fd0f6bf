"""How far the model vouches for what is carried: whether something new rides with the plate, or moves on its own, only it can tell.

It is heard as far as it deserves: a model in whose frames what was painted fades is not asked what becomes of it (docs/decisions/0020).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from i2vedit_core.delivery.carry import Followed, Regions
from i2vedit_core.delivery.way import blurred
from i2vedit_core.media.flow import Plane, fetch, resized
from i2vedit_core.media.pixels import Picture

UNRELATED, AGREED = 0.5, 0.9
"""Correlation of the model's change and the carried one at which they have nothing to do with each other, and at which they are one."""
WINDOW = 1 / 64
"""Share of the shorter side: standard deviation of the window in which the two are compared."""
FADED, STRONG = 0.85, 0.95
"""Strength of the model's change, 1 being what was painted, at which a model is not heard at all, and at which it is in everything."""
STEP = 1 / 16
"""Share of the shorter side that something may move from frame to frame and be no weaker for it."""
SPREAD_SIDE = 64
"""Pixels of the shorter side at which what may have moved so far is looked at."""
IN_VIEW = 0.1
"""The share of a region that must be seen, or agreed on, to judge by it."""


@dataclass(frozen=True)
class Word:
    """Of one frame, [h, w] in 0..1."""

    carried: Plane
    """How far what is carried stands against the model's picture."""
    heard: Plane
    """How far the model is heard at all."""


class Vouching:
    """Is shown the model's change beside the carried one, frame after frame from the painted one."""

    def __init__(self, regions: Regions, change: Picture) -> None:
        """Of the painted frame: `regions` [h, w], the number of the painted region nearest to each pixel; `change` [h, w, 3], what was
        painted."""
        self._regions = regions
        self._painted = self._by_region(np.square(change).sum(axis=-1), regions)
        self._heard: npt.NDArray[np.float64] | None = None
        """Of each region; None until the model has spoken."""

    def of(self, followed: Followed, carried: Picture, told: Picture, seen: bool) -> Word:
        """By the carried change [h, w, 3] and the model's. `seen`: whether the model has seen this frame. Until it has seen one, what is
        carried stands."""
        agreed = _agreement(carried, told, WINDOW * min(followed.x.shape))
        if seen:
            self._listen(followed, carried, told, agreed)
        by_region = np.zeros_like(self._painted) if self._heard is None else self._heard
        heard = fetch(np.asarray(by_region[self._regions], np.float32), followed.x, followed.y)
        return Word(1 - heard * (1 - agreed), heard)

    def _listen(self, followed: Followed, carried: Picture, told: Picture, agreed: Plane) -> None:
        """Judges each region by how strong the model still shows it: in its first frame, where nothing can have gone far, by all of it,
        then by what it shows in the same place. What has faded does not come back."""
        if self._heard is None:
            before, weight = np.ones_like(self._painted), followed.trust
        else:
            before, weight = self._heard, followed.trust * agreed
        mine, its = _spread(carried), _spread(told)
        region = self._regions[_nearest(followed)]
        shown, whole = (self._by_region(weight * (mine * each).sum(axis=-1), region) for each in (its, mine))
        in_view = self._by_region(weight * np.square(carried).sum(axis=-1), region) > IN_VIEW * self._painted
        strength = shown / np.maximum(whole, 1e-12)
        heard = np.clip((strength - FADED) / (STRONG - FADED), 0, 1)
        self._heard = np.where(in_view, np.minimum(before, heard), before)

    def _by_region(self, plane: Plane, region: Regions) -> npt.NDArray[np.float64]:
        return np.asarray(np.bincount(region.ravel(), plane.ravel(), minlength=int(self._regions.max()) + 1), np.float64)


def _nearest(followed: Followed) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Row and column, in whole pixels, on the painted frame."""
    ends = followed.x.shape
    rows, columns = (np.clip(np.rint(way), 0, end - 1).astype(np.intp) for way, end in zip((followed.y, followed.x), ends, strict=True))
    return rows, columns


def _spread(change: Picture) -> Picture:
    """Over the way of a STEP: under a Gaussian so wide that it is worked out on a smaller picture."""
    height, width = change.shape[:2]
    scale = min(1.0, SPREAD_SIDE / min(height, width))
    small = resized(change, round(height * scale), round(width * scale))
    return resized(blurred(small, STEP * min(small.shape[:2])), height, width)


def _agreement(carried: Picture, told: Picture, sigma: float) -> Plane:
    """[h, w] in 0..1: whether the model changes a pixel towards what is carried there, however far it goes. That it goes less far than was
    painted is its weakness, and no objection."""
    shared, mine, its = (blurred((a * b).sum(axis=-1), sigma) for a, b in ((carried, told), (carried, carried), (told, told)))
    alike = shared / np.sqrt(np.maximum(mine * its, 1e-12))
    return np.asarray(np.clip((alike - UNRELATED) / (AGREED - UNRELATED), 0, 1), np.float32)
