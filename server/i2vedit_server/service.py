"""The whole service: the RPCs on the server itself, beside those on shots and jobs."""

import asyncio
import os
import time

from google.protobuf.duration_pb2 import Duration

from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit.v1 import transfer_pb2
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.models import find_model
from i2vedit_core.versions import DECIDING, product_version, versions_of
from i2vedit_server import convert
from i2vedit_server.confinement import is_local
from i2vedit_server.delivery_calls import DeliveryCalls
from i2vedit_server.parts import Context, Parts
from i2vedit_server.plan_message import plan_message
from i2vedit_server.scheduler import HOLD_SECONDS
from i2vedit_server.shot_calls import ShotCalls
from i2vedit_server.states import JobState
from i2vedit_server.store import QueueCount
from i2vedit_server.transfer_calls import TransferCalls
from i2vedit_server.watch_calls import WatchCalls

__all__ = ["Parts", "PropagationService"]


class PropagationService(ShotCalls, WatchCalls, TransferCalls, DeliveryCalls):
    """`i2vedit.v1.PropagationService`. Methods raise BridgeError; the guard before them makes statuses of it."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._end = parts.end
        self._started_seconds = time.monotonic()
        self._libraries = versions_of((*DECIDING, "grpcio", "protobuf"))

    async def GetServerInfo(self, request: pb.GetServerInfoRequest, context: Context) -> pb.GetServerInfoResponse:
        queue = await self._database(self._store.queue)
        running, plan = self._scheduler.running_job, self._scheduler.machine.plan
        response = pb.GetServerInfoResponse(
            version=product_version(),
            process_id=os.getpid(),
            device=self._scheduler.machine.device,
            queued_count=sum(one.count for one in queue if one.state is JobState.QUEUED),
            running_count=sum(one.count for one in queue if one.state is JobState.RUNNING),
            data_directory=str(self._folder.path),
            libraries=self._libraries,
            memory_plan=plan_message(plan) if plan else None,
            queue=[_queue_message(one) for one in queue],
            running_job=convert.job_name(running) if running else "",
        )
        response.uptime.FromMilliseconds(round((time.monotonic() - self._started_seconds) * 1000))
        return response

    async def CheckModel(self, request: pb.CheckModelRequest, context: Context) -> pb.CheckModelResponse:
        return pb.CheckModelResponse(model=await asyncio.to_thread(_model_info, request.model or "mini", not request.without_hash))

    async def FreeMemory(self, request: pb.FreeMemoryRequest, context: Context) -> pb.FreeMemoryResponse:
        goes_on = await self._scheduler.free_memory(request.force)
        if goes_on:
            return pb.FreeMemoryResponse(freed=False, running_job=convert.job_name(goes_on))
        return pb.FreeMemoryResponse(freed=True, pause=Duration(seconds=round(HOLD_SECONDS)))

    async def DrainServer(self, request: transfer_pb2.DrainServerRequest, context: Context) -> transfer_pb2.DrainServerResponse:
        if not is_local(context.peer()):
            sentence = "Only a command on the server's own machine may end it; sign in there, or ask its owner."
            raise BridgeError(Code.PERMISSION_DENIED, Reason.CALLER_NOT_LOCAL, sentence)
        self._end()
        return transfer_pb2.DrainServerResponse(process_id=os.getpid())


def _queue_message(one: QueueCount) -> pb.QueueCount:
    kind, priority, state = convert.KINDS[one.kind], convert.PRIORITIES[one.priority], convert.STATES[one.state]
    return pb.QueueCount(kind=kind, priority=priority, state=state, count=one.count)


def _model_info(name: str, hashed: bool) -> pb.ModelInfo:
    """For its hash it reads the whole model, which takes some seconds for a large one. Raises BridgeError MODEL_*."""
    model = find_model(name)
    return pb.ModelInfo(
        name=model.name,
        path=str(model.path),
        frame_count=model.frame_count,
        byte_count=model.byte_count,
        sha256=model.sha256 if hashed else "",
    )
