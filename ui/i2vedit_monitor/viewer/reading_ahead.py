"""Which pictures to read, and in what order."""

from collections.abc import Iterator

from i2vedit_monitor.viewer.layers import Key, Layer
from i2vedit_monitor.viewer.modes import Mode

BYTES_PER_PIXEL = 4


def stride_for(sharpness: float) -> int:
    """A picture that is painted at less than half its size can leave out pixels. `sharpness`: screen pixels for each of its own."""
    return 4 if sharpness <= 0.25 else 2 if sharpness <= 0.5 else 1


def in_turn(frames: tuple[int, ...], current: int, direction: int = 1) -> Iterator[int]:
    """The current frame, then the others in the direction of play, round the end."""
    ordered = frames if direction > 0 else frames[::-1]
    later = [frame for frame in ordered if (frame - current) * direction >= 0]
    earlier = [frame for frame in ordered if (frame - current) * direction < 0]
    yield from (*later, *earlier)


def wanted_keys(shot: int, mode: Mode, frames: Iterator[int], stride: int, room: int) -> list[Key]:
    """At most `room` pictures for the frames in this order."""
    keys: list[Key] = []
    for frame in frames:
        needed = [Key(shot, layer, 0 if layer is Layer.EDITED else frame, stride) for layer in mode.layers]
        if len(keys) + len(needed) > room:
            break
        keys += [key for key in needed if key not in keys[:1]]
    return keys
