"""What painting made of each colour: a change that is a matter of colour alone holds wherever the colour is seen."""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, map_coordinates

from i2vedit_core.media.flow import Plane
from i2vedit_core.media.pixels import Picture

STEPS = 32
"""Of the colour cube from 0 to 1, along each channel."""
NEAR = 1.0
"""Standard deviation, in steps, of what counts as the same colour."""
SPREAD = 0.08
"""Standard deviation of the change among pixels of one colour at which the colour explains it by half."""
FEW = 2e-4
"""Share of the pixels of either side that makes a colour's change known by half."""
UNSEEN = 2e-4
"""Share of the pixels of either side that makes a colour known."""
MOST = 500_000
"""Pixels of either side that are looked at, evenly chosen."""


class Palette:
    """Learns from the painted frame."""

    def __init__(self, plate: Picture, change: Picture, where: npt.NDArray[np.bool_]) -> None:
        """The painted frame's plate and what was changed in it, both [H, W, 3], and where [H, W]. Elsewhere nothing was changed: a colour
        that is seen there alone is left as it is. Both sides weigh the same, however much of the picture they take."""
        inside, outside = _some(where), _some(~where)
        cells = _cells(plate.reshape(-1, 3)[np.concatenate([inside, outside])])
        changes = np.concatenate([change.reshape(-1, 3)[inside], np.zeros((len(outside), 3), change.dtype)])
        share = np.concatenate([np.full(len(side), 1 / max(len(side), 1)) for side in (inside, outside)])
        known, *sums, squares = (_pooled(cells, share * each) for each in (1, *changes.T, np.square(changes).sum(axis=1)))
        mean = np.stack([each / np.maximum(known, 1e-12) for each in sums])
        spread = np.maximum(squares / np.maximum(known, 1e-12) - np.square(mean).sum(axis=0), 0)
        trust = known / (known + FEW) / (1 + spread / SPREAD**2)
        self._table = np.concatenate([mean, trust[None]]).astype(np.float32)

    def change(self, plate: Picture) -> tuple[Picture, Plane]:
        """The change [h, w, 3] for each colour of a picture [h, w, 3], and how surely the colour alone decides it, [h, w] in 0..1."""
        places = np.moveaxis(_cell(plate), -1, 0)
        found = np.stack([map_coordinates(each, places, order=1, mode="nearest") for each in self._table], axis=-1)
        return found[..., :3], found[..., 3]


class Belonging:
    """Which colours of the plate lie in what was painted, and which outside."""

    def __init__(self, plate: Picture, where: npt.NDArray[np.bool_]) -> None:
        """The painted frame's plate [h, w, 3], and where it was painted [h, w]."""
        inside, outside = (_density(plate[chosen]) for chosen in (where, ~where))
        self._table = np.asarray((inside - outside) / (inside + outside + UNSEEN), np.float32)

    def witness(self, plate: Picture) -> Plane:
        """[h, w] in -1..1: 1 where a colour was seen inside alone, -1 where outside alone, 0 where nothing is known."""
        return np.asarray(map_coordinates(self._table, np.moveaxis(_cell(plate), -1, 0), order=1, mode="nearest"), np.float32)


def _some(where: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Flat indices of what is chosen, evenly thinned out where they are many."""
    places = np.flatnonzero(where)
    return places[:: max(1, len(places) // MOST)]


def _density(colours: Picture) -> npt.NDArray[np.float64]:
    cells = _cells(colours)
    return _pooled(cells, np.ones(len(cells))) / max(len(cells), 1)


def _cells(colours: Picture) -> npt.NDArray[np.intp]:
    """[N]: in which cell of the colour cube each of the colours [N, 3] lies."""
    return np.asarray(np.ravel_multi_index(tuple(np.rint(_cell(colours)).astype(np.intp).T), (STEPS,) * 3), np.intp)


def _cell(colours: Picture) -> Picture:
    return np.asarray(np.clip(colours, 0, 1) * np.float32(STEPS - 1), np.float32)


def _pooled(cells: npt.NDArray[np.intp], weights: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Sums by colour [STEPS, STEPS, STEPS], each colour with its neighbours."""
    sums = np.bincount(cells, weights, minlength=STEPS**3).reshape((STEPS,) * 3)
    return np.asarray(gaussian_filter(sums, NEAR, mode="constant"), np.float64)
