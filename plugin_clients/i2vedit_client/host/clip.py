"""A clip as a host describes it: the JSON of docs/hosts.md, checked once."""

import re
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import PurePath
from typing import Any

from i2vedit_client.counting import counted
from i2vedit_client.errors import BadInput
from i2vedit_client.host.timecode import frame_of, parse_rate
from i2vedit_client.host.timing import Span, TimingError, check_speed, seconds_of

RAW_SUFFIXES = {".braw": "Blackmagic RAW", ".r3d": "RED", ".ari": "ARRIRAW", ".arx": "ARRIRAW", ".crm": "Canon RAW", ".dng": "CinemaDNG"}
NOT_CLIPS = {
    "compound": "a compound clip",
    "nested": "a nested sequence",
    "multicam": "a multicam clip",
    "composition": "a composition",
    "generator": "a generator",
    "title": "a title",
    "retimed": "a clip with changed speed",
    "time_remapped": "a time-remapped clip",
    "reversed": "a clip that plays backwards",
}
"""Kinds that a host may name beside `clip`. What they show is not what lies in the media."""


_RESOLVE_SEQUENCE = re.compile(r"(?P<name>.*)\[(?P<first>\d+)-\d+\](?P<ending>\.\w+)", re.ASCII | re.DOTALL)
"""`shot.[1001-1042].exr`."""


@dataclass(frozen=True)
class HostClip:
    """What a host says about the clip that was selected. What it leaves out is read from the file."""

    path: str
    name: str
    timeline_rate: Fraction | None = None
    record_start: int = 0
    record_count: int | None = None
    """Timeline frames; None: all of the media."""
    media_rate: Fraction | None = None
    media_frames: int | None = None
    media_start: int | None = None
    """Source frame number at which the media begins for the host; None: at its first frame."""
    media_in: int | None = None
    """First media frame shown, from 0, where the host counts in those."""
    left_offset: int | None = None
    """Timeline frames of media before the first one shown, where the host counts in those."""
    offset_seconds: float | None = None
    """The same in seconds, where the host counts in those."""
    source_count: int | None = None
    """Media frames that the clip uses, where the host says so: tells a changed speed."""
    frame_by_frame: bool = False
    """The host shows the next media frame at each timeline frame, whatever the two rates are: Blender."""
    start_timecode: str = ""
    """Of the frame at which the media begins for the host, where somebody has set another one there."""
    color_tag: str = ""
    """What the host takes the media's colours for: an OCIO name, or the host's own."""
    deinterlace: bool = False
    """Makes whole frames of an interlaced clip's fields."""
    video_stream: int = 0
    """Of a movie with several, from 1; 0: the one that the file prefers."""
    managed: bool = False
    """Whether the host converts colours: colour management in Resolve, a working space in After Effects."""
    track: str = ""
    playhead: int | str | None = None
    """Timeline frame, or its timecode, that the artist looks at."""
    extra: dict[str, Any] = field(default_factory=dict)
    """What the host wants back with the placement, untouched."""

    @classmethod
    def parse(cls, given: dict[str, Any]) -> "HostClip":
        """Raises BadInput for what is no clip, TimingError with its reason for a clip that cannot be used."""
        unknown = sorted(set(given) - set(cls.__dataclass_fields__) - {"kind"})
        if unknown:
            raise BadInput(f"The clip has fields that are not known: {', '.join(unknown)}. docs/hosts.md has them all.")
        if not isinstance(given.get("path"), str) or not given["path"]:
            raise BadInput("The clip has no media file. Select a clip that comes from a movie file.")
        name = given.get("name") or PurePath(given["path"]).name
        check_kind(str(given.get("kind", "clip")), name)
        check_media(given["path"], name)
        rates = {key: parse_rate(given[key]) for key in ("timeline_rate", "media_rate") if given.get(key) is not None}
        _check_numbers(given, name)
        rest = {key: value for key, value in given.items() if key not in ("kind", *rates) and value is not None}
        return cls(**{**rest, **_sequence(given["path"]), **rates, "name": name})

    def span(self, file_rate: Fraction, file_frames: int, first_frame: int = 0) -> Span:
        """Where the clip lies. `file_rate` and `file_frames` are what the file says, where the host does not; `first_frame` is the
        source frame number of its first frame.

        Raises TimingError RETIMED.
        """
        media_rate = self.media_rate or file_rate
        timeline_rate = self.timeline_rate or media_rate
        if self.frame_by_frame:
            media_rate = timeline_rate
            _check_length(self.media_frames, file_frames, self.name)
        skipped = 0 if self.media_start is None else self.media_start - first_frame
        offset = skipped / media_rate + self._offset(media_rate, timeline_rate)
        frames = file_frames if self.media_frames is None else skipped + self.media_frames
        rest = int((frames / media_rate - offset) * timeline_rate)
        span = Span(timeline_rate, media_rate, self.record_start, self.record_count or rest, offset, frames, first_frame)
        if self.source_count is not None:
            check_speed(span, self.source_count, self.name)
        return span

    def looked_at(self, span: Span) -> int:
        """The source frame under the playhead; the first one that the clip shows where the playhead is elsewhere. Raises BadInput."""
        head = self.playhead
        frame = frame_of(head, span.timeline_rate) if isinstance(head, str) else head
        index = 0 if frame is None else frame - span.record_start
        return span.media_frame(index if 0 <= index < span.record_count else 0)

    def _offset(self, media_rate: Fraction, timeline_rate: Fraction) -> Fraction:
        """Seconds of media before the first frame shown, from where the media begins for the host."""
        if self.media_in is not None:
            return self.media_in / media_rate
        if self.left_offset is not None:
            return self.left_offset / timeline_rate
        return seconds_of(self.offset_seconds or 0, timeline_rate, media_rate)


def _sequence(path: str) -> dict[str, Any]:
    """What the form says in which Resolve names pictures: their pattern, and the number with which they begin for it."""
    named = _RESOLVE_SEQUENCE.fullmatch(path)
    if named is None:
        return {}
    return {"path": f"{named['name']}%0{len(named['first'])}d{named['ending']}", "media_start": int(named["first"])}


def check_kind(kind: str, name: str) -> None:
    """Raises TimingError NOT_A_CLIP or RETIMED for what cannot be propagated."""
    if kind == "clip":
        return
    if kind not in NOT_CLIPS:
        raise BadInput(f"The kind '{kind}' of '{name}' is not known. docs/hosts.md has them all.")
    reason = "RETIMED" if kind in ("retimed", "time_remapped", "reversed") else "NOT_A_CLIP"
    raise TimingError(reason, f"'{name}' is {NOT_CLIPS[kind]}. Render it in place, and propagate the clip that comes out.")


def check_media(path: str, name: str) -> None:
    """Raises TimingError RAW_MEDIA for camera files that only their makers' software decodes."""
    maker = RAW_SUFFIXES.get(PurePath(path).suffix.lower())
    if maker is not None:
        sentence = f"'{name}' is {maker}, which cannot be decoded here. Render its range to EXR or ProRes first, and propagate that."
        raise TimingError("RAW_MEDIA", sentence)


def _check_length(told: int | None, there: int, name: str) -> None:
    """Raises TimingError RETIMED where a host that plays frame by frame has made the media longer or shorter."""
    if told is not None and abs(told - there) > LENGTH_TOLERANCE:
        sentence = (
            f"'{name}' takes {counted(told, 'frame')} for the {there} of its file: it plays at another rate than the scene. Set the "
            "scene's frame rate to the clip's, or add the clip without adjusting its playback rate, and try again."
        )
        raise TimingError("RETIMED", sentence)


LENGTH_TOLERANCE = 1
"""Some readers count a last frame that others do not."""
_WHOLE = ("record_start", "record_count", "media_frames", "media_start", "media_in", "left_offset", "source_count", "video_stream")


def _check_numbers(given: dict[str, Any], name: str) -> None:
    for key in _WHOLE:
        value = given.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise BadInput(f"The field '{key}' of '{name}' must be a whole number, and is {value!r}.")
    for key in ("record_count", "media_frames", "source_count"):
        if given.get(key) is not None and given[key] < 1:
            raise BadInput(f"The field '{key}' of '{name}' must be 1 or more, and is {given[key]}.")
    if not isinstance(given.get("deinterlace", False), bool):
        raise BadInput(f"The field 'deinterlace' of '{name}' must be true or false, and is {given['deinterlace']!r}.")
    playhead = given.get("playhead")
    if playhead is not None and (not isinstance(playhead, int | str) or isinstance(playhead, bool)):
        raise BadInput(f"The field 'playhead' of '{name}' must be a frame or a timecode of the timeline, and is {playhead!r}.")
    seconds = given.get("offset_seconds")
    if seconds is not None and (not isinstance(seconds, int | float) or isinstance(seconds, bool) or not abs(seconds) < 1e7):
        raise BadInput(f"The field 'offset_seconds' of '{name}' must be a number of seconds, and is {seconds!r}.")
