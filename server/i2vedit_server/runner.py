"""How a job is run for real: the core's `propagate` and `prepare`, with the backbone kept loaded from one job to the next."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import torch

from i2vedit_core.backbone import Backbone, load_backbone
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.models import find_model
from i2vedit_core.plan import MemoryPlan, choose, known_counts
from i2vedit_core.plan.memory import memory_of, sparing
from i2vedit_core.planned import request_for
from i2vedit_core.prepare import prepare
from i2vedit_core.progress import CancelToken
from i2vedit_core.propagate import propagate
from i2vedit_core.settings import Settings
from i2vedit_core.shot import Shot
from i2vedit_server.messages import DeviceFound, JobOrder, ShotOrder
from i2vedit_server.worker_main import Report

SPARE_BYTES = 2 * 10**9
"""What a preparation leaves free on the card: the artist paints on it meanwhile."""


class Backbones:
    """The last backbone that was asked for. Only one: two do not fit on the card that this is made for."""

    def __init__(self) -> None:
        self._name: str | None = None
        self._device: str | None = None
        self._backbone: Backbone | None = None

    def holds(self, name: str) -> bool:
        return self._backbone is not None and self._name == name

    def get(self, name: str, device: str | None = None) -> Backbone:
        """On this machine's best device where none is named. Raises BridgeError MODEL_*."""
        if self._backbone is None or (self._name, self._device) != (name, device):
            self._backbone = None  # lets the memory go before the next one takes it
            self._backbone, self._name, self._device = load_backbone(name, device), name, device
        return self._backbone


_BACKBONES = Backbones()


def run_job(order: ShotOrder, report: Report, token: CancelToken) -> Path | None:
    """Runs one job in this process and gives the folder of the delivered sequence, if it delivers one. Raises BridgeError."""
    if isinstance(order, JobOrder):
        return run_propagation(order, report, token)
    run_preparation(order, report, token)
    return None


def run_propagation(order: JobOrder, report: Report, token: CancelToken) -> Path:
    """Everything that is still missing, and the delivery."""
    shot = Shot.open(order.clip, order.first, order.last)
    edits = [edit.open(shot) for edit in order.edits]
    pins = order.pinned.open(shot, order.delivery) if order.pinned else None
    token.check()
    backbone = backbone_of(order)
    report(DeviceFound(device_words(backbone.device), memory_plan(backbone, shot, order.settings)))
    places = order.places
    with threads_of(order.repeats.threads if order.repeats is not None else torch.get_num_threads()):
        return propagate(shot, edits, order.settings, backbone, order.delivery, places.work, places.artifacts, report, token, pins).folder


def backbone_of(order: ShotOrder) -> Backbone:
    """The model of this order, on the device that it asks for. Raises BridgeError MODEL_*."""
    return _BACKBONES.get(order.settings.model, _device_of(order.repeats if isinstance(order, JobOrder) else None))


def _device_of(repeated: Ticket | None) -> str | None:
    """The processor where that was it then; another card than then is taken as it is."""
    return "cpu" if repeated is not None and repeated.device == "cpu" else None


@contextlib.contextmanager
def threads_of(count: int) -> Iterator[None]:
    """Inside the block, so many threads: one and two give different last bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def run_preparation(order: ShotOrder, report: Report, token: CancelToken) -> None:
    """What does not depend on the edit, unless the card is wanted by somebody else. Raises BridgeError MEMORY_BUSY."""
    shot = Shot.open(order.clip, order.first, order.last)
    token.check()
    _check_room_for_model(order.settings.model)
    backbone = _BACKBONES.get(order.settings.model)
    spare = SPARE_BYTES if backbone.device.type == "cuda" else 0
    plan = memory_plan(backbone, shot, order.settings, spare)
    report(DeviceFound(device_words(backbone.device), plan))
    if plan is not None and lacks_room(plan, spare):
        raise _memory_busy(plan.peak_bytes[plan.highest] + spare, plan.memory.free_bytes + spare)
    prepare(shot, order.settings, backbone, order.places.artifacts, report, token, spare, order.keys)


def lacks_room(plan: MemoryPlan, spare_bytes: int) -> bool:
    """Whether waiting would help: the card is large enough, and others have it now."""
    return spare_bytes > 0 and not plan.fits and plan.peak_bytes[plan.highest] + spare_bytes <= plan.memory.total_bytes


def _check_room_for_model(name: str) -> None:
    if not torch.cuda.is_available() or _BACKBONES.holds(name):
        return
    free, total = torch.cuda.mem_get_info()
    needed = find_model(name).byte_count + SPARE_BYTES
    if free < needed <= total:
        raise _memory_busy(needed, free)


def _memory_busy(needed_bytes: int, free_bytes: int) -> BridgeError:
    sentence = (
        f"The preparation waits until {needed_bytes / 1e9:.1f} GB of the card's memory are free, room for other programs included; "
        f"{free_bytes / 1e9:.1f} GB are."
    )
    return BridgeError(Code.UNAVAILABLE, Reason.MEMORY_BUSY, sentence)


def memory_plan(backbone: Backbone, shot: Shot, settings: Settings, spare_bytes: int = 0) -> MemoryPlan | None:
    """What a job is predicted to need, with so much left to others; None for an architecture that nobody has counted."""
    architecture, half = backbone.architecture, backbone.dtype.itemsize == 2
    counts = known_counts(architecture, half)
    if counts is None:
        return None
    memory = sparing(memory_of(backbone.device, torch.cuda), spare_bytes)
    return choose(architecture, counts, memory, request_for(shot, settings, backbone))


def device_words(device: torch.device) -> str:
    """`cpu`, or `cuda:0 NVIDIA RTX 4090`."""
    if device.type != "cuda":
        return str(device)
    index = torch.cuda.current_device() if device.index is None else device.index
    return f"cuda:{index} {torch.cuda.get_device_name(index)}"
