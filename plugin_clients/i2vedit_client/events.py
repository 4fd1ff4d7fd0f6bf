"""What happens to a job, as plain dictionaries: one JSON object a line for programs, one source for the bars of people."""

from typing import Any

from i2vedit.v1 import job_pb2, shot_pb2
from i2vedit.v1 import propagation_service_pb2 as service_pb2
from i2vedit_client.errors import Failure
from i2vedit_client.quality import quality_fields

Event = dict[str, Any]

SUCCEEDED, FAILED, CANCELLED = "succeeded", "failed", "cancelled"


def state_name(state: job_pb2.Job.State.ValueType) -> str:
    return job_pb2.Job.State.Name(state).removeprefix("STATE_").lower()


def kind_name(kind: job_pb2.Job.Kind.ValueType) -> str:
    return job_pb2.Job.Kind.Name(kind).removeprefix("KIND_").lower()


def priority_name(priority: job_pb2.Priority.ValueType) -> str:
    return job_pb2.Priority.Name(priority).removeprefix("PRIORITY_").lower()


def first_frame(job: job_pb2.Job) -> int:
    """Source frame number of the first frame, also where no range was given."""
    return job.first_frame if job.HasField("first_frame") else job.spec.clip.source_in


def job_failure(job: job_pb2.Job) -> Failure:
    return Failure(job.failure.code, job.failure.reason, job.failure.message, job.name)


def shot_event(shot: shot_pb2.Shot) -> Event:
    """A shot, as `frame` tells it."""
    state = shot_pb2.Shot.State.Name(shot.state).removeprefix("STATE_").lower()
    return {"shot": shot.name, "preparation": state, "preparation_job": shot.job}


def failed_event(failure: Failure) -> Event:
    event = {"event": FAILED, "code": failure.code, "reason": failure.reason, "message": failure.sentence}
    return {**event, "job": failure.job} if failure.job else event


def job_event(job: job_pb2.Job) -> Event:
    """The state of a job; `event` is queued, running, paused, succeeded, failed or cancelled."""
    if job.state == job_pb2.Job.STATE_FAILED:
        return failed_event(job_failure(job))
    event: Event = {"event": state_name(job.state), "job": job.name, "attempt": job.attempt}
    if job.kind == job_pb2.Job.KIND_PREPARATION:
        return {**event, "kind": "preparation", "shot": job.shot}
    if job.last_interruption:
        event["last_interruption"] = job.last_interruption
    if job.delivered_directory:
        event["directory"] = job.delivered_directory
    if job.HasField("quality"):
        event["quality"] = quality_fields(job.quality)
    return {**event, "delivered": job.delivered_count, "frames": job.frame_count}


def progress_event(job: str, progress: job_pb2.JobProgress) -> Event:
    """Chunks and steps count from 0, as the server counts them; seconds_left is for the whole job."""
    stage = job_pb2.JobProgress.Stage.Name(progress.stage).removeprefix("STAGE_").lower()
    event: Event = {"event": "progress", "job": job, "stage": stage, "chunk": progress.chunk, "chunks": progress.chunk_count}
    event |= {"step": progress.step, "of": progress.step_count}
    if progress.HasField("loss"):
        event["loss"] = progress.loss
    if progress.HasField("remaining"):
        event["seconds_left"] = round(progress.remaining.ToTimedelta().total_seconds(), 1)
    return event


def watch_events(job: str, response: service_pb2.WatchJobResponse) -> list[Event]:
    """One answer of WatchJob; nothing for a kind that a newer server may send."""
    kind = response.WhichOneof("event")
    if kind == "job":
        # Who begins to watch in the middle sees at once how far the job is.
        has_progress = response.job.state == job_pb2.Job.STATE_RUNNING and response.job.HasField("progress")
        return [job_event(response.job), *([progress_event(job, response.job.progress)] if has_progress else [])]
    if kind == "progress":
        return [progress_event(job, response.progress)]
    if kind == "frame":
        return [{"event": "frame", "job": job, "frame": response.frame.frame, "path": response.frame.path}]
    return []


def any_job_events(response: service_pb2.WatchJobsResponse) -> list[Event]:
    """One answer of WatchJobs. The names of states would end a command's JSON, so they come as a `job` event here."""
    kind = response.WhichOneof("event")
    if kind == "job":
        return [{"event": "job", **summary(response.job)}]
    if kind == "progress":
        return [progress_event(response.name, response.progress)]
    if kind == "frame":
        return [{"event": "frame", "job": response.name, "frame": response.frame.frame, "path": response.frame.path}]
    return [{"event": kind, **({"job": response.name} if response.name else {})}] if kind else []


def summary(job: job_pb2.Job) -> Event:
    """A job in full, for `jobs list` and `jobs show`."""
    spec = job.spec
    result: Event = {"job": job.name, "kind": kind_name(job.kind), "state": state_name(job.state), "priority": priority_name(job.priority)}
    result |= {"position": job.position, "clip": spec.clip.path, "first": first_frame(job)}
    result |= {"frames": job.frame_count, "delivered": job.delivered_count, "directory": job.delivered_directory}
    result |= {"edited": [edit.path for edit in spec.edits], "out": spec.delivery.directory, "model": spec.settings.model or "mini"}
    result |= {"preset": job_pb2.Preset.Name(spec.settings.preset).removeprefix("PRESET_").lower(), "attempt": job.attempt}
    result |= {"losses": job.losses, "last_interruption": job.last_interruption}
    if job.stop_request:
        result["stop_request"] = job_pb2.Job.StopRequest.Name(job.stop_request).removeprefix("STOP_REQUEST_").lower()
    for name in ("shot", "worker"):
        if getattr(job, name):
            result[name] = getattr(job, name)
    times = {"create_time", "start_time", "end_time", "lease_expire_time"}
    result |= {field.name: value.ToJsonString() for field, value in job.ListFields() if field.name in times}
    if job.HasField("quality"):
        result["quality"] = quality_fields(job.quality)
    if job.HasField("failure"):
        result["failure"] = {"code": job.failure.code, "reason": job.failure.reason, "message": job.failure.message}
    return result
