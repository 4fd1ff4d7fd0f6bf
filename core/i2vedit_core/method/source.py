"""METHOD sections 3, 5 and 6: the source chunk as the edit needs it: its latents, its trajectory, and its attention at every level."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from i2vedit_core.backbone import Backbone
from i2vedit_core.method.attention.passes import AttentionPass, SourceMaps
from i2vedit_core.method.attention.reference import FrontKeys, Reference
from i2vedit_core.method.conditioning import Condition
from i2vedit_core.method.edm import predict
from i2vedit_core.method.inversion import inversion_grid, invert
from i2vedit_core.method.motion_lora import Answer


@dataclass(frozen=True)
class Source:
    """A source chunk on its way through the method."""

    z_0: Tensor
    """[1, F, C, h, w] float32: its clean latents, scaled."""
    condition: Condition
    """On its own first frame, the noise included: every later pass sees the same one."""
    sigmas: Tensor
    """[N + 1] float32: the sampler's grid, the last entry 0."""
    reference: Reference | None
    """Chunk 0's keys and values by level; None for chunk 0 itself."""

    def front(self, level: int) -> FrontKeys | None:
        return None if self.reference is None else self.reference[level]

    def nearest_front(self, sigma: Tensor) -> FrontKeys | None:
        """Chunk 0 at the level whose sigma is nearest on a logarithmic scale: training draws noise levels between the grid's."""
        if self.reference is None:
            return None
        distance = (inversion_grid(self.sigmas).log() - sigma.log().cpu()).abs()
        return self.reference[int(distance.argmin())]


def invert_source(
    backbone: Backbone, source: Source, z: Tensor, after_step: Callable[[int], None], maps: dict[int, SourceMaps] | None = None
) -> Tensor:
    """The trajectory [N + 1, F, C, h, w] of section 3: base model, LoRA off, no guidance. z: the latents after SARP, scaled, as `z_0`.

    `maps`, if given, receives the attention of every level on the way: all but the topmost, which inversion never evaluates.
    """

    def answer(z: Tensor, sigma: Tensor, level: int) -> Tensor:
        seen: dict[str, tuple[Tensor, Tensor]] | None = None
        if maps is not None:
            seen = maps[level] = {}
        with AttentionPass(front=source.front(level), record=seen).installed(backbone.unet):
            return predict(backbone, z, sigma, source.condition)

    return invert(z, source.sigmas, answer, after_step)


@contextmanager
def training_pass(backbone: Backbone, source: Source, sigma: Tensor) -> Iterator[Answer]:
    """z -> U at one noise level, as LoRA training asks for it (section 4), with chunk 0's keys in front from chunk 1 on (section 5).

    The backward pass belongs inside the block, too: with gradient checkpointing it runs forwards again.
    """
    with AttentionPass(front=source.nearest_front(sigma)).installed(backbone.unet):
        yield lambda z: predict(backbone, z, sigma, source.condition)


@torch.no_grad()
def replay(backbone: Backbone, source: Source, trajectory: Tensor, level: int) -> dict[str, tuple[Tensor, Tensor]]:
    """Q0 and K0 of every self-attention layer at one level, by running the base model once more on the trajectory (section 6)."""
    maps: dict[str, tuple[Tensor, Tensor]] = {}
    sigma = inversion_grid(source.sigmas)[level].to(trajectory)
    with AttentionPass(front=source.front(level), record=maps).installed(backbone.unet):
        predict(backbone, trajectory[level][None], sigma, source.condition)
    return maps


class ReplayedMaps:
    """Source maps by replay: nothing is kept, each level is computed when it is asked for. The default."""

    def __init__(self, backbone: Backbone, source: Source, trajectory: Tensor) -> None:
        self._backbone, self._source, self._trajectory = backbone, source, trajectory

    def at(self, level: int) -> SourceMaps:
        return replay(self._backbone, self._source, self._trajectory, level)


class StoredMaps:
    """Source maps held in memory, computed once: for those who have the room and will edit the chunk again."""

    def __init__(
        self, backbone: Backbone, source: Source, trajectory: Tensor, seen: Mapping[int, SourceMaps] = MappingProxyType({})
    ) -> None:
        """`seen`: what inversion has seen on its way; the rest is replayed."""
        levels = range(len(source.sigmas) - 1)
        self._maps = {level: seen[level] if level in seen else replay(backbone, source, trajectory, level) for level in levels}

    def at(self, level: int) -> SourceMaps:
        return self._maps[level]


@torch.no_grad()
def record_reference(
    backbone: Backbone, source: Source, trajectory: Tensor, frames: tuple[int, ...], after_step: Callable[[int], None]
) -> Reference:
    """Chunk 0's source keys and values at every level of the inversion grid, for inverting and training later chunks (section 5)."""
    grid = inversion_grid(source.sigmas).to(trajectory)
    reference = {}
    for level, sigma in enumerate(grid):
        reference[level] = FrontKeys(frames)
        with AttentionPass(keep_front=reference[level]).installed(backbone.unet):
            predict(backbone, trajectory[level][None], sigma, source.condition)
        after_step(level)
    return reference
