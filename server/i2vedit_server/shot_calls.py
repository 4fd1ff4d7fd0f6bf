"""The RPCs on shots: clips, frames to paint on, and what is prepared of them."""

import asyncio

from i2vedit.v1 import job_pb2, shot_pb2
from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit_core.media.container_colour import color_notices
from i2vedit_core.media.probe import expect_probes
from i2vedit_core.media.source import ClipSource
from i2vedit_core.media.still import expect_stills, export_frame, painting_notices
from i2vedit_server import convert
from i2vedit_server.admission import examine_shot
from i2vedit_server.confinement import is_local
from i2vedit_server.job_calls import JobCalls
from i2vedit_server.pages import page_size, page_token, read_page_token
from i2vedit_server.parts import Context
from i2vedit_server.record import NewShot, ShotRecord
from i2vedit_server.shot_store import shot_not_found
from i2vedit_server.states import JobState

FILTERS = ("shots",)


class ShotCalls(JobCalls):
    """ProbeClip, ExtractFrame, and what can be done with a shot."""

    async def ProbeClip(self, request: pb.ProbeClipRequest, context: Context) -> pb.ProbeClipResponse:
        source = _source(request, context)
        return pb.ProbeClipResponse(clip=convert.clip_message(await asyncio.to_thread(source.probe)))

    async def ExtractFrame(self, request: pb.ExtractFrameRequest, context: Context) -> pb.ExtractFrameResponse:
        source, output = _source(request, context), convert.local_path(request.output_path, "picture to write")
        # What is wrong with the preparation is told before anything is written.
        new = await asyncio.to_thread(examine_shot, request.prepare) if request.HasField("prepare") else None
        clip = await asyncio.to_thread(source.open)
        frame = request.frame or clip.first_frame
        await asyncio.to_thread(export_frame, clip, frame, output)
        if new:
            # Its painted frame will come, and somebody will wait for the job that is made of it.
            expect_probes()
            expect_stills()
        shot = await self._prepared(new) if new else None
        notices = (*clip.notices, *color_notices(clip), *painting_notices(clip, output))
        return pb.ExtractFrameResponse(output_path=str(output), shot=shot, frame=frame, notices=notices)

    async def PrepareShot(self, request: pb.PrepareShotRequest, context: Context) -> pb.PrepareShotResponse:
        return pb.PrepareShotResponse(shot=await self._prepared(await asyncio.to_thread(examine_shot, request.spec)))

    async def GetShot(self, request: pb.GetShotRequest, context: Context) -> pb.GetShotResponse:
        record = await self._database(self._store.shots.get, _shot_id(request.name))
        return pb.GetShotResponse(shot=await self._shot(record))

    async def ListShots(self, request: pb.ListShotsRequest, context: Context) -> pb.ListShotsResponse:
        before, size = read_page_token(request.page_token, FILTERS), page_size(request.page_size)
        records = await self._database(self._store.shots.page, before, size + 1)
        token = page_token(records[size - 1].sequence, FILTERS) if len(records) > size else ""
        return pb.ListShotsResponse(shots=[await self._shot(record) for record in records[:size]], next_page_token=token)

    async def DeleteShot(self, request: pb.DeleteShotRequest, context: Context) -> pb.DeleteShotResponse:
        cancelled, unneeded = await self._database(self._store.shots.delete, _shot_id(request.name))
        if cancelled is not None:
            self._hub.tell_state(cancelled)
        await asyncio.to_thread(self._artifacts.remove, unneeded)
        return pb.DeleteShotResponse()

    async def _prepared(self, new: NewShot) -> shot_pb2.Shot:
        record = await self._admission.prepare(new)
        if record.job.state is JobState.QUEUED:
            await self._scheduler.arrived(record.job)
        return await self._shot(record)

    async def _shot(self, record: ShotRecord) -> shot_pb2.Shot:
        size = await asyncio.to_thread(self._artifacts.byte_count, record.artifacts)
        job: job_pb2.Job = self._hub.snapshot(record.job)
        return convert.shot_message(record, size, job.progress if job.HasField("progress") else None)


def _source(request: pb.ProbeClipRequest | pb.ExtractFrameRequest, context: Context) -> ClipSource:
    """The clip that a request names, in one way or the other. Raises BridgeError PATH_INVALID, SETTING_INVALID."""
    if request.HasField("clip"):
        return convert.clip_source(request.clip)
    return ClipSource(convert.local_path(request.path, "clip"), follow_links=is_local(context.peer()))


def _shot_id(name: str) -> str:
    """The id in `shots/{id}`. Raises BridgeError SHOT_NOT_FOUND for any other form: no shot has such a name."""
    if not name.startswith(convert.SHOT_PREFIX):
        raise shot_not_found(name)
    return name.removeprefix(convert.SHOT_PREFIX)
