"""Reading a delivered sequence back, as a person would see it: over the plate, in the plate's own encoding."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import OpenImageIO as oiio

from i2vedit_core.delivery.colour import convert
from i2vedit_core.delivery.composite import composite
from i2vedit_core.delivery.form import CHANNELS
from i2vedit_core.delivery.sequence import frame_path
from i2vedit_core.delivery.ticket import ATTRIBUTE_PREFIX, Ticket
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.pixels import Picture
from i2vedit_core.settings import Alpha
from i2vedit_core.shot import Shot


@dataclass(frozen=True)
class SeenFrame:
    """One frame: plate and result `[H, W, 3] float32` in the plate's encoding, matte `[H, W]` in 0..1."""

    frame: int
    plate: Picture
    result: Picture
    matte: Picture


@dataclass(frozen=True)
class DeliveredFrame:
    """A frame as it lies in its file: colour `[H, W, 3] float32`, alpha and matte `[H, W]`."""

    colour: Picture
    alpha: Picture
    matte: Picture


def seen_frames(folder: Path, shot: Shot, first: int | None = None, last: int | None = None) -> Iterator[SeenFrame]:
    """The delivered frames of a range (default: the whole shot), beside their plates. Raises CLIP_UNREADABLE."""
    is_patch = Ticket.load(folder).delivery["alpha"] == Alpha.MATTE
    start, end = shot.first if first is None else first, shot.last if last is None else last
    for frame, plate in zip(range(start, end + 1), decode_frames(shot.clip, start, end), strict=True):
        colour = plate[:, :, :3]
        found = read_delivered(frame_path(folder, frame), shot.clip.color_space, multiplied=is_patch or not shot.clip.premultiplied)
        yield SeenFrame(frame, colour, composite(colour, found.colour, found.matte) if is_patch else found.colour, found.matte)


def read_delivered(path: Path, space: str, multiplied: bool) -> DeliveredFrame:
    """One frame with its colour converted to an OCIO space. `multiplied`: by alpha, which is then taken out of it.

    Raises BridgeError DATA_LOSS where it cannot be read.
    """
    source = oiio.ImageInput.open(str(path))
    pixels = source.read_image(0, 0, 0, len(CHANNELS), oiio.FLOAT) if source is not None else None
    if source is None or pixels is None:
        oiio.geterror()
        sentence = f"The delivered frame '{path.name}' cannot be read; deliver it again."
        raise BridgeError(Code.DATA_LOSS, Reason.UNEXPECTED, sentence)
    alpha = pixels[:, :, 3:4]
    colour = pixels[:, :, :3]
    if multiplied:
        colour = np.divide(colour, alpha, out=np.zeros_like(colour), where=alpha > 0)
    colour = convert(colour, source.spec().getattribute(ATTRIBUTE_PREFIX + "colorspace"), space)
    return DeliveredFrame(colour, pixels[:, :, 3], pixels[:, :, 4])
