"""Measures the method on drawn shots whose edited version is known, beside its own ablations and what one would do otherwise.

    python benchmarks/fidelity.py --shots 40            evaluation seeds: docs/fidelity/README.md
    python benchmarks/fidelity.py --shots 40 --verify   the untouched seeds: docs/fidelity/verification.md
    python benchmarks/fidelity.py --keys                other frames painted than the first: docs/fidelity/keys.md
    python benchmarks/fidelity.py --stride 4            every fourth frame seen by the model: docs/fidelity/stride.md
    python benchmarks/fidelity.py --long                one shot of 30 seconds: docs/fidelity/long.md

A shot's figures are kept in the work folder as they are made; the same command goes on where it was. Figures of other weights, other
sources or other libraries are never taken for these: they lie in folders of their own.
"""

import argparse
import math
import os
import shlex
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch

import keys
import long_shot
import strides
from i2vedit_core.settings import LoraSettings, Settings
from i2vedit_core.synthetic import Split
from measure import Task, measure_shot, model_sha256, sources_sha256
from page import write_page
from report import Heading
from shots import LONG, LONGEST, BenchmarkShot, choose_long_shots, choose_shots

SHOTS, LONG_SHOTS = 40, 3
"""If not told otherwise: of one chunk, and of several."""


def measure(task: Task, shots: Sequence[BenchmarkShot], jobs: int) -> None:
    """All shots, in so many processes side by side: small pictures leave a second thread little to do."""
    if jobs == 1:
        for shot in shots:
            measure_shot(task, shot)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(measure_shot, task), shots))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shots", type=int, help=f"how many: {SHOTS} of one chunk, {LONG_SHOTS} with --keys and --stride, if not given")
    parser.add_argument("--chunked", type=int, default=1, help="shots of 4 chunks, and half as many of 9")
    parser.add_argument("--long", action="store_true", help="one shot of 30 seconds, through the whole product")
    parser.add_argument("--frames", type=int, default=long_shot.FRAMES, help="of that shot, where there is less time")
    parser.add_argument("--verify", action="store_true", help="the verification seeds, on which nothing was ever tuned")
    parser.add_argument("--keys", action="store_true", help="on long shots: the middle frame painted, or two frames")
    parser.add_argument("--chunks", type=int, default=LONG, help="chunks of the shots of --keys and --stride")
    parser.add_argument("--stride", type=int, metavar="K", help="on long shots: the model sees every K-th frame, against all of them")
    parser.add_argument("--model", default="mini", help="mini, svd, svd-xt or a diffusers folder")
    parser.add_argument("--out", type=Path, default=Path("docs/fidelity"), help="where the page goes")
    parser.add_argument("--work", type=Path, default=Path("runs/fidelity"), help="where figures are kept as they are made")
    parser.add_argument("--jobs", type=int, default=1 if torch.cuda.is_available() else os.cpu_count(), help="processes side by side")
    parser.add_argument("--steps", type=int, default=25, help="sampler steps")
    parser.add_argument("--lora-steps", type=int, help="motion LoRA steps; what the model recommends, if not given")
    options = parser.parse_args(arguments)
    split = Split.VERIFICATION if options.verify else Split.EVALUATION
    settings = Settings(model=options.model, steps=options.steps, lora=LoraSettings(steps=options.lora_steps))
    command = shlex.join(["python", "benchmarks/fidelity.py", *(sys.argv[1:] if arguments is None else arguments)])
    count = options.shots or (LONG_SHOTS if options.keys or options.stride else SHOTS)
    if options.keys:
        print(keys.run(split, count, settings, options.out / "keys.md", command, options.chunks))
        return
    if options.stride:
        print(strides.run(split, count, options.stride, settings, options.out / "stride.md", command, options.chunks))
        return
    state = sources_sha256()
    folder = options.work / f"{model_sha256(options.model)[:12]}-{state[:12]}-{options.steps}-{options.lora_steps}"
    if options.long:
        long_task = long_shot.LongTask(long_shot.choose(split, options.frames), settings, torch.get_num_threads(), folder)
        print(long_shot.run(long_task, options.out / "long.md", command))
        return
    task = Task(options.model, folder, settings, max(1, torch.get_num_threads() // options.jobs))
    shots = choose_shots(split, count)
    long_shots = [*choose_long_shots(split, LONGEST, math.ceil(options.chunked / 2)), *choose_long_shots(split, LONG, options.chunked)]
    measure(task, [*long_shots, *shots], options.jobs)
    heading = Heading(f"Fidelity on {split.name.lower()} shots", split.name.lower(), command, model_sha256(options.model), state)
    print(write_page(task, shots, long_shots, options.out, heading))


if __name__ == "__main__":
    main()
