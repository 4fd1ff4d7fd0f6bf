"""What must be true before a job is stored, so that mistakes are told at once and not after an hour in the queue."""

import asyncio
import hashlib
import uuid
import weakref
from pathlib import Path

from i2vedit.v1 import job_pb2
from i2vedit_core.delivery.sequence import check_directory, describe_delivery
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.models import find_model
from i2vedit_core.shot import Edit, Shot
from i2vedit_server import convert
from i2vedit_server.database import Database
from i2vedit_server.messages import NOWHERE
from i2vedit_server.record import JobRecord, NewJob

LONGEST_REQUEST_ID = 128


class Admission:
    """Takes requests for jobs in: at once where the request is known, after a look at every file where it is not."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def create(self, request_id: str, spec: job_pb2.JobSpec, attach: bool) -> tuple[JobRecord, bool]:
        """The job of this request, and whether it was there already. Raises BridgeError: every reason of `examine`, and REQUEST_ID_*."""
        request_id = _checked_request_id(request_id)
        spec = convert.canonical_spec(spec)
        packed = spec.SerializeToString(deterministic=True)
        # One lock for each request id: fifty callers with one id cost one look at the files, not fifty.
        async with self._locks.setdefault(request_id, asyncio.Lock()):
            known = await self._database(self._database.store.job_of_request, request_id, packed)
            if known is not None:
                return known, True
            frame_count, fingerprint = await asyncio.to_thread(examine, spec, packed)
            job = NewJob(request_id, packed, fingerprint, frame_count, attach)
            return await self._database(self._database.store.create, job)


def examine(spec: job_pb2.JobSpec, packed: bytes) -> tuple[int, str]:
    """Opens whatever a canonical spec names; gives the shot's frame count and the job's fingerprint. Blocks.

    Raises BridgeError: CLIP_*, RANGE_OUTSIDE_CLIP, EDIT_*, MODEL_*, OUTPUT_NOT_WRITABLE, SETTING_INVALID, PATH_INVALID.
    """
    order = convert.order("", spec, NOWHERE)
    shot = Shot.open(order.clip, order.first, order.last)
    edit = Edit.open(order.edit, shot, order.edit_frame)
    find_model(order.settings.model)
    check_directory(order.delivery.directory)
    describe_delivery(shot.clip, order.delivery)
    return len(shot), _fingerprint(packed, edit.image, order.clip)


def _fingerprint(packed: bytes, edited: Path, clip: Path) -> str:
    """Over the spec, the edited pixels, and the plate's size and time: a plate is too large to be read before every job."""
    digest = hashlib.sha256(packed)
    with edited.open("rb") as file:
        digest.update(hashlib.file_digest(file, "sha256").digest())
    status = clip.stat()
    digest.update(f"{status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()


def _checked_request_id(request_id: str) -> str:
    if len(request_id) > LONGEST_REQUEST_ID or not request_id.isprintable():
        sentence = f"A request id is at most {LONGEST_REQUEST_ID} printable characters, such as a UUID."
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.REQUEST_ID_INVALID, sentence)
    return request_id or str(uuid.uuid4())
