"""Submits a job and watches it: what `propagate`, `demo` and `jobs watch` share."""

from collections.abc import Callable
from pathlib import Path

from i2vedit.v1 import job_pb2
from i2vedit_client.client import Client
from i2vedit_client.errors import Interrupted
from i2vedit_client.events import SUCCEEDED, Event, job_event, state_name
from i2vedit_client.follow import follow
from i2vedit_client.report import Report
from i2vedit_client.transfer import download_frames

BEFORE_EDITING = ("load", "decode", "deliver")
"""What comes before the first edit of a shot that is prepared: the painted frame is delivered at once."""


def submit(client: Client, spec: job_pb2.JobSpec, report: Report) -> job_pb2.Job:
    """Creates the job, or takes up the unfinished one of the same spec."""
    created = client.create_job(spec)
    job = created.job
    report({"event": "submitted", "job": job.name, "attached": created.attached, "state": state_name(job.state)})
    for sentence in created.notices:
        report({"event": "notice", "job": job.name, "message": sentence})
    return job


def leave(job: job_pb2.Job, report: Report) -> None:
    """Ends a command that does not wait: what succeeded is the submission."""
    report({"event": SUCCEEDED, "job": job.name, "detached": True, "state": state_name(job.state)})


class PreparedNotice:
    """Passes events on, and says so when a propagation, seen from the beginning of its first attempt, needs no preparation any more."""

    def __init__(self, report: Callable[[Event], None]) -> None:
        self._report = report
        self._is_first = self._needed_nothing = False

    def __call__(self, event: Event) -> None:
        if event["event"] == "running":
            self._is_first = event["attempt"] == 1
        elif event["event"] == "progress":
            self._note(event)
        self._report(event)

    def _note(self, progress: Event) -> None:
        stage = progress["stage"]
        if stage == "edit" and self._is_first and self._needed_nothing:
            self._report({"event": "prepared", "job": progress["job"]})
        self._needed_nothing = stage in BEFORE_EDITING and (self._needed_nothing or stage == "load")


def watch(connect: Callable[[], Client], name: str, report: Callable[[Event], None], fetch_to: Path | None = None) -> job_pb2.Job:
    """Reports until the job has succeeded. Raises Interrupted on Ctrl-C, after which the job goes on.

    `fetch_to` receives the delivered folder of a server on another machine.
    """
    try:
        job = follow(connect, name, PreparedNotice(report))
        if fetch_to is not None:
            job = fetch(connect, job, fetch_to)
    except KeyboardInterrupt:
        raise Interrupted(name) from None
    report(job_event(job))
    return job


def fetch(connect: Callable[[], Client], job: job_pb2.Job, directory: Path) -> job_pb2.Job:
    """The job with its delivered folder on this machine. Raises ServerError, ClientError."""
    with connect() as client:
        folder = download_frames(client, job.name, directory)
    fetched = job_pb2.Job()
    fetched.CopyFrom(job)
    fetched.delivered_directory = str(folder)
    return fetched
