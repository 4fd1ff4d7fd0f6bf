"""What must be true before a job is stored, so that mistakes are told at once and not after an hour in the queue."""

import asyncio
import hashlib
import json
import uuid
import weakref
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from i2vedit.v1 import job_pb2, shot_pb2
from i2vedit_core.artifacts import Artifacts
from i2vedit_core.delivery.region import open_region
from i2vedit_core.delivery.sequence import check_directory, describe_delivery
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.container_colour import color_notices
from i2vedit_core.media.fingerprint import sha256_of, stamp_of_plate
from i2vedit_core.models import ModelFolder, find_model
from i2vedit_core.pins import all_edits
from i2vedit_core.settings import Settings
from i2vedit_core.shot import Edit, Shot, check_keys
from i2vedit_core.versions import deciding_versions
from i2vedit_server import convert
from i2vedit_server.database import Database
from i2vedit_server.messages import NOWHERE
from i2vedit_server.record import JobRecord, NewJob, NewShot, Priority, ShotRecord

LONGEST_REQUEST_ID = 128
PREPARED_BY = ("seed", "steps", "sarp_alpha", "reference_frames", "picture_area", "stride", "cuts", "without")
"""Settings that decide what a preparation makes, beside those of the LoRA."""


@dataclass(frozen=True)
class Wish:
    """How a job is wanted, beside what it is."""

    request_id: str
    attach: bool
    priority: Priority = Priority.NORMAL


class Admission:
    """Takes requests for jobs in: at once where the request is known, after a look at every file where it is not."""

    def __init__(self, database: Database, artifacts: Artifacts) -> None:
        self._database = database
        self._artifacts = artifacts
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def create(self, spec: job_pb2.JobSpec, wish: Wish) -> tuple[JobRecord, bool, tuple[str, ...]]:
        """The job of this request, whether it was there already, and notices on its files, unless the request itself was known.

        Raises BridgeError: every reason of `examine`, and REQUEST_ID_*.
        """
        request_id = _checked_request_id(wish.request_id)
        spec = convert.canonical_spec(spec)
        packed = spec.SerializeToString(deterministic=True)
        # One lock for each request id: fifty callers with one id cost one look at the files, not fifty.
        async with self._locks.setdefault(request_id, asyncio.Lock()):
            known = await self._database(self._database.store.job_of_request, request_id, packed)
            if known is not None:
                return known, True, ()
            found = await asyncio.to_thread(examine, spec, packed)
            count, first = found.frame_count, found.first_frame
            job = NewJob(request_id, packed, found.fingerprint, count, wish.attach, found.shot_id, wish.priority, first)
            record, attached = await self._database(self._database.store.create, job)
            return record, attached, found.notices

    async def prepare(self, new: NewShot) -> ShotRecord:
        """The shot, with a preparation that waits, runs, or is done and whole."""
        shots = self._database.store.shots
        known = await self._database(shots.find, new.shot_id)
        size = await asyncio.to_thread(self._artifacts.byte_count, known.artifacts) if known else None
        return await self._database(shots.prepare, new, size is not None)


@dataclass(frozen=True)
class Found:
    """What a look at the files of a job has told."""

    first_frame: int
    """Source frame number."""
    frame_count: int
    fingerprint: str
    shot_id: str
    notices: tuple[str, ...]
    """What the person should know of the files that were given."""


def examine(spec: job_pb2.JobSpec, packed: bytes) -> Found:
    """Opens whatever a canonical spec names. Blocks.

    Raises BridgeError: CLIP_*, RANGE_OUTSIDE_CLIP, EDIT_*, REGION_UNUSABLE, PIN_UNUSABLE, MODEL_*, OUTPUT_NOT_WRITABLE, SETTING_INVALID,
    PATH_INVALID.
    """
    order = convert.order("", spec, NOWHERE)
    shot = Shot.open(order.clip, order.first, order.last)
    pins = order.pinned.open(shot, order.delivery) if order.pinned else None
    edits = all_edits([edit.open(shot) for edit in order.edits], shot, pins)
    for edit in edits:
        open_region(edit, shot)
    model = find_model(order.settings.model)
    check_directory(order.delivery.directory)
    describe_delivery(shot.clip, order.delivery)
    keys = tuple(edit.frame for edit in edits)
    notices = (*shot.clip.notices, *color_notices(shot.clip), *dict.fromkeys(notice for edit in edits for notice in edit.notices))
    stamp, prepared = _fingerprint(packed, edits, shot), shot_id(shot, order.settings, model, keys)
    return Found(shot.first, len(shot), stamp, prepared, notices)


def examine_shot(wanted: shot_pb2.ShotSpec) -> NewShot:
    """Opens the clip and the model's folder. Blocks. Raises BridgeError: CLIP_*, RANGE_OUTSIDE_CLIP, MODEL_*, SETTING_INVALID, PATH_*."""
    spec = convert.canonical_shot(wanted)
    order = convert.shot_order("", spec, NOWHERE)
    shot = Shot.open(order.clip, order.first, order.last)
    model = find_model(order.settings.model)
    check_keys(shot, order.keys)
    name = shot_id(shot, order.settings, model, order.keys or (shot.first,))
    return NewShot(name, spec.SerializeToString(deterministic=True), len(shot), shot.first)


def shot_id(shot: Shot, settings: Settings, model: ModelFolder, keys: tuple[int, ...]) -> str:
    """A hash of all that a preparation depends on. Settings of the edit are none of it, and presets only by the training that they mean."""
    clip, chosen = shot.clip, asdict(settings)
    key = {
        "clip": [str(clip.path), stamp_of_plate(clip, shot.first, shot.last), clip.deinterlaced, clip.video_stream],
        "color_space": clip.color_space,
        "frames": [shot.first, shot.last],
        "rate": str(clip.rate) if settings.stride is None else None,  # the stride is chosen by it
        "model": [str(model.path), model.stamp],
        "settings": {name: chosen[name] for name in PREPARED_BY},
        "lora": {**chosen["lora"], "steps": settings.lora_steps(model.lora_steps)},
        "keys": keys,
        "versions": deciding_versions(),
    }
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _fingerprint(packed: bytes, edits: Iterable[Edit], shot: Shot) -> str:
    """Over the spec, the edited pixels, and size and time of plate and region: clips are too large to be read before every job."""
    digest = hashlib.sha256(packed)
    digest.update(stamp_of_plate(shot.clip, shot.first, shot.last).encode())
    for edit in edits:
        digest.update(sha256_of(edit.image).encode())
        if edit.region is not None:
            status = edit.region.stat()
            digest.update(f"{status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()


def _checked_request_id(request_id: str) -> str:
    if len(request_id) > LONGEST_REQUEST_ID or not request_id.isprintable():
        sentence = f"A request id is at most {LONGEST_REQUEST_ID} printable characters, such as a UUID."
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.REQUEST_ID_INVALID, sentence)
    return request_id or str(uuid.uuid4())
