"""Frames between those that the model has seen: the change that it made of them is carried along the plate's own motion.

The plate of every frame is there, with its detail, its light and its grain, so what is carried is the change and not the picture. Where the
two sides carry different things, what was painted does not move with the plate (something was taken away, an outline grew): there the
edited pictures' own motion is asked as well (docs/decisions/0040).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from i2vedit_core.delivery.matting import ChunkPictures, FramePictures
from i2vedit_core.delivery.way import SureWay, blurred
from i2vedit_core.media.flow import Plane, fetch, pixel_grid, seen_flow
from i2vedit_core.media.pixels import Picture, largest_difference

WINDOW = 1 / 64
"""Share of the shorter side: standard deviation of the window in which two sides are compared."""
RELUCTANCE = 6
"""How much closer, in squares, the edited pictures' motion must bring the two sides than the plate's to be taken as much as that."""
ALIKE = 0.1
"""Difference of the two sides that is none worth asking for."""


_Seen = tuple[FramePictures, Picture]
"""The model's answer for a frame, and its plate [h, w, 3] at the model's size."""


@dataclass(frozen=True)
class _Carried:
    """What one neighbour says of a frame, at the model's size."""

    picture: Picture
    """[h, w, 3]: the change, edited minus source, along the plate's motion; or the edited picture, along its own."""
    edit_map: Plane
    trust: Plane
    """[h, w], never 0: how surely what is seen here is seen there."""


class Between:
    """Is given the model's answers in their order, and fills in what lies between them."""

    def __init__(self, stride: int, first: FramePictures, plate: Picture) -> None:
        """The model sees every `stride`-th frame. `first` is its answer for the first of all, `plate` that frame at its size [h, w, 3]."""
        self._stride, self._answer, self._plate = stride, first, plate

    def frames(self, seen: ChunkPictures, plates: Iterable[Picture]) -> Iterator[FramePictures]:
        """One answer for each of the `plates` [h, w, 3], which follow the latest answer without a gap: the model's own, and between them
        what is carried from both sides. `seen`: the model's answers for them. Frames behind the last of those are carried from it alone.
        """
        rest = iter(plates)
        for answer in seen.frames():
            *between, plate = islice(rest, self._stride)
            filled = self._filled(between, (self._answer, self._plate), (answer, plate))
            self._answer, self._plate = answer, plate  # before the last frame is given: nobody need ask for one more
            yield from filled
            yield answer
        yield from self._carried_on(list(rest))

    def _filled(self, plates: Sequence[Picture], first: _Seen, last: _Seen) -> Iterator[FramePictures]:
        if not plates:
            return
        before, after = _along_plate(*first, plates), _along_plate(*last, plates[::-1])[::-1]
        own = _along_itself(first[0], last[0], len(plates))
        for index, sides in enumerate(zip(before, after, own, strict=True)):
            yield _answer(plates[index], *sides, place=(index + 1) / (len(plates) + 1))

    def _carried_on(self, plates: Sequence[Picture]) -> Iterator[FramePictures]:
        for plate, carried in zip(plates, _along_plate(self._answer, self._plate, plates), strict=True):
            yield FramePictures(plate + carried.picture, plate, carried.edit_map, is_seen=False)


def _along_plate(answer: FramePictures, plate: Picture, plates: Sequence[Picture]) -> list[_Carried]:
    """One neighbour's change, carried to the frames that follow it on one side, the nearest first."""
    way, carried = SureWay(plate), []
    change = answer.edited - answer.source
    for frame in plates:
        way.follow(frame)
        carried.append(_Carried(fetch(change, way.x, way.y), fetch(answer.edit_map, way.x, way.y), way.trust))
    return carried


def _along_itself(before: FramePictures, after: FramePictures, count: int) -> Iterator[tuple[_Carried, _Carried]]:
    """Both neighbours' edited pictures, brought to so many frames between along their own motion, which is taken to be even.

    The flow from a place between is composed of the flow from both ends (Jiang et al. 2018, *Super SloMo*, equation 4).
    """
    one, other = (np.clip(each.edited, 0, 1) for each in (before, after))
    forth, back = seen_flow(one, other), seen_flow(other, one)
    columns, rows = pixel_grid(one)
    sure = np.ones_like(columns)
    for t in (np.float32(index / (count + 1)) for index in range(1, count + 1)):
        ways = t * (t * back - (1 - t) * forth), (1 - t) * ((1 - t) * forth - t * back)
        places = [(columns + way[..., 0], rows + way[..., 1]) for way in ways]
        first, second = (
            _Carried(fetch(each.edited, *place), fetch(each.edit_map, *place), sure)
            for each, place in zip((before, after), places, strict=True)
        )
        yield first, second


def _answer(plate: Picture, before: _Carried, after: _Carried, own: tuple[_Carried, _Carried], place: float) -> FramePictures:
    """Both sides' word on a frame, along the plate's motion, and as far as they contradict each other there, along their own."""
    change, edit_map = _met(before, after, place)
    picture, own_map = _met(*own, place)
    apart, own_apart = (np.square(_apart(*sides)) for sides in ((before, after), own))
    share = apart / (apart + RELUCTANCE * own_apart + ALIKE**2)
    edited = plate + change
    edited += share[..., None] * (picture - edited)
    found = np.asarray(edit_map + share * (own_map - edit_map), np.float32)
    return FramePictures(np.asarray(edited, np.float32), plate, found, is_seen=False)


def _met(before: _Carried, after: _Carried, place: float) -> tuple[Picture, Plane]:
    """Picture and edit map of both sides, weighed by nearness (`place`: 0 is the one before, 1 the one after) and by trust.

    What only one of them shows comes from that one. What neither shows comes from both, as nothing better is known.
    """
    mine, its = (1 - place) * before.trust, place * after.trust
    share = its / (mine + its)
    picture = before.picture + share[..., None] * (after.picture - before.picture)
    return picture, before.edit_map + share * (after.edit_map - before.edit_map)


def _apart(before: _Carried, after: _Carried) -> Plane:
    """[h, w]: how much the two sides contradict each other about a place. Where only one is trusted there is nobody to contradict it."""
    alike = np.minimum(before.trust, after.trust) / np.maximum(before.trust, after.trust)
    apart = np.asarray(alike * largest_difference(before.picture, after.picture), np.float32)
    return blurred(apart, WINDOW * min(before.edit_map.shape))
