"""The options of a memory plan, in the order of what they cost."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from i2vedit_core.settings import MapStore


class MemoryStage(StrEnum):
    """A part of a chunk's way whose memory has a peak of its own."""

    ENCODE = "encode"
    INVERT = "invert"
    TRAIN = "train"
    EDIT = "edit"
    DECODE = "decode"


@dataclass(frozen=True)
class Options:
    """What is traded for memory."""

    checkpointing: bool
    """Training runs forwards again in its backward pass instead of keeping what they computed: a third more time."""
    offload: bool
    """Models that a stage does not need wait in host memory: some seconds a chunk."""
    decode_frames: int
    """Frames the VAE decodes at once. The decoder mixes time, so less than a chunk costs fidelity (METHOD section 0)."""
    maps: MapStore = MapStore.REPLAY


WHOLE_CHUNK = 1 << 10
"""Frames at once: as many as there are."""
ROOMY = Options(checkpointing=False, offload=False, decode_frames=WHOLE_CHUNK)
"""For memory that is no concern."""


def by_cost(frames: int, can_offload: bool) -> Iterator[Options]:
    """All options from the cheapest to the leanest: first what costs seconds is given up, then time, and fidelity last."""
    for decode_frames in slices(frames):
        for checkpointing in (False, True):
            for offload in (False, True) if can_offload else (False,):
                yield Options(checkpointing, offload, decode_frames)


def slices(frames: int) -> list[int]:
    """Frames at once for one slice, two, three, ... of a chunk, as even as they get: 14, 7, 5, 4, 3, 2, 1 for 14."""
    return sorted({-(-frames // count) for count in range(1, frames + 1)}, reverse=True)


def leaner(options: Options, frames: int, can_offload: bool) -> Options | None:
    """One step down in every option that has one; None where there is none left. Offloaded models take the place of maps in host memory."""
    fewer = next((count for count in slices(frames) if count < options.decode_frames), options.decode_frames)
    maps = MapStore.REPLAY if options.maps is MapStore.RAM else options.maps
    stepped = replace(options, checkpointing=True, offload=can_offload, decode_frames=fewer, maps=maps)
    return None if stepped == options else stepped
