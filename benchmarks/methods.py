"""The methods that are compared, each on arrays: the product's own propagation with and without its parts, and generating from less."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import rivals
from i2vedit_core.anchors import KeptAnchors
from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone
from i2vedit_core.delivery.inside import Filling
from i2vedit_core.delivery.matting import ChunkPictures, PaintedPictures
from i2vedit_core.delivery.patch import Patch, Patcher
from i2vedit_core.matte import painted_matte
from i2vedit_core.media.fit import Fit, same_size
from i2vedit_core.media.pixels import largest_difference
from i2vedit_core.method.chunks import Chunk, plan_chunks
from i2vedit_core.method.conditioning import condition_on
from i2vedit_core.method.edm import noise_grid, predict, slope
from i2vedit_core.method.latents import decode, encode
from i2vedit_core.method.preparation import Workplace
from i2vedit_core.method.propagation import EditedChunk, Propagation
from i2vedit_core.method.seeds import noise_like
from i2vedit_core.method.source_maps import MemoryStore, Store, replay_only
from i2vedit_core.pictures import to_pictures, to_pixels
from i2vedit_core.settings import Part, Settings
from i2vedit_core.synthetic import Truth

TRUTH, ROUND_TRIP, HOLD, FLOW_WARP = "truth", "round_trip", "hold", "flow_warp"
FULL, LOCK, PLAIN, SDEDIT = "full", "full_lock", "plain_i2v", "sdedit"
WITHOUT: Mapping[str, Part] = {f"no_{part.name.lower()}": part for part in Part}
"""Ablations, by the name of their row."""
SDEDIT_STRENGTH = 0.6
"""Share of the sampler's levels that partial noising runs through: the value its users begin with."""
NO_SARP, NO_SKIP_INTERVAL = "no_sarp", "no_skip_interval"
ABLATIONS = tuple(name for name, part in WITHOUT.items() if part not in (Part.SARP, Part.SKIP_INTERVAL))
SLICES: Mapping[str, int] = {f"round_trip_{frames}": frames for frames in (7, 5, 1)}
"""The round trip with so many frames decoded at once, as on smaller cards: what it loses against whole chunks."""
METHODS = (TRUTH, ROUND_TRIP, *SLICES, FULL, LOCK, *ABLATIONS, PLAIN, SDEDIT, HOLD, FLOW_WARP)
"""On every shot of one chunk. SARP is left out only where it does something, skip-interval attention only on long shots."""
FLOORS = (TRUTH, ROUND_TRIP, *SLICES)
"""No rivals: what the figures say of the truth itself, and of the truth through the autoencoder."""
LONG_METHODS = (TRUTH, ROUND_TRIP, FULL, LOCK, NO_SKIP_INTERVAL)
LONGEST_METHODS = (TRUTH, ROUND_TRIP, FULL, LOCK)
"""On shots of many chunks, where every method takes long."""


@dataclass(frozen=True)
class Outcome:
    """What a method made of a shot, before any composite."""

    clip: np.ndarray
    """[F, H, W, 3] float32 in 0..1."""
    edit_map: np.ndarray | None = None
    """[F, H, W] in [0, 1], of methods that have one."""
    matte: np.ndarray | None = None
    """[F, H, W] in 0..1."""
    new: np.ndarray | None = None
    """[F, H, W, 3]: what is laid over the plate through the matte."""


class Bench:
    """One shot, and every method on it. What methods share (inversion, LoRA, source maps) is made once."""

    def __init__(self, truth: Truth, backbone: Backbone, settings: Settings, folder: Path) -> None:
        self.truth, self.backbone, self.settings, self.folder = truth, backbone, settings, folder
        self.start_noise: Tensor | None = None
        """The inverted latents of chunk 0 of the latest propagation, divided as the sampler takes them."""
        self._stores: dict[Path, Store] = {}

    @property
    def is_long(self) -> bool:
        return len(self.truth.source) > self.backbone.chunk_frames

    def run(self, method: str) -> Outcome:
        """Raises KeyError for a method that nobody knows."""
        if method in (HOLD, FLOW_WARP):
            first = self.truth.edited[0]
            clip = rivals.hold(first, len(self.truth.source)) if method == HOLD else rivals.flow_warp(self.truth.source, first)
            return Outcome(clip)
        if method == TRUTH:
            return Outcome(self.truth.edited)
        if method == ROUND_TRIP or method in SLICES:
            return Outcome(self._round_trip(SLICES.get(method, self.backbone.chunk_frames)))
        if method in (PLAIN, SDEDIT):
            return Outcome(self._generate(0.0 if method == PLAIN else 1 - SDEDIT_STRENGTH))
        return self._propagate(self._settings(method))

    def _settings(self, method: str) -> Settings:
        if method in (FULL, LOCK):
            return replace(self.settings, lock=method == LOCK)
        return replace(self.settings, without=(WITHOUT[method],))

    def _propagate(self, settings: Settings) -> Outcome:
        stores = replay_only if self.is_long else self._shared_store
        workplace = Workplace(Artifacts(self.folder), open_store=stores)  # methods that make the same trajectory or LoRA make it once
        propagation = Propagation(
            self.backbone, settings, plan_chunks(len(self.truth.source), self.backbone.chunk_frames), self.read, workplace
        )
        composing = Composing(self.truth, same_size(*self.truth.source.shape[1:3]), Filling(settings.edit))
        anchors = KeptAnchors(composing.fit, {chunk.index: chunk.start for chunk in propagation.chunks[1:]})
        chunks = []
        for edited in propagation.run(self._pixels(self.truth.edited[:1]), anchors.take):
            chunks.append(edited)
            composing.take_chunk(edited, anchors)
        prepared = propagation.preparation.first
        assert prepared is not None
        self.start_noise = prepared.trajectory[0] / float((prepared.source.sigmas[0] ** 2 + 1).sqrt())
        return Outcome(*_joined(chunks), *composing.layers())

    def _shared_store(self, inversion: Path) -> Store:
        """The source's maps, made once for all methods on the same trajectory."""
        return self._stores.setdefault(inversion, _Shared())

    def _round_trip(self, at_once: int) -> np.ndarray:
        """The truth through the autoencoder, so many frames decoded at once: what any of them could reach at best."""
        frames = self.backbone.chunk_frames
        parts = [encode(self.backbone, self._pixels(self.truth.edited[i : i + frames])) for i in range(0, len(self.truth.edited), frames)]
        return np.concatenate([to_pictures(decode(self.backbone, part[None] * self.backbone.latent_scale, at_once)) for part in parts])

    def _generate(self, progress: float) -> np.ndarray:
        """Plain image-to-video from noise (progress 0), or from the source under noise of the level at that progress (SDEdit)."""
        sigmas = noise_grid(self.backbone, self.settings.steps).to(self.backbone.device)
        level = round(progress * self.settings.steps)
        painted = self._pixels(self.truth.edited[:1])
        latent = encode(self.backbone, painted)
        condition = condition_on(self.backbone, latent, painted, noise_like(latent, self.settings.seed, 0, "condition"))
        source = encode(self.backbone, self._pixels(self.truth.source))[None] * self.backbone.latent_scale
        noise = noise_like(source, self.settings.seed, 0, "start")
        z = noise * (sigmas[0] ** 2 + 1).sqrt() if level == 0 else source + sigmas[level] * noise
        with torch.no_grad():
            for now, then in zip(sigmas[level:-1], sigmas[level + 1 :], strict=True):
                z = z + (then - now) * slope(z, now, predict(self.backbone, z, now, condition))
        return to_pictures(decode(self.backbone, z, self.backbone.chunk_frames))

    def _pixels(self, clip: np.ndarray) -> Tensor:
        return to_pixels(clip).to(self.backbone.device)

    def read(self, chunk: Chunk) -> Tensor:
        return self._pixels(self.truth.source[chunk.start : chunk.stop])


class Composing:
    """Makes the mattes and what is laid through them as a delivery does, chunk after chunk."""

    def __init__(self, truth: Truth, fit: Fit, filling: Filling) -> None:
        self.truth, self.fit, self._filling = truth, fit, filling
        difference = largest_difference(truth.source[0], truth.edited[0])
        self._painted = PaintedPictures(truth.source[0], truth.edited[0], difference)
        self._mattes, self._new = [painted_matte(difference, 0)], [truth.edited[0]]
        self._patcher: Patcher | None = None

    def take_chunk(self, edited: EditedChunk, anchors: KeptAnchors) -> None:
        """The next chunk of the model's answer, and the anchors of later ones."""
        model = ChunkPictures(to_pictures(edited.pixels), to_pictures(edited.source), edited.edit_map.numpy())
        for frame, patch in self.take(model, edited.chunk.start, edited.chunk.delivers):
            anchors.see(frame, self.truth.source[frame], patch)

    def take(self, model: ChunkPictures, start: int, frames: range) -> Iterator[tuple[int, Patch]]:
        """The next `frames` of a model's answer that begins at frame `start`. The painted one is there already."""
        self._patcher = self._patcher or Patcher(self._painted, self.fit, self._filling, model.frame(0))
        for frame in range(max(frames.start, 1), frames.stop):
            patch = self._patcher.follow(frame, self.truth.source[frame], model.frame(frame - start))
            self._mattes.append(patch.matte)
            self._new.append(patch.new)
            yield frame, patch

    def layers(self) -> tuple[np.ndarray, np.ndarray]:
        """The mattes [F, H, W] and what is laid through them [F, H, W, 3]."""
        return np.stack(self._mattes), np.stack(self._new)


def composited(truth: Truth, fit: Fit, filling: Filling, model: ChunkPictures) -> tuple[np.ndarray, np.ndarray]:
    """The mattes [F, H, W] and what is laid through them [F, H, W, 3], as a delivery makes them of the model's answer."""
    composing = Composing(truth, fit, filling)
    list(composing.take(model, 0, range(len(truth.source))))
    return composing.layers()


def _joined(chunks: list[EditedChunk]) -> tuple[np.ndarray, np.ndarray]:
    """The model's picture [F, H, W, 3] and edit map [F, H, W], each frame as it is delivered."""
    places = [slice(each.chunk.delivers.start - each.chunk.start, None) for each in chunks]
    pictures = [to_pictures(each.pixels)[place] for each, place in zip(chunks, places, strict=True)]
    return np.concatenate(pictures), np.concatenate([each.edit_map.numpy()[place] for each, place in zip(chunks, places, strict=True)])


class _Shared(MemoryStore):
    """Outlives the propagation that opened it."""

    def close(self) -> None:
        """Others need it, too."""
