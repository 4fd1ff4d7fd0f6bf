"""Where a delivered sequence belongs on the host's timeline."""

import os
import shutil
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from i2vedit.v1 import job_pb2
from i2vedit_client.errors import ClientError, ExitCode, Failure
from i2vedit_client.events import Event
from i2vedit_client.host.delivery import host_named
from i2vedit_client.host.session import Session
from i2vedit_client.host.timecode import later
from i2vedit_client.host.timing import MEDIA_GRID, Grid, grid
from i2vedit_client.quality import markers

TRACK = "I2VEdit"


def placement(session: Session, job: job_pb2.Job) -> Event:
    """The placement of a job that has succeeded, as docs/hosts.md describes it. Raises ClientError RESULT_MISSING."""
    folder = Path(job.delivered_directory)
    lies = grid(session.span, session.source, host_named(session.request.host).begins_anywhere)
    missing = [frame for frame in sorted(set(lies.frames)) if not frame_file(folder, frame).is_file()]
    if missing:
        sentence = f"Frame {missing[0]} is missing in {folder}; it was moved or deleted. Propagate the clip again."
        raise ClientError(Failure("NOT_FOUND", "RESULT_MISSING", sentence, job.name), ExitCode.FAILED)
    found = {"job": job.name, "version": folder.name, **_files(session, folder, lies), **described(session, lies, folder.name)}
    return {**found, "markers": markers(job.quality, session.span, lies)}


def described(session: Session, lies: Grid, version: str) -> Event:
    """Everything of a placement but its files."""
    request, span = session.request, session.span
    return {
        "grid": lies.kind,
        "skip": lies.skip,
        "take": lies.take,
        "rate": _text(lies.rate),
        "rate_number": float(lies.rate),
        "record_start": span.record_start,
        "record_count": span.record_count,
        "timeline_rate": _text(span.timeline_rate),
        "start_shift_seconds": float((session.source.first - session.media_start) / span.media_rate),
        "timecode": _timecode(session, lies),
        "track": TRACK,
        "clip_name": f"{request.clip.name} {version.rpartition('_')[2]}",
        "color": session.color,
        "color_space": request.clip.color_tag if session.color == "match" else "",
        "alpha": "premultiplied",
        "patch": request.settings.alpha == "matte",
        "note": f"{version}: {request.settings.model}, {request.settings.preset}, seed {request.settings.seed}",
        "extra": request.clip.extra,
    }


def frame_file(folder: Path, frame: int) -> Path:
    """Where a delivered folder has a source frame."""
    return folder / f"{folder.name}.{frame:04}.exr"


def _files(session: Session, folder: Path, lies: Grid) -> Event:
    """On the media's grid the delivered frames as they are; on the timeline's, one for each of its frames."""
    if lies.kind == MEDIA_GRID:
        return {"directory": str(folder), **_pattern(folder.name), "first_number": lies.frames[0], "count": len(lies.frames)}
    linked = conformed(folder, f"{folder.name}_{session.name[:6]}", lies.frames)
    return {
        "directory": str(linked),
        **_pattern(linked.name),
        "first_number": 0,
        "count": len(lies.frames),
        "source_frames": list(lies.frames),
    }


def _pattern(name: str) -> Event:
    return {"pattern": f"{name}.%04d.exr"}


def conformed(folder: Path, name: str, numbers: Sequence[int]) -> Path:
    """A folder beside the delivered one with a picture for each timeline frame: links where the disk has them, else copies.

    Raises ClientError OUTPUT_NOT_WRITABLE.
    """
    target = folder.with_name(name)
    try:
        target.mkdir(exist_ok=True)
        for index, number in enumerate(numbers):
            _link(frame_file(folder, number), target / f"{name}.{index:04}.exr")
    except OSError as error:
        sentence = f"The frames cannot be laid out for the timeline in {target} ({error.strerror}). Make room, or make it writable."
        raise ClientError(Failure("FAILED_PRECONDITION", "OUTPUT_NOT_WRITABLE", sentence), ExitCode.FAILED) from error
    return target


def _link(source: Path, final: Path) -> None:
    if final.exists() and final.samefile(source):
        return
    temporary = final.with_name(f".{final.name}.part")
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
    except OSError:
        shutil.copyfile(source, temporary)
    os.replace(temporary, final)


def _text(rate: Fraction) -> str:
    return f"{rate.numerator}/{rate.denominator}"


def _timecode(session: Session, lies: Grid) -> str:
    """Of the first picture that the clip shows; empty where neither host nor file has any."""
    start, span = session.start_timecode, session.span
    return later(start, lies.frames[lies.skip] - span.first_frame, span.media_rate) if start else ""
