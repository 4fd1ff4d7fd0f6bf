"""What a host can ask for: begin, submit, poll, collect, cancel. Each gives one dictionary, which is the answer in JSON."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

from i2vedit.v1 import job_pb2
from i2vedit_client import words
from i2vedit_client.client import Client
from i2vedit_client.errors import ClientError, ExitCode, Failure, ServerError
from i2vedit_client.events import SUCCEEDED, Event, failed_event, job_failure, progress_event, shot_event, state_name
from i2vedit_client.files import replace, write_json_file
from i2vedit_client.host.frames import other_frames, session_name
from i2vedit_client.host.placement import placement
from i2vedit_client.host.session import Media, Request, Session, frame_name, sessions_folder, whole_media
from i2vedit_client.spec import absolute

BESIDE_THE_CLIP = "I2VEdit"
EXPORT_FILE = "export.tif"
UNFINISHED = (job_pb2.Job.STATE_QUEUED, job_pb2.Job.STATE_RUNNING, job_pb2.Job.STATE_PAUSED)


def begin(client: Client, request: Request) -> tuple[Session, Event]:
    """Exports the frame to paint on, and has the shot prepared. Begun again, it finds the same session with its painting and jobs.

    Raises TimingError, ServerError, ClientError OUTPUT_NOT_WRITABLE.
    """
    session = _session(client, request)
    try:
        session.save()
        export = session.folder / EXPORT_FILE
        export.unlink(missing_ok=True)
        spec = session.shot_spec(other_frames(session))
        shot = client.extract_frame(session.clip_ref(), session.painted_frame, str(export), spec).shot
        replace(export, session.reference)
        is_new = not session.edited.exists()
        if is_new:
            _copy_whole(session.reference, session.edited)
    except OSError as error:
        raise _not_writable(error) from error
    facts = {"frame_file": str(session.edited), "is_new": is_new, **shot_event(shot)}
    return session, {"event": SUCCEEDED, **describe(session), **facts}


def _session(client: Client, request: Request) -> Session:
    clip = request.clip
    info = client.probe_clip(whole_media(clip))
    # A sequence has one name, whether its pattern, its folder or one of its pictures was given.
    request = dataclasses.replace(request, clip=dataclasses.replace(clip, path=info.path))
    media = Media.of(info)
    unnamed = Session(Path(), request, media, Path())
    frame = unnamed.painted_frame  # says what is wrong with the timing before anything is written
    folder = sessions_folder() / session_name(unnamed)
    return Session(folder, request, media, _folder_to_paint_in(request, folder) / frame_name(request, frame))


def _folder_to_paint_in(request: Request, folder: Path) -> Path:
    """The folder that was asked for, else one beside the clip, else the session's own. Raises ClientError OUTPUT_NOT_WRITABLE."""
    if request.settings.out:
        chosen = Path(absolute(request.settings.out))
        try:
            chosen.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _not_writable(error) from error
        return chosen
    beside = Path(absolute(request.clip.path)).parent / BESIDE_THE_CLIP
    try:
        beside.mkdir(exist_ok=True)
        probe = beside / f".{folder.name}.part"
        probe.touch()
        probe.unlink()
    except OSError:
        # Camera cards and shared libraries are often read-only.
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    return beside


def _copy_whole(source: Path, final: Path) -> None:
    temporary = final.with_name(f".{final.name}.part")
    shutil.copyfile(source, temporary)
    replace(temporary, final)


def _not_writable(error: OSError) -> ClientError:
    sentence = f"'{error.filename}' cannot be written ({error.strerror}). Choose another folder."
    return ClientError(Failure("FAILED_PRECONDITION", "OUTPUT_NOT_WRITABLE", sentence), ExitCode.BAD_INPUT)


def submit(client: Client, session: Session, picture: Path) -> Event:
    """Propagates a painted picture, with those of the clip's other frames. The same again takes up the job that is under way.

    Raises ServerError, OSError.
    """
    created = client.create_job(session.job_spec(picture, other_frames(session)))
    session.remember(created.job.name)
    return {**write_status(session, created.job), "event": SUCCEEDED, "attached": created.attached}


def poll(client: Client, session: Session) -> Event:
    """How far the newest job of a session is. Raises ServerError."""
    job = newest(client, session)
    return write_status(session, job) if job is not None else {"event": "begun", **describe(session)}


def newest(client: Client, session: Session) -> job_pb2.Job | None:
    """The last job of a session that the server still knows; None where there is none. Raises ServerError."""
    return _newest(client, session, lambda job: True)


def _newest(client: Client, session: Session, wanted: Callable[[job_pb2.Job], bool]) -> job_pb2.Job | None:
    for name in reversed(session.jobs()):
        try:
            job = client.get_job(name)
        except ServerError as error:
            if error.failure.reason != "JOB_NOT_FOUND":
                raise
            continue  # somebody has deleted it
        if wanted(job):
            return job
    return None


def collect(client: Client, session: Session) -> Event:
    """The placement of the newest result. Raises ClientError NOTHING_DELIVERED or RESULT_MISSING, ServerError."""
    job = _newest(client, session, lambda job: job.state == job_pb2.Job.STATE_SUCCEEDED)
    if job is None:
        sentence = f"Nothing is finished for '{session.request.clip.name}' yet. Try again when its job is done."
        raise ClientError(Failure("FAILED_PRECONDITION", "NOTHING_DELIVERED", sentence), ExitCode.FAILED)
    return {"event": SUCCEEDED, **describe(session), "placement": placement(session, job)}


def cancel(client: Client, session: Session) -> Event:
    """Stops what is unfinished of a session. Raises ServerError."""
    stopped = []
    for name in session.jobs():
        try:
            if client.get_job(name).state in UNFINISHED:
                stopped.append(client.cancel_job(name).name)
        except ServerError as error:
            if error.failure.reason not in ("JOB_NOT_FOUND", "JOB_ENDED"):
                raise
    return {"event": SUCCEEDED, **describe(session), "stopped": stopped}


def describe(session: Session) -> Event:
    """What every answer says of its session."""
    source = session.source
    return {
        "session": session.name,
        "host": session.request.host,
        "project": session.request.project,
        "item": session.request.item,
        "clip": session.request.clip.name,
        "range": [source.first, source.last],
        "source_frame": session.painted_frame,
        "status_file": str(session.status_file),
        "frame_file": str(session.edited),
    }


def status_event(session: Session, job: job_pb2.Job) -> Event:
    """A job for a host that shows one line and one bar. `event` is queued, running, paused, succeeded, failed or cancelled."""
    status = {"event": state_name(job.state), **describe(session), "job": job.name, "fraction": 0.0, "words": ""}
    status |= {"delivered": job.delivered_count, "frames": job.frame_count}
    if job.state == job_pb2.Job.STATE_SUCCEEDED:
        try:
            return {**status, "fraction": 1.0, "words": "Done.", "placement": placement(session, job)}
        except ClientError as error:
            return {**status, **_failed(error.failure)}
    if job.state == job_pb2.Job.STATE_FAILED:
        return {**status, **_failed(job_failure(job))}
    if job.state == job_pb2.Job.STATE_RUNNING and job.HasField("progress"):
        return {**status, **_progress(progress_event(job.name, job.progress))}
    return {**status, "words": _WORDS.get(status["event"], "")}


def _failed(failure: Failure) -> Event:
    return {**failed_event(failure), "words": failure.sentence}


_WORDS = {"queued": "Waiting for its turn.", "running": "Begins.", "paused": "Paused.", "cancelled": "Stopped."}


def _progress(progress: Event) -> Event:
    details = words.details(progress)
    text = words.stage_words(progress["stage"])
    return {"stage": progress["stage"], "fraction": round(words.part_done(progress), 4), "words": f"{text}, {details}" if details else text}


def write_refusal(session: Session, failure: Failure) -> None:
    """A save that cannot be used, where the host looks. The next one may."""
    write_json_file(session.status_file, {**describe(session), "fraction": 0.0, **_failed(failure)})


def write_status(session: Session, job: job_pb2.Job) -> Event:
    """The status, also in the file that the host reads."""
    status = status_event(session, job)
    write_json_file(session.status_file, status)
    return status
