"""Where a range holds a cut: the first frames of shots that begin inside it.

A cut is a frame that the one before does not explain, neither by motion nor by light, and that stays: what lies shortly before is unlike
what lies shortly after. A flash goes by, a whip pan takes several frames, and light leaves the drawing as it is; none of them is a cut.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import cv2
import numpy as np
import numpy.typing as npt

from i2vedit_core.media.flow import FLOW_SIDE, Plane, fetch, pixel_grid, resized, seen_flow
from i2vedit_core.media.pixels import Picture

Mask = npt.NDArray[np.bool_]
"""[blocks]."""

BLOCKS = 8
"""Blocks along the shorter side in which pictures are compared."""
BLOCK_SIDE = FLOW_SIDE // BLOCKS
SOFT = 1.5
"""Standard deviation in pixels under which pictures are compared: grain and compression are no change."""
LEAST_RANGE = 0.1
"""Of luma, between its darkest and brightest hundredths: less is not spread further, or grain would become a drawing."""
DRAWN = 0.06
"""Standard deviation of a block's luma, whose range is spread to 0..1, from which on it has a drawing by which it is known again."""
ALIKE = 0.7
"""Correlation of two blocks from which on they show the same."""
OTHER_COLOUR = 0.12
"""Difference of mean colour, light taken out, from which on blocks without a drawing show something else."""
NEW = 0.65
"""Share of the blocks that must be new in the first frame of a shot."""
STILL_NEW = 0.5
"""The same for frames around it, held against those before the cut."""
LEAST_DRAWN = 0.1
"""Share of the blocks that must have a drawing, for all to be judged by it."""
ASTRAY = 3.0
"""Pixels by which flow there and back may miss where it began."""
MOVED = 0.2
"""Share of new blocks from which on motion is looked for that explains them."""
RESTLESS = 0.6
"""Change from frame to frame beside a cut, as a share of the change across it, from which on all of it is fast motion."""
AROUND = 3
"""Frames on each side that are held against one another."""


@dataclass(frozen=True)
class _Small:
    """A frame as it is compared: luma [h, w] whose range is spread to 0..1, and colour [h, w, 2] without its light."""

    luma: Plane
    colour: Picture


def find_cuts(frames: Iterable[Picture], first: int) -> tuple[int, ...]:
    """Numbers of the frames that begin a new shot.

    frames: [H, W, 3] in about 0..1, in a display-like encoding, one after the other from number `first` on. Never holds more than a few,
    and those small.
    """
    return tuple(number for number, seen in enumerate(_windows(_small(frame) for frame in frames), start=first) if seen.is_cut())


class _Window:
    """What lies around one frame: up to AROUND frames before it, itself and those after it."""

    def __init__(self, before: tuple[_Small, ...], after: tuple[_Small, ...]) -> None:
        self._before, self._after = before, after

    def is_cut(self) -> bool:
        """Whether its frame begins a new shot."""
        if not self._before:
            return False
        across = _new(self._before[-1], self._after[0])
        if across < NEW:
            return False
        beside = [_new(*pair) for side in (self._before, self._after) for pair in pairwise(side)]
        if any(change > RESTLESS * across for change in beside[-1:] + beside[:1]):
            return False
        return all(_new(*pair) >= STILL_NEW for pair in product(self._before, self._after))


def _windows(frames: Iterator[_Small]) -> Iterator[_Window]:
    """One for each frame, in their order."""
    held: deque[_Small] = deque(maxlen=2 * AROUND)
    place = 0
    for frame in frames:
        if len(held) == held.maxlen:
            place -= 1
        held.append(frame)
        if len(held) - place == AROUND:
            yield _window(held, place)
            place += 1
    while place < len(held):
        yield _window(held, place)
        place += 1


def _window(held: deque[_Small], place: int) -> _Window:
    frames = tuple(held)
    return _Window(frames[max(0, place - AROUND) : place], frames[place : place + AROUND])


def _small(frame: Picture) -> _Small:
    height, width = frame.shape[:2]
    scale = FLOW_SIDE / min(height, width)
    picture = np.clip(resized(np.clip(frame[..., :3], 0, 1), round(height * scale), round(width * scale)), 0, 1)
    soft = np.asarray(cv2.GaussianBlur(picture, (0, 0), SOFT), np.float32)
    luma = soft.mean(axis=-1)
    dark, bright = np.percentile(luma, (1, 99))
    colour = soft[..., :2] / np.maximum(soft.sum(axis=-1, keepdims=True), LEAST_RANGE)
    return _Small(np.asarray((luma - dark) / max(bright - dark, LEAST_RANGE), np.float32), np.asarray(colour, np.float32))


def _new(before: _Small, after: _Small) -> float:
    """Share of the blocks of a frame that an earlier one does not show, wherever things have moved to."""
    drawn = _drawn(before) | _drawn(after)
    if drawn.mean() < LEAST_DRAWN:  # colours are all there is to go by, and motion moves none
        return float(_other_colour(before, after).mean())
    apart = _other_drawing(before.luma, after.luma)[drawn]
    if apart.mean() < MOVED:
        return float(apart.mean())
    moved, astray = _followed(before.luma, after.luma)
    return float((apart & (_other_drawing(moved, after.luma) | (astray > ASTRAY))[drawn]).mean())


def _followed(before: Plane, after: Plane) -> tuple[Plane, Plane]:
    """The earlier luma moved to where the later one shows it, and how far flow there and back leads astray in each block, in pixels.

    Flow finds something like everything in everything; between two shots it does not find the way back.
    """
    first, second = (np.repeat(np.clip(luma, 0, 1)[..., None], 3, axis=-1) for luma in (before, after))
    back, forth = seen_flow(second, first), seen_flow(first, second)
    columns, rows = pixel_grid(second)
    way = columns + back[..., 0], rows + back[..., 1]
    return fetch(before, *way), np.median(_blocks(np.linalg.norm(back + fetch(forth, *way), axis=-1)), axis=(1, 2))


def _drawn(small: _Small) -> Mask:
    return np.asarray(_blocks(small.luma).std(axis=(1, 2)) > DRAWN)


def _other_drawing(before: Plane, after: Plane) -> Mask:
    """By the correlation of their luma, so that neither brightness nor contrast matters."""
    first, second = (each - each.mean(axis=(1, 2), keepdims=True) for each in (_blocks(before), _blocks(after)))
    together = (first * second).mean(axis=(1, 2))
    return np.asarray(together < ALIKE * first.std(axis=(1, 2)) * second.std(axis=(1, 2)))


def _other_colour(before: _Small, after: _Small) -> Mask:
    colours = _blocks(before.colour).mean(axis=1) - _blocks(after.colour).mean(axis=1)
    return np.asarray(np.abs(colours).sum(axis=-1) > OTHER_COLOUR)


def _blocks(picture: Picture) -> Picture:
    """[h, w, C] to [blocks, pixels of a block, C]; what is left over at the far edges is left out."""
    down, right = (size // BLOCK_SIDE for size in picture.shape[:2])
    cut = picture[: down * BLOCK_SIDE, : right * BLOCK_SIDE]
    return cut.reshape(down, BLOCK_SIDE, right, BLOCK_SIDE, -1).transpose(0, 2, 1, 3, 4).reshape(down * right, BLOCK_SIDE**2, -1)
