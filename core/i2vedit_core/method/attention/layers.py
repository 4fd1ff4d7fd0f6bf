"""Finding the UNet's attention layers by their path, and exchanging their processors for as long as a block of code runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from diffusers import UNetSpatioTemporalConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor


class Kind(StrEnum):
    SPATIAL = "spatial"
    TEMPORAL = "temporal"


class Processor(Protocol):
    """What diffusers calls in place of an attention layer's own arithmetic: hidden_states [B, N, C] in and out."""

    def __call__(
        self, attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None, attention_mask: Tensor | None = None
    ) -> Tensor: ...


@dataclass(frozen=True)
class Layer:
    """A self-attention layer (attn1) of the UNet."""

    path: str
    kind: Kind
    downscale: int
    """How much smaller this level is than the latent: 1, 2, 4, ..."""
    deepest: bool
    """The lowest level that has attention on the way down, or the middle: where the source's temporal maps are kept longest (section 6)."""


def attention_layers(unet: UNetSpatioTemporalConditionModel) -> tuple[Layer, ...]:
    """All self-attention layers of the spatial and temporal transformer blocks, in the order of their paths."""
    lowest = max(i for i, block in enumerate(unet.config.down_block_types) if block.startswith("CrossAttn"))
    return tuple(_layer(unet, path, 2**lowest) for path in _paths(unet, "attn1"))


def cross_attention_paths(unet: UNetSpatioTemporalConditionModel) -> list[str]:
    """Of the layers (attn2) that look at the image's embedding."""
    return _paths(unet, "attn2")


def _paths(unet: UNetSpatioTemporalConditionModel, name: str) -> list[str]:
    return sorted(path for path, module in unet.named_modules() if isinstance(module, Attention) and path.endswith(f".{name}"))


def _layer(unet: UNetSpatioTemporalConditionModel, path: str, lowest: int) -> Layer:
    levels = len(unet.config.block_out_channels)
    part, index = path.split(".")[:2]
    if part == "mid_block":
        downscale = 2 ** (levels - 1)
    elif part == "down_blocks":
        downscale = 2 ** int(index)
    else:
        downscale = 2 ** (levels - 1 - int(index))
    kind = Kind.TEMPORAL if ".temporal_transformer_blocks." in path else Kind.SPATIAL
    return Layer(path, kind, downscale, downscale >= lowest)


@contextmanager
def processors(unet: UNetSpatioTemporalConditionModel, by_path: Mapping[str, Processor]) -> Iterator[None]:
    """Installs a processor at each path and puts the originals back, whatever happens. Raises KeyError for a path that is not there."""
    modules = {path: _attention_at(unet, path) for path in by_path}
    originals = {path: module.processor for path, module in modules.items()}
    try:
        for path, module in modules.items():
            module.processor = by_path[path]
        yield
    finally:
        for path, module in modules.items():
            module.processor = originals[path]


def _attention_at(unet: UNetSpatioTemporalConditionModel, path: str) -> Attention:
    try:
        module = unet.get_submodule(path)
    except AttributeError as error:
        raise KeyError(f"the UNet has no layer '{path}'") from error
    if not isinstance(module, Attention):
        raise KeyError(f"'{path}' is not an attention layer")
    return module
