"""The operator's benchmark in small: that both forms are the same, what is counted, and what it prints. Never a time."""

import pytest
import torch

import attention_speed
from attention_speed import THRESHOLD, Case, compare, peak_bytes, textbook
from i2vedit_core.method.attention import matched_attention

CPU = torch.device("cpu")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_both_sides_compute_the_same_and_use_both_branches(dtype: torch.dtype) -> None:
    tensors = Case(rows=64, heads=2, frames=2, width=32, dtype=dtype).tensors()
    (expected, difference), (out, edit_map) = textbook(tensors), matched_attention(*tensors, THRESHOLD)
    assert out.dtype == expected.dtype == dtype
    torch.testing.assert_close(edit_map, difference, atol=1e-5, rtol=0)
    torch.testing.assert_close(out.float(), expected.float(), atol=1e-5 if dtype == torch.float32 else 2e-2, rtol=0)
    assert (difference < THRESHOLD).any() and (difference >= THRESHOLD).any()


def test_peak_bytes_counts_what_lives_at_once() -> None:
    def one_after_the_other() -> None:
        for _ in range(3):
            torch.empty(1000, dtype=torch.float32)

    assert peak_bytes(one_after_the_other, CPU) == 4000
    assert peak_bytes(lambda: [torch.empty(1000, dtype=torch.float32) for _ in range(3)], CPU) == 12000
    assert peak_bytes(lambda: None, CPU) == 0


def test_a_comparison_has_every_figure() -> None:
    result = compare(Case(rows=32, heads=2, width=32), pairs=2)
    maps = 2 * 2 * 32 * 32 * 4
    assert result.textbook_bytes > maps
    assert result.memory_ratio == result.textbook_bytes / result.operator_bytes
    assert min(result.textbook_seconds, result.operator_seconds, result.time_ratio) > 0
    assert result.floor_ratio is None


def test_the_command_prints_a_row_a_size(capsys: pytest.CaptureFixture[str]) -> None:
    attention_speed.main(["--rows", "16", "24", "--heads", "1", "--width", "32", "--pairs", "1", "--device", "cpu", "--dtype", "float32"])
    printed = capsys.readouterr().out
    assert "torch" in printed.splitlines()[0]
    assert "| 16 | 1 | 1 | 32 | float32 |" in printed and "| 24 | 1 | 1 | 32 | float32 |" in printed
