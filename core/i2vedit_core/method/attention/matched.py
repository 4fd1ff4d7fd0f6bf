"""METHOD section 6: fine-grained matching of spatial self-attention, without ever holding anything of size N x N.

The blend weight depends on the query row alone, so out = m·SDPA(Q, K, V) + (1 - m)·SDPA(Q0, K0, V); and the mean over heads and the
sum over keys commute, so the row's difference needs each head's row sum alone. Query rows are streamed in blocks.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

BLOCK_ELEMENTS = 1 << 20
"""Scores held at once, per map."""


def matched_attention(q: Tensor, k: Tensor, v: Tensor, q0: Tensor, k0: Tensor, threshold: float | Tensor) -> tuple[Tensor, Tensor]:
    """Blends the edit's attention with the source's, row by row, where the two maps agree.

    q, k, v, q0, k0: [F, heads, N, D] of one type; v is the edit's own. `threshold`: a float, or [F], one per frame.
    With a = softmax(q k^T / sqrt(D)) and a0 likewise: d = 1/2 mean over heads of the sum over keys of |a - a0|, m = 1 where d >= threshold
    else d, out = m a v + (1 - m) a0 v. Returns out [F, heads, N, D] and the edit map d [F, N] float32 in [0, 1].
    """
    frames, heads, rows, _ = q.shape
    limit = torch.as_tensor(threshold, dtype=torch.float32, device=q.device).expand(frames)
    out, edit_map = torch.empty_like(q), q.new_empty((frames, rows), dtype=torch.float32)
    block = max(1, BLOCK_ELEMENTS // (heads * k.shape[2]))
    for frame in range(frames):
        for start in range(0, rows, block):
            part = slice(start, start + block)
            result = _match_rows(q[frame, :, part], k[frame], v[frame], q0[frame, :, part], k0[frame], limit[frame])
            out[frame, :, part], edit_map[frame, part] = result
    return out, edit_map


def _match_rows(q: Tensor, k: Tensor, v: Tensor, q0: Tensor, k0: Tensor, limit: Tensor) -> tuple[Tensor, Tensor]:
    """One block of query rows of one frame: q, q0 [heads, R, D]; k, v, k0 [heads, N, D]. The softmax is float32."""
    a, a0 = _softmax(q, k), _softmax(q0, k0)
    edit, source = a.to(v.dtype) @ v, a0.to(v.dtype) @ v
    difference = (a.sub_(a0).abs_().sum(-1).mean(0) / 2).clamp(0, 1)
    weight = torch.where(difference >= limit, 1.0, difference)[None, :, None].to(v.dtype)
    return weight * edit + (1 - weight) * source, difference


def _softmax(q: Tensor, k: Tensor) -> Tensor:
    # In half precision the scores themselves would be rounded, before the threshold looks at them.
    return torch.softmax(q.float() @ k.float().transpose(-1, -2) / math.sqrt(q.shape[-1]), dim=-1)


def plain_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(D)) v for [B, heads, N, D]."""
    return scaled_dot_product_attention(q, k, v)
