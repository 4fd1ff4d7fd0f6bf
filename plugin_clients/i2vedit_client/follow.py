"""Watches a job to its end, also when the server is killed and started again on the way."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from i2vedit.v1 import job_pb2
from i2vedit.v1 import propagation_service_pb2 as service_pb2
from i2vedit_client.client import Client
from i2vedit_client.errors import JobCancelled, JobFailed, ServerError
from i2vedit_client.events import Event, job_failure, watch_events

ATTEMPTS = 5
PAUSE_SECONDS = 0.5
AWAY_CODES = frozenset({"UNAVAILABLE", "CANCELLED"})
"""What a call ends with when the server is killed or stops."""
LOST_SENTENCE = "The server goes away again and again; the job waits in it. `i2vedit doctor` says what is wrong."
ENDED = (job_pb2.Job.STATE_SUCCEEDED, job_pb2.Job.STATE_FAILED, job_pb2.Job.STATE_CANCELLED)


Response = TypeVar("Response")


def responses(connect: Callable[[], Client], name: str) -> Iterator[service_pb2.WatchJobResponse]:
    """All answers up to the one that ends the job. `connect` finds the server, or starts it again where it was killed."""
    marker = ""

    def watch(client: Client) -> Iterator[service_pb2.WatchJobResponse]:
        nonlocal marker
        for response in client.watch_job(name, marker):
            marker = response.resume_marker
            yield response

    return persistent(connect, watch, _is_end)


def persistent(
    connect: Callable[[], Client], watch: Callable[[Client], Iterator[Response]], is_end: Callable[[Response], bool]
) -> Iterator[Response]:
    """What a watch gives, begun again where the server goes away, up to the end. `is_end` is asked when an answer has been dealt with."""
    lost = ServerError("UNAVAILABLE", "SERVER_LOST", LOST_SENTENCE)
    client = connect()
    for _ in range(ATTEMPTS):
        try:
            for response in watch(client):
                yield response
                if is_end(response):
                    return
        except ServerError as error:
            if not _is_away(error):
                raise
            lost = error
        finally:
            client.close()
        client = _find_again(connect)
    raise lost


def _find_again(connect: Callable[[], Client]) -> Client:
    """A killed server leaves its folder at once, but a machine under load may need several tries for a new one."""
    for _ in range(ATTEMPTS - 1):
        time.sleep(PAUSE_SECONDS)
        try:
            return connect()
        except ServerError as error:
            if not _is_away(error):
                raise
    return connect()


def _is_away(error: ServerError) -> bool:
    """Whether the server is gone against its will. One that somebody stops on purpose stays stopped, and the job in it waits."""
    return error.failure.code in AWAY_CODES and error.failure.reason != "SERVER_STOPPING"


def _is_end(response: service_pb2.WatchJobResponse) -> bool:
    return response.WhichOneof("event") == "job" and response.job.state in ENDED


def follow(connect: Callable[[], Client], name: str, report: Callable[[Event], None]) -> job_pb2.Job:
    """Reports every event but the last and gives the finished job. Raises JobFailed, JobCancelled, ServerError."""
    frames: set[int] = set()
    job = job_pb2.Job()
    for response in responses(connect, name):
        job = response.job if response.HasField("job") else job
        if job.state in ENDED:
            break
        if response.HasField("frame"):
            if response.frame.frame in frames:
                continue
            frames.add(response.frame.frame)
        for event in watch_events(name, response):
            report(event)
    if job.state == job_pb2.Job.STATE_FAILED:
        raise JobFailed(job_failure(job))
    if job.state == job_pb2.Job.STATE_CANCELLED:
        raise JobCancelled(job.name)
    return job
