"""The whole way of a shot: one painted frame in, all frames out, composited over the plate and delivered.

The method itself is `method/propagation.py`; here it meets the files.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone
from i2vedit_core.delivery.deliver import Deliverer
from i2vedit_core.delivery.matting import ChunkPictures, Matting
from i2vedit_core.delivery.painted import Painted, read_painted
from i2vedit_core.delivery.sequence import SequenceWriter, reserve_version
from i2vedit_core.media.fit import Fit, plan_fit
from i2vedit_core.method.chunks import Chunk
from i2vedit_core.method.propagation import EditedChunk, Propagation
from i2vedit_core.method.source_maps import open_store
from i2vedit_core.pictures import read_chunk, to_pictures, to_pixels
from i2vedit_core.plan.carrying_out import carry_out
from i2vedit_core.plan.choice import Request
from i2vedit_core.plan.making import plan_for
from i2vedit_core.plan.options import Options
from i2vedit_core.progress import CancelToken, EventCallback, Stage, ignore
from i2vedit_core.provenance import issue_ticket
from i2vedit_core.settings import DeliverySettings, Settings
from i2vedit_core.shot import Edit, Shot
from i2vedit_core.work import Work


@dataclass(frozen=True)
class Delivered:
    """What a propagation leaves behind."""

    folder: Path
    frames: tuple[Path, ...]
    """One per source frame, in their order."""


def propagate(  # noqa: PLR0913  (the one call of the core: what goes in, and the two ways to follow it)
    shot: Shot,
    edit: Edit,
    settings: Settings,
    backbone: Backbone,
    delivery: DeliverySettings,
    work: Path | None = None,
    artifacts: Path | None = None,
    on_event: EventCallback = ignore,
    token: CancelToken | None = None,
) -> Delivered:
    """Carries the painted first frame of a shot through all of its frames and delivers them as an EXR sequence.

    `work` keeps the job's notes, and `artifacts` (by default a folder in it) what is expensive, trajectories and LoRA checkpoints: the same
    folders given again go on where it was, and another edit of the same shot finds its preparation. Without them nothing is kept.
    Raises BridgeError; CANCELLED once `token` was set.
    """
    with tempfile.TemporaryDirectory(prefix="i2vedit-") as temporary:
        root = work or Path(temporary)
        places = Work(root), Artifacts(artifacts or root / "artifacts")
        clip = shot.clip
        fit = plan_fit(clip.width, clip.height, clip.pixel_aspect, backbone.pixel_budget, backbone.size_multiple)
        request = Request(fit.width, fit.height, settings.steps, settings.lora_steps(backbone.folder.lora_steps) > 0, settings.maps)

        def attempt(options: Options) -> Delivered:
            return _Delivering(shot, edit, settings, backbone, fit, options, *places, on_event, token).run(delivery)

        return carry_out(plan_for(backbone, request), attempt)


class _Delivering:
    """Reads the shot for the method, and writes what it makes."""

    def __init__(  # noqa: PLR0913  (as `propagate`)
        self,
        shot: Shot,
        edit: Edit,
        settings: Settings,
        backbone: Backbone,
        fit: Fit,
        options: Options,
        work: Work,
        artifacts: Artifacts,
        on_event: EventCallback,
        token: CancelToken | None,
    ) -> None:
        self.shot, self.edit, self.backbone, self.fit, self.work = shot, edit, backbone, fit, work
        self.settings = replace(settings, decode_frames=min(settings.decode_frames, options.decode_frames))
        store = open_store(options.maps)
        self.propagation = Propagation(backbone, self.settings, len(shot), self._read, artifacts, on_event, token, options, store)
        self.report = self.propagation.report

    def run(self, delivery: DeliverySettings) -> Delivered:
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
        """The painted frame at once, then every chunk as it is finished. What the first one teaches about the matte holds for all."""
        self._announce(0, iter([deliverer.painted_frame()]), 1)
        if len(self.shot) == 1:
            return
        matting = None
        for edited in self.propagation.run(self._painted_pixels(painted)):
            pictures = _pictures(edited)
            matting = matting or deliverer.matting(pictures)
            self._deliver_chunk(edited.chunk, pictures, matting, deliverer)

    def _read(self, chunk: Chunk) -> Tensor:
        return read_chunk(self.shot, self.fit, self.shot.first + chunk.start, chunk.length)

    def _painted_pixels(self, painted: Painted) -> Tensor:
        return to_pixels(self.fit.to_model(painted.picture)[None]).to(self.backbone.device)

    def _deliver_chunk(self, chunk: Chunk, pictures: ChunkPictures, matting: Matting, deliverer: Deliverer) -> None:
        """Everything this chunk delivers but the painted frame, which is there already."""
        delivers = range(max(chunk.delivers.start, 1), chunk.delivers.stop)
        part = pictures.part(slice(delivers.start - chunk.start, delivers.stop - chunk.start))
        self._announce(chunk.index, deliverer.frames(self.shot.first + delivers.start, part, matting), len(delivers))

    def _announce(self, chunk: int, frames: Iterator[tuple[int, Path]], count: int) -> None:
        for step, (frame, path) in enumerate(frames):
            self.report.step(Stage.DELIVER, chunk, step, count)
            self.report.frame(frame, path)

    def _version_folder(self, delivery: DeliverySettings) -> Path:
        folder = self.work.version_folder()
        if folder is None:
            folder = reserve_version(delivery.directory, self.shot.clip, self.work.remember_version)
        return folder


def _pictures(edited: EditedChunk) -> ChunkPictures:
    return ChunkPictures(to_pictures(edited.pixels), to_pictures(edited.source), edited.edit_map.numpy())
