"""What it costs and saves when the model sees every K-th frame only: drawn shots, delivered both ways, against their truth."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import metrics
from drawn_job import DrawnJob, Result, measured, psnr_inside
from goals import Goal, goal_table
from i2vedit_client.counting import counted
from i2vedit_core.backbone import Backbone, load_backbone
from i2vedit_core.settings import Settings
from i2vedit_core.synthetic import Split, Truth
from report import markdown
from shots import BenchmarkShot, choose_long_shots

CODES = np.float32(65535)
"""The plate is written with 16 bits."""


@dataclass(frozen=True)
class Figures:
    """Of one shot with one stride."""

    inside: float
    """PSNR in dB inside the edit, over all frames but the painted one."""
    between: float
    """The same over frames that the model has not seen; nan where it has seen all."""
    outside: float
    """Largest error outside the matte, in code values of 16 bits: 0, the plate itself."""
    seconds: float
    """Of processors: other work on the machine does not count."""


def figures(truth: Truth, stride: int, result: Result, seconds: float) -> Figures:
    """Every figure of a delivered clip."""
    count = np.arange(len(truth.source))
    plate = np.rint(truth.source * CODES) / CODES
    return Figures(
        inside=psnr_inside(truth, result, count > 0),
        between=psnr_inside(truth, result, count % stride > 0),
        outside=metrics.largest_error(result.clip, plate, result.matte == 0) * float(CODES),
        seconds=seconds,
    )


def measure(shot: BenchmarkShot, stride: int, backbone: Backbone, settings: Settings) -> dict[int, Figures]:
    """A shot with the stride and without."""
    truth, found = shot.truth(), dict[int, Figures]()
    for each in (1, stride):
        with tempfile.TemporaryDirectory() as folder:  # of its own, so that nothing is made once for both
            job, asked = DrawnJob(truth, backbone, Path(folder)), replace(settings, edit=shot.kind, seed=shot.number, stride=each)
            began = time.process_time()
            result = job.run((0,), asked)
            found[each] = figures(truth, each, result, time.process_time() - began)
    return found


def page(found: Sequence[tuple[BenchmarkShot, Mapping[int, Figures]]], command: str) -> str:
    """Markdown: the goals, and a row for each shot and stride."""
    rows = [
        [shot.name, shot.edit, str(stride), f"{each.inside:.1f}", "–" if stride == 1 else f"{each.between:.1f}", f"{each.seconds:.0f}"]
        for shot, by_stride in found
        for stride, each in by_stride.items()
    ]
    heads = ["shot", "edit", "stride", "PSNR inside (dB)", "PSNR inside, frames not seen (dB)", "processor (s)"]
    frames = found[0][0].frames
    over = counted(len(found), "shot")
    text = f"Made by `{command}`: shots of {frames} frames, all delivered, inside the true edit region. Means over {over}."
    return "\n".join(["# Every K-th frame", "", text, "", goal_table(_goals(found)), markdown(heads, rows)])


def _goals(found: Sequence[tuple[BenchmarkShot, Mapping[int, Figures]]]) -> list[Goal]:
    pairs = [tuple(by_stride.values()) for _, by_stride in found]
    stride = max(found[0][1])
    ratio = sum(whole.seconds for whole, _ in pairs) / sum(strided.seconds for _, strided in pairs)
    lost = float(np.mean([whole.inside - strided.inside for whole, strided in pairs]))
    outside = max(each.outside for pair in pairs for each in pair)
    return [
        Goal(f"processor time, stride 1 ÷ stride {stride}", ratio, "≥", 3),
        Goal(f"PSNR inside the edit that stride {stride} loses (dB)", lost, "≤", 1),
        Goal("largest error outside the matte (code values of 16 bits)", outside, "≤", 0),
    ]


def run(split: Split, count: int, stride: int, settings: Settings, target: Path, command: str, chunks: int) -> Path:
    """The page on so many shots."""
    backbone = load_backbone(settings.model)
    shots = choose_long_shots(split, chunks, count)
    return measured(shots, lambda shot: measure(shot, stride, backbone, settings), lambda found: page(found, command), target)
