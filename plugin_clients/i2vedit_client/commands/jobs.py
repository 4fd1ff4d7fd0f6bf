"""`i2vedit jobs`: what the server has done, does and will do, and how to change that."""

from pathlib import Path, PurePath

import click

from i2vedit.v1 import job_pb2
from i2vedit_client.commands.options import json_option
from i2vedit_client.errors import ClientError, ExitCode, Failure
from i2vedit_client.events import SUCCEEDED, Event, any_job_events, job_failure, kind_name, priority_name, state_name, summary
from i2vedit_client.launch import connect
from i2vedit_client.quality import advice
from i2vedit_client.report import open_report, write_json, write_line
from i2vedit_client.spec import absolute
from i2vedit_client.submit import fetch, watch

STATES = ["queued", "running", "paused", "succeeded", "failed", "cancelled"]
KINDS = ["propagation", "preparation"]
PRIORITIES = ["low", "normal", "high"]


def full_name(job: str) -> str:
    """`jobs/ID` from what a person typed: the whole name or the ID alone."""
    return job if job.startswith("jobs/") else f"jobs/{job}"


@click.group("jobs")
def command() -> None:
    """List, watch and direct jobs. JOB is the name that `list` shows."""


@command.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many, newest first.")
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="Only jobs in this state; may be given again.")
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, help="Only jobs of this kind; may be given again.")
@json_option
def list_jobs(limit: int, states: tuple[str, ...], kinds: tuple[str, ...], as_json: bool) -> None:
    """List jobs, newest first."""
    wanted = [job_pb2.Job.State.Value(f"STATE_{state.upper()}") for state in states]
    count = 0
    with connect() as client:
        for job in client.list_jobs(limit, wanted, [job_pb2.Job.Kind.Value(f"KIND_{kind.upper()}") for kind in kinds]):
            count += 1
            if as_json:
                write_json({"event": "job", **summary(job)})
            else:
                write_line(_row(job))
    if as_json:
        write_json({"event": SUCCEEDED, "count": count})
    elif count == 0:
        write_line("No jobs.")


def _row(job: job_pb2.Job) -> str:
    created = job.create_time.ToDatetime().strftime("%Y-%m-%d %H:%M")
    number, kind = job.name.removeprefix("jobs/"), kind_name(job.kind)
    frames = f"{job.delivered_count}/{job.frame_count}" if kind == "propagation" else f"{job.frame_count}"
    state, priority = state_name(job.state), priority_name(job.priority)
    return f"{number}  {kind:<11}  {state:<9}  {priority:<6}  {frames:>9}  {created} UTC  {PurePath(job.spec.clip.path).name}"


@command.command("show")
@click.argument("job")
@json_option
def show(job: str, as_json: bool) -> None:
    """Show everything about one job."""
    with connect() as client:
        facts = summary(client.get_job(full_name(job)))
    if as_json:
        write_json({"event": SUCCEEDED, **facts})
        return
    for name, value in _shown(facts):
        write_line(f"{name:<12} {value}")


def _shown(facts: Event) -> list[tuple[str, object]]:
    quality, failure = facts.pop("quality", None), facts.pop("failure", None)
    texts = {name.replace("_", " "): ", ".join(value) if isinstance(value, list) else value for name, value in facts.items()}
    rows = [(name, value) for name, value in texts.items() if value != ""]
    if quality:
        said = advice(quality) or ["No other frame asks to be painted, and no join is seen."]
        rows += [("" if number else "quality", line) for number, line in enumerate(said)]
    return [*rows, ("failure", f"{failure['message']} ({failure['code']}, {failure['reason']})")] if failure else rows


@command.command("watch")
@click.argument("job", required=False)
@json_option
def watch_job(job: str | None, as_json: bool) -> None:
    """Watch a job to its end, or without JOB whatever happens; Ctrl-C stops the watching, not the job."""
    if job is None:
        _watch_all(as_json)
        return
    with open_report(as_json) as report:
        watch(connect, full_name(job), report)


def _watch_all(as_json: bool) -> None:
    with connect() as client:
        for response in client.watch_jobs():
            if as_json:
                for event in any_job_events(response):
                    write_json(event)
            elif response.HasField("job"):
                write_line(_row(response.job))


@command.command("pause")
@click.argument("job")
@json_option
def pause(job: str, as_json: bool) -> None:
    """Stop a job at its next step until it is resumed."""
    with connect() as client:
        answer = client.pause_job(full_name(job))
    _tell(answer, as_json, "The job is paused." if answer.state == job_pb2.Job.STATE_PAUSED else "The job stops at its next step.")


@command.command("resume")
@click.argument("job")
@json_option
def resume(job: str, as_json: bool) -> None:
    """Let a paused job go on where it was."""
    with connect() as client:
        _tell(client.resume_job(full_name(job)), as_json, "The job goes on.")


@command.command("retry")
@click.argument("job")
@json_option
def retry(job: str, as_json: bool) -> None:
    """Let a failed or cancelled job go on where it was."""
    with connect() as client:
        _tell(client.retry_job(full_name(job)), as_json, "The job is in the queue again.")


@command.command("move")
@click.argument("job")
@click.option("--before", metavar="JOB", default="", help="The waiting job that is to come right after it. Default: to the end.")
@click.option("--priority", type=click.Choice(PRIORITIES), help="Default: as it is, or as that of the other job.")
@json_option
def move(job: str, before: str, priority: str | None, as_json: bool) -> None:
    """Change when a waiting job has its turn."""
    level = job_pb2.Priority.Value(f"PRIORITY_{priority.upper()}") if priority else job_pb2.PRIORITY_UNSPECIFIED
    with connect() as client:
        answer = client.move_job(full_name(job), level, full_name(before) if before else "")
    _tell(answer, as_json, f"The job waits with {priority_name(answer.priority)} priority.")


@command.command("delete")
@click.argument("job")
@json_option
def delete(job: str, as_json: bool) -> None:
    """Forget a job that does not run. Frames that are delivered stay."""
    with connect() as client:
        client.delete_job(full_name(job))
    if as_json:
        write_json({"event": SUCCEEDED, "job": full_name(job)})
    else:
        write_line("The job is forgotten.")


@command.command("free")
@click.option("--force", is_flag=True, help="Stop a running job, too; it goes on later.")
@json_option
def free(force: bool, as_json: bool) -> None:
    """Free the GPU: end an idle worker, and put a preparation off."""
    with connect() as client:
        answer = client.free_memory(force)
    if not answer.freed:
        sentence = f"The job {answer.running_job.removeprefix('jobs/')} runs and keeps its memory; --force puts it off."
        raise ClientError(Failure("FAILED_PRECONDITION", "JOB_RUNNING", sentence, answer.running_job), ExitCode.FAILED)
    if as_json:
        write_json({"event": SUCCEEDED, "pause_seconds": answer.pause.seconds})
    else:
        write_line(f"The GPU is free. What was put off goes on in {answer.pause.seconds} s at the earliest.")


@command.command("cancel")
@click.argument("job")
@json_option
def cancel(job: str, as_json: bool) -> None:
    """Stop a job. Frames that are delivered already stay."""
    with connect() as client:
        answer = client.cancel_job(full_name(job))
    live = (job_pb2.Job.STATE_QUEUED, job_pb2.Job.STATE_RUNNING, job_pb2.Job.STATE_CANCELLED)
    outcome = job_failure(answer).sentence if answer.state == job_pb2.Job.STATE_FAILED else "succeeded"
    _tell(answer, as_json, "The job stops." if answer.state in live else f"The job had ended before: {outcome}")


def _tell(job: job_pb2.Job, as_json: bool, sentence: str) -> None:
    if as_json:
        write_json({"event": SUCCEEDED, **summary(job)})
    else:
        write_line(sentence)


@command.command("fetch")
@click.argument("job")
@click.option("--out", required=True, metavar="DIR", help="Folder that receives the delivered folder.")
@json_option
def fetch_job(job: str, out: str, as_json: bool) -> None:
    """Bring the frames of a job from a server on another machine; goes on where an earlier call was broken off."""
    with connect() as client:
        found = client.get_job(full_name(job))
    with open_report(as_json) as report:
        # What succeeded is the fetching, whatever became of the job.
        report({"event": SUCCEEDED, **summary(fetch(connect, found, Path(absolute(out))))})
