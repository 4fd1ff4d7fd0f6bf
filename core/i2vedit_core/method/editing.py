"""METHOD section 6: EDM denoising from the inverted noise, conditioned on the edited frame, held to the source by attention matching."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from i2vedit_core.backbone import Backbone
from i2vedit_core.method.attention.edit_map import EditMap
from i2vedit_core.method.attention.passes import AttentionPass, Matching, SourceMaps
from i2vedit_core.method.attention.reference import FrontKeys, Reference
from i2vedit_core.method.conditioning import Condition
from i2vedit_core.method.edm import predict, slope
from i2vedit_core.method.motion_lora import MotionLora
from i2vedit_core.settings import Settings


class MapSource(Protocol):
    """Where Q0 and K0 of a level come from: replay or a store."""

    def at(self, level: int) -> SourceMaps: ...


@dataclass(frozen=True)
class References:
    """Keys and values of the edited chunk 0 by level, for each half of the guidance (section 5)."""

    conditional: Reference
    unconditional: Reference

    @classmethod
    def empty(cls, levels: range, frames: tuple[int, ...]) -> "References":
        """To be filled while chunk 0 is edited."""
        return cls({level: FrontKeys(frames) for level in levels}, {level: FrontKeys(frames) for level in levels})


@dataclass(frozen=True)
class Edited:
    """An edited chunk."""

    z: Tensor
    """[1, F, C, h, w] float32: its clean latents, scaled."""
    edit_map: Tensor
    """[F, h, w] float32 in [0, 1]: where its attention differed from the source's."""


@dataclass(frozen=True)
class Editing:
    """What the denoising of one chunk works with."""

    backbone: Backbone
    settings: Settings
    guidance: tuple[float, float]
    sigmas: Tensor
    """[N + 1] float32: the sampler's grid, the last entry 0."""
    condition: Condition
    """On the edited frame."""
    maps: MapSource
    lora: MotionLora
    front: References | None = None
    """What chunk 0 left; None for chunk 0."""
    keep: References | None = None
    """What chunk 0 leaves; None for later chunks, and for a shot of one chunk."""


def editing_levels(settings: Settings) -> range:
    """The levels of the grid that are visited: all, or every second for a preview (section 8)."""
    return range(0, settings.steps, settings.level_stride)


@torch.no_grad()
def edit_chunk(editing: Editing, z: Tensor, after_step: Callable[[int], None]) -> Edited:
    """Denoises z [1, F, C, h, w], the inverted source at sigma_0, into the edited chunk. Euler steps."""
    levels = editing_levels(editing.settings)
    sigmas = torch.cat([editing.sigmas[levels.start : -1 : levels.step], editing.sigmas[-1:]]).to(z.device)
    edit_map = EditMap(z.shape[1], *z.shape[-2:])
    for step, level in enumerate(levels):
        answer = _guided_answer(editing, z, sigmas[step], level, edit_map)
        z = z + (sigmas[step + 1] - sigmas[step]) * slope(z, sigmas[step], answer)
        after_step(step)
    return Edited(z, edit_map.mean())


def _guided_answer(editing: Editing, z: Tensor, sigma: Tensor, level: int, edit_map: EditMap) -> Tensor:
    """U with guidance: the conditional half matched to the source, the unconditional half free. The LoRA is on in both."""
    source = editing.maps.at(level)
    settings, front, keep = editing.settings, editing.front, editing.keep
    threshold = torch.linspace(*settings.attention_threshold, z.shape[1])
    matching = Matching(source, threshold, level / settings.steps, settings.temporal_stages, edit_map)
    conditional_pass = AttentionPass(
        front=front.conditional[level] if front else None, keep_front=keep.conditional[level] if keep else None, matching=matching
    )
    free_pass = AttentionPass(front=front.unconditional[level] if front else None, keep_front=keep.unconditional[level] if keep else None)
    with editing.lora.on():
        with conditional_pass.installed(editing.backbone.unet):
            conditional = predict(editing.backbone, z, sigma, editing.condition)
        if editing.guidance == (1.0, 1.0):
            return conditional
        with free_pass.installed(editing.backbone.unet):
            unconditional = predict(editing.backbone, z, sigma, editing.condition.unconditional())
    weight = guidance(editing.guidance, z.shape[1]).to(z)
    return unconditional + weight * (conditional - unconditional)


def guidance(ends: tuple[float, float], frames: int) -> Tensor:
    """Guidance [1, F, 1, 1, 1], linear over the frames from the first end to the last."""
    return torch.linspace(*ends, frames)[None, :, None, None, None]
