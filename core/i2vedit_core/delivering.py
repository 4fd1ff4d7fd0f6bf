"""One delivery: the shot's segments one after the other, each of them read for the method and written as it is made."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from i2vedit_core.delivery.beside import write_beside
from i2vedit_core.delivery.deliver import Deliverer
from i2vedit_core.delivery.inside import Filling
from i2vedit_core.delivery.meeting import Waiting, met
from i2vedit_core.delivery.report import write_report
from i2vedit_core.delivery.seams import Parts
from i2vedit_core.delivery.sequence import SequenceWriter, reserve_version
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.errors import BridgeError
from i2vedit_core.job import Job
from i2vedit_core.leg_patches import Legs
from i2vedit_core.legs import Segment
from i2vedit_core.media.fit import Fit
from i2vedit_core.method.propagation import propagation_cost
from i2vedit_core.plan.options import Options
from i2vedit_core.progress import Reporter, Stage
from i2vedit_core.provenance import issue_ticket
from i2vedit_core.settings import Settings

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivered:
    """What a propagation leaves behind."""

    folder: Path
    frames: tuple[Path, ...]
    """One per source frame, in their order."""


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
            legs = Legs(job, settings, self.fit, self.options, self.report, deliverer)
            for segment in job.segments:
                self._deliver(segment, legs, deliverer)
            deliverer.extras([painted.frame for painted in job.painted_frames])
            self._write_report(writer.folder)
            self._write_beside(writer.folder)
        return Delivered(writer.folder, tuple(writer.path(frame) for frame in range(shot.first, shot.last + 1)))

    def _write_report(self, folder: Path) -> None:
        """How well it came out. A courtesy, as the pictures are: without it the delivery is whole all the same."""
        parts = Parts(tuple(painted.frame for painted in self.job.painted_frames), self.job.joins, self.job.cuts)
        try:
            self.report.quality(write_report(folder, self.shot, parts))
        except BridgeError as error:
            _log.warning("no report of %s: %s", folder.name, error.sentence)

    def _expect(self, settings: Settings) -> None:
        needing = [leg for leg in self.job.legs if self.job.painted_at(leg.key).changed]
        cost = sum(self.job.chunk_count(leg) for leg in needing) * propagation_cost(self.job.backbone, settings)
        self.report.expect(max(sum(self.job.chunk_count(leg) for leg in self.job.legs), 1), cost)

    def _settings_and_ticket(self) -> tuple[Settings, Ticket]:
        """With as many frames decoded at once as there is memory for, or as this delivery was begun with: it decides pixels."""
        job = self.job
        settings = replace(job.settings, decode_frames=min(job.settings.decode_frames, self.options.decode_frames))
        ticket = issue_ticket(self.shot, job.edits, settings, job.backbone, job.delivery, job.pins)
        begun = job.work.decode_frames_of(ticket)
        if begun is None or begun >= settings.decode_frames:
            return settings, ticket
        return replace(settings, decode_frames=begun), replace(ticket, settings={**ticket.settings, "decode_frames": begun})

    def _deliver(self, segment: Segment, legs: Legs, deliverer: Deliverer) -> None:
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
