"""What painting another frame than the first, or two of them, is worth: drawn shots of four chunks, delivered, against their truth."""

import math
import tempfile
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
from shots import CHUNK, BenchmarkShot, choose_shots_that_move_on

FIRST, MIDDLE, BOTH_ENDS = "the first frame", "the middle frame", "first and last"
FAR = CHUNK - 1
"""So many frames are the far end: the last ones, farthest from the first."""


@dataclass(frozen=True)
class Figures:
    """Of one shot with one choice of painted frames."""

    inside: float
    """PSNR in dB inside the edit, over all frames that are not painted."""
    far: float
    """The same at the far end."""
    seam: float
    """Seam ratio inside the edit at the painted frames that have frames on both sides, over the same of the truth, which may move faster
    there than elsewhere; nan where there are none."""


def choices(frames: int) -> Mapping[str, tuple[int, ...]]:
    """Which frames are painted."""
    return {FIRST: (0,), MIDDLE: (frames // 2,), BOTH_ENDS: (0, frames - 1)}


def figures(truth: Truth, keys: Sequence[int], result: Result) -> Figures:
    """Every figure of a delivered clip."""
    away = np.min([np.abs(np.arange(len(truth.source)) - key) for key in keys], axis=0)
    inner = [key for key in keys if 0 < key < len(truth.source) - 1]
    return Figures(
        inside=psnr_inside(truth, result, away > 0),
        far=psnr_inside(truth, result, (away > 0) & (np.arange(len(away)) >= len(away) - FAR)),
        seam=_seam(truth, result, inner),
    )


def _seam(truth: Truth, result: Result, keys: Sequence[int]) -> float:
    joins = [join for key in keys for join in (key, key + 1)]
    delivered, drawn = (metrics.seam_ratio(clip, joins, truth.region) for clip in (result.clip, truth.edited))
    return delivered / drawn


def measure(shot: BenchmarkShot, backbone: Backbone, settings: Settings) -> dict[str, Figures]:
    """A shot with every choice."""
    truth, chosen = shot.truth(), choices(shot.frames)
    with tempfile.TemporaryDirectory() as folder:
        job, asked = DrawnJob(truth, backbone, Path(folder)), replace(settings, edit=shot.kind, seed=shot.number)
        return {name: figures(truth, keys, job.run(keys, asked)) for name, keys in chosen.items()}


def page(found: Sequence[tuple[BenchmarkShot, Mapping[str, Figures]]], command: str) -> str:
    """Markdown: the goals, and a row for each shot and choice."""
    rows = [
        [shot.name, shot.edit, name, f"{each.inside:.1f}", f"{each.far:.1f}", "–" if math.isnan(each.seam) else f"{each.seam:.2f}"]
        for shot, by_choice in found
        for name, each in by_choice.items()
    ]
    heads = [
        "shot",
        "edit",
        "painted",
        "PSNR inside (dB)",
        f"PSNR inside, the last {FAR} frames (dB)",
        "seam ratio at the painted frame ÷ the truth's",
    ]
    frames = found[0][0].frames
    over = counted(len(found), "shot")
    text = f"Made by `{command}`: shots of {frames} frames, delivered, inside the true edit region. Means over {over}."
    return "\n".join(["# Which frame is painted", "", text, "", goal_table(_goals(found)), markdown(heads, rows)])


def _goals(found: Sequence[tuple[BenchmarkShot, Mapping[str, Figures]]]) -> list[Goal]:
    by_choice = {name: [each[name] for _, each in found] for name in (FIRST, MIDDLE, BOTH_ENDS)}
    far = {name: float(np.mean([each.far for each in all_of])) for name, all_of in by_choice.items()}
    inside = {name: float(np.mean([each.inside for each in all_of])) for name, all_of in by_choice.items()}
    return [
        Goal("the middle frame over the first, at the far end (dB)", far[MIDDLE] - far[FIRST], "≥", 1.5),
        Goal("first and last frame over the first alone (dB)", inside[BOTH_ENDS] - inside[FIRST], ">"),
        Goal("first and last frame over the first alone, at the far end (dB)", far[BOTH_ENDS] - far[FIRST], ">"),
        Goal("seam ratio at the painted frame ÷ the truth's", float(np.mean([each.seam for each in by_choice[MIDDLE]])), "≤", 1.2),
    ]


def run(split: Split, count: int, settings: Settings, target: Path, command: str, chunks: int) -> Path:
    """The page on so many shots."""
    backbone = load_backbone(settings.model)
    shots = choose_shots_that_move_on(split, chunks, count)
    return measured(shots, lambda shot: measure(shot, backbone, settings), lambda found: page(found, command), target)
