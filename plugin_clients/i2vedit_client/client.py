"""The server's calls as Python functions; every error becomes a ServerError with code, reason and sentence."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self, cast

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from i2vedit.v1 import clip_pb2, delivery_pb2, job_pb2, propagation_service_pb2_grpc, shot_pb2, transfer_pb2
from i2vedit.v1 import propagation_service_pb2 as service_pb2
from i2vedit_client.channel import open_channel
from i2vedit_client.errors import ServerError

QUICK_SECONDS = 10.0
MEDIA_SECONDS = 120.0
"""Calls that read a clip or a picture: these may lie on a slow share."""
HASH_SECONDS = 3600.0
"""Calls that read a whole plate for its hash."""
PAGE_SIZE = 200

SENTENCES = {
    "UNAVAILABLE": "The server cannot be reached. `i2vedit doctor` says what is wrong.",
    "DEADLINE_EXCEEDED": "The server did not answer in time. `i2vedit doctor` says what is wrong.",
    "UNIMPLEMENTED": "The server is older than this command and does not know this call. End it, and the next command starts a new one.",
    "UNAUTHENTICATED": "The server refused the token of this data folder: its file `token` has changed. End the server, then try again.",
}
"""For failures in which the server itself could not say anything better to a person."""


def server_error(error: grpc.Call) -> ServerError:
    """The failure of a call, with the reason from its ErrorInfo where the server gave one."""
    code, detail = error.code().name, error.details() or ""
    reason = code
    status = rpc_status.from_call(error)
    for packed in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        if packed.Unpack(info):
            reason = info.reason
    if code == "UNAUTHENTICATED" or (reason == code and code in SENTENCES):
        detail = SENTENCES[code]
    return ServerError(code, reason, detail or f"The server answered {code} and gave no reason.")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except grpc.RpcError as error:
        # Every error that a stub raises is a Call as well.
        raise server_error(cast(grpc.Call, error)) from error


class Client:
    """A connection to one server. Close it, or use it in a `with` block."""

    def __init__(self, address: str, token: str, authorities: bytes | None = None) -> None:
        """`authorities` as in `open_channel`."""
        self._channel = open_channel(address, token, authorities)
        self._stub = propagation_service_pb2_grpc.PropagationServiceStub(self._channel)

    def close(self) -> None:
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def server_info(self, seconds: float = QUICK_SECONDS) -> service_pb2.GetServerInfoResponse:
        with _translated():
            return self._stub.GetServerInfo(service_pb2.GetServerInfoRequest(), timeout=seconds)

    def check_model(self, model: str, with_hash: bool = True) -> service_pb2.ModelInfo:
        """Raises ServerError (MODEL_*) where the folder cannot be used."""
        request = service_pb2.CheckModelRequest(model=model, without_hash=not with_hash)
        with _translated():
            return self._stub.CheckModel(request, timeout=MEDIA_SECONDS).model

    def probe_clip(self, clip: str | clip_pb2.ClipRef) -> clip_pb2.ClipInfo:
        """What the clip's own file says: of a path, or of a clip that is read in a way of its own."""
        named = service_pb2.ProbeClipRequest(path=clip) if isinstance(clip, str) else service_pb2.ProbeClipRequest(clip=clip)
        with _translated():
            return self._stub.ProbeClip(named, timeout=MEDIA_SECONDS).clip

    def extract_frame(
        self, clip: clip_pb2.ClipRef, frame: int, output_path: str, prepare: shot_pb2.ShotSpec | None = None
    ) -> service_pb2.ExtractFrameResponse:
        """Writes source frame `frame` of the clip as a picture, and starts preparing a shot. Overwrites nothing."""
        request = service_pb2.ExtractFrameRequest(clip=clip, frame=frame, output_path=output_path, prepare=prepare)
        with _translated():
            return self._stub.ExtractFrame(request, timeout=MEDIA_SECONDS)

    def prepare_shot(self, spec: shot_pb2.ShotSpec) -> shot_pb2.Shot:
        """Starts what does not depend on the edit; a shot that is prepared, or about to be, is given as it is."""
        with _translated():
            return self._stub.PrepareShot(service_pb2.PrepareShotRequest(spec=spec), timeout=MEDIA_SECONDS).shot

    def get_shot(self, name: str) -> shot_pb2.Shot:
        with _translated():
            return self._stub.GetShot(service_pb2.GetShotRequest(name=name), timeout=QUICK_SECONDS).shot

    def list_shots(self, limit: int) -> Iterator[shot_pb2.Shot]:
        """At most `limit` shots, newest first."""
        request = service_pb2.ListShotsRequest()
        left = limit
        while left > 0:
            request.page_size = min(PAGE_SIZE, left)
            with _translated():
                page = self._stub.ListShots(request, timeout=QUICK_SECONDS)
            yield from page.shots
            left -= len(page.shots)
            request.page_token = page.next_page_token
            if not page.next_page_token:
                return

    def delete_shot(self, name: str) -> None:
        """Forgets a shot, and what was made of it unless somebody needs that."""
        with _translated():
            self._stub.DeleteShot(service_pb2.DeleteShotRequest(name=name), timeout=QUICK_SECONDS)

    def create_job(
        self,
        spec: job_pb2.JobSpec,
        attach: bool = True,
        priority: job_pb2.Priority.ValueType = job_pb2.PRIORITY_UNSPECIFIED,
    ) -> service_pb2.CreateJobResponse:
        """Submits; with `attach`, an unfinished job of the same spec is taken up instead of making another one."""
        request = service_pb2.CreateJobRequest(request_id=uuid.uuid4().hex, spec=spec, attach=attach, priority=priority)
        with _translated():
            return self._stub.CreateJob(request, timeout=MEDIA_SECONDS)

    def get_job(self, name: str) -> job_pb2.Job:
        with _translated():
            return self._stub.GetJob(service_pb2.GetJobRequest(name=name), timeout=QUICK_SECONDS).job

    def list_jobs(
        self, limit: int, states: Sequence[job_pb2.Job.State.ValueType] = (), kinds: Sequence[job_pb2.Job.Kind.ValueType] = ()
    ) -> Iterator[job_pb2.Job]:
        """At most `limit` jobs in one of `states` and of one of `kinds` (empty: any), newest first."""
        request = service_pb2.ListJobsRequest(states=states, kinds=kinds)
        left = limit
        while left > 0:
            request.page_size = min(PAGE_SIZE, left)
            with _translated():
                page = self._stub.ListJobs(request, timeout=QUICK_SECONDS)
            yield from page.jobs
            left -= len(page.jobs)
            request.page_token = page.next_page_token
            if not page.next_page_token:
                return

    def cancel_job(self, name: str) -> job_pb2.Job:
        with _translated():
            return self._stub.CancelJob(service_pb2.CancelJobRequest(name=name), timeout=QUICK_SECONDS).job

    def pause_job(self, name: str) -> job_pb2.Job:
        with _translated():
            return self._stub.PauseJob(service_pb2.PauseJobRequest(name=name), timeout=QUICK_SECONDS).job

    def resume_job(self, name: str) -> job_pb2.Job:
        with _translated():
            return self._stub.ResumeJob(service_pb2.ResumeJobRequest(name=name), timeout=QUICK_SECONDS).job

    def retry_job(self, name: str) -> job_pb2.Job:
        """Puts a failed or cancelled job back into the queue; it goes on where it was."""
        with _translated():
            return self._stub.RetryJob(service_pb2.RetryJobRequest(name=name), timeout=QUICK_SECONDS).job

    def move_job(self, name: str, priority: job_pb2.Priority.ValueType = job_pb2.PRIORITY_UNSPECIFIED, before: str = "") -> job_pb2.Job:
        """Right before another waiting job, or to the end of a priority (unspecified: the one it has)."""
        request = service_pb2.MoveJobRequest(name=name, priority=priority, before_job=before)
        with _translated():
            return self._stub.MoveJob(request, timeout=QUICK_SECONDS).job

    def delete_job(self, name: str) -> None:
        """Forgets a job that does not run. Delivered frames stay."""
        with _translated():
            self._stub.DeleteJob(service_pb2.DeleteJobRequest(name=name), timeout=QUICK_SECONDS)

    def free_memory(self, force: bool = False) -> service_pb2.FreeMemoryResponse:
        """Has the device's memory given back; with `force`, also by a running propagation, which goes on later."""
        with _translated():
            return self._stub.FreeMemory(service_pb2.FreeMemoryRequest(force=force), timeout=QUICK_SECONDS)

    def watch_job(self, name: str, resume_after: str = "") -> Iterator[service_pb2.WatchJobResponse]:
        """A snapshot, then what happens, until the job has ended. With the marker of the last event seen, only what came after."""
        with _translated():
            yield from self._stub.WatchJob(service_pb2.WatchJobRequest(name=name, resume_after=resume_after))

    def watch_jobs(
        self, kinds: Sequence[job_pb2.Job.Kind.ValueType] = (), resume_after: str = ""
    ) -> Iterator[service_pb2.WatchJobsResponse]:
        """Every unfinished job, then what happens to any, without an end."""
        with _translated():
            yield from self._stub.WatchJobs(service_pb2.WatchJobsRequest(kinds=kinds, resume_after=resume_after))

    def upload(self, requests: Iterator[transfer_pb2.UploadMediaRequest]) -> transfer_pb2.UploadMediaResponse:
        """One call of an upload; `i2vedit_client.transfer.upload_media` sends a whole file."""
        with _translated():
            return self._stub.UploadMedia(requests)

    def download(self, request: transfer_pb2.DownloadFramesRequest) -> Iterator[transfer_pb2.DownloadFramesResponse]:
        """One call of a download; `i2vedit_client.transfer.download_frames` fetches a whole folder."""
        with _translated():
            yield from self._stub.DownloadFrames(request)

    def verify_delivery(self, directory: str, plate: str | None, edits: Sequence[str]) -> Iterator[delivery_pb2.VerifyDeliveryResponse]:
        """Progress and findings, then a verdict. Plate and edited frames are looked for where the ticket says unless they are named."""
        request = delivery_pb2.VerifyDeliveryRequest(directory=directory, plate_path=plate or "")
        _name_edits(request, edits)
        with _translated():
            yield from self._stub.VerifyDelivery(request)

    def repeat_delivery(self, directory: str, output: str, plate: str | None, edits: Sequence[str]) -> delivery_pb2.RepeatDeliveryResponse:
        """Submits the job that makes a delivered version again below `output`, or takes up the unfinished one that does."""
        request = delivery_pb2.RepeatDeliveryRequest(request_id=uuid.uuid4().hex, directory=directory, output_path=output)
        request.plate_path = plate or ""
        _name_edits(request, edits)
        with _translated():
            return self._stub.RepeatDelivery(request, timeout=HASH_SECONDS)

    def compare_deliveries(self, directory: str, other: str) -> Iterator[delivery_pb2.CompareDeliveriesResponse]:
        """Progress and findings, then what they come to."""
        request = delivery_pb2.CompareDeliveriesRequest(directory=directory, other_directory=other)
        with _translated():
            yield from self._stub.CompareDeliveries(request)

    def drain_server(self) -> int:
        """Ends the server after its running job's next step, with everything kept. Gives its process id."""
        with _translated():
            return self._stub.DrainServer(transfer_pb2.DrainServerRequest(), timeout=QUICK_SECONDS).process_id


def _name_edits(request: delivery_pb2.VerifyDeliveryRequest | delivery_pb2.RepeatDeliveryRequest, edits: Sequence[str]) -> None:
    if edits:
        request.edit_path = edits[0]
        request.further_edit_paths.extend(edits[1:])
