"""The whole way of a shot: one painted frame in, all frames out, composited over the plate and delivered.

The method itself is `method/propagation.py`; here it meets the files.
"""

import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone
from i2vedit_core.delivery.beside import write_beside
from i2vedit_core.delivery.deliver import Deliverer
from i2vedit_core.delivery.inside import Filling
from i2vedit_core.delivery.matting import ChunkPictures
from i2vedit_core.delivery.painted import Painted, read_painted
from i2vedit_core.delivery.patch import Patcher
from i2vedit_core.delivery.region import open_region
from i2vedit_core.delivery.report import write_report
from i2vedit_core.delivery.seams import Parts
from i2vedit_core.delivery.sequence import SequenceWriter, reserve_version
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.errors import BridgeError
from i2vedit_core.media.fit import Fit
from i2vedit_core.method.chunks import Chunk
from i2vedit_core.method.preparation import Workplace
from i2vedit_core.method.propagation import EditedChunk, Propagation
from i2vedit_core.method.source_maps import open_store
from i2vedit_core.pictures import to_pictures, to_pixels
from i2vedit_core.plan.options import ROOMY, Options
from i2vedit_core.planned import carry_out_planned, fit_for, reader
from i2vedit_core.previews import Previewer
from i2vedit_core.progress import CancelToken, EventCallback, Reporter, Stage, ignore
from i2vedit_core.provenance import issue_ticket
from i2vedit_core.settings import DeliverySettings, Settings
from i2vedit_core.shot import Edit, Shot
from i2vedit_core.work import Work

_log = logging.getLogger(__name__)


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

    `work` keeps the job's notes and finished chunks, and `artifacts` (by default a folder in it) what is expensive, trajectories and LoRA
    checkpoints: the same folders given again go on where it was, and another edit of the same shot finds its preparation. Without them
    nothing is kept.
    Raises BridgeError; CANCELLED once `token` was set.
    """
    painted = read_painted(edit, shot)
    with tempfile.TemporaryDirectory(prefix="i2vedit-") as temporary:
        root = work or Path(temporary)
        kept = None if work is None else Artifacts(work / "chunks")
        job = _Job(shot, edit, painted, settings, backbone, delivery, Work(root), Artifacts(artifacts or root / "artifacts"), kept)
        report = Reporter(on_event, token or CancelToken())

        def attempt(fit: Fit, options: Options) -> Delivered:
            return _Delivering(job, report, fit, options).run()

        if not job.needs_model:
            return attempt(fit_for(shot, settings, backbone), ROOMY)
        return carry_out_planned(shot, settings, backbone, attempt, on_event)


@dataclass(frozen=True)
class _Job:
    """What is to be delivered, of what, and where notes and artifacts lie."""

    shot: Shot
    edit: Edit
    painted: Painted
    settings: Settings
    backbone: Backbone
    delivery: DeliverySettings
    work: Work
    artifacts: Artifacts
    kept: Artifacts | None
    """For finished chunks; None where nobody will go on with the job."""

    @property
    def needs_model(self) -> bool:
        """A single frame is the painter's, and where nothing was painted every frame is the plate's."""
        return len(self.shot) > 1 and self.painted.changed


class _Delivering:
    """Reads the shot for the method, and writes what it makes."""

    def __init__(self, job: _Job, report: Reporter, fit: Fit, options: Options) -> None:
        self.job, self.shot, self.report, self.fit, self.options = job, job.shot, report, fit, options

    def run(self) -> Delivered:
        """Runs every stage and writes every frame."""
        job = self.job
        settings, ticket = self._settings_and_ticket()
        job.work.claim(ticket)
        propagation = self._propagation(settings) if job.needs_model else None
        with SequenceWriter(self._version_folder(), self.shot.clip, job.delivery, ticket) as writer:
            filling = Filling(settings.edit, job.delivery.inside, job.delivery.grain, settings.seed)
            deliverer = Deliverer(self.shot, self.fit, job.painted, filling, open_region(job.edit, self.shot), writer)
            if job.painted.changed:
                self._announce(0, iter([deliverer.painted_frame()]), 1)
            else:
                self._announce(0, deliverer.unchanged(), len(self.shot))
            if propagation is not None:
                self._deliver(propagation, deliverer)
            deliverer.extras()
            self._report(writer.folder, propagation)
            self._write_beside(writer.folder)
        return Delivered(writer.folder, tuple(writer.path(frame) for frame in range(self.shot.first, self.shot.last + 1)))

    def _report(self, folder: Path, propagation: Propagation | None) -> None:
        """How well it came out. A courtesy, as the pictures are: without it the delivery is whole all the same."""
        joins = () if propagation is None else tuple(self.shot.first + chunk.delivers.start for chunk in propagation.chunks[1:])
        try:
            self.report.quality(write_report(folder, self.shot, Parts((self.shot.first,), joins)))
        except BridgeError as error:
            _log.warning("no report of %s: %s", folder.name, error.sentence)

    def _settings_and_ticket(self) -> tuple[Settings, Ticket]:
        """With as many frames decoded at once as there is memory for, or as this delivery was begun with: it decides pixels."""
        job = self.job
        settings = replace(job.settings, decode_frames=min(job.settings.decode_frames, self.options.decode_frames))
        ticket = issue_ticket(self.shot, job.edit, settings, job.backbone, job.delivery)
        begun = job.work.decode_frames_of(ticket)
        if begun is None or begun >= settings.decode_frames:
            return settings, ticket
        return replace(settings, decode_frames=begun), replace(ticket, settings={**ticket.settings, "decode_frames": begun})

    def _propagation(self, settings: Settings) -> Propagation:
        # With models that take turns on the device, the autoencoder is away while the network works: it is not brought back for a look.
        look = None if self.options.offload else Previewer(self.job.backbone, self.fit, self.shot.first, self.report)
        workplace = Workplace(self.job.artifacts, self.report, self.options, open_store(self.options.maps), look, self.job.kept)
        return Propagation(self.job.backbone, settings, len(self.shot), reader(self.shot, self.fit), workplace)

    def _deliver(self, propagation: Propagation, deliverer: Deliverer) -> None:
        """Every chunk as it is finished. What the first one teaches about the matte holds for all."""
        patcher = None
        for edited in propagation.run(self._painted_pixels()):
            pictures = _pictures(edited)
            patcher = patcher or deliverer.patcher(pictures)
            self._deliver_chunk(edited.chunk, pictures, patcher, deliverer)

    def _painted_pixels(self) -> Tensor:
        return to_pixels(self.fit.to_model(self.job.painted.picture)[None]).to(self.job.backbone.device)

    def _deliver_chunk(self, chunk: Chunk, pictures: ChunkPictures, patcher: Patcher, deliverer: Deliverer) -> None:
        """Everything this chunk delivers but the painted frame, which is there already."""
        delivers = range(max(chunk.delivers.start, 1), chunk.delivers.stop)
        part = pictures.part(slice(delivers.start - chunk.start, delivers.stop - chunk.start))
        self._announce(chunk.index, deliverer.frames(self.shot.first + delivers.start, part, patcher), len(delivers))

    def _write_beside(self, folder: Path) -> None:
        """What was asked for besides, when the frames are complete."""
        for side in self.job.delivery.also:
            write_beside(folder, self.shot, side, lambda step, of: self.report.step(Stage.DELIVER, self.report.chunks - 1, step, of))

    def _announce(self, chunk: int, frames: Iterator[tuple[int, Path]], count: int) -> None:
        for step, (frame, path) in enumerate(frames):
            self.report.step(Stage.DELIVER, chunk, step, count)
            self.report.frame(frame, path)

    def _version_folder(self) -> Path:
        folder = self.job.work.version_folder()
        if folder is None:
            folder = reserve_version(self.job.delivery.directory, self.shot.clip, self.job.work.remember_version)
        return folder


def _pictures(edited: EditedChunk) -> ChunkPictures:
    return ChunkPictures(to_pictures(edited.pixels), to_pictures(edited.source), edited.edit_map.numpy())
