"""Frames between those that the model has seen: the change that it made of them is carried along the plate's own motion.

What is carried is the change, and never the picture: the plate of every frame is there, with its detail, its light and its grain
(docs/decisions/0040).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from i2vedit_core.delivery.matting import ChunkPictures, FramePictures
from i2vedit_core.delivery.way import SureWay
from i2vedit_core.media.flow import Plane, fetch
from i2vedit_core.media.pixels import Picture


@dataclass(frozen=True)
class _Carried:
    """What one neighbour says of a frame, at the model's size."""

    change: Picture
    """[h, w, 3]: edited minus source."""
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
        for index in range(len(seen.edited)):
            answer, gap = seen.frame(index), list(islice(rest, self._stride))
            *between, plate = gap
            yield from self._filled(between, (answer, plate))
            yield answer
            self._answer, self._plate = answer, plate
        yield from self._filled(list(rest), None)

    def _filled(self, plates: Sequence[Picture], following: tuple[FramePictures, Picture] | None) -> Iterator[FramePictures]:
        before = _carried(self._answer, self._plate, plates)
        if following is None:
            yield from (_answer(plate, one, one, 0.0) for plate, one in zip(plates, before, strict=True))
            return
        after = _carried(*following, plates[::-1])[::-1]
        for place, (plate, one, other) in enumerate(zip(plates, before, after, strict=True), start=1):
            yield _answer(plate, one, other, place / (len(plates) + 1))


def _carried(answer: FramePictures, plate: Picture, plates: Sequence[Picture]) -> list[_Carried]:
    """One neighbour's answer, carried to the frames that follow it on one side, the nearest first."""
    way, carried = SureWay(plate), []
    change = answer.edited - answer.source
    for frame in plates:
        way.follow(frame)
        carried.append(_Carried(fetch(change, way.x, way.y), fetch(answer.edit_map, way.x, way.y), way.trust))
    return carried


def _answer(plate: Picture, before: _Carried, after: _Carried, place: float) -> FramePictures:
    """Both sides' word on a frame, weighed by nearness (`place`: 0 is the one before, 1 the one after) and by trust.

    What only one of them shows comes from that one. What neither shows comes from both, as nothing better is known.
    """
    mine, its = (1 - place) * before.trust, place * after.trust
    share = its / (mine + its)
    change = before.change + share[..., None] * (after.change - before.change)
    edit_map = before.edit_map + share * (after.edit_map - before.edit_map)
    return FramePictures(np.asarray(plate + change, np.float32), plate, np.asarray(edit_map, np.float32))
