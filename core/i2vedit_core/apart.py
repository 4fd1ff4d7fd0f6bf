"""A shot's chunks prepared apart from each other, by processes that share nothing but the artifacts; and what there is of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import load_backbone
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.method.chunks import Chunk
from i2vedit_core.method.preparation import Preparation, Workplace
from i2vedit_core.plan.carrying_out import carry_out
from i2vedit_core.plan.choice import Request
from i2vedit_core.plan.making import plan_for
from i2vedit_core.plan.options import Options
from i2vedit_core.progress import CancelToken, Reporter, ignore
from i2vedit_core.settings import Settings


class Part(StrEnum):
    """What is made of a chunk at once."""

    TRAJECTORY = "trajectory"
    """All that later chunks need of chunk 0."""
    LORA = "lora"
    """For chunk 0, which looks back at nothing, this can be done beside."""
    WHOLE = "whole"


@dataclass(frozen=True)
class Recipe:
    """What every chunk of a leg takes beside its pixels. Pickles, and names no files but model and artifacts."""

    model_sha256: str
    device: str
    """`cpu` or `cuda`."""
    threads: int
    settings: Settings
    chunks: tuple[Chunk, ...]
    request: Request
    artifacts: Path

    @property
    def model(self) -> tuple[str, str, str]:
        """All that decides which model is loaded where."""
        return self.settings.model, self.model_sha256, self.device


def recipe_for(preparation: Preparation, request: Request) -> Recipe:
    """That of this process: made by it elsewhere, chunks come out as if they had been made here."""
    backbone = preparation.backbone
    return Recipe(
        model_sha256=backbone.folder.sha256,
        device=backbone.device.type,
        threads=torch.get_num_threads(),
        settings=preparation.settings,
        chunks=preparation.chunks,
        request=request,
        artifacts=preparation.workplace.artifacts.root,
    )


@dataclass(frozen=True)
class Found:
    """A chunk as the artifacts have it."""

    chunk: Chunk
    packed: np.ndarray
    """Its pixels, see `pack`."""
    is_traced: bool
    """Its trajectory is there."""
    is_trained: bool
    """Its LoRA is."""

    def has(self, part: Part) -> bool:
        return (part is Part.LORA or self.is_traced) and (part is Part.TRAJECTORY or self.is_trained)


def look_up(preparation: Preparation, chunk: Chunk) -> Found:
    """Reads a chunk, chunk 0 first, and says what there is of it. Notes its artifacts as used, before anybody makes them."""
    pixels = preparation.read(chunk)
    keys = preparation.keys(chunk, pixels)
    preparation.note(keys)
    return Found(chunk, pack(pixels), preparation.is_traced(keys), preparation.is_trained(keys))


def is_prepared(preparation: Preparation) -> bool:
    """Whether the artifacts have everything of it. Reads as many chunks as it takes to know."""
    return all(look_up(preparation, chunk).has(Part.WHOLE) for chunk in preparation.chunks)


def pack(pixels: Tensor) -> np.ndarray:
    """[F, 3, H, W] as [F, H, W, 3], the order in which a reader's pixels lie in memory: convolutions round by it."""
    return np.ascontiguousarray(pixels.permute(0, 2, 3, 1).numpy())


def unpack(packed: np.ndarray) -> Tensor:
    """In memory of its own, as it was before `pack`."""
    return torch.from_numpy(packed.copy()).permute(0, 3, 1, 2)


class ChunkMaker:
    """Prepares chunks in this process with one model, one after the other, in any order."""

    def __init__(self, recipe: Recipe) -> None:
        """Loads the model. Raises BridgeError MODEL_*, VERSION_MISMATCH."""
        self.model = recipe.model
        self._backbone = load_backbone(recipe.settings.model, recipe.device)
        if self._backbone.folder.sha256 != recipe.model_sha256:
            sentence = f"The model {recipe.settings.model} is another one here than on the machine that asks; copy its folder from there."
            raise BridgeError(Code.FAILED_PRECONDITION, Reason.VERSION_MISMATCH, sentence)
        self._last: tuple[Recipe, Options] | None = None
        self._preparation: Preparation | None = None
        self._packed: Mapping[int, np.ndarray] = {}

    def make(self, recipe: Recipe, index: int, packed: Mapping[int, np.ndarray], report: Reporter, part: Part = Part.WHOLE) -> None:
        """Leaves a part of the chunk in the artifacts. packed: pixels of the chunk itself, and of chunk 0 where later chunks look back
        at it.

        Sets the number of torch's threads, which decides last bits. Raises BridgeError; CANCELLED as `report` says.
        """
        torch.set_num_threads(recipe.threads)
        self._packed = packed
        carry_out(plan_for(self._backbone, recipe.request), lambda options: self._make(self._ready(recipe, options, report), index, part))

    def _make(self, preparation: Preparation, index: int, part: Part) -> None:
        if preparation.skips and index > 0 and preparation.first is None:
            told, preparation.report = preparation.report, Reporter(ignore, CancelToken())  # this was counted when it was made
            preparation.trace(preparation.begin(preparation.chunks[0]))
            preparation.report = told
        begun = preparation.begin(preparation.chunks[index])
        if part is not Part.LORA:
            preparation.trace(begun)
        if part is not Part.TRAJECTORY:
            preparation.train(begun)

    def _ready(self, recipe: Recipe, options: Options, report: Reporter) -> Preparation:
        """The one in hand, which knows chunk 0, as long as it is of this leg and the memory allows the same options."""
        if self._preparation is None or self._last != (recipe, options):
            self._preparation = None
            workplace = Workplace(Artifacts(recipe.artifacts), report, options)
            self._preparation = Preparation(self._backbone, recipe.settings, recipe.chunks, self._read, workplace)
            self._last = recipe, options
        self._preparation.report = report
        return self._preparation

    def _read(self, chunk: Chunk) -> Tensor:
        return unpack(self._packed[chunk.index])
