"""From the model's answer to the patch that is laid over the plate: matte and new pixels, at the plate's size, frame after frame."""

from dataclasses import dataclass, replace

import numpy as np

from i2vedit_core.delivery.carry import Carry
from i2vedit_core.delivery.inside import Filling, NewPixels, Part
from i2vedit_core.delivery.matting import FramePictures, Matting, PaintedPictures
from i2vedit_core.media.fit import Fit
from i2vedit_core.media.flow import Plane, tracked
from i2vedit_core.media.pixels import Picture


@dataclass(frozen=True)
class Outside:
    """Mean colour outside the matte, RGB in 0..1: of what the model made of the frame, and of the source by the same way."""

    edited: tuple[float, ...]
    source: tuple[float, ...]


@dataclass(frozen=True)
class Patch:
    """What is laid over one frame of the plate."""

    new: Picture
    """[H, W, 3]; where the matte is 0 it is the plate."""
    matte: Plane
    """[H, W] in 0..1."""
    delta: float
    """Which share of it is the plate with a change (1 all, 0 none: new pixels)."""
    flicker: float
    """Of the matte: see `Matting.flicker`."""
    sure: Plane
    """[h, w] in 0..1, at the size that flow is followed at: how surely what is seen there is what was painted."""
    flow_error: float = 0.0
    """How unlike the plate is, inside the matte, to what is fetched for it from the painted frame's."""
    outside: Outside | None = None
    """None where all of the frame is inside, or no model was asked."""

    @property
    def confidence(self) -> float | None:
        """Mean of `sure` inside the matte, 0..1; None where nothing lies inside."""
        return inside_mean(self.sure, self.matte)


def no_patch(plate: Picture) -> Patch:
    """Nothing was painted: the plate [H, W, 3], with an empty matte."""
    nothing = np.zeros(plate.shape[:2], np.float32)
    return Patch(plate, nothing, 1.0, 0.0, np.ones_like(tracked(nothing)))


class Patcher:
    """Makes the patches of all frames after the painted one, in their order and none left out."""

    def __init__(self, painted: PaintedPictures, fit: Fit, filling: Filling, first: FramePictures) -> None:
        """`first`: the model's answer for the painted frame."""
        seen = replace(painted, plate=_seen(painted.plate))
        self._fit = fit
        self._carry = Carry(tracked(seen.plate), painted.difference, filling.kind)
        self._matting = Matting(fit, seen, first)
        self._pixels = NewPixels(painted, self._carry.depth, fit, filling)

    def follow(self, frame: int, plate: Picture, model: FramePictures, given: Plane | None = None) -> Patch:
        """The patch of the next frame, number `frame`, for its plate [H, W, 3]. A matte that is `given` [H, W] stands."""
        seen = _seen(plate)
        followed = self._carry.follow(tracked(seen))
        found = self._matting.follow(followed, model, seen)
        matte = found if given is None else given
        part, new, delta = Part.around(matte), plate.copy(), 1.0
        if matte.any():
            new[part.rows, part.columns], share = self._pixels.of(frame, followed, plate, model, part)
            delta = min(float(np.average(share, weights=part.of(matte))), 1.0)
        flow_error = inside_mean(followed.mismatch, matte) or 0.0
        return Patch(new, matte, delta, self._matting.flicker, followed.trust, flow_error, self._outside(model, matte))

    def _outside(self, model: FramePictures, matte: Plane) -> Outside | None:
        where = self._fit.shrink(matte[..., None])[..., 0] <= 0
        if not where.any():
            return None
        edited, source = (tuple(each[where].mean(axis=0, dtype=np.float64).tolist()) for each in (model.edited, model.source))
        return Outside(edited, source)


def inside_mean(plane: Plane, matte: Plane) -> float | None:
    """Mean of a plane [h, w], at the size that flow is followed at, weighted with a matte [H, W]; None for an empty one."""
    weights = tracked(matte)
    return float(np.average(plane, weights=weights)) if weights.any() else None


def _seen(plate: Picture) -> Picture:
    """What is judged of a plate: within 0..1. One highlight of a thousand would blind flow and filters to everything beside it."""
    return np.clip(plate, 0, 1)
