"""METHOD section 6: both forms of the operator against the explicit N x N form in float64.

The Triton form runs on a CUDA device where there is one; elsewhere in Triton's interpreter, in a process of its own, because Triton
decides at its import whether it interprets.
"""

import logging
import math
import os
import subprocess
import sys
from functools import partial
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from attention_speed import peak_bytes
from i2vedit_core.method.attention import matched, matched_attention, matched_torch

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
DEVICE = torch.device("cuda" if torch.cuda.is_available() and not INTERPRETED else "cpu")
HAS_TRITON = find_spec("triton") is not None
FORMS = ("triton",) if INTERPRETED else ("torch", "triton") if HAS_TRITON and DEVICE.type == "cuda" else ("torch",)
MODULE = "i2vedit_core.method.attention.matched_triton"

Tensors = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


@pytest.fixture(params=FORMS, autouse=True)
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Makes `matched_attention` take this form."""
    chosen = matched_torch.match_by_torch
    if request.param == "triton":
        from i2vedit_core.method.attention.matched_triton import match_by_triton as chosen
    monkeypatch.setattr(matched, "_form", lambda *_: chosen)
    return str(request.param)


def _textbook(q: Tensor, k: Tensor, v: Tensor, q0: Tensor, k0: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    a = torch.softmax(q @ k.mT / math.sqrt(q.shape[-1]), -1)
    a0 = torch.softmax(q0 @ k0.mT / math.sqrt(q.shape[-1]), -1)
    d = (a - a0).abs().sum(-1).mean(1) / 2
    m = torch.where(d >= threshold, 1.0, d)[:, None, :, None]
    return m * (a @ v) + (1 - m) * (a0 @ v), d


def _tensors(seed: int, frames: int, heads: int, rows: int, width: int) -> Tensors:
    """The further down a row, the further is the source from the edit, so that d lies on both sides of 0.35."""
    generator = torch.Generator().manual_seed(seed)
    q, k, v, dq, dk = (torch.randn(frames, heads, rows, width, generator=generator).to(DEVICE) for _ in range(5))
    return q, k, v, q + torch.linspace(0, 2, rows, device=DEVICE)[:, None] * dq, k + 0.1 * dk


def _agree(tensors: Tensors, threshold: float) -> None:
    """Within rounding; in half types within 2e-2, except where a row lies within 0.01 of the threshold."""
    out, edit_map = matched_attention(*tensors, threshold)
    half = tensors[0].dtype != torch.float32
    assert out.dtype == tensors[2].dtype and edit_map.dtype == torch.float32
    q, k, v, q0, k0 = (tensor.double() for tensor in tensors)
    expected, difference = _textbook(q, k, v, q0, k0, threshold)
    torch.testing.assert_close(edit_map.double(), difference, atol=1e-4 if half else 3e-6, rtol=0)
    assert edit_map.min() >= 0 and edit_map.max() <= 1
    sure = ((difference - threshold).abs() > (0.01 if half else 1e-5))[:, None, :, None].expand(out.shape)
    torch.testing.assert_close(out.double()[sure], expected[sure], atol=2e-2 if half else 2e-5, rtol=0)


@pytest.mark.parametrize(
    ("heads", "rows", "width"),
    [(1, 1, 32), (3, 7, 32), (2, 129, 40), (5, 1, 64), (1, 129, 64), (2, 7, 80), (1, 65, 80), (2, 7, 128), (1, 33, 128)],
)
def test_it_equals_the_explicit_form(heads: int, rows: int, width: int) -> None:
    """Rows and keys beside and beyond whole tiles, and widths that are no power of two."""
    _agree(_tensors(rows, 2 if rows == 7 else 1, heads, rows, width), 0.35)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 1.0])
def test_it_equals_the_explicit_form_at_any_threshold(threshold: float) -> None:
    _agree(_tensors(4, 2, 2, 33, 32), threshold)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("width", [40, 64])
def test_half_types_stay_near_the_explicit_form(dtype: torch.dtype, width: int) -> None:
    if INTERPRETED and dtype == torch.bfloat16:
        pytest.skip("Triton's interpreter multiplies the bit patterns of bfloat16")
    q, k, v, q0, k0 = (tensor.to(dtype) for tensor in _tensors(6, 1, 3, 70, width))
    _agree((q, k, v, q0, k0), 0.35)


def test_scores_are_not_rounded_to_half() -> None:
    """Scores of 50 and more: in half precision they would be off by 1/32, and d with them."""
    q, k, v, q0, k0 = (4 * tensor.half() for tensor in _tensors(8, 1, 2, 40, 32))
    _agree((q, k, v / 4, q0, k0), 0.35)


def test_any_strides_will_do() -> None:
    tensors = _tensors(11, 2, 2, 20, 40)
    expected = matched_attention(*tensors, 0.35)
    q, k, v, q0, k0 = tensors
    heads_inside = [tensor.transpose(1, 2).contiguous().transpose(1, 2) for tensor in (q, k, v)]
    stepped = [tensor.repeat_interleave(2, -1)[..., ::2] for tensor in (q0, k0)]
    out, edit_map = matched_attention(heads_inside[0], heads_inside[1], heads_inside[2], stepped[0], stepped[1], 0.35)
    torch.testing.assert_close(out, expected[0], atol=1e-6, rtol=0)
    torch.testing.assert_close(edit_map, expected[1], atol=1e-6, rtol=0)


def test_the_same_call_gives_the_same_bits() -> None:
    tensors = _tensors(12, 2, 2, 50, 32)
    first, second = matched_attention(*tensors, 0.35), matched_attention(*tensors, 0.35)
    assert torch.equal(first[0], second[0]) and torch.equal(first[1], second[1])


def test_equal_maps_give_the_plain_attention_and_an_empty_map() -> None:
    q, k, v, _, _ = _tensors(5, 2, 2, 16, 32)
    out, edit_map = matched_attention(q, k, v, q, k, 0.35)
    assert edit_map.abs().max() == 0
    torch.testing.assert_close(out, matched.plain_attention(q, k, v), atol=1e-6, rtol=0)


def test_disjoint_maps_give_the_edits_own_attention_and_a_full_map() -> None:
    rows = 32
    sharp = 40 * torch.eye(rows, device=DEVICE)[None, None]
    v = torch.randn(1, 1, rows, rows, generator=torch.Generator().manual_seed(0)).to(DEVICE)
    out, edit_map = matched_attention(sharp, sharp, v, sharp, sharp.roll(1, 2), 0.35)
    torch.testing.assert_close(edit_map, torch.ones_like(edit_map), atol=1e-5, rtol=0)
    torch.testing.assert_close(out, v, atol=1e-4, rtol=0)


@pytest.mark.parametrize("heads", [1, 2, 5])
def test_a_row_exactly_at_the_threshold_is_the_edits(heads: int) -> None:
    """Two keys: the edit looks at both alike, the source at the first alone; d is one half exactly."""
    q, k, v, q0, k0 = torch.zeros(5, 1, heads, 2, 32, device=DEVICE)
    q0[..., 0], k0[..., 0, 0] = 1000.0, 1000.0
    v[..., 1, :] = 1.0
    out, edit_map = matched_attention(q, k, v, q0, k0, 0.5)
    assert edit_map.tolist() == [[0.5, 0.5]]
    assert torch.equal(out, torch.full_like(out, 0.5))
    out, _ = matched_attention(q, k, v, q0, k0, 0.500001)
    assert torch.equal(out, torch.full_like(out, 0.25))


def test_a_threshold_for_each_frame() -> None:
    tensors = _tensors(9, 2, 2, 12, 32)
    out, _ = matched_attention(*tensors, torch.tensor([0.0, 1.1]))
    for frame, threshold in enumerate((0.0, 1.1)):
        q, k, v, q0, k0 = (tensor[frame : frame + 1] for tensor in tensors)
        alone, _ = matched_attention(q, k, v, q0, k0, threshold)
        torch.testing.assert_close(out[frame : frame + 1], alone)


def test_shapes_that_do_not_fit_are_refused() -> None:
    q, k, v, q0, k0 = _tensors(2, 2, 2, 8, 32)
    with pytest.raises(ValueError, match="of one shape"):
        matched_attention(q, k[:, :, :4], v[:, :, :4], q0, k0, 0.35)
    with pytest.raises(ValueError, match=r"a float or \[F\]"):
        matched_attention(q, k, v, q0, k0, torch.zeros(3))


@pytest.mark.parametrize("size", [1, 2 * 37 * 5, 2 * 37 * 37, 3 * 2 * 37 * 37])
def test_blocks_of_rows_and_of_frames_do_not_change_the_result(size: int, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row at a time, five, a frame, and three frames of five."""
    if form != "torch":
        pytest.skip("blocks of the torch form")
    tensors = _tensors(3, 5, 2, 37, 32)
    whole = matched_attention(*tensors, 0.35)
    _set_block(monkeypatch, size)
    parts = matched_attention(*tensors, 0.35)
    torch.testing.assert_close(parts[0], whole[0], atol=1e-6, rtol=0)
    torch.testing.assert_close(parts[1], whole[1], atol=1e-6, rtol=0)


@pytest.mark.skipif(INTERPRETED, reason="the interpreter's tiles are not torch's memory")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_nothing_grows_with_the_square_of_n(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    _set_block(monkeypatch, 1 << 12)
    held = []
    for rows in (256, 1024):
        q, k, v, q0, k0 = (tensor.to(dtype) for tensor in _tensors(1, 1, 1, rows, 32))
        held.append(peak_bytes(partial(matched_attention, q, k, v, q0, k0, 0.35), DEVICE))
    assert held[1] < 4.5 * held[0]
    assert held[1] < 1024 * 1024 * 4 / 4


def _set_block(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    for name in ("CPU_BLOCK", "DEVICE_BLOCK"):
        monkeypatch.setattr(matched_torch, name, size)


def test_without_triton_the_torch_form_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULE, None)
    assert matched._fused_form.__wrapped__(DEVICE, torch.float32, 32) is None


def test_a_triton_that_cannot_compile_is_named_and_left_alone(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setitem(sys.modules, MODULE, _module_that_raises(RuntimeError("no C compiler")))
    with caplog.at_level(logging.WARNING):
        assert matched._fused_form.__wrapped__(DEVICE, torch.float32, 32) is None
    assert "no C compiler" in caplog.text


def test_a_full_device_is_no_reason_to_give_triton_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULE, _module_that_raises(torch.OutOfMemoryError("full")))
    with pytest.raises(torch.OutOfMemoryError):
        matched._fused_form.__wrapped__(DEVICE, torch.float32, 32)


def _module_that_raises(error: Exception) -> SimpleNamespace:
    def match_by_triton(*_: Tensor) -> None:
        raise error

    return SimpleNamespace(UNUSABLE=(RuntimeError,), match_by_triton=match_by_triton)


@pytest.mark.skipif(INTERPRETED or not HAS_TRITON, reason="Triton is not installed, or this is its interpreter")
@pytest.mark.slow
def test_the_kernels_in_the_interpreter(form: str) -> None:
    command = [sys.executable, "-m", "pytest", "--noconftest", "-q", "-p", "no:cacheprovider", __file__]
    done = subprocess.run(command, env=os.environ | {"TRITON_INTERPRET": "1"}, capture_output=True, text=True, check=False, timeout=250)
    assert done.returncode == 0, done.stdout
