"""Carrying a plan out, and what happens where the memory does not suffice in spite of it."""

import gc
import logging
from collections.abc import Callable
from typing import TypeVar

import torch

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.plan.choice import MemoryPlan, step_down
from i2vedit_core.plan.options import Options
from i2vedit_core.plan.words import sentence

Result = TypeVar("Result")

_WORDS = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")
"""Of torch's allocator on the CPU, of the CUDA driver, of Triton, and of cuBLAS and cuDNN, which have no exception of their own."""

_log = logging.getLogger(__name__)


def ignore_plan(plan: MemoryPlan) -> None:
    """For callers who do not watch."""


def carry_out(plan: MemoryPlan, attempt: Callable[[Options], Result], on_plan: Callable[[MemoryPlan], None] = ignore_plan) -> Result:
    """Runs with the plan's options, and once more with leaner ones if the memory does not suffice all the same. `on_plan` hears of the plan
    before each run.

    Raises BridgeError OUT_OF_MEMORY, which names the size that would fit: before anything is begun if the plan itself does not fit.
    """
    if not plan.fits:
        raise too_large(plan)
    on_plan(plan)
    try:
        return attempt(plan.options)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    give_memory_back()  # only here, where the error and all that it holds of the attempt are gone
    leaner = step_down(plan)
    if leaner is None:
        raise too_large(plan)
    _log.warning("the memory did not suffice with %s; once more with %s", plan.options, leaner.options)
    on_plan(leaner)
    try:
        return attempt(leaner.options)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise too_large(leaner) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this is the word of a device, or of the host, that has no more memory."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _WORDS)


def too_large(plan: MemoryPlan) -> BridgeError:
    return BridgeError(Code.RESOURCE_EXHAUSTED, Reason.OUT_OF_MEMORY, sentence(plan))


def give_memory_back() -> None:
    """Lets the device have what torch keeps for later."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
