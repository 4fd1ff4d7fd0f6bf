"""Lays the edited chunks over the plate and writes the frames, each plate frame decoded when its turn comes."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from i2vedit_core.delivery.contact_sheet import make_contact_sheet
from i2vedit_core.delivery.matting import ChunkPictures, Matting
from i2vedit_core.delivery.painted import Painted
from i2vedit_core.delivery.preview import make_preview
from i2vedit_core.delivery.sequence import SequenceWriter
from i2vedit_core.errors import BridgeError
from i2vedit_core.matte import finish, painted_matte
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.fit import Fit
from i2vedit_core.media.pixels import Picture
from i2vedit_core.settings import EditKind
from i2vedit_core.shot import Shot

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Deliverer:
    """Writes the frames of one shot."""

    shot: Shot
    fit: Fit
    painted: Painted
    kind: EditKind
    writer: SequenceWriter

    def unchanged(self) -> Iterator[tuple[int, Path]]:
        """Nothing was painted: the plate, with an empty matte."""
        for frame, plate in self._plates(self.shot.first, self.shot.last):
            yield frame, self._write(frame, plate, plate[..., :3], np.zeros(plate.shape[:2], np.float32))

    def painted_frame(self) -> tuple[int, Path]:
        """The painted frame, as painted."""
        ((frame, plate),) = self._plates(self.shot.first, self.shot.first)
        matte = painted_matte(self.painted.difference, self.painted.precision)
        return frame, self._write(frame, plate, self.painted.picture, matte)

    def matting(self, chunk: ChunkPictures) -> Matting:
        """What will make the mattes; `chunk` is the one that begins with the painted frame."""
        difference = self.fit.shrink(self.painted.difference[..., None])[..., 0]
        return Matting(self.fit.to_model(self.painted.plate), difference, self.kind, chunk)

    def frames(self, first: int, chunk: ChunkPictures, matting: Matting) -> Iterator[tuple[int, Path]]:
        """Source frames from `first` on, one for each of the chunk's. `matting` has followed all before them, written now or earlier."""
        plates = self._plates(first, first + len(chunk.edited) - 1)
        for (frame, plate), edited, source, edit_map in zip(plates, chunk.edited, chunk.source, chunk.edit_map, strict=True):
            matte = matting.follow(self.fit.to_model(plate), edited, source, edit_map)
            large = finish(self.fit.to_plate(matte[..., None])[..., 0])
            yield frame, self._write(frame, plate, self._new_pixels(plate, edited, source), large)

    def _new_pixels(self, plate: Picture, edited: Picture, source: Picture) -> Picture:
        """What lies inside the matte: what the edit changed, added to the plate, so that its detail lives on (METHOD section 8);
        where the outline itself changed, that would leave ghosts of the old one, and the model's own pixels stand."""
        working = self.fit.working
        if self.kind is EditKind.SHAPE:
            return working.decode(self.fit.to_plate(edited))
        return working.decode(working.encode(plate[..., :3]) + self.fit.to_plate(edited - source))

    def _plates(self, first: int, last: int) -> Iterator[tuple[int, Picture]]:
        yield from enumerate(decode_frames(self.shot.clip, first, last), start=first)

    def _write(self, frame: int, plate: Picture, new: Picture, matte: Picture) -> Path:
        if self.writer.have(frame):
            return self.writer.path(frame)
        return self.writer.write(frame, plate, new, matte)

    def extras(self) -> None:
        """The movie and the contact sheet beside the frames. They are a courtesy: without them the delivery is whole all the same."""
        try:
            make_preview(self.writer.folder, self.shot)
            make_contact_sheet(self.writer.folder, self.shot, self.shot.first)
        except BridgeError as error:
            _log.warning("beside the frames of %s: %s", self.writer.folder.name, error.sentence)
