"""How much more changes where two parts of a delivery meet than beside it: at joins of chunks, and at painted frames."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab

from i2vedit_core.delivery.delivered import SeenFrame, seen_frames
from i2vedit_core.media.flow import Plane, fetch, pixel_grid, seen_flow, tracked
from i2vedit_core.media.viewing import on_display
from i2vedit_core.quality import JoinQuality
from i2vedit_core.shot import Shot

BESIDE = 4
"""Frames on each side of a join that it is held against."""
STILL = 1e-3
"""Change from frame to frame that nobody sees: a join between still frames is held against at least this."""


@dataclass(frozen=True)
class Parts:
    """What a delivery is put together from. All in source frame numbers."""

    keys: tuple[int, ...]
    """Painted frames."""
    joins: tuple[int, ...] = ()
    """First frames of later parts: of chunks, and where what comes from two painted frames meets."""
    cuts: tuple[int, ...] = ()
    """First frames of later shots. Nothing is compared across them."""

    def borders(self, shot: Shot) -> dict[int, tuple[int, ...]]:
        """The later frames of the pairs in which a join or a painted frame meets its neighbours."""
        found: dict[int, tuple[int, ...]] = {join: (join,) for join in self.joins}
        found |= {key: (key, key + 1) for key in self.keys}
        inside = {frame: tuple(late for late in pairs if shot.first < late <= shot.last) for frame, pairs in found.items()}
        return {frame: kept for frame, pairs in sorted(inside.items()) if (kept := tuple(p for p in pairs if p not in self.cuts))}


@dataclass(frozen=True)
class _Step:
    """From one frame to the next, inside both mattes, each pixel where the plate's flow leads."""

    change: float
    delta_e: float


def find_seams(folder: Path, shot: Shot, parts: Parts) -> Iterator[JoinQuality]:
    """One for each join and painted frame of a delivered version, in their order. Holds two frames at a time. Raises CLIP_UNREADABLE."""
    borders = parts.borders(shot)
    never_beside = {late for pairs in borders.values() for late in pairs} | set(parts.cuts)
    for frame, pairs in borders.items():
        first = max(shot.first, pairs[0] - BESIDE - 1, *(cut for cut in parts.cuts if cut < pairs[0]))
        last = min(shot.last, pairs[-1] + BESIDE, *(cut - 1 for cut in parts.cuts if cut > pairs[-1]))
        steps = dict(_steps(folder, shot, first, last))
        yield _seam(frame, frame in parts.keys, pairs, steps, never_beside)


def _seam(frame: int, key: bool, pairs: Sequence[int], steps: dict[int, _Step], never_beside: set[int]) -> JoinQuality:
    across = [steps[late] for late in pairs if late in steps]
    beside = [step.change for late, step in steps.items() if late not in never_beside]
    if not across:
        return JoinQuality(frame, key, None, None)
    ratio = max(step.change for step in across) / max(float(np.median(beside)), STILL) if beside else None
    return JoinQuality(frame, key, ratio, max(step.delta_e for step in across))


def _steps(folder: Path, shot: Shot, first: int, last: int) -> Iterator[tuple[int, _Step]]:
    """By the later frame, for those where something of the edit is seen in both."""
    for before, after in pairwise(_small(seen, shot.clip.color_space) for seen in seen_frames(folder, shot, first, last)):
        step = _step(before, after)
        if step is not None:
            yield after.frame, step


def _small(seen: SeenFrame, space: str) -> SeenFrame:
    """At the size that flow is followed at, as it is looked at."""
    plate, result = (np.clip(on_display(tracked(each), space), 0, 1).astype(np.float32) for each in (seen.plate, seen.result))
    return SeenFrame(seen.frame, plate, result, tracked(seen.matte))


def _step(before: SeenFrame, after: SeenFrame) -> _Step | None:
    columns, rows = pixel_grid(after.plate)
    back = seen_flow(after.plate, before.plate)
    way = columns + back[..., 0], rows + back[..., 1]
    weights: Plane = np.minimum(after.matte, fetch(before.matte, *way))
    if weights.sum() < 1:
        return None
    fetched = fetch(before.result, *way)
    change = float(np.average(np.abs(after.result - fetched).mean(axis=-1), weights=weights))
    colours = [np.average(each.reshape(-1, 3), axis=0, weights=weights.reshape(-1)) for each in (fetched, after.result)]
    return _Step(change, float(deltaE_ciede2000(*map(rgb2lab, colours))))
