"""The RPCs on jobs, one method each. They look things up and hand things on; the work is done elsewhere."""

import asyncio
import shutil

from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit.v1.propagation_service_pb2_grpc import PropagationServiceServicer
from i2vedit_core.artifacts import Artifacts
from i2vedit_server import convert
from i2vedit_server.admission import Admission, Wish
from i2vedit_server.pages import page_size, page_token, read_page_token
from i2vedit_server.parts import Context, Parts
from i2vedit_server.record import JobRecord, Priority, StopRequest
from i2vedit_server.rows import job_not_found


class JobCalls(PropagationServiceServicer):
    """CreateJob and what can be done with a job then."""

    def __init__(self, parts: Parts) -> None:
        self._folder = parts.folder
        self._database = parts.database
        self._store = parts.database.store
        self._hub = parts.hub
        self._scheduler = parts.scheduler
        self._uploads = parts.uploads
        self._confinement = parts.confinement
        self._artifacts = Artifacts(parts.folder.artifacts)
        self._admission = Admission(parts.database, self._artifacts)

    async def CreateJob(self, request: pb.CreateJobRequest, context: Context) -> pb.CreateJobResponse:
        wish = Wish(request.request_id, request.attach, convert.priority(request.priority) or Priority.NORMAL)
        record, attached, notices = await self._admission.create(request.spec, wish)
        if not attached:
            await self._scheduler.arrived(record)
        return pb.CreateJobResponse(job=self._hub.snapshot(record), attached=attached, notices=notices)

    async def GetJob(self, request: pb.GetJobRequest, context: Context) -> pb.GetJobResponse:
        record = await self._database(self._store.get, job_id(request.name))
        return pb.GetJobResponse(job=self._hub.snapshot(record))

    async def ListJobs(self, request: pb.ListJobsRequest, context: Context) -> pb.ListJobsResponse:
        states, kinds = convert.wanted_states(request.states), convert.wanted_kinds(request.kinds)
        filters = ["jobs", *sorted(states), *sorted(kinds)]
        before, size = read_page_token(request.page_token, filters), page_size(request.page_size)
        records = await self._database(self._store.page, before, size + 1, states, kinds)
        token = page_token(records[size - 1].sequence, filters) if len(records) > size else ""
        return pb.ListJobsResponse(jobs=[self._hub.snapshot(record) for record in records[:size]], next_page_token=token)

    async def CancelJob(self, request: pb.CancelJobRequest, context: Context) -> pb.CancelJobResponse:
        record = await self._scheduler.ask_to_stop(job_id(request.name), StopRequest.CANCEL)
        return pb.CancelJobResponse(job=self._hub.snapshot(record))

    async def PauseJob(self, request: pb.PauseJobRequest, context: Context) -> pb.PauseJobResponse:
        record = await self._scheduler.ask_to_stop(job_id(request.name), StopRequest.PAUSE)
        return pb.PauseJobResponse(job=self._hub.snapshot(record))

    async def ResumeJob(self, request: pb.ResumeJobRequest, context: Context) -> pb.ResumeJobResponse:
        record = await self._database(self._store.resume, job_id(request.name))
        return pb.ResumeJobResponse(job=self._hub.snapshot(await self._arrived(record)))

    async def RetryJob(self, request: pb.RetryJobRequest, context: Context) -> pb.RetryJobResponse:
        record = await self._database(self._store.retry, job_id(request.name))
        return pb.RetryJobResponse(job=self._hub.snapshot(await self._arrived(record)))

    async def MoveJob(self, request: pb.MoveJobRequest, context: Context) -> pb.MoveJobResponse:
        before = job_id(request.before_job) if request.before_job else ""
        record, *renumbered = await self._database(self._store.move, job_id(request.name), convert.priority(request.priority), before)
        for other in renumbered:
            self._hub.tell_state(other)
        return pb.MoveJobResponse(job=self._hub.snapshot(await self._arrived(record)))

    async def DeleteJob(self, request: pb.DeleteJobRequest, context: Context) -> pb.DeleteJobResponse:
        record = await self._database(self._store.delete, job_id(request.name))
        await asyncio.to_thread(shutil.rmtree, self._folder.work / record.job_id, ignore_errors=True)
        self._hub.tell_deleted(record)
        return pb.DeleteJobResponse()

    async def _arrived(self, record: JobRecord) -> JobRecord:
        await self._scheduler.arrived(record)
        return record


def job_id(name: str) -> str:
    """The id in `jobs/{id}`. Raises BridgeError JOB_NOT_FOUND for any other form: no job has such a name."""
    if not name.startswith(convert.JOB_PREFIX):
        raise job_not_found(name)
    return name.removeprefix(convert.JOB_PREFIX)
