"""Keeps a session's status file fresh while its job runs, in a process of its own: the host's reading a small file costs it nothing."""

import subprocess
import sys
import time

from i2vedit.v1 import job_pb2
from i2vedit_client.follow import ENDED, responses
from i2vedit_client.host.calls import newest, write_status
from i2vedit_client.host.session import Session
from i2vedit_client.launch import connect, detached

QUIET_SECONDS = 0.2
"""Steps come faster than anybody reads."""


def start(session: Session) -> None:
    """Begins to follow the newest job of a session, and comes back at once."""
    command = [sys.executable, "-m", "i2vedit_client", "host", "follow", session.name]
    with (session.folder / "follow.log").open("wb") as output:
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=session.folder,
            **detached(),  # type: ignore[call-overload]
        )


def follow_newest(session: Session) -> None:
    """Writes the status until the job has ended. Raises ServerError where the server stays away."""
    with connect() as client:
        job = newest(client, session)
    if job is not None:
        follow(session, job.name)


def follow(session: Session, name: str) -> job_pb2.Job:
    """Follows one job to its end and gives it."""
    job, told = job_pb2.Job(), 0.0
    for response in responses(connect, name):
        if response.HasField("job"):
            job.CopyFrom(response.job)
        elif response.HasField("progress"):
            job.progress.CopyFrom(response.progress)
        elif response.HasField("frame"):
            job.delivered_count += 1
        if response.HasField("job") or time.monotonic() - told > QUIET_SECONDS:
            told = time.monotonic()
            write_status(session, job)
        if job.state in ENDED:
            break
    return job
