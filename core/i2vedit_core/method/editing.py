"""METHOD section 6: EDM denoising from the inverted noise, conditioned on the edited frame, held to the source by attention matching."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from i2vedit_core.backbone import Backbone
from i2vedit_core.method.attention.edit_map import EditMap
from i2vedit_core.method.attention.passes import AttentionPass, Matching, SourceMaps
from i2vedit_core.method.attention.reference import Reference, empty_reference
from i2vedit_core.method.conditioning import Condition
from i2vedit_core.method.edm import denoised, predict, slope
from i2vedit_core.method.motion_lora import MotionLora
from i2vedit_core.settings import Part, Settings

Look = Callable[[int, Tensor], None]
"""(step, predicted clean latent [1, F, C, h, w]): to look at, and not to touch."""
Hold = Callable[[Tensor, EditMap, int], Tensor]
"""(predicted clean latent, edit map so far, level) -> the clean latent to go towards."""


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
        return cls(empty_reference(levels, frames), empty_reference(levels, frames))

    def halves(self) -> dict[str, Reference]:
        """Both by their names."""
        return {"conditional": self.conditional, "unconditional": self.unconditional}


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
    lock: Hold | None = None
    """Holds the predicted clean latent to the source outside the edit (section 1)."""
    look: Look | None = None
    """Sees how far it is after each evaluation. Decides nothing."""


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
        if editing.look is not None:
            editing.look(step, denoised(z, sigmas[step], answer))
        z = z + (sigmas[step + 1] - sigmas[step]) * _slope(editing, z, sigmas[step], answer, edit_map, level)
        after_step(step)
    return Edited(z.contiguous(), edit_map.mean())


def _slope(editing: Editing, z: Tensor, sigma: Tensor, answer: Tensor, edit_map: EditMap, level: int) -> Tensor:
    """dz/dsigma, towards the locked clean latent where there is a lock."""
    if editing.lock is None:
        return slope(z, sigma, answer)
    return (z - editing.lock(denoised(z, sigma, answer), edit_map, level)) / sigma


def _guided_answer(editing: Editing, z: Tensor, sigma: Tensor, level: int, edit_map: EditMap) -> Tensor:
    """U with guidance: the conditional half matched to the source, the unconditional half free. The LoRA is on in both."""
    front, keep = editing.front, editing.keep
    matching = _matching(editing, level, edit_map, z.shape[1])
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


def _matching(editing: Editing, level: int, edit_map: EditMap, frames: int) -> Matching | None:
    """What is left of attention matching once the parts to leave out are gone."""
    settings, without = editing.settings, editing.settings.without
    if Part.SPATIAL in without and Part.TEMPORAL in without:
        return None
    # From a threshold of 0 on every difference counts as an edit, so that the edit's own attention stands.
    threshold = torch.zeros(frames) if Part.SPATIAL in without else torch.linspace(*settings.attention_threshold, frames)
    stages = (0.0, 0.0) if Part.TEMPORAL in without else settings.temporal_stages
    return Matching(editing.maps.at(level), threshold, level / settings.steps, stages, edit_map)


def guidance(ends: tuple[float, float], frames: int) -> Tensor:
    """Guidance [1, F, 1, 1, 1], linear over the frames from the first end to the last."""
    return torch.linspace(*ends, frames)[None, :, None, None, None]
