"""METHOD section 6 as Triton kernels: two passes over the scores, none of which ever leaves the chip.

Pass 1 is attention by blocks of keys (Dao et al. 2022), of the edit and of the source. It keeps each row's log-sum-exp in two parts, the
largest score and the rest: large scores would take the digits of the rest. Pass 2 computes the scores again and sums |a - a0|; pass 3
takes the mean over heads and blends.
Importing this needs Triton, and `TRITON_INTERPRET=1` before that runs the kernels on tensors of the CPU.
"""
# ruff: noqa: PLR0913  (a kernel takes its pointers and strides one by one)
# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls, allow-untyped-decorators

import math
import subprocess
from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch import Tensor
from triton.errors import TritonError

UNUSABLE = (TritonError, RuntimeError, OSError, subprocess.SubprocessError)
"""What a kernel raises where Triton is installed but cannot compile or launch."""


@dataclass(frozen=True)
class Tiles:
    """Sizes of one program. Pass 2 has as many rows, and holds two tiles of queries and of keys at once."""

    rows: int
    keys: int
    width: int
    """D, padded to a power of two of at least 16, which is what the matrix units take."""

    @classmethod
    def of(cls, dtype: torch.dtype, width: int) -> "Tiles":
        """So that pass 2 with two stages stays under 64 KiB for half types of D <= 64, and under the 99 KiB of an RTX card for all."""
        padded = max(16, triton.next_power_of_2(width))
        row_bytes = padded * dtype.itemsize
        if row_bytes <= 128:
            return cls(128, 64, padded)
        return cls(64 if row_bytes <= 256 else 32, 32, padded)


def match_by_triton(q: Tensor, k: Tensor, v: Tensor, q0: Tensor, k0: Tensor, limit: Tensor) -> tuple[Tensor, Tensor]:
    """`matched_attention` for thresholds [F]. Holds the source's output and five numbers per head and row beside what it returns."""
    frames, heads, count, width = q.shape
    q, k, v, q0, k0 = (tensor if tensor.stride(-1) == 1 else tensor.contiguous() for tensor in (q, k, v, q0, k0))
    out, source = v.new_empty(v.shape), v.new_empty(v.shape)
    peaks, spreads = q.new_empty((2, 2, frames, heads, count), dtype=torch.float32)
    distances, edit_map = torch.empty_like(peaks[0]), q.new_empty((frames, count), dtype=torch.float32)
    tiles = Tiles.of(q.dtype, width)
    grid = (triton.cdiv(count, tiles.rows), frames * heads)
    common = {"width": width, "WIDTH": tiles.width, "ROWS": tiles.rows}
    scores = common | {"KEYS": tiles.keys, "PRECISION": "ieee" if q.dtype == torch.float32 else "tf32", "num_stages": 2}
    scale = math.log2(math.e) / math.sqrt(width)
    with torch.cuda.device_of(q):
        for index, (query, key, result) in enumerate(((q, k, out), (q0, k0, source))):
            strides = (*query.stride()[:3], *key.stride()[:3], *v.stride()[:3])
            _attend[grid](query, key, v, result, peaks[index], spreads[index], *strides, heads, count, scale, **scores, num_warps=4)
        strides = tuple(stride for tensor in (q, k, q0, k0) for stride in tensor.stride()[:3])
        _row_distances[grid](q, k, q0, k0, peaks, spreads, distances, *strides, heads, count, scale, **scores, num_warps=8)
        _blend[(grid[0], frames)](out, source, distances, limit.contiguous(), edit_map, heads, count, 2.0 * heads, **common)
    return out, edit_map


@triton.jit
def _matrix(pointer, frame_stride, head_stride, heads):
    """Where this program's frame and head begin. In 64 bits: a batch may have more than 2^31 elements."""
    index = tl.program_id(1).to(tl.int64)
    return pointer + (index // heads) * frame_stride + (index % heads) * head_stride


@triton.jit
def _tile(pointer, rows, row_stride, count, width: tl.constexpr, WIDTH: tl.constexpr):
    """The rows [R] of a matrix [count, width], zeros beyond its edges."""
    columns = tl.arange(0, WIDTH)
    inside = (rows[:, None] < count) & (columns[None, :] < width)
    return tl.load(pointer + rows[:, None] * row_stride + columns[None, :], mask=inside, other=0.0)


@triton.jit
def _dots(queries, k, keys, key_stride, count, width: tl.constexpr, WIDTH: tl.constexpr, PRECISION: tl.constexpr):
    """Products of queries [R, D] with the keys [K] in float32, not yet scaled; minus infinity beyond the last key."""
    products = tl.dot(queries, tl.trans(_tile(k, keys, key_stride, count, width, WIDTH)), input_precision=PRECISION)
    return tl.where(keys[None, :] < count, products, float("-inf"))


@triton.jit
def _attend(
    q, k, v, out, peaks, spreads,
    q_frame, q_head, q_row, k_frame, k_head, k_row, v_frame, v_head, v_row,
    heads, count, scale,
    width: tl.constexpr, WIDTH: tl.constexpr, ROWS: tl.constexpr, KEYS: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """Pass 1 for ROWS rows of one frame and head: out = softmax(q k^T) v, and the log-sum-exp as peak · scale + spread, to base 2."""
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    queries = _tile(_matrix(q, q_frame, q_head, heads), rows, q_row, count, width, WIDTH)
    k, v = _matrix(k, k_frame, k_head, heads), _matrix(v, v_frame, v_head, heads)
    peak = tl.full([ROWS], float("-inf"), tl.float32)
    total = tl.zeros([ROWS], tl.float32)
    mixed = tl.zeros([ROWS, WIDTH], tl.float32)
    for start in range(0, count, KEYS):
        keys = start + tl.arange(0, KEYS)
        products = _dots(queries, k, keys, k_row, count, width, WIDTH, PRECISION)
        higher = tl.maximum(peak, tl.max(products, 1))
        weights = tl.exp2((products - higher[:, None]) * scale)
        shrink = tl.exp2((peak - higher) * scale)
        values = _tile(v, keys, v_row, count, width, WIDTH)
        total = total * shrink + tl.sum(weights, 1)
        mixed = tl.dot(weights.to(values.dtype), values, mixed * shrink[:, None], input_precision=PRECISION)
        peak = higher
    inside = rows < count
    base = tl.program_id(1).to(tl.int64) * count
    tl.store(peaks + base + rows, peak, mask=inside)
    tl.store(spreads + base + rows, tl.log2(total), mask=inside)
    columns = tl.arange(0, WIDTH)
    places = out + base * width + rows[:, None] * width + columns[None, :]
    tl.store(places, (mixed / total[:, None]).to(out.dtype.element_ty), mask=inside[:, None] & (columns[None, :] < width))


@triton.jit
def _row_distances(
    q, k, q0, k0, peaks, spreads, distances,
    q_frame, q_head, q_row, k_frame, k_head, k_row, q0_frame, q0_head, q0_row, k0_frame, k0_head, k0_row,
    heads, count, scale,
    width: tl.constexpr, WIDTH: tl.constexpr, ROWS: tl.constexpr, KEYS: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """Pass 2 for ROWS rows of one frame and head: the sum over keys of |a - a0|. peaks, spreads: [2, F, heads, N], edit and source."""
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    inside = rows < count
    queries = _tile(_matrix(q, q_frame, q_head, heads), rows, q_row, count, width, WIDTH)
    queries0 = _tile(_matrix(q0, q0_frame, q0_head, heads), rows, q0_row, count, width, WIDTH)
    k, k0 = _matrix(k, k_frame, k_head, heads), _matrix(k0, k0_frame, k0_head, heads)
    place = tl.program_id(1).to(tl.int64) * count + rows
    place0 = place + tl.num_programs(1).to(tl.int64) * count
    peak = tl.load(peaks + place, mask=inside, other=0.0)[:, None]
    peak0 = tl.load(peaks + place0, mask=inside, other=0.0)[:, None]
    spread = tl.load(spreads + place, mask=inside, other=0.0)[:, None]
    spread0 = tl.load(spreads + place0, mask=inside, other=0.0)[:, None]
    distance = tl.zeros([ROWS], tl.float32)
    for start in range(0, count, KEYS):
        keys = start + tl.arange(0, KEYS)
        a = tl.exp2((_dots(queries, k, keys, k_row, count, width, WIDTH, PRECISION) - peak) * scale - spread)
        a0 = tl.exp2((_dots(queries0, k0, keys, k0_row, count, width, WIDTH, PRECISION) - peak0) * scale - spread0)
        distance += tl.sum(tl.abs(a - a0), 1)
    tl.store(distances + place, distance, mask=inside)


@triton.jit
def _blend(
    out, source, distances, limit, edit_map,
    heads, count, twice_heads,
    width: tl.constexpr, WIDTH: tl.constexpr, ROWS: tl.constexpr,
):  # fmt: skip
    """Pass 3 for ROWS rows of one frame: d from the row sums of all heads, and out = m·out + (1 - m)·source in place."""
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    inside = rows < count
    frame = tl.program_id(1).to(tl.int64)
    total = tl.zeros([ROWS], tl.float32)
    for head in range(heads):
        total += tl.load(distances + (frame * heads + head) * count + rows, mask=inside, other=0.0)
    difference = tl.minimum(tl.div_rn(total, twice_heads), 1.0)
    weight = tl.where(difference >= tl.load(limit + frame), 1.0, difference)[:, None]
    tl.store(edit_map + frame * count + rows, difference, mask=inside)
    columns = tl.arange(0, WIDTH)
    whole = inside[:, None] & (columns[None, :] < width)
    for head in range(heads):
        places = ((frame * heads + head) * count + rows[:, None]) * width + columns[None, :]
        edit = tl.load(out + places, mask=whole, other=0.0).to(tl.float32)
        kept = tl.load(source + places, mask=whole, other=0.0).to(tl.float32)
        tl.store(out + places, (weight * edit + (1 - weight) * kept).to(out.dtype.element_ty), mask=whole)
