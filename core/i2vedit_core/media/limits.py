"""How large a file of unknown origin may be before it is refused. Kept in the environment, so that every child process has the same."""

import dataclasses
import json
import os
from dataclasses import dataclass

VARIABLE = "I2VEDIT_MEDIA_LIMITS"
MEGAPIXEL = 2**20


@dataclass(frozen=True)
class Limits:
    """What a clip or a picture may ask of this machine."""

    clip_frames: int = 2_000_000
    clip_hours: float = 24.0
    side_pixels: int = 16_384
    """Of a clip, each way."""
    clip_megapixels: int = 64
    """Of one frame, in 1024 x 1024 pixels."""
    picture_megapixels: int = 256
    """Of an edited frame."""
    reader_memory_bytes: int = 6 * 2**30
    """Of the process that opens the file; not on Windows, which has no such limit."""


def limits() -> Limits:
    """Those that were imposed on this process or on its parent, else the defaults."""
    told = os.environ.get(VARIABLE)
    return Limits(**json.loads(told)) if told else Limits()


def impose(chosen: Limits) -> None:
    """From now on, here and in every process that is started from here."""
    os.environ[VARIABLE] = json.dumps(dataclasses.asdict(chosen))
