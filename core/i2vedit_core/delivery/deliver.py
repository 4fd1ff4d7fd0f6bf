"""Lays patches over the plate and writes the frames, each plate frame decoded when its turn comes."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from i2vedit_core.delivery.contact_sheet import make_contact_sheet
from i2vedit_core.delivery.headers import Value
from i2vedit_core.delivery.inside import Filling
from i2vedit_core.delivery.matting import FramePictures, PaintedPictures
from i2vedit_core.delivery.painted import Painted
from i2vedit_core.delivery.patch import Patch, Patcher, no_patch
from i2vedit_core.delivery.preview import make_preview
from i2vedit_core.delivery.sequence import SequenceWriter
from i2vedit_core.delivery.told import told
from i2vedit_core.errors import BridgeError
from i2vedit_core.media.decode import decode_along
from i2vedit_core.media.fit import Fit
from i2vedit_core.media.flow import Plane
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.repair import repaired
from i2vedit_core.shot import Shot

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plate:
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
    filling: Filling
    writer: SequenceWriter

    def painted_frame(self, painted: Painted) -> tuple[int, Path]:
        """A painted frame, as painted; as its plate where nothing was."""
        (plate,) = self._plates(range(painted.frame, painted.frame + 1))
        if not painted.changed:
            return self.lay_over(plate, no_patch(plate.seen))
        return plate.frame, self._write(plate, painted.picture, painted.matte, {})

    def patcher(self, painted: Painted, model: FramePictures) -> Patcher:
        """What will make the patches of a leg; `model` is its answer for the painted frame."""
        encode = self.fit.working.encode
        pictures = PaintedPictures(encode(painted.plate), encode(painted.picture), painted.difference)
        return Patcher(pictures, self.fit, self.filling, model)

    def patches(self, frames: range, answers: Iterable[FramePictures], patcher: Patcher, painted: Painted) -> Iterator[tuple[Plate, Patch]]:
        """Of source frames in the order that a leg reaches them, an answer for each. `patcher` has followed all before them."""
        for plate, given, answer in zip(self._plates(frames), painted.mattes(frames), answers, strict=True):
            yield plate, patcher.follow(plate.frame, plate.seen, answer, given)

    def unpainted(self, frames: range) -> Iterator[tuple[Plate, Patch]]:
        """The same for a leg that begins where nothing was painted."""
        for plate in self._plates(frames):
            yield plate, no_patch(plate.seen)

    def lay_over(self, plate: Plate, patch: Patch) -> tuple[int, Path]:
        """Writes a frame with its patch."""
        # Where nothing is laid over, not even the way to the working encoding and back is gone.
        new = self.fit.working.decode(patch.new) if patch.matte.any() else plate.decoded[..., :3]
        return plate.frame, self._write(plate, new, patch.matte, told(patch))

    def _plates(self, frames: range) -> Iterator[Plate]:
        for frame, decoded in zip(frames, decode_along(self.shot.clip, frames), strict=True):
            yield Plate(frame, decoded, self.fit.working.encode(repaired(decoded)[0][..., :3]))

    def _write(self, plate: Plate, new: Picture, matte: Plane, says: dict[str, Value]) -> Path:
        if self.writer.have(plate.frame):
            return self.writer.path(plate.frame)
        under, mended = repaired(plate.decoded, matte > 0)
        return self.writer.write(plate.frame, under, new, matte, {**says, "matte_area": float(matte.mean()), "repaired": mended})

    def extras(self, keys: Sequence[int]) -> None:
        """The movie and the contact sheet beside the frames. They are a courtesy: without them the delivery is whole all the same."""
        try:
            make_preview(self.writer.folder, self.shot)
            make_contact_sheet(self.writer.folder, self.shot, keys)
        except BridgeError as error:
            _log.warning("beside the frames of %s: %s", self.writer.folder.name, error.sentence)
