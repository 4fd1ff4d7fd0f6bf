"""The page of `full_size.py`: what was measured, beside the goals and beside what is known by count."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import attention_speed
from attention_speed import Comparison
from by_count import CLASSES, FULL, PREVIEW, SVD, SVD_XT, card, disk_of, svd_plan
from chunk_stages import ChunkCost, StageCost
from i2vedit_client.counting import counted
from i2vedit_core.method.editing import editing_levels
from i2vedit_core.models import PAPER_LORA_STEPS
from i2vedit_core.plan import MemoryPlan, MemoryStage, Options, largest_size
from i2vedit_core.settings import Preset, Settings
from published_way import WayCost
from report import markdown

Thing = TypeVar("Thing")

NOT_MEASURED = "not measured"
STEPS = Settings().steps
PREVIEW_STEPS = len(editing_levels(Settings(preset=Preset.PREVIEW)))
GOAL_CLASS = 24
"""GiB of the card whose memory the goals speak of."""


ABOUT_MEMORY = (
    "Predicted is the plan's figure for the whole process, the 0.75 GB that CUDA itself takes included. Allocated is the most that torch's "
    "tensors took at once, reserved the most that its allocator had taken from the device."
)
ABOUT_TIME = (
    "Encoding and decoding as measured; of the other stages, where fewer steps were run than a chunk takes, the others are added at the "
    "median of those that were. The smaller picture is the 896×512 at which the authors train; this project trains at the size it edits."
)
ABOUT_WAYS = (
    "Published: inversion writes every Q0 and K0 to disk, each editing step reads them back, and spatial attention is matched on maps of "
    "N×N in float32, one frame at a time. Here: the source is replayed, and no map exists. Everything else is the same for both, half "
    "precision and fused attention included, and files are read while the system may still hold them in memory: both are kind to the "
    "published way. Each figure is a median over the steps that were run."
)


@dataclass(frozen=True)
class Measured:
    """One chunk with one plan's options."""

    name: str
    """Whose plan it was."""
    predicted: Mapping[MemoryStage, int]
    """Bytes, of the plan; empty for another size than the plan's."""
    chunk: ChunkCost


@dataclass(frozen=True)
class Compiled:
    """The UNet through torch.compile, in an editing step. Seconds."""

    step_seconds: float
    """Of the product as it is."""
    compiled_step_seconds: float
    compile_seconds: float
    """What the steps took beyond that."""


@dataclass(frozen=True)
class Results:
    """What a run has found. What it did not measure is empty."""

    full_size: bool = False
    """Otherwise what was measured says nothing about the goals."""
    chunks: tuple[Measured, ...] = ()
    ours: WayCost | None = None
    published: WayCost | None = None
    """None also where it did not fit into memory."""
    operator: tuple[Comparison, ...] = ()
    compiled: Compiled | None = None

    @property
    def goal_chunk(self) -> ChunkCost | None:
        """With the options of the class whose memory the goals speak of."""
        options = svd_plan(card(GOAL_CLASS)).options
        return next((each.chunk for each in self.chunks if each.chunk.options == options), None) if self.full_size else None

    @property
    def fastest_chunk(self) -> ChunkCost | None:
        """With the options for all memory that there is."""
        return self.chunks[0].chunk if self.full_size and self.chunks else None


def tables(results: Results) -> dict[str, str]:
    """Each section's heading and content."""
    stages = "\n".join(stage_table(each) for each in results.chunks) or predicted_table()
    return {
        "Goals": goal_table(results),
        "The stages of one chunk": f"{ABOUT_MEMORY}\n\n{stages}",
        "One chunk": f"{ABOUT_TIME}\n\n{chunk_table(results)}",
        "The published way, in the same run": f"{ABOUT_WAYS}\n\n{way_table(results)}",
        "The matching operator": attention_speed.markdown(results.operator) if results.operator else "Not measured.",
        "Disk": disk_table(results),
        "The plan by class of card, by count": class_table(),
        "torch.compile": compile_table(results.compiled),
    }


def goal_table(results: Results) -> str:
    """The goals, what was measured, and what is known without measuring."""
    goal, fastest, plan, disk = results.goal_chunk, results.fastest_chunk, svd_plan(card(GOAL_CLASS)), disk_of(SVD)
    ratio = _ratio(results) if results.full_size else None
    floors = [each.floor_ratio for each in results.operator if each.floor_ratio is not None] if results.full_size else []
    small_card = f"of the {GOAL_CLASS} GB class"
    rows = [
        ["operator ÷ two calls of flash attention", "≤ 2", _figure(max(floors, default=None), 2), "–"],
        ["editing step, times faster than the published way", "≥ 5", _figure(ratio, 1), "–"],
        [f"peak while training, GB, {small_card}", "≤ 22", _peak(goal, MemoryStage.TRAIN), _predicted(plan, MemoryStage.TRAIN)],
        [f"peak while editing, GB, {small_card}", "≤ 16", _peak(goal, MemoryStage.EDIT), _predicted(plan, MemoryStage.EDIT)],
        ["one chunk, full, minutes (goal is for an H200)", "≤ 5", _figure(_of(fastest, lambda it: full_seconds(it) / 60), 1), "–"],
        ["one chunk, preview, seconds (goal is for an H200)", "≤ 60", _figure(_of(fastest, preview_seconds), 0), "–"],
        ["disk of a chunk after preparation, MB", "≤ 100", _megabytes(_of(goal, lambda it: it.kept_bytes)), _megabytes(disk.kept_bytes)],
        ["disk of a chunk while training, MB", "≤ 180", _megabytes(_of(goal, lambda it: it.most_bytes)), _megabytes(disk.training_bytes)],
        ["the same while one checkpoint replaces another, MB", "≤ 180", "–", _megabytes(disk.most_bytes)],
    ]
    return markdown(["", "goal", "measured", "by count"], rows)


STAGE_HEADS = ("stage", "s a step", "steps run", "s in all", "predicted GB", "allocated GB", "reserved GB")


def stage_table(measured: Measured) -> str:
    """Seconds and memory of each stage with one plan."""
    chunk, predicted = measured.chunk, measured.predicted
    rows = [_stage_row(stage.value, chunk.stages[stage], predicted.get(stage)) for stage in MemoryStage]
    rows.append(_stage_row("train, smaller picture", chunk.smaller_training, None))
    return f"{measured.name[0].upper()}{measured.name[1:]}: {options_in_words(chunk.options)}.\n\n{markdown(STAGE_HEADS, rows)}"


def predicted_table() -> str:
    """What the plan says of the class that the goals speak of, where nothing was measured."""
    plan, none = svd_plan(card(GOAL_CLASS)), NOT_MEASURED
    rows = [[stage.value, none, none, none, _gigabytes(peak), none, none] for stage, peak in plan.peak_bytes.items()]
    return f"A card of the {GOAL_CLASS} GB class: {options_in_words(plan.options)}.\n\n{markdown(STAGE_HEADS, rows)}"


def _stage_row(name: str, cost: StageCost, predicted: int | None) -> list[str]:
    seconds = [f"{cost.step:.3g}", str(len(cost.step_seconds)), f"{cost.seconds:.3g}"]
    return [name, *seconds, *(_gigabytes(size, "–") for size in (predicted, cost.allocated_bytes, cost.reserved_bytes))]


def chunk_table(results: Results) -> str:
    """Whole chunks, with what was measured carried on to the steps that they take."""
    sums: dict[str, Callable[[ChunkCost], float]] = {
        f"full: {PAPER_LORA_STEPS} training, {STEPS} inversion, {STEPS} editing steps": full_seconds,
        "full, its LoRA trained at the smaller picture": lambda chunk: full_seconds(chunk, chunk.smaller_training),
        f"preview: {STEPS} inversion, {PREVIEW_STEPS} editing steps": preview_seconds,
        f"second edit of the chunk: {STEPS} editing steps": again_seconds,
    }
    names = [f"s, {each.name}" for each in results.chunks] or ["s"]
    rows = [[name, *([f"{seconds(each.chunk):.1f}" for each in results.chunks] or [NOT_MEASURED])] for name, seconds in sums.items()]
    return markdown(["", *names], rows)


def full_seconds(chunk: ChunkCost, training: StageCost | None = None) -> float:
    """Of one chunk by the paper's settings."""
    trained = (training or chunk.stages[MemoryStage.TRAIN]).in_all(PAPER_LORA_STEPS)
    return chunk.stages[MemoryStage.ENCODE].seconds + _inverted(chunk) + trained + again_seconds(chunk)


def preview_seconds(chunk: ChunkCost) -> float:
    """Of one chunk as a preview."""
    return chunk.stages[MemoryStage.ENCODE].seconds + _inverted(chunk) + again_seconds(chunk, PREVIEW_STEPS)


def again_seconds(chunk: ChunkCost, steps: int = STEPS) -> float:
    """Of editing and decoding a chunk whose source is prepared."""
    return chunk.stages[MemoryStage.EDIT].in_all(steps) + chunk.stages[MemoryStage.DECODE].seconds


def _inverted(chunk: ChunkCost) -> float:
    return chunk.stages[MemoryStage.INVERT].in_all(STEPS)


def way_table(results: Results) -> str:
    """This project's way beside the published one."""
    ours, published = results.ours, results.published
    compared: dict[str, Callable[[WayCost], float]] = {
        "inversion step, s": lambda way: way.inversion.seconds,
        "editing step, s": lambda way: way.editing.seconds,
        "editing step if files took no time, s": lambda way: way.editing_without_files,
        "matched spatial attention of an editing step, s": lambda way: way.editing.matching_seconds,
        f"{STEPS} inversion and {STEPS} editing steps, s": lambda way: way.chunk_seconds(STEPS),
    }
    alone: dict[str, Callable[[WayCost], float | None]] = {
        "writing maps in an inversion step, s": lambda way: way.inversion.maps_seconds,
        "having the source's maps in an editing step (replay, or files), s": lambda way: way.editing.maps_seconds,
        "the rest of an editing step, s": lambda way: way.editing.rest_seconds,
        "peak while editing, GB": lambda way: way.editing_bytes and way.editing_bytes / 1e9,
        f"maps of {STEPS} steps on disk, GB": lambda way: STEPS * way.map_bytes / 1e9,
    }
    rows = [[name, *_both(figure, ours, published), _times(figure, ours, published)] for name, figure in compared.items()]
    rows += [[name, *_both(figure, ours, published), "–"] for name, figure in alone.items()]
    return markdown(["", "here", "published", "published ÷ here"], rows)


def _both(figure: Callable[[WayCost], float | None], *ways: WayCost | None) -> list[str]:
    values = [way and figure(way) for way in ways]
    return [NOT_MEASURED if value is None else f"{value:.3g}" for value in values]


def _times(figure: Callable[[WayCost], float], ours: WayCost | None, published: WayCost | None) -> str:
    return f"{figure(published) / figure(ours):.2f}" if ours and published else NOT_MEASURED


def _ratio(results: Results) -> float | None:
    if results.ours is None or results.published is None:
        return None
    return results.published.editing.seconds / results.ours.editing.seconds


def disk_table(results: Results) -> str:
    """What lies on disk for one chunk."""
    disk, longer, goal = disk_of(SVD), disk_of(SVD_XT), results.goal_chunk
    maps = f"{svd_plan(card(GOAL_CLASS)).maps_bytes / 1e6:.0f}"
    rows = [
        ["trajectory of 26 levels", _megabytes(disk.trajectory_bytes), "–", _megabytes(longer.trajectory_bytes)],
        ["LoRA, rank 32", _megabytes(disk.lora_bytes), "–", _megabytes(longer.lora_bytes)],
        [
            "kept after preparation",
            _megabytes(disk.kept_bytes),
            _megabytes(_of(goal, lambda it: it.kept_bytes)),
            _megabytes(longer.kept_bytes),
        ],
        [
            "while training",
            _megabytes(disk.training_bytes),
            _megabytes(_of(goal, lambda it: it.most_bytes)),
            _megabytes(longer.training_bytes),
        ],
        ["while one checkpoint replaces another", _megabytes(disk.most_bytes), "–", _megabytes(longer.most_bytes)],
        ["every map of 25 steps, as published", maps, "–", "–"],
    ]
    return markdown(["MB of one chunk", "SVD by count", "SVD measured", "SVD-XT by count"], rows)


def class_table() -> str:
    """What the plan chooses for each class, and the peaks it predicts."""
    heads = ["card, GB", "full fits", "checkpointing", "offload", "frames decoded at once", *(stage.value for stage in MemoryStage)]
    return markdown([*heads, "preview fits"], [_class_row(gib) for gib in CLASSES])


def _class_row(gib: int) -> list[str]:
    plan, preview = svd_plan(card(gib)), svd_plan(card(gib), PREVIEW)
    options = plan.options
    chosen = ["yes" if options.checkpointing else "no", "yes" if options.offload else "no", str(options.decode_frames)]
    return [str(gib), _fitting(plan), *chosen, *(f"{plan.peak_bytes[stage] / 1e9:.1f}" for stage in MemoryStage), _fitting(preview)]


def _fitting(plan: MemoryPlan) -> str:
    size = (FULL.width, FULL.height) if plan.fits else largest_size(plan, plan.memory.free_bytes)
    return f"{size[0]}×{size[1]}" if size else "no"


def compile_table(compiled: Compiled | None) -> str:
    """An editing step with and without."""
    rows = [
        ["editing step as it is, s", _figure(_of(compiled, lambda it: it.step_seconds), 3)],
        ["editing step compiled, s", _figure(_of(compiled, lambda it: it.compiled_step_seconds), 3)],
        ["compiling, s, once in a process", _figure(_of(compiled, lambda it: it.compile_seconds), 1)],
    ]
    return markdown(["", "measured"], rows)


def options_in_words(options: Options) -> str:
    """For a reader of the page."""
    at_once = options.decode_frames
    parts = [
        f"checkpointing {'on' if options.checkpointing else 'off'}",
        "models that wait are offloaded" if options.offload else "all models stay on the device",
        f"{'the chunk is' if at_once >= SVD.frames else counted(at_once, 'frame is', 'frames are')} decoded at once",
        f"maps by {options.maps.value}",
    ]
    return ", ".join(parts)


def page(command: str, machine: str, versions: Mapping[str, str], notes: Sequence[str], results: Results) -> str:
    """The whole page."""
    sections = [
        "# Full size",
        f"Made by `{command}`.",
        f"Machine: {machine}. {', '.join(f'{name} {version}' for name, version in versions.items())}.",
        *notes,
        *(f"## {title}\n\n{content.strip()}" for title, content in tables(results).items()),
    ]
    return "\n\n".join(sections) + "\n"


def _of(thing: Thing | None, figure: Callable[[Thing], float]) -> float | None:
    """The figure of something that was measured."""
    return None if thing is None else figure(thing)


def _figure(value: float | None, digits: int) -> str:
    return NOT_MEASURED if value is None else f"{value:.{digits}f}"


def _megabytes(count: float | None) -> str:
    return NOT_MEASURED if count is None else f"{count / 1e6:.1f}"


def _gigabytes(count: int | None, missing: str = NOT_MEASURED) -> str:
    return missing if count is None else f"{count / 1e9:.3g}"


def _peak(chunk: ChunkCost | None, stage: MemoryStage) -> str:
    return NOT_MEASURED if chunk is None else _gigabytes(chunk.stages[stage].reserved_bytes)


def _predicted(plan: MemoryPlan, stage: MemoryStage) -> str:
    return f"{_gigabytes(plan.peak_bytes[stage])} (plan)"
