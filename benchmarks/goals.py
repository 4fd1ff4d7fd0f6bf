"""What the method is to reach on drawn shots, and what it does reach: the page's first table, and the sentence on flow warp."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from methods import FLOW_WARP, FULL, HOLD, LOCK, NO_SARP, NO_SKIP_INTERVAL, PLAIN, ROUND_TRIP, SDEDIT
from report import Figure, Result, markdown, mean

FLOW_WARP_FALLS = ("add", "remove", "shape")
"""Edits at which following the flow of the source is bound to fail: what is painted is not in the source, or moves otherwise."""


@dataclass(frozen=True)
class Goal:
    """One number to reach. `value` is nan where no shot has it."""

    text: str
    value: float
    limit: float
    at_least: bool
    digits: int = 2

    @property
    def bound(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"

    @property
    def shown(self) -> str:
        return f"{self.value:.{self.digits}f}"

    @property
    def met(self) -> bool:
        return float(self.shown) >= self.limit if self.at_least else float(self.shown) <= self.limit


def goal_table(goals: Sequence[Goal]) -> str:
    """In Markdown, a row a goal. What was not measured is left out."""
    measured = [goal for goal in goals if not math.isnan(goal.value)]
    rows = [[goal.text, goal.bound, goal.shown, "yes" if goal.met else "**no**"] for goal in measured]
    return markdown(["goal", "limit", "measured", "reached"], rows)


def goals(results: Sequence[Result], figures: Sequence[Figure], four_chunks: Sequence[Result], nine_chunks: Sequence[Result]) -> list[Goal]:
    """All of them, over shots of one chunk, of four and of nine. `figures`: those in which the rivals are compared."""
    return [
        *_against_generating(results),
        *_fidelity(results),
        *_matte(results),
        *(_ahead(results, rival, figures) for rival in (HOLD, SDEDIT)),
        *_against_flow_warp(results),
        *_ablations(results, four_chunks),
        *_long(nine_chunks),
    ]


def flow_warp_wins(results: Sequence[Result], figures: Sequence[Figure]) -> str:
    """A sentence that names the figures in which warping the painted frame along the source's flow is ahead, for each type of edit."""
    parts = []
    for edit in sorted({result["edit"] for result in results}):
        shots = [result for result in results if result["edit"] == edit]
        ahead = [figure.title for figure in figures if _gain(shots, FLOW_WARP, FULL, figure) > 0]
        parts.append(f"*{edit}*: {', '.join(ahead) if ahead else 'nothing'}")
    return f"Where warping the painted frame along the source's flow is ahead of the full method: {'; '.join(parts)}."


def _against_generating(results: Sequence[Result]) -> Iterator[Goal]:
    for where, limit in (("inside", 3), ("outside", 6)):
        key = f"psnr_{where}"
        yield Goal(f"PSNR {where} the edit, full over plain image-to-video (dB)", _difference(results, FULL, PLAIN, key), limit, True)
    ratio = _mean(results, FULL, "motion_error") / _mean(results, PLAIN, "motion_error")
    yield Goal("motion error, full ÷ plain image-to-video", ratio, 0.5, False)


def _fidelity(results: Sequence[Result]) -> Iterator[Goal]:
    yield Goal("PSNR of the autoencoder's round trip (dB)", _mean(results, ROUND_TRIP, "psnr"), 32, True)
    below = _difference(results, ROUND_TRIP, FULL, "psnr_outside")
    yield Goal("PSNR outside the edit, full under the round trip (dB)", below, 3, False)
    yield Goal("PSNR outside the edit, full (dB)", _mean(results, FULL, "psnr_outside"), 28, True)


def _matte(results: Sequence[Result]) -> Iterator[Goal]:
    worst = max((result["methods"].get(FULL, {}).get("error_outside_matte", math.nan) for result in results), default=math.nan)
    yield Goal("largest error outside the matte, delivered", worst, 0, False, 6)
    yield Goal("matte recall of changed pixels", _mean(results, FULL, "matte_recall"), 0.99, True, 4)
    yield Goal("matte area ÷ area of changed pixels", _mean(results, FULL, "matte_area"), 1.5, False)


def _ahead(results: Sequence[Result], rival: str, figures: Sequence[Figure]) -> Goal:
    ahead = sum(_gain(results, FULL, rival, figure) > 0 for figure in figures)
    return Goal(f"figures in which full is ahead of {rival}, of {len(figures)}", ahead, len(figures), True, 0)


def _against_flow_warp(results: Sequence[Result]) -> Iterator[Goal]:
    for edit in FLOW_WARP_FALLS:
        shots = [result for result in results if result["edit"] == edit]
        yield Goal(f"PSNR inside the edit, full over flow warp, {edit} (dB)", _difference(shots, FULL, FLOW_WARP, "psnr_inside"), 0, True)
    hidden = _difference(results, FULL, FLOW_WARP, "psnr_disoccluded")
    yield Goal("PSNR inside where the painted frame shows nothing, full over flow warp (dB)", hidden, 0, True)


def _ablations(results: Sequence[Result], four_chunks: Sequence[Result]) -> Iterator[Goal]:
    yield Goal("motion error without LoRA over full (px)", _difference(results, "no_lora", FULL, "motion_error"), 0, True, 3)
    for part in ("inversion", "spatial"):
        cost = _difference(results, FULL, f"no_{part}", "psnr_outside")
        yield Goal(f"PSNR outside, full over no {part} (dB)", cost, 0, True)
    motion = _difference(results, "no_temporal", FULL, "motion_error")
    yield Goal("motion error without temporal matching over full (px)", motion, 0, True, 3)
    flat = [result for result in results if result["flat"]]
    yield Goal("Anderson–Darling without SARP over full, flat shots", _difference(flat, NO_SARP, FULL, "anderson_darling"), 0, True)
    for key, name in (("seam_ratio", "seam ratio"), ("drift_outside", "ΔE2000 drift outside")):
        yield Goal(f"{name} without skip-interval over full, 4 chunks", _difference(four_chunks, NO_SKIP_INTERVAL, FULL, key), 0, True)


def _long(nine_chunks: Sequence[Result]) -> Iterator[Goal]:
    for method, name in ((FULL, "full"), (LOCK, "full with lock")):
        yield Goal(f"seam ratio over 9 chunks, {name}", _mean(nine_chunks, method, "seam_ratio"), 1.5, False)
        yield Goal(f"ΔE2000 drift outside the edit over 9 chunks, {name}", _mean(nine_chunks, method, "drift_outside"), 1, False)


def _mean(results: Sequence[Result], method: str, key: str) -> float:
    return mean(results, method, key)[0]


def _difference(results: Sequence[Result], first: str, second: str, key: str) -> float:
    return _mean(results, first, key) - _mean(results, second, key)


def _gain(results: Sequence[Result], method: str, rival: str, figure: Figure) -> float:
    """By how much a method is ahead of a rival in a figure; below 0 where it is behind."""
    difference = _difference(results, method, rival, figure.key)
    return difference if figure.higher_is_better else -difference
