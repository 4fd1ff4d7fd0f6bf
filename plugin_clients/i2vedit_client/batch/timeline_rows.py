"""The clips of a timeline for which somebody has painted a frame."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from i2vedit_client.batch.rows import unknown_columns
from i2vedit_client.batch.table import SEVERAL, Line, Problem
from i2vedit_client.errors import BadInput, ClientError
from i2vedit_client.timeline import TimelineShot, clips_of, shot_of

METADATA = "i2vedit"
PICTURES = (".png", ".tif", ".tiff", ".exr", ".psd", ".psb", ".jpg", ".jpeg")
MEDIA_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,3}$")
FROM_THE_TIMELINE = ("clip", "range")


@dataclass(frozen=True)
class Unpainted:
    """A clip for which no painted frame was found."""

    number: int
    name: str
    shot: TimelineShot | None
    """None for a clip that could not be propagated anyway."""


@dataclass
class TimelineLines:
    """Lines in the order of the clips, with their shots by number; and the clips that nobody has painted."""

    lines: list[Line] = field(default_factory=list)
    shots: dict[int, TimelineShot] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unpainted: list[Unpainted] = field(default_factory=list)


def read_timeline(path: Path, edited_folder: Path | None) -> TimelineLines:
    """Raises BadInput for what is no timeline, or a folder that cannot be read."""
    timeline, clips = clips_of(str(path))
    pictures = _pictures(edited_folder)
    count, seen = Counter(clip.name for clip in clips), Counter[str]()
    read = TimelineLines()
    for number, clip in enumerate(clips, start=1):
        seen[clip.name] += 1
        name = clip.name if count[clip.name] == 1 else f"{clip.name}#{seen[clip.name]}"
        told = clip.metadata.get(METADATA)
        values = _told(told) if isinstance(told, Mapping) else {}
        if "edited" not in values:
            values |= _found(name, pictures)
        if "edited" in values:
            _take(read, number, name, values, lambda clip=clip: shot_of(timeline, clip, str(path)))
        else:
            read.unpainted.append(Unpainted(number, name, _shot_or_none(timeline, clip, str(path))))
    return read


def _shot_or_none(timeline: Any, clip: Any, path: str) -> TimelineShot | None:
    try:
        return shot_of(timeline, clip, path)
    except ClientError:
        return None


def _take(read: TimelineLines, number: int, name: str, values: dict[str, str], open_shot: Any) -> None:
    sentences = [sentence.replace("column", "metadata") for sentence in unknown_columns(values)]
    sentences += [f"'{key}' comes from the timeline. Take it out of the metadata." for key in FROM_THE_TIMELINE if key in values]
    try:
        shot: TimelineShot = open_shot()
    except ClientError as error:
        sentences.append(str(error))
    if sentences:
        read.problems += [Problem(number, f"{name}: {sentence}") for sentence in sentences]
        return
    read.lines.append(Line(number, {"clip": shot.host_clip.path, **values}))
    read.shots[number], read.names[number] = shot, name


def _told(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Options by name, as a table has them: lists are several values."""
    return {name.replace("_", "-"): text for name, value in metadata.items() if (text := _text(value))}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str | int | float):
        return str(value)
    return SEVERAL.join(_text(part) for part in value) if isinstance(value, Iterable) else ""


def _pictures(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
    except OSError as error:
        raise BadInput(f"The folder {folder} of painted frames cannot be read ({error.strerror}).") from error


def _found(name: str, pictures: list[Path]) -> dict[str, str]:
    """`NAME.png`, or `NAME.FRAME.png` for each painted frame; the ending of a clip's own name may be left out."""
    stems = {re.sub(r"[/\\:]", "_", stem) for stem in (name, MEDIA_ENDING.sub("", name))}
    whole = [path for path in pictures if path.stem in stems]
    if whole:
        return {"edited": SEVERAL.join(map(str, whole))}
    numbered = [(path, match[2]) for path in pictures if (match := re.fullmatch(r"(.+)\.(\d+)", path.stem)) and match[1] in stems]
    if not numbered:
        return {}
    return {"edited": SEVERAL.join(str(path) for path, _ in numbered), "at": SEVERAL.join(frame for _, frame in numbered)}
