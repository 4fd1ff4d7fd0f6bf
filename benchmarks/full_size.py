"""SVD at its full size on a CUDA device, with random weights: time, memory and disk of each stage, beside the published way of working.

    python benchmarks/full_size.py             prints the tables and writes docs/performance/full_size.md
    python benchmarks/full_size.py --compile   and tries torch.compile on an editing step
    python benchmarks/full_size.py --small     a small stand-in on any device: whether it runs, not how fast

Weights decide nothing about time and memory, so it needs no model, no network and no files but its own. Without a CUDA device it writes
what can be counted. The published way writes some 3 GB a step to the folder for temporary files.
"""

import argparse
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from unittest.mock import patch

import torch

import attention_speed
from attention_speed import SVD_HEADS, Comparison, compare
from by_count import FULL, GIB, card, svd_plan
from chunk_stages import Case, ChunkCost, encode_chunk, measure_chunk
from full_size_page import GOAL_CLASS, Compiled, Measured, Results, page
from i2vedit_core.backbone import Backbone
from i2vedit_core.method.attention.passes import PassProcessor
from i2vedit_core.plan import MemoryPlan, sentence
from i2vedit_core.plan.carrying_out import carry_out, give_memory_back, is_out_of_memory
from i2vedit_core.plan.memory import memory_of
from i2vedit_core.versions import deciding_versions
from published_way import Published, Replayed, WayCost, measure_way
from svd_architecture import SMOKE, SVD, Size, build

SMALL_SIZE = replace(SMOKE, frames=2)
NO_DEVICE = 'There is no CUDA device here, so the tables hold what can be counted, and say "not measured" of the rest.'
SMALL = "A small stand-in of the same levels and blocks was run: its figures show that the script works, and nothing of full size."


@dataclass(frozen=True)
class Scale:
    """What is built, what is run on it, and how often."""

    size: Size
    case: Case
    way_steps: int
    operator_cases: tuple[attention_speed.Case, ...]
    warm_up: bool


def full_scale(steps: int, lora_steps: int, way_steps: int) -> Scale:
    """SVD at 576 x 1024 x 14, its LoRA also at 512 x 896, where the authors train it."""
    half = {"frames": 14, "dtype": torch.float16, "device": "cuda"}
    operator_cases = tuple(attention_speed.Case(rows, heads, **half) for rows, heads in sorted(SVD_HEADS.items()))  # type: ignore[arg-type]
    return Scale(SVD, Case((FULL.width, FULL.height), (896, 512), steps, lora_steps), way_steps, operator_cases, warm_up=True)


def small_scale(device: torch.device) -> Scale:
    operator_cases = (attention_speed.Case(rows=64, heads=1, device=device.type),)
    return Scale(SMALL_SIZE, Case((128, 64), (64, 64), steps=3, lora_steps=2), 3, operator_cases, warm_up=False)


def measure(scale: Scale, device: torch.device, compiling: bool) -> tuple[Results, list[str]]:
    """All that can be measured on a device, and what is to be said of it."""
    full_size, notes = scale.size == SVD, []
    plans = chosen_plans(device, full_size)
    unfit = [plan for plan in plans.values() if not plan.fits]
    if unfit:
        return Results(), [sentence(unfit[0])]
    backbone = build(device, torch.float16 if device.type == "cuda" else torch.float32, scale.size)
    with tempfile.TemporaryDirectory(prefix="full-size-") as name:
        folder = Path(name)
        if scale.warm_up:
            notes.append(_warm_up(backbone, scale.case, next(iter(plans.values())), folder))
        chunks = tuple(_measured(backbone, scale, name, plan, folder) for name, plan in plans.items())
        ours, published = both_ways(backbone, scale, folder / "maps")
    operator = operator_speed(scale)
    compiled = compiled_step(backbone, scale) if compiling else None
    return Results(full_size, chunks, ours, published, operator, compiled), notes


def chosen_plans(device: torch.device, full_size: bool) -> dict[str, MemoryPlan]:
    """The plan for this device, and that of the class which the goals speak of, where it is another."""
    goal_name, goal = f"a card of the {GOAL_CLASS} GB class", svd_plan(card(GOAL_CLASS))
    if not full_size:
        return {goal_name: goal}
    here = svd_plan(memory_of(device, torch.cuda))
    as_well = goal.options != here.options and goal.peak_bytes[goal.highest] <= here.memory.free_bytes
    return {"this card": here} | ({goal_name: goal} if as_well else {})


def _warm_up(backbone: Backbone, case: Case, plan: MemoryPlan, folder: Path) -> str:
    """The first run in a process pays for kernels that are compiled and loaded once."""
    stages = _carried_out(backbone, replace(case, steps=3, lora_steps=2), plan, folder).stages
    first = sum(cost.step_seconds[0] - cost.step for cost in stages.values())
    return f"Before all this, a run of a few steps warmed the process up; its first steps took {first:.0f} s more than its later ones."


def _measured(backbone: Backbone, scale: Scale, name: str, plan: MemoryPlan, folder: Path) -> Measured:
    chunk = _carried_out(backbone, scale.case, plan, folder)
    predicted = plan.peak_bytes if scale.size == SVD and chunk.options == plan.options else {}
    return Measured(name, predicted, chunk)


def _carried_out(backbone: Backbone, case: Case, plan: MemoryPlan, folder: Path) -> ChunkCost:
    """As the product does it: should memory not suffice, once more with leaner options."""
    return carry_out(plan, lambda options: measure_chunk(backbone, case, options, Path(tempfile.mkdtemp(dir=folder))))


def both_ways(backbone: Backbone, scale: Scale, folder: Path) -> tuple[WayCost, WayCost | None]:
    """This project's way and the published one on the same encoded chunk; None for one that does not fit into memory."""
    folder.mkdir()
    settings = replace(scale.case, steps=scale.way_steps).settings
    for part in (backbone.unet, backbone.vae, backbone.image_encoder):
        part.to(backbone.device)
    chunk = encode_chunk(backbone, scale.case.picture, settings)
    ours = measure_way(backbone, chunk, settings, Replayed())
    try:
        return ours, measure_way(backbone, chunk, settings, Published(folder, backbone.device))
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
    give_memory_back()
    return ours, None


@torch.no_grad()
def operator_speed(scale: Scale) -> tuple[Comparison, ...]:
    """The operator against the textbook form and, in half precision, two calls of flash attention."""
    give_memory_back()
    return tuple(compare(case) for case in scale.operator_cases)


def compiled_step(backbone: Backbone, scale: Scale) -> Compiled:
    """An editing step with and without torch.compile on the UNet."""
    settings = replace(scale.case, steps=scale.way_steps).settings
    chunk = encode_chunk(backbone, scale.case.picture, settings)
    plain = measure_way(backbone, chunk, settings, Replayed()).editing
    with compiled_unet(backbone):
        before = perf_counter()
        first = measure_way(backbone, chunk, settings, Replayed())
        first_seconds = perf_counter() - before
        again = measure_way(backbone, chunk, settings, Replayed())
    return Compiled(plain.seconds, again.editing.seconds, first_seconds - again.chunk_seconds(first.steps))


@contextmanager
def compiled_unet(backbone: Backbone) -> Iterator[None]:
    """The UNet compiled in place, so that its layers keep their paths; its attention stays as it is, being new for every pass."""
    outside = torch.compiler.disable(PassProcessor.__call__)
    backbone.unet.compile()
    try:
        # One function serves blocks of many widths, and is compiled for each.
        with patch.object(PassProcessor, "__call__", outside), torch._dynamo.config.patch(recompile_limit=128):
            yield
    finally:
        backbone.unet._compiled_call_impl = None
        torch.compiler.reset()


def machine(device: torch.device) -> str:
    """What it ran on, in a line."""
    name = attention_speed.machine(device.type)
    return f"{name}, {torch.cuda.get_device_properties(device).total_memory / GIB:.0f} GiB" if device.type == "cuda" else name


def main(arguments: Sequence[str] | None = None) -> None:
    cuda = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/performance/full_size.md"), help="the page")
    parser.add_argument("--small", action="store_true", help="a small stand-in, a few steps, any device")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if cuda else "cpu", help="of --small")
    parser.add_argument("--steps", type=int, default=25, help="sampler steps")
    parser.add_argument("--lora-steps", type=int, default=6, help="training steps that are run, of 250")
    parser.add_argument("--way-steps", type=int, default=3, help="steps in which the two ways are compared; 3 GB of disk each")
    parser.add_argument("--compile", action="store_true", help="try torch.compile on an editing step")
    options = parser.parse_args(arguments)
    command = shlex.join(["python", "benchmarks/full_size.py", *(sys.argv[1:] if arguments is None else arguments)])
    device = torch.device(options.device if options.small else "cuda" if cuda else "cpu")
    results, notes = Results(), [NO_DEVICE]
    if options.small or cuda:
        scale = small_scale(device) if options.small else full_scale(options.steps, options.lora_steps, options.way_steps)
        results, notes = measure(scale, device, options.compile)
        notes = [SMALL, *notes] if options.small else notes
    text = page(command, machine(device), deciding_versions(), notes, results)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
