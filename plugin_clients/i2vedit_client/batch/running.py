"""Submits the rows of a batch and follows them to their ends, through restarts of the server."""

from collections.abc import Callable, Iterator
from pathlib import Path

from i2vedit.v1 import job_pb2
from i2vedit.v1 import propagation_service_pb2 as service_pb2
from i2vedit_client.batch.report import CANCELLED, ENDED, FAILED, SUCCEEDED, WAITING, BatchReport, Outcome
from i2vedit_client.batch.shots import ShotJob
from i2vedit_client.client import Client
from i2vedit_client.errors import ClientError, ExitCode, Failure, ServerError
from i2vedit_client.events import Event, progress_event
from i2vedit_client.follow import persistent
from i2vedit_client.remote import send
from i2vedit_client.submit import fetch

Connect = Callable[[], Client]
Response = service_pb2.WatchJobsResponse
KINDS = (job_pb2.Job.KIND_PROPAGATION,)


def row_event(outcome: Outcome) -> Event:
    """A change of a row."""
    event: Event = {"event": "row", "row": outcome.row, "clip": outcome.clip, "state": outcome.state, "job": outcome.job}
    if outcome.state == FAILED:
        return {**event, "code": outcome.code, "reason": outcome.reason, "message": outcome.message}
    return {**event, "directory": outcome.folder, "delivered": outcome.frames} if outcome.state == SUCCEEDED else event


class BatchRun:
    """One call of `i2vedit batch`. What happens is told, and in the report before that."""

    def __init__(self, connect: Connect, jobs: list[ShotJob], report: BatchReport, tell: Callable[[Event], None], remote: bool) -> None:
        self._connect, self._jobs, self._report, self._tell, self._remote = connect, jobs, report, tell, remote

    def take_up(self, client: Client) -> None:
        """Asks what became of the jobs of the last report. Those that failed or are unknown by now have to be submitted again."""
        for outcome in tuple(self._report.outcomes.values()):
            if not outcome.job or outcome.state == SUCCEEDED:
                continue
            try:
                outcome.take(client.get_job(outcome.job))
            except ServerError as error:
                _raise_unless_about_input(error)
                outcome.state = FAILED
            if outcome.state in (FAILED, CANCELLED):
                self._report.begin_again(outcome)

    def submit(self, client: Client) -> int:
        """All rows that wait; gives how many. One that the server refuses has failed; the others go on.

        Raises ServerError where it is gone.
        """
        count = 0
        for job in self._jobs:
            outcome = self._report.outcomes[job.number]
            if outcome.state != WAITING:
                continue
            try:
                spec = send(client, job.spec, self._tell) if self._remote else job.spec
                created = client.create_job(spec)
                outcome.take(created.job)
                count += 1
                for message in created.notices:
                    self._tell({"event": "notice", "row": outcome.row, "clip": outcome.clip, "job": outcome.job, "message": message})
            except ClientError as error:
                _raise_unless_about_input(error)
                outcome.fail(error.failure)
            self._changed(outcome)
        return count

    def follow(self) -> None:
        """Until every row has ended. Raises ServerError where the server goes away again and again."""
        for response in _changes(self._connect, self._report.unfinished):
            name, kind = response.name, response.WhichOneof("event")
            if kind == "job":
                self._take(response.job)
            elif kind == "frame":
                for outcome in self._report.of_job(name):
                    outcome.frames += 1
            elif kind == "progress":
                for outcome in self._report.of_job(name):
                    self._tell({**progress_event(name, response.progress), "row": outcome.row, "clip": outcome.clip})
            elif kind == "deleted":
                for outcome in self._report.of_job(name):
                    outcome.fail(Failure("NOT_FOUND", "JOB_NOT_FOUND", "Its job was deleted before it had ended.", name))
                    self._changed(outcome)

    def _take(self, job: job_pb2.Job) -> None:
        for outcome in self._report.of_job(job.name):
            before = outcome.state
            outcome.take(self._fetched(outcome, job))
            if outcome.state != before:
                self._changed(outcome)

    def _fetched(self, outcome: Outcome, job: job_pb2.Job) -> job_pb2.Job:
        """The frames of a server elsewhere come to where the row wants them."""
        if not self._remote or job.state != job_pb2.Job.STATE_SUCCEEDED:
            return job
        (directory,) = [each.spec.delivery.directory for each in self._jobs if each.number == outcome.row]
        return fetch(self._connect, job, Path(directory))

    def _changed(self, outcome: Outcome) -> None:
        self._report.write()
        self._tell({**row_event(outcome), "done": self._report.count(*ENDED), "of": len(self._report.outcomes)})


def _raise_unless_about_input(error: ClientError) -> None:
    """What concerns one row alone is told in the report; a server that is gone concerns all of them."""
    if error.exit_code == ExitCode.NO_SERVER:
        raise error


def _changes(connect: Connect, unfinished: Callable[[], list[str]]) -> Iterator[Response]:
    """Everything about jobs that are unfinished, until none is."""

    def watch(client: Client) -> Iterator[Response]:
        for response in client.watch_jobs(KINDS):
            if response.WhichOneof("event") == "snapshot_end":
                # It had unfinished jobs only, and takes the place of whatever a slow reader has missed.
                yield from (_asked(client, name) for name in unfinished())
            elif response.name in unfinished():
                yield response

    return persistent(connect, watch, lambda _: not unfinished()) if unfinished() else iter(())


def _asked(client: Client, name: str) -> Response:
    try:
        return Response(name=name, job=client.get_job(name))
    except ServerError as error:
        _raise_unless_about_input(error)
        return Response(name=name, deleted=service_pb2.JobDeleted())
