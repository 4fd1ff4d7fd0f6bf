"""What the method is to reach on drawn shots, and what it does reach: the page's first table, and the sentence on flow warp."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from i2vedit_client.counting import counted
from methods import FLOW_WARP, FULL, HOLD, LOCK, NO_SARP, NO_SKIP_INTERVAL, PLAIN, ROUND_TRIP, SDEDIT, SLICES
from report import Figure, Result, markdown, mean

FLOW_WARP_FALLS = ("add", "remove", "shape")
"""Edits at which following the flow of the source is bound to fail: what is painted is not in the source, or moves otherwise."""


@dataclass(frozen=True)
class Goal:
    """One number to reach. `value` is nan where no shot has it."""

    text: str
    value: float
    sign: str
    """`≥` or `≤` for the value as it is shown, `>` for the value itself: who is said to be ahead must be."""
    limit: float = 0.0
    digits: int = 2
    note: str = ""

    @property
    def bound(self) -> str:
        return f"{self.sign} {self.limit:g}"

    @property
    def shown(self) -> str:
        return f"{self.value:.{self.digits}f}"

    @property
    def met(self) -> bool:
        if self.sign == ">":
            return self.value > self.limit
        return float(self.shown) >= self.limit if self.sign == "≥" else float(self.shown) <= self.limit


def goal_table(goals: Sequence[Goal], unmeasured: str = "") -> str:
    """In Markdown, a row a goal. What was not measured is left out, unless there are words for it."""
    rows = [_goal_row(goal, unmeasured) for goal in goals if unmeasured or not math.isnan(goal.value)]
    return markdown(["goal", "limit", "measured", "reached"], rows)


def _goal_row(goal: Goal, unmeasured: str) -> list[str]:
    found = [unmeasured, "–"] if math.isnan(goal.value) else [goal.shown + goal.note, "yes" if goal.met else "**no**"]
    return [goal.text, goal.bound, *found]


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
        gain = _difference(results, FULL, PLAIN, f"psnr_{where}")
        yield Goal(f"PSNR {where} the edit, full over plain image-to-video (dB)", gain, "≥", limit)
    ratio = _mean(results, FULL, "motion_error") / _mean(results, PLAIN, "motion_error")
    yield Goal("motion error, full ÷ plain image-to-video", ratio, "≤", 0.5)


def _fidelity(results: Sequence[Result]) -> Iterator[Goal]:
    yield Goal("PSNR of the autoencoder's round trip (dB)", _mean(results, ROUND_TRIP, "psnr"), "≥", 32)
    below = _difference(results, ROUND_TRIP, FULL, "psnr_outside")
    yield Goal("PSNR outside the edit, full under the round trip (dB)", below, "≤", 3)
    yield Goal("PSNR outside the edit, full (dB)", _mean(results, FULL, "psnr_outside"), "≥", 28)
    for method, frames in SLICES.items():
        loss = _difference(results, ROUND_TRIP, method, "psnr")
        yield Goal(f"PSNR lost where {counted(frames, 'frame is', 'frames are')} decoded at once, and not the chunk (dB)", loss, "≤", 0.5)


def _matte(results: Sequence[Result]) -> Iterator[Goal]:
    errors = [_value(result, FULL, "error_outside_matte") for result in results]
    worst = max((error for error in errors if not math.isnan(error)), default=math.nan)
    yield Goal("largest error outside the matte, delivered", worst, "≤", 0, 6)
    yield Goal("matte recall of changed pixels", _mean(results, FULL, "matte_recall"), "≥", 0.99, 4)
    yield Goal("matte area ÷ area of changed pixels", _mean(results, FULL, "matte_area"), "≤", 1.5)


def _ahead(results: Sequence[Result], rival: str, figures: Sequence[Figure]) -> Goal:
    ahead = sum(_gain(results, FULL, rival, figure) > 0 for figure in figures)
    return Goal(f"figures in which full is ahead of {rival}, of {len(figures)}", ahead, "≥", len(figures), 0)


def _against_flow_warp(results: Sequence[Result]) -> Iterator[Goal]:
    for edit in FLOW_WARP_FALLS:
        shots = [result for result in results if result["edit"] == edit]
        yield _lead(f"PSNR inside the edit, full over flow warp, {edit} (dB)", shots, (FULL, FLOW_WARP), "psnr_inside")
    hidden = "PSNR inside where the painted frame shows nothing, full over flow warp (dB)"
    yield _lead(hidden, results, (FULL, FLOW_WARP), "psnr_disoccluded")


def _ablations(results: Sequence[Result], four_chunks: Sequence[Result]) -> Iterator[Goal]:
    yield _lead("motion error without LoRA over full (px)", results, ("no_lora", FULL), "motion_error", 3)
    for part in ("inversion", "spatial"):
        yield _lead(f"PSNR outside, full over no {part} (dB)", results, (FULL, f"no_{part}"), "psnr_outside")
    yield _lead("motion error without temporal matching over full (px)", results, ("no_temporal", FULL), "motion_error", 3)
    flat = [result for result in results if result["flat"]]
    sarp = _lead("Anderson–Darling without SARP over full, flat shots", flat, (NO_SARP, FULL), "anderson_darling")
    yield replace(sarp, sign="≥")  # a small autoencoder may hide the effect: here "not worse" is enough
    for key, name in (("seam_ratio", "seam ratio"), ("drift_outside", "ΔE2000 drift outside")):
        yield _lead(f"{name} without skip-interval over full, 4 chunks", four_chunks, (NO_SKIP_INTERVAL, FULL), key)


def _long(nine_chunks: Sequence[Result]) -> Iterator[Goal]:
    for method, name in ((FULL, "full"), (LOCK, "full with lock")):
        yield Goal(f"seam ratio over 9 chunks, {name}", _mean(nine_chunks, method, "seam_ratio"), "≤", 1.5)
        yield Goal(f"ΔE2000 drift outside the edit over 9 chunks, {name}", _mean(nine_chunks, method, "drift_outside"), "≤", 1)


def _lead(text: str, results: Sequence[Result], methods: tuple[str, str], key: str, digits: int = 2) -> Goal:
    """A goal of being larger: by how much the first method's figure is above the second's, and in how many shots."""
    return Goal(text, _difference(results, *methods, key), ">", 0, digits, _count_ahead(results, methods, key))


def _count_ahead(results: Sequence[Result], methods: tuple[str, str], key: str) -> str:
    pairs = [(_value(result, methods[0], key), _value(result, methods[1], key)) for result in results]
    compared = [first > second for first, second in pairs if not (math.isnan(first) or math.isnan(second))]
    return f" (in {sum(compared)} of {len(compared)})"


def _value(result: Result, method: str, key: str) -> float:
    value = result["methods"].get(method, {}).get(key)
    return math.nan if value is None else float(value)


def _mean(results: Sequence[Result], method: str, key: str) -> float:
    return mean(results, method, key)[0]


def _difference(results: Sequence[Result], first: str, second: str, key: str) -> float:
    return _mean(results, first, key) - _mean(results, second, key)


def _gain(results: Sequence[Result], method: str, rival: str, figure: Figure) -> float:
    """By how much a method is ahead of a rival in a figure; below 0 where it is behind."""
    difference = _difference(results, method, rival, figure.key)
    return difference if figure.higher_is_better else -difference
