"""`i2vedit jobs`: what the server has done, does and will do."""

from pathlib import Path, PurePath

import click

from i2vedit.v1 import job_pb2
from i2vedit_client.commands.options import json_option
from i2vedit_client.events import SUCCEEDED, Event, job_event, job_failure, state_name, summary
from i2vedit_client.launch import connect
from i2vedit_client.report import open_report, write_json, write_line
from i2vedit_client.spec import absolute
from i2vedit_client.submit import fetch, watch

STATES = ["queued", "running", "succeeded", "failed", "cancelled"]


def full_name(job: str) -> str:
    """`jobs/ID` from what a person typed: the whole name or the ID alone."""
    return job if job.startswith("jobs/") else f"jobs/{job}"


@click.group("jobs")
def command() -> None:
    """List, show, watch and cancel jobs. JOB is the name that `list` shows."""


@command.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many, newest first.")
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="Only jobs in this state; may be given again.")
@json_option
def list_jobs(limit: int, states: tuple[str, ...], as_json: bool) -> None:
    """List jobs, newest first."""
    wanted = [job_pb2.Job.State.Value(f"STATE_{state.upper()}") for state in states]
    count = 0
    with connect() as client:
        for job in client.list_jobs(limit, wanted):
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
    number = job.name.removeprefix("jobs/")
    frames = f"{job.delivered_count}/{job.frame_count}"
    return f"{number}  {state_name(job.state):<9}  {frames:>9}  {created} UTC  {PurePath(job.spec.clip.path).name}"


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
    failure = facts.pop("failure", None)
    rows = [(name.replace("_", " "), ", ".join(value) if isinstance(value, list) else value) for name, value in facts.items()]
    return [*rows, ("failure", f"{failure['message']} ({failure['code']}, {failure['reason']})")] if failure else rows


@command.command("watch")
@click.argument("job")
@json_option
def watch_job(job: str, as_json: bool) -> None:
    """Watch a job to its end; Ctrl-C stops the watching, not the job."""
    with open_report(as_json) as report:
        watch(connect, full_name(job), report)


@command.command("cancel")
@click.argument("job")
@json_option
def cancel(job: str, as_json: bool) -> None:
    """Stop a job. Frames that are delivered already stay."""
    with connect() as client:
        answer = client.cancel_job(full_name(job))
    if as_json:
        write_json({"event": SUCCEEDED, **summary(answer)})
    elif answer.state in (job_pb2.Job.STATE_QUEUED, job_pb2.Job.STATE_RUNNING, job_pb2.Job.STATE_CANCELLED):
        write_line("The job stops.")
    else:
        outcome = job_failure(answer).sentence if answer.state == job_pb2.Job.STATE_FAILED else "succeeded"
        write_line(f"The job had ended before: {outcome}")


@command.command("fetch")
@click.argument("job")
@click.option("--out", required=True, metavar="DIR", help="Folder that receives the delivered folder.")
@json_option
def fetch_job(job: str, out: str, as_json: bool) -> None:
    """Bring the frames of a job from a server on another machine; goes on where an earlier call was broken off."""
    with connect() as client:
        found = client.get_job(full_name(job))
    with open_report(as_json) as report:
        report(job_event(fetch(connect, found, Path(absolute(out)))))
