"""The load of the server benchmark: a full store, callers, and watchers of whom some do not read. Each crowd is a process of its own."""

import asyncio
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc import aio

from i2vedit.v1 import job_pb2
from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit.v1.propagation_service_pb2_grpc import PropagationServiceStub
from i2vedit_server.record import NewJob
from i2vedit_server.store import JobStore

FINAL = (job_pb2.Job.STATE_SUCCEEDED, job_pb2.Job.STATE_FAILED, job_pb2.Job.STATE_CANCELLED)
END_ALL = "UPDATE jobs SET state = 'cancelled', end_microseconds = create_microseconds"
MEMORY_FOLDER = Path("/dev/shm")
"""Where a commit need not wait for a disk; any folder does, slower."""
CALL_SECONDS = 60.0
WATCH_SECONDS = 3600.0


@dataclass(frozen=True)
class Door:
    """Where the server answers, and the token that it asks for."""

    address: str
    token: str

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.token}"),)

    def channel(self) -> aio.Channel:
        """A connection of its own: by default all channels of a process to one address share one."""
        return aio.insecure_channel(self.address, options=[("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)])


@dataclass(frozen=True)
class Answers:
    """What callers of GetServerInfo met."""

    seconds: tuple[float, ...]
    """Of each call."""
    in_work: tuple[bool, ...]
    """Whether a job was running when it was answered."""


@dataclass(frozen=True)
class Seen:
    """What one watcher was told."""

    waited: bool
    """The job had not begun when it came."""
    frames: tuple[int, ...]
    in_order: bool
    """Its resume markers only grew."""
    state: int
    """The last one: a `Job.State`."""


def fill_store(database: Path, specs: Sequence[job_pb2.JobSpec]) -> None:
    """Writes a job for each spec into a new database, through the store itself, and ends them all."""
    with tempfile.TemporaryDirectory(dir=MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else None) as folder:
        made = Path(folder) / "jobs.sqlite3"
        store = JobStore(made)
        for number, spec in enumerate(specs):
            store.create(NewJob(f"request {number}", spec.SerializeToString(), f"fingerprint {number}", 14, attach=False))
        store.close()
        with closing(sqlite3.connect(made)) as connection:
            connection.execute(END_ALL)
            connection.commit()
        database.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, database)


def call_all(door: Door, clients: int, calls: int, rest_seconds: float) -> Answers:
    """Each client calls, waits for the answer, rests, and calls again."""
    return asyncio.run(_call_all(door, clients, calls, rest_seconds))


async def _call_all(door: Door, clients: int, calls: int, rest_seconds: float) -> Answers:
    answers = await asyncio.gather(*(_call(door, calls, rest_seconds, random.Random(number)) for number in range(clients)))
    flat = [each for client in answers for each in client]
    return Answers(tuple(seconds for seconds, _ in flat), tuple(running for _, running in flat))


async def _call(door: Door, calls: int, rest_seconds: float, chance: random.Random) -> list[tuple[float, bool]]:
    answers = []
    async with door.channel() as channel:
        stub = PropagationServiceStub(channel)
        await stub.GetServerInfo(pb.GetServerInfoRequest(), metadata=door.metadata, timeout=CALL_SECONDS)  # connects
        for _ in range(calls):
            await asyncio.sleep(2 * rest_seconds * chance.random())
            began = time.perf_counter()
            answer = await stub.GetServerInfo(pb.GetServerInfoRequest(), metadata=door.metadata, timeout=CALL_SECONDS)
            answers.append((time.perf_counter() - began, answer.running_count > 0))
    return answers


def watch_all(door: Door, name: str, watchers: int, stalled: int, here: Path) -> tuple[list[Seen], list[Seen]]:
    """Watches a job to its end, each watcher on a connection of its own. The file `here` is made when all have come.

    Stalled watchers read nothing until the others have seen the end; then they read what there is. Gives what the others saw, and they.
    """
    return asyncio.run(_watch_all(door, name, watchers, stalled, here))


async def _watch_all(door: Door, name: str, watchers: int, stalled: int, here: Path) -> tuple[list[Seen], list[Seen]]:
    channels = [door.channel() for _ in range(watchers)]
    streams = [aiter(_watch_call(door, channel, name)) for channel in channels]
    first = await asyncio.gather(*(anext(stream) for stream in streams))
    here.touch()
    readers = [_watch(stream, event) for stream, event in zip(streams, first, strict=True)]
    seen = await asyncio.gather(*readers[stalled:])
    late = await asyncio.gather(*readers[:stalled])
    for channel in channels:
        await channel.close()
    return list(seen), list(late)


def _watch_call(door: Door, channel: aio.Channel, name: str) -> AsyncIterable[pb.WatchJobResponse]:
    stub = PropagationServiceStub(channel)
    events: AsyncIterable[pb.WatchJobResponse] = stub.WatchJob(pb.WatchJobRequest(name=name), metadata=door.metadata, timeout=WATCH_SECONDS)
    return events


async def _watch(events: AsyncIterator[pb.WatchJobResponse], first: pb.WatchJobResponse) -> Seen:
    frames, markers, state = [], [first.resume_marker], first.job.state
    async for event in events:
        markers.append(event.resume_marker)
        match event.WhichOneof("event"):
            case "frame":
                frames.append(event.frame.frame)
            case "job":
                state = event.job.state
    return Seen(first.job.state == job_pb2.Job.STATE_QUEUED, tuple(frames), markers == sorted(markers), state)


def list_all(door: Door, page_size: int) -> tuple[int, int]:
    """Reads every job by pages; gives how many jobs and how many pages there were."""
    with grpc.insecure_channel(door.address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        stub = PropagationServiceStub(channel)
        request, names, pages = pb.ListJobsRequest(page_size=page_size), set(), 0
        while True:
            answer = stub.ListJobs(request, metadata=door.metadata, timeout=CALL_SECONDS)
            names |= {job.name for job in answer.jobs}
            pages += 1
            if not answer.next_page_token:
                return len(names), pages
            request.page_token = answer.next_page_token
