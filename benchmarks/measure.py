"""Runs every method on one shot and keeps its figures and pictures: a JSON file and an npz file a shot, written once."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch

import i2vedit_core
import metrics
from i2vedit_core.backbone import Backbone, load_backbone
from i2vedit_core.delivery.composite import composite
from i2vedit_core.files import whole_file
from i2vedit_core.method.chunks import plan_chunks
from i2vedit_core.method.sarp import flat_areas
from i2vedit_core.pictures import to_pixels
from i2vedit_core.settings import Settings
from i2vedit_core.synthetic import Truth
from i2vedit_core.versions import deciding_versions
from methods import FLOW_WARP, FULL, HOLD, LONG_METHODS, LONGEST_METHODS, METHODS, NO_SARP, PLAIN, SDEDIT, Bench, Outcome
from report import Block, Result
from shots import BenchmarkShot

DECIDING_MODULES = ("long_shot", "measure", "methods", "metrics", "rivals", "shots")
"""Of this folder: the others show the figures, and do not make them."""


@dataclass(frozen=True)
class Task:
    """What a worker process needs to know."""

    model: str
    work: Path
    settings: Settings
    threads: int


def measure_shot(task: Task, shot: BenchmarkShot) -> None:
    """Runs every method on a shot and writes its figures, and its pictures for the contact sheet. Nothing, if they are there."""
    target = _result_file(task, shot)
    if target.exists():
        return
    torch.set_num_threads(task.threads)
    backbone, truth, started = _backbone(task.model), shot.truth(), time.monotonic()
    settings = replace(task.settings, edit=shot.kind, seed=shot.number)
    bench = Bench(truth, backbone, settings, task.work / "scratch" / f"{shot.name}-{shot.frames}")
    figures, clips = {}, {"source": truth.source, "truth": truth.edited}
    for method in _methods(shot, truth):
        outcome = bench.run(method)
        figures[method] = _figures(shot, truth, outcome, backbone.chunk_frames)
        if method in (FULL, NO_SARP) and bench.start_noise is not None:
            figures[method]["anderson_darling"] = metrics.anderson_darling(bench.start_noise.numpy())
        _keep_pictures(clips, method, outcome)
    np.savez_compressed(_pictures_file(task, shot), allow_pickle=False, **clips)
    kept = {"shot": shot.name, "edit": shot.edit, "frames": shot.frames, "seed": shot.number, "flat": _is_flat(truth), "methods": figures}
    text = json.dumps({**kept, "seconds": round(time.monotonic() - started)}, indent=1).encode()
    with whole_file(target, len(text), replace=True) as partial_file:
        partial_file.write_bytes(text)
    print(f"{shot.name} {shot.edit}, {shot.frames} frames: {time.monotonic() - started:.0f} s", flush=True)


def _methods(shot: BenchmarkShot, truth: Truth) -> Sequence[str]:
    if shot.is_long:
        return LONGEST_METHODS if shot.is_longest else LONG_METHODS
    return (*METHODS, NO_SARP) if _is_flat(truth) else METHODS


def _is_flat(truth: Truth) -> bool:
    return bool(flat_areas(to_pixels(truth.source)).any())


def _figures(shot: BenchmarkShot, truth: Truth, outcome: Outcome, chunk_frames: int) -> dict[str, float]:
    """Every figure of one method on one shot. The first frame is given to all of them, so only the others count."""
    clip, later = outcome.clip[1:], slice(1, None)
    edited, region = truth.edited[later], truth.region[later]
    hidden = shot.disoccluded()[later] & region
    measurable = metrics.measurable(truth.edited, truth.flow, truth.visible)
    figures = {"motion_error": metrics.motion_error(outcome.clip, truth.flow, truth.visible, measurable)}
    figures["flicker"] = metrics.flicker(outcome.clip, truth.flow, truth.visible)
    figures["psnr"] = metrics.psnr(clip, edited, np.ones_like(region))
    for name, where in (("inside", region), ("outside", ~region)):
        figures[f"psnr_{name}"] = metrics.psnr(clip, edited, where)
        figures[f"ssim_{name}"] = metrics.ssim(clip, edited, where)
        figures[f"flip_{name}"] = metrics.flip(clip, edited, where)
    figures["psnr_disoccluded"] = metrics.psnr(clip, edited, hidden)
    if outcome.matte is not None and outcome.new is not None:
        figures |= _composite_figures(truth, outcome.new, outcome.matte)
    if shot.is_long:
        chunks = [chunk.delivers for chunk in plan_chunks(shot.frames, chunk_frames)]
        figures["seam_ratio"] = metrics.seam_ratio(outcome.clip, [chunk.start for chunk in chunks[1:]])
        figures["drift_inside"] = metrics.drift(outcome.clip, truth.edited, chunks, truth.region)
        figures["drift_outside"] = metrics.drift(outcome.clip, truth.edited, chunks, ~truth.region)
    return figures


def _composite_figures(truth: Truth, new: np.ndarray, matte: np.ndarray) -> dict[str, float]:
    """What is delivered: over the plate, through the matte, as `delivery.deliver` lays it."""
    over = np.stack([composite(*layers) for layers in zip(truth.source, new, matte, strict=True)])
    edited, region, mattes = truth.edited[1:], truth.region[1:], matte[1:]
    return {
        "matte_recall": metrics.matte_recall(mattes, region),
        "matte_area": metrics.matte_area_ratio(mattes, region),
        "error_outside_matte": metrics.largest_error(over[1:], truth.source[1:], mattes == 0),
        "composite_inside": metrics.psnr(over[1:], edited, region),
        "composite_outside": metrics.psnr(over[1:], edited, ~region),
    }


def _keep_pictures(clips: dict[str, np.ndarray], method: str, outcome: Outcome) -> None:
    if method in (FULL, PLAIN, SDEDIT, HOLD, FLOW_WARP):
        clips[method] = outcome.clip
    if method == FULL and outcome.edit_map is not None and outcome.matte is not None:
        clips |= {"edit_map": outcome.edit_map / max(float(outcome.edit_map.max()), 1e-6), "matte": outcome.matte}


@cache
def _backbone(model: str) -> Backbone:
    return load_backbone(model)


def _result_file(task: Task, shot: BenchmarkShot) -> Path:
    folder = task.work / "results"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{shot.name}-{shot.frames}.json"


def _pictures_file(task: Task, shot: BenchmarkShot) -> Path:
    return _result_file(task, shot).with_suffix(".npz")


def model_sha256(model: str) -> str:
    return _backbone(model).folder.sha256


def sources_sha256() -> str:
    """Over every source file that can change a figure, and the versions of the libraries that can."""
    digest = hashlib.sha256(json.dumps(deciding_versions(), sort_keys=True).encode())
    core, here = Path(i2vedit_core.__file__).parent, Path(__file__).parent
    for path in [*sorted(core.rglob("*.py")), *(here / f"{module}.py" for module in DECIDING_MODULES)]:
        digest.update(f"{path.relative_to(path.parents[1])}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def read_results(task: Task, shots: Sequence[BenchmarkShot]) -> list[Result]:
    return [json.loads(_result_file(task, shot).read_text(encoding="utf-8")) for shot in shots]


def read_block(task: Task, shot: BenchmarkShot) -> Block:
    with np.load(_pictures_file(task, shot)) as kept:
        return Block(f"{shot.name}: {shot.edit}", {name: kept[name] for name in kept.files})
