"""Work on a shot, fitted to the memory that is there: what propagation and preparation share before they part."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from torch import Tensor

from i2vedit_core.backbone import Backbone
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.legs import Leg
from i2vedit_core.media.fit import Fit, plan_fit
from i2vedit_core.media.working import Working
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
    fit = fit_for(shot, settings, backbone)
    plan = plan_for(backbone, request_for(shot, settings, backbone), spare_bytes)
    return carry_out(plan, lambda options: attempt(fit, options), lambda taken: on_event(PlanTaken(taken)))


def request_for(shot: Shot, settings: Settings, backbone: Backbone) -> Request:
    """What work on the shot asks of the memory."""
    fit, trains = fit_for(shot, settings, backbone), settings.lora_steps(backbone.folder.lora_steps) > 0
    seen = len(range(0, len(shot), settings.stride or 1))
    return Request(fit.width, fit.height, settings.steps, trains, settings.maps, min(seen, backbone.chunk_frames))


def fit_for(shot: Shot, settings: Settings, backbone: Backbone) -> Fit:
    """Where the plate lies in the model's picture. Raises BridgeError SETTING_INVALID where the picture may be too small to be one."""
    area, multiple = settings.picture_area or backbone.architecture.pixel_budget, backbone.architecture.size_multiple
    if area < multiple**2:
        sentence = f"The model's picture must have at least {multiple}x{multiple} pixels; give a larger --size."
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.SETTING_INVALID, sentence)
    clip = shot.clip
    fit = plan_fit(clip.width, clip.height, clip.pixel_aspect, min(area, backbone.architecture.pixel_budget), multiple)
    return replace(fit, working=Working.of(clip.color_space))


def reader(shot: Shot, fit: Fit, leg: Leg) -> ReadChunk:
    """Reads the chunks of a leg at the model's size."""

    def read(chunk: Chunk) -> Tensor:
        return read_chunk(shot, fit, leg.seen_in(chunk))

    return read
