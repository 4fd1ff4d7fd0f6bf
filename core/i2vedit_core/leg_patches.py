"""The legs of a delivery: the method's chunks as they are finished, made into the patches of every frame on the way."""

from collections.abc import Iterator
from itertools import islice

from torch import Tensor

from i2vedit_core.anchors import KeptAnchors
from i2vedit_core.delivery.between import Between
from i2vedit_core.delivery.deliver import Deliverer, Plate
from i2vedit_core.delivery.matting import ChunkPictures
from i2vedit_core.delivery.painted import Painted
from i2vedit_core.delivery.patch import Patch
from i2vedit_core.job import Job
from i2vedit_core.legs import Leg
from i2vedit_core.media.decode import decode_along
from i2vedit_core.media.fit import Fit
from i2vedit_core.media.pixels import Picture
from i2vedit_core.method.preparation import Workplace
from i2vedit_core.method.propagation import EditedChunk, Propagation
from i2vedit_core.method.source_maps import open_store
from i2vedit_core.pictures import to_pictures, to_pixels
from i2vedit_core.plan.options import Options
from i2vedit_core.planned import reader
from i2vedit_core.previews import Previewer
from i2vedit_core.progress import Reporter, Stage
from i2vedit_core.settings import Settings

Patched = Iterator[tuple[Plate, Patch]]
"""Frames of the plate, each with what is laid over it."""


class Legs:
    """The legs of a delivery, one after the other."""

    def __init__(self, job: Job, settings: Settings, fit: Fit, options: Options, report: Reporter, deliverer: Deliverer) -> None:
        """`settings` as they are carried out."""
        self._job, self._settings, self._fit, self._options, self._report = job, settings, fit, options, report
        self._deliverer, self._first_chunk = deliverer, 0

    def patches(self, leg: Leg) -> Patched:
        """All frames of a leg but the painted one, in the order in which the edit reaches them."""
        report = self._report.from_chunk(self._first_chunk)
        self._first_chunk += self._job.chunk_count(leg)
        painted = self._job.painted_at(leg.key)
        if not painted.changed:
            return _counted(self._deliverer.unpainted(leg.frames[1:]), report, 0, len(leg.frames) - 1)
        return self._painted_patches(leg, painted, report)

    def _painted_patches(self, leg: Leg, painted: Painted, report: Reporter) -> Patched:
        """Chunk after chunk. What the first one teaches about the matte holds for all."""
        patcher, between = None, None
        later = leg.chunks(self._job.backbone.chunk_frames)[1:]
        anchors = KeptAnchors(self._fit, {chunk.index: leg.seen_in(chunk)[0] for chunk in later})
        for edited in self._propagation(leg, report).run(self._pixels(painted), anchors.take):
            pictures, chunk, frames = _pictures(edited), edited.chunk, leg.delivered_by(edited.chunk)
            patcher = patcher or self._deliverer.patcher(painted, pictures.frame(0))
            fresh = pictures.part(slice(max(chunk.delivers.start, 1) - chunk.start, chunk.delivers.stop - chunk.start))
            answers = fresh.frames()
            if leg.stride > 1:
                between = between or Between(leg.stride, pictures.frame(0), self._fit.to_model(painted.plate))
                answers = between.frames(fresh, self._small(leg.filled_by(chunk)))
            patched = self._deliverer.patches(frames, islice(answers, len(frames)), patcher, painted)
            for plate, patch in _counted(patched, report, chunk.index, len(frames)):
                anchors.see(plate.frame, plate.seen, patch)
                yield plate, patch

    def _small(self, frames: range) -> Iterator[Picture]:
        """The plate at the model's size."""
        return (self._fit.to_model(frame) for frame in decode_along(self._job.shot.clip, frames))

    def _propagation(self, leg: Leg, report: Reporter) -> Propagation:
        job, options, fit = self._job, self._options, self._fit
        # With models that take turns on the device, the autoencoder is away while the network works: it is not brought back for a look.
        look = None if options.offload else Previewer(job.backbone, fit, leg, report)
        workplace = Workplace(job.artifacts, report, options, open_store(options.maps), look, job.artifacts, job.fronts)
        return Propagation(job.backbone, self._settings, leg.chunks(job.backbone.chunk_frames), reader(job.shot, fit, leg), workplace)

    def _pixels(self, painted: Painted) -> Tensor:
        return to_pixels(self._fit.to_model(painted.picture)[None]).to(self._job.backbone.device)


def _counted(patched: Patched, report: Reporter, chunk: int, count: int) -> Patched:
    """Tells of each frame once whoever asked for it has done with it."""
    for step, each in enumerate(patched):
        yield each
        report.step(Stage.DELIVER, chunk, step, count)


def _pictures(edited: EditedChunk) -> ChunkPictures:
    return ChunkPictures(to_pictures(edited.pixels), to_pictures(edited.source), edited.edit_map.numpy())
