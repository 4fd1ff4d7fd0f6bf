"""Where two painted frames meet: the frames between them are reached from both sides, and each side counts as far as it is near and sure.

The side that is gone first waits on disk, since both go through the same frames in opposite orders.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from i2vedit_core.delivery.inside import Part
from i2vedit_core.delivery.patch import Outside, Patch
from i2vedit_core.files import whole_file
from i2vedit_core.matte import finish
from i2vedit_core.media.flow import Plane, resized
from i2vedit_core.media.pixels import Picture

LEAST = 0.25
"""What a side counts where its way cannot be trusted at all: the model still knows something there."""


@dataclass(frozen=True)
class Waiting:
    """Patches of one side, in a folder of the job: as much of each as its matte covers, as half floats."""

    folder: Path

    def keep(self, frame: int, plate: Picture, patch: Patch) -> None:
        """Puts the patch of a frame by, for its plate [H, W, 3]. Raises BridgeError DISK_FULL, OUTPUT_NOT_WRITABLE."""
        part = Part.around(patch.matte)
        # The difference is small, so that half floats tell it apart finer than the plate's own codes.
        difference, matte = part.of(patch.new - plate), part.of(patch.matte)
        corner = np.asarray([part.rows.start, part.columns.start], np.int64)
        colours = (*patch.outside.edited, *patch.outside.source) if patch.outside else ()
        told = np.asarray([patch.delta, patch.flicker, patch.flow_error, *colours], np.float64)
        self.folder.mkdir(parents=True, exist_ok=True)
        with whole_file(self._path(frame), difference.size * 3, replace=True) as partial, partial.open("wb") as file:
            np.savez(
                file,
                difference=difference.astype(np.float16),
                matte=matte.astype(np.float16),
                sure=patch.sure.astype(np.float16),
                corner=corner,
                told=told,
            )

    def take(self, frame: int, plate: Picture) -> Patch:
        """The patch of a frame, and it waits no longer."""
        with np.load(self._path(frame)) as kept:
            (top, left), (delta, flicker, flow_error, *colours) = kept["corner"], kept["told"].tolist()
            height, width = kept["matte"].shape
            part = Part(slice(top, top + height), slice(left, left + width))
            new, matte = plate.copy(), np.zeros(plate.shape[:2], np.float32)
            new[part.rows, part.columns] += kept["difference"]
            matte[part.rows, part.columns] = kept["matte"]
            sure = kept["sure"].astype(np.float32)
        self._path(frame).unlink()
        outside = Outside(tuple(colours[:3]), tuple(colours[3:])) if colours else None
        return Patch(new, matte, delta, flicker, sure, flow_error, outside)

    def _path(self, frame: int) -> Path:
        return self.folder / f"{frame}.npz"


def met(before: Patch, behind: Patch, way: float, plate: Picture) -> Patch:
    """One patch of two for a plate [H, W, 3]: `before` from the painted frame before it and `behind` from the one behind it.

    `way`: how far between the two the frame lies, 0..1. At either end that side alone counts, so that there is no seam.
    """
    share = _share(before.sure, behind.sure, way)
    large = resized(share, *plate.shape[:2])
    # What is laid over the plate is blended, not the pictures: where a side has no matte, it says that the plate stands.
    weights = (1 - large) * before.matte, large * behind.matte
    matte = finish(weights[0] + weights[1])
    over = sum(weight[..., None] * (patch.new - plate) for weight, patch in zip(weights, (before, behind), strict=True))
    new = np.asarray(plate + np.where(matte[..., None] > 0, over / np.maximum(matte, 1e-6)[..., None], 0), np.float32)
    mean = float(share.mean())
    pairs = (before.delta, behind.delta), (before.flicker, behind.flicker), (before.flow_error, behind.flow_error)
    delta, flicker, flow_error = ((1 - mean) * mine + mean * its for mine, its in pairs)
    sure = np.asarray((1 - share) * before.sure + share * behind.sure, np.float32)
    return Patch(new, matte, delta, flicker, sure, flow_error, (before if way < 0.5 else behind).outside)


def _share(before: Plane, behind: Plane, way: float) -> Plane:
    """[h, w] in 0..1: how much the side behind counts."""
    mine, its = ((1 - way) * np.maximum(before, LEAST), way * np.maximum(behind, LEAST))
    return np.asarray(its / np.maximum(mine + its, 1e-6), np.float32)
