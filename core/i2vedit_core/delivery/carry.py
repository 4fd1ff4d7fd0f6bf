"""The painted frame carried along the plate's own optical flow: where each pixel of a later frame lies on it, and how surely.

It is a witness of where the edit is that no model has to be asked for, and the way by which painted detail travels. All lengths are
shares of the picture's shorter side, so that a larger picture of the same shot gets the same answer, enlarged.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

from i2vedit_core.delivery.way import SureWay
from i2vedit_core.matte import PAINTED
from i2vedit_core.media.flow import Flow, Plane, fetch, pixel_grid, resized
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
SPECK = 1e-5
"""Share of the picture below which something painted is dust, and not carried."""

Regions = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Followed:
    """A frame beside the painted one. Everything [h, w] float32, at the size that flow is followed at; pixels are of that size."""

    plate: Picture
    """[h, w, 3]: the frame's plate."""
    x: Plane
    """Column on the painted frame."""
    y: Plane
    """Row on it."""
    depth: Plane
    """Distance to the outline of what was painted, positive inside, as a share of the shorter side."""
    witness: Plane
    """-1..1: towards 1 a pixel surely belongs to what was painted, towards -1 surely not, and near 0 the flow cannot say: at an
    outline, or where the painted frame does not show what is seen. It is the depth, measured by the doubt about the way."""
    trust: Plane
    """0..1: how surely what is seen here is what is seen there on the painted frame."""
    mismatch: Plane
    """How unlike the frame is to what is fetched for it from the painted frame's plate."""
    back: Flow
    """[h, w, 2]: flow to the frame before."""
    steady: Plane
    """0..1: how surely `back` leads there."""


class Carry:
    """Is shown the plate's frames one after the other, and says of each where the painted frame has gone."""

    def __init__(self, plate: Picture, difference: Picture, kind: EditKind) -> None:
        """The painted frame: its plate [h, w, 3] in 0..1 as followed, and what was painted as a `largest_difference` [h or H, w or W]."""
        height, width = plate.shape[:2]
        self._way = SureWay(plate)
        depth = outline_depth(without_dust(difference > PAINTED), 0 if kind is EditKind.SHAPE else MARGIN)
        self.depth = depth if depth.shape == (height, width) else resized(depth, height, width)
        self._reach = max(1, round(REACH * self._way.side)) if kind is EditKind.SHAPE else 0

    def follow(self, plate: Picture) -> Followed:
        """The next frame, whose plate is [h, w, 3] in 0..1."""
        way = self._way
        back, steady = way.follow(plate)
        depth = np.asarray(np.max([fetch(self.depth, *each) for each in self._ways()], axis=0), np.float32)
        doubt = EDGE + way.turned + MISMATCH * way.mismatch
        witness = np.asarray(np.tanh(depth / doubt), np.float32)
        return Followed(plate, way.x, way.y, depth, witness, way.trust, way.mismatch, back, steady)

    def _ways(self) -> list[tuple[Plane, Plane]]:
        """Where to fetch from: the way of each pixel, and for outlines that change also by the motion of what is near.

        The new outline of a body lies over ground that the body moves across: there the plate's own flow is the ground's.
        """
        if not self._reach:
            return [(self._way.x, self._way.y)]
        columns, rows = pixel_grid(self.depth[..., None])
        moved = np.stack([self._way.x - columns, self._way.y - rows], axis=-1)
        steps = (-self._reach, 0, self._reach)
        near = [fetch(moved, columns + right, rows + down) for right in steps for down in steps]
        return [(columns + motion[..., 0], rows + motion[..., 1]) for motion in near]


def without_dust(painted: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """[H, W] without what is next to nothing: single pixels that a lossy picture leaves."""
    count, labels, found, _ = cv2.connectedComponentsWithStats(painted.astype(np.uint8), connectivity=8)
    large = found[:, cv2.CC_STAT_AREA] > SPECK * painted.size
    large[0] = False
    return np.asarray(large[labels] if count > 1 else painted, np.bool_)


def outline_depth(painted: npt.NDArray[np.bool_], margin: float) -> Plane:
    """[H, W] to the distance from the outline as a share of the shorter side, positive inside, and `margin` more. Beyond the picture
    nothing ends; where nothing is, nothing is known."""
    if not painted.any():
        return np.zeros(painted.shape, np.float32)
    if painted.all():
        return np.full(painted.shape, FAR, np.float32)
    # Not OpenCV's: beside torch its last bits change from call to call, and a later chunk that begins with what is delivered enlarges them.
    inside, outside = (distance_transform_edt(each) for each in (painted, ~painted))
    return np.asarray(np.where(painted, inside - 0.5, 0.5 - outside) / min(painted.shape) + margin, np.float32)


def nearest_regions(depth: Plane) -> Regions:
    """[h, w]: the number of the painted region nearest to each pixel, by the `depth` [h, w] of its outline."""
    outside = (depth <= 0).astype(np.uint8)
    _, regions = cv2.distanceTransformWithLabels(outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP)
    return np.asarray(regions, np.int32)
