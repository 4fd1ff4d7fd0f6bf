"""The delivered EXR sequence: `NAME_v001/NAME_v001.%04d.exr`, numbered by source frame, each frame whole or not there."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import OpenImageIO as oiio

from i2vedit_core.delivery.colour import convert
from i2vedit_core.delivery.composite import composite
from i2vedit_core.delivery.form import CHANNELS, Form
from i2vedit_core.delivery.headers import Value, said_in, tell
from i2vedit_core.delivery.ticket import TICKET_FILE, Ticket
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.files import check_folder, remove_leftovers, write_error
from i2vedit_core.media.picture_file import is_whole, write_picture
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.probe import ClipInfo
from i2vedit_core.settings import Alpha, DeliverySettings

MAX_STEM_BYTES = 180
MAX_VERSION = 9999
NOTHING_SAID: Mapping[str, Value] = {}


def check_directory(path: str | Path) -> None:
    """Raises OUTPUT_NOT_WRITABLE unless version folders can be made at `path`, which need not exist yet."""
    if "\0" in str(path):
        sentence = "The name of the output folder holds a NUL character."
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.OUTPUT_NOT_WRITABLE, sentence)
    directory = Path(os.path.abspath(path))
    try:
        while not directory.exists() and directory != directory.parent:
            directory = directory.parent
    except OSError as error:
        raise write_error(directory, error) from error
    check_folder(directory)


def safe_stem(name: str) -> str:
    """A clip's stem as a name that every host and shell takes: letters, digits, `-`, `_` and `.`."""
    safe = re.sub(r"[^\w.-]", "_", name).strip(".") or "clip"
    return safe.encode()[:MAX_STEM_BYTES].decode(errors="ignore")


def _forget(folder: Path) -> None:
    """For callers that do not go on after a kill."""


def reserve_version(directory: str | Path, clip: ClipInfo, remember: Callable[[Path], None] = _forget) -> Path:
    """Makes the next free `NAME_vNNN` below `directory` and returns it. Raises OUTPUT_NOT_WRITABLE or DISK_FULL.

    `remember` hears of a folder before it is made: whoever is killed between the two leaves no folder that nobody knows of.
    """
    parent = Path(os.path.abspath(directory))
    stem = safe_stem(clip.stem)
    pattern = re.compile(re.escape(stem) + r"_v(\d{3,4})")
    try:
        parent.mkdir(parents=True, exist_ok=True)
        taken = [int(match[1]) for entry in os.listdir(parent) if (match := pattern.fullmatch(entry))]
        for version in range(max(taken, default=0) + 1, MAX_VERSION + 1):
            folder = parent / f"{stem}_v{version:03}"
            remember(folder)
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            return folder
    except OSError as error:
        raise write_error(parent, error) from error
    sentence = f"'{parent}' holds {MAX_VERSION} versions of '{stem}'; choose another folder."
    raise BridgeError(Code.FAILED_PRECONDITION, Reason.OUTPUT_NOT_WRITABLE, sentence)


def describe_delivery(clip: ClipInfo, settings: DeliverySettings) -> dict[str, Any]:
    """How a clip will be delivered, for the ticket. Raises SETTING_INVALID for an unknown colour space."""
    return Form.of(clip, settings).to_json()


def frame_path(folder: Path, frame: int) -> Path:
    """Where a version folder has a source frame."""
    return folder / f"{folder.name}.{frame:04}.exr"


class SequenceWriter:
    """Writes the frames of one version folder. Used as a context: a folder without a frame is taken away on failure.

    Giving the folder of an earlier, interrupted run goes on with it: `have` says which frames are there and whole.
    """

    def __init__(self, folder: Path, clip: ClipInfo, settings: DeliverySettings, ticket: Ticket) -> None:
        """Raises SETTING_INVALID for an unknown colour space."""
        self.folder = folder
        self._form = Form.of(clip, settings)
        self._ticket = ticket

    def __enter__(self) -> "SequenceWriter":
        remove_leftovers(self.folder)
        try:
            self._ticket.save(self.folder)
        except BridgeError:
            self._leave_nothing()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self._leave_nothing()

    def path(self, frame: int) -> Path:
        """Where a source frame is delivered."""
        return frame_path(self.folder, frame)

    def have(self, frame: int) -> bool:
        """Whether this frame lies under its final name and can be read to its end."""
        path = self.path(frame)
        return path.is_file() and is_whole(path, self._form.data_window.width, self._form.data_window.height, len(CHANNELS))

    def write(self, frame: int, plate: Picture, new: Picture, matte: Picture, says: Mapping[str, Value] = NOTHING_SAID) -> Path:
        """Composites and writes one source frame; returns its path once it is whole and has its final name.

        `plate` `[H, W, 3 or 4]` as decoded, `new` `[H, W, 3]` in the plate's encoding, `matte` `[H, W]` in 0..1, all float32; `says`:
        what else its header says. What the plate holds outside the matte may be anything, also no number.
        Raises BridgeError NOT_FINITE, OUTPUT_NOT_WRITABLE or DISK_FULL.
        """
        pixels = self._channels(plate, new, np.asarray(matte, np.float32))
        if not np.isfinite(matte).all() or not np.isfinite(pixels[..., :3][matte > 0]).all():
            sentence = f"Frame {frame} came out with values that are not numbers; try another seed."
            raise BridgeError(Code.INTERNAL, Reason.NOT_FINITE, sentence)
        spec, final = self._spec(frame), self.path(frame)
        tell(spec, says)
        write_picture(final, "openexr", spec, pixels, replace=True)
        return final

    def take_over(self, frame: int, source: Path) -> Path:
        """Writes a frame of an earlier version again, with its own pixels and what its header says of them. Raises as `write`."""
        if self.have(frame):
            return self.path(frame)
        found = oiio.ImageBuf(str(source))
        pixels = found.get_pixels(found.spec().format)
        if found.has_error or pixels is None:
            sentence = f"The pinned frame '{source.name}' cannot be read to its end; copy it again, or do not pin it."
            raise BridgeError(Code.DATA_LOSS, Reason.PIN_UNUSABLE, sentence)
        spec = self._spec(frame)
        tell(spec, said_in(found.spec()))
        write_picture(self.path(frame), "openexr", spec, pixels, replace=True)
        return self.path(frame)

    def _channels(self, plate: Picture, new: Picture, matte: Picture) -> Picture:
        form, colour, weight = self._form, plate[:, :, :3], matte[:, :, None]
        if form.alpha is Alpha.MATTE:
            # The patch alone: over the plate it gives the composite again.
            patch = convert(np.where(weight > 0, new, colour), form.plate_space, form.color_space)
            return np.concatenate((patch * weight, weight, weight), axis=2)
        beauty = convert(composite(colour, new, matte), form.plate_space, form.color_space)
        if plate.shape[2] == 4:
            alpha = plate[:, :, 3:]
            # An EXR's colour holds its alpha already.
            return np.concatenate((beauty if form.premultiplied else beauty * alpha, alpha, weight), axis=2)
        return np.concatenate((beauty, np.ones_like(weight), weight), axis=2)

    def _spec(self, frame: int) -> Any:
        """The form's header with the ticket in it."""
        spec = self._form.header(frame)
        for name, value in self._ticket.attributes().items():
            spec.attribute(name, value)
        return spec

    def _leave_nothing(self) -> None:
        """Takes the folder away if no frame was finished; one finished frame keeps it."""
        try:
            entries = os.listdir(self.folder)
            if set(entries) <= {TICKET_FILE}:
                for entry in entries:
                    (self.folder / entry).unlink()
                self.folder.rmdir()
        except OSError:
            # The output folder vanished or became read-only; the error that led here says more.
            return
