"""What lies inside the matte, at the plate's size (docs/decisions/0020).

Two answers meet. The model's is known everywhere, at its own size. The painted frame's is exact, detail and all, but holds only where
the plate's motion leads back to it. The second replaces the first as far as the way there is trusted.
"""

from dataclasses import dataclass

import numpy as np

from i2vedit_core.delivery.carry import Followed, Regions, nearest_regions
from i2vedit_core.delivery.grain import Grain
from i2vedit_core.delivery.matting import FramePictures, PaintedPictures
from i2vedit_core.delivery.palette import Palette
from i2vedit_core.delivery.vouching import Vouching
from i2vedit_core.delivery.way import blurred
from i2vedit_core.matte import PAINTED
from i2vedit_core.media.fit import Fit
from i2vedit_core.media.flow import Plane, fetch, resized, tracked
from i2vedit_core.media.pixels import Picture
from i2vedit_core.settings import EditKind, Inside

LEAST_BLUR = 1.5
"""Pixels of the plate: what is finer than this is detail, also where the model's picture is as large as the plate."""
LEAST_SAY = 0.1
"""What a model that is not heard weighs, where nobody knows better, against a way that is not trusted."""


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
class Filling:
    """How the inside is to be made."""

    kind: EditKind
    inside: Inside = Inside.AUTO
    grain: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class _PartWay:
    """The way from a part of a frame to the painted one, and how far to go by it. Planes are [h, w, 1] in 0..1."""

    part: Part
    way: tuple[Plane, Plane]
    """Column and row on the painted frame."""
    trust: Picture
    """In the way."""
    sure: Picture
    """That the painted picture lies there: the way is trusted, and the model does not object."""
    heard: Picture
    """How far the model is heard."""


class NewPixels:
    """Makes what lies inside the mattes of a shot."""

    def __init__(self, painted: PaintedPictures, depth: Plane, fit: Fit, filling: Filling) -> None:
        """`depth` [h, w]: of the painted outline, at the size that flow is followed at."""
        self._fit, self._filling = fit, filling
        self._painted = painted.picture
        self._change = painted.picture - painted.plate
        self._small_change = tracked(self._change)
        self._palette = Palette(painted.plate, self._change, painted.difference > PAINTED)
        self._lowest, self._highest = _reach(painted)
        regions = nearest_regions(depth)
        self._delta = delta_share(painted, regions, max(LEAST_BLUR, fit.enlargement), self._palette, filling)
        self._vouching = Vouching(regions, self._small_change)
        self._grain = Grain.of(np.clip(painted.plate, 0, 1)) if filling.grain > 0 and not self._delta.all() else None

    def of(self, frame: int, followed: Followed, plate: Picture, model: FramePictures, part: Part) -> tuple[Picture, Plane]:
        """The new pixels [h, w, 3] of a part of a frame, and [h, w] how far each is the plate with a change: 1 delta, 0 replaced."""
        size, seen = plate.shape[:2], part.of(plate)
        share = part.of(resized(fetch(self._delta, followed.x, followed.y), *size))
        there = self._part_way(followed, model, size, part)
        if (share >= 1).all():
            return self._within_reach(self._changed(seen, model, there), seen), share
        new = self._replaced(frame, model, there)
        if share.any():
            new += share[..., None] * (self._changed(seen, model, there) - new)
        return self._within_reach(new, seen), share

    def _part_way(self, followed: Followed, model: FramePictures, size: tuple[int, int], part: Part) -> _PartWay:
        change = fetch(self._small_change, followed.x, followed.y)
        told = self._fit.to_size(model.edited - model.source, *followed.x.shape)
        word = self._vouching.of(followed, change, told, model.is_seen)
        trust, stands, heard = (part.of(resized(each, *size))[..., None] for each in (followed.trust, word.carried, word.heard))
        return _PartWay(part, _way(followed, size, part), trust, trust * stands, heard)

    def _within_reach(self, new: Picture, plate: Picture) -> Picture:
        """Nothing darker or brighter than the painted frame and this plate are: a change that is added, or grain, may go beyond both."""
        low, high = np.minimum(plate, self._lowest), np.maximum(plate, self._highest)
        return np.asarray(np.clip(new, low, high), np.float32)

    def _changed(self, plate: Picture, model: FramePictures, there: _PartWay) -> Picture:
        """The plate with the change: the model's, or what became of its colour, or the painted one where it can be followed."""
        told = self._fit.to_plate(model.edited - model.source, there.part.rows, there.part.columns)
        by_colour, sure = self._palette.change(plate)
        told = told + sure[..., None] * (by_colour - told)
        doubt = (1 - there.trust) * np.maximum(LEAST_SAY, np.maximum(sure[..., None], there.heard))
        share = there.trust / (there.trust + doubt)
        return np.asarray(plate + told + share * (fetch(self._change, *there.way) - told), np.float32)

    def _replaced(self, frame: int, model: FramePictures, there: _PartWay) -> Picture:
        """The model's picture, or the painted one where it can be followed and the model agrees; with grain where it is the model's."""
        told = self._fit.to_plate(model.edited, there.part.rows, there.part.columns)
        picture = np.asarray(told + there.sure * (fetch(self._painted, *there.way) - told), np.float32)
        if self._grain is None:
            return picture
        return self._grain.over(picture, self._filling.grain * (1 - there.sure[..., 0]), (self._filling.seed, frame))


def delta_share(painted: PaintedPictures, regions: Regions, blur: float, palette: Palette, filling: Filling) -> Plane:
    """[h, w], the size of `regions`: 1 where the painted region nearest to a pixel is made as delta, 0 where it is replaced.

    `auto` asks, region by region, which loses less of what was painted when only the coarse is known: delta, which has the plate and what
    became of each colour beside it, or the picture alone. A new thing over a structured ground is better replaced. Where the outline itself
    was changed, delta would leave ghosts of the old one.
    """
    if filling.inside is not Inside.AUTO or filling.kind is EditKind.SHAPE:
        return np.full(regions.shape, float(filling.inside is Inside.DELTA), np.float32)
    where = (painted.difference > PAINTED).astype(np.float32)
    change = painted.picture - painted.plate
    by_colour, sure = palette.change(painted.plate)
    told = _coarse(change, where, blur)
    told += sure[..., None] * (by_colour - told)
    answers = (change, told), (painted.picture, _coarse(painted.picture, where, blur))
    lost = [resized(np.square(truth - answer).mean(axis=-1) * where, *regions.shape) for truth, answer in answers]
    of_change, of_picture = (np.bincount(regions.ravel(), each.ravel(), minlength=int(regions.max()) + 1) for each in lost)
    return np.asarray((of_change <= of_picture)[regions], np.float32)


def _reach(painted: PaintedPictures) -> tuple[np.float32, np.float32]:
    """The least and the most that the painted frame shows, plate and picture; at least 0 to 1, which every screen shows."""
    both = painted.plate, painted.picture
    return min(np.float32(0), *(each.min() for each in both)), max(np.float32(1), *(each.max() for each in both))


def _coarse(picture: Picture, where: Plane, blur: float) -> Picture:
    """[H, W, 3]: the blur of a picture within `where` alone, so that its outline does not count."""
    weight = np.maximum(blurred(where, blur), 1e-3)
    return np.asarray(blurred(picture * where[..., None], blur) / weight[..., None], np.float32)


def _way(followed: Followed, size: tuple[int, int], part: Part) -> tuple[Plane, Plane]:
    """Column and row on the painted frame, in the plate's pixels, for each pixel of a part."""
    height, width = size
    rows, columns = np.indices(followed.x.shape, np.float32)
    right = part.of(resized(followed.x - columns, height, width)) * np.float32(width / followed.x.shape[1])
    down = part.of(resized(followed.y - rows, height, width)) * np.float32(height / followed.x.shape[0])
    x = np.arange(width, dtype=np.float32)[part.columns] + right
    return x, np.arange(height, dtype=np.float32)[part.rows][:, None] + down
