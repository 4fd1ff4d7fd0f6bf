"""The mattes of a shot, frame after frame: what the model changed, beside what the plate's own motion says of the painted region."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from i2vedit_core.delivery.carry import Followed
from i2vedit_core.delivery.edges import along_edges
from i2vedit_core.delivery.palette import Belonging
from i2vedit_core.matte import PAINTED, Calibration, change, finish, outline, settled
from i2vedit_core.media.fit import Fit
from i2vedit_core.media.flow import Plane, fetch, pixel_grid, tracked
from i2vedit_core.media.pixels import Picture

KEPT = 0.5
"""How much of the frame before stays in what the model's change says, where the plate's flow leads there surely."""
COLOUR = 0.5
"""How much the plate's colour says where its motion says nothing."""
STEADY = 0.5
"""From here on a step of the flow is sure enough to measure flicker by."""


@dataclass(frozen=True)
class ChunkPictures:
    """A finished chunk at the model's size: edited and source [F, h, w, 3] in 0..1, edit map [F, h, w] in [0, 1]."""

    edited: Picture
    source: Picture
    """The source by the same way through the autoencoder, so that its errors cancel (METHOD section 8)."""
    edit_map: Picture

    def part(self, part: slice) -> "ChunkPictures":
        return ChunkPictures(self.edited[part], self.source[part], self.edit_map[part])

    def frame(self, index: int) -> "FramePictures":
        return FramePictures(self.edited[index], self.source[index], self.edit_map[index])

    def frames(self) -> Iterator["FramePictures"]:
        return (self.frame(index) for index in range(len(self.edited)))


@dataclass(frozen=True)
class FramePictures:
    """The model's answer for one frame: edited and source [h, w, 3], edit map [h, w]."""

    edited: Picture
    source: Picture
    edit_map: Plane
    is_seen: bool = True
    """Whether the model has seen this frame, or its answer was carried here from others."""


@dataclass(frozen=True)
class PaintedPictures:
    """The painted frame, [H, W, 3] in 0..1: its plate and the picture, and what was painted as a `largest_difference` [H, W]."""

    plate: Picture
    picture: Picture
    difference: Plane


class Matting:
    """Learns from the painted frame, then makes the mattes of all frames after it, in their order and none left out."""

    def __init__(self, fit: Fit, painted: PaintedPictures, first: FramePictures) -> None:
        """`first`: the model's answer for the painted frame."""
        self._fit, difference = fit, painted.difference
        self._belonging = Belonging(tracked(painted.plate), tracked(difference) > PAINTED)
        small = fit.shrink(difference[..., None])[..., 0]
        self._calibration = Calibration.of(change(first.edited, first.source), first.edit_map, small)
        self._seen: Plane | None = None
        """What the model's change said of the frame before."""
        self._latest: Plane | None = None
        """The matte of the frame before."""
        self.flicker = 0.0
        """Mean difference between the latest matte and the one before, fetched along the plate's flow, over the pixels that either has."""

    def follow(self, followed: Followed, model: FramePictures, plate: Picture) -> Plane:
        """The matte of the next frame, [H, W] in 0..1, for its plate [H, W, 3] and the model's answer for it."""
        seen = self._steadied(self._seen_change(followed, model), followed)
        side = min(followed.depth.shape)
        matte = settled(seen + followed.trust * (outline(followed.depth * side) - seen))
        self.flicker = self._flicker(matte, followed)
        self._seen, self._latest = seen, matte
        radius = max(1, math.ceil(self._fit.enlargement * side / min(plate.shape[:2])))
        return finish(along_edges(matte, followed.plate, plate, radius))

    def _seen_change(self, followed: Followed, model: FramePictures) -> Plane:
        """What the model's change says, [h, w] as followed."""
        height, width = followed.depth.shape
        evidence = np.stack([change(model.edited, model.source), model.edit_map], axis=-1)
        changed, edit_map = np.moveaxis(self._fit.to_size(evidence, height, width), -1, 0)
        by_colour = self._belonging.witness(followed.plate)
        witness = np.asarray(followed.witness + (1 - np.abs(followed.witness)) * COLOUR * by_colour, np.float32)
        return self._calibration.witnessed(np.maximum(changed, 0), edit_map, witness)

    def _steadied(self, seen: Plane, followed: Followed) -> Plane:
        """With a share of what was said of the same pixel one frame earlier."""
        if self._seen is None:
            return seen
        return np.asarray(seen + KEPT * followed.steady * (_from_before(self._seen, followed) - seen), np.float32)

    def _flicker(self, matte: Plane, followed: Followed) -> float:
        if self._latest is None:
            return 0.0
        before = _from_before(self._latest, followed)
        where = (followed.steady > STEADY) & ((matte > 0) | (before > 0))
        return float(np.abs(matte - before)[where].mean()) if where.any() else 0.0


def _from_before(plane: Plane, followed: Followed) -> Plane:
    columns, rows = pixel_grid(followed.plate)
    return fetch(plane, columns + followed.back[..., 0], rows + followed.back[..., 1])
