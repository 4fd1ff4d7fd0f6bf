"""One long shot through the whole product, files and all: does anything grow with its length, do joins show, do colours drift?"""

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import count, pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

import metrics
from disk import bytes_in
from goals import Goal, goal_table
from i2vedit_core.backbone import load_backbone
from i2vedit_core.delivery.delivered import seen_frames
from i2vedit_core.delivery.report import REPORT_FILE
from i2vedit_core.files import whole_file
from i2vedit_core.method.chunks import plan_chunks
from i2vedit_core.progress import Event, Progress, Stage
from i2vedit_core.propagate import propagate
from i2vedit_core.settings import DeliverySettings, Settings
from i2vedit_core.shot import Edit, Shot
from i2vedit_core.synthetic import Split, Truth
from i2vedit_core.synthetic.demo import write_shot
from peak import peak_bytes
from report import markdown, write_page_text
from shots import CHUNK, LONG, SIDE, BenchmarkShot, is_seen

FRAMES = 720
"""30 seconds."""
SHORT = LONG * (CHUNK - 1) + 1
"""What its memory is held against."""
EDIT = "recolor"
FIRST_NUMBER = 20_000
"""Of scenes that no other table uses."""
THIRDS = 3
"""The later third of the chunks is held against the earlier one: a single chunk's time says little."""


@dataclass(frozen=True)
class LongTask:
    """A shot of so many frames, and where its files go."""

    shot: BenchmarkShot
    settings: Settings
    threads: int
    folder: Path


_now = time.perf_counter if torch.cuda.is_available() else time.process_time
"""Without a card it is the processor's time that counts: what else the machine does meanwhile does not."""


@dataclass
class _Watch:
    """Follows a run by its events: what each chunk costs."""

    seconds: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    last: float = field(default_factory=_now)

    def __call__(self, event: Event) -> None:
        now = _now()
        if isinstance(event, Progress) and event.stage is not Stage.DECODE:
            self.seconds[event.chunk] += now - self.last
        self.last = now


def choose(split: Split, frames: int) -> BenchmarkShot:
    """The first scene in whose first frame the edit is seen."""
    shots = (BenchmarkShot(f"{split.name.lower()}-{number}", EDIT, number, split, frames) for number in count(FIRST_NUMBER))
    return next(shot for shot in shots if is_seen(shot))


def measure_long(task: LongTask) -> dict[str, Any]:
    """All figures of a long shot, kept in its folder; what was measured there before is not measured again."""
    kept = task.folder / f"long-{task.shot.frames}.json"
    if kept.exists():
        found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return found
    short = replace(task, shot=replace(task.shot, frames=min(SHORT, task.shot.frames)))
    costs = {each.shot.frames: _in_a_process(each) for each in (short, task)}
    figures = {**_costs(costs[short.shot.frames], costs[task.shot.frames]), **_quality(task)}
    text = json.dumps({"shot": task.shot.name, "edit": EDIT, "frames": task.shot.frames, "figures": figures}, indent=1).encode()
    with whole_file(kept, len(text), replace=True) as partial:
        partial.write_bytes(text)
    return measure_long(task)


def _in_a_process(task: LongTask) -> dict[str, Any]:
    """A process of its own, so that its memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_run, task).result()


def _run(task: LongTask) -> dict[str, Any]:
    torch.set_num_threads(task.threads)
    backbone, shot = load_backbone(task.settings.model), _open(task)
    calls: list[int] = []
    watch, work = _Watch(), _place(task) / "work"
    backbone.unet.register_forward_hook(lambda *_: calls.append(1))
    propagate(shot, _edit(task, shot), task.settings, backbone, DeliverySettings(_place(task)), work, on_event=watch)
    chunks = len(plan_chunks(len(shot), backbone.chunk_frames))
    seconds = [watch.seconds[chunk] for chunk in range(chunks)]
    return {"seconds": seconds, "evaluations": len(calls), "peak_bytes": peak_bytes(), "kept_bytes": bytes_in(work)}


def _place(task: LongTask) -> Path:
    return task.folder / "long" / f"{task.shot.name}-{task.shot.frames}"


def _open(task: LongTask) -> Shot:
    """The plate as a file, drawn if it is not there."""
    place = _place(task)
    if not (place / "edited.png").exists():
        write_shot(place, *task.shot.scenes(), task.shot.frames, SIDE)
    return Shot.open(place / "shot.mp4")


def _edit(task: LongTask, shot: Shot) -> Edit:
    return Edit.open(_place(task) / "edited.png", shot)


def _costs(short: dict[str, Any], long: dict[str, Any]) -> dict[str, float]:
    later = long["seconds"][1:]
    third = max(1, len(later) // THIRDS)
    return {
        "peak_bytes_short": short["peak_bytes"],
        "peak_bytes": long["peak_bytes"],
        "memory_ratio": long["peak_bytes"] / short["peak_bytes"],
        "chunk_seconds": float(np.median(later)),
        "cost_ratio": float(np.median(later[-third:]) / np.median(later[:third])),
        "evaluations_per_chunk": (long["evaluations"] - short["evaluations"]) / max(len(long["seconds"]) - len(short["seconds"]), 1),
        "kept_bytes_per_chunk": (long["kept_bytes"] - short["kept_bytes"]) / max(len(long["seconds"]) - len(short["seconds"]), 1),
    }


def _quality(task: LongTask) -> dict[str, float]:
    """Of what was delivered, against the truth, and what its report says."""
    truth, shot = task.shot.truth(), _open(task)
    (folder,) = _place(task).glob("shot_v*")
    clip = np.stack([seen.result for seen in seen_frames(folder, shot)])
    report = json.loads((folder / REPORT_FILE).read_text(encoding="utf-8"))
    starts = [join["frame"] for join in report["joins"] if not join["key"]]
    ratios = [join["seam_ratio"] for join in report["joins"] if join["seam_ratio"] is not None and not join["key"]]
    return {
        "seam_ratio": metrics.seam_ratio(clip, starts),
        "seam_inside_mean": float(np.mean(ratios)) if ratios else float("nan"),
        "seam_inside_worst": max(ratios, default=float("nan")),
        "model_drift_outside": report["drift_delta_e"] if report["drift_delta_e"] is not None else float("nan"),
        **_against_truth(truth, clip, starts),
    }


def _against_truth(truth: Truth, clip: np.ndarray, starts: Sequence[int]) -> dict[str, float]:
    borders = [0, *starts, len(clip)]
    chunks, last = [range(*pair) for pair in pairwise(borders)], borders[-2]
    return {
        "drift_outside": metrics.drift(clip, truth.edited, chunks, ~truth.region),
        "drift_inside": metrics.drift(clip, truth.edited, chunks, truth.region),
        "psnr_inside": metrics.psnr(clip, truth.edited, truth.region),
        "psnr_inside_last": metrics.psnr(clip[last:], truth.edited[last:], truth.region[last:]),
    }


def long_goals(result: dict[str, Any]) -> list[Goal]:
    """What a long shot is to reach."""
    figures, frames = result["figures"], result["frames"]
    return [
        Goal(f"memory of {frames} frames ÷ {SHORT} frames", figures["memory_ratio"], "≤", 1.1),
        Goal("seam ratio, delivered", figures["seam_ratio"], "≤", 1.5),
        Goal("ΔE2000 drift outside the edit, the model's picture", figures["model_drift_outside"], "≤", 1),
        Goal("ΔE2000 drift outside the edit, delivered", figures["drift_outside"], "≤", 1),
        Goal("time of the last third of the chunks ÷ the first", figures["cost_ratio"], "≤", 1.15),
    ]


ROWS = (
    ("peak memory of {short} frames (MB)", "peak_bytes_short", 1e6, 0),
    ("peak memory (MB)", "peak_bytes", 1e6, 0),
    ("memory, long ÷ short", "memory_ratio", 1, 3),
    ("time of a further chunk (s)", "chunk_seconds", 1, 2),
    ("time of the last third of the chunks ÷ the first", "cost_ratio", 1, 3),
    ("evaluations of the network for a further chunk", "evaluations_per_chunk", 1, 1),
    ("kept on disk for a further chunk (MB)", "kept_bytes_per_chunk", 1e6, 2),
    ("seam ratio, delivered", "seam_ratio", 1, 2),
    ("seam ratio inside the matte, mean over joins", "seam_inside_mean", 1, 2),
    ("seam ratio inside the matte, worst join", "seam_inside_worst", 1, 2),
    ("ΔE2000 drift outside, the model's picture, worst chunk", "model_drift_outside", 1, 2),
    ("ΔE2000 drift outside, delivered", "drift_outside", 1, 2),
    ("ΔE2000 drift inside, delivered", "drift_inside", 1, 2),
    ("PSNR inside, delivered (dB)", "psnr_inside", 1, 2),
    ("PSNR inside in the last chunk (dB)", "psnr_inside_last", 1, 2),
)


def page(result: dict[str, Any], command: str) -> str:
    """Markdown: the goals, and a row a figure."""
    figures = result["figures"]
    rows = [[text.format(short=SHORT), f"{figures[key] / unit:.{digits}f}"] for text, key, unit, digits in ROWS]
    text = f"Made by `{command}`: {result['shot']}, *{result['edit']}*, through the whole product, read back from the delivered files."
    table = markdown(["figure", f"{result['frames']} frames"], rows)
    return "\n".join(["# A long shot", "", text, "", goal_table(long_goals(result)), table])


def run(task: LongTask, target: Path, command: str) -> Path:
    """The page on one shot."""
    write_page_text(target, page(measure_long(task), command))
    return target
