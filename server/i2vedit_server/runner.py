"""How a job is run for real: the core's `propagate`, with the backbone kept loaded from one job to the next."""

from pathlib import Path

import torch

from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone, load_backbone
from i2vedit_core.media.fit import plan_fit
from i2vedit_core.plan import Architecture, MemoryPlan, Request, choose, known_counts
from i2vedit_core.plan.memory import memory_of
from i2vedit_core.progress import CancelToken
from i2vedit_core.propagate import propagate
from i2vedit_core.settings import Settings
from i2vedit_core.shot import Edit, Shot
from i2vedit_server.messages import DeviceFound, JobOrder
from i2vedit_server.worker_main import Report


class Backbones:
    """The last backbone that was asked for. Only one: two do not fit on the card that this is made for."""

    def __init__(self) -> None:
        self._name: str | None = None
        self._backbone: Backbone | None = None

    def get(self, name: str) -> Backbone:
        """Raises BridgeError MODEL_*."""
        if self._backbone is None or self._name != name:
            self._backbone = None  # lets the memory go before the next one takes it
            self._backbone, self._name = load_backbone(name), name
        return self._backbone


_BACKBONES = Backbones()


def run_job(order: JobOrder, report: Report, token: CancelToken) -> Path:
    """Runs one job in this process and gives the folder of the delivered sequence. Raises BridgeError."""
    shot = Shot.open(order.clip, order.first, order.last)
    edit = Edit.open(order.edit, shot, order.edit_frame)
    token.check()
    backbone = _BACKBONES.get(order.settings.model)
    report(DeviceFound(device_words(backbone.device), memory_plan(backbone, shot, order.settings)))
    places = order.places
    try:
        delivered = propagate(shot, edit, order.settings, backbone, order.delivery, places.work, places.artifacts, report, token)
    finally:
        Artifacts(places.artifacts).trim(places.artifact_bytes)
    return delivered.folder


def memory_plan(backbone: Backbone, shot: Shot, settings: Settings) -> MemoryPlan | None:
    """What a job is predicted to need; None for an architecture that nobody has counted."""
    architecture, half = Architecture.of_backbone(backbone), backbone.dtype.itemsize == 2
    counts = known_counts(architecture, half)
    if counts is None:
        return None
    clip = shot.clip
    fit = plan_fit(clip.width, clip.height, clip.pixel_aspect, backbone.pixel_budget, backbone.size_multiple)
    trains = settings.lora_steps(backbone.folder.lora_steps) > 0
    request = Request(fit.width, fit.height, settings.steps, trains, settings.maps)
    return choose(architecture, counts, memory_of(backbone.device, torch.cuda), request)


def device_words(device: torch.device) -> str:
    """`cpu`, or `cuda:0 NVIDIA RTX 4090`."""
    if device.type != "cuda":
        return str(device)
    index = torch.cuda.current_device() if device.index is None else device.index
    return f"cuda:{index} {torch.cuda.get_device_name(index)}"
