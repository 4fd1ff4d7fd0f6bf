"""The stages of METHOD in their order, from source pixels and one painted frame to edited pixels. Knows no files but its artifacts.

preparation of a chunk (preparation.py) -> matched denoising -> handing its last frame over to the next chunk
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from i2vedit_core.artifacts import tensor_sha256
from i2vedit_core.backbone import Backbone
from i2vedit_core.method.chunks import Chunk
from i2vedit_core.method.editing import Edited, Editing, References, edit_chunk, editing_levels
from i2vedit_core.method.kept import Front, Kept
from i2vedit_core.method.latents import decode, encode, require_finite
from i2vedit_core.method.lock import Lock
from i2vedit_core.method.preparation import Begun, Preparation, Prepared, ReadChunk, Workplace, preparation_cost
from i2vedit_core.method.seeds import noise_like
from i2vedit_core.progress import Stage
from i2vedit_core.settings import Part, Settings


@dataclass(frozen=True)
class Start:
    """What an edited chunk begins with: its first frame's unscaled latent [1, C, h, w] and pixels [1, 3, H, W] in [-1, 1]."""

    latent: Tensor
    picture: Tensor


@dataclass(frozen=True)
class Anchor:
    """What is delivered of a frame, at the model's size."""

    picture: Tensor
    """[1, 3, H, W] float32 in [-1, 1]."""
    weight: Tensor
    """[1, 1, H, W] in [0, 1]: 1 where it is known without the model: the plate outside the edit, what was painted inside."""


Anchors = Callable[[Chunk], Anchor | None]
"""The anchor of a later chunk's first frame. Asked for once the chunk before has been taken."""


def no_anchors(_chunk: Chunk) -> None:
    """Each chunk begins with nothing but what the one before made."""


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


@dataclass
class _Head:
    """What all chunks stand on: what was painted, and what chunk 0 leaves."""

    start: Start
    front: Front
    key: Mapping[str, Any] = field(default_factory=dict)
    """Of chunk 0, once it is begun."""
    is_complete: bool = False
    """Whether `front` is full."""


def propagation_cost(backbone: Backbone, settings: Settings) -> float:
    """Of a chunk, in evaluations of the UNet."""
    return preparation_cost(backbone, settings) + _editing_cost(settings, _guidance(backbone, settings))


def _guidance(backbone: Backbone, settings: Settings) -> tuple[float, float]:
    return settings.guidance or backbone.folder.guidance


def _editing_cost(settings: Settings, guidance: tuple[float, float]) -> float:
    """At each step the replayed source, the edit with its condition and, with guidance, without it."""
    return (2.0 if guidance == (1.0, 1.0) else 3.0) * len(editing_levels(settings))


class Propagation:
    """One leg on its way."""

    def __init__(self, backbone: Backbone, settings: Settings, chunks: tuple[Chunk, ...], read: ReadChunk, workplace: Workplace) -> None:
        self.backbone, self.settings, self.report = backbone, settings, workplace.report
        self.guidance = _guidance(backbone, settings)
        self.editing_cost = _editing_cost(settings, self.guidance)
        self.chunks = chunks
        self.preparation = Preparation(backbone, settings, chunks, read, workplace)
        self.kept = Kept(workplace.kept, workplace.fronts)

    def run(self, painted: Tensor, anchors: Anchors = no_anchors) -> Iterator[EditedChunk]:
        """Chunk after chunk: prepare the source, edit, hand the last frame over. painted: [1, 3, H, W] in [-1, 1]."""
        try:
            yield from self._run(painted, anchors if self.settings.anchored else no_anchors)
        finally:
            self.preparation.close()

    def _run(self, painted: Tensor, anchors: Anchors) -> Iterator[EditedChunk]:
        bring = self.preparation.residence.bring
        bring(self.backbone.vae)
        start = Start(encode(self.backbone, painted), painted)
        head = _Head(start, Front(self._references(), self._lock(start)))
        for chunk, following in zip(self.chunks, [*self.chunks[1:], None], strict=True):
            begun = self.preparation.begin(chunk)
            edited = self._finish(begun, start, head)
            bring(self.backbone.vae)
            pixels = decode(self.backbone, edited.z, self.settings.decode_frames)
            yield self._finished(begun, edited, pixels)
            if following is not None:
                start = self._anchored(self.hand_over(following.start - chunk.start, edited.z, pixels), anchors(following))

    def _finish(self, begun: Begun, start: Start, head: "_Head") -> Edited:
        """A chunk's edit: what was kept of it, or made now and kept."""
        key = self._key(begun, start, head)
        if begun.chunk.index == 0:
            head.key = key
        found = self.kept.find(key)
        if found is not None:
            return self._take_up(begun.chunk, found)
        if begun.chunk.index > 0:
            self._complete(head)
        edited = self.edit_chunk(self.preparation.finish(begun), start, head.front)
        if begun.chunk.index == 0 and len(self.chunks) > 1:
            self._leave(head)
        self.kept.keep(key, edited)
        return edited

    def _leave(self, head: "_Head") -> None:
        """Chunk 0 is edited, and `front` is full."""
        head.is_complete = True
        if head.front.is_needed:
            self.kept.keep_front(head.key, head.front)

    def _complete(self, head: "_Head") -> None:
        """What chunk 0 leaves, for a job that has taken up the chunk itself: read, or made by denoising it once more."""
        if head.is_complete or not head.front.is_needed:
            return
        if not self.kept.find_front(head.key, head.front):
            self.edit_chunk(self.preparation.prepare(self.chunks[0]), head.start, head.front)
        head.is_complete = True

    def _take_up(self, chunk: Chunk, found: Edited) -> Edited:
        device = self.backbone.device
        # Chunk 0 is still prepared if there is an unfinished one behind it that looks back.
        self.report.skip(self.editing_cost + (self.preparation.cost_of_chunk if chunk.index > 0 else 0))
        return Edited(found.z.to(device), found.edit_map)

    def _key(self, begun: Begun, start: Start, head: "_Head") -> dict[str, Any]:
        """Of all that decides an edited chunk."""
        settings = asdict(self.settings)
        # What other chunks made of these decides through `start`; the maps are the same either way, and cuts say which chunks there are.
        for name in ("decode_frames", "maps", "anchored", "cuts"):
            del settings[name]
        return {
            "trajectory": begun.keys.trajectory,
            "lora": begun.keys.lora,
            "settings": settings,
            "guidance": self.guidance,
            "start": [tensor_sha256(start.latent), tensor_sha256(start.picture)],
            "front": head.key if begun.chunk.index > 0 else None,
        }

    def _references(self) -> References | None:
        """To be filled by chunk 0 where later chunks attend to it."""
        if not self.preparation.skips:
            return None
        return References.empty(editing_levels(self.settings), self.preparation.reference_frames)

    def edit_chunk(self, prepared: Prepared, start: Start, front: Front) -> Edited:
        """Section 6, from the inverted noise. Chunk 0 leaves its keys and values in `front`; later chunks attend to them."""
        chunk, bring = prepared.chunk, self.preparation.residence.bring
        references, lock = front.references, front.lock
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
            look=partial(look, chunk) if (look := self.preparation.workplace.look) else None,
        )
        levels = len(editing_levels(self.settings))
        after_step = self.report.counter(Stage.EDIT, chunk.index, levels, self.editing_cost / levels)
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

    def _anchored(self, start: Start, anchor: Anchor | None) -> Start:
        """What a chunk begins with, where it is known without the model as it is known. An error of the chunk before ends there."""
        if anchor is None:
            return start
        self.preparation.residence.bring(self.backbone.vae)
        picture, weight = (each.to(start.picture) for each in (anchor.picture, anchor.weight))
        known = encode(self.backbone, picture)
        share = torch.nn.functional.interpolate(weight, known.shape[-2:], mode="area")
        return Start(start.latent + share * (known - start.latent), start.picture + weight * (picture - start.picture))

    def _lock(self, start: Start) -> Lock | None:
        """Section 1, the option `lock`."""
        return Lock(start.latent * self.backbone.latent_scale, self.settings.steps) if self.settings.lock else None

    def _finished(self, begun: Begun, edited: Edited, pixels: Tensor) -> EditedChunk:
        source = decode(self.backbone, begun.source.z_0, self.settings.decode_frames)
        edit_map = torch.nn.functional.interpolate(edited.edit_map[:, None], pixels.shape[-2:], mode="bilinear")[:, 0]
        return EditedChunk(begun.chunk, pixels, source, edit_map)
