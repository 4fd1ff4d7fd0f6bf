"""One chunk through the product's own stages, each with its seconds, its steps and its peak of memory. For `full_size.py`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from disk import bytes_in
from i2vedit_core.backbone import Backbone, checkpointed_gradients
from i2vedit_core.method.conditioning import Condition, condition_on
from i2vedit_core.method.editing import Edited, Editing, MapSource, edit_chunk
from i2vedit_core.method.edm import noise_grid
from i2vedit_core.method.latents import decode, encode
from i2vedit_core.method.motion_lora import MotionLora, Training, train_motion_lora
from i2vedit_core.method.sarp import perturb
from i2vedit_core.method.seeds import noise_like
from i2vedit_core.method.source import Source, invert_source, replay, training_pass
from i2vedit_core.method.source_maps import MapsAt, open_store
from i2vedit_core.plan import MemoryStage, Options
from i2vedit_core.plan.carrying_out import give_memory_back
from i2vedit_core.residence import Residence
from i2vedit_core.settings import LoraSettings, Settings
from i2vedit_core.tensor_files import save_tensors

Picture = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True)
class Case:
    """What is run."""

    picture: Picture
    training_picture: Picture
    """The smaller one at which METHOD section 4 says the authors train."""
    steps: int = 25
    lora_steps: int = 6
    """Enough of the 250 to know what one takes."""

    @property
    def settings(self) -> Settings:
        """The optimiser is written one step before the last, where a training of 250 steps would have written it several times."""
        every = max(1, self.lora_steps - 1)
        return Settings(steps=self.steps, lora=LoraSettings(steps=self.lora_steps, checkpoint_every=every))


@dataclass(frozen=True)
class StageCost:
    """What one stage of one chunk took."""

    seconds: float
    """The models' way on and off the device included."""
    step_seconds: tuple[float, ...]
    allocated_bytes: int | None
    """The most that torch's tensors took at once, weights included; None where there is no CUDA device."""
    reserved_bytes: int | None
    """The most that torch's allocator had taken from the device."""

    def in_all(self, steps: int) -> float:
        """Seconds of the stage with so many steps: as measured if it had as many, else so many more or fewer of its median."""
        return self.seconds + (steps - len(self.step_seconds)) * self.step

    @property
    def step(self) -> float:
        """Seconds of one step: the median, so that what is done once, before the first, does not count."""
        return median(self.step_seconds)


@dataclass(frozen=True)
class ChunkCost:
    """One chunk, with the options of one memory plan."""

    options: Options
    stages: dict[MemoryStage, StageCost]
    smaller_training: StageCost
    """At `Case.training_picture`."""
    kept_bytes: int
    """On disk when the source is prepared: trajectory and LoRA."""
    most_bytes: int
    """On disk while the LoRA was trained, its optimiser included."""


@dataclass(frozen=True)
class Encoded:
    """A chunk as inversion, training and editing take it."""

    source: Source
    perturbed: Tensor
    """[1, F, C, h, w] float32: the latents after SARP, scaled."""
    condition: Condition
    """On the painted frame."""


def wait(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class MemoryPeak:
    """The most memory that torch took of a CUDA device while the block ran, weights included. None elsewhere."""

    allocated_bytes: int | None = None
    """By tensors."""
    reserved_bytes: int | None = None
    """By the allocator, from the device."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def __enter__(self) -> "MemoryPeak":
        give_memory_back()  # so that what is reserved is this block's own
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        return self

    def __exit__(self, *_: object) -> None:
        if self._device.type == "cuda":
            self.allocated_bytes = torch.cuda.max_memory_allocated(self._device)
            self.reserved_bytes = torch.cuda.max_memory_reserved(self._device)


class Meter:
    """Takes the time and the memory of one stage after another."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    @contextmanager
    def stage(self, costs: dict[MemoryStage, StageCost], name: MemoryStage) -> Iterator[Callable[..., None]]:
        """Measures the block; it calls what it is given after each of its steps."""
        with MemoryPeak(self._device) as peak:
            times = [self._now()]
            yield lambda *_: times.append(self._now())
            seconds = self._now() - times[0]
        steps = tuple(after - before for before, after in pairwise(times))
        costs[name] = StageCost(seconds, steps or (seconds,), peak.allocated_bytes, peak.reserved_bytes)

    def _now(self) -> float:
        wait(self._device)
        return perf_counter()


def moving_clip(backbone: Backbone, picture: Picture) -> tuple[Tensor, Tensor]:
    """A clip [F, 3, H, W] of moving patches, and its first frame painted over on the left [1, 3, H, W]; float32 in [-1, 1]."""
    width, height = picture
    coarse = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 1.6 - 0.8
    still = interpolate(coarse, (height, width), mode="bicubic").clamp(-1, 1)[0]
    clip = torch.stack([still.roll(2 * frame, dims=-1) for frame in range(backbone.chunk_frames)]).to(backbone.device)
    painted = clip[:1].clone()
    painted[..., : width // 3] *= -1
    return clip, painted


def encode_chunk(backbone: Backbone, picture: Picture, settings: Settings) -> Encoded:
    """METHOD sections 0 and 2, as the product's preparation has them."""
    pixels, painted = moving_clip(backbone, picture)
    latents, painted_latent = encode(backbone, pixels), encode(backbone, painted)
    # A clip without flat areas is encoded once only; the dearer case is the one to know.
    perturbed = encode(backbone, perturb(pixels, settings.sarp_alpha, noise_like(pixels, settings.seed, "sarp")))
    noise = noise_like(latents[:1], settings.seed, "condition")
    scale, sigmas = backbone.latent_scale, noise_grid(backbone, settings.steps)
    source = Source(latents[None] * scale, condition_on(backbone, latents[:1], pixels[:1], noise), sigmas)
    return Encoded(source, perturbed[None] * scale, condition_on(backbone, painted_latent, painted, noise))


@torch.no_grad()
def edit(backbone: Backbone, chunk: Encoded, settings: Settings, maps: MapSource, z: Tensor, after_step: Callable[..., None]) -> Edited:
    """METHOD section 6 with the guidance that the model recommends (the paper's 1 to 2), the LoRA on. z: the source at sigma_0."""
    editing = Editing(
        backbone=backbone,
        settings=settings,
        guidance=backbone.folder.guidance,
        sigmas=chunk.source.sigmas,
        condition=chunk.condition,
        maps=maps,
        lora=MotionLora(backbone.unet, settings.lora),
    )
    return edit_chunk(editing, z, after_step)


def measure_chunk(backbone: Backbone, case: Case, options: Options, folder: Path) -> ChunkCost:
    """The whole way of one chunk with the options of a plan; `folder`, empty, receives what the product keeps."""
    return _Run(backbone, case, options, folder).run()


class _Run:
    """One chunk on its way, stage after stage."""

    def __init__(self, backbone: Backbone, case: Case, options: Options, folder: Path) -> None:
        self.backbone, self.case, self.options, self.folder = backbone, case, options, folder
        self.settings, self.meter = case.settings, Meter(backbone.device)
        self.costs: dict[MemoryStage, StageCost] = {}
        self.residence = Residence(backbone, options.offload)
        self.lora = MotionLora(backbone.unet, self.settings.lora)
        self.inversion = folder / "inversion"
        self.inversion.mkdir(parents=True)
        self.store = open_store(options.maps)(self.inversion)

    def run(self) -> ChunkCost:
        chunk = self._encode(self.case.picture, self.costs)
        trajectory = self._invert(chunk)
        most_bytes = self._train(chunk, "lora", self.costs)
        kept_bytes = bytes_in(self.folder)
        edited = self._edit(chunk, trajectory)
        self._decode(edited.z, chunk.source.z_0)
        del edited, trajectory, chunk
        smaller: dict[MemoryStage, StageCost] = {}
        self._train(self._encode(self.case.training_picture, smaller), "lora-smaller", smaller)
        self.store.close()
        return ChunkCost(self.options, self.costs, smaller[MemoryStage.TRAIN], kept_bytes, most_bytes)

    def _encode(self, picture: Picture, costs: dict[MemoryStage, StageCost]) -> Encoded:
        with self.meter.stage(costs, MemoryStage.ENCODE):
            self.residence.bring(self.backbone.vae, self.backbone.image_encoder)
            return encode_chunk(self.backbone, picture, self.settings)

    def _invert(self, chunk: Encoded) -> Tensor:
        keep = self.store.keep if self.store.keeps else None
        with self.meter.stage(self.costs, MemoryStage.INVERT) as after_step:
            self.residence.bring(self.backbone.unet)
            trajectory = invert_source(self.backbone, chunk.source, chunk.perturbed, after_step, keep)
            save_tensors(self.inversion / "trajectory.safetensors", {"trajectory": trajectory})
        return trajectory

    def _train(self, chunk: Encoded, name: str, costs: dict[MemoryStage, StageCost]) -> int:
        """Returns the most bytes that lay on disk after a step."""
        sigmas, settings, found = chunk.source.sigmas, self.settings, [0]
        sigma_range = float(sigmas[-2]), float(sigmas[0])
        training = Training(settings.lora, self.case.lora_steps, settings.seed, 0, sigma_range, self.folder / name)
        training.checkpoints.mkdir(parents=True)
        with self.meter.stage(costs, MemoryStage.TRAIN) as after_step:
            self.residence.bring(self.backbone.unet)

            def watch(step: int, loss: float) -> None:
                after_step()
                found.append(bytes_in(self.folder))

            with checkpointed_gradients(self.backbone.unet) if self.options.checkpointing else nullcontext():
                train_motion_lora(self.lora, chunk.source.z_0, training, partial(training_pass, self.backbone, chunk.source), watch)
        return max(found)

    def _edit(self, chunk: Encoded, trajectory: Tensor) -> Edited:
        with self.meter.stage(self.costs, MemoryStage.EDIT) as after_step:
            self.residence.bring(self.backbone.unet)
            maps = MapsAt(self.store, partial(replay, self.backbone, chunk.source, trajectory))
            return edit(self.backbone, chunk, self.settings, maps, trajectory[0][None], after_step)

    def _decode(self, *chunks: Tensor) -> None:
        """Scaled latents, [1, F, C, h, w] each: the edit and the source, both of which the product decodes."""
        frames_at_once = min(self.settings.decode_frames, self.options.decode_frames)
        with self.meter.stage(self.costs, MemoryStage.DECODE) as after_step:
            self.residence.bring(self.backbone.vae)
            pixels = []
            for z in chunks:
                pixels.append(decode(self.backbone, z, frames_at_once))
                after_step()
