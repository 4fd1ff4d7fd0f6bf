"""Which frames of the media a clip on a timeline shows, and where its result belongs. Exact: every time is a Fraction."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from i2vedit_client.counting import counted
from i2vedit_client.errors import ClientError, ExitCode, Failure

SPAN_TOLERANCE = 1
"""Media frames by which a host's own span of the clip may be off: Resolve's is, at either end."""
GRID_TOLERANCE = Fraction(1, 100_000)
"""Of a frame; hosts that say seconds as floating point numbers are off by far less."""


class TimingError(ClientError):
    """The clip cannot be propagated where it lies; the sentence names the way out."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(Failure("FAILED_PRECONDITION", reason, sentence), ExitCode.BAD_INPUT)


@dataclass(frozen=True)
class Span:
    """A clip on a timeline."""

    timeline_rate: Fraction
    media_rate: Fraction
    record_start: int
    """First timeline frame that it covers, as the host counts them."""
    record_count: int
    """Timeline frames that it covers."""
    offset: Fraction = Fraction(0)
    """Seconds of media before its first timeline frame."""
    media_frames: int | None = None
    """Length of the media; None where the host does not say."""
    first_frame: int = 0
    """Source frame number of the media's first frame: of pictures, the number in its name."""

    def media_frame(self, index: int) -> int:
        """The source frame that is on screen at the clip's timeline frame `index`, from 0."""
        return self.first_frame + floor((self.offset + index / self.timeline_rate) * self.media_rate)

    @property
    def starts_on_a_frame(self) -> bool:
        """Whether the clip begins exactly where a media frame does."""
        return (self.offset * self.media_rate).denominator == 1

    @property
    def is_even(self) -> bool:
        """Whether every timeline frame takes the same whole number of media frames, from the beginning of one on."""
        return self.starts_on_a_frame and (self.media_rate / self.timeline_rate).denominator == 1

    @property
    def media_frames_each(self) -> Fraction:
        """Media frames that a timeline frame takes."""
        return self.media_rate / self.timeline_rate

    @property
    def source_frames(self) -> tuple[int, ...]:
        """The source frame at each of its timeline frames."""
        return tuple(self.media_frame(index) for index in range(self.record_count))


def seconds_of(given: float, *rates: Fraction) -> Fraction:
    """A time as a host says it, in seconds; on the grid of the first rate on which it is meant to be."""
    for rate in rates:
        frames = Fraction(given) * rate
        if abs(frames - round(frames)) < GRID_TOLERANCE:
            return round(frames) / rate
    return Fraction(given).limit_denominator(10_000_000)


def check_speed(span: Span, source_count: int, name: str) -> None:
    """Raises TimingError RETIMED where the media frames that the host says are used do not fit the time the clip takes."""
    expected = span.record_count / span.timeline_rate * span.media_rate
    if not floor(expected) - SPAN_TOLERANCE <= source_count <= ceil(expected) + SPAN_TOLERANCE:
        sentence = (
            f"'{name}' plays {counted(source_count, 'frame')} of its media in the time of {float(expected):.4g}: its speed is changed. "
            "Render it in place, or set its speed to 100 %, and try again."
        )
        raise TimingError("RETIMED", sentence)


@dataclass(frozen=True)
class SourceRange:
    """What is to be propagated, in source frames, both ends inclusive."""

    first: int
    last: int
    handle_before: int
    """Frames at the beginning that the clip itself does not show."""


def source_range(span: Span, handles: int, name: str) -> SourceRange:
    """The source frames that a clip takes, and up to `handles` more at either end as far as there are any.

    Of a clip with two media frames for each of the timeline's, the last one takes two, of which the second is not shown.

    Raises TimingError OUTSIDE_MEDIA or EMPTY_CLIP.
    """
    if span.record_count < 1:
        raise TimingError("EMPTY_CLIP", f"'{name}' has no length on the timeline. Select another clip.")
    first, last = span.media_frame(0), span.media_frame(span.record_count - 1)
    begin = span.first_frame
    end = None if span.media_frames is None else begin + span.media_frames - 1
    if first < begin or (end is not None and last > end):
        there = f"frames from {begin}" if end is None else f"frames {begin} to {end}"
        sentence = f"'{name}' shows frames {first} to {last} of its media, which has {there}. Trim the clip to its media and try again."
        raise TimingError("OUTSIDE_MEDIA", sentence)
    before, after = min(handles, first - begin), handles + (int(span.media_frames_each) - 1 if span.is_even else 0)
    if end is not None:
        after = min(after, end - last)
    return SourceRange(first - before, last + after, before)


MEDIA_GRID, TIMELINE_GRID = "media", "timeline"


@dataclass(frozen=True)
class Grid:
    """How a delivered sequence lies under the timeline."""

    kind: str
    """`media`: one picture for each media frame, played at the media's rate, as the plate is. `timeline`: one picture for each
    timeline frame, since hosts begin and end with whole pictures, and choose between them in ways of their own."""
    frames: tuple[int, ...]
    """Source frame of each picture of the sequence that is to be placed, in order."""
    skip: int
    """Pictures before the clip's first one."""
    take: int
    """Pictures from there on that fill the clip."""
    rate: Fraction


def grid(span: Span, delivered: SourceRange, begins_anywhere: bool = False) -> Grid:
    """The sequence that shows at every timeline frame of the clip just the source frame that the plate shows there.

    `begins_anywhere`: the host can begin within a picture of a sequence.
    """
    if begins_anywhere or span.is_even:
        frames = tuple(range(delivered.first, delivered.last + 1))
        skip = span.media_frame(0) - delivered.first
        take = min(ceil(span.record_count * span.media_frames_each), len(frames) - skip)
        return Grid(MEDIA_GRID, frames, skip, take, span.media_rate)
    return Grid(TIMELINE_GRID, span.source_frames, 0, span.record_count, span.timeline_rate)
