"""The whole way of a shot: one painted frame in, all frames out. Reads like the paper's overview (METHOD, sections 1 to 6):

chunks -> SARP -> inversion -> motion LoRA -> skip-interval attention -> matched denoising -> composite over the plate
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from i2vedit_core.backbone import Backbone
from i2vedit_core.delivery.deliver import ChunkPictures, Deliverer
from i2vedit_core.delivery.matte import Calibration
from i2vedit_core.delivery.painted import Painted, read_painted
from i2vedit_core.delivery.sequence import SequenceWriter, reserve_version
from i2vedit_core.media.fit import plan_fit
from i2vedit_core.method.attention.reference import Reference, reference_frames
from i2vedit_core.method.chunks import Chunk, plan_chunks
from i2vedit_core.method.conditioning import Condition, condition_on
from i2vedit_core.method.editing import Edited, Editing, References, edit_chunk, editing_levels
from i2vedit_core.method.edm import noise_grid
from i2vedit_core.method.latents import decode, encode, require_finite
from i2vedit_core.method.motion_lora import MotionLora, Training, train_motion_lora
from i2vedit_core.method.sarp import flat_areas, perturb
from i2vedit_core.method.seeds import noise_like
from i2vedit_core.method.source import ReplayedMaps, Source, invert_source, record_reference, training_pass
from i2vedit_core.pictures import read_chunk, to_pictures, to_pixels
from i2vedit_core.progress import CancelToken, EventCallback, Reporter, Stage, ignore
from i2vedit_core.provenance import issue_ticket
from i2vedit_core.settings import DeliverySettings, Settings
from i2vedit_core.shot import Edit, Shot
from i2vedit_core.work import Work

TRAINING_COST = 3.0
"""A training step against one evaluation of the UNet."""


@dataclass(frozen=True)
class Delivered:
    """What a propagation leaves behind."""

    folder: Path
    frames: tuple[Path, ...]
    """One per source frame, in their order."""


@dataclass(frozen=True)
class Prepared:
    """A chunk whose source side is done: everything that does not depend on what was painted (section 8)."""

    chunk: Chunk
    pixels: Tensor
    """[F, 3, H, W] float32 in [-1, 1]."""
    source: Source
    trajectory: Tensor
    """[N + 1, F, C, h, w] float32."""


@dataclass(frozen=True)
class Start:
    """What an edited chunk begins with: its first frame's unscaled latent [1, C, h, w] and pixels [1, 3, H, W] in [-1, 1]."""

    latent: Tensor
    picture: Tensor


def propagate(  # noqa: PLR0913  (the one call of the core: what goes in, and the two ways to follow it)
    shot: Shot,
    edit: Edit,
    settings: Settings,
    backbone: Backbone,
    delivery: DeliverySettings,
    work: Path | None = None,
    on_event: EventCallback = ignore,
    token: CancelToken | None = None,
) -> Delivered:
    """Carries the painted first frame of a shot through all of its frames and delivers them as an EXR sequence.

    `work` keeps what is expensive (trajectories, LoRA checkpoints): the same folder given again goes on where it was.
    Raises BridgeError; CANCELLED once `token` was set.
    """
    with tempfile.TemporaryDirectory(prefix="i2vedit-") as temporary:
        run = Propagation(shot, edit, settings, backbone, Work(work or Path(temporary)), on_event, token or CancelToken())
        return run.deliver(delivery)


class Propagation:
    """One shot on its way. The methods stand in the order of the paper."""

    def __init__(
        self, shot: Shot, edit: Edit, settings: Settings, backbone: Backbone, work: Work, on_event: EventCallback, token: CancelToken
    ) -> None:
        self.shot, self.edit, self.settings, self.backbone, self.work = shot, edit, settings, backbone, work
        clip = shot.clip
        self.fit = plan_fit(clip.width, clip.height, clip.pixel_aspect, backbone.pixel_budget, backbone.size_multiple)
        self.chunks = plan_chunks(len(shot), backbone.chunk_frames)
        self.guidance = settings.guidance or backbone.folder.guidance
        self.sigmas = noise_grid(backbone, settings.steps)
        self.lora = MotionLora(backbone.unet, settings.lora)
        self.lora_steps = settings.lora_steps(backbone.folder.lora_steps)
        self.reference_frames = reference_frames(settings.reference_frames, backbone.chunk_frames)
        self.report = Reporter(on_event, token, len(self.chunks), self._total_cost())

    @property
    def skips(self) -> bool:
        """Whether there are later chunks, which attend to chunk 0 (section 5)."""
        return len(self.chunks) > 1

    def deliver(self, delivery: DeliverySettings) -> Delivered:
        """Runs every stage and writes every frame."""
        painted = read_painted(self.edit, self.shot)
        ticket = issue_ticket(self.shot, self.edit, self.settings, self.backbone, delivery)
        self.work.claim(ticket)
        with SequenceWriter(self._version_folder(delivery), self.shot.clip, delivery, ticket) as writer:
            deliverer = Deliverer(self.shot, self.fit, painted, self.settings.edit, writer)
            if painted.changed:
                self._propagate(painted, deliverer)
            else:
                self._announce(0, deliverer.unchanged(), len(self.shot))
            deliverer.extras()
        return Delivered(writer.folder, tuple(writer.path(frame) for frame in range(self.shot.first, self.shot.last + 1)))

    def _propagate(self, painted: Painted, deliverer: Deliverer) -> None:
        """Chunk after chunk: prepare the source, edit, deliver, hand the last frame over."""
        self._announce(0, iter([deliverer.painted_frame()]), 1)
        if len(self.shot) == 1:
            return
        start, source_reference, references, calibration = self.painted_start(painted), None, None, None
        for chunk, following in zip(self.chunks, [*self.chunks[1:], None], strict=True):
            prepared = self.prepare(chunk, source_reference)
            if chunk.index == 0 and self.skips:
                source_reference = self.record_source_reference(prepared)
                references = References.empty(editing_levels(self.settings), self.reference_frames)
            edited = self.edit_chunk(prepared, start, references)
            pixels = decode(self.backbone, edited.z, self.settings.decode_frames)
            pictures = self.chunk_pictures(prepared, edited, pixels)
            calibration = calibration or deliverer.calibrate(pictures)
            self._deliver_chunk(chunk, pictures, calibration, deliverer)
            if following is not None:
                start = self.hand_over(following.start - chunk.start, edited.z, pixels)

    def prepare(self, chunk: Chunk, reference: Reference | None) -> Prepared:
        """The source side of a chunk: SARP, inversion, motion LoRA (sections 2 to 5). What the work folder has is not made again."""
        self.report.step(Stage.DECODE, chunk.index, 0, 1)
        pixels = read_chunk(self.shot, self.fit, self.shot.first + chunk.start, chunk.length).to(self.backbone.device)
        latents = encode(self.backbone, pixels)
        condition = self.condition(chunk, latents[:1], pixels[:1])
        source = Source(latents[None] * self.backbone.latent_scale, condition, self.sigmas, reference)
        trajectory = self.invert(chunk, source, pixels)
        self.train(chunk, source)
        return Prepared(chunk, pixels, source, trajectory)

    def invert(self, chunk: Chunk, source: Source, pixels: Tensor) -> Tensor:
        """Sections 2 and 3."""
        steps = self.settings.steps
        found = self.work.load_trajectory(chunk.index)
        if found is not None:
            self.report.skip(steps)
            return found.to(self.backbone.device)
        z = source.z_0
        if bool(flat_areas(pixels).any()):
            noise = noise_like(pixels, self.settings.seed, chunk.index, "sarp")
            z = encode(self.backbone, perturb(pixels, self.settings.sarp_alpha, noise))[None] * self.backbone.latent_scale
        after_step = self.report.counter(Stage.INVERT, chunk.index, self._inversion_steps(chunk), cost=1)
        trajectory = require_finite(invert_source(self.backbone, source, z, after_step), "inverting the source")
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

    def edit_chunk(self, prepared: Prepared, start: Start, references: References | None) -> Edited:
        """Section 6, from the inverted noise. Chunk 0 leaves its keys and values in `references`; later chunks attend to them."""
        chunk, levels = prepared.chunk, editing_levels(self.settings)
        editing = Editing(
            backbone=self.backbone,
            settings=self.settings,
            guidance=self.guidance,
            sigmas=self.sigmas,
            condition=self.condition(chunk, start.latent, start.picture),
            maps=ReplayedMaps(self.backbone, prepared.source, prepared.trajectory),
            lora=self.lora,
            front=references if chunk.index > 0 else None,
            keep=references if chunk.index == 0 else None,
        )
        after_step = self.report.counter(Stage.EDIT, chunk.index, len(levels), self._editing_cost())
        edited = edit_chunk(editing, prepared.trajectory[0][None], after_step)
        require_finite(edited.z, "denoising the edit")
        return edited

    def condition(self, chunk: Chunk, latent: Tensor, picture: Tensor) -> Condition:
        """Section 0. Source and edit of a chunk get the same noise."""
        noise = noise_like(latent, self.settings.seed, chunk.index, "condition")
        return condition_on(self.backbone, latent, picture, noise)

    def painted_start(self, painted: Painted) -> Start:
        """The painted frame as chunk 0's first frame."""
        picture = to_pixels(self.fit.to_model(painted.picture)[None]).to(self.backbone.device)
        return Start(encode(self.backbone, picture), picture)

    def hand_over(self, frame: int, z: Tensor, pixels: Tensor) -> Start:
        """Section 1: the next chunk starts from this one's edited *latent*, never from a picture that was decoded and encoded again."""
        return Start(z[:, frame] / self.backbone.latent_scale, pixels[frame : frame + 1])

    def chunk_pictures(self, prepared: Prepared, edited: Edited, pixels: Tensor) -> ChunkPictures:
        """The finished chunk beside the source as the autoencoder shows it."""
        source = decode(self.backbone, prepared.source.z_0, self.settings.decode_frames)
        edit_map = torch.nn.functional.interpolate(edited.edit_map[:, None], pixels.shape[-2:], mode="bilinear")[:, 0]
        return ChunkPictures(to_pictures(pixels), to_pictures(source), edit_map.numpy())

    def _deliver_chunk(self, chunk: Chunk, pictures: ChunkPictures, calibration: Calibration, deliverer: Deliverer) -> None:
        """Everything this chunk delivers but the painted frame, which is there already."""
        delivers = range(max(chunk.delivers.start, 1), chunk.delivers.stop)
        part = pictures.part(slice(delivers.start - chunk.start, delivers.stop - chunk.start))
        self._announce(chunk.index, deliverer.frames(self.shot.first + delivers.start, part, calibration), len(delivers))

    def _announce(self, chunk: int, frames: Iterator[tuple[int, Path]], count: int) -> None:
        for step, (frame, path) in enumerate(frames):
            self.report.step(Stage.DELIVER, chunk, step, count)
            self.report.frame(frame, path)

    def _version_folder(self, delivery: DeliverySettings) -> Path:
        folder = self.work.version_folder()
        if folder is None:
            folder = reserve_version(delivery.directory, self.shot.clip)
            self.work.remember_version(folder)
        return folder

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
