"""The RPCs that tell what happens to jobs: a snapshot first, unless the caller comes back with a marker, then events."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager

from i2vedit.v1 import job_pb2
from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit_server import convert
from i2vedit_server.hub import Concerns, Told, Watcher
from i2vedit_server.job_calls import JobCalls, job_id
from i2vedit_server.parts import Context
from i2vedit_server.record import JobKind
from i2vedit_server.rows import job_not_found

SNAPSHOT_PAGE = 200
FINAL = (job_pb2.Job.STATE_SUCCEEDED, job_pb2.Job.STATE_FAILED, job_pb2.Job.STATE_CANCELLED)


class WatchCalls(JobCalls):
    """WatchJob and WatchJobs."""

    async def WatchJob(self, request: pb.WatchJobRequest, context: Context) -> AsyncGenerator[pb.WatchJobResponse, None]:
        name = job_id(request.name)

        def concerns(told: Told) -> bool:
            return told.job_id == name and (request.previews or not _is_preview(told))

        with self._watching(concerns) as watcher:
            events = self._missed(request.resume_after, concerns)
            first = await self._job_snapshot(name)
            if first.job.state in FINAL:
                events = None  # the end is told again to whoever comes back
            while True:
                for event in [_job_event(told) for told in events] if events is not None else [first]:
                    yield event
                    if event.WhichOneof("event") == "job" and event.job.state in FINAL:
                        return
                events = await watcher.take()
                first = await self._job_snapshot(name) if events is None else first

    async def WatchJobs(self, request: pb.WatchJobsRequest, context: Context) -> AsyncGenerator[pb.WatchJobsResponse, None]:
        kinds = convert.wanted_kinds(request.kinds)

        def concerns(told: Told) -> bool:
            return (not kinds or told.kind in kinds) and (request.previews or not _is_preview(told))

        with self._watching(concerns) as watcher:
            events = self._missed(request.resume_after, concerns)
            while True:
                if events is None:
                    async for response in self._snapshots(kinds):
                        yield response
                for told in events or ():
                    yield _jobs_event(told)
                events = await watcher.take()

    @contextmanager
    def _watching(self, concerns: Concerns) -> Iterator[Watcher]:
        watcher = self._hub.join(concerns)
        try:
            yield watcher
        finally:
            self._hub.leave(watcher)

    def _missed(self, marker: str, concerns: Concerns) -> list[Told] | None:
        return self._hub.since(marker, concerns) if marker else None

    async def _job_snapshot(self, name: str) -> pb.WatchJobResponse:
        """The marker is read first: what happens while the store is read is told again rather than missed."""
        marker = self._hub.marker
        record = await self._database(self._store.get, name)
        return pb.WatchJobResponse(resume_marker=marker, job=self._hub.snapshot(record))

    async def _snapshots(self, kinds: frozenset[JobKind]) -> AsyncIterator[pb.WatchJobsResponse]:
        """In pages, so that other calls are answered between them however many jobs there are."""
        marker, after = self._hub.marker, 0
        while page := await self._database(self._store.live_page, after, SNAPSHOT_PAGE, kinds):
            for record in page:
                yield pb.WatchJobsResponse(resume_marker=marker, name=convert.job_name(record.job_id), job=self._hub.snapshot(record))
            after = page[-1].sequence
        yield pb.WatchJobsResponse(resume_marker=marker, snapshot_end=pb.SnapshotEnd())


def _is_preview(told: Told) -> bool:
    return isinstance(told.content, job_pb2.PreviewFrame)


def _job_event(told: Told) -> pb.WatchJobResponse:
    """Raises BridgeError JOB_NOT_FOUND where the job is forgotten."""
    match told.content:
        case job_pb2.Job() as job:
            return pb.WatchJobResponse(resume_marker=told.marker, job=job)
        case job_pb2.JobProgress() as progress:
            return pb.WatchJobResponse(resume_marker=told.marker, progress=progress)
        case job_pb2.DeliveredFrame() as frame:
            return pb.WatchJobResponse(resume_marker=told.marker, frame=frame)
        case job_pb2.PreviewFrame() as preview:
            return pb.WatchJobResponse(resume_marker=told.marker, preview=preview)
        case _:
            raise job_not_found(told.job_id)


def _jobs_event(told: Told) -> pb.WatchJobsResponse:
    response = pb.WatchJobsResponse(resume_marker=told.marker, name=convert.job_name(told.job_id))
    match told.content:
        case job_pb2.Job() as job:
            response.job.CopyFrom(job)
        case job_pb2.JobProgress() as progress:
            response.progress.CopyFrom(progress)
        case job_pb2.DeliveredFrame() as frame:
            response.frame.CopyFrom(frame)
        case job_pb2.PreviewFrame() as preview:
            response.preview.CopyFrom(preview)
        case pb.JobDeleted() as deleted:
            response.deleted.CopyFrom(deleted)
    return response
