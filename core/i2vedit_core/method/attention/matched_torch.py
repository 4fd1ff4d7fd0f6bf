"""METHOD section 6 by torch's own operators, on any device: blocks of query rows, all heads of them, against all keys."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

CPU_BLOCK = 1 << 21
"""Scores of one block: rows enough for a good matrix product, and three such buffers within reach of a processor's last cache."""
DEVICE_BLOCK = 1 << 24
"""The same for other devices, where a small block would not keep the device busy."""


@dataclass(frozen=True)
class _Keys:
    """What a block of rows attends to, of f frames."""

    k: Tensor
    """[f * heads, D, N]: laid out for the product with a few rows, which is a fifth faster for it on a CPU."""
    k0: Tensor
    v: Tensor
    """[f * heads, N, D]."""

    @classmethod
    def of(cls, k: Tensor, k0: Tensor, v: Tensor, dtype: torch.dtype) -> "_Keys":
        """From [f, heads, N, D]."""
        k, k0, v = (tensor.to(dtype).flatten(0, 1) for tensor in (k, k0, v))
        return cls(k.mT.contiguous(), k0.mT.contiguous(), v)


def match_by_torch(q: Tensor, k: Tensor, v: Tensor, q0: Tensor, k0: Tensor, limit: Tensor) -> tuple[Tensor, Tensor]:
    """`matched_attention` for thresholds [F]. Holds three blocks of scores, and for half types one frame's keys in float32."""
    frames, heads, count, _ = q.shape
    out, edit_map = v.new_empty(v.shape), q.new_empty((frames, count), dtype=torch.float32)
    # In half precision the scores themselves would be rounded, before the threshold looks at them.
    precise = torch.promote_types(q.dtype, torch.float32)
    size = CPU_BLOCK if q.device.type == "cpu" else DEVICE_BLOCK
    rows = min(count, max(1, size // (heads * count)))
    few = min(frames, max(1, size // (heads * count * rows)))
    scratch = q.new_empty((3, few * heads * rows * count), dtype=precise)
    for frame in _blocks(frames, few):
        keys = _Keys.of(k[frame], k0[frame], v[frame], precise)
        for part in _blocks(count, rows):
            query, query0 = q[frame, :, part].to(precise), q0[frame, :, part].to(precise)
            out[frame, :, part], edit_map[frame, part] = _match_block(query, query0, keys, limit[frame], scratch)
    return out, edit_map


def _blocks(length: int, step: int) -> Iterator[slice]:
    return (slice(start, min(start + step, length)) for start in range(0, length, step))


def _match_block(q: Tensor, q0: Tensor, keys: _Keys, limit: Tensor, scratch: Tensor) -> tuple[Tensor, Tensor]:
    """q, q0: [f, heads, R, D]; limit: [f]; scratch: [3, at least f * heads * R * N]. Returns [f, heads, R, D] and d [f, R]."""
    shape = (*q.shape[:3], keys.v.shape[1])
    a, a0, apart = (buffer[: q[..., 0].numel() * shape[3]].view(shape) for buffer in scratch)
    _attend(q, keys.k, a)
    _attend(q0, keys.k0, a0)
    difference = (torch.sub(a, a0, out=apart).abs_().sum(-1).mean(1) / 2).clamp(0, 1)
    weight = torch.where(difference >= limit[:, None], 1.0, difference)[:, None, :, None]
    # The maps are blended instead of the outputs: this pass over the block is cheaper than a second product with V.
    blended = a0.lerp_(a, weight.to(a.dtype))
    return (blended.flatten(0, 1) @ keys.v).view(q.shape), difference


def _attend(q: Tensor, k: Tensor, out: Tensor) -> None:
    """softmax(q k / sqrt(D)) into `out` [f, heads, R, N]; q: [f, heads, R, D], k: [f * heads, D, N]."""
    torch.bmm((q * q.shape[-1] ** -0.5).flatten(0, 1), k, out=out.flatten(0, 1))
    torch.softmax(out, -1, out=out)
