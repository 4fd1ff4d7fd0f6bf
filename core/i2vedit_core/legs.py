"""How a shot is covered from its painted frames: a leg goes from one of them through the frames before or behind it.

To the method a leg is a clip of its own that begins with its painted frame; going back, that clip is the source reversed in time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from i2vedit_core.method.chunks import Chunk, plan_chunks


@dataclass(frozen=True)
class Leg:
    """Frames that one painted frame is carried through. All are source frame numbers."""

    key: int
    """The painted frame."""
    end: int
    """The last frame that the leg delivers."""
    reach: int
    """The last frame of the shot in this direction. The grid of chunks is laid as far, so that another painted frame on the way cuts the
    grid short and moves none of its chunks: what was made of them serves again."""

    @property
    def frames(self) -> range:
        """In the order in which the edit reaches them, the painted one first."""
        return self._to(self.end)

    def chunks(self, chunk_frames: int) -> tuple[Chunk, ...]:
        """As many of the grid's chunks as it takes to get to `end`."""
        grid = plan_chunks(len(self._to(self.reach)), chunk_frames)
        return tuple(chunk for chunk in grid if chunk.delivers.start < len(self.frames))

    def seen_in(self, chunk: Chunk) -> range:
        """The frames that a chunk of this leg is made of."""
        return self._to(self.reach)[chunk.start : chunk.stop]

    def delivered_by(self, chunk: Chunk) -> range:
        """The frames that it delivers. The painted one is delivered already."""
        return self.frames[max(chunk.delivers.start, 1) : chunk.delivers.stop]

    def _to(self, end: int) -> range:
        step = 1 if self.reach > self.key else -1
        return range(self.key, end + step, step)


@dataclass(frozen=True)
class Segment:
    """The frames between two painted ones, reached from both; or between one and an end of the shot, reached from that one alone."""

    forward: Leg | None = None
    backward: Leg | None = None

    @property
    def legs(self) -> tuple[Leg, ...]:
        """Those that there are, in the order in which they are gone."""
        return tuple(leg for leg in (self.backward, self.forward) if leg is not None)


def plan_segments(first: int, last: int, keys: Sequence[int]) -> tuple[Segment, ...]:
    """The segments of a shot from `first` to `last` with these painted frames, in the order of time. Each frame that is not painted lies in
    exactly one."""
    painted = sorted(keys)
    planned = [_segment(first, last, *ends) for ends in zip([None, *painted], [*painted, None], strict=True)]
    return tuple(segment for segment in planned if segment.legs)


def _segment(first: int, last: int, left: int | None, right: int | None) -> Segment:
    start, stop = first if left is None else left + 1, last if right is None else right - 1
    if start > stop:
        return Segment()
    forward = None if left is None else Leg(left, stop, last)
    return Segment(forward, None if right is None else Leg(right, start, first))
