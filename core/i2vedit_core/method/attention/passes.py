"""METHOD sections 5 and 6: what the self-attention layers do during one pass of the UNet."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from diffusers import UNetSpatioTemporalConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor

from i2vedit_core.method.attention.edit_map import EditMap
from i2vedit_core.method.attention.layers import Kind, Layer, attention_layers, cross_attention_paths, processors
from i2vedit_core.method.attention.matched import matched_attention, plain_attention
from i2vedit_core.method.attention.reference import FrontKeys

SourceMaps = Mapping[str, tuple[Tensor, Tensor]]
"""Q0 and K0 of the source, by layer path."""


@dataclass(frozen=True)
class Matching:
    """How the edit's conditional pass is held to the source's (section 6)."""

    source: SourceMaps
    threshold: Tensor
    """[F], one per frame."""
    progress: float
    """p = step / N in [0, 1)."""
    stages: tuple[float, float]
    """(beta_1, beta_2)."""
    edit_map: EditMap

    def keeps_source(self, layer: Layer) -> bool:
        """Whether a temporal layer takes the source's map at this step."""
        everywhere, deep = self.stages
        return self.progress < everywhere or (self.progress < deep and layer.deepest)

    def attend(self, layer: Layer, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        q0, k0 = (tensor.to(q.device, non_blocking=True) for tensor in self.source[layer.path])
        if layer.kind is Kind.TEMPORAL:
            return plain_attention(q0, k0, v) if self.keeps_source(layer) else plain_attention(q, k, v)
        out, difference = matched_attention(q, k, v, q0, k0, self.threshold)
        self.edit_map.add(layer, difference)
        return out


@dataclass(frozen=True)
class AttentionPass:
    """One pass of the UNet. With nothing set it computes what the plain model computes."""

    front: FrontKeys | None = None
    """Chunk 0's keys and values, put in front in temporal layers."""
    keep_front: FrontKeys | None = None
    """Receives this pass's own keys and values of temporal layers."""
    record: dict[str, tuple[Tensor, Tensor]] | None = None
    """Receives Q and K of every layer: the source's maps."""
    matching: Matching | None = None

    def attend(self, layer: Layer, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attention of one layer, [B, heads, N, D]."""
        if layer.kind is Kind.TEMPORAL:
            if self.keep_front is not None:
                self.keep_front.keep(layer.path, k, v)
            if self.front is not None:
                k, v = self.front.put_in_front(layer.path, k, v)
        if self.record is not None:
            # In one memory layout whether they are used at once or read back: the layout decides which kernels run, and so the last bits.
            self.record[layer.path] = q.detach().contiguous(), k.detach().contiguous()
        return self.matching.attend(layer, q, k, v) if self.matching else plain_attention(q, k, v)

    @contextmanager
    def installed(self, unet: UNetSpatioTemporalConditionModel) -> Iterator[None]:
        """The UNet's attention follows this pass inside the block. Backward passes with checkpointing belong inside, too."""
        layers = {layer.path: PassProcessor(layer, self) for layer in attention_layers(unet)}
        with processors(unet, {**layers, **dict.fromkeys(cross_attention_paths(unet), attend_to_one_token)}):
            yield


class PassProcessor:
    """The diffusers processor of one layer: projects, lets the pass attend, projects back."""

    def __init__(self, layer: Layer, attention_pass: AttentionPass) -> None:
        self._layer, self._pass = layer, attention_pass

    def __call__(
        self, attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None, attention_mask: Tensor | None = None
    ) -> Tensor:
        q, k, v = (project(hidden_states).unflatten(-1, (attn.heads, -1)).transpose(1, 2) for project in (attn.to_q, attn.to_k, attn.to_v))
        out = self._pass.attend(self._layer, q, k, v)
        projected: Tensor = attn.to_out[1](attn.to_out[0](out.transpose(1, 2).flatten(2)))
        return projected


def attend_to_one_token(
    attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None, attention_mask: Tensor | None = None
) -> Tensor:
    """Cross-attention to the image's embedding. Of a single token every query takes all, whatever it asks: queries, keys and softmax are
    spared, and what is left is the same for all positions of all frames (METHOD section 0, Numerics)."""
    assert encoder_hidden_states is not None and encoder_hidden_states.shape[1] == 1, "one pass has one condition, which is one token"
    projected: Tensor = attn.to_out[1](attn.to_out[0](attn.to_v(encoder_hidden_states[:1])))
    return projected.expand(len(hidden_states), hidden_states.shape[1], -1)
