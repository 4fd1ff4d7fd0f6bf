"""Runs jobs without a model, and delivers real pictures: what was painted stays where it was painted, on every frame."""

from pathlib import Path

import numpy as np

from i2vedit_core.delivery.painted import read_painted
from i2vedit_core.delivery.sequence import SequenceWriter, reserve_version
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.progress import CancelToken, FrameDelivered, Progress, Stage
from i2vedit_core.shot import Shot
from i2vedit_server.messages import JobOrder, ShotOrder
from i2vedit_server.worker_main import Report


def run(order: ShotOrder, report: Report, token: CancelToken) -> Path | None:
    """Delivers with the product's own writer."""
    shot = Shot.open(order.clip, order.first, order.last)
    if not isinstance(order, JobOrder):
        return None
    painted = read_painted(order.edits[0].open(shot), shot)
    matte = (painted.difference > painted.precision).astype(np.float32)
    folder = reserve_version(order.delivery.directory, shot.clip)
    with SequenceWriter(folder, shot.clip, order.delivery, _ticket(shot, order)) as writer:
        for step, plate in enumerate(decode_frames(shot.clip, shot.first, shot.last)):
            path = writer.write(shot.first + step, plate, painted.picture, matte)
            report(Progress(Stage.DELIVER, 0, 1, step, len(shot)))
            report(FrameDelivered(shot.first + step, path))
    return folder


def _ticket(shot: Shot, order: JobOrder) -> Ticket:
    """Names nothing but what is looked at when frames are read back."""
    return Ticket(
        plate_path=str(shot.clip.path),
        plate_sha256="a" * 64,
        first=shot.first,
        last=shot.last,
        edit_path=str(order.edits[0].path),
        edit_sha256="b" * 64,
        edit_frame=shot.first,
        model=order.settings.model,
        model_sha256="c" * 64,
        settings={},
        delivery={"alpha": str(order.delivery.alpha)},
        seed=0,
        device="cpu",
        dtype="float32",
        threads=1,
        versions={},
        created="2026-01-02T03:04:05Z",
    )
