"""The RPCs, one method each. They look things up and hand things on; the work is done elsewhere."""

import asyncio
import base64
import binascii
import json
import os
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

from grpc import aio

from i2vedit.v1 import job_pb2, transfer_pb2
from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit.v1.propagation_service_pb2_grpc import PropagationServiceServicer
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.probe import probe
from i2vedit_core.media.still import export_frame
from i2vedit_core.models import find_model
from i2vedit_core.versions import DECIDING, product_version, versions_of
from i2vedit_server import convert
from i2vedit_server.admission import Admission
from i2vedit_server.confinement import is_local
from i2vedit_server.data_folder import DataFolder
from i2vedit_server.database import Database
from i2vedit_server.downloads import delivered_files
from i2vedit_server.hub import Hub
from i2vedit_server.plan_message import plan_message
from i2vedit_server.record import JobRecord, JobState
from i2vedit_server.scheduler import Scheduler
from i2vedit_server.store import LARGEST_SEQUENCE, job_not_found
from i2vedit_server.uploads import Requests, Uploads

DEFAULT_PAGE = 50
LARGEST_PAGE = 1000

FINAL = (job_pb2.Job.STATE_SUCCEEDED, job_pb2.Job.STATE_FAILED, job_pb2.Job.STATE_CANCELLED)

Context = aio.ServicerContext[Any, Any]


@dataclass(frozen=True)
class Parts:
    """What the RPCs stand on."""

    folder: DataFolder
    database: Database
    hub: Hub
    scheduler: Scheduler
    uploads: Uploads
    end: Callable[[], None]
    """Tells the server to stop, as a signal does."""


class PropagationService(PropagationServiceServicer):
    """`i2vedit.v1.PropagationService`. Methods raise BridgeError; the guard before them makes statuses of it."""

    def __init__(self, parts: Parts) -> None:
        self._folder = parts.folder
        self._database = parts.database
        self._store = parts.database.store
        self._hub = parts.hub
        self._scheduler = parts.scheduler
        self._admission = Admission(parts.database)
        self._uploads = parts.uploads
        self._end = parts.end
        self._started_seconds = time.monotonic()
        self._libraries = versions_of((*DECIDING, "grpcio", "protobuf"))

    async def GetServerInfo(self, request: pb.GetServerInfoRequest, context: Context) -> pb.GetServerInfoResponse:
        counts = await self._database(self._store.counts)
        response = pb.GetServerInfoResponse(
            version=product_version(),
            process_id=os.getpid(),
            device=self._scheduler.device,
            queued_count=counts.get(JobState.QUEUED, 0),
            running_count=counts.get(JobState.RUNNING, 0),
            data_directory=str(self._folder.path),
            libraries=self._libraries,
            memory_plan=plan_message(self._scheduler.plan) if self._scheduler.plan else None,
        )
        response.uptime.FromMilliseconds(round((time.monotonic() - self._started_seconds) * 1000))
        return response

    async def CheckModel(self, request: pb.CheckModelRequest, context: Context) -> pb.CheckModelResponse:
        return pb.CheckModelResponse(model=await asyncio.to_thread(_model_info, request.model or "mini"))

    async def ProbeClip(self, request: pb.ProbeClipRequest, context: Context) -> pb.ProbeClipResponse:
        path = convert.local_path(request.path, "clip")
        return pb.ProbeClipResponse(clip=convert.clip_message(await asyncio.to_thread(probe, path)))

    async def ExtractFrame(self, request: pb.ExtractFrameRequest, context: Context) -> pb.ExtractFrameResponse:
        path, output = convert.local_path(request.path, "clip"), convert.local_path(request.output_path, "picture to write")
        clip = await asyncio.to_thread(probe, path)
        await asyncio.to_thread(export_frame, clip, request.frame, output)
        return pb.ExtractFrameResponse(output_path=str(output))

    async def CreateJob(self, request: pb.CreateJobRequest, context: Context) -> pb.CreateJobResponse:
        record, attached = await self._admission.create(request.request_id, request.spec, request.attach)
        self._scheduler.wake()
        return pb.CreateJobResponse(job=self._hub.snapshot(record), attached=attached)

    async def GetJob(self, request: pb.GetJobRequest, context: Context) -> pb.GetJobResponse:
        return pb.GetJobResponse(job=self._hub.snapshot(await self._record(request.name)))

    async def ListJobs(self, request: pb.ListJobsRequest, context: Context) -> pb.ListJobsResponse:
        states = convert.wanted_states(request)
        before = _read_page_token(request.page_token, states)
        size = min(request.page_size, LARGEST_PAGE) if request.page_size > 0 else DEFAULT_PAGE
        records = await self._database(self._store.page, before, size + 1, states)
        token = _page_token(records[size - 1].sequence, states) if len(records) > size else ""
        return pb.ListJobsResponse(jobs=[self._hub.snapshot(record) for record in records[:size]], next_page_token=token)

    async def CancelJob(self, request: pb.CancelJobRequest, context: Context) -> pb.CancelJobResponse:
        return pb.CancelJobResponse(job=self._hub.snapshot(await self._scheduler.cancel(_job_id(request.name))))

    async def WatchJob(self, request: pb.WatchJobRequest, context: Context) -> AsyncGenerator[pb.WatchJobResponse, None]:
        job_id = _job_id(request.name)
        watcher = self._hub.join(job_id)
        try:
            events: list[pb.WatchJobResponse] | None = None
            while True:
                for event in events if events is not None else [await self._snapshot(job_id)]:
                    yield event
                    if _is_final(event):
                        return
                events = await watcher.take()
        finally:
            self._hub.leave(job_id, watcher)

    async def UploadMedia(self, requests: Requests, context: Context) -> transfer_pb2.UploadMediaResponse:
        return await self._uploads.receive(requests)

    async def DownloadFrames(
        self, request: transfer_pb2.DownloadFramesRequest, context: Context
    ) -> AsyncGenerator[transfer_pb2.DownloadFramesResponse, None]:
        record = await self._record(request.name)
        async for response in delivered_files(record.delivered_directory, request):
            yield response

    async def DrainServer(self, request: transfer_pb2.DrainServerRequest, context: Context) -> transfer_pb2.DrainServerResponse:
        if not is_local(context.peer()):
            sentence = "Only a command on the server's own machine may end it; sign in there, or ask its owner."
            raise BridgeError(Code.PERMISSION_DENIED, Reason.CALLER_NOT_LOCAL, sentence)
        self._end()
        return transfer_pb2.DrainServerResponse(process_id=os.getpid())

    async def _snapshot(self, job_id: str) -> pb.WatchJobResponse:
        """The marker is read first: what happens while the store is read is told again rather than missed."""
        marker = self._hub.marker
        record = await self._database(self._store.get, job_id)
        return pb.WatchJobResponse(resume_marker=marker, job=self._hub.snapshot(record))

    async def _record(self, name: str) -> JobRecord:
        return await self._database(self._store.get, _job_id(name))


def _model_info(name: str) -> pb.ModelInfo:
    """Reads the whole model for its hash, which takes some seconds for a large one. Raises BridgeError MODEL_*."""
    model = find_model(name)
    return pb.ModelInfo(
        name=model.name, path=str(model.path), frame_count=model.frame_count, byte_count=model.byte_count, sha256=model.sha256
    )


def _job_id(name: str) -> str:
    """The id in `jobs/{id}`. Raises BridgeError JOB_NOT_FOUND for any other form: no job has such a name."""
    if not name.startswith(convert.JOB_PREFIX):
        raise job_not_found(name)
    return name.removeprefix(convert.JOB_PREFIX)


def _is_final(event: pb.WatchJobResponse) -> bool:
    return event.WhichOneof("event") == "job" and event.job.state in FINAL


def _page_token(sequence: int, states: frozenset[JobState]) -> str:
    return base64.urlsafe_b64encode(json.dumps([sequence, sorted(states)]).encode()).decode()


def _read_page_token(token: str, states: frozenset[JobState]) -> int:
    """The sequence number that a page ends before. Raises BridgeError PAGE_TOKEN_INVALID for a token of another list."""
    if not token:
        return LARGEST_SEQUENCE
    try:
        sequence, told = json.loads(base64.urlsafe_b64decode(token.encode()))
        if isinstance(sequence, int) and 0 < sequence <= LARGEST_SEQUENCE and told == sorted(states):
            return sequence
    except (ValueError, TypeError, binascii.Error):
        pass
    sentence = "The page token is not one that this list gave; begin again without it, and keep the same states from page to page."
    raise BridgeError(Code.INVALID_ARGUMENT, Reason.PAGE_TOKEN_INVALID, sentence)
