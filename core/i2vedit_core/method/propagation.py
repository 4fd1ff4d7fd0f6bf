"""The stages of METHOD in their order, from source pixels and one painted frame to edited pixels. Knows no files but its artifacts.

preparation of a chunk (preparation.py) -> matched denoising -> handing its last frame over to the next chunk
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from i2vedit_core.backbone import Backbone
from i2vedit_core.method.chunks import Chunk
from i2vedit_core.method.editing import Edited, Editing, References, edit_chunk, editing_levels
from i2vedit_core.method.latents import decode, encode, require_finite
from i2vedit_core.method.lock import Lock
from i2vedit_core.method.preparation import Preparation, Prepared, ReadChunk, Workplace
from i2vedit_core.method.seeds import noise_like
from i2vedit_core.progress import Stage
from i2vedit_core.settings import Part, Settings


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
    """One shot on its way."""

    def __init__(self, backbone: Backbone, settings: Settings, frame_count: int, read: ReadChunk, workplace: Workplace) -> None:
        self.backbone, self.settings, self.report = backbone, settings, workplace.report
        self.guidance = settings.guidance or backbone.folder.guidance
        self.preparation = Preparation(backbone, settings, frame_count, read, workplace)
        self.chunks = self.preparation.chunks
        self.report.expect(len(self.chunks), len(self.chunks) * (self.preparation.cost_of_chunk + self._editing_cost()))

    def run(self, painted: Tensor) -> Iterator[EditedChunk]:
        """Chunk after chunk: prepare the source, edit, hand the last frame over. painted: [1, 3, H, W] in [-1, 1]."""
        try:
            yield from self._run(painted)
        finally:
            self.preparation.close()

    def _run(self, painted: Tensor) -> Iterator[EditedChunk]:
        bring = self.preparation.residence.bring
        bring(self.backbone.vae)
        start = Start(encode(self.backbone, painted), painted)
        lock = self._lock(start)
        references = References.empty(editing_levels(self.settings), self.preparation.reference_frames) if self.preparation.skips else None
        for chunk, following in zip(self.chunks, [*self.chunks[1:], None], strict=True):
            prepared = self.preparation.prepare(chunk)
            edited = self.edit_chunk(prepared, start, references, lock)
            bring(self.backbone.vae)
            pixels = decode(self.backbone, edited.z, self.settings.decode_frames)
            yield self._finished(prepared, edited, pixels)
            if following is not None:
                start = self.hand_over(following.start - chunk.start, edited.z, pixels)

    def edit_chunk(self, prepared: Prepared, start: Start, references: References | None, lock: Lock | None) -> Edited:
        """Section 6, from the inverted noise. Chunk 0 leaves its keys and values in `references`; later chunks attend to them."""
        chunk, bring = prepared.chunk, self.preparation.residence.bring
        bring(self.backbone.image_encoder)
        condition = self.preparation.condition(chunk, start.latent, start.picture)
        bring(self.backbone.unet)
        editing = Editing(
            backbone=self.backbone,
            settings=self.settings,
            guidance=self.guidance,
            sigmas=self.preparation.sigmas,
            condition=condition,
            maps=prepared.maps,
            lora=self.preparation.lora,
            front=references if chunk.index > 0 else None,
            keep=references if chunk.index == 0 else None,
            lock=partial(lock.hold, chunk.index, prepared.source.z_0) if lock else None,
        )
        levels = len(editing_levels(self.settings))
        after_step = self.report.counter(Stage.EDIT, chunk.index, levels, self._editing_cost() / levels)
        edited = edit_chunk(editing, self.starting_noise(prepared), after_step)
        require_finite(edited.z, "denoising the edit")
        return edited

    def starting_noise(self, prepared: Prepared) -> Tensor:
        """z at sigma_0 [1, F, C, h, w]: the inverted source, or plain noise where inversion is left out."""
        if Part.INVERSION not in self.settings.without:
            return prepared.trajectory[0][None]
        noise = noise_like(prepared.source.z_0, self.settings.seed, prepared.chunk.index, "start")
        return noise * (self.preparation.sigmas[0] ** 2 + 1).sqrt().to(noise)

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

    def _editing_cost(self) -> float:
        """Of a chunk, in evaluations: at each step the replayed source, the edit with its condition and, with guidance, without it."""
        return (2.0 if self.guidance == (1.0, 1.0) else 3.0) * len(editing_levels(self.settings))
