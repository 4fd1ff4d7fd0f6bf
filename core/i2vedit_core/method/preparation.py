"""METHOD sections 2 to 5 in their order: all of a shot that does not depend on what is painted. It can be made while the artist paints.

chunks -> SARP -> inversion -> motion LoRA; what the artifacts have is not made again.
"""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from i2vedit_core.artifacts import Artifacts, tensor_sha256
from i2vedit_core.backbone import Backbone, checkpointed_gradients
from i2vedit_core.method.attention.reference import empty_reference, reference_frames
from i2vedit_core.method.chunks import Chunk
from i2vedit_core.method.conditioning import Condition, condition_on
from i2vedit_core.method.editing import MapSource, editing_levels
from i2vedit_core.method.edm import noise_grid
from i2vedit_core.method.latents import encode, require_finite
from i2vedit_core.method.motion_lora import MotionLora, Training, is_trained, train_motion_lora
from i2vedit_core.method.sarp import flat_areas, perturb
from i2vedit_core.method.seeds import noise_like
from i2vedit_core.method.source import Source, complete_reference, invert_source, replay, training_pass
from i2vedit_core.method.source_maps import MapsAt, OpenStore, Store, replay_only
from i2vedit_core.plan.options import ROOMY, Options
from i2vedit_core.progress import CancelToken, Reporter, Stage, ignore, step_and_keep
from i2vedit_core.residence import Residence
from i2vedit_core.settings import Part, Settings
from i2vedit_core.tensor_files import find_tensors, save_tensors

INVERSION_CHECKPOINT_EVERY = 5
"""So many levels of an inversion are lost at most when it is killed."""
TRAINING_COST = 3.0
"""A training step against one evaluation of the UNet."""

LookAtChunk = Callable[[Chunk, int, Tensor], None]
"""(chunk, step, predicted clean latent [1, F, C, h, w]) while a chunk is denoised."""
ReadChunk = Callable[[Chunk], Tensor]
"""A chunk's source pixels [F, 3, H, W] float32 in [-1, 1] at the model's size."""


@dataclass(frozen=True)
class Prepared:
    """A chunk whose source side is done: everything that does not depend on what was painted (section 8)."""

    chunk: Chunk
    source: Source
    trajectory: Tensor
    """[N + 1, F, C, h, w] float32."""
    maps: MapSource
    """The source's attention at every level."""


@dataclass(frozen=True)
class Workplace:
    """Where and how a shot's stages are run. Nothing of it decides the result."""

    artifacts: Artifacts
    report: Reporter = field(default_factory=lambda: Reporter(ignore, CancelToken()))
    options: Options = ROOMY
    open_store: OpenStore = replay_only
    look: LookAtChunk | None = None
    kept: Artifacts | None = None
    """Where finished chunks are kept; None: nowhere."""
    fronts: Artifacts | None = None
    """Where this job keeps what chunk 0 leaves for later ones; None: nowhere."""


@dataclass(frozen=True)
class Keys:
    """What a chunk's artifacts are made of."""

    trajectory: Mapping[str, Any]
    lora: Mapping[str, Any]


@dataclass(frozen=True)
class Begun:
    """A chunk that is read and encoded; the network has not seen it yet."""

    chunk: Chunk
    pixels: Tensor
    """[F, 3, H, W] float32 in [-1, 1]."""
    keys: Keys
    source: Source


def preparation_cost(backbone: Backbone, settings: Settings) -> float:
    """Of a chunk, in evaluations of the UNet."""
    return settings.steps + TRAINING_COST * settings.lora_steps(backbone.folder.lora_steps)


class Preparation:
    """The source side of one leg."""

    def __init__(self, backbone: Backbone, settings: Settings, chunks: tuple[Chunk, ...], read: ReadChunk, workplace: Workplace) -> None:
        self.backbone, self.settings, self.read, self.workplace = backbone, settings, read, workplace
        self.report = workplace.report
        self.residence = Residence(backbone, workplace.options.offload)
        self.chunks = chunks
        self.sigmas = noise_grid(backbone, settings.steps)
        self.lora = MotionLora(backbone.unet, settings.lora)
        self.lora_steps = settings.lora_steps(backbone.folder.lora_steps)
        self.cost_of_chunk = preparation_cost(backbone, settings)
        self.reference_frames = reference_frames(settings.reference_frames, backbone.chunk_frames)
        self.first: Prepared | None = None
        """Chunk 0, once it is prepared: later ones look back at it."""
        self._leaves = empty_reference(range(settings.steps + 1), self.reference_frames) if self.skips else None
        """What it leaves for them."""
        self._first_key: Mapping[str, Any] = {}
        self._store: Store | None = None

    @property
    def skips(self) -> bool:
        """Whether there are later chunks that attend to chunk 0 (section 5)."""
        return len(self.chunks) > 1 and Part.SKIP_INTERVAL not in self.settings.without

    def prepare(self, chunk: Chunk) -> Prepared:
        """Everything of one chunk. Leaves the chunk's LoRA loaded."""
        return self.finish(self.begin(chunk))

    def begin(self, chunk: Chunk) -> Begun:
        """Reads and encodes a chunk; chunk 0 first."""
        self.report.step(Stage.DECODE, chunk.index, 0, 1)
        pixels = self.read(chunk).to(self.backbone.device)
        keys = self.keys(chunk, pixels)
        self.note(keys)
        self.residence.bring(self.backbone.vae, self.backbone.image_encoder)
        return Begun(chunk, pixels, keys, self._source(chunk, pixels))

    def finish(self, begun: Begun) -> Prepared:
        """The rest of it. Leaves the chunk's LoRA loaded."""
        prepared = self.trace(begun)
        self.train(begun)
        return prepared

    def trace(self, begun: Begun) -> Prepared:
        """The trajectory of a chunk, whose LoRA is still to be trained; that of chunk 0 first, which is all that later ones need of it."""
        chunk, keys, source = begun.chunk, begun.keys, begun.source
        if chunk.index > 0 and self.skips and self.first is None:
            self.trace(self.begin(self.chunks[0]))
            self.report.skip(TRAINING_COST * self.lora_steps)
        self.residence.bring(self.backbone.vae, self.backbone.image_encoder)
        found = self._load_trajectory(keys)
        perturbed = self._perturbed(chunk, source, begun.pixels) if found is None else source.z_0
        self.residence.bring(self.backbone.unet)
        self._look_back(chunk, keys, found)
        store = self._open_store(keys)
        trajectory = self._invert(chunk, source, perturbed, keys, store) if found is None else self._take_up(found)
        prepared = Prepared(chunk, source, trajectory, MapsAt(store, partial(replay, self.backbone, source, trajectory)))
        if chunk.index == 0:
            self.first = prepared
        return prepared

    def condition(self, chunk: Chunk, latent: Tensor, picture: Tensor) -> Condition:
        """Section 0. Source and edit of a chunk get the same noise."""
        noise = noise_like(latent, self.settings.seed, chunk.index, "condition")
        return condition_on(self.backbone, latent, picture, noise)

    def run(self) -> None:
        """All chunks in their order, with nothing painted yet."""
        try:
            for chunk in self.chunks:
                self.prepare(chunk)
        finally:
            self.close()

    def close(self) -> None:
        """Gives back what was held for the chunk in hand."""
        if self._store is not None:
            self._store.close()

    def _source(self, chunk: Chunk, pixels: Tensor) -> Source:
        latents = encode(self.backbone, pixels)
        condition = self.condition(chunk, latents[:1], pixels[:1])
        front, leaves = (None, self._leaves) if chunk.index == 0 else (self._leaves, None)
        return Source(latents[None] * self.backbone.latent_scale, condition, self.sigmas, front, leaves)

    def _look_back(self, chunk: Chunk, keys: Keys, found: Tensor | None) -> None:
        """Section 5: a later chunk is inverted, trained and replayed with chunk 0 in front, so chunk 0 must have left what is asked for."""
        if chunk.index == 0 or not self.skips or self.first is None:
            return
        is_whole = found is not None and is_trained(self._lora_folder(keys), self.lora_steps)
        levels = editing_levels(self.settings) if is_whole else range(self.settings.steps + 1)
        after_step = self.report.counter(Stage.INVERT, 0, self.settings.steps + len(levels), cost=1, first=self.settings.steps)
        complete_reference(self.backbone, self.first.source, self.first.trajectory, levels, after_step)

    def _perturbed(self, chunk: Chunk, source: Source, pixels: Tensor) -> Tensor:
        """Section 2: the latents that are inverted, scaled as z_0. They are z_0 where nothing is flat."""
        if Part.SARP in self.settings.without or not bool(flat_areas(pixels).any()):
            return source.z_0
        noise = noise_like(pixels, self.settings.seed, chunk.index, "sarp")
        return encode(self.backbone, perturb(pixels, self.settings.sarp_alpha, noise))[None] * self.backbone.latent_scale

    def _invert(self, chunk: Chunk, source: Source, perturbed: Tensor, keys: Keys, store: Store) -> Tensor:
        """Section 3, from where an earlier one was interrupted."""
        part = self._trajectory_file(keys).with_name("begun.safetensors")
        climbed = self._climbed(part)
        count = self.report.counter(Stage.INVERT, chunk.index, self.settings.steps, cost=1)

        def after_step(step: int) -> None:
            is_due = (step + 1) % INVERSION_CHECKPOINT_EVERY == 0 and step + 1 < self.settings.steps
            step_and_keep(partial(count, step), lambda: save_tensors(part, {"climbed": torch.stack(climbed)}), is_due)

        trajectory = invert_source(self.backbone, source, perturbed, after_step, store.keep if store.keeps else None, climbed)
        save_tensors(self._trajectory_file(keys), {"trajectory": require_finite(trajectory, "inverting the source")})
        part.unlink(missing_ok=True)
        return trajectory

    def _climbed(self, part: Path) -> list[Tensor]:
        """The entries of an interrupted inversion, from the bottom up; each in memory of its own, as they were computed."""
        found = find_tensors(part)
        if found is None:
            return []
        self.report.skip(len(found["climbed"]) - 1)
        return [entry.clone() for entry in found["climbed"].to(self.backbone.device)]

    def _take_up(self, trajectory: Tensor) -> Tensor:
        """An inversion that was made before."""
        self.report.skip(self.settings.steps)
        return trajectory.to(self.backbone.device)

    def train(self, begun: Begun) -> None:
        """Section 4; from chunk 1 on with chunk 0's source in front (section 5), so that a later chunk has to be traced before. Leaves the
        chunk's LoRA loaded."""
        chunk, source, keys = begun.chunk, begun.source, begun.keys
        self.residence.bring(self.backbone.unet)
        sigma_range = float(self.sigmas[-2]), float(self.sigmas[0])
        training = Training(self.settings.lora, self.lora_steps, self.settings.seed, chunk.index, sigma_range, self._lora_folder(keys))
        after_step = self.report.counter(Stage.TRAIN, chunk.index, self.lora_steps, TRAINING_COST)
        network = partial(training_pass, self.backbone, source)
        with checkpointed_gradients(self.backbone.unet) if self.workplace.options.checkpointing else nullcontext():
            first = train_motion_lora(self.lora, source.z_0, training, network, after_step)
        self.report.skip(TRAINING_COST * first)

    def keys(self, chunk: Chunk, pixels: Tensor) -> Keys:
        """Of all that decides the values, down to the threads that sum them; of chunk 0 first, which later ones look back at. Settings
        that decide nothing are left out: a preview's inversion is the full run's."""
        keys = self._keys(chunk, pixels)
        if chunk.index == 0:
            self._first_key = keys.trajectory
        return keys

    def note(self, keys: Keys) -> None:
        """Says which artifacts are used."""
        for folder in (self._trajectory_file(keys).parent, self._lora_folder(keys)):
            self.report.artifact(folder.name)

    def is_traced(self, keys: Keys) -> bool:
        """Whether the artifacts have the trajectory of this chunk."""
        return self._trajectory_file(keys).exists()

    def is_trained(self, keys: Keys) -> bool:
        """Whether they have its LoRA."""
        return is_trained(self._lora_folder(keys), self.lora_steps)

    def _keys(self, chunk: Chunk, pixels: Tensor) -> Keys:
        settings = self.settings
        looks_back = {"to": self._first_key, "frames": self.reference_frames} if chunk.index > 0 and self.skips else None
        both = {
            **self.backbone.computes_with(),
            "pixels": tensor_sha256(pixels),
            "chunk": chunk.index,
            "seed": settings.seed,
            "steps": settings.steps,
            "looks_back": looks_back,
        }
        perturbed = None if Part.SARP in settings.without else settings.sarp_alpha
        lora = {**asdict(settings.lora), "steps": self.lora_steps}
        del lora["checkpoint_every"]  # decides nothing
        return Keys({**both, "sarp_alpha": perturbed}, {**both, "lora": lora})

    def _lora_folder(self, keys: Keys) -> Path:
        return self.workplace.artifacts.folder("lora", keys.lora)

    def _trajectory_file(self, keys: Keys) -> Path:
        return self.workplace.artifacts.folder("inversion", keys.trajectory) / "trajectory.safetensors"

    def _load_trajectory(self, keys: Keys) -> Tensor | None:
        found = find_tensors(self._trajectory_file(keys))
        return None if found is None else found["trajectory"]

    def _open_store(self, keys: Keys) -> Store:
        self.close()
        self._store = self.workplace.open_store(self._trajectory_file(keys).parent)
        return self._store
