"""The delivered EXR sequence: `NAME_v001/NAME_v001.%04d.exr`, numbered by source frame, each frame whole or not there."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import OpenImageIO as oiio

from i2vedit_core.delivery.colour import convert, delivered_space, keeps_primaries
from i2vedit_core.delivery.composite import composite
from i2vedit_core.delivery.ticket import ATTRIBUTE_PREFIX, TICKET_FILE, Ticket
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.files import check_folder, remove_leftovers, write_error
from i2vedit_core.media import tags
from i2vedit_core.media.picture_file import is_whole, write_picture
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.probe import ClipInfo
from i2vedit_core.media.timecode import Timecode
from i2vedit_core.settings import Alpha, DeliverySettings, Depth

CHANNELS = ("R", "G", "B", "A", "matte.A")
HALF_BITS = 10
"""Up to so many bits all codes of a plate stay distinct as half floats. Among other primaries saturated ones do not come back."""
MAX_STEM_BYTES = 180
MAX_VERSION = 9999
LOSSY = ("dwaa", "dwab")
MAX_INT = 2**31 - 1


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
    stem = safe_stem(clip.path.stem)
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


@dataclass(frozen=True)
class _Resolved:
    """Delivery settings with everything that depends on the clip decided."""

    space: str
    depth: Depth
    compression: str
    alpha: Alpha

    @property
    def lossy(self) -> bool:
        return self.compression in LOSSY or (self.compression == "pxr24" and self.depth is Depth.FLOAT)


def _resolve(clip: ClipInfo, settings: DeliverySettings) -> _Resolved:
    space = delivered_space(clip, settings.color_space)
    automatic = Depth.HALF if clip.bit_depth <= HALF_BITS and keeps_primaries(clip, space) else Depth.FLOAT
    depth = automatic if settings.depth is Depth.AUTO else settings.depth
    return _Resolved(space, depth, settings.compression, settings.alpha)


def describe_delivery(clip: ClipInfo, settings: DeliverySettings) -> dict[str, Any]:
    """How a clip will be delivered, for the ticket. Raises SETTING_INVALID for an unknown colour space."""
    found = _resolve(clip, settings)
    return {
        "color_space": found.space,
        "plate_space": clip.color_space,
        "ocio_config": tags.OCIO_CONFIG,
        "depth": str(found.depth),
        "compression": found.compression,
        "alpha": str(found.alpha),
        "lossy": found.lossy,
    }


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
        self._clip = clip
        self._delivery = _resolve(clip, settings)
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
        return path.is_file() and is_whole(path, self._clip.width, self._clip.height, len(CHANNELS))

    def write(self, frame: int, plate: Picture, new: Picture, matte: Picture) -> Path:
        """Composites and writes one source frame; returns its path once it is whole and has its final name.

        `plate` `[H, W, 3 or 4]` as decoded, `new` `[H, W, 3]` in the plate's encoding, `matte` `[H, W]` in 0..1, all float32.
        Raises BridgeError NOT_FINITE, OUTPUT_NOT_WRITABLE or DISK_FULL.
        """
        pixels = self._channels(plate, new, np.asarray(matte, np.float32))
        if not np.isfinite(pixels).all():
            sentence = f"Frame {frame} came out with values that are not numbers; try another seed or full precision."
            raise BridgeError(Code.INTERNAL, Reason.NOT_FINITE, sentence)
        final = self.path(frame)
        write_picture(final, "openexr", self._spec(frame), pixels, replace=True)
        return final

    def _channels(self, plate: Picture, new: Picture, matte: Picture) -> Picture:
        colour = plate[:, :, :3]
        weight = matte[:, :, None]
        if self._delivery.alpha is Alpha.MATTE:
            # The patch alone: over the plate it gives the composite again.
            patch = convert(np.where(weight > 0, new, colour), self._clip.color_space, self._delivery.space)
            return np.concatenate((patch * weight, weight, weight), axis=2)
        beauty = convert(composite(colour, new, matte), self._clip.color_space, self._delivery.space)
        if plate.shape[2] == 4:
            alpha = plate[:, :, 3:]
            return np.concatenate((beauty * alpha, alpha, weight), axis=2)
        return np.concatenate((beauty, np.ones_like(weight), weight), axis=2)

    def _spec(self, frame: int) -> Any:
        """Everything that DESIGN fixes about a frame's header."""
        clip, found = self._clip, self._delivery
        spec = oiio.ImageSpec(clip.width, clip.height, len(CHANNELS), oiio.HALF if found.depth is Depth.HALF else oiio.FLOAT)
        spec.channelnames = CHANNELS
        spec.alpha_channel = CHANNELS.index("A")
        spec.attribute("compression", found.compression)
        spec.attribute("PixelAspectRatio", float(clip.pixel_aspect))
        rate = clip.rate.limit_denominator(100_000)
        # OpenEXR's own spelling, which hosts read; OpenImageIO would store its own one, and finds both.
        spec.attribute("framesPerSecond", oiio.TypeRational, (min(rate.numerator, MAX_INT), rate.denominator))
        start = Timecode.parse(clip.start_timecode or "00:00:00:00", clip.rate)
        timecode = start.plus(frame, clip.rate)
        # As integers: OpenImageIO drops a string here without a word.
        spec.attribute("smpte:TimeCode", oiio.TypeTimeCode, timecode.bcd(clip.rate))
        spec.attribute(ATTRIBUTE_PREFIX + "timecode", str(timecode))
        spec.attribute(ATTRIBUTE_PREFIX + "frame", frame)
        # `oiio:ColorSpace` would be turned into an interop id and lose most names.
        spec.attribute(ATTRIBUTE_PREFIX + "colorspace", found.space)
        spec.attribute(ATTRIBUTE_PREFIX + "ocio_config", tags.OCIO_CONFIG)
        spec.attribute(ATTRIBUTE_PREFIX + "lossy", int(found.lossy))
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
