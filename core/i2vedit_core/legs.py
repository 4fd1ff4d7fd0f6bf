"""How a shot is covered from its painted frames: a leg goes from one of them through the frames before or behind it.

To the method a leg is a clip of its own that begins with its painted frame; going back, that clip is the source reversed in time. With a
stride it sees every so manieth frame; those between are filled in when they are delivered (delivery/between.py).
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
    stride: int = 1
    """The method sees the painted frame and every so manieth after it."""

    @property
    def frames(self) -> range:
        """In the order in which the edit reaches them, the painted one first."""
        return self._to(self.end)

    def chunks(self, chunk_frames: int) -> tuple[Chunk, ...]:
        """As many of the grid's chunks as it takes to get to `end`."""
        grid = plan_chunks(len(self._seen), chunk_frames)
        return tuple(chunk for chunk in grid if self._reached_by(chunk).start < len(self.frames))

    def seen_in(self, chunk: Chunk) -> range:
        """The frames that a chunk of this leg is made of."""
        return self._seen[chunk.start : chunk.stop]

    def delivered_by(self, chunk: Chunk) -> range:
        """The frames that it delivers: those that it sees, and those before each of them. The painted one is delivered already."""
        reached = self._reached_by(chunk)
        return self.frames[reached.start : reached.stop]

    def filled_by(self, chunk: Chunk) -> range:
        """As `delivered_by`, and on to the last frame that it sees where the leg ends before that."""
        reached = self._reached_by(chunk)
        return self._to(self.reach)[reached.start : reached.stop]

    @property
    def _seen(self) -> range:
        return self._to(self.reach)[:: self.stride]

    def _reached_by(self, chunk: Chunk) -> range:
        """Places on the way to `reach`, 0 the painted frame. The last chunk of the grid also goes on to the end, which may not be seen."""
        start, stop = ((place - 1) * self.stride + 1 for place in (max(chunk.delivers.start, 1), chunk.delivers.stop))
        return range(start, len(self._to(self.reach)) if chunk.stop == len(self._seen) else stop)

    def joins(self, chunk_frames: int) -> tuple[int, ...]:
        """Where two of its chunks meet: in each pair of neighbours the later frame in time."""
        delivered = [self.delivered_by(chunk) for chunk in self.chunks(chunk_frames)[1:]]
        return tuple(frames[0] if frames.step > 0 else frames[0] + 1 for frames in delivered if frames)

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


def plan_segments(first: int, last: int, keys: Sequence[int], stride: int = 1, cuts: Sequence[int] = ()) -> tuple[Segment, ...]:
    """The segments of frames `first` to `last` with these painted frames, in the order of time. Each frame that is not painted lies in
    exactly one. At each of the `cuts` another shot begins: each is planned by itself, and those without a painted frame are left out."""
    starts, ends = [first, *cuts], [*(cut - 1 for cut in cuts), last]
    parts = [(start, end, [key for key in keys if start <= key <= end]) for start, end in zip(starts, ends, strict=True)]
    return tuple(segment for start, end, painted in parts if painted for segment in _plan_shot(start, end, painted, stride))


def _plan_shot(first: int, last: int, keys: Sequence[int], stride: int) -> tuple[Segment, ...]:
    painted = sorted(keys)
    planned = [_segment(first, last, *ends, stride) for ends in zip([None, *painted], [*painted, None], strict=True)]
    return tuple(segment for segment in planned if segment.legs)


def _segment(first: int, last: int, left: int | None, right: int | None, stride: int) -> Segment:
    start, stop = first if left is None else left + 1, last if right is None else right - 1
    if start > stop:
        return Segment()
    # A leg that is shorter than its stride would see its painted frame alone.
    forward = None if left is None else Leg(left, stop, last, min(stride, last - left))
    return Segment(forward, None if right is None else Leg(right, start, first, min(stride, right - first)))
