"""METHOD section 6: fine-grained matching of spatial self-attention, without ever holding anything of size N x N.

The blend weight depends on the query row alone, so out = m·SDPA(Q, K, V) + (1 - m)·SDPA(Q0, K0, V); and the mean over heads and the
sum over keys commute, so the row's difference needs each head's row sum alone. `matched_torch` streams query rows through torch's own
operators on any device; `matched_triton` is the same in three kernels, for CUDA where Triton works.
"""

import logging
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from i2vedit_core.method.attention.matched_torch import match_by_torch
from i2vedit_core.plan.carrying_out import is_out_of_memory

_log = logging.getLogger(__name__)

Form = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""`matched_attention` for thresholds [F] float32 on the tensors' device."""

FUSED_TYPES = (torch.float32, torch.float16, torch.bfloat16)


def matched_attention(q: Tensor, k: Tensor, v: Tensor, q0: Tensor, k0: Tensor, threshold: float | Tensor) -> tuple[Tensor, Tensor]:
    """Blends the edit's attention with the source's, row by row, where the two maps agree. It has no gradient.

    q, k, v, q0, k0: [F, heads, N, D] of one type; v is the edit's own. `threshold`: a float, or [F], one per frame.
    With a = softmax(q k^T / sqrt(D)) and a0 likewise: d = 1/2 mean over heads of the sum over keys of |a - a0|, m = 1 where d >= threshold
    else d, out = m a v + (1 - m) a0 v. Returns out [F, heads, N, D] and the edit map d [F, N] float32 in [0, 1].
    Raises ValueError for tensors of different shapes, and for a threshold of any other shape.
    """
    limit = torch.as_tensor(threshold, dtype=torch.float32, device=q.device)
    if q.ndim != 4 or any(tensor.shape != q.shape for tensor in (k, v, q0, k0)) or limit.shape not in ((), q.shape[:1]):
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in (q, k, v, q0, k0, limit))
        raise ValueError(f"q, k, v, q0 and k0 must be of one shape [F, heads, N, D], and the threshold a float or [F]; they are {shapes}")
    form = _form(q.device, q.dtype, q.shape[-1])
    return form(q, k, v, q0, k0, limit.expand(q.shape[0]))


def _form(device: torch.device, dtype: torch.dtype, width: int) -> Form:
    fused = _fused_form(device, dtype, width) if device.type == "cuda" and dtype in FUSED_TYPES else None
    return fused or match_by_torch


@cache
def _fused_form(device: torch.device, dtype: torch.dtype, width: int) -> Form | None:
    """The kernels, once they have run here: Triton may be missing, find no C compiler, or not know the device."""
    try:
        from i2vedit_core.method.attention.matched_triton import UNUSABLE, match_by_triton
    except ImportError:
        return None
    # Two heads of 16 rows compile to what larger calls use, so that nothing is compiled twice.
    tiny, limit = torch.zeros(1, 2, 16, width, device=device, dtype=dtype), torch.zeros(1, device=device)
    try:
        match_by_triton(tiny, tiny, tiny, tiny, tiny, limit)
    except UNUSABLE as reason:
        if is_out_of_memory(reason):
            raise  # says nothing about Triton
        _log.warning("Triton does not work on %s, so attention matching takes its slower form: %s", device, reason)
        return None
    return match_by_triton


def plain_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(D)) v for [B, heads, N, D]."""
    return scaled_dot_product_attention(q, k, v)
