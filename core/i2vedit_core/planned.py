"""Work on a shot, fitted to the memory that is there: what propagation and preparation share before they part."""

from collections.abc import Callable
from typing import TypeVar

from torch import Tensor

from i2vedit_core.backbone import Backbone
from i2vedit_core.media.fit import Fit, plan_fit
from i2vedit_core.method.chunks import Chunk
from i2vedit_core.method.preparation import ReadChunk
from i2vedit_core.pictures import read_chunk
from i2vedit_core.plan.carrying_out import carry_out
from i2vedit_core.plan.choice import Request
from i2vedit_core.plan.making import plan_for
from i2vedit_core.plan.options import Options
from i2vedit_core.progress import EventCallback, PlanTaken
from i2vedit_core.settings import Settings
from i2vedit_core.shot import Shot

Result = TypeVar("Result")


def carry_out_planned(
    shot: Shot,
    settings: Settings,
    backbone: Backbone,
    attempt: Callable[[Fit, Options], Result],
    on_event: EventCallback,
    spare_bytes: int = 0,
) -> Result:
    """Runs the work with the cheapest options that fit, and once more with leaner ones if not. Raises BridgeError OUT_OF_MEMORY."""
    clip = shot.clip
    fit = plan_fit(clip.width, clip.height, clip.pixel_aspect, backbone.pixel_budget, backbone.size_multiple)
    request = Request(fit.width, fit.height, settings.steps, settings.lora_steps(backbone.folder.lora_steps) > 0, settings.maps)
    plan = plan_for(backbone, request, spare_bytes)
    return carry_out(plan, lambda options: attempt(fit, options), lambda taken: on_event(PlanTaken(taken)))


def reader(shot: Shot, fit: Fit) -> ReadChunk:
    """Reads the shot's chunks at the model's size."""

    def read(chunk: Chunk) -> Tensor:
        return read_chunk(shot, fit, shot.first + chunk.start, chunk.length)

    return read
