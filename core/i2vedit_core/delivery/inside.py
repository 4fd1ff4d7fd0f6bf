"""What lies inside the matte, at the plate's size (docs/decisions/0020).

Two answers meet. The model's is known everywhere, at its own size. The painted frame's is exact, detail and all, but holds only where
the plate's motion leads back to it. The second replaces the first as far as the way there is trusted.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from i2vedit_core.delivery.carry import Followed, blurred
from i2vedit_core.delivery.grain import Grain
from i2vedit_core.delivery.matting import FramePictures
from i2vedit_core.matte import PAINTED
from i2vedit_core.media.fit import Fit
from i2vedit_core.media.flow import Plane, fetch, resized
from i2vedit_core.media.pixels import Picture
from i2vedit_core.settings import EditKind, Inside

LEAST_BLUR = 1.5
"""Pixels of the plate: what is finer than this is detail, also where the model's picture is as large as the plate."""
AGREED = 0.1
"""Difference between the model's picture and the carried one at which the carried detail is trusted by half."""


@dataclass(frozen=True)
class Part:
    """A rectangle of the plate, [H, W]."""

    rows: slice
    columns: slice

    @classmethod
    def around(cls, matte: Plane) -> "Part":
        """The smallest that holds everything but zeros; empty where there is nothing else."""
        spans = []
        for axis in (1, 0):
            (filled,) = np.nonzero(matte.any(axis=axis))
            spans.append(slice(int(filled[0]), int(filled[-1]) + 1) if len(filled) else slice(0, 0))
        return cls(*spans)

    def of(self, picture: Picture) -> Picture:
        return picture[self.rows, self.columns]


@dataclass(frozen=True)
class PaintedPictures:
    """The painted frame, [H, W, 3] in 0..1: its plate and the picture, and what was painted as a `painted_difference` [H, W]."""

    plate: Picture
    picture: Picture
    difference: Plane


@dataclass(frozen=True)
class Filling:
    """How the inside is to be made."""

    kind: EditKind
    inside: Inside = Inside.AUTO
    grain: float = 0.0
    seed: int = 0


class NewPixels:
    """Makes what lies inside the mattes of a shot."""

    def __init__(self, painted: PaintedPictures, depth: Plane, fit: Fit, filling: Filling) -> None:
        """`depth` [h, w]: of the painted outline, at the size that flow is followed at."""
        self._fit, self._filling = fit, filling
        self._blur = max(LEAST_BLUR, fit.enlargement)
        self._painted = painted.picture
        self._change = painted.picture - painted.plate
        self._delta = delta_share(painted, depth, self._blur, filling)
        self._grain = Grain.of(painted.plate) if filling.grain > 0 and not self._delta.all() else None

    def of(self, frame: int, followed: Followed, plate: Picture, model: FramePictures, part: Part) -> tuple[Picture, Plane]:
        """The new pixels [h, w, 3] of a part of a frame, and [h, w] how far each is the plate with a change: 1 delta, 0 replaced."""
        x, y = _way(followed, plate.shape[:2], part)
        trust = part.of(resized(followed.trust, *plate.shape[:2]))[..., None]
        share = part.of(resized(fetch(self._delta, followed.x, followed.y), *plate.shape[:2]))
        if (share >= 1).all():
            return self._changed(part.of(plate), model, part, (x, y), trust), share
        replaced = self._replaced(frame, model, part, (x, y), trust)
        if not share.any():
            return replaced, share
        changed = self._changed(part.of(plate), model, part, (x, y), trust)
        return np.asarray(replaced + share[..., None] * (changed - replaced), np.float32), share

    def _changed(self, plate: Picture, model: FramePictures, part: Part, way: tuple[Plane, Plane], trust: Picture) -> Picture:
        """The plate with the change: the model's, or the painted one where it can be followed."""
        told = self._fit.to_plate(model.edited - model.source, part.rows, part.columns)
        return np.asarray(plate + told + trust * (fetch(self._change, *way) - told), np.float32)

    def _replaced(self, frame: int, model: FramePictures, part: Part, way: tuple[Plane, Plane], trust: Picture) -> Picture:
        """The model's picture, with painted detail where it can be followed and both show the same, and with grain elsewhere."""
        told = self._fit.to_plate(model.edited, part.rows, part.columns)
        carried = fetch(self._painted, *way)
        coarse = blurred(carried, self._blur)
        apart = np.abs(coarse - told).max(axis=-1, keepdims=True)
        sure = trust / (1 + np.square(apart / AGREED))
        picture = np.asarray(told + sure * (carried - coarse), np.float32)
        if self._grain is None:
            return picture
        return self._grain.over(picture, self._filling.grain * (1 - sure[..., 0]), (self._filling.seed, frame))


def delta_share(painted: PaintedPictures, depth: Plane, blur: float, filling: Filling) -> Plane:
    """[h, w], the size of `depth`: 1 where the painted region nearest to a pixel is made as delta, 0 where it is replaced.

    `auto` asks, region by region, which loses less when only the coarse is kept: the change, or the picture. A new colour is a coarse
    change of a fine picture; a new thing over a structured ground is the other way round. Where the outline itself was changed, delta
    would leave ghosts of the old one.
    """
    if filling.inside is not Inside.AUTO or filling.kind is EditKind.SHAPE:
        return np.full(depth.shape, float(filling.inside is Inside.DELTA), np.float32)
    where = (painted.difference > PAINTED).astype(np.float32)
    lost = [resized(_fine_part(each, where, blur), *depth.shape) for each in (painted.picture - painted.plate, painted.picture)]
    outside = (depth <= 0).astype(np.uint8)
    _, region = cv2.distanceTransformWithLabels(outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP)
    inside = outside == 0
    of_change, of_picture = (np.bincount(region[inside], each[inside], minlength=int(region.max()) + 1) for each in lost)
    return np.asarray((of_change <= of_picture)[region], np.float32)


def _fine_part(picture: Picture, where: Plane, blur: float) -> Plane:
    """[H, W]: squared difference between a picture and its blur, both within `where` alone, so that its outline does not count."""
    weight = np.maximum(blurred(where, blur), 1e-3)
    coarse = blurred(picture * where[..., None], blur) / weight[..., None]
    return np.asarray(np.square(picture - coarse).mean(axis=-1) * where, np.float32)


def _way(followed: Followed, size: tuple[int, int], part: Part) -> tuple[Plane, Plane]:
    """Column and row on the painted frame, in the plate's pixels, for each pixel of a part."""
    height, width = size
    rows, columns = np.indices(followed.x.shape, np.float32)
    right = part.of(resized(followed.x - columns, height, width)) * np.float32(width / followed.x.shape[1])
    down = part.of(resized(followed.y - rows, height, width)) * np.float32(height / followed.x.shape[0])
    x = np.arange(width, dtype=np.float32)[part.columns] + right
    return x, np.arange(height, dtype=np.float32)[part.rows][:, None] + down
