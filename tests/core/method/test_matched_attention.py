"""METHOD section 6: the streamed operator against the explicit N x N form in float64."""

import math

import pytest
import torch
from torch import Tensor

from i2vedit_core.method.attention import matched, matched_attention


def _textbook(q: Tensor, k: Tensor, v: Tensor, q0: Tensor, k0: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    a = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), -1)
    a0 = torch.softmax(q0 @ k0.transpose(-1, -2) / math.sqrt(q.shape[-1]), -1)
    d = (a - a0).abs().sum(-1).mean(1) / 2
    m = torch.where(d >= threshold, 1.0, d)[:, None, :, None]
    return m * (a @ v) + (1 - m) * (a0 @ v), d


def _tensors(seed: int, frames: int, heads: int, rows: int, width: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    q, k, v, q0, k0 = (torch.randn(frames, heads, rows, width, generator=generator) for _ in range(5))
    return q, k, v, q0, k0


def _agree(tensors: tuple[Tensor, Tensor, Tensor, Tensor, Tensor], threshold: float) -> None:
    out, edit_map = matched_attention(*tensors, threshold)
    q, k, v, q0, k0 = (tensor.double() for tensor in tensors)
    expected, difference = _textbook(q, k, v, q0, k0, threshold)
    sure = (difference - threshold).abs() > 1e-5  # at the threshold itself, rounding decides
    torch.testing.assert_close(edit_map.double(), difference, atol=2e-6, rtol=0)
    torch.testing.assert_close(
        out.double()[sure[:, None].expand(out.shape[:3])], expected[sure[:, None].expand(out.shape[:3])], atol=2e-5, rtol=0
    )


@pytest.mark.parametrize(("heads", "rows", "width"), [(1, 1, 32), (2, 7, 64), (5, 64, 64), (3, 129, 128)])
@pytest.mark.parametrize("threshold", [0.0, 0.35, 0.6])
def test_it_equals_the_explicit_form(heads: int, rows: int, width: int, threshold: float) -> None:
    _agree(_tensors(rows, 2, heads, rows, width), threshold)


def test_blocks_of_rows_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = _tensors(3, 2, 2, 37, 32)
    whole = matched_attention(*tensors, 0.35)
    monkeypatch.setattr(matched, "BLOCK_ELEMENTS", 2 * 37 * 5)
    parts = matched_attention(*tensors, 0.35)
    torch.testing.assert_close(parts[0], whole[0], atol=1e-6, rtol=0)
    torch.testing.assert_close(parts[1], whole[1], atol=1e-6, rtol=0)


def test_equal_maps_give_the_plain_attention_and_an_empty_map() -> None:
    q, k, v, _, _ = _tensors(5, 2, 2, 16, 32)
    out, edit_map = matched_attention(q, k, v, q, k, 0.35)
    assert edit_map.abs().max() == 0
    torch.testing.assert_close(out, matched.plain_attention(q, k, v), atol=1e-6, rtol=0)


def test_disjoint_maps_give_the_edits_own_attention_and_a_full_map() -> None:
    rows = 8
    sharp = 40 * torch.eye(rows)[None, None]
    v = torch.randn(1, 1, rows, rows, generator=torch.Generator().manual_seed(0))
    out, edit_map = matched_attention(sharp, sharp, v, sharp, sharp.roll(1, 2), 0.35)
    torch.testing.assert_close(edit_map, torch.ones(1, rows), atol=1e-5, rtol=0)
    torch.testing.assert_close(out, v, atol=1e-4, rtol=0)


def test_a_row_exactly_at_the_threshold_is_the_edits() -> None:
    """Two keys: the edit looks at both alike, the source at the first alone; d is one half exactly."""
    q, q0 = torch.zeros(1, 1, 1, 32), torch.zeros(1, 1, 1, 32)
    k, k0 = torch.zeros(1, 1, 2, 32), torch.zeros(1, 1, 2, 32)
    q0[..., 0], k0[..., 0, 0] = 1000.0, 1000.0
    v = torch.tensor([[[[0.0] * 32, [1.0] * 32]]])
    out, edit_map = matched_attention(q, k, v, q0, k0, 0.5)
    assert edit_map.item() == 0.5
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
