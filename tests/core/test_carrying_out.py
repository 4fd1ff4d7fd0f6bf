"""Where the memory does not suffice in spite of the plan: once more and leaner, and then a sentence. The memory errors are torch's own."""

from dataclasses import replace

import pytest
import torch

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.models import BUNDLED
from i2vedit_core.plan import Architecture, Memory, MemoryPlan, Options, Request, choose
from i2vedit_core.plan.carrying_out import carry_out, is_out_of_memory
from i2vedit_core.plan.counts import Counts, known_counts

MINI = Architecture.of_folder(BUNDLED / "mini")
MORE_THAN_THERE_IS = 1 << 55


def _counts() -> Counts:
    counts = known_counts(MINI, half=False)
    assert counts is not None, "the counts of the bundled model are to be made anew: python -m i2vedit_core.plan.counting"
    return counts


def _plan(gib: float = 24) -> MemoryPlan:
    memory = Memory(int(gib * 2**30), int(gib * 2**30), 32 * 2**30, on_cuda=True)
    return choose(MINI, _counts(), memory, Request(64, 64))


def _exhaust() -> None:
    torch.empty(MORE_THAN_THERE_IS)


def test_torchs_own_words_are_known() -> None:
    with pytest.raises(RuntimeError) as raised:
        _exhaust()
    assert is_out_of_memory(raised.value)
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
    assert is_out_of_memory(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"))
    assert is_out_of_memory(RuntimeError("Triton Error [CUDA]: out of memory"))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_what_fits_runs_once() -> None:
    tried: list[Options] = []

    def attempt(options: Options) -> str:
        tried.append(options)
        return "delivered"

    assert carry_out(_plan(), attempt) == "delivered"
    assert tried == [_plan().options]


def test_it_steps_down_once_and_is_leaner_then() -> None:
    tried: list[Options] = []

    def attempt(options: Options) -> str:
        tried.append(options)
        if len(tried) == 1:
            _exhaust()
        return "delivered"

    assert carry_out(_plan(), attempt) == "delivered"
    roomy, lean = tried
    assert not roomy.checkpointing and lean.checkpointing and lean.offload and lean.decode_frames < roomy.decode_frames


def test_after_that_a_sentence_says_which_size_would_fit() -> None:
    tried: list[Options] = []

    def attempt(options: Options) -> None:
        tried.append(options)
        _exhaust()

    with pytest.raises(BridgeError) as raised:
        carry_out(_plan(), attempt)
    assert len(tried) == 2
    assert (raised.value.code, raised.value.reason) == (Code.RESOURCE_EXHAUSTED, Reason.OUT_OF_MEMORY)
    assert "would fit" in raised.value.sentence or "no smaller size fits" in raised.value.sentence


def test_what_cannot_fit_is_not_begun() -> None:
    def attempt(options: Options) -> None:
        raise AssertionError("it was begun")

    with pytest.raises(BridgeError) as raised:
        carry_out(_plan(gib=0.01), attempt)
    assert raised.value.reason is Reason.OUT_OF_MEMORY


def test_other_errors_are_not_tried_again() -> None:
    tried: list[Options] = []

    def attempt(options: Options) -> None:
        tried.append(options)
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        carry_out(_plan(), attempt)
    assert len(tried) == 1


def test_with_nothing_left_to_give_up_it_does_not_try_again() -> None:
    plan = _plan()
    leanest = replace(plan, options=Options(checkpointing=True, offload=True, decode_frames=1))
    tried: list[Options] = []

    def attempt(options: Options) -> None:
        tried.append(options)
        _exhaust()

    with pytest.raises(BridgeError):
        carry_out(leanest, attempt)
    assert len(tried) == 1
