"""From the server's messages to facts and changes. Runs in the watcher's thread."""

from typing import Any

from i2vedit.v1 import job_pb2
from i2vedit.v1 import propagation_service_pb2 as service_pb2
from i2vedit_client.events import first_frame, state_name
from i2vedit_client.quality import advice, quality_fields
from i2vedit_monitor.model.changes import Change, FrameLanded, JobForgotten, JobTold, PreviewSeen, Progressed
from i2vedit_monitor.model.facts import JobFacts, Plan, Progress, ServerFacts, StagePeak, State, Trouble

PREVIEW_MESSAGE = "PreviewFrame"
"""Servers that show pictures while they denoise send them in a message of this name."""


def _word(enum: Any, value: int, prefix: str) -> str:
    """An enum's value in lower case; a newer server may know more values than we do."""
    return str(enum.Name(value)).removeprefix(prefix).lower() if value in enum.values() else "unspecified"


def read_progress(progress: job_pb2.JobProgress) -> Progress:
    return Progress(
        stage=_word(job_pb2.JobProgress.Stage, progress.stage, "STAGE_"),
        chunk=progress.chunk,
        chunks=progress.chunk_count,
        step=progress.step,
        steps=progress.step_count,
        loss=progress.loss if progress.HasField("loss") else None,
        seconds_left=progress.remaining.seconds + progress.remaining.nanos / 1e9 if progress.HasField("remaining") else None,
    )


def read_job(job: job_pb2.Job) -> JobFacts:
    """A job's message as facts."""
    spec, edit = job.spec, job.spec.edits[0] if job.spec.edits else None
    first = first_frame(job)
    known = job.state in job_pb2.Job.State.values()
    failure = job.failure
    stop = _word(job_pb2.Job.StopRequest, job.stop_request, "STOP_REQUEST_")
    return JobFacts(
        name=job.name,
        state=State(state_name(job.state)) if known else State.UNSPECIFIED,
        is_preparation=job.kind == job_pb2.Job.KIND_PREPARATION,
        clip=spec.clip.path,
        first=first,
        frames=job.frame_count,
        video_stream=spec.clip.video_stream,
        delivered=job.delivered_count,
        directory=job.delivered_directory,
        edited=edit.path if edit else "",
        # Of a whole sequence the painted frame 0 is the first one, whatever its number.
        keys=tuple(max(each.frame, first) for each in spec.edits),
        out=spec.delivery.directory,
        model=spec.settings.model or "mini",
        preset=_word(job_pb2.Preset, spec.settings.preset, "PRESET_"),
        edit_kind=_word(job_pb2.EditKind, spec.settings.edit_kind, "EDIT_KIND_"),
        seed=spec.settings.seed,
        color_space=spec.delivery.color_space or "match",
        priority=job.priority or job_pb2.PRIORITY_NORMAL,
        position=job.position,
        stop_request="" if stop == "unspecified" else stop,
        attempt=job.attempt,
        last_interruption=job.last_interruption,
        created=job.create_time.seconds + job.create_time.nanos / 1e9,
        started=job.start_time.seconds + job.start_time.nanos / 1e9,
        ended=job.end_time.seconds + job.end_time.nanos / 1e9,
        trouble=Trouble(failure.code, failure.reason, failure.message) if job.HasField("failure") else None,
        progress=read_progress(job.progress) if job.HasField("progress") else None,
        advice=tuple(advice(quality_fields(job.quality))) if job.HasField("quality") else (),
    )


def read_event(name: str, response: service_pb2.WatchJobResponse | service_pb2.WatchJobsResponse) -> Change | None:
    """What an answer of WatchJob or WatchJobs means; None for a kind that is not shown."""
    kind = response.WhichOneof("event")
    content: Any = getattr(response, kind) if kind else None
    if isinstance(content, job_pb2.Job):
        return JobTold(read_job(content))
    if isinstance(content, job_pb2.JobProgress):
        return Progressed(name, read_progress(content))
    if isinstance(content, job_pb2.DeliveredFrame):
        return FrameLanded(name, content.frame, content.path)
    if isinstance(content, service_pb2.JobDeleted):
        return JobForgotten(name)
    if content is not None and content.DESCRIPTOR.name == PREVIEW_MESSAGE:
        return PreviewSeen(name, content.frame, content.chunk, content.step, content.image)
    return None


def read_plan(plan: service_pb2.MemoryPlan) -> Plan:
    stages = tuple(StagePeak(_word(service_pb2.MemoryPlan.Stage, peak.stage, "STAGE_"), peak.peak_bytes) for peak in plan.stages)
    means = tuple(name for name in ("checkpointing", "offload") if getattr(plan, name))
    return Plan(plan.width, plan.height, plan.frame_count, plan.free_bytes, plan.total_bytes, stages, plan.fits, plan.advice, means)


def read_server(info: service_pb2.GetServerInfoResponse) -> ServerFacts:
    """The server's own account of itself."""
    return ServerFacts(
        version=info.version,
        process=info.process_id,
        uptime=float(info.uptime.seconds),
        device=info.device,
        waiting=info.queued_count,
        running=info.running_count,
        data_directory=info.data_directory,
        running_job=info.running_job,
        plan=read_plan(info.memory_plan) if info.HasField("memory_plan") else None,
        libraries=tuple(sorted(info.libraries.items())),
    )
