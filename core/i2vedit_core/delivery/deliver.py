"""Lays the edited chunks over the plate and writes the frames, each plate frame decoded when its turn comes."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np

from i2vedit_core.delivery.contact_sheet import make_contact_sheet
from i2vedit_core.delivery.headers import Value
from i2vedit_core.delivery.inside import Filling
from i2vedit_core.delivery.matting import ChunkPictures, PaintedPictures
from i2vedit_core.delivery.painted import Painted
from i2vedit_core.delivery.patch import Patcher
from i2vedit_core.delivery.preview import make_preview
from i2vedit_core.delivery.region import Region
from i2vedit_core.delivery.sequence import SequenceWriter
from i2vedit_core.delivery.told import told
from i2vedit_core.errors import BridgeError
from i2vedit_core.matte import finish
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.fit import Fit
from i2vedit_core.media.flow import Plane
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.repair import repaired
from i2vedit_core.shot import Shot

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Plate:
    """One frame of the plate."""

    frame: int
    decoded: Picture
    """[H, W, 3 or 4]: as it is, and as it stays outside the matte."""
    seen: Picture
    """[H, W, 3]: what is computed with, in the working encoding; pixels that are no numbers are mended."""


@dataclass(frozen=True)
class Deliverer:
    """Writes the frames of one shot."""

    shot: Shot
    fit: Fit
    painted: Painted
    filling: Filling
    region: Region | None
    writer: SequenceWriter

    def unchanged(self) -> Iterator[tuple[int, Path]]:
        """Nothing was painted: the plate, with an empty matte."""
        for plate in self._plates(self.shot.first, self.shot.last):
            yield plate.frame, self._write(plate, plate.decoded[..., :3], np.zeros(plate.seen.shape[:2], np.float32), {})

    def painted_frame(self) -> tuple[int, Path]:
        """The painted frame, as painted."""
        (plate,) = self._plates(self.shot.first, self.shot.first)
        return plate.frame, self._write(plate, self.painted.picture, self.painted.matte, {})

    def patcher(self, chunk: ChunkPictures) -> Patcher:
        """What will make the patches; `chunk` is the one that begins with the painted frame."""
        encode, painted = self.fit.working.encode, self.painted
        pictures = PaintedPictures(encode(painted.plate), encode(painted.picture), painted.difference)
        return Patcher(pictures, self.fit, self.filling, chunk.frame(0))

    def frames(self, first: int, chunk: ChunkPictures, patcher: Patcher) -> Iterator[tuple[int, Path]]:
        """Source frames from `first` on, one for each of the chunk's. `patcher` has followed all before them, written now or earlier."""
        last = first + len(chunk.edited) - 1
        for index, (plate, given) in enumerate(zip(self._plates(first, last), self._given(first, last), strict=True)):
            patch = patcher.follow(plate.frame, plate.seen, chunk.frame(index), given)
            yield plate.frame, self._write(plate, self.fit.working.decode(patch.new), patch.matte, told(patch))

    def _given(self, first: int, last: int) -> Iterator[Plane | None]:
        mattes = self.region.given(first, last) if self.region else repeat(None, last - first + 1)
        return (None if matte is None else finish(matte) for matte in mattes)

    def _plates(self, first: int, last: int) -> Iterator[_Plate]:
        for frame, decoded in enumerate(decode_frames(self.shot.clip, first, last), start=first):
            yield _Plate(frame, decoded, self.fit.working.encode(repaired(decoded)[0][..., :3]))

    def _write(self, plate: _Plate, new: Picture, matte: Plane, says: dict[str, Value]) -> Path:
        if self.writer.have(plate.frame):
            return self.writer.path(plate.frame)
        under, mended = repaired(plate.decoded, matte > 0)
        return self.writer.write(plate.frame, under, new, matte, {**says, "matte_area": float(matte.mean()), "repaired": mended})

    def extras(self) -> None:
        """The movie and the contact sheet beside the frames. They are a courtesy: without them the delivery is whole all the same."""
        try:
            make_preview(self.writer.folder, self.shot)
            make_contact_sheet(self.writer.folder, self.shot, self.shot.first)
        except BridgeError as error:
            _log.warning("beside the frames of %s: %s", self.writer.folder.name, error.sentence)
