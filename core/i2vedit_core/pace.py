"""How many of a shot's frames the model has to see, judged by the plate's motion before anything else happens (docs/decisions/0040)."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from i2vedit_core.delivery.way import SureWay
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.flow import FLOW_SIDE, Plane, resized
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.repair import repaired
from i2vedit_core.media.working import Working
from i2vedit_core.method.chunks import plan_chunks
from i2vedit_core.settings import Settings
from i2vedit_core.shot import Shot

MODEL_RATE = 7
"""Frames a second that SVD was trained near."""
LARGEST = 4
PLACES = 5
"""Parts of the shot that are looked at."""
SURE = 0.5
"""Trust from which on what is seen in a frame is found again in its neighbour."""
LEAST_SURE = 0.97
"""Share of the frame in the middle of a gap that must be found again in one of the two frames that the model sees."""


def paced(shot: Shot, settings: Settings, chunk_frames: int) -> Settings:
    """The settings with a stride, where that was left to the shot's motion."""
    return settings if settings.stride is not None else replace(settings, stride=stride_for(shot, chunk_frames))


def stride_for(shot: Shot, chunk_frames: int) -> int:
    """The stride at which the model gets about the rate it was trained at, less where the plate moves too fast to carry a change, and no
    more than it takes for as few chunks of the model."""
    largest = max(1, min(LARGEST, round(shot.clip.rate / MODEL_RATE), len(shot) - 1))
    clips = [_looked_at(shot, start, largest) for start in _places(shot, largest)] if largest > 1 else []
    fitting = next(stride for stride in range(largest, 0, -1) if all(_found_again(clip[: stride + 1]) >= LEAST_SURE for clip in clips))
    return min(range(1, fitting + 1), key=lambda stride: (len(plan_chunks(len(range(0, len(shot), stride)), chunk_frames)), stride))


def _places(shot: Shot, length: int) -> list[int]:
    """First frames of the parts, spread evenly."""
    last = shot.last - length
    return sorted({round(place) for place in np.linspace(shot.first, last, PLACES)})


def _looked_at(shot: Shot, start: int, length: int) -> list[Picture]:
    """A part of the plate, small, as the model sees its values."""
    working = Working.of(shot.clip.color_space)
    scale = min(1, FLOW_SIDE / min(shot.clip.width, shot.clip.height))
    height, width = round(shot.clip.height * scale), round(shot.clip.width * scale)
    frames = decode_frames(shot.clip, start, start + length)
    return [resized(np.clip(working.encode(repaired(frame[..., :3])[0]), 0, 1), height, width) for frame in frames]


def _found_again(clip: Sequence[Picture]) -> float:
    """Which share of the middle of a part is surely found on its first frame or on its last."""
    middle = len(clip) // 2
    if not middle:
        return 1.0
    sure = np.maximum(_trust(clip[: middle + 1]), _trust(clip[: middle - 1 : -1]))
    return float((sure >= SURE).mean())


def _trust(clip: Sequence[Picture]) -> Plane:
    """Of the last frame's way back to the first."""
    way = SureWay(clip[0])
    for frame in clip[1:]:
        way.follow(frame)
    return way.trust
