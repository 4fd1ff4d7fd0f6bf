"""What is known of a clip: one description for movies and for sequences of pictures."""

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from i2vedit_core.media import tags, timecode
from i2vedit_core.media.frame_files import FrameFiles

HALF_BITS = 10
"""Up to so many bits all codes of a plate stay distinct as half floats."""


@dataclass(frozen=True)
class Orientation:
    """How stored pixels lie on the screen: x' = a x + c y, y' = b x + d y, each a sign."""

    a: int = 1
    b: int = 0
    c: int = 0
    d: int = 1

    @property
    def swaps_axes(self) -> bool:
        return self.a == 0

    @property
    def flips_x(self) -> bool:
        return (self.c if self.swaps_axes else self.a) < 0

    @property
    def flips_y(self) -> bool:
        return (self.b if self.swaps_axes else self.d) < 0

    @property
    def rotation(self) -> int:
        """Degrees clockwise, mirroring aside."""
        return {(1, 0): 0, (0, 1): 90, (-1, 0): 180, (0, -1): 270}[self.a, self.b]


class FieldOrder(StrEnum):
    """Which lines of an interlaced frame come first. `PROGRESSIVE`: frames are whole."""

    PROGRESSIVE = "progressive"
    TOP_FIRST = "top field first"
    BOTTOM_FIRST = "bottom field first"
    UNKNOWN = "interlaced"


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels as EXR counts them: `x` to the right and `y` down, from an origin that may lie anywhere."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class ClipInfo:
    """A clip as its file describes it, or as somebody who knows better said (`media.source`).

    Frames have source frame numbers: those of a movie count from 0 in the order in which they are shown, those of a sequence are
    the numbers in the names of its files.
    """

    path: Path
    """Of a sequence: its pattern, such as `shot.%04d.exr`."""
    width: int
    """Pixels across the screen, after rotation; not widened for non-square pixels."""
    height: int
    rate: Fraction
    """Frames a second; the nominal rate where frame times vary."""
    frame_count: int
    """From the first to the last, those included that a sequence lacks."""
    codec: str
    pixel_format: str
    """As ffmpeg names it: yuv420p, yuv422p10le, ...; `half`, `float`, `uint10`, ... of pictures."""
    planar_format: str
    """The planar format in which ffmpeg hands the frames over without loss; empty of pictures."""
    bit_depth: int
    full_range: bool
    matrix: str
    """As ffmpeg names it; `gbr` for RGB. For untagged streams the one that is assumed."""
    primaries: str
    transfer: str
    pixel_aspect: Fraction
    """Width of a pixel over its height, after rotation."""
    start_timecode: str | None
    """Of the first frame."""
    has_alpha: bool
    orientation: Orientation
    stream_index: int
    container: str
    time_base: Fraction
    timestamps: tuple[int, ...] = field(repr=False)
    """Presentation time of every frame in units of `time_base`; empty where the container has none to rely on."""
    keyframes: tuple[int, ...] = field(repr=False)
    """Presentation times of the key frames, hidden ones included."""
    first_frame: int = 0
    """Source frame number of the first frame."""
    field_order: FieldOrder = FieldOrder.PROGRESSIVE
    deinterlaced: bool = False
    """Whether decoding makes whole frames of the fields."""
    video_stream: int = 1
    """Which of the file's video streams, from 1."""
    video_stream_count: int = 1
    files: FrameFiles | None = field(default=None, repr=False)
    """Of a sequence: its pictures."""
    layer: str = ""
    """Of an EXR: the layer or view that R, G and B were found in; empty: the unnamed one."""
    premultiplied: bool = False
    """Whether the colour has been multiplied by alpha already, as in EXR."""
    window: Window | None = None
    """The display window of an EXR, which is the picture."""
    header_space: str = ""
    """OCIO name of what an EXR's header says its values are; empty of others, which have tags."""
    named_space: str = ""
    """OCIO name of the space that somebody who knows better than the file has given this clip; empty: by what the file says."""

    @property
    def last_frame(self) -> int:
        return self.first_frame + self.frame_count - 1

    @property
    def stem(self) -> str:
        """The clip's name without folder, ending and frame number."""
        return self.path.stem if self.files is None else self.files.stem

    @property
    def rotation(self) -> int:
        return self.orientation.rotation

    @property
    def stored_size(self) -> tuple[int, int]:
        """(width, height) before rotation."""
        return (self.height, self.width) if self.orientation.swaps_axes else (self.width, self.height)

    @property
    def color_space(self) -> str:
        """OCIO name of the plate's own encoding."""
        return self.named_space or self.header_space or tags.ocio_space(self.primaries, self.transfer)

    @property
    def fits_half(self) -> bool:
        """Whether half floats keep all of its values apart."""
        return self.pixel_format == "half" or self.bit_depth <= HALF_BITS

    def timecode_of(self, frame: int) -> timecode.Timecode:
        """The label of a source frame; counted from 00:00:00:00 where the clip has none."""
        start = timecode.Timecode.parse(self.start_timecode or "00:00:00:00", self.rate)
        return start.plus(frame - self.first_frame, self.rate)

    @property
    def notices(self) -> tuple[str, ...]:
        """What a person should know about how this clip is read, a sentence each."""
        found = []
        if self.field_order is not FieldOrder.PROGRESSIVE:
            how = "its fields are made into whole frames, one for each." if self.deinterlaced else "give --deinterlace to use it."
            found.append(f"'{self.path.name}' is interlaced ({self.field_order}); {how}")
        if self.video_stream_count > 1:
            found.append(f"'{self.path.name}' has {self.video_stream_count} video streams; number {self.video_stream} is used.")
        if self.layer:
            found.append(f"The picture is taken from the layer '{self.layer}' of '{self.path.name}'.")
        if self.files is not None and self.files.missing:
            found.append(f"'{self.path.name}' lacks {self.files.missing_words()}.")
        return tuple(found)
