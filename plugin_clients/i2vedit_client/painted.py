"""Which pictures were painted on which frames, as a person says it on a command line."""

from collections.abc import Sequence
from dataclasses import dataclass

from i2vedit_client.counting import counted
from i2vedit_client.errors import BadInput


@dataclass(frozen=True)
class Painted:
    """A painted picture."""

    path: str
    frame: int | None = None
    """Source frame; None: the first of the range."""
    region: str | None = None
    """A matte from the artist: a picture for the painted frame, or a clip."""


def painted_frames(edited: Sequence[str], at: Sequence[int], regions: Sequence[str]) -> tuple[Painted, ...]:
    """`--edited`, `--at` and `--region`, paired in order; a single region is everybody's. Raises BadInput."""
    frames: Sequence[int | None] = at or ([None] if len(edited) == 1 else [])
    if len(frames) != len(edited):
        told = f"{counted(len(edited), 'picture')} and {counted(len(at), 'frame')}"
        raise BadInput(f"--edited and --at do not pair up: {told}. Give --at once for each --edited, in the same order.")
    if len(regions) > 1 and len(regions) != len(edited):
        told = f"{counted(len(edited), 'picture')} and {counted(len(regions), 'region')}"
        raise BadInput(f"--edited and --region do not pair up: {told}. Give --region once for all, or once for each --edited.")
    twice = next((frame for number, frame in enumerate(at) if frame in at[:number]), None)
    if twice is not None:
        raise BadInput(f"Frame {twice} is painted twice. Give one picture for each frame.")
    each = regions if len(regions) > 1 else [regions[0] if regions else None] * len(edited)
    return tuple(Painted(path, frame, region) for path, frame, region in zip(edited, frames, each, strict=True))
