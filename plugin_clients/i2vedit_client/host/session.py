"""One clip of one host, on disk: what was asked for, the frame that is painted, and every job since. Outlives host, command and server."""

import glob
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from i2vedit.v1 import clip_pb2, job_pb2, shot_pb2
from i2vedit_client.discovery import data_folder
from i2vedit_client.errors import BadInput, ClientError, ExitCode, Failure
from i2vedit_client.files import read_json_file, write_json_file
from i2vedit_client.host.clip import HostClip
from i2vedit_client.host.delivery import delivered_color, host_named
from i2vedit_client.host.timecode import later, parse_rate
from i2vedit_client.host.timing import SourceRange, Span, TimingError, source_range
from i2vedit_client.painted import Painted
from i2vedit_client.spec import (
    PropagateOptions,
    Reading,
    ShotOptions,
    absolute,
    clip_ref,
    clip_stem,
    job_spec,
    parse_size,
    shot_spec,
    stride_fields,
)

SESSION_FILE, STATUS_FILE, REFERENCE_FILE = "session.json", "status.json", "plate.tif"
JOB_FILES, SAVE_FILES = "job-*.json", "save-*"
SAFE_STEM_LENGTH = 80


@dataclass(frozen=True)
class Settings:
    """How to propagate: the options of `i2vedit propagate` that a host may set."""

    model: str = "mini"
    preset: str = "full"
    edit: str = "local"
    seed: int = 0
    lora_steps: int | None = None
    size: tuple[int, int] | None = None
    stride: str = "1"
    handles: int = 0
    """Media frames beyond the clip's ends, as far as there are any."""
    deliver: str = ""
    """Empty: what suits the host."""
    depth: str = "auto"
    compression: str = "zip"
    alpha: str = "matte"
    """Hosts composite, so the patch alone is their default."""
    inside: str = "auto"
    grain: float | None = None
    cuts: str = "find"
    out: str = ""
    """Empty: a folder beside the clip."""

    @classmethod
    def parse(cls, given: dict[str, Any]) -> "Settings":
        """Raises BadInput."""
        unknown = sorted(set(given) - set(cls.__dataclass_fields__))
        if unknown:
            raise BadInput(f"There are no settings {', '.join(unknown)}. docs/hosts.md has them all.")
        stride = str(given.get("stride", cls.stride))
        stride_fields(stride)
        settings = cls(**{**given, "size": _size(given.get("size") or None), "stride": stride})
        if not isinstance(settings.handles, int) or settings.handles < 0:
            raise BadInput(f"Handles are a number of frames, 0 or more, and not {settings.handles!r}.")
        _check_count("seed", settings.seed)
        _check_count("lora_steps", settings.lora_steps or 0)
        if settings.grain is not None and (not isinstance(settings.grain, int | float) or not 0 <= settings.grain <= 1):
            raise BadInput(f"The grain is a number from 0 to 1, and not {settings.grain!r}.")
        for key, choices in _CHOICES.items():
            if getattr(settings, key) not in choices:
                raise BadInput(f"There is no {key} '{getattr(settings, key)}'. Choose one of: {', '.join(choices)}.")
        return settings


_CHOICES = {
    "preset": ("full", "balanced", "preview"),
    "edit": ("local", "style", "shape"),
    "depth": ("auto", "half", "float"),
    "alpha": ("plate", "matte"),
    "inside": ("auto", "replace", "delta"),
    "cuts": ("find", "ignore"),
}


def _size(given: Any) -> tuple[int, int] | None:
    """`"704x384"` or `[704, 384]`; None stays None. Raises BadInput."""
    if given is None or isinstance(given, str):
        return parse_size(given)
    is_pair = isinstance(given, list | tuple) and len(given) == 2 and all(type(side) is int for side in given)
    return parse_size("x".join(map(str, given)) if is_pair else repr(given))


def _check_count(name: str, given: Any) -> None:
    """Raises BadInput for what is no whole number, 0 or more."""
    if type(given) is not int or given < 0:
        raise BadInput(f"The setting '{name}' is a whole number, 0 or more, and not {given!r}.")


@dataclass(frozen=True)
class Request:
    """What a host asks for when it begins."""

    host: str
    clip: HostClip
    settings: Settings
    host_version: str = ""
    project: str = ""
    item: str = ""
    """The host's own name for the clip on its timeline."""
    frame: int | None = None
    """Source frame to paint; None: the one under the playhead."""

    @classmethod
    def parse(cls, given: dict[str, Any]) -> "Request":
        """Raises BadInput, and TimingError for a clip that cannot be propagated."""
        known = {"host", "host_version", "project", "item", "clip", "settings", "frame"}
        if unknown := sorted(set(given) - known):
            raise BadInput(f"The request has fields that are not known: {', '.join(unknown)}. docs/hosts.md has them all.")
        host_named(str(given.get("host", "")))
        if not isinstance(given.get("clip"), dict):
            raise BadInput("The request names no clip.")
        frame = given.get("frame")
        if frame is not None and (not isinstance(frame, int) or isinstance(frame, bool)):
            raise BadInput(f"The field 'frame' must be the number of a source frame, and is {frame!r}.")
        names = {key: str(given[key]) for key in ("host", "host_version", "project", "item") if key in given}
        return cls(clip=HostClip.parse(given["clip"]), settings=Settings.parse(given.get("settings") or {}), frame=frame, **names)


@dataclass(frozen=True)
class Media:
    """What the file itself says."""

    rate: Fraction
    frames: int
    color_space: str
    start_timecode: str
    first_frame: int = 0
    """Source frame number of the first frame; 0 but for numbered pictures."""

    @classmethod
    def of(cls, info: clip_pb2.ClipInfo) -> "Media":
        rate = Fraction(info.rate.numerator, info.rate.denominator)
        return cls(rate, info.frame_count, info.color_space, info.start_timecode, info.first_frame)


@dataclass(frozen=True)
class Session:
    """A clip that a host has begun with."""

    folder: Path
    request: Request
    media: Media
    edited: Path
    """The picture that the artist paints on."""

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def span(self) -> Span:
        return self.request.clip.span(self.media.rate, self.media.frames, self.media.first_frame)

    @property
    def source(self) -> SourceRange:
        return source_range(self.span, self.request.settings.handles, self.request.clip.name)

    @property
    def painted_frame(self) -> int:
        """Source frame that is painted. Raises TimingError OUTSIDE_MEDIA."""
        source, frame = self.source, self.request.frame
        if frame is None:
            return self.request.clip.looked_at(self.span)
        if not source.first <= frame <= source.last:
            sentence = f"Frame {frame} lies outside the shot, which has frames {source.first} to {source.last}. Choose one of these."
            raise TimingError("OUTSIDE_MEDIA", sentence)
        return frame

    @property
    def media_start(self) -> int:
        """Source frame number at which the media begins for the host."""
        told = self.request.clip.media_start
        return self.media.first_frame if told is None else told

    @property
    def start_timecode(self) -> str:
        """Of the file's first frame; empty where neither host nor file has any. Raises BadInput for a label that is none."""
        told, before = self.request.clip.start_timecode, self.media_start - self.media.first_frame
        return later(told, -before, self.span.media_rate) if told and before else told or self.media.start_timecode

    @property
    def color(self) -> str:
        """What is delivered: `match`, `linear` or an OCIO name."""
        return self.request.settings.deliver or delivered_color(host_named(self.request.host), self.request.clip.managed)

    @property
    def status_file(self) -> Path:
        return self.folder / STATUS_FILE

    @property
    def reference(self) -> Path:
        """The frame as it was exported."""
        return self.folder / REFERENCE_FILE

    def saves(self) -> list[Path]:
        """Every save that counted, as it was, oldest first."""
        return sorted(self.folder.glob(SAVE_FILES))

    def has_picture(self) -> bool:
        """Whether what the artist paints on is there, in whatever format."""
        return any(path.stem == self.edited.stem for path in self.edited.parent.glob(f"{glob.escape(self.edited.stem)}.*"))

    def jobs(self) -> list[str]:
        """Names of the jobs of this clip, oldest first."""
        records = (read_json_file(path) for path in sorted(self.folder.glob(JOB_FILES)))
        return [record["job"] for record in records if record]

    def remember(self, job: str) -> None:
        """Adds a job. One that is known already is not added again. Raises OSError."""
        known = self.jobs()
        if job not in known:
            write_json_file(self.folder / f"job-{len(known) + 1:04}.json", {"job": job})

    def clip_ref(self) -> clip_pb2.ClipRef:
        """The clip for the server. Rate, timecode and colour are named only where the host says other things than the file."""
        clip, span, source = self.request.clip, self.span, self.source
        ref = clip_pb2.ClipRef(
            path=absolute(clip.path),
            source_in=source.first,
            frame_count=source.last - source.first + 1,
            record_start=span.record_start,
            timeline_rate=_rational(span.timeline_rate),
            track=clip.track,
            clip_name=clip.name,
            deinterlace=clip.deinterlace,
            video_stream=clip.video_stream,
        )
        if span.media_rate != self.media.rate and not clip.frame_by_frame:
            ref.rate.CopyFrom(_rational(span.media_rate))
        if self.start_timecode != self.media.start_timecode:
            ref.start_timecode = later(self.start_timecode, source.first - span.first_frame, span.media_rate)
        color = host_named(self.request.host).color_names.get(clip.color_tag, clip.color_tag)
        if color and color != self.media.color_space:
            ref.color_tag = color
        return ref

    def job_spec(self, edited: Path, others: tuple[Painted, ...] = ()) -> job_pb2.JobSpec:
        """The job that carries this picture through the clip, and with it what was painted on other frames."""
        settings, source = self.request.settings, self.source
        options = PropagateOptions(
            clip=self.request.clip.path,
            edits=(Painted(str(edited), self.painted_frame), *others),
            directory=str(self.edited.parent),
            frames=(source.first, source.last),
            color_space=self.color,
            **{key: value for key, value in asdict(settings).items() if key not in ("handles", "deliver", "out")},
        )
        spec = job_spec(options)
        spec.clip.CopyFrom(self.clip_ref())
        return spec

    def shot_spec(self, others: tuple[Painted, ...] = ()) -> shot_pb2.ShotSpec:
        """What is prepared while the artist paints, for a job that carries what was painted on other frames, too."""
        settings, source = self.request.settings, self.source
        keys = (self.painted_frame, *(painted.frame for painted in others if painted.frame is not None))
        wanted = {key: getattr(settings, key) for key in ("model", "preset", "seed", "lora_steps", "size", "stride", "cuts")}
        options = ShotOptions(self.request.clip.path, source.first, source.last, **wanted, keys=keys)
        spec = shot_spec(options)
        spec.clip.CopyFrom(self.clip_ref())
        return spec

    def save(self) -> None:
        """Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {"request": _as_json(asdict(self.request)), "media": _as_json(asdict(self.media)), "edited": str(self.edited)}
        write_json_file(self.folder / SESSION_FILE, content)


def whole_media(clip: HostClip) -> clip_pb2.ClipRef:
    """All of a clip's media, read as the host says."""
    return clip_ref(clip.path, 0, 0, Reading(clip.deinterlace, clip.video_stream))


def _rational(value: Fraction) -> clip_pb2.Rational:
    return clip_pb2.Rational(numerator=value.numerator, denominator=value.denominator)


def _as_json(value: Any) -> Any:
    """Fractions as `a/b`, as `parse_rate` reads them."""
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    return {key: _as_json(item) for key, item in value.items()} if isinstance(value, dict) else value


def sessions_folder() -> Path:
    return data_folder() / "hosts"


def frame_name(request: Request, frame: int) -> str:
    """`<clip>_f0001-Edit.tif`: what *Edit in Photoshop* has taught people to look for."""
    stem = re.sub(r"[^\w.-]", "_", clip_stem(request.clip.path)).strip(".")[:SAFE_STEM_LENGTH] or "clip"
    return f"{stem}_f{frame:04}-Edit.tif"


def load(name: str) -> Session:
    """A session by its name. Raises ClientError SESSION_NOT_FOUND."""
    folder = sessions_folder() / name
    content = read_json_file(folder / SESSION_FILE) if re.fullmatch(r"[0-9a-f]{12}", name) else None
    if content is None:
        sentence = f"There is no session '{name}'; it was cleared away, or belongs to another user. Begin again with the clip."
        raise ClientError(Failure("NOT_FOUND", "SESSION_NOT_FOUND", sentence), ExitCode.BAD_INPUT)
    request, media = content["request"], content["media"]
    return Session(folder, Request.parse(request), Media(**{**media, "rate": parse_rate(media["rate"])}), Path(content["edited"]))


def session_of_picture(picture: Path) -> Session:
    """The newest session whose frame this is, in whatever format it was saved. Raises ClientError SESSION_NOT_FOUND."""
    found = [session for session in sessions() if session.edited.with_suffix("") == picture.with_suffix("")]
    if not found:
        sentence = f"{picture.name} is no frame that was exported here. Export it from the host or with `i2vedit roundtrip`."
        raise ClientError(Failure("NOT_FOUND", "SESSION_NOT_FOUND", sentence), ExitCode.BAD_INPUT)
    return found[-1]


def sessions(host: str = "", project: str = "") -> Iterator[Session]:
    """Those of a host, and of one project of it, where that is asked for."""
    for path in sorted(sessions_folder().glob(f"*/{SESSION_FILE}"), key=lambda path: path.stat().st_mtime):
        session = load(path.parent.name)
        if host in ("", session.request.host) and project in ("", session.request.project):
            yield session
