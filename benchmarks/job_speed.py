"""What a whole job costs on a small model: by stage, for a second edit, by length, and on disk. Every run is a process of its own."""

import time
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import count
from multiprocessing import get_context
from pathlib import Path

import torch

from disk import bytes_in
from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone, load_backbone
from i2vedit_core.method.chunks import Chunk, plan_chunks
from i2vedit_core.method.conditioning import TIME_IDS, Condition
from i2vedit_core.method.edm import predict
from i2vedit_core.method.preparation import Workplace
from i2vedit_core.method.propagation import Propagation
from i2vedit_core.method.source_maps import open_store
from i2vedit_core.pictures import to_pixels
from i2vedit_core.progress import CancelToken, Event, Progress, Reporter, Stage
from i2vedit_core.settings import MapStore, Settings
from i2vedit_core.synthetic import Scene, Split, render
from peak import peak_bytes
from shots import SIDE, BenchmarkShot, is_seen

EDITS = ("recolor", "retexture")
"""The first edit of the shot, and the second."""


@dataclass(frozen=True)
class Task:
    """What is run: a shot of so many frames, its first edit or its second."""

    model: str
    settings: Settings
    folder: Path
    """Of the artifacts."""
    frames: int
    edit: str = EDITS[0]


@dataclass(frozen=True)
class Cost:
    """What a run took, the loading of the model aside."""

    seconds: float
    stage_seconds: Mapping[str, float]
    """Encoding counts to the stage that follows it, decoding to the edit."""
    chunk_seconds: tuple[float, ...]
    evaluations: int
    """Calls of the network, training included."""
    peak_bytes: int
    """The largest resident set of the process, the model included."""
    kept_bytes: int
    """On disk afterwards."""
    most_bytes: int
    """On disk at most: while a LoRA is trained, its optimiser lies beside it."""


@dataclass
class _Watch:
    """Follows a run by its events."""

    folder: Path
    last: float = field(default_factory=time.perf_counter)
    stages: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    chunks: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    most_bytes: int = 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, Progress) and event.stage is not Stage.DECODE:
            self.take(event.stage, event.chunk)
            self.most_bytes = max(self.most_bytes, bytes_in(self.folder))

    def take(self, stage: Stage, chunk: int) -> None:
        """The time since the last event was this stage's."""
        now = time.perf_counter()
        self.stages[stage.value] += now - self.last
        self.chunks[chunk] += now - self.last
        self.last = now


def measure(task: Task) -> Cost:
    """The run's cost, in a fresh process, so that its memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(run_here, task).result()


def two_edits(task: Task) -> tuple[Cost, Cost]:
    """The first edit of a shot and the second, on the same artifacts."""
    return measure(task), measure(replace(task, edit=EDITS[1]))


def run_here(task: Task) -> Cost:
    """The run's cost, but for the peak: that is this process's, whatever it did before."""
    backbone, (scene, edited_scene) = load_backbone(task.model), the_shot(task.frames, task.edit).scenes()
    painted = to_pixels(render(edited_scene, SIDE, SIDE, range(1)))
    calls: list[None] = []
    backbone.unet.register_forward_hook(lambda *_: calls.append(None))
    _warm_up(backbone)
    calls.clear()
    watch, started = _Watch(task.folder), time.perf_counter()
    propagation = _propagation(task, backbone, scene, watch)
    for edited in propagation.run(painted):
        watch.take(Stage.EDIT, edited.chunk.index)
    seconds = time.perf_counter() - started
    chunk_seconds = tuple(watch.chunks[chunk.index] for chunk in propagation.chunks)
    return Cost(seconds, dict(watch.stages), chunk_seconds, len(calls), peak_bytes(), bytes_in(task.folder), watch.most_bytes)


def the_shot(frames: int, edit: str) -> BenchmarkShot:
    """The first scene of the evaluation split in whose first frame both edits are seen."""
    shots = (BenchmarkShot("speed", EDITS[0], number, Split.EVALUATION, frames) for number in count())
    found = next(shot for shot in shots if all(is_seen(replace(shot, edit=each)) for each in EDITS))
    return replace(found, edit=edit)


def _propagation(task: Task, backbone: Backbone, scene: Scene, watch: _Watch) -> Propagation:
    def read(chunk: Chunk) -> torch.Tensor:
        return to_pixels(render(scene, SIDE, SIDE, range(chunk.start, chunk.stop)))

    stores = open_store(task.settings.maps or MapStore.REPLAY)
    workplace = Workplace(Artifacts(task.folder), Reporter(watch, CancelToken()), open_store=stores)
    return Propagation(backbone, task.settings, plan_chunks(task.frames, backbone.chunk_frames), read, workplace)


@torch.no_grad()
def _warm_up(backbone: Backbone) -> None:
    """The first pass of all pays for what libraries prepare once."""
    side = SIDE // backbone.latent_factor
    z = torch.zeros(1, backbone.chunk_frames, backbone.vae.config.latent_channels, side, side, device=backbone.device)
    width = backbone.unet.config.cross_attention_dim
    ids = torch.tensor([TIME_IDS], device=backbone.device)
    condition = Condition(z[:, 0], torch.zeros(1, 1, width, device=backbone.device), ids)
    predict(backbone, z, torch.tensor(1.0, device=backbone.device), condition)
