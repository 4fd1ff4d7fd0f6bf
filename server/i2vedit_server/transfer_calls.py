"""The RPCs for callers on another machine: media to the server, and delivered frames from it."""

from collections.abc import AsyncGenerator

from i2vedit.v1 import transfer_pb2
from i2vedit_server.downloads import delivered_files
from i2vedit_server.job_calls import JobCalls, job_id
from i2vedit_server.parts import Context
from i2vedit_server.uploads import Requests


class TransferCalls(JobCalls):
    """UploadMedia and DownloadFrames."""

    async def UploadMedia(self, requests: Requests, context: Context) -> transfer_pb2.UploadMediaResponse:
        return await self._uploads.receive(requests)

    async def DownloadFrames(
        self, request: transfer_pb2.DownloadFramesRequest, context: Context
    ) -> AsyncGenerator[transfer_pb2.DownloadFramesResponse, None]:
        record = await self._database(self._store.get, job_id(request.name))
        async for response in delivered_files(record.delivered_directory, request):
            yield response
