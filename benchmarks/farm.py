"""What a farm gains: a drawn shot prepared on a Ray cluster of this machine, with one worker and with two, and by the local executor.

    python benchmarks/farm.py

One thread computes everywhere. Starting the workers' processes, importing torch and loading the model counts; starting Ray does not. One
worker and two take turns, each on a cluster and in a folder of its own. Prints a table, and whether all artifacts have the same values, bit
by bit.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch

from i2vedit_client.counting import counted
from i2vedit_core.apart import recipe_for
from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone, load_backbone
from i2vedit_core.method.chunks import Chunk, plan_chunks
from i2vedit_core.method.preparation import Preparation, Workplace
from i2vedit_core.pictures import to_pixels
from i2vedit_core.plan.choice import Request
from i2vedit_core.progress import CancelToken
from i2vedit_core.settings import LoraSettings, Settings
from i2vedit_core.synthetic import render
from i2vedit_core.tensor_files import load_tensors
from i2vedit_server.farm.cluster import Cluster, require_ray
from i2vedit_server.farm.preparing import Dealer
from i2vedit_server.farm.terms import offered
from job_speed import the_shot
from report import markdown
from shots import SIDE

LOCAL = "local executor"
GOAL = 1.7
OBJECT_STORE_BYTES = 200 * 10**6
ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
"""By default Ray would make a token in the home folder, and all other clusters of this user would ask for it from then on. Instead, nobody
from elsewhere reaches this cluster."""


@dataclass(frozen=True)
class Bench:
    """What is prepared."""

    backbone: Backbone
    settings: Settings
    chunks: int

    def preparation(self, artifacts: Path) -> Preparation:
        """Of the drawn shot, with nothing in the artifacts yet."""
        frames = self.backbone.chunk_frames + (self.chunks - 1) * (self.backbone.chunk_frames - 1)
        scene, _ = the_shot(frames, "recolor").scenes()

        def read(chunk: Chunk) -> torch.Tensor:
            return to_pixels(render(scene, SIDE, SIDE, range(chunk.start, chunk.stop)))

        grid = plan_chunks(frames, self.backbone.chunk_frames)
        return Preparation(self.backbone, self.settings, grid, read, Workplace(Artifacts(artifacts)))


def prepare_here(bench: Bench, artifacts: Path) -> float:
    """Seconds."""
    preparation, started = bench.preparation(artifacts), time.perf_counter()
    preparation.run()
    return time.perf_counter() - started


def prepare_on_ray(bench: Bench, workers: int, artifacts: Path) -> float:
    """Seconds, on a fresh cluster with so many workers."""
    ray = require_ray()
    here: dict[str, Any] = {"include_dashboard": False, "log_to_driver": False, "_node_ip_address": "127.0.0.1"}
    ray.init(num_cpus=workers, num_gpus=0, object_store_memory=OBJECT_STORE_BYTES, **here)
    try:
        with offered(artifacts) as terms:
            preparation, started = bench.preparation(artifacts), time.perf_counter()
            request = Request(SIDE, SIDE, bench.settings.steps, frames=bench.backbone.chunk_frames)
            dealer = Dealer(Cluster("this machine", terms), "CPU", CancelToken())
            dealer.prepare(preparation, recipe_for(preparation, request))
            return time.perf_counter() - started
    finally:
        ray.shutdown()


def values(artifacts: Path) -> dict[str, Mapping[str, torch.Tensor]]:
    """All tensors of a folder of artifacts."""
    return {str(file.relative_to(artifacts)): load_tensors(file) for file in sorted(artifacts.rglob("*.safetensors"))}


def are_equal(one: Path, other: Path) -> bool:
    """Whether two folders hold the same tensors, bit by bit."""
    mine, theirs = values(one), values(other)
    return mine.keys() == theirs.keys() and all(_same(mine[name], theirs[name]) for name in mine)


def _same(mine: Mapping[str, torch.Tensor], theirs: Mapping[str, torch.Tensor]) -> bool:
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


def run(bench: Bench, work: Path, repeats: int) -> str:
    """The table, and a line on the bits."""
    local = prepare_here(bench, work / "local")
    seconds: dict[int, list[float]] = {1: [], 2: []}
    equal = True
    for repeat in range(repeats):
        for workers, taken in seconds.items():
            folder = work / f"ray-{workers}-{repeat}"
            taken.append(prepare_on_ray(bench, workers, folder))
            equal = equal and are_equal(work / "local", folder)
    ratio = median(one / two for one, two in zip(seconds[1], seconds[2], strict=True))
    on_ray = [[f"Ray, {counted(count, 'worker')}", f"{median(taken):.1f}"] for count, taken in seconds.items()]
    table = markdown(["preparation of the shot", "s"], [[LOCAL, f"{local:.1f}"], *on_ray])
    bits = "All artifacts are equal to the local executor's, bit by bit." if equal else "ARTIFACTS DIFFER from the local executor's."
    return f"{table}\nTwo workers are {ratio:.2f} times as fast as one (goal: {GOAL}). {bits}\n"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="mini", help="mini, or a diffusers folder that takes pictures of 64 by 64 pixels")
    parser.add_argument("--chunks", type=int, default=8)
    parser.add_argument("--steps", type=int, default=25, help="sampler steps")
    parser.add_argument("--lora-steps", type=int, help="motion LoRA steps; what the model recommends, if not given")
    parser.add_argument("--repeats", type=int, default=1, help="pairs of one worker and two")
    parser.add_argument("--smoke", action="store_true", help="three chunks and few steps: only whether it runs, and the bits")
    options = parser.parse_args(arguments)
    if options.smoke:
        options.chunks, options.steps, options.lora_steps = 3, 3, 2
    os.environ.update(ENVIRONMENT)
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)  # the workers find what this process finds
    torch.set_num_threads(1)
    settings = Settings(model=options.model, steps=options.steps, lora=LoraSettings(steps=options.lora_steps))
    with tempfile.TemporaryDirectory() as work:
        print(run(Bench(load_backbone(options.model, "cpu"), settings, options.chunks), Path(work), options.repeats))


if __name__ == "__main__":
    main()
