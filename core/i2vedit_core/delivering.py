"""One delivery: the shot's segments one after the other, each of them read for the method and written as it is made."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

from torch import Tensor

from i2vedit_core.anchors import KeptAnchors
from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone
from i2vedit_core.delivery.beside import write_beside
from i2vedit_core.delivery.between import Between
from i2vedit_core.delivery.deliver import Deliverer, Plate
from i2vedit_core.delivery.inside import Filling
from i2vedit_core.delivery.matting import ChunkPictures
from i2vedit_core.delivery.meeting import Waiting, met
from i2vedit_core.delivery.painted import Painted
from i2vedit_core.delivery.patch import Patch
from i2vedit_core.delivery.report import write_report
from i2vedit_core.delivery.seams import Parts
from i2vedit_core.delivery.sequence import SequenceWriter, reserve_version
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.errors import BridgeError
from i2vedit_core.legs import Leg, Segment, plan_segments
from i2vedit_core.media.decode import decode_along
from i2vedit_core.media.fit import Fit
from i2vedit_core.media.pixels import Picture
from i2vedit_core.method.preparation import Workplace
from i2vedit_core.method.propagation import EditedChunk, Propagation, propagation_cost
from i2vedit_core.method.source_maps import open_store
from i2vedit_core.pictures import to_pictures, to_pixels
from i2vedit_core.pins import Pins
from i2vedit_core.plan.options import Options
from i2vedit_core.planned import reader
from i2vedit_core.previews import Previewer
from i2vedit_core.progress import Reporter, Stage
from i2vedit_core.provenance import issue_ticket
from i2vedit_core.settings import DeliverySettings, Settings
from i2vedit_core.shot import Edit, Shot
from i2vedit_core.work import Work

_log = logging.getLogger(__name__)

Patched = Iterator[tuple[Plate, Patch]]
"""Frames of the plate, each with what is laid over it."""


@dataclass(frozen=True)
class Delivered:
    """What a propagation leaves behind."""

    folder: Path
    frames: tuple[Path, ...]
    """One per source frame, in their order."""


@dataclass(frozen=True)
class Job:
    """What is to be delivered, of what, and where notes and artifacts lie."""

    shot: Shot
    edits: tuple[Edit, ...]
    """By frame."""
    painted: tuple[Painted, ...]
    """As `edits`."""
    settings: Settings
    backbone: Backbone
    delivery: DeliverySettings
    work: Work
    artifacts: Artifacts
    fronts: Artifacts | None
    """See `Workplace.fronts`; None where nobody will go on with the job."""
    pins: Pins | None = None
    """Their edges are among the edits."""
    cuts: tuple[int, ...] = ()
    """First frames of later shots inside the range. No leg crosses one."""

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """Those that are to be made."""
        keys = [edit.frame for edit in self.edits]
        planned = plan_segments(self.shot.first, self.shot.last, keys, self.settings.stride or 1, self.cuts)
        return tuple(segment for segment in planned if segment.legs[0].frames[1] not in self.pinned)

    @property
    def pinned(self) -> Mapping[int, Path]:
        """Frames that are taken over, and from where."""
        return self.pins.files if self.pins else {}

    @property
    def legs(self) -> tuple[Leg, ...]:
        """In the order in which they are gone."""
        return tuple(leg for segment in self.segments for leg in segment.legs)

    @property
    def needs_model(self) -> bool:
        """A painted frame is the painter's, and what begins where nothing was painted is the plate's."""
        return any(self.painted_at(leg.key).changed for leg in self.legs)

    @property
    def painted_frames(self) -> tuple[Painted, ...]:
        """Those that were painted, and not taken over."""
        return tuple(painted for painted in self.painted if painted.frame not in self.pinned)

    @property
    def joins(self) -> tuple[int, ...]:
        """First frames of later parts: of chunks, and of what begins or ends at a frame that was taken over."""
        chunks = {join for leg in self.legs for join in leg.joins(self.backbone.chunk_frames)}
        pinned = {leg.key + 1 if leg.reach > leg.key else leg.key for leg in self.legs if leg.key in self.pinned}
        return tuple(sorted(chunks | pinned))

    def painted_at(self, frame: int) -> Painted:
        return next(painted for painted in self.painted if painted.frame == frame)


class Delivering:
    """Reads the shot for the method, and writes what it makes."""

    def __init__(self, job: Job, report: Reporter, fit: Fit, options: Options) -> None:
        self.job, self.shot, self.report, self.fit, self.options = job, job.shot, report, fit, options

    def run(self) -> Delivered:
        """Runs every stage and writes every frame."""
        job, shot = self.job, self.shot
        settings, ticket = self._settings_and_ticket()
        job.work.claim(ticket)
        self._expect(settings)
        with SequenceWriter(self._version_folder(), shot.clip, job.delivery, ticket) as writer:
            filling = Filling(settings.edit, job.delivery.inside, job.delivery.grain, settings.seed)
            deliverer = Deliverer(shot, self.fit, filling, writer)
            for frame, path in job.pinned.items():
                self.report.step(Stage.DELIVER, 0, 0, 1)
                self.report.frame(frame, writer.take_over(frame, path))
            for painted in job.painted_frames:
                self.report.step(Stage.DELIVER, 0, 0, 1)
                self.report.frame(*deliverer.painted_frame(painted))
            legs = _Legs(self, settings, deliverer)
            for segment in job.segments:
                self._deliver(segment, legs, deliverer)
            deliverer.extras([painted.frame for painted in job.painted_frames])
            self._report(writer.folder)
            self._write_beside(writer.folder)
        return Delivered(writer.folder, tuple(writer.path(frame) for frame in range(shot.first, shot.last + 1)))

    def _report(self, folder: Path) -> None:
        """How well it came out. A courtesy, as the pictures are: without it the delivery is whole all the same."""
        parts = Parts(tuple(painted.frame for painted in self.job.painted_frames), self.job.joins, self.job.cuts)
        try:
            self.report.quality(write_report(folder, self.shot, parts))
        except BridgeError as error:
            _log.warning("no report of %s: %s", folder.name, error.sentence)

    def chunk_count(self, leg: Leg) -> int:
        """How many chunks a leg takes; one that needs no model counts as one."""
        return len(leg.chunks(self.job.backbone.chunk_frames)) if self.job.painted_at(leg.key).changed else 1

    def _expect(self, settings: Settings) -> None:
        needing = [leg for leg in self.job.legs if self.job.painted_at(leg.key).changed]
        cost = sum(self.chunk_count(leg) for leg in needing) * propagation_cost(self.job.backbone, settings)
        self.report.expect(max(sum(self.chunk_count(leg) for leg in self.job.legs), 1), cost)

    def _settings_and_ticket(self) -> tuple[Settings, Ticket]:
        """With as many frames decoded at once as there is memory for, or as this delivery was begun with: it decides pixels."""
        job = self.job
        settings = replace(job.settings, decode_frames=min(job.settings.decode_frames, self.options.decode_frames))
        ticket = issue_ticket(self.shot, job.edits, settings, job.backbone, job.delivery, job.pins)
        begun = job.work.decode_frames_of(ticket)
        if begun is None or begun >= settings.decode_frames:
            return settings, ticket
        return replace(settings, decode_frames=begun), replace(ticket, settings={**ticket.settings, "decode_frames": begun})

    def _deliver(self, segment: Segment, legs: "_Legs", deliverer: Deliverer) -> None:
        """Every frame of a segment as it is made. Between two painted frames the way back is gone first, and waits for the way forth."""
        if len(segment.legs) == 1:
            for plate, patch in legs.patches(segment.legs[0]):
                self.report.frame(*deliverer.lay_over(plate, patch))
            return
        (backward, forward), waiting = segment.legs, Waiting(self.job.work.root / "waiting")
        for plate, patch in legs.patches(backward):
            waiting.keep(plate.frame, plate.seen, patch)
        for plate, patch in legs.patches(forward):
            way = (plate.frame - forward.key) / (backward.key - forward.key)
            both = met(patch, waiting.take(plate.frame, plate.seen), way, plate.seen)
            self.report.frame(*deliverer.lay_over(plate, both))

    def _write_beside(self, folder: Path) -> None:
        """What was asked for besides, when the frames are complete."""
        for side in self.job.delivery.also:
            write_beside(folder, self.shot, side, lambda step, of: self.report.step(Stage.DELIVER, self.report.chunks - 1, step, of))

    def _version_folder(self) -> Path:
        folder = self.job.work.version_folder()
        if folder is None:
            folder = reserve_version(self.job.delivery.directory, self.shot.clip, self.job.work.remember_version)
        return folder


class _Legs:
    """The legs of a delivery, one after the other."""

    def __init__(self, delivering: Delivering, settings: Settings, deliverer: Deliverer) -> None:
        self._of, self._job, self._settings, self._deliverer = delivering, delivering.job, settings, deliverer
        self._first_chunk = 0

    def patches(self, leg: Leg) -> Patched:
        """All frames of a leg but the painted one, in the order in which the edit reaches them."""
        report = self._of.report.from_chunk(self._first_chunk)
        self._first_chunk += self._of.chunk_count(leg)
        painted = self._job.painted_at(leg.key)
        if not painted.changed:
            return _counted(self._deliverer.unpainted(leg.frames[1:]), report, 0, len(leg.frames) - 1)
        return self._painted_patches(leg, painted, report)

    def _painted_patches(self, leg: Leg, painted: Painted, report: Reporter) -> Patched:
        """Chunk after chunk. What the first one teaches about the matte holds for all."""
        patcher, between = None, None
        later = leg.chunks(self._job.backbone.chunk_frames)[1:]
        anchors = KeptAnchors(self._of.fit, {chunk.index: leg.seen_in(chunk)[0] for chunk in later})
        for edited in self._propagation(leg, report).run(self._pixels(painted), anchors.take):
            pictures, chunk, frames = _pictures(edited), edited.chunk, leg.delivered_by(edited.chunk)
            patcher = patcher or self._deliverer.patcher(painted, pictures.frame(0))
            between = between or Between(leg.stride, pictures.frame(0), self._of.fit.to_model(painted.plate))
            fresh = pictures.part(slice(max(chunk.delivers.start, 1) - chunk.start, chunk.delivers.stop - chunk.start))
            answers = between.frames(fresh, self._small(leg.filled_by(chunk))) if leg.stride > 1 else fresh.frames()
            patched = self._deliverer.patches(frames, islice(answers, len(frames)), patcher, painted)
            for plate, patch in _counted(patched, report, chunk.index, len(frames)):
                anchors.see(plate.frame, plate.seen, patch)
                yield plate, patch

    def _small(self, frames: range) -> Iterator[Picture]:
        """The plate at the model's size."""
        return (self._of.fit.to_model(frame) for frame in decode_along(self._job.shot.clip, frames))

    def _propagation(self, leg: Leg, report: Reporter) -> Propagation:
        job, options, fit = self._job, self._of.options, self._of.fit
        # With models that take turns on the device, the autoencoder is away while the network works: it is not brought back for a look.
        look = None if options.offload else Previewer(job.backbone, fit, leg, report)
        workplace = Workplace(job.artifacts, report, options, open_store(options.maps), look, job.artifacts, job.fronts)
        return Propagation(job.backbone, self._settings, leg.chunks(job.backbone.chunk_frames), reader(job.shot, fit, leg), workplace)

    def _pixels(self, painted: Painted) -> Tensor:
        return to_pixels(self._of.fit.to_model(painted.picture)[None]).to(self._job.backbone.device)


def _counted(patched: Patched, report: Reporter, chunk: int, count: int) -> Patched:
    """Tells of each frame once whoever asked for it has done with it."""
    for step, each in enumerate(patched):
        yield each
        report.step(Stage.DELIVER, chunk, step, count)


def _pictures(edited: EditedChunk) -> ChunkPictures:
    return ChunkPictures(to_pictures(edited.pixels), to_pictures(edited.source), edited.edit_map.numpy())
