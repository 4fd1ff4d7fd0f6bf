"""The operator of METHOD section 6 against the textbook form: time and peak memory, in pairs, one run.

    python benchmarks/attention_speed.py                        SVD's three upper levels at 576 x 1024
    python benchmarks/attention_speed.py --rows 9216 --heads 2  one of them, fewer heads

The textbook form holds softmax(QK^T) of edit and source for all heads of a frame in float32, as the published program does. The two
take turns, so that what else the machine does meets both; the ratio is the median over pairs.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention
from torch.profiler import ProfilerActivity, profile

from i2vedit_core.method.attention import matched_attention

SVD_HEADS = {576: 20, 2304: 10, 9216: 5}
"""Heads of SVD's spatial self-attention by N at 576 x 1024; each is 64 wide."""
THRESHOLD = 0.35

Tensors = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
"""q, k, v, q0, k0: [F, heads, N, D]."""


@dataclass(frozen=True)
class Case:
    """One size to be measured."""

    rows: int
    heads: int
    frames: int = 1
    width: int = 64
    dtype: torch.dtype = torch.float32
    device: str = "cpu"

    def tensors(self) -> Tensors:
        """Normal noise. The further down a row, the further is the source from the edit, so that d lies on both sides of the threshold."""
        generator = torch.Generator().manual_seed(self.rows)
        shape = (self.frames, self.heads, self.rows, self.width)
        q, k, v, dq = (torch.randn(shape, generator=generator) for _ in range(4))
        q0 = q + torch.linspace(0, 2, self.rows)[:, None] * dq
        q, k, v, q0 = (tensor.to(self.device, self.dtype) for tensor in (q, k, v, q0))
        return q, k, v, q0, k.clone()


@dataclass(frozen=True)
class Comparison:
    """What was measured at one size. Seconds are medians over pairs; bytes are the peak beyond the inputs."""

    case: Case
    pairs: int
    textbook_seconds: float
    operator_seconds: float
    time_ratio: float
    """Textbook over operator: median of the pairs' own ratios."""
    textbook_bytes: int
    operator_bytes: int
    floor_seconds: float | None
    """Two calls of torch's flash attention of this size; only for half types on CUDA."""

    @property
    def memory_ratio(self) -> float:
        """Textbook over operator."""
        return self.textbook_bytes / self.operator_bytes

    @property
    def floor_ratio(self) -> float | None:
        """Operator over two flash calls."""
        return self.operator_seconds / self.floor_seconds if self.floor_seconds else None


def textbook(tensors: Tensors, threshold: float = THRESHOLD) -> tuple[Tensor, Tensor]:
    """Section 6 as its formulas read, one frame at a time. Returns out [F, heads, N, D] and the edit map [F, N]."""
    out, differences = zip(*(_textbook_frame(frame, threshold) for frame in zip(*tensors, strict=True)), strict=True)
    return torch.stack(out).to(tensors[2].dtype), torch.stack(differences)


def _textbook_frame(frame: Sequence[Tensor], threshold: float) -> tuple[Tensor, Tensor]:
    """`frame`: q, k, v, q0, k0 of one frame, [heads, N, D]."""
    q, k, v, q0, k0 = (tensor.float() for tensor in frame)
    scale = q.shape[-1] ** -0.5
    a = torch.softmax(q @ k.mT * scale, -1)
    a0 = torch.softmax(q0 @ k0.mT * scale, -1)
    difference = (a - a0).abs().sum(-1).mean(0) / 2
    weight = torch.where(difference >= threshold, 1.0, difference)[None, :, None]
    return weight * (a @ v) + (1 - weight) * (a0 @ v), difference


def compare(case: Case, pairs: int = 3) -> Comparison:
    """Measures memory first, which also warms both forms up, and then time in turns, each form first in every second pair."""
    tensors, device = case.tensors(), torch.device(case.device)
    forms: tuple[Callable[[], object], ...] = (lambda: textbook(tensors), lambda: matched_attention(*tensors, THRESHOLD))
    textbook_bytes, operator_bytes = (peak_bytes(form, device) for form in forms)
    taken = [_seconds_in_turn(forms, device, swapped=bool(pair % 2)) for pair in range(pairs)]
    textbook_seconds, operator_seconds = (median(times) for times in zip(*taken, strict=True))
    ratio = median(first / second for first, second in taken)
    floor = _floor(case, tensors, pairs)
    return Comparison(case, pairs, textbook_seconds, operator_seconds, ratio, textbook_bytes, operator_bytes, floor)


def peak_bytes(call: Callable[[], object], device: torch.device) -> int:
    """The most that torch's allocator held at once during the call, beyond what it held before.

    On the CPU it is read from the profiler's allocation events, and leaves out what a BLAS library keeps for itself.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        call()
        return torch.cuda.max_memory_allocated(device) - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        call()
    with TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        record.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]
    changes = sorted((event["ts"], event["args"]["Bytes"]) for event in events if event["name"] == "[memory]")
    return max(accumulate(size for _, size in changes), default=0)


def _seconds_in_turn(calls: Sequence[Callable[[], object]], device: torch.device, swapped: bool) -> list[float]:
    """Seconds of each call, in the order given, run in that order or the other way round."""
    taken = {index: _seconds(calls[index], device) for index in sorted(range(len(calls)), reverse=swapped)}
    return [taken[index] for index in range(len(calls))]


def _seconds(call: Callable[[], object], device: torch.device) -> float:
    _wait(device)
    started = time.perf_counter()
    call()
    _wait(device)
    return time.perf_counter() - started


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _floor(case: Case, tensors: Tensors, pairs: int) -> float | None:
    device = torch.device(case.device)
    if device.type != "cuda" or case.dtype == torch.float32:
        return None
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        _seconds(lambda: _two_flash_calls(tensors), device)
        return median(_seconds(lambda: _two_flash_calls(tensors), device) for _ in range(pairs))


def _two_flash_calls(tensors: Tensors) -> None:
    q, k, v, q0, k0 = tensors
    scaled_dot_product_attention(q, k, v)
    scaled_dot_product_attention(q0, k0, v)


def markdown(results: Sequence[Comparison]) -> str:
    """A row a size."""
    heads = ("N", "heads", "frames", "D", "type", "textbook s", "operator s", "times faster", "textbook MB", "operator MB", "times smaller")
    rows = [" | ".join((*heads, "times two flash calls")), "|".join(["---:"] * (len(heads) + 1)), *(_row(each) for each in results)]
    return "\n".join(f"| {row} |" for row in rows)


def _row(result: Comparison) -> str:
    case, floor = result.case, result.floor_ratio
    sizes = (str(case.rows), str(case.heads), str(case.frames), str(case.width), str(case.dtype).removeprefix("torch."))
    seconds = (f"{result.textbook_seconds:.4g}", f"{result.operator_seconds:.4g}", f"{result.time_ratio:.1f}")
    memory = (f"{result.textbook_bytes / 1e6:.1f}", f"{result.operator_bytes / 1e6:.1f}", f"{result.memory_ratio:.0f}")
    return " | ".join((*sizes, *seconds, *memory, "–" if floor is None else f"{floor:.2f}"))


def processor() -> str:
    """Its name where the system tells it, else its kind."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def has_bfloat16() -> bool:
    """Whether the processor computes in bfloat16; elsewhere it is emulated, and slower than float32."""
    known = torch.cpu.get_capabilities()
    return any(known.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16", "arm_bf16"))


def machine(device: str) -> str:
    """What it ran on, in a line."""
    name = torch.cuda.get_device_name() if device == "cuda" else f"{processor()}, {torch.get_num_threads()} of {os.cpu_count()} threads"
    return f"{name}, {platform.system()}, Python {platform.python_version()}, torch {torch.__version__}"


def main(arguments: Sequence[str] | None = None) -> None:
    cuda = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=sorted(SVD_HEADS), help="N, positions of a frame")
    parser.add_argument("--heads", type=int, help="SVD's at that N, if not given")
    parser.add_argument("--frames", type=int, default=1)
    parser.add_argument("--width", type=int, default=64, help="D, channels of a head")
    parser.add_argument("--dtype", choices=("float32", "float16", "bfloat16"), default="float16" if cuda else "float32")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if cuda else "cpu")
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args(arguments)
    dtype = getattr(torch, options.dtype)
    cases = [
        Case(rows, options.heads or SVD_HEADS.get(rows, 5), options.frames, options.width, dtype, options.device) for rows in options.rows
    ]
    with torch.no_grad():
        results = [compare(case, options.pairs) for case in cases]
    print(f"{machine(options.device)}\n\n{markdown(results)}")


if __name__ == "__main__":
    main()
