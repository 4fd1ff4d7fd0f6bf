"""A witness of where the edit is that no model has to be asked for: the painted region, carried along the plate's own optical flow.

All lengths are shares of the picture's shorter side, so that a larger picture of the same shot gets the same answer, enlarged.
"""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, gaussian_filter

from i2vedit_core.matte import PAINTED
from i2vedit_core.media.flow import Flow, Plane, WayBack, fetch, pixel_grid, seen_flow
from i2vedit_core.media.pixels import Picture
from i2vedit_core.settings import EditKind

EDGE = 1.5 / 64
"""How far from the outline of what was painted the witness is two thirds sure, at best."""
MARGIN = 0.5 / 64
"""What was painted counts as this much larger, since flow is least sure at an outline."""
MISMATCH = 10 / 64
"""Doubt for a difference of 1 between the plate and what is fetched for it from the painted frame's plate."""
REACH = 4 / 64
"""How far an outline that changes may lie from what it rides with."""
FAR = 4.0
"""Distance to an outline that is not in the picture."""
DARK = 0.02
"""Values below this say nothing about the light."""


class Carry:
    """Is shown the plate's frames one after the other, and says of each where the painted region has gone.

    The witness is [h, w] float32 in -1..1: towards 1 a pixel surely belongs to what was painted, towards -1 surely not, and near 0
    the flow cannot say: at an outline, or where the painted frame does not show what is seen. It is the fetched distance to the
    outline, measured by the doubt about where the pixel came from.
    """

    def __init__(self, plate: Picture, difference: Picture, kind: EditKind) -> None:
        """The painted frame: its plate [h, w, 3] in 0..1, and what was painted as a `painted_difference` [h, w]."""
        self._side = min(plate.shape[:2])
        self._plate, self._way = plate, WayBack(plate)
        self._depth = _depth(difference > PAINTED, self._side, 0 if kind is EditKind.SHAPE else MARGIN)
        self._turned = np.zeros(plate.shape[:2], np.float32)
        """The largest disagreement of flow forwards and backwards on the whole way back."""
        self._reach = max(1, round(REACH * self._side)) if kind is EditKind.SHAPE else 0

    def follow(self, plate: Picture) -> Plane:
        """The witness for the next frame, whose plate is [h, w, 3] in 0..1."""
        forth = seen_flow(self._way.latest, plate)
        back = self._way.follow(plate)
        self._turned = self._disagreement(plate, back, forth)
        depth = np.max([fetch(self._depth[..., None], *way)[..., 0] for way in self._ways()], axis=0)
        doubt = EDGE + self._turned + MISMATCH * self._mismatch(plate)
        return np.asarray(np.tanh(depth / doubt), np.float32)

    def _disagreement(self, plate: Picture, back: Flow, forth: Flow) -> Plane:
        """This step's, or an earlier one's on the same way if that was larger; leaving the picture is one, too."""
        height, width = plate.shape[:2]
        columns, rows = pixel_grid(plate)
        x, y = columns + back[..., 0], rows + back[..., 1]
        apart = np.linalg.norm(back + fetch(forth, x, y), axis=-1)
        outside = np.maximum.reduce([-x, x - (width - 1), -y, y - (height - 1), np.zeros_like(x)])
        return np.asarray(np.maximum((apart + outside) / self._side, fetch(self._turned[..., None], x, y)[..., 0]), np.float32)

    def _mismatch(self, plate: Picture) -> Plane:
        """How unlike the plate is to what the way fetches from the painted frame's; light that changes as a whole is allowed."""
        fetched = fetch(self._plate, self._way.x, self._way.y)
        light = np.median(plate.mean(axis=-1) / np.maximum(fetched.mean(axis=-1), DARK))
        return np.asarray(gaussian_filter(np.abs(plate - light * fetched).max(axis=-1), self._side / 90), np.float32)

    def _ways(self) -> list[tuple[Plane, Plane]]:
        """Where to fetch from: the way of each pixel, and for outlines that change also by the motion of what is near.

        The new outline of a body lies over ground that the body moves across: there the plate's own flow is the ground's.
        """
        if not self._reach:
            return [(self._way.x, self._way.y)]
        columns, rows = pixel_grid(self._plate)
        moved = np.stack([self._way.x - columns, self._way.y - rows], axis=-1)
        steps = (-self._reach, 0, self._reach)
        near = [fetch(moved, columns + right, rows + down) for right in steps for down in steps]
        return [(columns + motion[..., 0], rows + motion[..., 1]) for motion in near]


def _depth(painted: npt.NDArray[np.bool_], side: int, margin: float) -> Plane:
    """[h, w] to the distance from the outline, positive inside. Beyond the picture nothing ends; where nothing is, nothing is known."""
    if not painted.any():
        return np.zeros(painted.shape, np.float32)
    if painted.all():
        return np.full(painted.shape, FAR, np.float32)
    inside, outside = distance_transform_edt(painted), distance_transform_edt(~painted)
    return np.asarray(np.where(painted, inside - 0.5, 0.5 - outside) / side + margin, np.float32)
