"""METHOD sections 3, 5 and 6: the source chunk as the edit needs it: its latents, its trajectory, and its attention at every level."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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
    front: Reference | None = None
    """What is put in front of this chunk's own keys and values, by level: chunk 0's (section 5). None for chunk 0 itself."""
    leaves: Reference | None = None
    """Chunk 0's own keys and values, which become the `front` of later chunks: every pass of the base model fills the level that it sees,
    if it is still empty. None for later chunks, and for a shot of one chunk."""

    @property
    def grid(self) -> Tensor:
        """[N + 1] float32: the noise level of each entry of the trajectory."""
        return inversion_grid(self.sigmas)

    def front_at(self, level: int) -> FrontKeys | None:
        """Of one level of the trajectory."""
        return None if self.front is None else self.front[level]

    def nearest_front(self, sigma: Tensor) -> FrontKeys | None:
        """Chunk 0 at the level whose sigma is nearest on a logarithmic scale: training draws noise levels between the grid's."""
        if self.front is None:
            return None
        distance = (self.grid.log() - sigma.log().cpu()).abs()
        return self.front[int(distance.argmin())]


def invert_source(
    backbone: Backbone,
    source: Source,
    z: Tensor,
    after_step: Callable[[int], None],
    keep_maps: Callable[[int, SourceMaps], None] | None = None,
    climbed: list[Tensor] | None = None,
) -> Tensor:
    """The trajectory [N + 1, F, C, h, w] of section 3: base model, LoRA off, no guidance. z: the latents after SARP, scaled, as `z_0`.

    `keep_maps`, if given, receives the attention of every level on the way: all but the topmost, which inversion never evaluates.
    `climbed` is what `inversion.invert` makes of it.
    """

    def answer(z: Tensor, sigma: Tensor, level: int) -> Tensor:
        maps: dict[str, tuple[Tensor, Tensor]] | None = None if keep_maps is None else {}
        velocity = _look(backbone, source, z, sigma, level, maps)
        if keep_maps is not None and maps is not None:
            keep_maps(level, maps)
        return velocity

    return invert(z, source.sigmas, answer, after_step, climbed)


@torch.no_grad()
def replay(backbone: Backbone, source: Source, trajectory: Tensor, level: int) -> SourceMaps:
    """Q0 and K0 of every self-attention layer at one level, by running the base model once more on the trajectory (section 6)."""
    maps: dict[str, tuple[Tensor, Tensor]] = {}
    _look(backbone, source, trajectory[level][None], source.grid[level].to(trajectory), level, maps)
    return maps


def _look(
    backbone: Backbone, source: Source, z: Tensor, sigma: Tensor, level: int, maps: dict[str, tuple[Tensor, Tensor]] | None
) -> Tensor:
    """U of the base model on the source at one level of its trajectory. What was asked to be kept of it, is."""
    leaves = None if source.leaves is None or source.leaves[level].filled else source.leaves[level]
    with AttentionPass(front=source.front_at(level), keep_front=leaves, record=maps).installed(backbone.unet):
        return predict(backbone, z, sigma, source.condition)


def complete_reference(
    backbone: Backbone, source: Source, trajectory: Tensor, levels: range, after_step: Callable[[int], None] = lambda step: None
) -> None:
    """Fills those of the levels of what chunk 0 leaves that no pass has filled on its way (section 5)."""
    assert source.leaves is not None
    missing = [level for level in levels if not source.leaves[level].filled]
    for step, level in enumerate(missing):
        replay(backbone, source, trajectory, level)
        after_step(step)


@contextmanager
def training_pass(backbone: Backbone, source: Source, sigma: Tensor) -> Iterator[Answer]:
    """z -> U at one noise level, as LoRA training asks for it (section 4), with chunk 0's keys in front from chunk 1 on (section 5).

    The backward pass belongs inside the block, too: with gradient checkpointing it runs forwards again.
    """
    with AttentionPass(front=source.nearest_front(sigma)).installed(backbone.unet):
        yield lambda z: predict(backbone, z, sigma, source.condition)
