"""The stages of METHOD in their order, from source pixels and one painted frame to edited pixels. Knows no files but its work folder.

chunks -> SARP -> inversion -> motion LoRA -> skip-interval attention -> matched denoising
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from i2vedit_core.backbone import Backbone
from i2vedit_core.method.attention.passes import SourceMaps
from i2vedit_core.method.attention.reference import Reference, reference_frames
from i2vedit_core.method.chunks import Chunk, plan_chunks
from i2vedit_core.method.conditioning import Condition, condition_on
from i2vedit_core.method.editing import Edited, Editing, MapSource, References, edit_chunk, editing_levels
from i2vedit_core.method.edm import noise_grid
from i2vedit_core.method.latents import decode, encode, require_finite
from i2vedit_core.method.lock import Lock
from i2vedit_core.method.motion_lora import MotionLora, Training, train_motion_lora
from i2vedit_core.method.sarp import flat_areas, perturb
from i2vedit_core.method.seeds import noise_like
from i2vedit_core.method.source import ReplayedMaps, Source, invert_source, record_reference, training_pass
from i2vedit_core.progress import CancelToken, EventCallback, Reporter, Stage, ignore
from i2vedit_core.settings import Part, Settings
from i2vedit_core.work import Work

TRAINING_COST = 3.0
"""A training step against one evaluation of the UNet."""

ReadChunk = Callable[[Chunk], Tensor]
"""A chunk's source pixels [F, 3, H, W] float32 in [-1, 1] at the model's size."""


@dataclass(frozen=True)
class Prepared:
    """A chunk whose source side is done: everything that does not depend on what was painted (section 8)."""

    chunk: Chunk
    source: Source
    trajectory: Tensor
    """[N + 1, F, C, h, w] float32."""


@dataclass(frozen=True)
class Start:
    """What an edited chunk begins with: its first frame's unscaled latent [1, C, h, w] and pixels [1, 3, H, W] in [-1, 1]."""

    latent: Tensor
    picture: Tensor


@dataclass(frozen=True)
class EditedChunk:
    """A finished chunk, all at the model's size."""

    chunk: Chunk
    pixels: Tensor
    """[F, 3, H, W] float32 in [-1, 1]."""
    source: Tensor
    """As `pixels`: the source by the same way through the autoencoder, so that its errors cancel (section 8)."""
    edit_map: Tensor
    """[F, H, W] float32 in [0, 1]."""


class Propagation:
    """One shot on its way. The methods stand in the order of the paper."""

    def __init__(
        self,
        backbone: Backbone,
        settings: Settings,
        frame_count: int,
        read: ReadChunk,
        work: Work,
        on_event: EventCallback = ignore,
        token: CancelToken | None = None,
    ) -> None:
        self.backbone, self.settings, self.read, self.work = backbone, settings, read, work
        self.chunks = plan_chunks(frame_count, backbone.chunk_frames)
        self.guidance = settings.guidance or backbone.folder.guidance
        self.sigmas = noise_grid(backbone, settings.steps)
        self.lora = MotionLora(backbone.unet, settings.lora)
        self.lora_steps = settings.lora_steps(backbone.folder.lora_steps)
        self.reference_frames = reference_frames(settings.reference_frames, backbone.chunk_frames)
        self.seen_maps: dict[int, SourceMaps] | None = None
        """A dictionary here receives the source's attention while it is inverted."""
        self.report = Reporter(on_event, token or CancelToken(), len(self.chunks), self._total_cost())

    @property
    def skips(self) -> bool:
        """Whether there are later chunks that attend to chunk 0 (section 5)."""
        return len(self.chunks) > 1 and Part.SKIP_INTERVAL not in self.settings.without

    def run(self, painted: Tensor) -> Iterator[EditedChunk]:
        """Chunk after chunk: prepare the source, edit, hand the last frame over. painted: [1, 3, H, W] in [-1, 1]."""
        start = Start(encode(self.backbone, painted), painted)
        lock = self._lock(start)
        source_reference, references = None, None
        for chunk, following in zip(self.chunks, [*self.chunks[1:], None], strict=True):
            prepared = self.prepare(chunk, source_reference)
            if chunk.index == 0 and self.skips:
                source_reference = self.record_source_reference(prepared)
                references = References.empty(editing_levels(self.settings), self.reference_frames)
            edited = self.edit_chunk(prepared, start, references, lock)
            pixels = decode(self.backbone, edited.z, self.settings.decode_frames)
            yield self._finished(prepared, edited, pixels)
            if following is not None:
                start = self.hand_over(following.start - chunk.start, edited.z, pixels)

    def prepare(self, chunk: Chunk, reference: Reference | None) -> Prepared:
        """The source side of a chunk: SARP, inversion, motion LoRA (sections 2 to 5). What the work folder has is not made again."""
        self.report.step(Stage.DECODE, chunk.index, 0, 1)
        pixels = self.read(chunk).to(self.backbone.device)
        latents = encode(self.backbone, pixels)
        condition = self.condition(chunk, latents[:1], pixels[:1])
        source = Source(latents[None] * self.backbone.latent_scale, condition, self.sigmas, reference)
        trajectory = self.invert(chunk, source, pixels)
        self.train(chunk, source)
        return Prepared(chunk, source, trajectory)

    def invert(self, chunk: Chunk, source: Source, pixels: Tensor) -> Tensor:
        """Sections 2 and 3."""
        steps = self.settings.steps
        found = self.work.load_trajectory(chunk.index)
        if found is not None:
            self.report.skip(steps)
            return found.to(self.backbone.device)
        z = source.z_0
        if Part.SARP not in self.settings.without and bool(flat_areas(pixels).any()):
            noise = noise_like(pixels, self.settings.seed, chunk.index, "sarp")
            z = encode(self.backbone, perturb(pixels, self.settings.sarp_alpha, noise))[None] * self.backbone.latent_scale
        after_step = self.report.counter(Stage.INVERT, chunk.index, self._inversion_steps(chunk), cost=1)
        trajectory = require_finite(invert_source(self.backbone, source, z, after_step, self.seen_maps), "inverting the source")
        self.work.save_trajectory(chunk.index, trajectory)
        return trajectory

    def train(self, chunk: Chunk, source: Source) -> None:
        """Section 4; from chunk 1 on with chunk 0's source in front (section 5). Leaves the chunk's LoRA loaded."""
        sigma_range = float(self.sigmas[-2]), float(self.sigmas[0])
        training = Training(
            self.settings.lora, self.lora_steps, self.settings.seed, chunk.index, sigma_range, self.work.chunk_folder(chunk.index)
        )
        after_step = self.report.counter(Stage.TRAIN, chunk.index, self.lora_steps, TRAINING_COST)
        first = train_motion_lora(self.lora, source.z_0, training, partial(training_pass, self.backbone, source), after_step)
        self.report.skip(TRAINING_COST * first)

    def record_source_reference(self, prepared: Prepared) -> Reference:
        """Section 5: what later chunks are inverted and trained with."""
        after_step = self.report.counter(Stage.INVERT, 0, self._inversion_steps(prepared.chunk), cost=1, first=self.settings.steps)
        return record_reference(self.backbone, prepared.source, prepared.trajectory, self.reference_frames, after_step)

    def edit_chunk(self, prepared: Prepared, start: Start, references: References | None, lock: Lock | None) -> Edited:
        """Section 6, from the inverted noise. Chunk 0 leaves its keys and values in `references`; later chunks attend to them."""
        chunk, levels = prepared.chunk, editing_levels(self.settings)
        editing = Editing(
            backbone=self.backbone,
            settings=self.settings,
            guidance=self.guidance,
            sigmas=self.sigmas,
            condition=self.condition(chunk, start.latent, start.picture),
            maps=self.source_maps(prepared),
            lora=self.lora,
            front=references if chunk.index > 0 else None,
            keep=references if chunk.index == 0 else None,
            lock=partial(lock.hold, chunk.index, prepared.source.z_0) if lock else None,
        )
        after_step = self.report.counter(Stage.EDIT, chunk.index, len(levels), self._editing_cost())
        edited = edit_chunk(editing, self.starting_noise(prepared), after_step)
        require_finite(edited.z, "denoising the edit")
        return edited

    def source_maps(self, prepared: Prepared) -> MapSource:
        """Where the source's attention comes from (section 6, *Store or replay*)."""
        return ReplayedMaps(self.backbone, prepared.source, prepared.trajectory)

    def starting_noise(self, prepared: Prepared) -> Tensor:
        """z at sigma_0 [1, F, C, h, w]: the inverted source, or plain noise where inversion is left out."""
        if Part.INVERSION not in self.settings.without:
            return prepared.trajectory[0][None]
        noise = noise_like(prepared.source.z_0, self.settings.seed, prepared.chunk.index, "start")
        return noise * (self.sigmas[0] ** 2 + 1).sqrt().to(noise)

    def condition(self, chunk: Chunk, latent: Tensor, picture: Tensor) -> Condition:
        """Section 0. Source and edit of a chunk get the same noise."""
        noise = noise_like(latent, self.settings.seed, chunk.index, "condition")
        return condition_on(self.backbone, latent, picture, noise)

    def hand_over(self, frame: int, z: Tensor, pixels: Tensor) -> Start:
        """Section 1: the next chunk starts from this one's edited *latent*, never from a picture that was decoded and encoded again."""
        return Start(z[:, frame] / self.backbone.latent_scale, pixels[frame : frame + 1])

    def _lock(self, start: Start) -> Lock | None:
        """Section 1, the option `lock`."""
        return Lock(start.latent * self.backbone.latent_scale, self.settings.steps) if self.settings.lock else None

    def _finished(self, prepared: Prepared, edited: Edited, pixels: Tensor) -> EditedChunk:
        source = decode(self.backbone, prepared.source.z_0, self.settings.decode_frames)
        edit_map = torch.nn.functional.interpolate(edited.edit_map[:, None], pixels.shape[-2:], mode="bilinear")[:, 0]
        return EditedChunk(prepared.chunk, pixels, source, edit_map)

    def _inversion_steps(self, chunk: Chunk) -> int:
        """Evaluations of the source: up the grid, and for chunk 0 once more at each level where later chunks will look at it."""
        return self.settings.steps + (self.settings.steps + 1 if chunk.index == 0 and self.skips else 0)

    def _editing_cost(self) -> float:
        """The replayed source and the edit with its condition; without it only where there is guidance."""
        return 2.0 if self.guidance == (1.0, 1.0) else 3.0

    def _total_cost(self) -> float:
        steps, levels = self.settings.steps, len(editing_levels(self.settings))
        chunk = steps + TRAINING_COST * self.lora_steps + self._editing_cost() * levels
        return len(self.chunks) * chunk + (steps + 1 if self.skips else 0)
