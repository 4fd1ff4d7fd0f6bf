"""METHOD section 5: what later chunks see of chunk 0: keys and values of its temporal attention at a few reference frames."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Quantized:
    """A tensor in eight bits, one scale per vector of its last axis. The error is at most 1/254 of the vector's largest entry."""

    values: Tensor
    scale: Tensor

    @classmethod
    def of(cls, tensor: Tensor) -> "Quantized":
        scale = tensor.float().abs().amax(-1, keepdim=True).clamp_min(1e-12) / 127
        # Off the device at once: at full size the references of a shot would fill half a card. In one memory layout, as when read back.
        return cls((tensor.float() / scale).round().to(torch.int8).cpu().contiguous(), scale.float().cpu().contiguous())

    def restore(self, like: Tensor) -> Tensor:
        return (self.values.to(like.device).float() * self.scale.to(like.device)).to(like.dtype)


_PARTS = ("k", "k_scale", "v", "v_scale")


class FrontKeys:
    """Keys and values of every temporal layer at one noise level, to be put in front of a later chunk's own (section 5).

    Kept as eight-bit integers: at SVD's full size three frames of all layers and 25 levels are about 4 GB.
    """

    def __init__(self, frames: tuple[int, ...]) -> None:
        self._frames = list(frames)
        self._layers: dict[str, tuple[Quantized, Quantized]] = {}

    @property
    def filled(self) -> bool:
        return bool(self._layers)

    def keep(self, path: str, k: Tensor, v: Tensor) -> None:
        """Remembers k, v [B, heads, F, D] of a layer at the reference frames."""
        chosen_k, chosen_v = k.detach()[:, :, self._frames], v.detach()[:, :, self._frames]
        self._layers[path] = Quantized.of(chosen_k), Quantized.of(chosen_v)

    def tensors(self) -> dict[str, Tensor]:
        """What is kept, to be written down: a tensor for each layer's `PATH:PART`."""
        return {
            f"{path}:{part}": tensor
            for path, (k, v) in self._layers.items()
            for part, tensor in zip(_PARTS, (k.values, k.scale, v.values, v.scale), strict=True)
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Takes up what `tensors` gave. Raises KeyError where some of it is missing."""
        for path in sorted({name.rpartition(":")[0] for name in tensors}):
            k_values, k_scale, v_values, v_scale = (tensors[f"{path}:{part}"] for part in _PARTS)
            self._layers[path] = Quantized(k_values, k_scale), Quantized(v_values, v_scale)

    def put_in_front(self, path: str, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """K <- [K_0; K_i], V <- [V_0; V_i] along the frame axis. Raises KeyError for a layer that was never kept."""
        front_k, front_v = self._layers[path]
        return torch.cat([front_k.restore(k), k], dim=2), torch.cat([front_v.restore(v), v], dim=2)


Reference = Mapping[int, FrontKeys]
"""Front keys by noise level."""


def empty_reference(levels: range, frames: tuple[int, ...]) -> Reference:
    """To be filled by the passes of chunk 0, at these levels."""
    return {level: FrontKeys(frames) for level in levels}


def reference_frames(count: int, chunk_frames: int) -> tuple[int, ...]:
    """So many frames of a chunk, evenly from its first to its last: 3 of 14 are 0, 6 (half way, rounded down) and 13."""
    count = min(count, chunk_frames)
    if count <= 1:
        return (0,) if count else ()
    return tuple(i * (chunk_frames - 1) // (count - 1) for i in range(count))
