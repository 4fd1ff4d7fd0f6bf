"""How far the model vouches for what is carried: whether something new rides with the plate, or moves on its own, only it can tell.

It is heard as far as it deserves. Next to the painted frame nothing can have gone far; a model that has lost there what was painted is not
asked what becomes of it later (docs/decisions/0020).
"""

import numpy as np
import numpy.typing as npt

from i2vedit_core.delivery.carry import Followed
from i2vedit_core.delivery.way import blurred
from i2vedit_core.media.flow import Plane, fetch
from i2vedit_core.media.pixels import Picture

UNRELATED, AGREED = 0.5, 0.9
"""Correlation of the model's change and the carried one at which they have nothing to do with each other, and at which they are one."""
LOST, HELD = 0.85, 0.95
"""How much of what was painted on a region a model must have held beside the painted frame to be heard at all, and in everything."""
WINDOW = 1 / 64
"""Share of the shorter side: standard deviation of the window in which the two are compared."""

Regions = npt.NDArray[np.int32]


class Vouching:
    """Is shown the model's change beside the carried one, frame after frame from the painted one."""

    def __init__(self, regions: Regions) -> None:
        """`regions` [h, w]: the number of the painted region nearest to each pixel of the painted frame."""
        self._regions = regions
        self._heard = np.zeros(regions.shape, np.float32)
        self._is_known = False

    def of(self, followed: Followed, carried: Picture, told: Picture, seen: bool) -> Plane:
        """[h, w] in 0..1: how far the carried change [h, w, 3] stands, as against what the model told of it. `seen`: whether the model has
        seen this frame; until it has seen one, what is carried stands."""
        sigma = WINDOW * min(followed.x.shape)
        if seen and not self._is_known:
            self._heard, self._is_known = self._held(followed, blurred(carried, sigma), blurred(told, sigma)), True
        return 1 - fetch(self._heard, followed.x, followed.y) * (1 - _agreement(carried, told, sigma))

    def _held(self, followed: Followed, carried: Picture, told: Picture) -> Plane:
        """[h, w] in 0..1, on the painted frame: how far the model is heard, by how much of each region it holds in this frame."""
        height, width = self._regions.shape
        rows, columns = (np.clip(np.rint(way), 0, end - 1).astype(np.intp) for way, end in ((followed.y, height), (followed.x, width)))
        region, count = self._regions[rows, columns].ravel(), int(self._regions.max()) + 1
        lost, painted = (
            np.bincount(region, (followed.trust * np.square(change).sum(axis=-1)).ravel(), minlength=count)
            for change in (told - carried, carried)
        )
        held = 1 - lost / np.maximum(painted, 1e-12)
        return np.asarray(np.clip((held - LOST) / (HELD - LOST), 0, 1)[self._regions], np.float32)


def _agreement(carried: Picture, told: Picture, sigma: float) -> Plane:
    """[h, w] in 0..1: whether the model changes a pixel towards what is carried there, however far it goes. That it goes less far than was
    painted is its weakness, and no objection."""
    shared, mine, its = (blurred((a * b).sum(axis=-1), sigma) for a, b in ((carried, told), (carried, carried), (told, told)))
    alike = shared / np.sqrt(np.maximum(mine * its, 1e-12))
    return np.asarray(np.clip((alike - UNRELATED) / (AGREED - UNRELATED), 0, 1), np.float32)
