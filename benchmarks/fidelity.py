"""Measures the method on drawn shots whose edited version is known, beside its own ablations and what one would do otherwise.

    python benchmarks/fidelity.py --shots 40            evaluation seeds: docs/fidelity/README.md
    python benchmarks/fidelity.py --shots 40 --verify   the untouched seeds: docs/fidelity/verification.md

A shot's figures are kept in the work folder as they are made; the same command goes on where it was.
"""

import argparse
import json
import math
import os
import shlex
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

import metrics
from i2vedit_core.backbone import Backbone, load_backbone
from i2vedit_core.delivery.composite import composite
from i2vedit_core.files import whole_file
from i2vedit_core.method.chunks import plan_chunks
from i2vedit_core.method.sarp import flat_areas
from i2vedit_core.pictures import to_pixels
from i2vedit_core.settings import EditKind, LoraSettings, Part, Settings
from i2vedit_core.synthetic import Split, Truth
from methods import FLOW_WARP, FULL, HOLD, LOCK, LONG_METHODS, PLAIN, ROUND_TRIP, SDEDIT, TRUTH, WITHOUT, Bench, Outcome
from report import Block, Figure, Heading, Result, edit_table, sheet, table, write_report
from shots import CHUNK, BenchmarkShot, choose_long_shots, choose_shots

ABLATIONS = tuple(name for name, part in WITHOUT.items() if part not in (Part.SARP, Part.SKIP_INTERVAL))
METHODS = (TRUTH, ROUND_TRIP, FULL, LOCK, *ABLATIONS, PLAIN, SDEDIT, HOLD, FLOW_WARP)
"""On every shot of one chunk. SARP is left out only where it does something, skip-interval attention only on long shots."""
FLOORS = (TRUTH, ROUND_TRIP)
"""No rivals: what the figures say of the truth itself, and of the truth through the autoencoder."""
NO_SARP = "no_sarp"
SHOWN = 7
"""Shots on the contact sheet: one of each type of edit."""

FIGURES = (
    Figure("psnr_inside", "PSNR inside", 2, True, "dB"),
    Figure("psnr_outside", "PSNR outside", 2, True, "dB"),
    Figure("ssim_inside", "SSIM inside", 3, True),
    Figure("ssim_outside", "SSIM outside", 3, True),
    Figure("flip_inside", "FLIP inside", 3, False),
    Figure("flip_outside", "FLIP outside", 3, False),
    Figure("motion_error", "motion error", 2, False, "px"),
    Figure("flicker", "flicker", 4, False),
    Figure("psnr_disoccluded", "PSNR disoccluded", 2, True, "dB"),
)
COMPOSITE_FIGURES = (
    Figure("matte_recall", "matte recall", 4, True),
    Figure("matte_area", "matte area ÷ truth", 2, False),
    Figure("error_outside_matte", "largest error outside the matte", 6, False),
    Figure("composite_inside", "PSNR inside", 2, True, "dB"),
    Figure("composite_outside", "PSNR outside", 2, True, "dB"),
)
LONG_FIGURES = (
    Figure("seam_ratio", "seam ratio", 2, False),
    Figure("drift_outside", "ΔE2000 drift outside", 2, False),
    Figure("drift_inside", "ΔE2000 drift inside", 2, False),
    *FIGURES[:2],
    Figure("motion_error", "motion error", 2, False, "px"),
    Figure("flicker", "flicker", 4, False),
)
SARP_FIGURES = (Figure("anderson_darling", "Anderson–Darling", 2, False), *FIGURES[:2])


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
    settings = Settings(**{**vars(task.settings), "edit": shot.kind, "seed": shot.number})
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
        return (*FLOORS, *LONG_METHODS)
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
    for name, where in (("inside", region), ("outside", ~region)):
        figures[f"psnr_{name}"] = metrics.psnr(clip, edited, where)
        figures[f"ssim_{name}"] = metrics.ssim(clip, edited, where)
        figures[f"flip_{name}"] = metrics.flip(clip, edited, where)
    figures["psnr_disoccluded"] = metrics.psnr(clip, edited, hidden)
    if outcome.matte is not None and outcome.delta is not None:
        figures |= _composite_figures(shot, truth, outcome.clip, outcome.delta, outcome.matte)
    if shot.is_long:
        chunks = [chunk.delivers for chunk in plan_chunks(shot.frames, chunk_frames)]
        figures["seam_ratio"] = metrics.seam_ratio(outcome.clip, [chunk.start for chunk in chunks[1:]])
        figures["drift_inside"] = metrics.drift(outcome.clip, truth.edited, chunks, truth.region)
        figures["drift_outside"] = metrics.drift(outcome.clip, truth.edited, chunks, ~truth.region)
    return figures


def _composite_figures(shot: BenchmarkShot, truth: Truth, clip: np.ndarray, delta: np.ndarray, matte: np.ndarray) -> dict[str, float]:
    """What is delivered: over the plate, through the matte, as `delivery.deliver` lays it."""
    new = clip if shot.kind is EditKind.SHAPE else truth.source + delta
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


def measure(task: Task, shots: Sequence[BenchmarkShot], jobs: int) -> None:
    """All shots, in so many processes side by side: small pictures leave a second thread little to do."""
    if jobs == 1:
        for shot in shots:
            measure_shot(task, shot)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(measure_shot, task), shots))


def write(task: Task, shots: Sequence[BenchmarkShot], long_shots: Sequence[BenchmarkShot], out: Path, split: Split, command: str) -> Path:
    """The page with its tables and the contact sheet."""
    results = _read(task, shots)
    tables = {
        "Before any composite": table(results, METHODS, FIGURES, unranked=FLOORS),
        "PSNR inside the edit, by type of edit": edit_table(results, METHODS, FIGURES[0], unranked=FLOORS),
        "PSNR inside the edit where the painted frame shows nothing, by type of edit": edit_table(
            results, METHODS, FIGURES[-1], unranked=FLOORS
        ),
        "Motion error, by type of edit": edit_table(results, METHODS, FIGURES[6], unranked=FLOORS),
        "After the composite over the plate": table(results, (FULL, LOCK), COMPOSITE_FIGURES),
        "Matte recall, by type of edit": edit_table(results, (FULL,), COMPOSITE_FIGURES[0]),
        "Matte area, by type of edit": edit_table(results, (FULL,), COMPOSITE_FIGURES[1]),
    }
    flat = [result for result in results if result["flat"]]
    if flat:
        tables["SARP, on shots with flat areas"] = table(flat, (FULL, NO_SARP), SARP_FIGURES)
    for frames in sorted({shot.frames for shot in long_shots}):
        long_results = _read(task, [shot for shot in long_shots if shot.frames == frames])
        chunks = (frames - 1) // (CHUNK - 1)
        methods = *FLOORS, *LONG_METHODS
        tables[f"Shots of {chunks} chunks ({frames} frames)"] = table(long_results, methods, LONG_FIGURES, FLOORS)
    heading = Heading(f"Fidelity on {split.name.lower()} shots", split.name.lower(), command, load_sha(task.model))
    blocks = [_block(task, shot) for shot in shots[:SHOWN]]
    return write_report(out, [*results, *_read(task, long_shots)], sheet(blocks), heading, tables)


def load_sha(model: str) -> str:
    return _backbone(model).folder.sha256


def _read(task: Task, shots: Sequence[BenchmarkShot]) -> list[Result]:
    return [json.loads(_result_file(task, shot).read_text(encoding="utf-8")) for shot in shots]


def _block(task: Task, shot: BenchmarkShot) -> Block:
    with np.load(_pictures_file(task, shot)) as kept:
        return Block(f"{shot.name}: {shot.edit}", {name: kept[name] for name in kept.files})


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shots", type=int, default=40, help="shots of one chunk")
    parser.add_argument("--long", type=int, default=2, help="shots of 4 chunks, and half as many of 9")
    parser.add_argument("--verify", action="store_true", help="the verification seeds, on which nothing was ever tuned")
    parser.add_argument("--model", default="mini", help="mini, svd, svd-xt or a diffusers folder")
    parser.add_argument("--out", type=Path, default=Path("docs/fidelity"), help="where the page goes")
    parser.add_argument("--work", type=Path, default=Path("runs/fidelity"), help="where figures are kept as they are made")
    parser.add_argument("--jobs", type=int, default=1 if torch.cuda.is_available() else os.cpu_count(), help="processes side by side")
    parser.add_argument("--steps", type=int, default=25, help="sampler steps")
    parser.add_argument("--lora-steps", type=int, help="motion LoRA steps; what the model recommends, if not given")
    options = parser.parse_args(arguments)
    split = Split.VERIFICATION if options.verify else Split.EVALUATION
    settings = Settings(model=options.model, steps=options.steps, lora=LoraSettings(steps=options.lora_steps))
    folder = options.work / f"{load_sha(options.model)[:12]}-{options.steps}-{options.lora_steps}"
    task = Task(options.model, folder, settings, max(1, (os.cpu_count() or 1) // options.jobs))
    shots = choose_shots(split, options.shots)
    long_shots = [*choose_long_shots(split, 4, options.long), *choose_long_shots(split, 9, math.ceil(options.long / 2))]
    measure(task, [*long_shots, *shots], options.jobs)
    command = shlex.join(["python", "benchmarks/fidelity.py", *(sys.argv[1:] if arguments is None else arguments)])
    print(write(task, shots, long_shots, options.out, split, command))


if __name__ == "__main__":
    main()
