"""What the method is to cost, and what it does cost here: the first table of the performance page."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import torch

from attention_speed import Comparison
from goals import Goal, goal_table
from job_speed import Cost

NOT_HERE = "not measured here"
ON_CUDA = (
    Goal("CUDA: operator ÷ two calls of flash attention", math.nan, "≤", 2),
    Goal("CUDA: editing step, times faster than the published way", math.nan, "≥", 5),
    Goal("CUDA: peak while training (GB)", math.nan, "≤", 22),
    Goal("CUDA: peak while editing (GB)", math.nan, "≤", 16),
    Goal("H200: one chunk, full (minutes)", math.nan, "≤", 5),
    Goal("H200: one chunk, preview (seconds)", math.nan, "≤", 60),
)
"""Of `full_size.py`, which has a page of its own."""


@dataclass(frozen=True)
class Found:
    """What a run of the benchmark has measured."""

    operator: Sequence[Comparison]
    pairs: Sequence[tuple[Cost, Cost]]
    """First and second edit of a shot of one chunk, as often as it was repeated."""
    planned_evaluations: int
    """Of the network in a second edit: what denoising takes."""
    lengths: Mapping[int, Cost]
    """By frames."""


def table_of_goals(found: Found) -> str:
    """In Markdown; what needs a CUDA device says that it was not measured."""
    return goal_table([*_operator(found.operator), *_edits(found), *_lengths(found.lengths), *ON_CUDA], NOT_HERE)


def _operator(results: Sequence[Comparison]) -> Iterator[Goal]:
    largest = max(result.case.rows for result in results)
    by_type = {result.case.dtype: result for result in results if result.case.rows == largest}
    whole, half = by_type[torch.float32], by_type.get(torch.bfloat16)
    yield Goal(f"operator, times faster than the textbook form, N = {largest}", whole.time_ratio, "≥", 3, 1)
    yield Goal(f"operator, times smaller than the textbook form in peak memory, N = {largest}", whole.memory_ratio, "≥", 30, 0)
    gain = whole.operator_seconds / half.operator_seconds if half else math.nan
    yield Goal(f"operator in bfloat16, times faster than in float32, N = {largest} (where the processor has it)", gain, ">", 1)


def _edits(found: Found) -> Iterator[Goal]:
    ratio = median(second.seconds / first.seconds for first, second in found.pairs)
    yield Goal("second edit ÷ first, time", ratio, "≤", 0.4)
    beyond = max(second.evaluations - found.planned_evaluations for _, second in found.pairs)
    yield Goal(f"evaluations of a second edit beyond the {found.planned_evaluations} of its denoising", beyond, "≤", 0, 0)


def _lengths(costs: Mapping[int, Cost]) -> Iterator[Goal]:
    several = {frames: cost for frames, cost in sorted(costs.items()) if len(cost.chunk_seconds) > 1}
    if not several:
        return
    shortest, longest = min(several), max(several)
    later = several[longest].chunk_seconds[1:]
    yield Goal(f"time of a chunk, largest ÷ smallest from chunk 1 on, {longest} frames", max(later) / min(later), "≤", 1.15)
    grown = several[longest].peak_bytes / several[shortest].peak_bytes
    yield Goal(f"peak memory, {longest} frames ÷ {shortest} frames (flat)", grown, "≤", 1.1)
