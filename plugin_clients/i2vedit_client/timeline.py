"""Shots from timelines of any editing program, and timelines with the result above the clip, by OpenTimelineIO."""

import copy
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse
from urllib.request import url2pathname

import opentimelineio as otio

from i2vedit_client.counting import counted
from i2vedit_client.errors import BadInput
from i2vedit_client.files import write_whole
from i2vedit_client.host.clip import HostClip
from i2vedit_client.host.timecode import frame_of, parse_rate
from i2vedit_client.host.timing import TimingError

TRACK = "I2VEdit"
FOR_RESOLVE = "_resolve"
"""What the name of the second form ends in."""


@dataclass(frozen=True)
class TimelineShot:
    """A clip of a timeline."""

    timeline: Any
    """otio.schema.Timeline."""
    clip: Any
    """otio.schema.Clip in it."""
    host_clip: HostClip


def open_shot(path: str, name: str) -> TimelineShot:
    """The clip of this name; `NAME#2` is the second of that name.

    Raises BadInput for what is not found, TimingError for a clip that cannot be propagated.
    """
    timeline = _read(path)
    return shot_of(timeline, _named(timeline, name, path), path)


def clips_of(path: str) -> tuple[Any, list[Any]]:
    """The timeline, and all clips of its video tracks from the lowest track on. Raises BadInput."""
    timeline = _read(path)
    return timeline, [clip for track in timeline.video_tracks() for clip in track.find_clips()]


def shot_of(timeline: Any, clip: Any, path: str) -> TimelineShot:
    """Raises TimingError for a clip that cannot be propagated."""
    return TimelineShot(timeline, clip, _host_clip(timeline, clip, Path(path)))


def _read(path: str) -> Any:
    try:
        read = otio.adapters.read_from_file(path)
    except Exception as error:  # adapters are by many hands, and raise whatever they like
        raise BadInput(f"The timeline {path} cannot be read ({error}). Export it as .otio, and try again.") from error
    among = read if isinstance(read, otio.schema.SerializableCollection) else [read]
    timelines = [each for each in among if isinstance(each, otio.schema.Timeline)]
    if len(timelines) != 1:
        raise BadInput(f"{path} holds {len(timelines)} timelines. Export the one that is meant.")
    return timelines[0]


def _named(timeline: Any, name: str, path: str) -> Any:
    wanted, _, number = name.rpartition("#") if name.rpartition("#")[2].isdecimal() else (name, "", "")
    clips = timeline.find_clips()
    found = [clip for clip in clips if clip.name == wanted]
    if number:
        if not 1 <= int(number) <= len(found):
            raise BadInput(f"{path} has {counted(len(found), 'clip')} '{wanted}'. Give a number from 1 to {len(found)} after the #.")
        return found[int(number) - 1]
    if not found:
        names = ", ".join(sorted({clip.name for clip in clips})[:8]) or "none"
        raise BadInput(f"{path} has no clip '{wanted}'. Its clips are: {names}.")
    if len(found) > 1:
        raise BadInput(f"{path} has {len(found)} clips '{wanted}'. Say which one: {wanted}#1, {wanted}#2, ...")
    return found[0]


def _host_clip(timeline: Any, clip: Any, path: Path) -> HostClip:
    _check(clip)
    rate = _timeline_rate(timeline, clip)
    start, length = _in_timeline(timeline, clip)
    shown, media = clip.trimmed_range(), clip.media_reference.available_range
    begins = _seconds(media.start_time) if media is not None else Fraction(0)
    told: dict[str, Any] = {
        **_media(clip.media_reference, path),
        "name": clip.name,
        "timeline_rate": rate,
        "record_start": round(start * rate),
        "record_count": round(length * rate),
        "offset_seconds": float(_seconds(shown.start_time) - begins),
        "track": clip.parent().name,
    }
    if media is not None:
        media_rate = parse_rate(clip.media_reference.rate if _is_sequence(clip.media_reference) else media.duration.rate)
        told |= {"media_rate": media_rate, "media_frames": round(_seconds(media.duration) * media_rate)}
    return HostClip.parse(told)


def _is_sequence(reference: Any) -> bool:
    return isinstance(reference, otio.schema.ImageSequenceReference)


def _media(reference: Any, timeline: Path) -> dict[str, Any]:
    """Where the media lie; of pictures their pattern, as `propagate` takes it, and the number with which they begin."""
    if not _is_sequence(reference):
        return {"path": _media_path(reference.target_url, timeline)}
    digits = reference.frame_zero_padding
    name = f"{reference.name_prefix}{f'%0{digits}d' if digits else '%d'}{reference.name_suffix}"
    return {"path": str(Path(_media_path(reference.target_url_base, timeline)) / name), "media_start": reference.start_frame}


def _check(clip: Any) -> None:
    """Raises TimingError RETIMED or NOT_A_CLIP."""
    if any(isinstance(effect, otio.schema.TimeEffect) for effect in clip.effects):
        raise TimingError("RETIMED", f"'{clip.name}' has a changed speed. Render it in place, and propagate the clip that comes out.")
    reference = clip.media_reference
    if not isinstance(reference, otio.schema.ExternalReference) and not _is_sequence(reference):
        raise TimingError("NOT_A_CLIP", f"'{clip.name}' names no movie file. Link its media, and export the timeline again.")
    if _is_sequence(reference):
        _check_sequence(reference, clip.name)


def _check_sequence(reference: Any, name: str) -> None:
    """Raises TimingError NOT_A_CLIP where which picture is shown when cannot be told."""
    if reference.available_range is None:
        raise TimingError("NOT_A_CLIP", f"'{name}' does not say how long its pictures run. Link its media, and export the timeline again.")
    if reference.frame_step != 1:
        sentence = f"'{name}' goes through its pictures in steps of {reference.frame_step}. Render it in place, and propagate that."
        raise TimingError("NOT_A_CLIP", sentence)


def _seconds(time: Any) -> Fraction:
    """Exact, where the library's rates are floating point numbers."""
    return Fraction(time.value) / parse_rate(time.rate)


def _timeline_rate(timeline: Any, clip: Any) -> Fraction:
    if timeline.global_start_time is not None:
        return parse_rate(timeline.global_start_time.rate)
    return parse_rate(clip.parent().trimmed_range().duration.rate or clip.trimmed_range().duration.rate)


def _in_timeline(timeline: Any, clip: Any) -> tuple[Fraction, Fraction]:
    """Start and length in seconds; what lies before it on its track is added up exactly."""
    track, start = clip.parent(), Fraction(0)
    for item in track:
        if item is clip:
            break
        if not isinstance(item, otio.schema.Transition):
            start += _seconds(item.trimmed_range().duration)
    begins = _seconds(timeline.global_start_time) if timeline.global_start_time is not None else Fraction(0)
    return begins + start, _seconds(clip.trimmed_range().duration)


def _media_path(url: str, timeline: Path) -> str:
    """A file URL or a bare path; a relative one counts from the timeline's folder."""
    parsed = urlparse(url)
    if parsed.scheme == "file":
        host = f"//{parsed.netloc}" if parsed.netloc not in ("", "localhost") else ""
        return host + url2pathname(parsed.path)
    path = Path(unquote(url) if parsed.scheme == "" and not Path(url).exists() else url)
    return str(path if path.is_absolute() else timeline.absolute().parent / path)


def write_results(shot: TimelineShot, placement: dict[str, Any]) -> list[Path]:
    """Two timelines beside the delivered folder, with the result on a track above its clip: with the sequence as OpenTimelineIO has it,
    and in the form that DaVinci Resolve reads. Gives their paths. Raises OSError.
    """
    folder = Path(placement["directory"])
    written = []
    for ending, reference in (("", _sequence), (FOR_RESOLVE, _for_resolve)):
        timeline = _with_result(shot, placement, reference(placement))
        path = folder.with_name(f"{folder.name}{ending}.otio")
        write_whole(path, otio.adapters.write_to_string(timeline, "otio_json").encode())
        written.append(path)
    return written


def _with_result(shot: TimelineShot, placement: dict[str, Any], reference: Any) -> Any:
    timeline = copy.deepcopy(shot.timeline)
    original = shot.clip.parent()
    index = next(number for number, track in enumerate(shot.timeline.tracks) if track is original)
    above = otio.schema.Track(TRACK, kind=otio.schema.TrackKind.Video)
    before = original.trimmed_range_of_child(shot.clip).start_time
    if before.value:
        above.append(otio.schema.Gap(source_range=otio.opentime.TimeRange(otio.opentime.RationalTime(0, before.rate), before)))
    rate = reference.available_range.start_time.rate
    start = reference.available_range.start_time + otio.opentime.RationalTime(placement["skip"], rate)
    shown = otio.opentime.TimeRange(start, otio.opentime.RationalTime(placement["take"], rate))
    metadata = {"i2vedit": {"job": placement["job"], "note": placement["note"], "alpha": placement["alpha"]}}
    above.append(otio.schema.Clip(placement["clip_name"], reference, shown, metadata))
    timeline.tracks.insert(index + 1, above)
    return timeline


def _range(placement: dict[str, Any], first: int) -> Any:
    rate = placement["rate_number"]
    return otio.opentime.TimeRange(otio.opentime.RationalTime(first, rate), otio.opentime.RationalTime(placement["count"], rate))


def _sequence(placement: dict[str, Any]) -> Any:
    """For tools that read OpenTimelineIO with the library."""
    prefix, _, suffix = placement["pattern"].partition("%04d")
    return otio.schema.ImageSequenceReference(
        target_url_base=Path(placement["directory"]).as_uri() + "/",
        name_prefix=prefix,
        name_suffix=suffix,
        start_frame=placement["first_number"],
        rate=placement["rate_number"],
        frame_zero_padding=4,
        available_range=_range(placement, placement["first_number"]),
    )


def _for_resolve(placement: dict[str, Any]) -> Any:
    """A bare path in the form of Resolve's media pool, and the source timecode as an absolute frame number."""
    first, last = placement["first_number"], placement["first_number"] + placement["count"] - 1
    name = placement["pattern"].replace("%04d", f"[{first:04}-{last:04}]")
    rate = parse_rate(placement["rate"])
    begins = frame_of(placement["timecode"], rate) - placement["skip"] if placement["timecode"] else first
    return otio.schema.ExternalReference(os.path.join(placement["directory"], name), _range(placement, begins))
