"""Which file is the plate, and what its host knows better than the file does."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.clip import ClipInfo, FieldOrder
from i2vedit_core.media.probe import probe
from i2vedit_core.media.rates import MAX_RATE
from i2vedit_core.media.spaces import find_space
from i2vedit_core.media.timecode import Timecode


@dataclass(frozen=True)
class ClipSource:
    """A clip and how to read it. What is left out is read from the file."""

    path: Path
    rate: Fraction | None = None
    """Frames a second. It labels frames and leaves their number alone."""
    start_timecode: str | None = None
    """`hh:mm:ss:ff` of `timecode_frame`, with `;` before the frames for drop-frame."""
    timecode_frame: int | None = None
    """Source frame; None: the first of the clip."""
    deinterlace: bool = False
    """Makes one whole frame of each two fields. Clips of whole frames are left as they are."""
    video_stream: int = 0
    """Of a movie, from 1; 0: the one that the file itself prefers."""
    color_space: str = ""
    """OCIO name, or a host's, for clips that do not say, or say wrongly, what they are; empty: by what the file says."""
    follow_links: bool = True
    """Whether the files of a sequence may be links to other places."""

    def probe(self) -> ClipInfo:
        """What the clip is, read this way. Raises BridgeError CLIP_NOT_FOUND, CLIP_UNREADABLE, CLIP_UNSUPPORTED or SETTING_INVALID."""
        clip = probe(self.path, self.video_stream)
        if not self.follow_links:
            _refuse_links(clip)
        if self.rate is not None:
            clip = _at_rate(clip, self.rate)
        if self.start_timecode:
            clip = _with_timecode(clip, self.start_timecode, self.timecode_frame)
        named = find_space(self.color_space) if self.color_space else ""
        return replace(clip, named_space=named, deinterlaced=self.deinterlace and clip.field_order is not FieldOrder.PROGRESSIVE)

    def open(self) -> ClipInfo:
        """As `probe`, for a clip that is to be worked on: raises CLIP_INTERLACED as well."""
        clip = self.probe()
        if clip.field_order is not FieldOrder.PROGRESSIVE and not clip.deinterlaced:
            sentence = (
                f"'{clip.path.name}' is interlaced ({clip.field_order}): each frame holds two moments. Give --deinterlace to make whole "
                "frames of them, or export the clip as progressive."
            )
            raise BridgeError(Code.FAILED_PRECONDITION, Reason.CLIP_INTERLACED, sentence)
        return clip

    @classmethod
    def of(cls, source: "ClipSource | Path | str") -> "ClipSource":
        """A path alone stands for the clip as its file describes it."""
        return source if isinstance(source, ClipSource) else cls(Path(source))


def reading_of(clip: ClipInfo) -> dict[str, str | int | bool]:
    """How a clip was read, as JSON values for the ticket: enough to read it so again."""
    return {
        "rate": str(clip.rate),
        "start_timecode": clip.start_timecode or "",
        "deinterlace": clip.deinterlaced,
        "video_stream": clip.video_stream,
        "color_space": clip.named_space,
    }


def source_of(path: Path, reading: dict[str, str | int | bool]) -> ClipSource:
    """The inverse of `reading_of`; nothing read stands for the clip as its file describes it. Raises KeyError or ValueError."""
    if not reading:
        return ClipSource(path)
    return ClipSource(
        path,
        rate=Fraction(str(reading["rate"])),
        start_timecode=str(reading["start_timecode"]) or None,
        deinterlace=bool(reading["deinterlace"]),
        # A sequence has none to choose from.
        video_stream=int(reading["video_stream"]),
        color_space=str(reading["color_space"]),
    )


def _at_rate(clip: ClipInfo, rate: Fraction) -> ClipInfo:
    """The clip at another rate; its timecode keeps hours, minutes and seconds where it is one at that rate, too."""
    if not 0 < rate <= MAX_RATE:
        raise _invalid(f"A rate of {float(rate):g} frames a second cannot be; give one such as 24, 25 or 24000/1001.")
    label = None
    if clip.start_timecode is not None:
        try:
            label = str(Timecode.parse(clip.start_timecode, rate))
        except ValueError:
            label = None
    time_base = clip.time_base if clip.files is None else 1 / rate
    return replace(clip, rate=rate, start_timecode=label, time_base=time_base)


def _with_timecode(clip: ClipInfo, label: str, frame: int | None) -> ClipInfo:
    """The clip with this label on source frame `frame`."""
    try:
        start = Timecode.parse(label, clip.rate)
    except ValueError as error:
        raise _invalid(f"The start timecode cannot be used: {error}") from error
    before = 0 if frame is None else frame - clip.first_frame
    return replace(clip, start_timecode=str(start.plus(-before, clip.rate)))


def _refuse_links(clip: ClipInfo) -> None:
    """A folder that is shared with callers from elsewhere must not lead them out of it."""
    if clip.files is None:
        return
    for number in clip.files.numbers:
        path = clip.files.path(number)
        if path.is_symlink():
            sentence = f"'{path.name}' is a link, which callers from another machine may not use; put the file itself there."
            raise BridgeError(Code.PERMISSION_DENIED, Reason.PATH_NOT_ALLOWED, sentence)


def _invalid(sentence: str) -> BridgeError:
    return BridgeError(Code.INVALID_ARGUMENT, Reason.SETTING_INVALID, sentence)
