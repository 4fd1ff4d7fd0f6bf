"""What the method costs on this machine: the matching operator, and whole jobs on the bundled model.

    python benchmarks/speed.py            prints the tables and writes docs/performance/README.md

Runs that are compared take turns on the same machine; ratios are what the tables are for. Nothing here is asserted by a test.
"""

import argparse
import shlex
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import matplotlib
import torch

import attention_speed
from attention_speed import SVD_HEADS, Case, Comparison, compare, has_bfloat16
from i2vedit_core.models import ModelFolder, find_model
from i2vedit_core.settings import LoraSettings, MapStore, Preset, Settings
from i2vedit_core.versions import deciding_versions
from job_speed import Cost, Task, measure, two_edits
from report import markdown
from shots import SIDE
from speed_goals import Found, table_of_goals

matplotlib.use("Agg")
import matplotlib.pyplot as plt

PLOT = "length.png"
ABOUT_GOALS = (
    "What needs a CUDA device is measured by `benchmarks/full_size.py`; its page, [full_size.md](full_size.md), also has the disk of a "
    "chunk at full size, and what the memory plan predicts of cards."
)


@dataclass(frozen=True)
class Plan:
    """What is measured."""

    model: ModelFolder
    settings: Settings
    work: Path
    repeats: int
    lengths: tuple[int, ...]
    """Frames."""

    @property
    def chunk_frames(self) -> int:
        return self.model.frame_count

    @property
    def evaluations_of_an_edit(self) -> int:
        """Of one chunk whose source is prepared: at each step the replayed source, the edit and, with guidance, the edit without its
        condition."""
        guidance = self.settings.guidance or self.model.guidance
        return (2 if guidance == (1.0, 1.0) else 3) * self.settings.steps

    def task(self, name: str, frames: int, **settings: object) -> Task:
        """A run with artifacts of its own."""
        return Task(self.model.name, replace(self.settings, **settings), self.work / name, frames)  # type: ignore[arg-type]


def operator_speed(rows: Sequence[int], frames: int, pairs: int) -> list[Comparison]:
    """The streamed operator beside the textbook form; in bfloat16, too, where the processor computes in it."""
    types = (torch.float32, torch.bfloat16) if has_bfloat16() else (torch.float32,)
    cases = [Case(each, SVD_HEADS.get(each, 5), frames, dtype=dtype) for each in rows for dtype in types]
    with torch.no_grad():
        return [compare(case, pairs) for case in cases]


def edit_table(pairs: Sequence[tuple[Cost, Cost]]) -> str:
    """First and second edit of a shot by stage; medians over the repeats."""
    ratio = median(second.seconds / first.seconds for first, second in pairs)
    rows = [_edit_row(name, [pair[index] for pair in pairs]) for index, name in enumerate(("first edit", "second edit"))]
    head = ["", "evaluations of the network", "invert s", "train s", "edit s", "whole s"]
    return f"{markdown(head, rows)}\nThe second edit takes {ratio:.0%} of the first's time (median of {len(pairs)})."


def _edit_row(name: str, costs: Sequence[Cost]) -> list[str]:
    stages = [f"{median(cost.stage_seconds.get(stage, 0.0) for cost in costs):.1f}" for stage in ("invert", "train", "edit")]
    return [name, str(costs[0].evaluations), *stages, f"{median(cost.seconds for cost in costs):.1f}"]


def preset_table(plan: Plan, frames: int) -> str:
    """Each preset on a fresh shot, and the full run after a preview."""
    costs = {preset.value: measure(plan.task(f"preset-{preset.value}", frames, preset=preset)) for preset in Preset}
    costs["full, after a preview"] = measure(plan.task(f"preset-{Preset.PREVIEW.value}", frames))
    rows = [
        [name, str(cost.evaluations), f"{cost.seconds:.1f}", f"{cost.seconds / costs['full'].seconds:.2f}"] for name, cost in costs.items()
    ]
    return markdown(["preset", "evaluations", "s", "÷ full"], rows)


def length_table(costs: Mapping[int, Cost]) -> str:
    """Time and memory against the length of the shot."""
    rows = [[str(frames), *_length_row(cost)] for frames, cost in costs.items()]
    return markdown(["frames", "chunks", "s a chunk, from chunk 1 on", "largest ÷ smallest", "peak MB of the process"], rows)


def _length_row(cost: Cost) -> list[str]:
    later = cost.chunk_seconds[1:]
    times = [f"{median(later):.1f}", f"{max(later) / min(later):.2f}"] if later else ["–", "–"]
    return [str(len(cost.chunk_seconds)), *times, f"{cost.peak_bytes / 1e6:.0f}"]


def disk_table(plan: Plan, frames: int) -> str:
    """What a chunk keeps on disk with each way to come by the source's maps.

    A small model's training is over before a first checkpoint is due; here there is one at every step, so that its optimiser is seen.
    """
    lora = replace(plan.settings.lora, checkpoint_every=1)
    costs = {store.value: measure(plan.task(f"disk-{store.value}", frames, maps=store, lora=lora)) for store in MapStore}
    rows = [
        [name, *(f"{size / 1e6:.2f}" for size in (cost.kept_bytes, cost.most_bytes)), str(cost.evaluations)] for name, cost in costs.items()
    ]
    return markdown(["maps", "MB kept a chunk", "MB at most, while training", "evaluations"], rows)


def plot(costs: Mapping[int, Cost], picture: Path) -> None:
    """Time and memory against frames."""
    figure, (time_axis, memory_axis) = plt.subplots(1, 2, figsize=(9, 3))
    time_axis.plot(list(costs), [cost.seconds for cost in costs.values()], marker="o")
    time_axis.set(xlabel="frames", ylabel="seconds", ylim=(0, None), title="time")
    memory_axis.plot(list(costs), [cost.peak_bytes / 1e6 for cost in costs.values()], marker="o")
    memory_axis.set(xlabel="frames", ylabel="MB", ylim=(0, None), title="peak memory of the process")
    figure.tight_layout()
    figure.savefig(picture, dpi=90)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="mini", help="mini, or a diffusers folder")
    parser.add_argument("--out", type=Path, default=Path("docs/performance"), help="where the page goes")
    parser.add_argument("--rows", type=int, nargs="+", default=sorted(SVD_HEADS), help="N of the operator's sizes")
    parser.add_argument("--lengths", type=int, nargs="+", default=[14, 27, 53, 105], help="frames")
    parser.add_argument("--steps", type=int, default=25, help="sampler steps")
    parser.add_argument("--lora-steps", type=int, help="motion LoRA steps; what the model recommends, if not given")
    parser.add_argument("--repeats", type=int, default=3, help="pairs of everything that is compared in pairs")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    command = shlex.join(["python", "benchmarks/speed.py", *(sys.argv[1:] if arguments is None else arguments)])
    with tempfile.TemporaryDirectory() as work:
        settings = Settings(steps=options.steps, lora=LoraSettings(steps=options.lora_steps))
        plan = Plan(find_model(options.model), settings, Path(work), options.repeats, tuple(options.lengths))
        found = run(plan, options.rows)
        page = _page(command, plan, _sections(plan, found))
    plot(found.lengths, options.out / PLOT)
    (options.out / "README.md").write_text(page, encoding="utf-8")
    print(page)


def run(plan: Plan, rows: Sequence[int]) -> Found:
    """What the goals speak of."""
    operator = operator_speed(rows, 1, plan.repeats)
    pairs = [two_edits(plan.task(f"edits-{number}", plan.chunk_frames)) for number in range(plan.repeats)]
    lengths = {frames: measure(plan.task(f"length-{frames}", frames)) for frames in plan.lengths}
    return Found(operator, pairs, plan.evaluations_of_an_edit, lengths)


def _sections(plan: Plan, found: Found) -> dict[str, str]:
    frames = plan.chunk_frames
    return {
        "Goals": f"{table_of_goals(found)}\n{ABOUT_GOALS}",
        "The matching operator against the textbook form, on the CPU": attention_speed.markdown(found.operator),
        f"First and second edit of a shot of {frames} frames": edit_table(found.pairs),
        "Presets": preset_table(plan, frames),
        "Length of the shot": f"{length_table(found.lengths)}\n![Time and memory against frames]({PLOT})",
        "Disk": disk_table(plan, frames),
    }


def _page(command: str, plan: Plan, tables: dict[str, str]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in deciding_versions().items())
    settings, model = plan.settings, plan.model
    sections = [
        "# Performance",
        f"Made by `{command}` with the model `{model.name}` (SHA-256 `{model.sha256}`).",
        f"Machine: {attention_speed.machine('cpu')}. {versions}.",
        f"The operator: SVD's sizes at 576×1024. Jobs: drawn shots of {SIDE}×{SIDE} pixels, {settings.steps} sampler steps, "
        f"{settings.lora_steps(model.lora_steps)} steps of motion LoRA a chunk.",
        "Absolute times are this machine's. Operator and edits took turns, and their ratios are medians; presets, lengths and disk are of "
        "one run each, one after the other.",
        *(f"## {title}\n\n{content.strip()}" for title, content in tables.items()),
    ]
    return "\n\n".join(sections) + "\n"


if __name__ == "__main__":
    main()
