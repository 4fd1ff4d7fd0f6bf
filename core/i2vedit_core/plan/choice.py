"""Choosing options with which a shot fits into the memory that is free."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from i2vedit_core.plan.architecture import Architecture
from i2vedit_core.plan.counts import Counts
from i2vedit_core.plan.options import MemoryStage, Options, by_cost, leaner
from i2vedit_core.plan.prediction import offloaded_bytes, predict
from i2vedit_core.settings import MapStore

PLENTY = 2
"""Source maps go to host memory only where this many times what they take is free: the host application lives there, too."""


@dataclass(frozen=True)
class Memory:
    """What a device has. On the CPU both are the host's."""

    free_bytes: int
    total_bytes: int
    host_free_bytes: int
    on_cuda: bool


@dataclass(frozen=True)
class Request:
    """What is to be done."""

    width: int
    """Of the model's picture, in pixels."""
    height: int
    steps: int = 25
    """Noise levels whose maps a store would keep."""
    trains: bool = True
    """False where no LoRA is trained (preview)."""
    maps: MapStore | None = None
    """A store that was asked for; None leaves it to the plan."""
    frames: int | None = None
    """Of the longest chunk; None: as many as the model takes."""


@dataclass(frozen=True)
class MemoryPlan:
    """Options, and what is predicted with them."""

    architecture: Architecture
    counts: Counts
    memory: Memory
    request: Request
    options: Options
    peak_bytes: dict[MemoryStage, int]
    """Of each stage that will run."""
    maps_bytes: int
    """What a store of the source's maps holds for one chunk, wherever it is."""

    @property
    def highest(self) -> MemoryStage:
        """The stage that needs most."""
        return max(self.peak_bytes, key=lambda stage: self.peak_bytes[stage])

    @property
    def fits(self) -> bool:
        return self.peak_bytes[self.highest] <= self.memory.free_bytes


def choose(architecture: Architecture, counts: Counts, memory: Memory, request: Request) -> MemoryPlan:
    """The cheapest options that fit, or the leanest there are if none do (`fits` is False then)."""
    plans = list(_plans(architecture, counts, memory, request))
    return next((plan for plan in plans if plan.fits), plans[-1])


def step_down(plan: MemoryPlan) -> MemoryPlan | None:
    """The next leaner plan, for an out-of-memory that happened in spite of this one; None where there is nothing left to give up."""
    stepped = leaner(plan.options, plan.architecture.frames, _can_offload(plan.counts, plan.memory))
    return None if stepped is None else _with(plan, stepped)


def largest_size(plan: MemoryPlan, budget_bytes: int) -> tuple[int, int] | None:
    """The largest picture (width, height) of about the same shape that fits into so many bytes at the leanest; None if none does."""
    multiple, request = plan.architecture.size_multiple, plan.request
    for width in range(request.width - request.width % multiple, 0, -multiple):
        height = max(multiple, round(width * request.height / request.width / multiple) * multiple)
        if height > request.height:
            continue
        smaller = _leanest(replace(plan, request=replace(request, width=width, height=height)))
        if smaller.peak_bytes[smaller.highest] <= budget_bytes:
            return width, height
    return None


def leanest_peak(plan: MemoryPlan) -> int:
    """Bytes that the same request needs at the leanest, or as it is if that is less."""
    lean = _leanest(plan)
    return min(plan.peak_bytes[plan.highest], lean.peak_bytes[lean.highest])


def _plans(architecture: Architecture, counts: Counts, memory: Memory, request: Request) -> Iterator[MemoryPlan]:
    cells = request.width * request.height // architecture.latent_factor**2
    maps_bytes = counts.maps * cells * request.steps * (request.frames or architecture.frames) // architecture.frames
    for options in by_cost(architecture.frames, _can_offload(counts, memory)):
        left = memory.host_free_bytes - (offloaded_bytes(counts) if options.offload else 0)
        chosen = replace(options, maps=request.maps or _maps(maps_bytes, left, memory.on_cuda))
        yield _with(MemoryPlan(architecture, counts, memory, request, chosen, {}, maps_bytes), chosen)


def _with(plan: MemoryPlan, options: Options) -> MemoryPlan:
    size = plan.request.width, plan.request.height
    peaks = predict(plan.architecture, plan.counts, options, size, plan.memory.on_cuda, plan.request.frames)
    runs = {stage: peak for stage, peak in peaks.items() if plan.request.trains or stage is not MemoryStage.TRAIN}
    return replace(plan, options=options, peak_bytes=runs)


def _leanest(plan: MemoryPlan) -> MemoryPlan:
    return list(_plans(plan.architecture, plan.counts, plan.memory, plan.request))[-1]


def _can_offload(counts: Counts, memory: Memory) -> bool:
    """On the CPU there is nowhere else to wait."""
    return memory.on_cuda and memory.host_free_bytes >= offloaded_bytes(counts)


def _maps(maps_bytes: int, host_free_bytes: int, on_cuda: bool) -> MapStore:
    return MapStore.RAM if on_cuda and maps_bytes * PLENTY <= host_free_bytes else MapStore.REPLAY
