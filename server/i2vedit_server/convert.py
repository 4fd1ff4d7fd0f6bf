"""Between the wire's messages and the core's dataclasses. Everything that a caller can get wrong in a message is caught here."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from i2vedit.v1 import clip_pb2, delivery_pb2, job_pb2, shot_pb2
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.clip import ClipInfo, FieldOrder
from i2vedit_core.media.source import ClipSource, source_of
from i2vedit_core.media.spaces import find_space
from i2vedit_core.progress import Preview, Progress, Stage
from i2vedit_core.quality import Report
from i2vedit_core.repeat import settings_of
from i2vedit_core.settings import Alpha, Cuts, DeliverySettings, Depth, EditKind, Inside, LoraSettings, Preset, Settings, SideFormat
from i2vedit_server.messages import EditOrder, JobOrder, PinOrder, Places, ShotOrder
from i2vedit_server.record import Failure, JobKind, JobRecord, Priority, ShotRecord, StopRequest
from i2vedit_server.states import JobState

E = TypeVar("E")

JOB_PREFIX = "jobs/"
SHOT_PREFIX = "shots/"

STATES: dict[JobState, job_pb2.Job.State.ValueType] = {
    JobState.QUEUED: job_pb2.Job.STATE_QUEUED,
    JobState.RUNNING: job_pb2.Job.STATE_RUNNING,
    JobState.PAUSED: job_pb2.Job.STATE_PAUSED,
    JobState.SUCCEEDED: job_pb2.Job.STATE_SUCCEEDED,
    JobState.FAILED: job_pb2.Job.STATE_FAILED,
    JobState.CANCELLED: job_pb2.Job.STATE_CANCELLED,
}
SHOT_STATES: dict[JobState, shot_pb2.Shot.State.ValueType] = {
    JobState.QUEUED: shot_pb2.Shot.STATE_QUEUED,
    JobState.RUNNING: shot_pb2.Shot.STATE_PREPARING,
    JobState.PAUSED: shot_pb2.Shot.STATE_PAUSED,
    JobState.SUCCEEDED: shot_pb2.Shot.STATE_PREPARED,
    JobState.FAILED: shot_pb2.Shot.STATE_FAILED,
    JobState.CANCELLED: shot_pb2.Shot.STATE_CANCELLED,
}
"""A shot is as far as its preparation is."""
KINDS: dict[JobKind, job_pb2.Job.Kind.ValueType] = {
    JobKind.PROPAGATION: job_pb2.Job.KIND_PROPAGATION,
    JobKind.PREPARATION: job_pb2.Job.KIND_PREPARATION,
}
PRIORITIES: dict[Priority, job_pb2.Priority.ValueType] = {
    Priority.LOW: job_pb2.PRIORITY_LOW,
    Priority.NORMAL: job_pb2.PRIORITY_NORMAL,
    Priority.HIGH: job_pb2.PRIORITY_HIGH,
}
STOP_REQUESTS: dict[StopRequest, job_pb2.Job.StopRequest.ValueType] = {
    StopRequest.NONE: job_pb2.Job.STOP_REQUEST_UNSPECIFIED,
    StopRequest.PAUSE: job_pb2.Job.STOP_REQUEST_PAUSE,
    StopRequest.CANCEL: job_pb2.Job.STOP_REQUEST_CANCEL,
}
STAGES: dict[Stage, job_pb2.JobProgress.Stage.ValueType] = {
    Stage.LOAD: job_pb2.JobProgress.STAGE_LOAD,
    Stage.DECODE: job_pb2.JobProgress.STAGE_DECODE,
    Stage.INVERT: job_pb2.JobProgress.STAGE_INVERT,
    Stage.TRAIN: job_pb2.JobProgress.STAGE_TRAIN,
    Stage.EDIT: job_pb2.JobProgress.STAGE_EDIT,
    Stage.DELIVER: job_pb2.JobProgress.STAGE_DELIVER,
}
PRESETS: dict[int, Preset] = {
    job_pb2.PRESET_FULL: Preset.FULL,
    job_pb2.PRESET_BALANCED: Preset.BALANCED,
    job_pb2.PRESET_PREVIEW: Preset.PREVIEW,
}
EDIT_KINDS: dict[int, EditKind] = {
    job_pb2.EDIT_KIND_LOCAL: EditKind.LOCAL,
    job_pb2.EDIT_KIND_STYLE: EditKind.STYLE,
    job_pb2.EDIT_KIND_SHAPE: EditKind.SHAPE,
}
DEPTHS: dict[int, Depth] = {job_pb2.DEPTH_AUTO: Depth.AUTO, job_pb2.DEPTH_HALF: Depth.HALF, job_pb2.DEPTH_FLOAT: Depth.FLOAT}
ALPHAS: dict[int, Alpha] = {job_pb2.ALPHA_MODE_PLATE: Alpha.PLATE, job_pb2.ALPHA_MODE_MATTE: Alpha.MATTE}
INSIDES: dict[int, Inside] = {
    job_pb2.INSIDE_AUTO: Inside.AUTO,
    job_pb2.INSIDE_REPLACE: Inside.REPLACE,
    job_pb2.INSIDE_DELTA: Inside.DELTA,
}

SIDE_FORMATS: dict[int, SideFormat] = {
    delivery_pb2.SIDE_FORMAT_PRORES: SideFormat.PRORES,
    delivery_pb2.SIDE_FORMAT_PNG: SideFormat.PNG,
    delivery_pb2.SIDE_FORMAT_MP4: SideFormat.MP4,
}


def local_path(text: str, what: str) -> Path:
    """An absolute path of this machine. Raises BridgeError PATH_INVALID; `what` names it in the sentence ('clip')."""
    if not text:
        raise _invalid(Reason.PATH_INVALID, f"The path of the {what} is missing.")
    if "\0" in text:
        raise _invalid(Reason.PATH_INVALID, f"The path of the {what} holds a NUL character, which no file name can have.")
    path = Path(text)
    if not path.is_absolute():
        raise _invalid(Reason.PATH_INVALID, f"The path of the {what} must be absolute, since the server works in another folder: '{text}'.")
    return path


def canonical_spec(spec: job_pb2.JobSpec) -> job_pb2.JobSpec:
    """The same spec with every default written out and edits in the order of their frames, so that equal jobs have equal bytes.

    Raises BridgeError EDIT_NOT_FOUND, SETTING_INVALID.
    """
    whole = job_pb2.JobSpec()
    whole.CopyFrom(spec)
    if not whole.edits:
        raise _invalid(Reason.EDIT_NOT_FOUND, "The job names no edited frame; give the picture that was painted.")
    for edit in whole.edits:
        if not edit.HasField("frame"):
            edit.frame = whole.clip.source_in
    whole.edits.sort(key=lambda edit: edit.frame)
    del whole.key_frames[:]  # the edits say them
    _complete_shot(whole)
    delivery = whole.delivery
    delivery.color_space = delivery.color_space or "match"
    delivery.depth = delivery.depth or job_pb2.DEPTH_AUTO
    delivery.compression = delivery.compression or "zip"
    delivery.alpha = delivery.alpha or job_pb2.ALPHA_MODE_PLATE
    wanted = sorted(set(delivery.also))
    del delivery.also[:]
    delivery.also.extend(wanted)
    delivery.inside = delivery.inside or job_pb2.INSIDE_AUTO
    delivery.grain = delivery.grain if delivery.HasField("grain") else 1.0
    return whole


def canonical_shot(shot: shot_pb2.ShotSpec) -> job_pb2.JobSpec:
    """The spec of a preparation, with every default written out. Raises BridgeError SETTING_INVALID."""
    whole = job_pb2.JobSpec(clip=shot.clip, settings=shot.settings, key_frames=sorted(set(shot.key_frames)))
    _complete_shot(whole)
    return whole


def _complete_shot(spec: job_pb2.JobSpec) -> None:
    if spec.clip.color_tag:
        spec.clip.color_tag = find_space(spec.clip.color_tag)
    settings = spec.settings
    settings.model = settings.model or "mini"
    settings.preset = settings.preset or job_pb2.PRESET_FULL
    settings.edit_kind = settings.edit_kind or job_pb2.EDIT_KIND_LOCAL
    settings.stride = 0 if settings.auto_stride else settings.stride or 1


def clip_source(clip: clip_pb2.ClipRef) -> ClipSource:
    """The clip and how to read it. Raises BridgeError PATH_INVALID, SETTING_INVALID."""
    if clip.HasField("rate") and (clip.rate.numerator <= 0 or clip.rate.denominator <= 0):
        raise _invalid(Reason.SETTING_INVALID, "The clip's rate is no rate; give frames a second as a fraction such as 24000/1001.")
    return ClipSource(
        path=local_path(clip.path, "clip"),
        rate=Fraction(clip.rate.numerator, clip.rate.denominator) if clip.HasField("rate") else None,
        start_timecode=clip.start_timecode or None,
        timecode_frame=None if _is_whole(clip) else clip.source_in,
        deinterlace=clip.deinterlace,
        video_stream=clip.video_stream,
        color_space=clip.color_tag,
        follow_links=not clip.confined,
    )


def _is_whole(clip: clip_pb2.ClipRef) -> bool:
    """Neither first frame nor count is given: all of the clip, from the number that it begins with."""
    return clip.source_in == 0 and clip.frame_count == 0


def shot_order(job_id: str, spec: job_pb2.JobSpec, places: Places) -> ShotOrder:
    """What the worker needs to prepare a canonical spec's shot. Raises BridgeError PATH_INVALID, RANGE_OUTSIDE_CLIP, SETTING_INVALID."""
    clip = spec.clip
    if clip.source_in < 0 or clip.frame_count < 0:
        raise BridgeError(
            Code.OUT_OF_RANGE, Reason.RANGE_OUTSIDE_CLIP, "A frame range cannot begin before frame 0 or have fewer than no frames."
        )
    return ShotOrder(
        job_id=job_id,
        clip=clip_source(clip),
        first=None if _is_whole(clip) else clip.source_in,
        last=clip.source_in + clip.frame_count - 1 if clip.frame_count else None,
        settings=_settings(spec.settings),
        places=places,
        keys=tuple(spec.key_frames),
    )


def order(job_id: str, spec: job_pb2.JobSpec, places: Places) -> JobOrder:
    """What the worker needs to run a canonical spec.

    Raises BridgeError PATH_INVALID, RANGE_OUTSIDE_CLIP, SETTING_INVALID, TICKET_UNUSABLE.
    """
    shot = shot_order(job_id, spec, places)
    repeats = _repeated_ticket(spec.delivery)
    return JobOrder(
        job_id=job_id,
        clip=shot.clip if repeats is None else _read_as_then(shot.clip, repeats),
        first=shot.first,
        last=shot.last,
        settings=shot.settings if repeats is None else replace(settings_of(repeats), model=shot.settings.model),
        # What is made again is made from scratch: what was kept of the first time would prove nothing.
        places=places if repeats is None else Places(places.work, places.work / "artifacts"),
        edits=tuple(_edit_order(edit, spec.clip) for edit in spec.edits),
        pinned=_pin_order(spec.pinned) if spec.HasField("pinned") else None,
        delivery=_delivery(spec.delivery),
        repeats=repeats,
    )


def _edit_order(edit: job_pb2.EditedFrame, clip: clip_pb2.ClipRef) -> EditOrder:
    # A whole sequence begins with the number that it begins with, which is seldom 0.
    is_first = _is_whole(clip) and edit.frame == 0
    region = local_path(edit.region_path, "region") if edit.region_path else None
    return EditOrder(local_path(edit.path, "edited frame"), None if is_first else edit.frame, region)


def _pin_order(pinned: job_pb2.PinnedFrames) -> PinOrder:
    ranges = tuple((each.first, each.last) for each in pinned.ranges)
    return PinOrder(local_path(pinned.directory, "version with pinned frames"), ranges)


def _read_as_then(clip: ClipSource, ticket: Ticket) -> ClipSource:
    try:
        return replace(source_of(clip.path, ticket.plate_reading), follow_links=clip.follow_links)
    except (KeyError, ValueError) as error:
        sentence = "The ticket cannot be used: it does not say how the plate was read."
        raise BridgeError(Code.FAILED_PRECONDITION, Reason.TICKET_UNUSABLE, sentence) from error


def _repeated_ticket(delivery: job_pb2.DeliverySettings) -> Ticket | None:
    if not delivery.HasField("repeats"):
        return None
    try:
        return Ticket.from_json(delivery.repeats.ticket)
    except ValueError as error:
        raise BridgeError(Code.FAILED_PRECONDITION, Reason.TICKET_UNUSABLE, f"The ticket cannot be used: {error}") from error


def job_name(job_id: str) -> str:
    """`jobs/{id}`."""
    return JOB_PREFIX + job_id


def job_message(record: JobRecord, progress: job_pb2.JobProgress | None = None) -> job_pb2.Job:
    """A job for the wire; `progress` is fresher than the stored one where it is given."""
    job = job_pb2.Job(
        name=job_name(record.job_id),
        state=STATES[record.state],
        delivered_directory=str(record.delivered_directory or ""),
        delivered_count=record.delivered_count,
        first_frame=record.first_frame,
        frame_count=record.frame_count,
        attempt=record.attempt,
        kind=KINDS[record.kind],
        priority=PRIORITIES[record.priority],
        position=record.position,
        stop_request=STOP_REQUESTS[record.stop_request],
        losses=record.losses,
        last_interruption=record.last_interruption,
        shot=SHOT_PREFIX + record.shot_id if record.kind is JobKind.PREPARATION else "",
        worker=record.worker,
    )
    job.spec.ParseFromString(record.spec)
    if progress is not None:
        job.progress.CopyFrom(progress)
    elif record.progress is not None:
        job.progress.ParseFromString(record.progress)
    if record.quality is not None:
        job.quality.ParseFromString(record.quality)
    if record.failure is not None:
        job.failure.CopyFrom(_failure_message(record.failure))
    if record.lease_microseconds is not None:
        job.lease_expire_time.FromMicroseconds(record.lease_microseconds)
    job.create_time.FromMicroseconds(record.create_microseconds)
    if record.start_microseconds is not None:
        job.start_time.FromMicroseconds(record.start_microseconds)
    if record.end_microseconds is not None:
        job.end_time.FromMicroseconds(record.end_microseconds)
    return job


def shot_message(record: ShotRecord, artifact_bytes: int | None, progress: job_pb2.JobProgress | None) -> shot_pb2.Shot:
    """A shot for the wire. `artifact_bytes` is None where some of its artifacts are gone."""
    job = record.job
    state = SHOT_STATES[job.state]
    if state == shot_pb2.Shot.STATE_PREPARED and artifact_bytes is None:
        state = shot_pb2.Shot.STATE_EVICTED
    spec = job_pb2.JobSpec.FromString(job.spec)
    shot = shot_pb2.Shot(
        name=SHOT_PREFIX + record.shot_id,
        state=state,
        spec=shot_pb2.ShotSpec(clip=spec.clip, settings=spec.settings, key_frames=spec.key_frames),
        frame_count=job.frame_count,
        job=job_name(job.job_id),
        progress=progress,
        failure=None if job.failure is None else _failure_message(job.failure),
        artifact_byte_count=artifact_bytes or 0,
    )
    shot.create_time.FromMicroseconds(record.create_microseconds)
    if job.end_microseconds is not None:
        shot.end_time.FromMicroseconds(job.end_microseconds)
    return shot


def _failure_message(failure: Failure) -> job_pb2.JobFailure:
    return job_pb2.JobFailure(code=failure.code, reason=failure.reason, message=failure.message)


def progress_message(progress: Progress) -> job_pb2.JobProgress:
    """A step for the wire."""
    message = job_pb2.JobProgress(
        stage=STAGES[progress.stage], chunk=progress.chunk, chunk_count=progress.chunks, step=progress.step, step_count=progress.of
    )
    if progress.loss is not None:
        message.loss = progress.loss
    if progress.seconds_left is not None:
        message.remaining.FromMilliseconds(round(progress.seconds_left * 1000))
    return message


def quality_message(report: Report) -> job_pb2.Quality:
    """What a report says in short, for the wire."""
    message = job_pb2.Quality(drift_delta_e=report.drift_delta_e)
    if report.worst_join is not None:
        message.worst_join_frame, message.worst_seam_ratio = report.worst_join.frame, report.worst_join.seam_ratio or 0.0
    for suggestion in report.suggested_keyframes:
        message.suggested_keyframes.add(frame=suggestion.frame, why=suggestion.why)
    for note in report.notes:
        message.notes.add(frame=note.frame, severity=note.severity, text=note.text)
    return message


def preview_message(preview: Preview) -> job_pb2.PreviewFrame:
    """A look at a frame, for the wire."""
    return job_pb2.PreviewFrame(frame=preview.frame, chunk=preview.chunk, step=preview.step, image=preview.jpeg, media_type="image/jpeg")


def clip_message(clip: ClipInfo) -> clip_pb2.ClipInfo:
    """What probing found, for the wire."""
    return clip_pb2.ClipInfo(
        path=str(clip.path),
        width=clip.width,
        height=clip.height,
        rate=_rational(clip.rate),
        frame_count=clip.frame_count,
        codec=clip.codec,
        pixel_format=clip.pixel_format,
        bit_depth=clip.bit_depth,
        full_range=clip.full_range,
        color_space=clip.color_space,
        pixel_aspect=_rational(clip.pixel_aspect),
        start_timecode=clip.start_timecode or "",
        has_alpha=clip.has_alpha,
        first_frame=clip.first_frame,
        interlaced=clip.field_order is not FieldOrder.PROGRESSIVE,
        video_stream=clip.video_stream,
        video_stream_count=clip.video_stream_count,
        layer=clip.layer,
        notices=clip.notices,
    )


def wanted_states(numbers: Iterable[int]) -> frozenset[JobState]:
    """The states that a list is narrowed to; empty means all. Raises BridgeError SETTING_INVALID."""
    by_number: dict[int, JobState] = {number: state for state, number in STATES.items()}
    return frozenset(_chosen(by_number, number, "state") for number in numbers)


def wanted_kinds(numbers: Iterable[int]) -> frozenset[JobKind]:
    """The kinds of job that are asked for; empty means all. Raises BridgeError SETTING_INVALID."""
    by_number: dict[int, JobKind] = {number: kind for kind, number in KINDS.items()}
    return frozenset(_chosen(by_number, number, "kind of job") for number in numbers)


def priority(number: int) -> Priority | None:
    """None where none is given. Raises BridgeError SETTING_INVALID."""
    by_number: dict[int, Priority] = {told: level for level, told in PRIORITIES.items()}
    return _chosen(by_number, number, "priority") if number else None


def _settings(message: job_pb2.PropagationSettings) -> Settings:
    return Settings(
        model=message.model,
        preset=_chosen(PRESETS, message.preset, "preset"),
        edit=_chosen(EDIT_KINDS, message.edit_kind, "kind of edit"),
        seed=message.seed,
        lora=LoraSettings(steps=message.lora_steps if message.HasField("lora_steps") else None),
        picture_area=message.picture_area or None,
        cuts=Cuts.IGNORE if message.ignore_cuts else Cuts.FIND,
        stride=None if message.auto_stride else message.stride or 1,
    )


def _delivery(message: job_pb2.DeliverySettings) -> DeliverySettings:
    return DeliverySettings(
        directory=local_path(message.directory, "output folder"),
        color_space=message.color_space,
        depth=_chosen(DEPTHS, message.depth, "depth"),
        compression=message.compression,
        alpha=_chosen(ALPHAS, message.alpha, "alpha mode"),
        also=tuple(_chosen(SIDE_FORMATS, number, "format beside the EXR") for number in message.also),
        inside=_chosen(INSIDES, message.inside, "way to make the inside"),
        grain=message.grain,
    )


def _chosen(table: dict[int, E], number: int, what: str) -> E:
    """The dataclass value of an enum number; numbers of newer clients arrive as they are and are refused."""
    if number not in table:
        raise _invalid(
            Reason.SETTING_INVALID, f"This server does not know the {what} number {number}; is the client newer than the server?"
        )
    return table[number]


def _rational(value: Fraction) -> clip_pb2.Rational:
    return clip_pb2.Rational(numerator=value.numerator, denominator=value.denominator)


def _invalid(reason: Reason, sentence: str) -> BridgeError:
    return BridgeError(Code.INVALID_ARGUMENT, reason, sentence)
