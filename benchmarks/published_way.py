"""The published way to come by the source's attention and to match it, beside this project's: same weights, same inputs, one run.

METHOD section 6, *Store or replay*. Published: inversion writes every Q0 and K0 to disk, each step of the edit reads them back, and spatial
attention is matched on maps of N x N in float32, one frame at a time. Here: the source is replayed, and no map ever exists.
All else is the same for both and is the product's: half precision, fused attention outside the matching, LoRA, guidance. So the ratio is
what these two ideas alone are worth, and it is kind to the published program.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Protocol
from unittest.mock import patch

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from attention_speed import textbook
from chunk_stages import Encoded, MemoryPeak, edit, wait
from i2vedit_core.backbone import Backbone
from i2vedit_core.method.attention import matched_attention, passes
from i2vedit_core.method.attention.passes import SourceMaps
from i2vedit_core.method.source import invert_source, replay
from i2vedit_core.settings import Settings

Match = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""(q, k, v, q0, k0, threshold [F]) -> out [F, heads, N, D] and the edit map [F, N], as `matched_attention`."""


@dataclass(frozen=True)
class Step:
    """Seconds of one step, each the median over those that were run."""

    seconds: float
    maps_seconds: float
    """Of these, for having the source's maps: files written or read, or a replay."""
    matching_seconds: float
    """Of these, for matched spatial attention."""

    @property
    def rest_seconds(self) -> float:
        """The passes of the network otherwise."""
        return self.seconds - self.maps_seconds - self.matching_seconds


@dataclass(frozen=True)
class WayCost:
    """What one way takes a chunk."""

    steps: int
    """That were run of each kind."""
    inversion: Step
    editing: Step
    editing_bytes: int | None
    """The most that torch's tensors took at once while editing, weights included; None where there is no CUDA device."""
    map_bytes: int
    """On disk for one noise level."""

    @property
    def editing_without_files(self) -> float:
        """Seconds of an editing step on a disk that took no time. A replay is no file."""
        return self.editing.seconds - (self.editing.maps_seconds if self.map_bytes else 0.0)

    def chunk_seconds(self, steps: int) -> float:
        """Inversion and editing of a whole chunk."""
        return steps * (self.inversion.seconds + self.editing.seconds)


class Stopwatch:
    """Adds up the time of what runs under it, the device's work included."""

    def __init__(self, device: torch.device) -> None:
        self._device, self.seconds = device, 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        wait(self._device)
        started = perf_counter()
        yield
        wait(self._device)
        self.seconds += perf_counter() - started


class Way(Protocol):
    """How the edit comes by the source's maps, and how it matches them."""

    match: Match
    keeps: bool
    """Whether inversion leaves its maps."""

    def keep(self, level: int, maps: SourceMaps) -> None: ...

    def at(self, level: int, look_again: Callable[[int], SourceMaps]) -> SourceMaps: ...

    def map_bytes(self) -> int:
        """On disk for one level."""


class Replayed:
    """This project's: the operator, and the source once more through the base model."""

    match: Match = staticmethod(matched_attention)
    keeps = False

    def keep(self, level: int, maps: SourceMaps) -> None:
        """Lets it go."""

    def at(self, level: int, look_again: Callable[[int], SourceMaps]) -> SourceMaps:
        return look_again(level)

    def map_bytes(self) -> int:
        return 0


def textbook_match(q: Tensor, k: Tensor, v: Tensor, q0: Tensor, k0: Tensor, threshold: Tensor) -> tuple[Tensor, Tensor]:
    """`matched_attention` by its formulas: maps of N x N in float32, one frame at a time. threshold: [F]."""
    frames = zip(q.split(1), k.split(1), v.split(1), q0.split(1), k0.split(1), strict=True)
    out, edit_map = zip(*(textbook(frame, float(limit)) for frame, limit in zip(frames, threshold, strict=True)), strict=True)
    return torch.cat(out), torch.cat(edit_map)


class Published:
    """The published: every map a file on disk, and matching by the textbook."""

    match: Match = staticmethod(textbook_match)
    keeps = True

    def __init__(self, folder: Path, device: torch.device) -> None:
        """`folder`: empty; it receives about 3 GB a step at full size."""
        self._folder, self._device = folder, device

    def keep(self, level: int, maps: SourceMaps) -> None:
        tensors = {f"{path}.{part}": tensor.cpu() for path, pair in maps.items() for part, tensor in zip("qk", pair, strict=True)}
        save_file(tensors, self._file(level))

    def at(self, level: int, look_again: Callable[[int], SourceMaps]) -> SourceMaps:
        """One level off, as published: inversion never evaluates the top of the grid."""
        tensors = load_file(self._file(level + 1), device=str(self._device))
        paths = {name.removesuffix(".q") for name in tensors if name.endswith(".q")}
        return {path: (tensors[f"{path}.q"], tensors[f"{path}.k"]) for path in paths}

    def map_bytes(self) -> int:
        return max(file.stat().st_size for file in self._folder.iterdir())

    def _file(self, level: int) -> Path:
        return self._folder / f"level_{level:03}.safetensors"


@contextmanager
def matching_by(match: Match) -> Iterator[None]:
    """Inside the block the product's passes match spatial attention with this form of the operator."""
    with patch.object(passes, "matched_attention", match):
        yield


def measure_way(backbone: Backbone, chunk: Encoded, settings: Settings, way: Way) -> WayCost:
    """Inverts and edits a chunk in so many steps as `settings` has: 3 to 5 tell what one takes. The UNet is on its device."""
    inversion, editing = _Laps(backbone.device), _Laps(backbone.device)

    def keep(level: int, maps: SourceMaps) -> None:
        with inversion.maps.running():
            way.keep(level, maps)

    inversion.begin()
    trajectory = invert_source(backbone, chunk.source, chunk.perturbed, inversion.after_step, keep if way.keeps else None)
    maps = _TimedMaps(way, partial(replay, backbone, chunk.source, trajectory), editing.maps)
    with MemoryPeak(backbone.device) as peak, matching_by(_timed(way.match, editing.matching)):
        editing.begin()
        edit(backbone, chunk, settings, maps, trajectory[0][None], editing.after_step)
    return WayCost(settings.steps, inversion.step(), editing.step(), peak.allocated_bytes, way.map_bytes())


class _Laps:
    """Takes the times of each step."""

    def __init__(self, device: torch.device) -> None:
        self.maps, self.matching = Stopwatch(device), Stopwatch(device)
        self._device, self._steps = device, list[tuple[float, float, float]]()

    def begin(self) -> None:
        self._last = self._times()

    def after_step(self, step: int) -> None:
        now = self._times()
        whole, maps, matching = (after - before for after, before in zip(now, self._last, strict=True))
        self._steps.append((whole, maps, matching))
        self._last = now

    def step(self) -> Step:
        return Step(*(median(times) for times in zip(*self._steps, strict=True)))

    def _times(self) -> tuple[float, float, float]:
        wait(self._device)
        return perf_counter(), self.maps.seconds, self.matching.seconds


class _TimedMaps:
    """What the edit asks for maps."""

    def __init__(self, way: Way, look_again: Callable[[int], SourceMaps], watch: Stopwatch) -> None:
        self._way, self._look_again, self._watch = way, look_again, watch

    def at(self, level: int) -> SourceMaps:
        with self._watch.running():
            return self._way.at(level, self._look_again)


def _timed(match: Match, watch: Stopwatch) -> Match:
    def run(q: Tensor, k: Tensor, v: Tensor, q0: Tensor, k0: Tensor, threshold: Tensor) -> tuple[Tensor, Tensor]:
        with watch.running():
            return match(q, k, v, q0, k0, threshold)

    return run
